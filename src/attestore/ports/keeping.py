"""Sealing, and the stores that keep what was sealed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from attestore.errors import Error
from attestore.evidence import PartRecord
from attestore.ports.machine import Look
from attestore.ports.parts import FetchedPart, Hear, Plain, SealedPart, Signed, StoredPart
from attestore.ports.source import Tap

__all__ = ["Kept", "Sealer", "Seals", "Store", "Towards", "Unfinished"]


@dataclass(frozen=True, slots=True)
class Seals:
    """What the packets of a sealed object say, read from its bytes."""

    recipients: int
    """public-key encrypted session key packets"""
    unexpected: int
    """of those, to a key that is not an allowed recipient (hidden recipients count as unexpected)"""
    algorithm: str
    """RSA, ECDH …; several joined by a comma"""
    bits: int
    """size of the smallest recipient key"""
    cipher: str
    """AES256 …, as gpg reports while it decrypts"""
    integrity: str
    """MDC, AEAD or none"""
    magic: int
    """plaintext or archive signatures found anywhere in the bytes"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeps an object from being deleted, in the words of its store; whoever has the disk or the account may still."""

    until: datetime | None = None
    """retained until then (UTC), the latest of its versions; None: no retention"""
    mode: str = ""
    """`compliance` (nobody can shorten it) or `governance` (somebody with a special permission can); empty: no retention"""
    held: bool = False
    """under a legal hold, which has no end until somebody lifts it"""

    def locked(self, at: datetime) -> bool:
        """Whether the store would refuse to delete it at that instant."""
        return self.held or (self.until is not None and at < self.until)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Bytes of an object that was never whole: a writer that died left them, or one that is still at it."""

    key: str
    """of the object that it was to become; where the store does not know, of the leftover itself"""
    name: str
    """what `Store.sweep` finds it by"""
    begun: datetime
    """UTC; of a file, when it was last written to"""
    size: int | None
    """bytes; None where the store does not say"""


Towards: TypeAlias = Callable[[Path, int], Hear]
"""Told a file that is about to be written and the most bytes it may have, it says who hears them."""


class Sealer(Protocol):
    """Compresses and encrypts; decrypts and unpacks."""

    @property
    def version(self) -> str:
        """Programme and version."""
        ...

    @property
    def recipients(self) -> tuple[str, ...]:
        """Primary key fingerprints that parts are sealed to."""
        ...

    def problems(self, *, decrypting: bool) -> tuple[Error, ...]:
        """Whatever stands in the way of sealing and, if `decrypting`, of unsealing a nonce."""
        ...

    def seal(
        self, plain: Plain, *, role: str, into: Path, tap: Tap | None = None, towards: Towards | None = None
    ) -> SealedPart:
        """A file, or a folder as one tar stream, compressed once and encrypted into a new file below `into`.

        `tap` looks at the files of a folder on their way. `towards` is told the new file and how large it may become at most, and says
        who hears its bytes, each chunk once the file has it.
        """
        ...

    def unseal(self, part: FetchedPart, *, into: Path) -> Plain:
        """The part's plain file or folder below `into`, after its plain digest was compared with the record.

        Raises:
            TamperedError: it does not decrypt, or decrypts to something else than the record says.
            KeyringError: the private key isn't here.
        """
        ...

    def ahead(self, record: PartRecord, *, into: Path) -> AbstractContextManager[Hear]:
        """Who hears a part's bytes while it is still being fetched, so that it is open soon after; `unseal` promises the same as ever.

        `unseal` into the same folder goes on with what was opened, if the part came whole and at once; what no `unseal` went on with is
        gone when the block ends.
        """
        ...

    @property
    def alone(self) -> str:
        """Primary fingerprint of the only private key that is at hand to unseal; empty: any that is here."""
        ...

    def inspect(self, part: FetchedPart, *, allowed: tuple[str, ...] = ()) -> Seals:
        """What the stored bytes of a part say about how they are sealed, to the `allowed` primary keys (none: today's recipients) or others."""
        ...

    def refused(self, part: FetchedPart) -> bool:
        """Whether a keyring without the private key refuses the part."""
        ...


class Store(Protocol):
    """Keeps objects by key; a key is written once and never again."""

    @property
    def location(self) -> str:
        """Where it is, for people; no secrets."""
        ...

    def problems(self) -> tuple[Error, ...]:
        """Whatever stands in the way of a round trip (write, read back, delete a nonce)."""
        ...

    def looks(self) -> tuple[Look, ...]:
        """What was looked at by a round trip, each with what was seen, and what stands in the way; area `store`."""
        ...

    def put(self, key: str, item: SealedPart | Signed) -> StoredPart:
        """Store durably and atomically, then read every byte back; where the key holds these very bytes already, go on.

        So whoever was interrupted puts again what he has put before, and an upload that was cut short is continued.

        Raises:
            StoreError: the key holds other bytes, or the store refused or returned other bytes.
            DiskError: no space left.
        """
        ...

    def ahead(self, key: str, path: Path, *, most: int) -> AbstractContextManager[Hear | None]:
        """Who hears an object's bytes while its file is still being written, so that they are on their way before it is whole.

        The file will have `most` bytes at most. `put` goes on with what has arrived, and until then there is no object. What no `put`
        went on with is given up when the block ends. None where nothing travels ahead.
        """
        ...

    def digest(self, key: str) -> StoredPart:
        """Every byte of an object read from the store and kept nowhere: its size and SHA-256.

        Raises:
            StoreError: there is none, or it can't be read.
        """
        ...

    def keys(self, prefix: str) -> tuple[str, ...]:
        """All keys below a prefix, sorted."""
        ...

    def size(self, key: str) -> int | None:
        """Bytes of an object as the store tells them without reading it; None where there is none."""
        ...

    def read(self, key: str, *, limit: int) -> bytes:
        """A small object whole.

        Raises:
            StoreError: there is none, or it is larger than `limit` bytes.
        """
        ...

    def fetch(self, key: str, record: PartRecord, *, into: Path, hear: Hear | None = None) -> FetchedPart:
        """An object into a new file below `into`, sized and digested on the way; the caller asks whether it is intact.

        Of one that has more bytes than the record says, its size is told, and nothing of it is kept. `hear` is told its bytes in their order as they come; all of them again where the object is read again.

        Raises:
            StoreError: there is none, or the transfer failed.
        """
        ...

    def kept(self, key: str) -> Kept:
        """What keeps an object from being deleted; nothing, where there is no such object.

        Raises:
            StoreError: the store does not say.
        """
        ...

    def delete(self, key: str) -> bool:
        """Delete an object for good, every version of it; whether there was one.

        Raises:
            StoreError: it is locked or held, and then nothing of it is touched, or the store refused.
        """
        ...

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Uploads that never became objects, oldest first; those that go on at this moment are among them.

        Raises:
            StoreError: the store can't be asked.
        """
        ...

    def sweep(self, leftover: Unfinished) -> None:
        """Remove an unfinished upload; one that is gone meanwhile is no error.

        Raises:
            StoreError: the store refused.
        """
        ...
