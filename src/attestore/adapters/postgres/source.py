"""The database under care: described, looked over for everything that stands in the way, and held still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from psycopg import errors as sqlstate

from attestore.adapters.postgres import relations, sequences, world
from attestore.adapters.postgres.crew import BEGIN
from attestore.adapters.postgres.dsn import Environment
from attestore.adapters.postgres.prove import INSTANT, Moment, prove_source
from attestore.adapters.postgres.quoting import identifier, label, qualified
from attestore.adapters.postgres.session import Session, ask, connect, opened, worded
from attestore.errors import Error, PreflightError, PrivilegeError, ProgramFailedError, VersionError
from attestore.evidence import Locale
from attestore.gate import Probe
from attestore.ports import Snapshot, SourceFacts, Watcher
from attestore.proof import Proof

__all__ = ["PgSource"]

_OLDEST: Final = 13
_NAMED: Final = 10
"""how many of several things a sentence names"""
_LOCKED_AT_ONCE: Final = 200
_ATTEMPTS: Final = 10
_PROVIDERS: Final = {"c": "libc", "i": "icu", "b": "builtin"}


class PgSource:
    """One PostgreSQL database, read only.

    `patience_s` is how long the snapshot waits for a lock that somebody else holds.
    """

    def __init__(self, environment: Environment, *, patience_s: int = 30) -> None:
        self._environment = environment
        self._patience_s = patience_s

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
        try:
            with opened(self._environment) as session:
                _old_enough(session, self._environment.label)
                return tuple(_problems(session))
        except PreflightError as several:
            return several.problems
        except Error as problem:
            return (problem,)

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
        with opened(self._environment) as scout, opened(self._environment) as leader:
            moment, lsn = _moment(scout, leader, patience_s=self._patience_s)
            yield _Snapshot(moment=moment, lsn=lsn, environment=self._environment)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The exported snapshot of a leading session, with every table locked."""

    moment: Moment
    lsn: str
    environment: Environment

    @property
    def name(self) -> str:
        return self.moment.snapshot

    @property
    def taken(self) -> str:
        return self.moment.taken

    def prove(self, key: bytes, *, probes: Sequence[Probe], jobs: int, watch: Watcher) -> Proof:
        return prove_source(self.moment, partial(connect, self.environment), key, probes=probes, jobs=jobs, watch=watch)

    def globals(self) -> bytes:
        with worded("read roles and settings"):
            return world.read(self.moment.leader)


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


# ── what stands in its way

_CARRIED: Final = """NOT EXISTS (
  SELECT FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    AND NOT coalesce(c.oid = ANY (e.extconfig), false))"""
"""SQL: relation `c` is not one that an extension makes anew"""

_UNREADABLE_TABLES: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {relations.OURS} AND {_CARRIED}
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) ORDER BY 1, 2"""
_UNREADABLE_SEQUENCES: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {relations.OURS} AND {_CARRIED}
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT')) ORDER BY 1, 2"""
_HIDDEN_ROWS: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND {relations.OURS} AND {_CARRIED} AND row_security_active(c.oid) ORDER BY 1, 2"""
_UNREADABLE_OBJECTS: Final = """
SELECT 'large object', m.oid::text FROM pg_largeobject_metadata m
WHERE current_setting('is_superuser') <> 'on' AND current_setting('lo_compat_privileges') <> 'on'
  AND NOT pg_has_role(m.lomowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM aclexplode(m.lomacl) x WHERE x.privilege_type = 'SELECT'
                  AND (x.grantee = 0 OR pg_has_role(x.grantee, 'USAGE'))) ORDER BY m.oid"""
_UNLOGGED: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE pg_is_in_recovery() AND c.relkind = 'r' AND c.relpersistence = 'u' AND {relations.OURS} ORDER BY 1, 2"""
_LOCKS: Final = f"""
SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {relations.OURS}),
       sum(setting::int8) FILTER (WHERE name <> 'max_locks_per_transaction')
       * sum(setting::int8) FILTER (WHERE name = 'max_locks_per_transaction'),
       sum(setting::int8) FILTER (WHERE name = 'max_locks_per_transaction')
FROM pg_settings WHERE name IN ('max_locks_per_transaction', 'max_connections', 'max_prepared_transactions',
                                'autovacuum_max_workers', 'max_worker_processes', 'max_wal_senders')"""


def _problems(session: Session) -> Iterator[Error]:
    with worded("look over the source"):
        user = ask(session, "SELECT current_user")[0][0]
        grant = f"GRANT pg_read_all_data TO {identifier(user)}, or use a role that may read everything."
        for sql, what, hint in (
            (_UNREADABLE_TABLES, "cannot read {} tables", grant),
            (_UNREADABLE_SEQUENCES, "cannot read {} sequences", grant),
            (
                _UNREADABLE_OBJECTS,
                "cannot read {} large objects",
                "Large objects need their owner, a GRANT each, or a superuser.",
            ),
            (
                _HIDDEN_ROWS,
                "may see only some rows of {} tables (row level security)",
                f"ALTER ROLE {identifier(user)} BYPASSRLS, or use a role that has it.",
            ),
        ):
            found = ask(session, sql)
            if found:
                yield PrivilegeError(f"role {user} {what.format(len(found))}: {_named(found)}", hint=hint)
        unlogged = ask(session, _UNLOGGED)
        if unlogged:
            yield ProgramFailedError(
                f"the source is a standby, where {len(unlogged)} unlogged tables cannot be read: {_named(unlogged)}",
                hint="Back up from the primary, or make the tables logged.",
            )
        tables, capacity, each = ask(session, _LOCKS)[0]
        if tables > capacity:
            yield ProgramFailedError(
                f"{tables} tables must be locked at once, and the server keeps about {capacity} locks"
                f" (max_locks_per_transaction = {each})",
                hint=f"Set max_locks_per_transaction to {int(each * tables // capacity + each)} or more and restart the server.",
            )


def _named(found: Sequence[tuple[str, ...]]) -> str:
    names = ", ".join(label(schema, name) for schema, name in found[:_NAMED])
    return names if len(found) <= _NAMED else f"{names} and {len(found) - _NAMED} more"


# ── holding it still

_LOCKABLE: Final = f"""
SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {relations.OURS} AND {_CARRIED} ORDER BY c.oid"""
_BLOCKERS: Final = """
SELECT DISTINCT format('process %s (%s, %s, since %s) holds %s on %s', l.pid, coalesce(s.usename, '?'),
       coalesce(nullif(s.application_name, ''), 'no application name'),
       coalesce(to_char(s.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), '?'), l.mode,
       l.relation::regclass)
FROM pg_locks l LEFT JOIN pg_stat_activity s ON s.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock' AND l.relation = ANY ($1::oid[])
ORDER BY 1 LIMIT 3"""


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
                    return Moment(leader=leader, snapshot=name, taken=taken, sequences=sequences.read(leader)), lsn
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
                    raise _blocked(scout, [oid for oid, _, _ in part], patience_s=patience_s) from None
                raise
            held.update(oid for oid, _, _ in part)


def _blocked(scout: Session, oids: list[int], *, patience_s: int) -> Error:
    with worded("find who holds the lock"):
        holders = [str(row[0]) for row in ask(scout, _BLOCKERS, (oids,))]
    who = "; ".join(holders) or "somebody held it until just now"
    return ProgramFailedError(
        f"a table could not be locked within {patience_s} s: {who}",
        hint="Wait for that transaction, or end it with pg_terminate_backend.",
    )


def _all_locked(leader: Session) -> bool:
    """Whether every table that the snapshot sees is one that is locked: names may have changed hands on the way."""
    missing = ask(
        leader,
        f"SELECT count(*) FROM ({_LOCKABLE}) t WHERE NOT EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid()"
        " AND l.locktype = 'relation' AND l.relation = t.oid AND l.granted AND l.mode = 'AccessShareLock'"
        " AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))",
    )[0][0]
    return int(missing) == 0
