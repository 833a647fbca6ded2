"""What stands in the way of a backup of this source, all of it at once, and what was looked at and is fine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from psycopg.errors import CharacterNotInRepertoire

from attestore.adapters.postgres import mute, relations
from attestore.adapters.postgres.quoting import identifier, label
from attestore.adapters.postgres.session import Session, ask, worded
from attestore.amounts import amount
from attestore.errors import PrivilegeError, ProgramFailedError
from attestore.ports import Look

__all__ = ["CARRIED", "features", "looks"]

_NAMED: Final = 10
"""how many of several things a sentence names"""
_APART_MS: Final = 2_000
"""how far two clocks may be apart before somebody should know: the age of a backup is told from both"""

CARRIED: Final = """NOT EXISTS (
  SELECT FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    AND NOT coalesce(c.oid = ANY (e.extconfig), false))"""
"""SQL: relation `c` is not one that an extension makes anew"""

_UNREADABLE_TABLES: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {relations.OURS} AND {CARRIED}
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) ORDER BY 1, 2"""
_UNREADABLE_SEQUENCES: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {relations.OURS} AND {CARRIED}
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT')) ORDER BY 1, 2"""
_HIDDEN_ROWS: Final = f"""
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND {relations.OURS} AND {CARRIED} AND row_security_active(c.oid) ORDER BY 1, 2"""
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
_COUNTS: Final = f"""
SELECT count(*) FILTER (WHERE c.relkind IN ('r', 'p')), count(*) FILTER (WHERE c.relkind = 'S'),
       (SELECT count(*) FROM pg_largeobject_metadata)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relpersistence <> 't' AND {relations.OURS} AND {CARRIED}"""
_STANDBY: Final = """
SELECT pg_is_in_recovery(), current_setting('hot_standby_feedback') = 'on',
       current_setting('max_standby_streaming_delay')"""
_SLOTS: Final = (
    "SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'logical' AND database = current_database()"
)
_CLOCK: Final = "SELECT clock_timestamp()"
# as the session began, and pg_dump's will: ours may have said otherwise since
_FORGIVING: Final = """
SELECT name FROM pg_settings WHERE name IN ('zero_damaged_pages', 'ignore_checksum_failure') AND reset_val = 'on' ORDER BY name"""

_XML: Final = f"""
SELECT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 JOIN pg_type t ON t.oid = a.atttypid
                WHERE NOT a.attisdropped AND {relations.OURS}
                  AND 'xml'::regtype IN (t.oid, t.typbasetype, t.typelem))"""
_ICU: Final = f"""
SELECT EXISTS (SELECT FROM pg_collation k JOIN pg_namespace s ON s.oid = k.collnamespace
                WHERE k.collprovider = 'i' AND s.nspname <> 'pg_catalog')
    OR EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                 JOIN pg_collation k ON k.oid = a.attcollation
                WHERE NOT a.attisdropped AND k.collprovider = 'i' AND {relations.OURS})"""


def features(session: Session, *, provider: str) -> tuple[str, ...]:
    """What a target must have been built with to hold a copy: `icu`, `libxml`."""
    with worded("look which features the database uses"):
        found = {"icu": provider == "icu" or bool(ask(session, _ICU)[0][0]), "libxml": bool(ask(session, _XML)[0][0])}
    return tuple(name for name, used in found.items() if used)


def looks(session: Session) -> tuple[Look, ...]:
    """Everything that could make a backup of this database incomplete or stop it.

    Raises:
        UnreachableError, ProgramFailedError: the session ended meanwhile.
    """
    found: list[Look] = []
    with worded("look over the source"):
        try:
            for each in _looks(session):
                found.append(each)  # noqa: PERF402  what was seen before a refusal counts
        except CharacterNotInRepertoire:
            # a name that is no text was to be told, and is in the way already
            if not any(look.problems for look in found):
                raise
    return tuple(found)


def _looks(session: Session) -> Iterator[Look]:
    user, version, superuser = ask(
        session,
        "SELECT current_user, current_setting('server_version'), current_setting('is_superuser') = 'on'",
    )[0]
    yield Look("source", "server", f"PostgreSQL {version}")
    yield Look("source", "role", f"{user}{', a superuser' if superuser else ''}")
    named = mute.look(session)
    if named is not None:
        yield named
    yield from _readable(session, user)
    standby, feedback, delay = ask(session, _STANDBY)[0]
    unlogged = ask(session, _UNLOGGED)
    yield Look(
        "source",
        "standby",
        "yes" if standby else "no",
        (
            ProgramFailedError(
                f"the source is a standby, where {amount(len(unlogged), 'unlogged table')} cannot be read: {_named(unlogged)}",
                hint="Back up from the primary, or make the tables logged.",
            ),
        )
        if unlogged
        else (),
        advice=f"a long backup may be cancelled (hot_standby_feedback = off, max_standby_streaming_delay = {delay})"
        if standby and not feedback
        else "",
    )
    yield _locks(session)
    yield _damaged(session)
    slots = ask(session, _SLOTS)[0][0]
    yield Look(
        "source",
        "logical slots",
        f"{slots}",
        advice="replication slots are no part of any dump: make them anew after a recovery" if slots else "",
    )
    yield _clock(session)


def _readable(session: Session, user: str) -> Iterator[Look]:
    tables, sequences, blobs = ask(session, _COUNTS)[0]
    grant = f"GRANT pg_read_all_data TO {identifier(user)}, or use a role that may read everything."
    for what, seen, sql, refused, noun, hint in (
        ("tables readable", amount(tables, "table"), _UNREADABLE_TABLES, "cannot read {}", "table", grant),
        (
            "sequences readable",
            amount(sequences, "sequence"),
            _UNREADABLE_SEQUENCES,
            "cannot read {}",
            "sequence",
            grant,
        ),
        (
            "large objects readable",
            amount(blobs, "large object"),
            _UNREADABLE_OBJECTS,
            "cannot read {}",
            "large object",
            "Large objects need their owner, a GRANT each, or a superuser.",
        ),
        (
            "row level security",
            "hides no row from this role",
            _HIDDEN_ROWS,
            "may see only some rows of {} (row level security)",
            "table",
            f"ALTER ROLE {identifier(user)} BYPASSRLS, or use a role that has it.",
        ),
    ):
        found = ask(session, sql)
        problem = PrivilegeError(f"role {user} {refused.format(amount(len(found), noun))}: {_named(found)}", hint=hint)
        yield Look("source", what, seen, (problem,) if found else ())


def _locks(session: Session) -> Look:
    tables, capacity, each = ask(session, _LOCKS)[0]
    problem = ProgramFailedError(
        f"{amount(tables, 'table')} must be locked at once, and the server keeps about {amount(capacity, 'lock')}"
        f" (max_locks_per_transaction = {each})",
        hint=f"Set max_locks_per_transaction to {int(each * tables // capacity + each)} or more and restart the server.",
    )
    return Look("source", "locks", f"{tables} needed, about {capacity} kept", (problem,) if tables > capacity else ())


def _damaged(session: Session) -> Look:
    """What reads as empty at the source is equal to a copy that never had it."""
    names = " and ".join(str(name) for (name,) in ask(session, _FORGIVING))
    problem = ProgramFailedError(
        f"the source reads damaged pages as if they were sound or empty ({names} = on), so that rows which are lost would be"
        " missed by nobody",
        hint="Switch it off for this role, this database and the server (ALTER … RESET), and see what reading says then.",
    )
    return Look("source", "damaged pages", "are errors", (problem,) if names else ())


def _clock(session: Session) -> Look:
    """The age of a backup is told by the source's clock and ours, so they should agree."""
    before = datetime.now(tz=UTC)
    told: Any = ask(session, _CLOCK)[0][0]
    after = datetime.now(tz=UTC)
    middle = before + (after - before) / 2
    apart = round((told.astimezone(UTC) - middle).total_seconds() * 1000)
    off = max(0, abs(apart) - round((after - before).total_seconds() * 500))
    return Look(
        "source",
        "clock",
        f"{'ahead of' if apart > 0 else 'behind'} this machine's by {off} ms" if off else "agrees with this machine's",
        advice="the age of a backup (RPO) is told by both clocks: synchronise them" if off > _APART_MS else "",
    )


def _named(found: Sequence[tuple[str, ...]]) -> str:
    names = ", ".join(label(schema, name) for schema, name in found[:_NAMED])
    return names if len(found) <= _NAMED else f"{names} and {len(found) - _NAMED} more"
