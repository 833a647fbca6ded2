"""A folder of pages beside the evidence: each replaced whole, none half written, what is no longer made taken away at the end."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from attestore.archive import disk
from attestore.errors import UsageError

__all__ = ["Shelf"]

_HEAD = 4096
"""bytes in which a page says whose it is"""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Writes the pages of a site.

    A page is on the disk when the kernel says so, not before `put` returns: it can be made again, and the next build
    compares bytes.
    """

    folder: Path
    home: str
    """name of the index"""
    below: str
    """folder of everything else"""
    mark: bytes
    """what an index of ours says of itself"""

    def check(self) -> None:
        """Refuse to replace what is not ours.

        Raises:
            UsageError: an index or a folder stands there that no build of ours has made.
            DiskError: it cannot be read.
        """
        index, below = self.folder / self.home, self.folder / self.below
        with disk.translated(index):
            if index.is_symlink() or (index.exists() and self.mark not in _head(index)):
                raise UsageError(
                    f"{index} is no page of ours, and is not replaced",
                    hint="Move it away, or name another folder with --into DIR.",
                )
            foreign = below.is_symlink() or (below.exists() and not below.is_dir())
            foreign = foreign or (below.is_dir() and not index.exists() and any(below.iterdir()) and not _ours(below))
            linked = below.is_dir() and any(path.is_symlink() for path in below.iterdir())
        if foreign or linked:
            raise UsageError(f"{below} is no folder of ours", hint="Name another folder with --into DIR.")

    @contextmanager
    def held(self) -> Iterator[None]:
        """A block in which no other build writes here; waits for one that does.

        Raises:
            DiskError: the folder can't be made or held.
        """
        below = self.folder / self.below
        disk.make_folder(below, exist_ok=True)
        with disk.translated(below):
            descriptor = os.open(below, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            # a disk without locks has one writer
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def put(self, path: str, data: bytes) -> bool:
        """One file, as a whole or as it was; nothing is written where it holds these bytes already. Whether it was written.

        Raises:
            DiskError: no space left, or not allowed to write.
        """
        target = self.folder / path
        if _same(target, data):
            return False
        disk.make_folder(target.parent, exist_ok=True)
        unfinished = target.with_name(f".{target.name}{disk.UNFINISHED}")
        with disk.translated(target):
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            unfinished.replace(target)
        return True

    def sweep(self, kept: Collection[str]) -> int:
        """Take away what lies below the folder and was not kept; how many files that was.

        Raises:
            DiskError: not allowed to.
        """
        gone = 0
        for name in sorted(disk.names(self.folder / self.below)):
            if f"{self.below}/{name}" not in kept:
                path = self.folder / self.below / name
                with disk.translated(path):
                    path.unlink()
                gone += 1
        return gone


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _ours(folder: Path) -> bool:
    """Whether a build that was killed before its first index has made it: what a site begins with, and pages."""
    pages = (path for path in folder.iterdir() if path.name not in {"fonts", "runs", "gates"})
    begun = (folder / "fonts").is_dir()
    return begun and all(path.name.endswith((".html", disk.UNFINISHED)) for path in pages)


def _same(path: Path, data: bytes) -> bool:
    if path.is_symlink():
        return False
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False
