"""Durable, atomic writes that never replace anything, and what a disk's refusal means to the reader."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from attestore.errors import ArchiveError, DiskError

__all__ = ["UNFINISHED", "Held", "append", "make_folder", "names", "replace", "sync_folder", "translated", "write_new"]

UNFINISHED: Final = ".unfinished"
"""How the name of a file ends while it is being written"""

_HINTS: Final = {
    errno.ENOSPC: "Make room on that disk, or give --reports another folder.",
    errno.EDQUOT: "Make room on that disk, or give --reports another folder.",
    errno.EACCES: "Allow this user to write there, or give --reports another folder.",
    errno.EPERM: "Allow this user to write there, or give --reports another folder.",
    errno.EROFS: "The disk is mounted read-only; give --reports another folder.",
    errno.EEXIST: "A file stands where a folder is needed; give --reports another folder.",
    errno.ENOTDIR: "A file stands where a folder is needed; give --reports another folder.",
}


class Held:
    """An open, locked file; the kernel lets the lock go when the process dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Let the lock go. The files stay as they are."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """A block in which an OSError about `path` becomes a DiskError with a hint.

    Raises:
        DiskError: the disk is full, read-only, not ours, or failing.
    """
    try:
        yield
    except OSError as problem:
        raise DiskError(
            f"{path} cannot be written: {problem.strerror}", hint=_HINTS.get(problem.errno or 0, "")
        ) from problem


def make_folder(path: Path, *, exist_ok: bool) -> None:
    """A folder, with those above it if `exist_ok`.

    Raises:
        ArchiveError: it is there already and must not be.
        DiskError: it cannot be made.
    """
    try:
        with translated(path):
            path.mkdir(parents=exist_ok, exist_ok=exist_ok)
    except DiskError as problem:
        if isinstance(problem.__cause__, FileExistsError) and not exist_ok:
            raise ArchiveError(f"{path} is there already, and nothing in an archive is replaced") from problem
        raise


def append(descriptor: int, data: bytes) -> None:
    """All of `data` at the end of an open file and on the disk, or the file as it was.

    Raises:
        OSError: it could not be written.
    """
    before = os.fstat(descriptor).st_size
    try:
        _write_all(descriptor, data)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def write_new(path: Path, data: bytes) -> None:
    """A new file, whole and on the disk, or not there at all.

    Raises:
        ArchiveError: it is there already.
        DiskError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    with translated(path):
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    try:
        with translated(path):
            # a link, unlike a rename, does not replace what is there
            os.link(unfinished, path)
    except DiskError as problem:
        if isinstance(problem.__cause__, FileExistsError):
            raise ArchiveError(f"{path} is there already, and nothing in an archive is replaced") from problem
        raise
    finally:
        unfinished.unlink()
    sync_folder(path.parent)


def replace(path: Path, data: bytes) -> None:
    """A file with new content, whole and on the disk; a reader sees the old or the new one.

    Raises:
        DiskError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    unfinished.unlink(missing_ok=True)
    write_new(unfinished, data)
    with translated(path):
        unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """The folder's entries are on the disk.

    Raises:
        DiskError: the disk failed.
    """
    with translated(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def names(folder: Path) -> Iterator[str]:
    """Names of everything below a folder that is not itself a folder, links not followed, with `/`."""
    top = str(folder)
    for above, _, files in os.walk(top):
        below = above.removeprefix(top).lstrip("/")
        for file in files:
            yield f"{below}/{file}" if below else file


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
