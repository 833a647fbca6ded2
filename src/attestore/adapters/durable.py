"""New files that are whole and on the disk when a block ends, or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from attestore.errors import DiskError

__all__ = ["create", "disk_errors", "replace", "sync_folder"]

_REASONS: Final = {
    errno.ENOSPC: "Free space, or choose another disk.",
    errno.EDQUOT: "Raise the quota, or choose another disk.",
    errno.EFBIG: "The file system or a limit of this process allows no file of that size.",
    errno.EACCES: "Give this user permission to write there.",
    errno.EPERM: "Give this user permission to write there.",
    errno.EROFS: "The file system is mounted read-only.",
}


@contextlib.contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Operating system errors of the block as DiskError; `what` says what was being done, after "can't".

    Raises:
        DiskError: with a hint where the reader can do something about it.
    """
    try:
        yield
    except OSError as problem:
        hint = _REASONS.get(problem.errno or 0, "")
        raise DiskError(f"can't {what}: {problem.strerror or problem}", hint=hint) from problem


@contextlib.contextmanager
def create(path: Path) -> Iterator[IO[bytes]]:
    """A new file, readable by its owner only; synced when the block ends, removed when the block fails.

    Raises:
        DiskError: it exists already, or can't be written.
    """
    with disk_errors(f"write {path}"):
        file = open(path, "xb", opener=_private)  # noqa: SIM115  Path.open takes no opener
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def replace(path: Path, data: bytes, *, mode: int) -> None:
    """Make `path` hold `data`, with that mode; readers see the old bytes or the new ones, also after a power cut.

    Raises:
        DiskError: it can't be written; the old file is as it was.
    """
    beside = path.with_name(f".{path.name}.partial")
    beside.unlink(missing_ok=True)
    with create(beside) as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
    with disk_errors(f"write {path}"):
        try:
            beside.replace(path)
            sync_folder(path.parent)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
