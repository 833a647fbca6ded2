"""A private folder of one run, and the sweep that removes what killed runs left.

A workspace is `attestore-run-XXXXXXXX` below the temporary folder. Others may pass through it (0711), because a server
that runs as another user keeps its own 0700 folder in it; they can't list it, and every other folder in it is 0700.
Its owner holds a lock on the file `lock` as long as it lives: a workspace whose lock nobody holds is a leftover.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import select
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import Signals, pidfd_send_signal
from typing import Final, Self

from attestore.errors import DiskError

__all__ = ["TemporaryWorkspace", "sweep"]

_PREFIX: Final = "attestore-run-"
_LOCK: Final = "lock"
_YOUNG_S: Final = 60.0
_PATIENCE_MS: Final = 5_000
_MANY: Final = 1_000
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_ENDINGS: Final = (Signals.SIGQUIT, Signals.SIGKILL)


class TemporaryWorkspace:
    """A new private folder below `tmpdir` (TMPDIR, else /tmp), removed with everything in it when its block ends."""

    def __init__(self, tmpdir: Path | None = None) -> None:
        self._parent = _parent(tmpdir)
        self._path = self._parent
        self._lock = -1

    def __enter__(self) -> Self:
        """Make it.

        Raises:
            DiskError: it can't be made or written there.
        """
        try:
            while not self._held():
                os.close(self._lock)
            self._path.chmod(0o711)
            self.private("logs")
        except OSError as problem:
            if self._path != self._parent:
                _remove(self._path)
            raise _disk(problem, self._path) from problem
        return self

    def _held(self) -> bool:
        """Make the folder and take its lock; whether it is there still: a sweep may come in between, and takes it for a leftover."""
        self._path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
        self._lock = os.open(self._path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return os.fstat(self._lock).st_nlink > 0

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove it.

        Raises:
            DiskError: something in it can't be removed, and nothing else has gone wrong.
        """
        _stop_servers(self._path)
        gone = _remove(self._path)
        os.close(self._lock)
        if not gone and kind is None:
            raise DiskError(
                f"{self._path} could not be removed completely", hint=f"Remove it by hand: rm -rf {self._path}"
            )

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    @property
    def logs(self) -> Path:
        """Where programmes' redacted output is kept until it is copied into the bundle."""
        return self._path / "logs"

    def private(self, name: str) -> Path:
        """A folder of that name in it which only we may enter, made if it is not there."""
        path = self._path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def free(self) -> int:
        """Bytes free on its disk, for us.

        Raises:
            DiskError: the disk can't be asked.
        """
        try:
            disk = os.statvfs(self._path)
        except OSError as problem:
            raise _disk(problem, self._path) from problem
        return disk.f_bavail * disk.f_frsize

    def destroy(self, path: Path) -> bool:
        """Remove a file or folder below it; whether nothing is left.

        Raises:
            ValueError: the path is not below the workspace.
        """
        if self._path not in path.parents or ".." in path.parts:
            raise ValueError(f"{path} is not below {self._path}")
        return _remove(path)


def sweep(tmpdir: Path | None = None) -> tuple[str, ...]:
    """Remove every workspace of ours below `tmpdir` whose lock nobody holds; returns their names.

    A server that still runs in one of them (its programme is postgres and its working directory lies below it) is
    ended first, with its backends. Folders of other users and symbolic links are left alone.
    """
    parent = _parent(tmpdir)
    swept = []
    for path in sorted(parent.glob(f"{_PREFIX}*")):
        with contextlib.suppress(FileNotFoundError), _leftover(path) as is_leftover:
            if is_leftover:
                _stop_servers(path)
                if _remove(path):
                    swept.append(path.name)
    return tuple(swept)


@contextlib.contextmanager
def _leftover(path: Path) -> Iterator[bool]:
    """Whether a folder is a workspace of ours that nobody holds; held by us inside the block if so."""
    state = path.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        yield False
        return
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        # without a lock it was just made, is being removed, or was cut down by a kill in one of these moments
        yield time.time() - state.st_mtime > _YOUNG_S
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)


def _stop_servers(path: Path) -> None:
    """End every PostgreSQL process of this machine whose working directory lies below the folder."""
    for number in _ENDINGS:
        handles = list(_inside(path))
        try:
            for handle in handles:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    pidfd_send_signal(handle, number)
            for handle in handles:
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                poll.poll(_PATIENCE_MS)
        finally:
            for handle in handles:
                os.close(handle)


def _inside(path: Path) -> Iterator[int]:
    """Handles of the servers in a folder; a handle names the process that was looked at, even if its number is reused."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if not _serves(entry, path):
                continue
            handle = os.pidfd_open(int(entry.name))
            # the number may have changed hands before the handle was opened: look again
            if _serves(entry, path):
                yield handle
            else:
                os.close(handle)


def _serves(entry: Path, path: Path) -> bool:
    # the programme too: somebody's shell may stand in the folder to look at it
    return path in (entry / "cwd").readlink().parents and (entry / "exe").readlink().name.startswith("postgres")


def _parent(tmpdir: Path | None) -> Path:
    # resolved, because the kernel tells working directories that way
    return (Path(tempfile.gettempdir()) if tmpdir is None else tmpdir).resolve()


def _remove(path: Path) -> bool:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            _empty(path)
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    return not os.path.lexists(path)


def _empty(path: Path) -> None:
    """Remove what a folder holds, as far as that can be done.

    Restored code can write folders deeper than any stack, or than there are descriptors: each is moved to the top before it is
    looked into. They are held by descriptors, so that nobody leads us elsewhere.
    """
    top = os.open(path, _FOLDER)
    try:
        waiting = _cleared(top)
        there = frozenset(waiting)
        names = (name for name in map(str, itertools.count()) if name not in there)
        while waiting:
            name = waiting.pop()
            with contextlib.suppress(OSError):
                folder = os.open(name, _FOLDER, dir_fd=top)
                try:
                    waiting += _moved(_cleared(folder), source=folder, top=top, names=names)
                finally:
                    os.close(folder)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)


def _cleared(folder: int) -> list[str]:
    """The folders in a folder, of which everything else is removed.

    Of a large one by two threads: the kernel locks it for a part of each removal only, and a server keeps the files of all
    its tables in one.
    """
    folders, files = list[str](), list[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.name)
    if len(files) < _MANY:
        _unlink(folder, files)
        return folders
    # it outlives the second thread, whatever interrupts the first: the number of a closed folder may be another's
    with ThreadPoolExecutor(1, thread_name_prefix="remove") as pool:
        ours = files[::2]
        try:
            pool.submit(_unlink, folder, files[1::2])
        except RuntimeError:
            # a machine that gives no thread
            ours = files
        _unlink(folder, ours)
    return folders


def _unlink(folder: int, files: Iterable[str]) -> None:
    for name in files:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _moved(folders: Iterable[str], *, source: int, top: int, names: Iterator[str]) -> Iterator[str]:
    """Their new names at the top."""
    for name, moved in zip(folders, names, strict=False):
        with contextlib.suppress(OSError):
            os.rename(name, moved, src_dir_fd=source, dst_dir_fd=top)
            yield moved


def _disk(problem: OSError, path: Path) -> DiskError:
    return DiskError(
        f"{path} can't be used: {problem.strerror}",
        hint="Set TMPDIR to a folder with enough space that you may write to.",
    )
