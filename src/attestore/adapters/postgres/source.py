"""The database under care: described, looked over for everything that stands in the way, and held still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from psycopg import errors as sqlstate

from attestore.adapters.postgres import logins, readiness, relations, sequences, waits, world
from attestore.adapters.postgres.crew import BEGIN
from attestore.adapters.postgres.dsn import Environment
from attestore.adapters.postgres.prove import INSTANT, Moment, prove_source
from attestore.adapters.postgres.quoting import qualified
from attestore.adapters.postgres.readiness import CARRIED
from attestore.adapters.postgres.session import Connect, Session, ask, connect, held, opened, worded
from attestore.errors import Error, ProgramFailedError, VersionError
from attestore.evidence import Locale
from attestore.gate import Probe
from attestore.ports import Look, Rest, Snapshot, SourceFacts, Watcher
from attestore.proof import AUDIT, Proof, Sketches

__all__ = ["PgSource"]

_OLDEST: Final = 13
_LOCKED_AT_ONCE: Final = 200
_ATTEMPTS: Final = 10
_DEFINED: Final = "something whose definition is read"
_PROVIDERS: Final = {"c": "libc", "i": "icu", "b": "builtin"}


class PgSource:
    """One PostgreSQL database, read only.

    `patience_s` is how long the snapshot waits for a lock that somebody else holds. Where `settings` are given, each
    session that proves goes by them; `rest` is what such a session does between two batches of work.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        patience_s: int = 30,
        settings: Mapping[str, str] = MappingProxyType({}),
        rest: Rest | None = None,
    ) -> None:
        self._environment = environment
        self._patience_s = patience_s
        self._settings = settings
        self._rest = rest

    def describe(self) -> SourceFacts:
        """What the source says of itself.

        Raises:
            UnreachableError: it does not answer.
            AuthenticationError: it refuses the credentials.
            VersionError: it is older than the oldest major that is understood.
        """
        with opened(self._environment) as session, worded("describe the source"):
            _old_enough(session, self._environment.label)
            return _described(session)

    def problems(self) -> tuple[Error, ...]:
        """Everything that would make a backup incomplete, at once; empty when nothing would."""
        return tuple(problem for look in self.looks() for problem in look.problems)

    def looks(self) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not; an unreachable source is one look with one problem."""
        where = self._environment.label
        try:
            with opened(self._environment) as session:
                _old_enough(session, where)
                return (Look("source", "reachable", where), *readiness.looks(session))
        except Error as problem:
            return (Look("source", "reachable", where, (problem,)),)

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A locked, exported snapshot that lives as long as the block.

        Raises:
            UnreachableError, AuthenticationError: no session.
            PrivilegeError: a table cannot be locked.
            ProgramFailedError: somebody holds a lock for too long, or tables come and go all the time.
        """
        return self._held()

    @contextmanager
    def _held(self) -> Iterator[Snapshot]:
        with opened(self._environment) as scout, held(self._connected()) as leader:
            moment, lsn = _moment(scout, leader, patience_s=self._patience_s)
            yield _Snapshot(moment=moment, scout=scout, lsn=lsn, connect=self._connected, rest=self._rest)

    def _connected(self) -> Session:
        session = connect(self._environment)
        try:
            for name, value in self._settings.items():
                ask(session, "SELECT set_config($1, $2, false)", (name, value))
        except BaseException:
            session.close()
            raise
        return session


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The exported snapshot of a leading session, with every table locked."""

    moment: Moment
    scout: Session
    lsn: str
    connect: Connect
    rest: Rest | None

    @property
    def name(self) -> str:
        return self.moment.snapshot

    @property
    def taken(self) -> str:
        return self.moment.taken

    @property
    def encoding(self) -> str:
        return self.moment.leader.info.parameter_status("server_encoding") or "UTF8"

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
        try:
            return prove_source(
                self.moment,
                self.connect,
                key,
                probes=probes,
                jobs=jobs,
                watch=watch,
                method=method,
                sketches=sketches,
                rest=self.rest,
                cleared=cleared,
            )
        except ProgramFailedError as problem:
            if not isinstance(problem.__cause__, sqlstate.LockNotAvailable):
                raise
            who = waits.holders(self.scout, None)
            raise waits.too_long(_DEFINED, who, patience_s=self.moment.patience_s) from problem

    def awaited(self) -> bool:
        return waits.awaited(self.scout)

    def kept(self) -> Error | None:
        patience_s = self.moment.patience_s
        oids = waits.kept(self.scout, patience_s=patience_s)
        return waits.too_long(_DEFINED, waits.holders(self.scout, oids), patience_s=patience_s) if oids else None

    def tables(self) -> Mapping[int, tuple[str, str]]:
        return {each.oid: (each.schema, each.name) for each in relations.names(self.moment.leader)}

    def globals(self) -> bytes:
        with worded("read roles and settings"):
            leader = self.moment.leader
            return world.read(leader, hashes=logins.read(leader))


# ── what it is


def _old_enough(session: Session, where: str) -> None:
    if session.info.server_version // 10_000 < _OLDEST:
        version = ask(session, "SELECT current_setting('server_version')")[0][0]
        raise VersionError(
            f"{where}: PostgreSQL {version} is older than {_OLDEST}",
            hint=f"Upgrade the server to PostgreSQL {_OLDEST} or newer.",
        )


def _described(session: Session) -> SourceFacts:
    major = session.info.server_version // 10_000
    database, user, version, size, superuser = ask(
        session,
        "SELECT current_database(), current_user, current_setting('server_version'),"
        " pg_database_size(current_database()), current_setting('is_superuser') = 'on'",
    )[0]
    extensions = ask(session, "SELECT extname, extversion FROM pg_extension ORDER BY extname")
    tables = ask(
        session,
        f"SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND {relations.OURS}",
    )[0][0]
    return SourceFacts(
        database=database,
        user=user,
        version=version,
        major=major,
        identifier=_identifier(session),
        size=size,
        locale=_locale(session, major),
        extensions=tuple((name, number) for name, number in extensions),
        tables=tables,
        superuser=superuser,
        features=readiness.features(session, provider=_locale(session, major).provider),
    )


def _identifier(session: Session) -> str:
    try:
        return str(ask(session, "SELECT system_identifier FROM pg_control_system()")[0][0])
    except sqlstate.InsufficientPrivilege:
        return "not told: the role may not execute pg_control_system()"


def _locale(session: Session, major: int) -> Locale:
    provider = "datlocprovider" if major >= 15 else "'c'"  # noqa: PLR2004 – the major that brought the column
    locale = "datlocale" if major >= 17 else "daticulocale" if major >= 15 else "NULL"  # noqa: PLR2004
    encoding, letter, collate, ctype, name = ask(
        session,
        f"SELECT pg_encoding_to_char(encoding), {provider}, datcollate, datctype, {locale}"
        " FROM pg_database WHERE datname = current_database()",
    )[0]
    return Locale(
        encoding=encoding,
        provider=_PROVIDERS.get(letter) or str(letter),
        collate=collate,
        ctype=ctype,
        locale=name or "",
    )


# ── holding it still

_LOCKABLE: Final = f"""
SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {relations.OURS} AND {CARRIED} ORDER BY c.oid"""


def _moment(scout: Session, leader: Session, *, patience_s: int) -> tuple[Moment, str]:
    """Lock first, look afterwards: a TRUNCATE between snapshot and lock would empty a table that the snapshot has.

    A snapshot is taken by the first statement that needs one, and LOCK TABLE needs none. `scout` lists the tables,
    since listing by `leader` would take its snapshot too early.
    """
    for _ in range(_ATTEMPTS):
        if _locked(scout, leader, patience_s=patience_s):
            with worded("export a snapshot"):
                name, taken = ask(leader, f"SELECT pg_export_snapshot(), {INSTANT}")[0]
                if _all_locked(leader):
                    lsn = ask(
                        leader,
                        "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                        " ELSE pg_current_wal_lsn() END::text",
                    )[0][0]
                    ask(leader, "SET LOCAL lock_timeout = 0")
                    reached = sequences.read(leader)
                    return Moment(
                        leader=leader, snapshot=name, taken=taken, sequences=reached, patience_s=patience_s
                    ), lsn
        with worded("start the snapshot again"):
            leader.rollback()
    raise ProgramFailedError(
        f"tables were created, dropped or renamed during each of {_ATTEMPTS} attempts to lock them all",
        hint="Run the backup while no migration is going on.",
    )


def _locked(scout: Session, leader: Session, *, patience_s: int) -> bool:
    """Lock every table that there is; False when one went away meanwhile, or the server chose us to break a deadlock."""
    with worded("begin the snapshot"):
        ask(leader, BEGIN)
        ask(leader, f"SET LOCAL lock_timeout = '{int(patience_s)}s'")
    held: set[int] = set()
    while True:
        with worded("list the tables"):
            wanted = [row for row in ask(scout, _LOCKABLE) if row[0] not in held]
        if not wanted:
            return True
        for start in range(0, len(wanted), _LOCKED_AT_ONCE):
            part = wanted[start : start + _LOCKED_AT_ONCE]
            names = ", ".join(f"ONLY {qualified(schema, name)}" for _, schema, name in part)
            try:
                with worded("lock the tables"):
                    try:
                        ask(leader, f"LOCK TABLE {names} IN ACCESS SHARE MODE")
                    except (
                        sqlstate.UndefinedTable,
                        sqlstate.InvalidSchemaName,
                        sqlstate.WrongObjectType,
                        sqlstate.DeadlockDetected,
                    ):
                        return False
            except ProgramFailedError as problem:
                if isinstance(problem.__cause__, sqlstate.LockNotAvailable):
                    who = waits.holders(scout, [oid for oid, _, _ in part])
                    raise waits.too_long("a table", who, patience_s=patience_s) from None
                raise
            held.update(oid for oid, _, _ in part)


def _all_locked(leader: Session) -> bool:
    """Whether every table that the snapshot sees is one that is locked: names may have changed hands on the way."""
    missing = ask(
        leader,
        f"SELECT count(*) FROM ({_LOCKABLE}) t WHERE NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid()"
        " AND l.locktype = 'relation' AND l.relation = t.oid AND l.granted AND l.mode = 'AccessShareLock'"
        " AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))",
    )[0][0]
    return int(missing) == 0
