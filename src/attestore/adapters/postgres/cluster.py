"""A private PostgreSQL server: sockets only, no network where the kernel allows it, gone when its block ends."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals
from types import MappingProxyType
from typing import Any, Final, Self

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from attestore.adapters.postgres.programs import Installation, runnable, unprivileged
from attestore.adapters.process import Runner, Running
from attestore.adapters.system import forgetting
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.errors import DiskError, MissingProgramError, ProgramFailedError, ScratchError

__all__ = ["Cluster", "Connection", "can_be_offline", "scratch_settings", "throw_away"]

_SUPERUSER: Final = "postgres"
_PORT: Final = 5432
_LONGEST_SOCKET: Final = 107
_INIT_S: Final = 120.0
_START_S: Final = 120.0
_STRAYS_S: Final = 5.0
# an immediate shutdown: the files are removed next, so nothing is worth a checkpoint
_STOP: Final = ((Signals.SIGQUIT, 15.0),)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_ROOM: Final = "Free space, or set TMPDIR to a folder on a larger disk."
_GIB: Final = 1 << 30
_MIB: Final = 1 << 20

_NEVER_EMPTY: Final[Mapping[bytes, bytes]] = {
    b"client_encoding": b"utf8",
    b"min_protocol_version": b"3.0",
    b"max_protocol_version": b"3.0",
    b"require_auth": b"scram-sha-256",
    b"sslcertmode": b"allow",
}
"""options whose default libpq does not tell and that it refuses to read as nothing; names are handed over in UTF-8"""

_UNHEARD: Final[Mapping[str, str]] = {
    option.keyword.decode(): (option.compiled or _NEVER_EMPTY.get(option.keyword, b"")).decode()
    for option in pq.Conninfo.get_defaults()
    # a service cannot be unset here: see _SERVED_BY_NOBODY
    if option.envvar is not None and option.keyword != b"service"
}
"""What PGPASSWORD, PGHOSTADDR and their like must not decide, each said as if nobody had said anything: those name the
source, and a private server that was reached by them would be the source."""

_SERVED_BY_NOBODY: Final = threading.Lock()
"""libpq reads PGSERVICE and PGSERVICEFILE whatever a connection string says: one thread at a time forgets them"""

_ALWAYS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "port": str(_PORT),
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    # in the data folder, so that a kill leaves nothing in /dev/shm (which containers keep too small anyway)
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # rows must not reach a log that is archived; clients are told of errors
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a private server is reached, and as whom; the password is in a file that only we may read."""

    host: Path
    user: str
    database: str
    passfile: Path
    port: int = _PORT

    def on(self, database: str) -> Connection:
        """The same server and role, another database."""
        return replace(self, database=database)

    @property
    def conninfo(self) -> str:
        """A libpq connection string that holds no password."""
        return make_conninfo(
            "",
            host=str(self.host),
            port=self.port,
            user=self.user,
            dbname=self.database,
            passfile=str(self.passfile),
            sslmode="disable",
            gssencmode="disable",
            connect_timeout=10,
        )

    @property
    def variables(self) -> Mapping[str, str]:
        """The same for the environment of a programme."""
        return {
            "PGHOST": str(self.host),
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
            "PGPASSFILE": str(self.passfile),
            "PGSSLMODE": "disable",
            "PGGSSENCMODE": "disable",
        }

    def connect(self, *, options: Mapping[str, str] = MappingProxyType({})) -> psycopg.Connection[tuple[Any, ...]]:
        """A new autocommit session, with settings that stand above those of the database and the role.

        Raises:
            ScratchError: the server does not answer.
        """
        words = " ".join(f"-c {name}={value}" for name, value in options.items())
        try:
            with _SERVED_BY_NOBODY, forgetting("PGSERVICE"):
                return psycopg.connect(make_conninfo("", **self._exact | {"options": words}), autocommit=True)
        except psycopg.Error as problem:
            raise ScratchError(f"the private server does not answer: {str(problem).strip()}") from problem

    def answers(self) -> bool:
        """Whether somebody takes our password there."""
        with (
            contextlib.suppress(psycopg.OperationalError),
            _SERVED_BY_NOBODY,
            forgetting("PGSERVICE"),
            psycopg.connect(make_conninfo("", **self._exact)),
        ):
            return True
        return False

    @property
    def _exact(self) -> dict[str, Any]:
        """The connection string with nothing left for libpq to look up in our environment.

        It has the password: libpq doesn't look into a passfile once a password was given, were it an empty one.
        """
        password = self.passfile.read_text(encoding="ascii").rstrip("\n").rpartition(":")[2]
        return {**_UNHEARD, **conninfo_to_dict(self.conninfo), "password": password}


@dataclass(frozen=True, slots=True)
class _Begun:
    """An initdb that goes on, the file that hands it the password, and as whom the server will run."""

    initdb: Running
    handed: Path
    programs: Installation
    user: str | None
    ending: contextlib.ExitStack
    """ends it, if it still goes on"""


class Cluster:
    """A new PostgreSQL server in the workspace, running inside its block; `settings` are added to the stock ones."""

    def __init__(
        self,
        installation: Installation,
        *,
        workspace: TemporaryWorkspace,
        runner: Runner,
        settings: Mapping[str, str],
        superuser: str = _SUPERUSER,
    ) -> None:
        self._superuser = superuser
        self._installation = installation
        self._workspace = workspace
        self._runner = runner
        self._settings = settings
        self._folder = workspace.path / f"server-{secrets.token_hex(3)}"
        self._stack = contextlib.ExitStack()
        self._server: Running | None = None
        self._begun: _Begun | None = None
        self._network = "socket-only"
        self._namespace: int | None = None

    def __enter__(self) -> Self:
        """Make and start it.

        Raises:
            ScratchError: initdb or postgres failed; their last words are in the message.
        """
        try:
            begun, self._begun = self._begun or self._begin(), None
            self._initialised(begun)
            self._start(begun.programs, begun.user)
        except (ProgramFailedError, MissingProgramError, OSError) as problem:
            self.destroy()
            if isinstance(problem, OSError) and problem.errno in _FULL:
                raise DiskError(f"{self._folder} can't be written: {problem.strerror}", hint=_ROOM) from problem
            raise ScratchError(
                f"the private server could not be made: {problem}",
                hint="Every user must be able to enter the temporary folder (TMPDIR); its disk needs 100 MB or more.",
            ) from problem
        except BaseException:
            self.destroy()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it and remove its files."""
        self.destroy()

    def begin(self) -> None:
        """Begin to make it while something else goes on; entering its block waits for what is left, and tells what failed.

        Whoever never enters it calls `destroy`.
        """
        try:
            self._begun = self._begin()
        except (ProgramFailedError, MissingProgramError, OSError, ScratchError):
            self.destroy()
        except BaseException:
            self.destroy()
            raise

    @property
    def connection(self) -> Connection:
        """As its superuser, on the database postgres."""
        return Connection(self._sockets, self._superuser, "postgres", self._passfile)

    @property
    def network(self) -> str:
        """`none` (seen to be in another network namespace than ours) or `socket-only`."""
        return self._network

    @property
    def pid(self) -> int:
        """Process id of the server.

        Raises:
            ScratchError: it does not run.
        """
        if self._server is None:
            raise ScratchError("the private server does not run")
        return self._server.pid

    @property
    def starved(self) -> bool:
        """Whether the server has complained about a full disk; its clients may have seen no more than its end."""
        return self._server is not None and os.strerror(errno.ENOSPC).encode() in self._server.stderr

    @contextlib.contextmanager
    def pipe(self) -> Iterator[Path]:
        """A FIFO that the server may write and cannot move or exchange; gone when the block ends."""
        # outside of the server's own folder, for the same reason as the passfile; others may pass through and list nothing
        self._pipes.mkdir(mode=0o711, exist_ok=True)
        self._pipes.chmod(0o711)
        path = self._pipes / secrets.token_hex(8)
        os.mkfifo(path, 0o600)
        _give(path, unprivileged())
        try:
            yield path
        finally:
            path.unlink()

    def destroy(self) -> bool:
        """Stop it, end what its code left running, and remove its files; whether no process and no file is left."""
        server, self._server = self._server, None
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.ending.close()
        self._stack.close()
        alone = self._end_strays()
        gone = self._workspace.destroy(self._folder)
        self._passfile.unlink(missing_ok=True)
        gone = self._workspace.destroy(self._pipes) and gone
        return gone and alone and (server is None or server.ended)

    def _end_strays(self) -> bool:
        """Kill whoever is left in the server's network namespace (COPY TO PROGRAM may start a daemon); whether none is.

        Our handle keeps the namespace's number from being another's meanwhile.
        """
        handle, self._namespace = self._namespace, None
        if handle is None:
            return True
        try:
            give_up = time.monotonic() + _STRAYS_S
            while strays := _inside(os.fstat(handle)):
                if time.monotonic() >= give_up:
                    return False
                for pid in strays:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, Signals.SIGKILL)
                time.sleep(0.005)
            return True
        finally:
            os.close(handle)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _pipes(self) -> Path:
        return self._folder.with_name(f"{self._folder.name}-pipes")

    @property
    def _sockets(self) -> Path:
        return self._folder / "s"

    @property
    def _passfile(self) -> Path:
        # outside of the server's own folder: code that runs in the server could exchange it there
        return self._workspace.private("secrets") / self._folder.name

    def _begin(self) -> _Begun:
        longest = self._sockets / f".s.PGSQL.{_PORT}"
        if len(os.fsencode(longest)) > _LONGEST_SOCKET:
            raise ScratchError(
                f"the socket path {longest} is longer than {_LONGEST_SOCKET} bytes",
                hint="Set TMPDIR to a shorter path, such as /tmp.",
            )
        user = unprivileged()
        programs = runnable(self._installation, self._runner, user=user, copies=self._workspace.path)
        for folder in (self._folder, self._sockets, self._data):
            folder.mkdir(mode=0o700)
            _give(folder, user)
        password = secrets.token_urlsafe(24)
        _write(self._passfile, f"*:*:*:*:{password}\n")
        handed = self._folder / "password"
        _write(handed, password)
        _give(handed, user)
        with contextlib.ExitStack() as stack:
            running = stack.enter_context(
                self._runner.start(
                    [
                        programs.program("initdb"),
                        *("--pgdata", self._data, "--username", self._superuser, "--pwfile", handed),
                        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"),
                        "--no-instructions",
                    ],
                    deadline_s=_INIT_S,
                    user=user,
                    cwd=Path("/"),
                    collect=True,
                )
            )
            return _Begun(running, handed=handed, programs=programs, user=user, ending=stack.pop_all())

    def _initialised(self, begun: _Begun) -> None:
        with begun.ending:
            begun.initdb.wait()
        begun.handed.unlink()
        settings = {**_ALWAYS, **self._settings, "unix_socket_directories": str(self._sockets)}
        lines = [f"{name} = {_quoted(value)}\n" for name, value in settings.items()]
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(lines)

    def _start(self, programs: Installation, user: str | None) -> None:
        offline = can_be_offline(self._runner, user)
        with contextlib.ExitStack() as stack:
            nowhere = stack.enter_context(Path(os.devnull).open("wb"))
            self._server = stack.enter_context(
                self._runner.start(
                    [programs.program("postgres"), "-D", self._data],
                    deadline_s=None,
                    stdout=nowhere,
                    user=user,
                    cwd=Path("/"),
                    offline=offline,
                    stop=_STOP,
                )
            )
            self._stack = stack.pop_all()
        self._await(self._server)
        with contextlib.suppress(OSError):
            handle = os.open(f"/proc/{self._server.pid}/ns/net", os.O_RDONLY)
            if os.path.samestat(os.fstat(handle), Path("/proc/self/ns/net").stat()):
                os.close(handle)
            else:
                self._network, self._namespace = "none", handle

    def _await(self, server: Running) -> None:
        give_up = time.monotonic() + _START_S
        socket = self._sockets / f".s.PGSQL.{_PORT}"
        while not server.ended and time.monotonic() < give_up:
            if socket.exists() and self.connection.answers():
                return
            time.sleep(0.02)
        if server.ended:
            with contextlib.suppress(ProgramFailedError, DiskError):
                server.wait()  # its last words are in the pipe still
        words = server.stderr.decode("utf-8", "replace").strip().splitlines()[-5:]
        if self.starved:
            raise DiskError(f"the private server found no space left at {self._folder}", hint=_ROOM)
        raise ScratchError(f"the private server did not start: {'; '.join(words) or 'it says nothing'}")


@contextlib.contextmanager
def throw_away(
    installation: Installation, *, workspace: TemporaryWorkspace, runner: Runner, database: str
) -> Iterator[str]:
    """A server with stock settings and one empty UTF-8 database: its connection string, which holds no password.

    Raises:
        ScratchError: it could not be made or started.
    """
    with Cluster(installation, workspace=workspace, runner=runner, settings={}) as cluster:
        with cluster.connection.connect() as session:
            session.execute(
                psycopg.sql.SQL(
                    "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
                ).format(psycopg.sql.Identifier(database))
            )
        yield cluster.connection.on(database).conninfo


def scratch_settings(jobs: int) -> Mapping[str, str]:
    """Settings for a server whose data may be lost, sized for this machine; they are labelled in the evidence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    work = min(_GIB, max(64 * _MIB, memory // 16 // max(1, jobs)))
    buffers = min(2 * _GIB, max(128 * _MIB, memory // 8))
    return {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "autovacuum": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_replication_slots": "0",
        "max_logical_replication_workers": "0",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "1h",
        "shared_buffers": f"{buffers // _MIB}MB",
        "maintenance_work_mem": f"{work // _MIB}MB",
        "max_connections": str(50 + 2 * jobs),
        # one transaction locks every table while the copy is proved
        "max_locks_per_transaction": "2048",
        "jit": "off",
    }


def can_be_offline(runner: Runner, user: str | None) -> bool:
    """Whether the kernel lets a programme of that account run in a network namespace of its own."""
    try:
        with runner.start(["true"], deadline_s=10, user=user, offline=True, collect=True) as running:
            running.wait()
    except (ProgramFailedError, MissingProgramError):
        return False
    return True


def _inside(namespace: os.stat_result) -> list[int]:
    """Processes in a network namespace, without those that have ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.path.samestat((entry / "ns" / "net").stat(), namespace):
                found.append(int(entry.name))
    return found


def _give(path: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
