"""Makes detached, armoured OpenPGP signatures as one person."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from attestore.adapters.durable import disk_errors, replace
from attestore.adapters.gpg.home import Said, deadline_for
from attestore.adapters.gpg.keyring import Key, Keyring, Subkey, unusable
from attestore.adapters.gpg.verifier import HASHES, GpgVerifier
from attestore.adapters.process import Feed, Runner
from attestore.errors import Error, KeyringError, TamperedError

__all__ = ["GpgSigner"]

_MAKING: Final = ("--armor", "--digest-algo", "SHA256", "--no-emit-version", "--detach-sign")


class GpgSigner:
    """Signs with the newest usable signing key of one primary key."""

    def __init__(self, keyring: Keyring, fingerprint: str, *, runner: Runner) -> None:
        self._keyring = keyring
        self._fingerprint = fingerprint
        self._home = keyring.home.using(runner)
        self._runner = runner
        self._known: Subkey | None = None
        """that signed last: looking for it again would take twice as long as signing does"""

    @property
    def fingerprint(self) -> str:
        """Primary key fingerprint, 40 upper-case hexadecimal digits."""
        return self._fingerprint

    def problems(self) -> tuple[Error, ...]:
        """Whatever stands in the way of signing a nonce and verifying it."""
        nonce = secrets.token_bytes(32)
        try:
            signature = self._sign("a nonce", nonce, size=len(nonce))
            with GpgVerifier(
                {self._fingerprint: self._keyring.public(self._fingerprint)}, runner=self._runner
            ) as check:
                check.verify_bytes(signature, nonce)
        except TamperedError as problem:
            return (
                KeyringError(f"key {self._fingerprint} signs, but its signature does not verify: {problem.message}"),
            )
        except Error as problem:
            return (problem,)
        return ()

    def sign(self, path: Path) -> Path:
        """Write the armoured detached signature `<path>.asc` durably, in place of an older one.

        Raises:
            KeyringError: the key is missing, locked, expired or revoked.
            DiskError: the file can't be read, or the signature can't be written.
        """
        with disk_errors(f"sign {path}"), path.open("rb") as data:
            size = path.stat().st_size
            signature = self._sign_again(data, size=size)
            if signature is None:
                data.seek(0)
                signature = self._sign(str(path), data, size=size)
        target = path.with_name(f"{path.name}.asc")
        # a signature is public, like the file it stands beside
        replace(target, signature, mode=0o644)
        return target

    def _sign(self, what: str, data: Feed, *, size: int) -> bytes:
        signing = _usable(self._keyring.key(self._fingerprint))
        signature, said = self._made_by(signing, data, size=size)
        if signature is None:
            raise unusable(self._fingerprint, said) or KeyringError(
                f"key {self._fingerprint} did not sign {what}: {said.words or 'gpg gave no reason'}",
                hint="A key with a passphrase must be unlocked in its agent first.",
            )
        self._known = signing
        return signature

    def _sign_again(self, data: Feed, *, size: int) -> bytes | None:
        """By the key that signed before; None where there is none, or gpg refuses it now: it was looked for, and not since."""
        known, self._known = self._known, None
        if known is None:
            return None
        signature, _ = self._made_by(known, data, size=size)
        self._known = known if signature is not None else None
        return signature

    def _made_by(self, signing: Subkey, data: Feed, *, size: int) -> tuple[bytes | None, Said]:
        # the exclamation mark: this very key, not one that gpg likes better
        words = ("--local-user", f"{signing.fingerprint}!", *_MAKING)
        with self._home.talk(*words, stdin=data, deadline_s=deadline_for(size)) as talk:
            signature = talk.stdout.read()
            said = talk.end()
        return (signature if said.code == 0 and _made(said, self._fingerprint, signing) else None), said


def _usable(key: Key) -> Subkey:
    if not key.secret:
        raise KeyringError(
            f"the private key of {key.fingerprint} is not in the keyring",
            hint="Import it, or name a key whose private half is here.",
        )
    for able in key.signing if key.primary.usable else ():
        if able.usable:
            return able
    state = "revoked" if key.primary.revoked else "expired" if key.primary.expired else "without a signing key in force"
    raise KeyringError(
        f"key {key.fingerprint} can't sign: it is {state}", hint="Name another key, or extend its expiry."
    )


def _made(said: Said, fingerprint: str, signing: Subkey) -> bool:
    """SIG_CREATED: type, public-key algorithm, hash, class, time, fingerprint of the key that signed."""
    made = said.status.all("SIG_CREATED")
    if len(made) != 1 or len(made[0].words) != 6:  # noqa: PLR2004  the six words above
        return False
    kind, _, digest, signature_class, _, by = made[0].words
    return kind == "D" and digest in HASHES and signature_class == "00" and by in {fingerprint, signing.fingerprint}
