"""The bytes that a signature is checked over, put aside first: whoever swaps a file meanwhile, and swaps it back, changes nothing.

The digest that is told is that of the bytes which the checking programme was given, not of what a file held before or after.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from attestore.adapters.durable import disk_errors
from attestore.canon import Digest
from attestore.errors import TamperedError

__all__ = ["KeptAside", "bytes_aside", "file_aside"]

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptAside:
    """Bytes in a file that has no name, and stands at its beginning."""

    file: IO[bytes]
    size: int
    digest: Digest

    @property
    def path(self) -> str:
        """By which a library that wants a path opens it, in this process."""
        return f"/proc/self/fd/{self.file.fileno()}"


@contextmanager
def file_aside(path: Path, *, below: Path | None) -> Iterator[KeptAside]:
    """What a plain file holds now.

    Raises:
        TamperedError: it can't be read, or is no plain file.
        DiskError: no space left.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        raise TamperedError(f"{path} can't be read as a plain file: {problem.strerror}") from problem
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        raise TamperedError(f"{path} is not a plain file")
    with (
        os.fdopen(descriptor, "rb", buffering=0) as file,
        _aside(_chunks(file, most=state.st_size), below=below) as kept,
    ):
        yield kept


@contextmanager
def bytes_aside(data: bytes, *, below: Path | None) -> Iterator[KeptAside]:
    """Bytes from memory.

    Raises:
        DiskError: no space left.
    """
    with _aside((data,), below=below) as kept:
        yield kept


def _chunks(file: IO[bytes], *, most: int) -> Iterator[bytes]:
    """What the file held when it was opened: one that grows while it is read would be read for ever."""
    while most > 0 and (chunk := file.read(min(_CHUNK, most))):
        most -= len(chunk)
        yield chunk


@contextmanager
def _aside(chunks: Iterable[bytes], *, below: Path | None) -> Iterator[KeptAside]:
    state, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile(dir=below) as file:
        with disk_errors("put aside what was signed"):
            for chunk in chunks:
                file.write(chunk)
                state.update(chunk)
                size += len(chunk)
            file.seek(0)
        yield KeptAside(file, size, state.hexdigest())
