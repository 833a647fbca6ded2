"""What a backup is made of, on its way: plain, sealed, stored, fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NewType, TypeAlias

from attestore.canon import Digest
from attestore.evidence import PartRecord

__all__ = ["FetchedPart", "Hear", "Plain", "SealedPart", "Signed", "StoredPart"]

Plain = NewType("Plain", Path)
"""A file or folder that anybody could read."""

Hear: TypeAlias = Callable[[bytes], None]
"""Somebody who is told bytes in their order as they go by; it raises nothing, and keeps none of them."""


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A part after a cipher has had it."""

    record: PartRecord
    path: Path


@dataclass(frozen=True, slots=True)
class Signed:
    """A file that may be stored in the clear because it holds no data: a manifest, or a signature over one."""

    path: Path


@dataclass(frozen=True, slots=True)
class StoredPart:
    """An object in a store, as it was read back: size in bytes and SHA-256."""

    key: str
    size: int
    digest: Digest
    version: str = ""
    """what the store calls this very version of the object; empty where it keeps no versions"""


@dataclass(frozen=True, slots=True)
class FetchedPart:
    """A part that came out of a store: what the signed manifest says, and what the bytes are."""

    record: PartRecord
    path: Path
    size: int
    digest: Digest
    """empty where it is larger than recorded: nothing of such a part is kept, or digested"""

    @property
    def intact(self) -> bool:
        """Whether size and digest are those of the record."""
        return self.size == self.record.size and self.digest == self.record.digest

    @property
    def words(self) -> str:
        """What came out of the store, and what should have come, where it is not intact."""
        record = self.record
        if not self.digest:
            return f"{record.name} has {self.size:,} bytes in the store; the signed manifest says {record.size:,}"
        return (
            f"{record.name} came back from the store with {self.size:,} bytes, SHA-256 {self.digest[:16]}…; "
            f"the signed manifest says {record.size:,} bytes, {record.digest[:16]}…"
        )
