"""The keyring under `--home`: keys are made, listed, imported and exported here (python-gnupg does the talking).

Keys made without a passphrase can be used by whoever can read the folder (mode 0700). That suits a demo and an
unattended backup host; people who approve should import their own public keys and sign elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from attestore.adapters.gpg.home import Home, Said, program_version
from attestore.adapters.gpg.packets import ALGORITHMS
from attestore.adapters.process import Runner
from attestore.adapters.system import SystemClock
from attestore.errors import KeyringError
from attestore.ports import Clock

__all__ = ["Key", "Keyring", "Subkey", "unusable"]

_FOLDER: Final = "gnupg"
_FILES: Final = ("pubring.kbx", "pubring.gpg", "secring.gpg", "trustdb.gpg", "private-keys-v1.d")
"""of a keyring; in the folder of private keys each has a file, so that its time changes with any of them"""
_SOON_MS: Final = 5_000
_USER_ID: Final = re.compile(
    r"(?P<name>[^<>\x00-\x1f\x7f]+?)(?: <(?P<mail>[^<>\s\x00-\x1f\x7f]+@[^<>\s\x00-\x1f\x7f]+)>)?"
)
_EXPIRY: Final = re.compile(r"0|[1-9][0-9]*[dwmy]|[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Subkey:
    """One key of a primary key, or the primary key itself."""

    fingerprint: str
    keyid: str
    algorithm: str
    bits: int
    capabilities: frozenset[str]
    """any of `encrypt`, `sign`, `certify`, `authenticate`"""
    created: datetime
    expires: datetime | None
    revoked: bool
    expired: bool
    """by the clock of this machine"""

    @property
    def usable(self) -> bool:
        """Neither revoked nor expired."""
        return not (self.revoked or self.expired)


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key with its user ids and subkeys, as the keyring lists it."""

    primary: Subkey
    user_ids: tuple[str, ...]
    subkeys: tuple[Subkey, ...]
    secret: bool
    """whether this keyring holds the private key, too"""

    @property
    def fingerprint(self) -> str:
        """Primary key fingerprint, 40 upper-case hexadecimal digits."""
        return self.primary.fingerprint

    @property
    def encrypting(self) -> tuple[Subkey, ...]:
        """Every key of it that can encrypt, usable or not, newest first."""
        return self._able("encrypt")

    @property
    def signing(self) -> tuple[Subkey, ...]:
        """Every key of it that can sign, usable or not, newest first."""
        return self._able("sign")

    def _able(self, capability: str) -> tuple[Subkey, ...]:
        able = [key for key in (self.primary, *self.subkeys) if capability in key.capabilities]
        return tuple(sorted(able, key=lambda key: key.created, reverse=True))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What gpg listed, when, and of which files."""

    at: int
    files: tuple[tuple[str, int, int, int], ...]
    keys: tuple[Key, ...]


class Keyring:
    """An isolated GnuPG home; leaving its block stops the agent."""

    def __init__(self, home: Home, *, version: str) -> None:
        self.home = home
        self.version = version
        """Programme and version, e.g. `gpg 2.2.40`."""
        self._clock: Clock = SystemClock()
        self._seen: _Seen | None = None
        # here, so that a machine that only audits needs no python-gnupg
        import gnupg  # noqa: PLC0415

        try:
            self._gpg = gnupg.GPG(
                gpgbinary=str(home.gpg),
                gnupghome=str(home.path),
                options=["--no-options", "--disable-dirmngr", "--no-auto-key-locate"],
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath), **home.environment()},
                encoding="utf-8",
            )
        except (OSError, ValueError) as problem:
            raise KeyringError(f"gpg can't use the keyring {home.path}: {problem}") from problem

    @classmethod
    def open(cls, home: Path, *, runner: Runner, work: Path | None = None, passphrase: bytes = b"") -> Self:
        """The keyring in `<home>/gnupg`, made when it is not there; what it needs for a while lies below `work`.

        A passphrase opens the private keys that have one, and locks those that are made.

        Raises:
            MissingProgramError: gpg is not on this machine.
            VersionError: it is older than 2.2.
            DiskError: the folder can't be made.
        """
        version = program_version(runner)
        return cls(Home(home / _FOLDER, runner=runner, work=work, passphrase=passphrase), version=version)

    @classmethod
    def of(cls, home: Home, *, runner: Runner) -> Self:
        """The keyring in a home that somebody else has opened, and closes."""
        return cls(home, version=program_version(runner))

    @classmethod
    def borrow(cls, folder: Path, *, runner: Runner) -> Self:
        """Somebody's own GNUPGHOME, to sign with a key that is there; nothing in it is changed, an agent of theirs stays.

        Raises:
            MissingProgramError: gpg is not on this machine.
            VersionError: it is older than 2.2.
            KeyringError: there is no such folder.
        """
        version = program_version(runner)
        return cls(Home(folder, runner=runner, borrowed=True), version=version)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the agent and wait until it is gone."""
        self.home.close()

    def keys(self) -> tuple[Key, ...]:
        """Every key, in the order of fingerprints.

        gpg is asked again once the keyring's files are others, and soon in any case, since keys expire.
        """
        now, files = self._clock.tick(), self._files()
        if self._seen is None or now - self._seen.at > _SOON_MS or files != self._seen.files:
            self._seen = _Seen(at=now, files=files, keys=self._list())
        return self._seen.keys

    def _files(self) -> tuple[tuple[str, int, int, int], ...]:
        """What changes when a key comes, goes, or gets another property."""
        found = []
        for name in _FILES:
            with suppress(OSError):
                status = (self.home.path / name).stat()
                found.append((name, status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(found)

    def _list(self) -> tuple[Key, ...]:
        secret = {str(found["fingerprint"]) for found in self._gpg.list_keys(secret=True)}
        listed = (_key(raw, secret=str(raw["fingerprint"]) in secret) for raw in self._gpg.list_keys())
        return tuple(sorted(listed, key=lambda key: key.fingerprint))

    def key(self, fingerprint: str) -> Key:
        """The key with that primary fingerprint.

        Raises:
            KeyringError: there is none.
        """
        if (found := self.find(fingerprint)) is not None:
            return found
        raise KeyringError(
            f"key {fingerprint} is not in the keyring {self.home.path}",
            hint="Import it: attestore keys import FILE.",
        )

    def find(self, fingerprint: str) -> Key | None:
        """The key with that primary fingerprint, if there is one."""
        return _first(key for key in self.keys() if key.fingerprint == fingerprint)

    def create_encryption_key(self, user_id: str, *, bits: int = 4096, expires: str = "2y") -> Key:
        """A new RSA key with an RSA subkey that can encrypt, both of that size, locked with the keyring's passphrase.

        `expires` is `90d`, `2y`, a date, or `0` for never.

        Raises:
            KeyringError: gpg refuses, or the user id or the expiry can't be meant.
        """
        return self._create(
            user_id,
            expires,
            ("Key-Type: RSA", f"Key-Length: {bits}", "Key-Usage: sign"),
            ("Subkey-Type: RSA", f"Subkey-Length: {bits}", "Subkey-Usage: encrypt"),
        )

    def create_signing_key(self, user_id: str, *, expires: str = "2y") -> Key:
        """A new Ed25519 key that signs, locked with the keyring's passphrase.

        Raises:
            KeyringError: gpg refuses, or the user id or the expiry can't be meant.
        """
        return self._create(user_id, expires, ("Key-Type: EDDSA", "Key-Curve: ed25519", "Key-Usage: sign"))

    def ensure_keys(self, *, encrypting: str, signing: str, bits: int = 4096) -> tuple[Key, Key]:
        """A usable encryption key and a usable signing key of these user ids, made when they are not there yet.

        Raises:
            KeyringError: gpg refuses to make one.
        """
        mine = [key for key in self.keys() if key.secret and key.primary.usable]
        sealing = _first(key for key in mine if encrypting in key.user_ids and any(k.usable for k in key.encrypting))
        return sealing or self.create_encryption_key(encrypting, bits=bits), self.ensure_signing(signing)

    def ensure_signing(self, user_id: str) -> Key:
        """A usable signing key of that user id, made when it is not there yet.

        Raises:
            KeyringError: gpg refuses to make one.
        """
        mine = (key for key in self.keys() if key.secret and key.primary.usable and user_id in key.user_ids)
        return _first(key for key in mine if any(k.usable for k in key.signing)) or self.create_signing_key(user_id)

    def add(self, keys: bytes) -> tuple[str, ...]:
        """Import keys; the primary fingerprints that the input holds.

        Raises:
            KeyringError: there is no usable key in it.
        """
        result = self._gpg.import_keys(keys)
        found = tuple(dict.fromkeys(str(one) for one in result.fingerprints if one))
        if not found:
            raise KeyringError(
                "the input holds no OpenPGP key that gpg can import", hint="Export it with: gpg --export --armor KEY."
            )
        return found

    def public(self, fingerprint: str) -> bytes:
        """The armoured public key.

        Raises:
            KeyringError: there is none.
        """
        self.key(fingerprint)
        text = str(self._gpg.export_keys(fingerprint, armor=True))
        if "BEGIN PGP PUBLIC KEY BLOCK" not in text:
            raise KeyringError(f"gpg did not export key {fingerprint}")
        return text.encode("ascii")

    def locked(self, fingerprint: str) -> bool:
        """Whether a private key that is here has a passphrase; a key whose private half is elsewhere counts as locked."""
        listed = self.home.run("--with-colons", "--with-keygrip", "--list-secret-keys", fingerprint).stdout
        grips = [line.split(b":")[9].decode() for line in listed.splitlines() if line.startswith(b"grp:")]
        files = [self.home.path / "private-keys-v1.d" / f"{grip}.key" for grip in grips]
        return not all(file.is_file() and b"protected-private-key" not in file.read_bytes() for file in files)

    def private(self, fingerprint: str) -> bytes:
        """The private key's packets, locked as it is in the keyring; secret, and so for one look only.

        Raises:
            KeyringError: it isn't here, or its passphrase is missing or wrong.
        """
        if not self.key(fingerprint).secret:
            raise KeyringError(
                f"the private key of {fingerprint} is not in {self.home.path}", hint="Name the --home that holds it."
            )
        said = self.home.run("--export-secret-keys", fingerprint)
        if said.code != 0 or not said.stdout:
            raise unusable(fingerprint, said) or KeyringError(f"gpg did not export key {fingerprint}: {said.words}")
        return said.stdout

    def _create(self, user_id: str, expires: str, *blocks: Iterable[str]) -> Key:
        named = _USER_ID.fullmatch(user_id)
        if named is None:
            raise KeyringError(f"user id {user_id!r} can't be used", hint="Write it as: Name <mail@example.org>")
        if _EXPIRY.fullmatch(expires) is None:
            raise KeyringError(f"expiry {expires!r} can't be used", hint="Write 90d, 2y, 2030-12-31, or 0 for never.")
        lines = [*(line for block in blocks for line in block), f"Name-Real: {named['name']}"]
        if named["mail"]:
            lines.append(f"Name-Email: {named['mail']}")
        lock = () if self.home.locks else ("%no-protection",)
        order = "\n".join([*lock, *lines, f"Expire-Date: {expires}", "%commit", ""])
        said = self.home.run("--full-generate-key", stdin=order.encode())
        made = said.status.all("KEY_CREATED")
        if "invalid expire date" in said.words:
            raise KeyringError(
                f"gpg makes no key that expires on {expires}", hint="Name a day that is still to come, or 90d, or 2y."
            )
        if said.code != 0 or len(made) != 1:
            raise KeyringError(f"gpg could not make a key for {user_id!r}: {said.words or 'it gave no reason'}")
        return self.key(made[0].words[-1])


def _first(keys: Iterable[Key]) -> Key | None:
    return next(iter(keys), None)


def _key(raw: Mapping[str, Any], *, secret: bool) -> Key:
    below = raw.get("subkey_info", {})
    return Key(
        primary=_subkey(raw, fingerprint=str(raw["fingerprint"])),
        user_ids=tuple(str(one) for one in raw["uids"]),
        subkeys=tuple(_subkey(below[keyid], fingerprint=str(found)) for keyid, _, found, *_ in raw["subkeys"]),
        secret=secret,
    )


_CAPABILITIES: Final = {"e": "encrypt", "s": "sign", "c": "certify", "a": "authenticate"}


def _subkey(raw: Mapping[str, Any], *, fingerprint: str) -> Subkey:
    number = str(raw["algo"])
    return Subkey(
        fingerprint=fingerprint,
        keyid=str(raw["keyid"]),
        algorithm=ALGORITHMS.get(int(number), number) if number.isdecimal() else number,
        bits=int(raw["length"] or 0),
        # lower case: this key itself; upper case: the key as a whole
        capabilities=frozenset(_CAPABILITIES[one] for one in str(raw["cap"]) if one in _CAPABILITIES),
        created=_instant(raw["date"]) or datetime.fromtimestamp(0, tz=UTC),
        expires=_instant(raw["expires"]),
        revoked=raw["trust"] == "r",
        expired=raw["trust"] == "e",
    )


def _instant(seconds: object) -> datetime | None:
    text = str(seconds or "")
    return datetime.fromtimestamp(int(text), tz=UTC) if text.isdecimal() else None


def unusable(fingerprint: str, said: Said) -> KeyringError | None:
    """The error that says why a private key stays locked; None where that was not the problem."""
    if not (why := said.status.locked):
        return None
    return KeyringError(
        f"the private key of {fingerprint} stays locked: {why}",
        hint="Say where its passphrase is, as env:NAME or file:/path: with --passphrase, with passphrase: below keys: in "
        "attestore.yaml, or in ATTESTORE_PASSPHRASE.",
    )
