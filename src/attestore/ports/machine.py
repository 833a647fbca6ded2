"""The machine: clock, chance, a private folder, somebody who watches, and what was looked at beforehand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from attestore.errors import Error

__all__ = ["Clock", "Entropy", "Look", "Outbox", "Rest", "Watcher", "Workspace"]

Rest: TypeAlias = Callable[[threading.Event], None]
"""Waits as long as was agreed, in whichever thread it is called; no longer than until the event is set."""


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at before anything happened: what was seen, and whatever stands in the way."""

    area: str
    """source, target, store, keys, programmes, paper or machine"""
    what: str
    """unique within its area"""
    seen: str
    """in words; holds no secret"""
    problems: tuple[Error, ...] = ()
    advice: str = ""
    """worth knowing, though it stands in nobody's way"""


class Clock(Protocol):
    """Wall time for the record, ticks for arithmetic."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        ...

    def tick(self) -> int:
        """Milliseconds of a monotonic clock, from any start."""
        ...


class Entropy(Protocol):
    """Unguessable bytes."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""
        ...


class Watcher(Protocol):
    """Somebody who watches a run: a terminal, a log, nobody."""

    def phase(self, name: str) -> None:
        """A phase begins; the one before it, if any, has ended."""
        ...

    def progress(self, done: int, total: int, *, unit: str) -> None:
        """How far the phase is; `unit` is B, rows, tables or parts."""
        ...

    def say(self, text: str) -> None:
        """A sentence for people."""
        ...


class Outbox(Protocol):
    """Where sealed backups wait for a store: it outlives a run, and holds nothing that is not sealed or signed."""

    def folder(self, run: str) -> Path:
        """A private folder for what a run seals, made if it is not there; ours until it is cleared or we end.

        Raises:
            DiskError: it can't be made.
        """
        ...

    def pending(self) -> tuple[str, ...]:
        """Runs that left something and are not at it any more, oldest first."""
        ...

    def holds(self, run: str) -> bool:
        """Whether anything is there that a run sealed."""
        ...

    def clear(self, run: str) -> bool:
        """Remove what a run sealed; whether nothing of it is left."""
        ...


class Workspace(Protocol):
    """A private folder of one run, removed with everything in it when the run ends, however it ends."""

    @property
    def path(self) -> Path:
        """The folder."""
        ...

    @property
    def logs(self) -> Path:
        """Where programmes' redacted output is kept until it is copied into the bundle."""
        ...

    def free(self) -> int:
        """Bytes free on its disk."""
        ...

    def destroy(self, path: Path) -> bool:
        """Remove a file or folder below it; whether nothing is left."""
        ...
