"""Signatures, and who says when they were made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from attestore.canon import Digest
from attestore.errors import Error

__all__ = ["Inspected", "Signer", "Stamped", "Stamps", "Verifier"]


class Signer(Protocol):
    """Makes detached OpenPGP signatures as one person."""

    @property
    def fingerprint(self) -> str:
        """Primary key fingerprint, 40 upper-case hexadecimal digits."""
        ...

    def problems(self) -> tuple[Error, ...]:
        """Whatever stands in the way of signing a nonce and verifying it."""
        ...

    def sign(self, path: Path) -> Path:
        """Write the armoured detached signature `<path>.asc` durably.

        Raises:
            KeyringError: the key is missing, locked, expired or revoked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Inspected:
    """One good signature over some bytes, with the times that bear on it; whether it counts is not decided here."""

    fingerprint: str
    """primary key fingerprint, 40 upper-case hexadecimal digits"""
    made: datetime
    """when it was signed, by the signer's own clock"""
    created: datetime
    """when the key that signed was made"""
    expires: datetime | None
    """from when on the key that signed, or its primary key, is expired; None for never"""
    revoked: datetime | None
    """when either was revoked, by the revocation's own word; None for never"""
    reason: str
    """why it was revoked, in words; empty where it was not"""
    digest: Digest
    """SHA-256 of the very bytes that the signature was found good over, whatever the file holds before and after"""


class Verifier(Protocol):
    """Accepts detached OpenPGP signatures by the rule of docs/adr, with a keyring that holds the roster's keys only."""

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        """The one good signature over the file's bytes, be its key expired or revoked since.

        Raises:
            TamperedError: as `verify`, but not for an expired or a revoked key.
        """
        ...

    def verify(self, signature: bytes, data: Path) -> str:
        """Primary key fingerprint of the one good signature over the file's bytes.

        Raises:
            TamperedError: anything but exactly one valid, unexpired, unrevoked signature (class 00, SHA-2) by a key of
                the keyring.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a time stamp proves: the bytes existed by then."""

    at: datetime
    authority: str


class Stamps(Protocol):
    """Checks time stamps against authorities that somebody outside the archive trusts."""

    def check(self, token: bytes, data: bytes) -> Stamped:
        """When `data` was stamped, and by whom.

        Raises:
            TamperedError: it is no time stamp over `data` by an authority that is trusted.
        """
        ...
