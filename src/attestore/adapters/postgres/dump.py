"""pg_dump: the whole database at an exported snapshot, as a folder of uncompressed files, or as one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attestore.adapters.postgres.dsn import Environment
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.postgres.stream import SPOKEN, DumpedTexts
from attestore.adapters.process import Runner, Running
from attestore.errors import ContendedError, Error, ProgramFailedError
from attestore.ports import Form, Plain, Snapshot

__all__ = ["PgDumper", "PgDumping", "unwritable"]

_LONGEST_S: Final = 7 * 86_400.0
_LOCK_WAIT_MS: Final = 5_000
"""our own session holds every lock already, so whoever is in the way is waiting for us, and patience is in vain"""
_LOOK_S: Final = 0.02
_ASK_S: Final = 5.0
_LISTING_S: Final = 600.0
_ALL_LOCKED: Final = b"reading user-defined functions"
_CONTENDED: Final = (b"could not obtain lock on relation", b"due to statement timeout", b"due to lock timeout")
_TOO_LARGE: Final = re.compile(
    rb"(?:invalid memory alloc request size|Cannot enlarge string buffer|string buffer exceeds maximum|"
    rb"out of memory).*?Command was: COPY (?P<table>.*?) (?:\(|TO )",
    re.DOTALL,
)
"""what pg_dump reports of a row that no COPY can write; the command names the table"""
_WITHOUT_TLS: Final = "SSL support is not compiled in"
"""what the libpq of the embedded wheel says to sslmode=require"""


class PgDumper:
    """pg_dump of one installation, against one database."""

    def __init__(self, installation: Installation, *, environment: Environment, runner: Runner) -> None:
        self._installation = installation
        self._environment = environment
        self._runner = runner

    @property
    def version(self) -> str:
        """Programme and version, e.g. `pg_dump 15.18`."""
        return f"pg_dump {self._installation.version}"

    @property
    def major(self) -> int:
        """Major version."""
        return self._installation.major

    @contextmanager
    def dumping(self, snapshot: Snapshot, into: Path, *, jobs: int, form: Form = Form.FOLDER) -> Iterator[PgDumping]:
        """A dump of the whole database at that snapshot, begun; what still runs when the block ends is ended.

        Large objects and the definitions of subscriptions are in it; roles are not. Row security is never
        enabled: a role that may not see every row gets an error, not a part.
        """
        archive = into / ("archive" if form is Form.FOLDER else "archive.dump")
        several = (f"--jobs={jobs}",) if form is Form.FOLDER else ()
        argv: list[str | Path] = [
            self._installation.program("pg_dump"),
            *(f"--format={form.value}", *several, f"--snapshot={snapshot.name}", "--compress=0"),
            # else that which the database or the role sets for its clients, in which not every name and value can be written
            f"--encoding={snapshot.encoding}",
            *("--no-sync", "--no-password", "--verbose", f"--lock-wait-timeout={_LOCK_WAIT_MS}"),
            *(f"--file={archive}", f"--dbname={self._environment.conninfo}"),
        ]
        variables = {**self._environment.variables, **SPOKEN}
        with self._runner.start(argv, deadline_s=_LONGEST_S, env=variables, collect=True) as running:
            yield PgDumping(running, snapshot=snapshot, archive=archive, major=self.major)

    def texts(self, archive: Plain, snapshot: Snapshot) -> DumpedTexts:
        """What digests each table's rows as that dump holds them, while its files are sealed.

        Raises:
            ProgramFailedError: pg_restore can't list the archive.
        """
        argv: list[str | Path] = [self._installation.program("pg_restore"), "--list", archive]
        listed = self._runner.run(argv, deadline_s=_LISTING_S, env=self._environment.variables)
        return DumpedTexts(listed.stdout, snapshot.tables())


class PgDumping:
    """A pg_dump that goes on."""

    def __init__(self, running: Running, *, snapshot: Snapshot, archive: Path, major: int) -> None:
        self._running = running
        self._snapshot = snapshot
        self._archive = archive
        self._major = major

    def locked(self) -> None:
        """Return as soon as pg_dump has gone on from the tables, which it locks as it reads them, to the functions.

        Raises:
            ContendedError: somebody waits for an exclusive lock of a table.
            ProgramFailedError, DiskError: pg_dump ended with an error.
        """
        while _ALL_LOCKED not in self._running.stderr:
            if self._running.gone_within(_LOOK_S):
                self.finish()
                return

    def finish(self) -> Plain:
        """The folder or file, once pg_dump has ended.

        Raises:
            ContendedError: somebody waits for an exclusive lock of a table: our own lock keeps them waiting, and every
                later reader waits behind them, which no server ever calls a deadlock.
            ProgramFailedError: pg_dump ended with an error, whose last words are in the message; or somebody keeps locked
                for too long what only has a definition, for which pg_dump itself would wait without end.
            DiskError: no space left.
        """
        while not self._running.gone_within(_ASK_S):
            if (kept := self._snapshot.kept()) is not None:
                raise kept
        try:
            self._running.wait()
        except ProgramFailedError as problem:
            if self._contended():
                raise ContendedError(
                    f"somebody waits for an exclusive lock of a table that is being dumped: {problem.message}",
                    hint="Run again when no TRUNCATE, ALTER or VACUUM FULL runs beside the backup.",
                ) from problem
            if table := unwritable(self._running.stderr):
                raise ProgramFailedError(
                    f"no dump can hold {table}: the text of one of its rows exceeds 1 GB, or the server's memory"
                    f" ({problem.message})",
                    hint="PostgreSQL writes no longer rows, and a bytea takes twice its size in text: keep the value in"
                    " parts, or as a large object. Memory can be the cause, too: see the server's log.",
                ) from problem
            if _WITHOUT_TLS in problem.message:
                problem.hint = f"Install a pg_dump that speaks TLS: apt-get install postgresql-client-{self._major}."
            raise
        return Plain(self._archive)

    def _contended(self) -> bool:
        """By pg_dump's own words, by those of a server that speaks English, or since somebody is waiting still."""
        if any(words in self._running.stderr for words in _CONTENDED):
            return True
        try:
            return self._snapshot.awaited()
        except Error:
            # the server is gone; that pg_dump failed is to be told
            return False


def unwritable(said: bytes) -> str:
    """The table, as pg_dump writes it, of which pg_dump reports a row that no COPY can write; empty without one."""
    found = _TOO_LARGE.search(said)
    return found["table"].decode(errors="replace") if found else ""
