"""Isolated servers that take a restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from attestore.errors import Error
from attestore.evidence import Locale
from attestore.gate import Probe
from attestore.ports.machine import Look, Watcher
from attestore.ports.parts import Plain
from attestore.ports.source import SourceFacts
from attestore.proof import Behaviour, Change, IndexCheck, Proof, Sketches

__all__ = ["Again", "Planted", "Refuge", "Restored", "Scratch", "Section", "Target"]


class Section(Enum):
    """The three sections of an archive, in pg_restore's words."""

    SCHEMA = "pre-data"
    DATA = "data"
    INDEXES = "post-data"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore step reported: each error of pg_restore or of a statement, in its own words."""

    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planted:
    """One deliberate change of the restored copy: what it was, and the subject whose difference must show it."""

    what: str
    subject: str
    row: Change | None = None
    """what became of the row, where one row was changed: it must be found as a row"""


class Scratch(Protocol):
    """Makes isolated servers for one run."""

    @property
    def major(self) -> int:
        """Major version of the servers it makes."""
        ...

    @property
    def version(self) -> str:
        """Version of the programmes."""
        ...

    def problems(self, facts: SourceFacts) -> tuple[Error, ...]:
        """Whatever stands in the way: missing extensions, unknown locale, no unprivileged user, no disk …"""
        ...

    def looks(self, facts: SourceFacts) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not; `problems` are those of the looks."""
        ...

    def ahead(self) -> AbstractContextManager[None]:
        """What a server needs whatever is restored into it, begun while the block fetches and opens the backup.

        Whatever fails here is told by `start`; what no `start` took over is gone when the block ends.
        """
        ...

    def start(self, locale: Locale, *, database_size: int) -> AbstractContextManager[Target]:
        """A new, empty, isolated server with its own system identifier, gone when the block ends.

        Raises:
            ScratchError: initdb or postgres failed; the log's last words are in the message.
        """
        ...


class Refuge(Protocol):
    """A database that takes a restore and is looked at: a copy on trial, or the one that people wait for."""

    @property
    def version(self) -> str:
        """Server version."""
        ...

    @property
    def identifier(self) -> str:
        """System identifier of the cluster."""
        ...

    @property
    def durable(self) -> bool:
        """Whether fsync and full_page_writes are on, as the server itself says."""
        ...

    @property
    def settings(self) -> Mapping[str, str]:
        """Server settings that differ from the default, as the server itself says."""
        ...

    def create(self, world: bytes) -> Restored:
        """Roles, and the empty database."""
        ...

    def empty(self) -> bool:
        """Whether the database holds no user relation."""
        ...

    def restore(self, archive: Plain, section: Section, *, jobs: int) -> Restored:
        """One section of the archive by pg_restore."""
        ...

    def finalize(self, world: bytes) -> Restored:
        """Database and role settings (never ones that load libraries), ANALYZE."""
        ...

    def first_query(self) -> int:
        """Number of user tables, answered by the restored database over a new session."""
        ...

    def prove(  # noqa: PLR0913  each is one decision about a proof
        self,
        key: bytes,
        *,
        like: Proof,
        probes: Sequence[Probe],
        jobs: int,
        watch: Watcher,
        sketches: Sketches | None = None,
        shown: bool = False,
    ) -> Proof:
        """What the restored database holds, with foreign keys checked and differing definitions of `like` read back.

        In tables that differ, the differing rows are found by the `sketches` of `like`; their keys are `shown` or not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Again:
    """A second proof of a copy, and how much of it was read anew."""

    proof: Proof
    reread: int
    """tables whose rows were read"""
    transactions: int | None = None
    """that had a number since the first proof began, savepoints included; None where a server is shared, or none could tell"""
    committed: int | None = None
    """of those, neither rolled back nor the checker's own: where there is any, every table was read"""


class Target(Refuge, Protocol):
    """An isolated server that holds the restored copy: roles have no login and no password, the database a random name."""

    @property
    def network(self) -> str:
        """`none` (own network namespace), `socket-only`, or `existing server` (nothing is known of its network)."""
        ...

    def exercise(self, depth: IndexCheck) -> Behaviour:
        """What the copy does when it is tried: constraints refuse, triggers fire, indexes fit; all of it rolled back."""
        ...

    def prove_again(self, earlier: Proof) -> Again:
        """What the copy holds now, by the key, the probes and all else of the proof that was taken `earlier`.

        Where the server itself shows that nothing was committed since but what the checker did, rows are read of the
        tables that it wrote to; otherwise of all.
        """
        ...

    def plant(self, key: bytes, *, sketches: Sketches) -> tuple[Planted, ...]:
        """Change the restored copy deliberately: one value altered, one row deleted, one index dropped, as far as it has them.

        Rows are chosen so that the `sketches`, made under `key`, can tell each of them.
        """
        ...

    def destroy(self) -> bool:
        """Stop the server and remove its files; whether nothing is left."""
        ...
