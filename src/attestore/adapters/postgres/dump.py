"""pg_dump: the whole database at an exported snapshot, as a folder of uncompressed files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attestore.adapters.postgres.dsn import Environment
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.process import Runner
from attestore.errors import ProgramFailedError
from attestore.ports import Plain, Snapshot

__all__ = ["PgDumper"]

_LONGEST_S: Final = 7 * 86_400.0
_LOCK_WAIT_MS: Final = 60_000
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

    def dump(self, snapshot: Snapshot, into: Path, *, jobs: int) -> Plain:
        """The whole database at that snapshot, in directory format, uncompressed, as a new folder below `into`.

        Large objects and the definitions of subscriptions are in it; roles are not. Row security is never
        enabled: a role that may not see every row gets an error, not a part.

        Raises:
            ProgramFailedError: pg_dump ended with an error; its last words are in the message.
            DiskError: no space left.
        """
        folder = into / "archive"
        argv: list[str | Path] = [
            self._installation.program("pg_dump"),
            *("--format=directory", f"--jobs={jobs}", f"--snapshot={snapshot.name}", "--compress=0"),
            *("--no-sync", "--no-password", f"--lock-wait-timeout={_LOCK_WAIT_MS}"),
            *(f"--file={folder}", f"--dbname={self._environment.conninfo}"),
        ]
        try:
            self._runner.run(argv, deadline_s=_LONGEST_S, env=self._environment.variables)
        except ProgramFailedError as problem:
            if _WITHOUT_TLS in problem.message:
                problem.hint = f"Install a pg_dump that speaks TLS: apt-get install postgresql-client-{self.major}."
            raise
        return Plain(folder)
