"""Sealed backups that wait for a store, in a private folder of their own: they outlive the run that made them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

from attestore.adapters.durable import disk_errors

__all__ = ["FolderOutbox"]

_LOCK: Final = ".lock"


class FolderOutbox:
    """One folder per run below `root`; whoever works in one holds its lock, which dies with him."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._locks: dict[str, int] = {}

    def folder(self, run: str) -> Path:
        """A private folder for what a run seals, made if it is not there; ours until it is cleared or we end.

        Raises:
            DiskError: it can't be made.
        """
        path = self._root / run
        with disk_errors(f"make {path}"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if run not in self._locks:
                descriptor = os.open(path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._locks[run] = descriptor
        return path

    def pending(self) -> tuple[str, ...]:
        """Runs that left something and are not at it any more, oldest first."""
        if not self._root.is_dir():
            return ()
        return tuple(each.name for each in sorted(self._root.iterdir()) if each.is_dir() and self._is_left(each))

    def holds(self, run: str) -> bool:
        """Whether anything is there that a run sealed."""
        return os.path.lexists(self._root / run)

    def clear(self, run: str) -> bool:
        """Remove what a run sealed; whether nothing of it is left."""
        path = self._root / run
        shutil.rmtree(path, ignore_errors=True)
        if (descriptor := self._locks.pop(run, None)) is not None:
            os.close(descriptor)
        return not os.path.lexists(path)

    def _is_left(self, path: Path) -> bool:
        if path.name in self._locks:
            return False
        with contextlib.suppress(OSError):
            descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            finally:
                os.close(descriptor)
            return True
        return False
