"""Real PostgreSQL servers as a *source* has them: roles with passwords, a log, stock settings; one per major."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from attestore.adapters.postgres import dsn
from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.piped import Pipes
from attestore.adapters.postgres.prove import prove_restored
from attestore.adapters.postgres.source import PgSource
from attestore.gate import Probe
from attestore.proof import Comparison, Proof, Sketches, compare
from clusters import installation, running_cluster

__all__ = ["KEY", "Nobody", "Server", "copied", "serve", "there_and_back"]

KEY = bytes(range(32))
"""a fingerprint key; nothing secret"""

_NUMBER = count(1)


class Nobody:
    """Nobody watches; but what was said of progress is kept."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, str]] = []

    def phase(self, name: str) -> None:
        del name

    def progress(self, done: int, total: int, *, unit: str) -> None:
        self.seen.append((done, total, unit))

    def say(self, text: str) -> None:
        del text


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; everybody needs a password."""

    connection: Connection
    bindir: Path
    folder: Path
    major: int
    pipe: Pipes

    def conninfo(self, database: str, *, user: str = "", password: str = "") -> str:
        """As superuser, unless a user is named."""
        ours = self.connection.on(database).conninfo
        return psycopg.conninfo.make_conninfo(ours, user=user, password=password, passfile=None) if user else ours

    @property
    def logs(self) -> tuple[Path, ...]:
        """What the server wrote."""
        return tuple((self.connection.host.parent / "data" / "log").iterdir())

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.conninfo(database), autocommit=True)

    def run(self, database: str, *statements: str) -> None:
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def source(self, database: str, *, user: str = "", password: str = "", patience_s: int = 10) -> PgSource:
        return PgSource(self.environment(database, user=user, password=password), patience_s=patience_s)

    def environment(self, database: str, *, user: str = "", password: str = "") -> dsn.Environment:
        private = Path(tempfile.mkdtemp(prefix="passfile-", dir=self.folder))
        return dsn.read(self.conninfo(database, user=user, password=password), folder=private, environ={})

    @contextlib.contextmanager
    def database(self, *statements: str) -> Iterator[str]:
        """A new database for a block, filled by the statements."""
        name = f"d{next(_NUMBER)}"
        self.run("postgres", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        try:
            self.run(name, *statements)
            yield name
        finally:
            self.run("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextlib.contextmanager
    def role(self, attributes: str = "LOGIN") -> Iterator[str]:
        """A new role for a block; it must own nothing when the block ends."""
        name = f"r{next(_NUMBER)}"
        self.run("postgres", f"CREATE ROLE {name} {attributes}")
        try:
            yield name
        finally:
            self.run("postgres", f"DROP ROLE {name}")

    def prove(
        self, database: str, *, probes: tuple[Probe, ...] = (), jobs: int = 2, sketches: Sketches | None = None
    ) -> Proof:
        with self.source(database).snapshot() as snapshot:
            return snapshot.prove(KEY, probes=probes, jobs=jobs, watch=Nobody(), sketches=sketches)

    def prove_restored(
        self,
        database: str,
        like: Proof,
        *,
        probes: tuple[Probe, ...] = (),
        sketches: Sketches | None = None,
        shown: bool = False,
    ) -> Proof:
        return prove_restored(
            partial(self.connect, database),
            KEY,
            like=like,
            probes=probes,
            jobs=2,
            watch=Nobody(),
            sketches=sketches,
            shown=shown,
        )

    def dump(self, database: str, into: Path, *, snapshot: str) -> None:
        program = [str(self.bindir / "pg_dump"), "-Fc", "-Z0", f"--snapshot={snapshot}"]
        subprocess.run([*program, "-d", self.conninfo(database), "-f", into], check=True)

    def restore(self, archive: Path, database: str, *options: str) -> None:
        program = [str(self.bindir / "pg_restore"), "--exit-on-error", *options, "-d", self.conninfo(database)]
        subprocess.run([*program, archive], check=True)


def copied(server: Server, database: str, copy: str, folder: Path) -> None:
    """A database of that name, by a dump and its restore as a run makes them."""
    archive = folder / f"{copy}.dump"
    subprocess.run(
        [server.bindir / "pg_dump", "-Fc", "-Z0", "-d", server.conninfo(database), "-f", archive], check=True
    )
    server.run("postgres", f"CREATE DATABASE {copy} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
    server.restore(archive, copy)


def there_and_back(
    server: Server, database: str, folder: Path, *, damage: Callable[[str], None] | None = None
) -> tuple[Proof, Proof, Comparison]:
    """Proof, plain pg_dump at its snapshot, plain pg_restore, damage to the copy if any, proof of the copy, comparison."""
    archive = folder / f"{database}.dump"
    with server.source(database).snapshot() as snapshot:
        proof = snapshot.prove(KEY, probes=(), jobs=2, watch=Nobody())
        server.dump(database, archive, snapshot=snapshot.name)
    with server.database() as copy:
        server.restore(archive, copy)
        if damage is not None:
            damage(copy)
        restored = server.prove_restored(copy, proof)
    return proof, restored, compare(proof, restored)


@contextlib.contextmanager
def serve(major: int) -> Iterator[Server]:
    """A server of one of this machine's majors for a block."""
    with (
        running_cluster(major, logging_collector="on") as cluster,
        tempfile.TemporaryDirectory(prefix="passfiles-") as folder,
    ):
        yield Server(
            connection=cluster.connection.on("app"),
            bindir=installation(major).bindir,
            folder=Path(folder),
            major=major,
            pipe=cluster.pipe,
        )
