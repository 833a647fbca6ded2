"""A bundle that somebody else may have written, opened safely: no links, no surprises, bounded sizes and counts."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attestore import canon
from attestore.archive import layout
from attestore.errors import ArchiveError, TamperedError

__all__ = ["Contents", "Flaw", "inspect", "read_bundle", "read_file"]

_DEEPEST: Final = 8
_CHUNK: Final = 1 << 20
_LARGEST_IN_MEMORY: Final = 1 << 28


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """Something in a bundle's folder that does not belong there."""

    name: str
    """path below the folder, printable"""
    why: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of a bundle by name; bytes are read when asked for, through no link."""

    folder: Path
    sizes: Mapping[str, int]
    """bytes, by name"""

    @property
    def names(self) -> frozenset[str]:
        """Names of all files, with `/`."""
        return frozenset(self.sizes)

    def __contains__(self, name: object) -> bool:
        """Whether there is a file of that name."""
        return name in self.sizes

    def path(self, name: str) -> Path:
        """Where a file is."""
        return self.folder / name

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return self.sizes[name]

    def read(self, name: str) -> bytes:
        """A file whole.

        Raises:
            TamperedError: it is missing, a link, larger than 256 MiB, or changed since the bundle was opened.
        """
        if name not in self.sizes:
            raise TamperedError(f"{name} is missing")
        return b"".join(_chunks(self.folder, name, size=self.sizes[name], limit=_LARGEST_IN_MEMORY))

    def digest(self, name: str) -> canon.Digest:
        """SHA-256 of a file, in constant memory.

        Raises:
            TamperedError: it is missing, a link, or changed since the bundle was opened.
        """
        if name not in self.sizes:
            raise TamperedError(f"{name} is missing")
        state = hashlib.sha256()
        for chunk in _chunks(self.folder, name, size=self.sizes[name], limit=layout.LARGEST):
            state.update(chunk)
        return state.hexdigest()


def read_bundle(folder: Path) -> Contents:
    """Open a bundle that holds nothing but files it may hold.

    Raises:
        ArchiveError: there is no such folder, or it cannot be read.
        TamperedError: a link, a device, an unknown name, a file too large, or too many of them.
    """
    contents, flaws = inspect(folder)
    if flaws:
        raise TamperedError(f"{folder}: {flaws[0].name}: {flaws[0].why}")
    return contents


def inspect(folder: Path, *, most: int = layout.MOST_FILES) -> tuple[Contents, tuple[Flaw, ...]]:
    """Open a bundle as far as it is sound; everything that is not is a flaw and left out, and so is all after `most` files.

    Raises:
        ArchiveError: there is no such folder, or it cannot be read.
    """
    sizes: dict[str, int] = {}
    flaws: list[Flaw] = []
    try:
        if stat.S_ISLNK(os.lstat(folder).st_mode):
            return Contents(folder=folder, sizes={}), (Flaw(".", "the folder is a symbolic link"),)
        for name, state in _walk(folder, "", depth=0):
            why = _flaw(name, state)
            if len(sizes) + len(flaws) >= most:
                flaws.append(Flaw(".", f"there are more than {most} files"))
                break
            if why:
                flaws.append(Flaw(name.encode("utf-8", "backslashreplace").decode(), why))
            elif not stat.S_ISDIR(state.st_mode):
                sizes[name] = state.st_size
    except OSError as problem:
        raise ArchiveError(f"{folder} cannot be read: {problem.strerror}") from problem
    return Contents(folder=folder, sizes=sizes), tuple(sorted(flaws))


def read_file(path: Path, *, limit: int) -> bytes:
    """One file beside the bundles, whole, through no link.

    Raises:
        ArchiveError: it is not there or cannot be read.
        TamperedError: it is a link, no plain file, or larger than `limit` bytes.
    """
    try:
        state = os.lstat(path)
        if not stat.S_ISREG(state.st_mode):
            raise TamperedError(f"{path.name} is not a plain file")
        return b"".join(_chunks(path.parent, path.name, size=state.st_size, limit=limit))
    except OSError as problem:
        raise ArchiveError(f"{path} cannot be read: {problem.strerror}") from problem


def _flaw(name: str, state: os.stat_result) -> str:
    """Why an entry does not belong into a bundle; empty if it does."""
    if stat.S_ISLNK(state.st_mode):
        return "is a symbolic link"
    if stat.S_ISDIR(state.st_mode):
        return "" if name.partition("/")[0] in layout.FOLDERS else "is a folder that no bundle has"
    if not stat.S_ISREG(state.st_mode):
        return "is not a plain file"
    if not layout.is_allowed(name):
        return "is a file that no bundle has"
    limit = layout.LARGEST_SIGNATURE if name.endswith(".asc") else layout.LARGEST
    return f"is larger than {limit:,} bytes" if state.st_size > limit else ""


def _walk(folder: Path, above: str, *, depth: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name, state = f"{above}{entry.name}", entry.stat(follow_symlinks=False)
            yield name, state
            if stat.S_ISDIR(state.st_mode) and depth < _DEEPEST:
                yield from _walk(folder / entry.name, f"{name}/", depth=depth + 1)


def _chunks(folder: Path, name: str, *, size: int, limit: int) -> Iterator[bytes]:
    if size > limit:
        raise TamperedError(f"{name} has {size:,} bytes, more than {limit:,}")
    seen = 0
    with _opened(folder, name) as descriptor:
        while chunk := os.read(descriptor, _CHUNK):
            seen += len(chunk)
            if seen > size:
                break
            yield chunk
    if seen != size:
        raise TamperedError(f"{name} changed while it was read")


@contextmanager
def _opened(folder: Path, name: str) -> Iterator[int]:
    """A descriptor of a file, each folder on the way opened without following a link."""
    *above, last = name.split("/")
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        for part in above:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
            os.close(place)
            place = below
        # without O_NONBLOCK a FIFO put there since would hold us for ever
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
        os.close(place)
    except OSError as problem:
        raise TamperedError(f"{name} cannot be opened: {problem.strerror}") from problem
    try:
        yield descriptor
    finally:
        os.close(descriptor)
