"""A file cut into the parts of an upload, each with its sums."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from attestore.adapters.durable import disk_errors
from attestore.adapters.s3 import faults

__all__ = ["Held", "Piece", "Sums", "md5_of", "opened_piece", "part_size_for", "read_span", "sums_of", "write_at"]

_CHUNK: Final = 1 << 20
_MOST_PARTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a file."""

    number: int
    """from 1"""
    start: int
    size: int
    sha256: bytes

    @property
    def base64(self) -> str:
        """The SHA-256 as the service writes it."""
        return base64.b64encode(self.sha256).decode()


@dataclass(frozen=True, slots=True)
class Sums:
    """A file as it was read once, from its beginning to its end."""

    path: Path
    size: int
    digest: str
    pieces: tuple[Piece, ...]
    """at least one"""


def part_size_for(size: int, wanted: int) -> int:
    """The size of parts: as wanted, unless there would be too many of them."""
    least = -(-size // _MOST_PARTS)
    return wanted if least <= wanted else -(-least // _CHUNK) * _CHUNK


def sums_of(path: Path, wanted: int) -> Sums:
    """Read a file once: its size, its SHA-256, and that of each part.

    Raises:
        DiskError: it can't be read.
    """
    with disk_errors(f"read {path}"), path.open("rb", buffering=0) as file:
        part_size = part_size_for(os.fstat(file.fileno()).st_size, wanted)
        whole, start = hashlib.sha256(), 0
        pieces: list[Piece] = []
        while True:
            size, sha256 = 0, hashlib.sha256()
            while size < part_size and (chunk := file.read(min(_CHUNK, part_size - size))):
                size += len(chunk)
                whole.update(chunk)
                sha256.update(chunk)
            if size or not pieces:
                pieces.append(Piece(len(pieces) + 1, start, size, sha256.digest()))
            start += size
            if size < part_size:
                return Sums(path, start, whole.hexdigest(), tuple(pieces))


def md5_of(path: Path, piece: Piece) -> str:
    """The MD5 of a part, only to know it again where a service tells nothing else.

    Raises:
        DiskError: the file can't be read.
    """
    state = hashlib.md5(usedforsecurity=False)
    with opened_piece(path, piece) as file, disk_errors(f"read {path}"):
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()


@contextmanager
def opened_piece(path: Path, piece: Piece, over: threading.Event | None = None) -> Iterator[IO[bytes]]:
    """A part of a file as a file of its own, read from the disk as it is needed, and not any more once it is `over`.

    Raises:
        DiskError: the file can't be opened.
    """
    with disk_errors(f"read {path}"):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield cast("IO[bytes]", _Window(descriptor, piece, over))
    finally:
        os.close(descriptor)


class Held:
    """An open file of one's own, for as long as anybody has this.

    A thread that was left behind in a request writes once more when it returns. The file is closed by then, and its number another's.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 0)

    def __del__(self) -> None:
        os.close(self.descriptor)


def write_at(descriptor: int, data: bytes, at: int) -> None:
    """All of the data into an open file, from that place on."""
    left = memoryview(data)
    while left:
        written = os.pwrite(descriptor, left, at)
        left, at = left[written:], at + written


def read_span(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    """What an open file holds from `start` to before `end`.

    Raises:
        DiskError: it can't be read.
    """
    while start < end:
        with disk_errors("read what was fetched"):
            chunk = os.pread(descriptor, min(_CHUNK, end - start), start)
        if not chunk:
            return
        start += len(chunk)
        yield chunk


class _Window:
    """Some bytes of an open file, with as much of a file's manners as sending them needs."""

    def __init__(self, descriptor: int, piece: Piece, over: threading.Event | None) -> None:
        self._descriptor = descriptor
        self._piece = piece
        self._over = over
        self._at = 0

    def __len__(self) -> int:
        return self._piece.size

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._piece.size}[whence]
        self._at = max(0, begin + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        if self._over is not None and self._over.is_set():
            raise faults.Fault("nobody waits for it any more")
        left = max(0, self._piece.size - self._at)
        data = os.pread(self._descriptor, left if size < 0 else min(size, left), self._piece.start + self._at)
        self._at += len(data)
        return data
