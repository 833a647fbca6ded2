"""A folder as one tar stream: the same bytes for the same content, and unpacked without trusting a name in it."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from attestore.adapters.durable import disk_errors
from attestore.errors import DiskError, TamperedError
from attestore.ports import Tap

__all__ = ["CHUNK", "Readable", "pack", "read_file", "unpack"]

CHUNK: Final = 1 << 20
"""Bytes held at a time."""

_BLOCK: Final = 512
_END: Final = bytes(2 * _BLOCK)
_DEEPEST: Final = 16
_LONGEST_PART: Final = 255
"""bytes of a name that a file system takes"""
_LONGEST: Final = 1024
"""bytes of a path below the folder: with the folder's own, the system takes four times as many"""
_SHOWN: Final = 80
_LARGEST_HEAD: Final = 64 << 10
"""bytes of what stands before an entry's own header: a long name, a large size"""
_DIGITS: Final = 19
_WORDS: Final = frozenset({b"path", b"size", b"hdrcharset"})
"""which of the words that such a header may say `pack` writes"""


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

    It reads what `pack` writes and nothing else: whoever feeds it may be a stranger, and `tarfile` would hold a header of any
    size in memory, follow headers of headers until the stack ends, and expand sparse files. What follows the archive's end is left.

    Raises:
        TamperedError: not such a stream, an entry that is neither file nor folder, or a name that is absolute, leaves
            the folder, or stands twice.
    """
    into.mkdir(mode=0o700)
    while (entry := _next(stream)) is not None:
        _write(stream, entry, into)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file or folder that follows."""

    name: str
    size: int
    folder: bool


def _next(stream: Readable) -> _Entry | None:
    """The next entry; None at the archive's end."""
    block = _exactly(stream, _BLOCK)
    if not any(block):
        return None
    head, told = _header(block), dict[bytes, bytes]()
    if head.type == tarfile.XHDTYPE:
        if not 0 <= head.size <= _LARGEST_HEAD:
            raise TamperedError(f"the tar stream holds a header of {head.size} B, more than any name takes")
        told = dict(_records(_exactly(stream, head.size + -head.size % _BLOCK)[: head.size]))
        head = _header(_exactly(stream, _BLOCK))
    name = os.fsdecode(told[b"path"]) if b"path" in told else head.name
    if head.type not in {tarfile.REGTYPE, tarfile.DIRTYPE} or (head.isdir() and head.size):
        raise TamperedError(f"the tar stream holds {_shown(name)}, which is neither a file nor a folder")
    size = told.get(b"size", b"%d" % head.size)
    if not size.isdigit() or len(size) > _DIGITS:
        raise TamperedError(f"the tar stream holds {_shown(name)} with a size that is none")
    return _Entry(name, int(size), folder=head.isdir())


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as problem:
        raise TamperedError(f"the tar stream can't be read: {problem}") from problem


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What a header before a header says: each a length, which counts itself, a space, a word, `=`, a value, a line's end."""
    while data:
        digits = data.partition(b" ")[0]
        length = int(digits) if digits.isdigit() and len(digits) <= _DIGITS else 0
        word, _, value = data[len(digits) + 1 : length].partition(b"=")
        if not 0 < length <= len(data) or not value.endswith(b"\n") or word not in _WORDS:
            raise TamperedError("the tar stream can't be read: a header says what none of ours does")
        yield word, value[:-1]
        data = data[length:]


def _exactly(stream: Readable, size: int) -> bytes:
    data = stream.read(size)
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    if len(data) < size:
        raise TamperedError("the tar stream ends before its end")
    return data


def _write(stream: Readable, entry: _Entry, into: Path) -> None:
    target = into / _safe(entry.name)
    try:
        if entry.folder:
            target.mkdir(mode=0o700)
            return
        with open(target, "xb", opener=_private) as file:
            left = entry.size
            while left:
                chunk = stream.read(min(CHUNK, left))
                if not chunk:
                    raise TamperedError("the tar stream ends before its end")
                file.write(chunk)
                left -= len(chunk)
    except (FileExistsError, FileNotFoundError, NotADirectoryError) as problem:
        raise TamperedError(f"the tar stream names {_shown(entry.name)} twice, or before its folder") from problem
    _exactly(stream, -entry.size % _BLOCK)


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    bad = path.is_absolute() or not path.parts or ".." in path.parts or len(path.parts) > _DEEPEST or "\0" in name
    long = len(os.fsencode(name)) > _LONGEST or any(len(os.fsencode(part)) > _LONGEST_PART for part in path.parts)
    if bad or long:
        raise TamperedError(f"the tar stream names {_shown(name)}, which is not a path below its folder")
    return path


def _shown(name: str) -> str:
    """A stranger's name for people, who need not read all of it."""
    return repr(name) if len(name) <= _SHOWN else f"{name[:_SHOWN]!r}…"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
