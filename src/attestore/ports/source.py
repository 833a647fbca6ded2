"""The server under care, and the programme that dumps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from attestore.errors import Error
from attestore.evidence import Locale
from attestore.gate import Probe
from attestore.ports.machine import Look, Watcher
from attestore.ports.parts import Plain
from attestore.proof import AUDIT, Proof, Sketches

__all__ = ["Dumper", "Dumping", "Form", "Snapshot", "Source", "SourceFacts", "Tap", "Texts"]


class Tap(Protocol):
    """Somebody who looks at the files of a folder while they are sealed, so that nothing is read twice."""

    def file(self, name: str) -> Callable[[bytes], None] | None:
        """What hears the bytes of that file, chunk by chunk; None for a file that is of no interest."""
        ...


class Texts(Tap, Protocol):
    """The rows of each table as a dump holds them, digested on their way."""

    def complete(self, proof: Proof) -> Proof:
        """The proof with each table's digest, once every file went by.

        A table whose rows the dump does not hold stays without one, which is never equal to anything.

        Raises:
            ProgramFailedError: a file of the dump does not end as pg_dump ends it.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the source says of itself before anything happens."""

    database: str
    user: str
    version: str
    major: int
    identifier: str
    size: int
    locale: Locale
    extensions: tuple[tuple[str, str], ...]
    tables: int
    superuser: bool
    features: tuple[str, ...] = ()
    """what the target's programmes must have been built with: `icu`, `libxml`"""


class Form(Enum):
    """How a dump lies on the disk, in pg_dump's words; pg_restore reads either, by as many sessions as it likes."""

    FOLDER = "directory"
    """a file for each table: several sessions can write it"""
    FILE = "custom"
    """one file: nothing is paid for each table"""


class Source(Protocol):
    """One PostgreSQL database under care, read only."""

    def describe(self) -> SourceFacts:
        """What the source says of itself.

        Raises:
            UnreachableError: it does not answer.
            AuthenticationError: it refuses the credentials.
        """
        ...

    def problems(self) -> tuple[Error, ...]:
        """Everything that would make a backup incomplete: unreadable tables, row security, too few locks …"""
        ...

    def looks(self) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not; `problems` are those of the looks."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A locked, exported snapshot that lives as long as the block."""
        ...


class Snapshot(Protocol):
    """One exported snapshot, with every table locked in ACCESS SHARE mode."""

    @property
    def name(self) -> str:
        """What other sessions pass to SET TRANSACTION SNAPSHOT."""
        ...

    @property
    def taken(self) -> str:
        """UTC instant by the source's clock, RFC 3339 with milliseconds."""
        ...

    @property
    def encoding(self) -> str:
        """The database's own encoding, in which a dump is written, as PostgreSQL calls it."""
        ...

    @property
    def lsn(self) -> str:
        """Write-ahead log position beside the snapshot."""
        ...

    def prove(  # noqa: PLR0913  each is one decision about a proof
        self,
        key: bytes,
        *,
        probes: Sequence[Probe],
        jobs: int,
        watch: Watcher,
        method: str = AUDIT,
        sketches: Sketches | None = None,
        cleared: Callable[[], None] = lambda: None,
    ) -> Proof:
        """What the database holds at this snapshot, rows fingerprinted under `key`; sketches of tables into `sketches`.

        No session but the one that holds the locks reads anything before `cleared` has returned. By method `stream` rows are counted; `Texts.complete` adds the digests of what the dump wrote.
        """
        ...

    def awaited(self) -> bool:
        """Whether somebody waits for the exclusive lock of a table that this snapshot holds, and others wait behind them."""
        ...

    def kept(self) -> Error | None:
        """Who has kept a reader of the source waiting for too long, if anybody has."""
        ...

    def tables(self) -> Mapping[int, tuple[str, str]]:
        """Schema and name of each relation that stores rows, by the OID that a dump's table of contents tells."""
        ...

    def globals(self) -> bytes:
        """Roles (never passwords), memberships, database and role settings: canonical bytes that a Target applies."""
        ...


class Dumper(Protocol):
    """A programme that makes files which we seal and store."""

    @property
    def version(self) -> str:
        """Programme and version, e.g. `pg_dump 15.18`."""
        ...

    @property
    def major(self) -> int:
        """Major version."""
        ...

    def dumping(
        self, snapshot: Snapshot, into: Path, *, jobs: int, form: Form = Form.FOLDER
    ) -> AbstractContextManager[Dumping]:
        """A dump of the whole database at that snapshot, begun; what still runs when the block ends is ended.

        A folder is written by `jobs` sessions, a file by one.
        """
        ...

    def texts(self, archive: Plain, snapshot: Snapshot) -> Texts:
        """What digests each table's rows as that dump holds them, while its files are sealed."""
        ...


class Dumping(Protocol):
    """A dump that goes on beside whoever waits for it."""

    def locked(self) -> None:
        """Return as soon as the dump holds a lock of every table.

        Raises:
            ContendedError: somebody waits for an exclusive lock of a table, and the dump would wait behind them for ever.
            ProgramFailedError, DiskError: the dump ended with an error.
        """
        ...

    def finish(self) -> Plain:
        """The dump, uncompressed, in a new folder or file.

        Raises:
            ContendedError: as above; parallel dumps can meet it until their end.
            ProgramFailedError: pg_dump ended with an error; its last words are in the message.
            DiskError: no space left.
        """
        ...
