"""How much lies in folders at most while something goes on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Held", "watching"]

_LOOK_S = 0.25
_BLOCK = 512


class Held:
    """The most bytes seen in each folder, by its name, and in all of them at one time."""

    def __init__(self, names: Mapping[str, Path]) -> None:
        self.peaks = dict.fromkeys(names, 0)
        self.together = 0
        self._names = names

    def look(self) -> None:
        """Add up what lies there now, as the file system counts it."""
        now = {name: _size(str(folder)) for name, folder in self._names.items()}
        self.peaks = {name: max(size, now[name]) for name, size in self.peaks.items()}
        self.together = max(self.together, sum(now.values()))


@contextmanager
def watching(names: Mapping[str, Path]) -> Iterator[Held]:
    """Look again and again while the block lasts."""
    held, over = Held(names), threading.Event()

    def work() -> None:
        while not over.wait(_LOOK_S):
            held.look()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()


def _size(folder: str) -> int:
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += _size(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
    except OSError:
        return total  # gone meanwhile
    return total
