"""Where a recovery lands: a server that an operator names, and the database on it that people wait for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from attestore.evidence import Locale
from attestore.ports.machine import Look
from attestore.ports.source import SourceFacts
from attestore.ports.target import Refuge

__all__ = ["Landing", "Place", "Recovered", "Standing"]


class Place(Enum):
    """Which database a recovery fills."""

    NEW = "a new database"
    THERE = "a database that is there, and empty"
    CROWDED = "a database that is there, and may hold something"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a recovery has made on a server by now, whatever became of it."""

    database: str
    """what the database is called now; empty while there is none"""
    made: bool
    """whether the recovery made it; one that was there is never dropped"""
    roles: tuple[str, ...]
    """roles that the recovery made"""
    logins: tuple[str, ...] = ()
    """of those, the ones that may log in"""


class Recovered(Refuge, Protocol):
    """The database that people wait for: nothing is tried on it, nothing in it is changed, and nobody drops it."""

    @property
    def standing(self) -> Standing:
        """What stands on the server by now."""
        ...

    def size(self) -> int:
        """Bytes of the database by now; 0 where it can't be told."""
        ...


class Landing(Protocol):
    """A server that an operator names for a recovery; only what the recovery makes is touched there."""

    @property
    def label(self) -> str:
        """The server in words, for people; no secrets."""
        ...

    @property
    def version(self) -> str:
        """Version of the programmes that restore."""
        ...

    def place(self, database: str) -> tuple[str, Place]:
        """Which database would be filled, of a source whose database has that name."""
        ...

    def looks(self, facts: SourceFacts, *, world: bytes | None, tables: Sequence[tuple[str, str]]) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not; `world` and `tables` are what the backup carries, once it is open."""
        ...

    def start(self, locale: Locale, *, database: str) -> AbstractContextManager[Recovered]:
        """The database that takes the restore; it stays when the block ends, however it ends.

        Raises:
            ScratchError: the server does not answer.
        """
        ...
