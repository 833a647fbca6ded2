"""Accepts a detached signature by one rule, which neither gpg's exit code nor any wrapper's `valid` is.

A signature file is accepted when, and only when:

- it is exactly one armoured block with exactly one signature packet, of class 00, over SHA-256, SHA-384 or SHA-512;
- gpg, in a home that holds the roster's keys and nothing else, exits with 0 and says exactly one NEWSIG and exactly
  one VALIDSIG, whose primary fingerprint is one of the roster's and whose class and hash are those again;
- and says none of BADSIG, ERRSIG, EXPSIG, EXPKEYSIG, REVKEYSIG, FAILURE, NODATA, UNEXPECTED.

gpg 2.2 exits with 0 for signatures by expired and by revoked keys, and beside a good signature tolerates others.
`inspect` lets EXPKEYSIG and REVKEYSIG pass and hands out the times instead: what they mean is a matter of trusted time,
which gpg does not know.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from attestore.adapters.gpg import armor, lifetimes
from attestore.adapters.gpg.aside import KeptAside, bytes_aside, file_aside
from attestore.adapters.gpg.home import Home, Said, deadline_for, temporary_home
from attestore.adapters.gpg.lifetimes import Lifetime, instant
from attestore.adapters.process import Runner
from attestore.canon import Digest
from attestore.errors import InternalError, KeyringError, TamperedError
from attestore.ports import Inspected

__all__ = ["HASHES", "GpgVerifier"]

HASHES: Final = MappingProxyType({"8": "SHA-256", "9": "SHA-384", "10": "SHA-512"})
"""Accepted digest algorithms by their OpenPGP number."""

_REFUSED: Final = MappingProxyType(
    {
        "BADSIG": "the bytes are not the ones that were signed",
        "ERRSIG": "it can't be checked: the key is not the roster's, or its algorithm is not accepted",
        "EXPSIG": "the signature has expired",
        "EXPKEYSIG": "the key has expired",
        "REVKEYSIG": "the key was revoked",
        "FAILURE": "gpg reports a failure",
        "NODATA": "it is no signature",
        "UNEXPECTED": "it holds something else than a signature",
    }
)
_LATER: Final = frozenset({"EXPKEYSIG", "REVKEYSIG"})
"""What may have become of a key since it signed"""
_CLASS: Final = 0
_PRIMARY: Final = 9  # VALIDSIG's tenth word; doc/DETAILS of GnuPG
_LARGEST_KEY: Final = 1 << 20
_STARTS: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"


class GpgVerifier:
    """Checks signatures by the roster's keys, inside its block; `public_keys` maps primary fingerprint to armour.

    Its keyring lies below `work`, else where temporary files go.
    """

    def __init__(self, public_keys: Mapping[str, bytes], *, runner: Runner, work: Path | None = None) -> None:
        self._work = work
        self._public_keys = dict(public_keys)
        self._runner = runner
        self._stack = contextlib.ExitStack()
        self._home: Home | None = None
        self._lifetimes: Mapping[str, Lifetime] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            home = stack.enter_context(temporary_home(runner=self._runner, below=self._work))
            self._lifetimes = _fill(home, self._public_keys)
            self._home = home
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._home = None
        self._stack.close()

    def verify(self, signature: bytes, data: Path) -> str:
        """Primary key fingerprint of the one good signature over the file's bytes.

        Raises:
            TamperedError: anything but exactly one valid, unexpired, unrevoked signature (class 00, SHA-2) by a key of
                the roster; or `data` is not a plain file.
        """
        with file_aside(data, below=self._work) as kept:
            return self._verify(signature, kept, what=data.name).fingerprint

    def verify_bytes(self, signature: bytes, data: bytes) -> str:
        """As `verify`, of bytes in memory.

        Raises:
            TamperedError: as `verify`.
        """
        with bytes_aside(data, below=self._work) as kept:
            return self._verify(signature, kept, what="the data").fingerprint

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        """The one good signature over the file's bytes, be its key expired or revoked since.

        Raises:
            TamperedError: as `verify`, but not for an expired or a revoked key.
        """
        with file_aside(data, below=self._work) as kept:
            return self._verify(signature, kept, what=data.name, forgiven=_LATER)

    def _verify(
        self, signature: bytes, data: KeptAside, *, what: str, forgiven: frozenset[str] = frozenset()
    ) -> Inspected:
        if self._home is None:
            raise InternalError("the verifier was asked outside its block")
        packet = armor.read(signature)
        if packet.signature_class != _CLASS:
            raise TamperedError(f"the signature of {what} is of class {packet.signature_class:02x}, not 00")
        if str(packet.digest_algorithm) not in HASHES:
            raise TamperedError(
                f"the signature of {what} uses digest algorithm {packet.digest_algorithm}; accepted are SHA-256, SHA-384 and SHA-512"
            )
        words = ("--trust-model", "always", "--weak-digest", "SHA1", "--verify")
        said = self._home.ask(*words, stdin=data.file, beside=signature, deadline_s=deadline_for(data.size))
        valid = _judge(said, frozenset(self._public_keys), what=what, forgiven=forgiven)
        return _inspected(said, valid, lifetimes=self._lifetimes, what=what, digest=data.digest)


def _judge(said: Said, allowed: frozenset[str], *, what: str, forgiven: frozenset[str]) -> tuple[str, ...]:
    """The words of the one VALIDSIG line that the rule accepts."""
    for keyword, why in _REFUSED.items():
        if keyword in said.status and keyword not in forgiven:
            raise TamperedError(f"the signature of {what} is not accepted: {why} ({keyword})")
    valid = said.status.all("VALIDSIG")
    if said.code != 0 or len(said.status.all("NEWSIG")) != 1 or len(valid) != 1:
        raise TamperedError(
            f"the signature of {what} is not accepted: gpg found {len(valid)} valid ones (exit {said.code})"
        )
    words = valid[0].words
    if len(words) <= _PRIMARY or words[8] != "00" or words[7] not in HASHES:
        raise TamperedError(f"the signature of {what} is not accepted: another class or digest than it said of itself")
    if words[_PRIMARY] not in allowed:
        raise TamperedError(f"the signature of {what} is by key {words[_PRIMARY]}, which the roster does not name")
    return words


def _inspected(
    said: Said, valid: tuple[str, ...], *, lifetimes: Mapping[str, Lifetime], what: str, digest: Digest
) -> Inspected:
    """The signature with the times of its key; what gpg says of the key must be explained by them."""
    life, made = lifetimes.get(valid[0]), instant(valid[2])
    if life is None or made is None:
        raise TamperedError(f"the signature of {what} is not accepted: nothing is known of the times of its key")
    if ("EXPKEYSIG" in said.status and life.expires is None) or ("REVKEYSIG" in said.status and life.revoked is None):
        raise TamperedError(f"the signature of {what} is not accepted: its key has ended, and nothing says when")
    return Inspected(
        fingerprint=valid[_PRIMARY],
        made=made,
        created=life.created,
        expires=life.expires,
        revoked=life.revoked,
        reason=life.reason,
        digest=digest,
    )


def _fill(home: Home, public_keys: Mapping[str, bytes]) -> Mapping[str, Lifetime]:
    """Import each key by itself and believe the keyring only if it then holds just that one more; the keys' times."""
    for count, (fingerprint, armoured) in enumerate(public_keys.items(), start=1):
        text = armoured.strip()
        if len(text) > _LARGEST_KEY or not text.startswith(_STARTS) or text.count(b"-----BEGIN") != 1:
            raise KeyringError(f"the roster's key {fingerprint} is not exactly one armoured public key block")
        said = home.run("--import", stdin=armoured, agent=False)
        listed = lifetimes.primaries(_listing(home))
        if fingerprint not in listed or len(listed) != count:
            found = [line.words[1] for line in said.status.all("IMPORT_OK") if len(line.words) > 1]
            raise KeyringError(
                f"the roster's key block for {fingerprint} holds {', '.join(found) or 'no key'}",
                hint="Put exactly that person's public key there: gpg --export --armor FINGERPRINT.",
            )
    return lifetimes.read(_listing(home))


def _listing(home: Home) -> str:
    """All keys and the signatures on them, checked."""
    words = ("--weak-digest", "SHA1", "--check-sigs", "--with-colons")
    return home.run(*words, agent=False).stdout.decode(errors="replace")
