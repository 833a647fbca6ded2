"""Who is at work: the same job of a system is done once at a time, and a backup that is in use is not deleted.

Kernel locks on hidden files in the reports folder: gone with the process that held them, however it ended, and seen by every
process of this machine that works with the same reports folder.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from attestore import canon
from attestore.archive import disk
from attestore.errors import BusyError, TamperedError

__all__ = ["in_use", "turn", "using", "withdrawing"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,96}")
_LONGEST_NOTE: Final = 200


@contextmanager
def turn(reports: Path, system: str, job: str, *, since: str) -> Iterator[None]:
    """A block in which nobody else on this machine does the same job with the same system.

    Raises:
        BusyError: somebody is at it.
        DiskError: the lock can't be made.
    """
    path = _path(reports, f"job-{_plain(job)}-{_plain(system)}")
    descriptor = _opened(path)
    try:
        if not _taken(descriptor, fcntl.LOCK_EX):
            raise BusyError(
                f"another {job} of {system} is under way{_note(path)}",
                hint="Wait until it has ended; nothing was done here.",
            )
        note = canon.encode({"process": os.getpid(), "since": since})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note, 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def using(reports: Path, system: str, backup: str) -> Iterator[None]:
    """A block in which no prune that works with the same reports folder deletes the backup; many may share it.

    Waits for a deletion that is under way; then there is no backup any more. Without a reports folder there is no ledger,
    and so nobody who prunes by it.

    Raises:
        DiskError: the lock can't be made.
    """
    if not reports.is_dir():
        yield
        return
    path = _use(reports, system, backup)
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if _is(descriptor, path):
                yield
                return
        finally:
            os.close(descriptor)


@contextmanager
def withdrawing(reports: Path, system: str, backup: str) -> Iterator[None]:
    """A block in which nobody uses the backup, so that it can be deleted.

    Raises:
        BusyError: it is in use.
        DiskError: the lock can't be made.
    """
    path = _use(reports, system, backup)
    descriptor = _opened(path)
    try:
        if not _taken(descriptor, fcntl.LOCK_EX):
            raise BusyError(f"backup {backup} of {system} is in use at this moment", hint="Prune again later.")
        yield
        # whoever waits for this file meanwhile notices that it has lost its name
        with suppress(OSError):
            path.unlink()
    finally:
        os.close(descriptor)


def in_use(reports: Path, system: str, backup: str) -> bool:
    """Whether a process of this machine is using the backup, or deleting it."""
    try:
        descriptor = os.open(_use(reports, system, backup), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not _taken(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _use(reports: Path, system: str, backup: str) -> Path:
    return _path(reports, f"use-{_plain(system)}-{_plain(backup)}")


def _path(reports: Path, name: str) -> Path:
    return reports / f".{name}.lock"


def _plain(name: str) -> str:
    """The name as a part of a file's name; what can't be one is told by its digest."""
    return name if _PLAIN.fullmatch(name) else canon.sha256_hex(name.encode(errors="surrogatepass"))


def _opened(path: Path) -> int:
    disk.make_folder(path.parent, exist_ok=True)
    with disk.translated(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(descriptor: int, path: Path) -> bool:
    """Whether the file of that name is the open one."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    return False


def _note(path: Path) -> str:
    """What the holder wrote about itself, if it has."""
    with suppress(OSError, TamperedError):
        data = path.read_bytes()[:_LONGEST_NOTE]
        match canon.decode(data, what="the lock"):
            case {"process": int(process), "since": str(since)}:
                return f" (process {process}, since {since})"
            case _:
                pass
    return ""
