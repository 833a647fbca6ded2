"""A folder as one tar stream: the same bytes for the same content, and unpacked without trusting a name in it."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final, Protocol, cast

from attestore.adapters.durable import disk_errors
from attestore.errors import DiskError, TamperedError
from attestore.ports import Tap

__all__ = ["CHUNK", "Readable", "pack", "read_file", "unpack"]

CHUNK: Final = 1 << 20
"""Bytes held at a time."""

_BLOCK: Final = 512
_END: Final = bytes(2 * _BLOCK)
_DEEPEST: Final = 16
_BUFFER: Final = 1 << 16
"""bytes; tarfile copies what is left of it at every read, so that thousands of small files would pay for more"""


class Readable(Protocol):
    """Something that gives bytes, none at its end."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        ...


def pack(folder: Path, tap: Tap | None = None) -> Iterator[bytes]:
    """The stream: entries sorted by name, no owner, no time, one mode for files and one for folders.

    `tap` hears the bytes of the files that it asks for, as they are read.

    Raises:
        DiskError: the folder holds something that is neither file nor folder, or a file changes while it is read.
    """
    for path in sorted(folder.rglob("*"), key=lambda path: os.fsencode(path.relative_to(folder))):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise DiskError(f"{path} is neither a file nor a folder, so it can't be sealed")
        entry = tarfile.TarInfo(name)
        if path.is_dir():
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            yield entry.tobuf(tarfile.PAX_FORMAT)
            continue
        entry.size, entry.mode = path.stat().st_size, 0o600
        yield entry.tobuf(tarfile.PAX_FORMAT)
        seen = 0
        told = tap.file(name) if tap is not None else None
        for chunk in read_file(path):
            seen += len(chunk)
            if told is not None:
                told(chunk)
            yield chunk
        if seen != entry.size:
            raise DiskError(f"{path} changed from {entry.size} to {seen} bytes while it was sealed")
        yield bytes(-seen % _BLOCK)
    yield _END


def read_file(path: Path) -> Iterator[bytes]:
    """A file's bytes.

    Raises:
        DiskError: it can't be read.
    """
    with disk_errors(f"read {path}"), path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def unpack(stream: Readable, into: Path) -> None:
    """Write the entries of a stream below the new folder `into`, files readable by their owner only.

    Raises:
        TamperedError: not a tar stream, an entry that is neither file nor folder, or a name that is absolute, leaves
            the folder, or stands twice.
    """
    into.mkdir(mode=0o700)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=_BUFFER) as tar:
            for entry in tar:
                # a stream is read once: nobody asks for entries again, and 100,000 of them are memory
                tar.members = []  # type: ignore[attr-defined]
                _write(tar, entry, into)
    except tarfile.TarError as problem:
        raise TamperedError(f"the tar stream can't be read: {problem}") from problem


def _write(tar: tarfile.TarFile, entry: tarfile.TarInfo, into: Path) -> None:
    target = into / _safe(entry.name)
    try:
        if entry.isdir():
            target.mkdir(mode=0o700)
            return
        content = tar.extractfile(entry) if entry.isreg() and not entry.issparse() else None
        if content is None:
            raise TamperedError(f"the tar stream holds {entry.name!r}, which is neither a file nor a folder")
        with content, open(target, "xb", opener=_private) as file:
            while chunk := content.read(CHUNK):
                file.write(chunk)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as problem:
        raise TamperedError(f"the tar stream names {entry.name!r} twice, or before its folder") from problem


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    bad = path.is_absolute() or not path.parts or ".." in path.parts or len(path.parts) > _DEEPEST or "\0" in name
    if bad:
        raise TamperedError(f"the tar stream names {name!r}, which is not a path below its folder")
    return path


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
