"""Triggers, fired: each one's event is caused on an existing row, and the executor says whether it was called.

EXPLAIN ANALYZE counts the calls of every trigger by its own name, whatever the function does. For TRUNCATE and for
event triggers, which EXPLAIN does not know, the server's count of function calls tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from attestore.adapters.postgres.exercise import candidates, tables
from attestore.adapters.postgres.exercise.ground import Budget, Ground, Refusal, lost, refusal, silence
from attestore.adapters.postgres.exercise.obstacles import drop
from attestore.adapters.postgres.exercise.tables import Table
from attestore.adapters.postgres.objects import catalogue
from attestore.proof import Did, Exercise

__all__ = ["exercise"]

_UNTIMED: Final = ("statement_timeout", "0")
_COUNTED: Final = ("track_functions", "all")
_IN_THE_WAY: Final = 8
_MOST: Final = 60
"""alterations that are tried until a condition is met"""
_PER_COLUMN: Final = 10

_ROW, _BEFORE, _INSERT, _DELETE, _UPDATE, _TRUNCATE, _INSTEAD = 1, 2, 4, 8, 16, 32, 64
"""pg_trigger.tgtype"""

# The copy of a trigger in a partition is called in its root's name.
_TRIGGERS: Final = """
SELECT r.oid::int8, r.identity || '.' || quote_ident(t.tgname), t.tgname::text, t.tgtype::int4, t.tgenabled::text,
       t.tgattr::text, coalesce((regexp_match(pg_get_triggerdef(t.oid, true), ' WHEN \\((.*)\\) EXECUTE '))[1], ''),
       t.tgfoid::int8, p.proname::text, l.lanname::text
  FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
  JOIN pg_language l ON l.oid = p.prolang
 WHERE NOT t.tgisinternal AND t.tgparentid = 0
 ORDER BY r.identity COLLATE "C", t.tgname COLLATE "C"
"""

_FOREIGN: Final = """
SELECT k.conrelid::regclass::text, k.conname::text FROM pg_constraint k
 WHERE k.contype = 'f' AND k.confrelid = %s AND k.conparentid = 0
"""

_EVENTS: Final = """
SELECT e.evtname::text, e.evtevent::text, e.evtenabled::text, coalesce(e.evttags, '{}')::text[], e.evtfoid::int8,
       p.proname::text
  FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid
 WHERE NOT EXISTS (SELECT FROM owned_by_extension o WHERE o.classid = 'pg_event_trigger'::regclass AND o.objid = e.oid)
 ORDER BY e.evtname COLLATE "C"
"""

_CALLS: Final = "SELECT coalesce(pg_catalog.pg_stat_get_xact_function_calls(%s), 0)"

_PROGRAMME: Final = (
    ("CREATE TABLE", "CREATE TEMPORARY TABLE attestore_exercise (a int4)", "ddl"),
    ("ALTER TABLE", "ALTER TABLE pg_temp.attestore_exercise ALTER COLUMN a TYPE text USING a::text", "table_rewrite"),
    ("CREATE INDEX", "CREATE INDEX attestore_exercise_a ON pg_temp.attestore_exercise (a)", "ddl"),
    ("COMMENT", "COMMENT ON TABLE pg_temp.attestore_exercise IS 'exercise'", "ddl"),
    ("GRANT", "GRANT SELECT ON pg_temp.attestore_exercise TO PUBLIC", "ddl"),
    ("REVOKE", "REVOKE SELECT ON pg_temp.attestore_exercise FROM PUBLIC", "ddl"),
    ("CREATE VIEW", "CREATE TEMPORARY VIEW attestore_exercise_v AS SELECT 1 AS a", "ddl"),
    ("DROP VIEW", "DROP VIEW pg_temp.attestore_exercise_v", "sql_drop"),
    ("DROP INDEX", "DROP INDEX pg_temp.attestore_exercise_a", "sql_drop"),
    ("DROP TABLE", "DROP TABLE pg_temp.attestore_exercise", "sql_drop"),
    ("CREATE SEQUENCE", "CREATE TEMPORARY SEQUENCE attestore_exercise_s", "ddl"),
    (
        "CREATE FUNCTION",
        "CREATE FUNCTION pg_temp.attestore_exercise_f() RETURNS int4 LANGUAGE sql AS 'SELECT 1'",
        "ddl",
    ),
    ("DROP FUNCTION", "DROP FUNCTION pg_temp.attestore_exercise_f()", "sql_drop"),
    ("CREATE TYPE", "CREATE TYPE pg_temp.attestore_exercise_t AS (a int4)", "ddl"),
    ("CREATE SCHEMA", "CREATE SCHEMA attestore_exercise", "ddl"),
    ("DROP SCHEMA", "DROP SCHEMA attestore_exercise", "sql_drop"),
)
"""statements of many tags, with the rarest event that each causes"""


@dataclass(frozen=True, slots=True)
class _Trigger:
    """One trigger as the catalogue has it."""

    subject: str
    name: str
    kind: int
    enabled: str
    columns: tuple[int, ...]
    condition: str
    function: int
    called: str
    """the function's name"""
    language: str

    @property
    def rowwise(self) -> bool:
        """Whether it wants a row."""
        return bool(self.kind & _ROW)

    @property
    def events(self) -> tuple[str, ...]:
        """Its events, in words."""
        bits = (("UPDATE", _UPDATE), ("INSERT", _INSERT), ("DELETE", _DELETE), ("TRUNCATE", _TRUNCATE))
        return tuple(word for word, bit in bits if self.kind & bit)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One event, caused or not."""

    came: bool
    calls: int
    refused: str = ""
    """SQLSTATE with which the trigger's own function ended"""
    why_not: str = ""


def exercise(ground: Ground, budget: Budget, known: Mapping[int, Table]) -> list[Exercise]:
    """Every trigger and event trigger once: fired, silent, or why only its definition was compared.

    `known` are all tables and views by their OID.
    """
    with ground.rolled_back(_UNTIMED) as cursor:
        listed: list[tuple[Table, _Trigger]] = []
        elsewhere: list[Exercise] = []
        for oid, subject, name, kind, enabled, columns, condition, function, called, language in catalogue.ask(
            cursor, _TRIGGERS
        ):
            if oid not in known:
                elsewhere.append(Exercise("trigger", subject, Did.COMPARED, "its table keeps its rows elsewhere"))
            else:
                numbers = tuple(int(number) for number in columns.split())
                why = condition or _unsure(known[oid], kind, numbers)
                trigger = _Trigger(subject, name, kind, enabled, numbers, why, function, called, language)
                listed.append((known[oid], trigger))
        events = catalogue.ask(cursor, _EVENTS)
    return [
        *elsewhere,
        *(_tried(ground, budget, table=table, trigger=trigger) for table, trigger in listed),
        *(_event(ground, budget, row) for row in events),
    ]


def _unsure(table: Table, kind: int, columns: tuple[int, ...]) -> str:
    """Why a trigger may rightly stay quiet although it has no condition of its own: a comment in SQL, or nothing."""
    if table.kind == "v" and (table.rules or not kind & _ROW):
        return "/* what the view's rules and INSTEAD OF triggers make of it */"
    if any(table.columns[number].computed for number in columns if number in table.columns):
        return "/* an update of what the server computes */"
    return ""


def _tried(ground: Ground, budget: Budget, *, table: Table, trigger: _Trigger) -> Exercise:
    if budget.spent():
        return Exercise("trigger", trigger.subject, Did.COMPARED, budget.words)
    fired: list[str] = []
    silent: list[str] = []
    notes: list[str] = []
    for event in trigger.events:
        role = ("session_replication_role", "replica" if trigger.enabled == "R" else "origin")
        try:
            with ground.rolled_back(role, _COUNTED) as cursor:
                seen = _caused(cursor, table, trigger, event=event)
        except psycopg.Error as problem:
            seen = _Seen(came=False, calls=0, why_not=lost(problem))
        if seen.calls or seen.refused:
            fired.append(event + (f", which it refused with SQLSTATE {seen.refused}" if seen.refused else ""))
        elif seen.came and not trigger.condition:
            silent.append(event)
        else:
            notes.append(f"{event}: {seen.why_not or 'no row that meets its condition could be derived'}")
    return Exercise("trigger", trigger.subject, *_outcome(trigger, fired=fired, silent=silent, notes=notes))


def _outcome(trigger: _Trigger, *, fired: list[str], silent: list[str], notes: list[str]) -> tuple[Did, str]:
    if trigger.enabled == "D":
        if fired:
            return Did.SILENT, f"disabled, and called on {'; '.join(fired)}"
        return (
            (Did.QUIET, f"disabled: not called on {', '.join(silent)}") if silent else (Did.COMPARED, "; ".join(notes))
        )
    if silent:
        return Did.SILENT, f"not called on {', '.join(silent)}"
    if fired:
        return Did.FIRED, "; ".join([f"on {', '.join(fired)}", *notes])
    return Did.COMPARED, "; ".join(notes)


def _caused(cursor: psycopg.Cursor[TupleRow], table: Table, trigger: _Trigger, *, event: str) -> _Seen:
    """The event, with every other trigger of the table asleep."""
    silence(cursor)
    name = sql.Identifier(table.schema, table.name)
    # triggers and rules of a view can't be put to sleep
    for other in table.triggers if table.kind != "v" else ():
        if other != trigger.name:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(name, sql.Identifier(other)))
    for rule in table.rules if table.kind != "v" else ():
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE RULE {}").format(name, sql.Identifier(rule)))
    if event == "TRUNCATE":
        return _truncated(cursor, table, trigger)
    if trigger.rowwise and table.kind != "v" and not tables.places(cursor, table, only=True):
        return _Seen(came=False, calls=0, why_not="the table is empty")
    last = _Seen(came=False, calls=0, why_not="no statement could be derived")
    came = False
    for statement in islice(_statements(cursor, table, trigger, event=event), _MOST):
        last = _explained(cursor, statement, trigger=trigger)
        if last.calls or last.refused:
            return last
        came = came or last.came
        if came and not trigger.condition:
            break
    return _Seen(came=came, calls=0, why_not="" if came else last.why_not)


def _statements(cursor: psycopg.Cursor[TupleRow], table: Table, trigger: _Trigger, *, event: str) -> Iterator[str]:
    """What causes the event on one row; a trigger per statement is content with none."""
    where = "false"
    place = None
    if table.kind == "v":
        where = f"t = (SELECT x FROM {table.identity} x LIMIT 1)"
    elif trigger.rowwise:
        place = tables.places(cursor, table, only=True)[0]
        where = place.sql
    match event:
        case "DELETE":
            yield tables.deleting(table, where)
        case "INSERT":
            yield from _inserts(table, trigger, place=place, where=where)
        case _:
            yield from _updates(table, trigger, where=where)


def _updates(table: Table, trigger: _Trigger, *, where: str) -> Iterator[str]:
    """A column to itself; where a condition wants more, to other values."""
    plain = sorted(table.stored, key=lambda column: (column.unique, column.number))
    wanted = [c for c in plain if c.number in trigger.columns] or plain
    if wanted:
        yield tables.updating(table, where, {wanted[0].number: f"t.{wanted[0].sql}"})
    for changes in _conditions(table, trigger, wanted=wanted):
        yield tables.updating(table, where, changes)


def _inserts(table: Table, trigger: _Trigger, *, place: tables.Place | None, where: str) -> Iterator[str]:
    """A copy of a row with new keys where they have defaults; where a condition wants more, with other values."""
    fresh = tuple(column.number for column in table.stored if column.unique and column.defaulted)
    if place is None:
        yield tables.inserting(table, where, {})
        return
    yield tables.inserting(table, place.sql, {}, without=fresh)
    for changes in _conditions(table, trigger, wanted=list(table.stored)):
        yield tables.inserting(table, place.sql, changes, without=tuple(n for n in fresh if n not in changes))


def _conditions(table: Table, trigger: _Trigger, *, wanted: list[tables.Column]) -> Iterator[Mapping[int, str]]:
    if not trigger.condition:
        return
    named = [column for column in table.stored if column.name in trigger.condition]
    for column in named or wanted:
        values = candidates.values(column.base, rule=trigger.condition, labels=column.labels)
        quoted = [value for value in values if value in trigger.condition]
        if column.nullable:
            yield {column.number: f"NULL::{column.type}"}
        for value in [*quoted, *values][:_PER_COLUMN]:
            yield {column.number: f"{value}::{column.type}"}


def _explained(cursor: psycopg.Cursor[TupleRow], statement: str, *, trigger: _Trigger) -> _Seen:
    """The statement carried out and rolled back, with what the executor counted."""

    def carried_out() -> _Seen:
        row = cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON) {statement}".encode()).fetchall()[
            0
        ]
        told: Any = row[0] if isinstance(row[0], list) else json.loads(row[0])
        # a rewrite rule can make one statement none, or several
        called = [
            each for plan in told for each in plan.get("Triggers", ()) if each.get("Trigger Name") == trigger.name
        ]
        touched = sum(float(e.get("Actual Rows", 0)) for plan in told for e in plan.get("Plan", {}).get("Plans", ()))
        calls = sum(int(each.get("Calls", 0)) for each in called)
        return _Seen(came=touched > 0 or not trigger.rowwise, calls=calls)

    return _unhindered(cursor, carried_out, trigger=trigger)


def _truncated(cursor: psycopg.Cursor[TupleRow], table: Table, trigger: _Trigger) -> _Seen:
    """TRUNCATE, with the foreign keys that would forbid it dropped."""
    if trigger.language == "internal":
        return _Seen(came=False, calls=0, why_not="the server does not count calls of its own functions")

    def carried_out() -> _Seen:
        for child, key in cursor.execute(_FOREIGN.encode(), (table.oid,)).fetchall():
            cursor.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(child), sql.Identifier(key)))
        before = cursor.execute(_CALLS.encode(), (trigger.function,)).fetchall()[0][0]
        cursor.execute(f"TRUNCATE {table.only}".encode())
        after = cursor.execute(_CALLS.encode(), (trigger.function,)).fetchall()[0][0]
        return _Seen(came=True, calls=after - before)

    return _unhindered(cursor, carried_out, trigger=trigger)


def _unhindered(cursor: psycopg.Cursor[TupleRow], carry_out: Callable[[], _Seen], *, trigger: _Trigger) -> _Seen:
    """What was seen, after constraints that forbid the event were taken out of the way inside the same savepoint.

    An error in the trigger's own function says that it was called.

    Raises:
        psycopg.Error: the session was lost.
    """
    cleared: list[str] = []
    while True:
        try:
            with cursor.connection.transaction(force_rollback=True):
                for statement in cleared:
                    cursor.execute(statement.encode(), binary=True)
                return carry_out()
        except psycopg.Error as problem:
            if cursor.connection.closed:
                raise
            why = refusal(problem)
        if _within(why, trigger.called):
            return _Seen(came=True, calls=0, refused=why.state)
        obstacle = drop(cursor, why) if why.integrity and len(cleared) < _IN_THE_WAY else None
        if obstacle is None or obstacle in cleared:
            return _Seen(came=False, calls=0, why_not=why.words)
        cleared.append(obstacle)


def _within(why: Refusal, function: str) -> bool:
    """Whether the error came out of the function: the server's context says where it was."""
    return re.search(rf'function (?:[^\s(]+\.)?"?{re.escape(function)}"?[\s(]', why.context) is not None


def _event(ground: Ground, budget: Budget, row: TupleRow) -> Exercise:
    name, event, enabled, tags, function, called = row
    if budget.spent():
        return Exercise("event trigger", name, Did.COMPARED, budget.words)
    if event not in {"ddl_command_start", "ddl_command_end", "sql_drop", "table_rewrite"}:
        return Exercise("event trigger", name, Did.COMPARED, f"{event} can't be caused inside a transaction")
    settings = [("session_replication_role", "replica" if enabled == "R" else "origin"), _COUNTED]
    try:
        with ground.rolled_back(*settings) as cursor:
            silence(cursor, spare=name)
            # PostgreSQL 17 and newer keep every event trigger of a scratch copy quiet until here
            cursor.execute(
                "SELECT pg_catalog.set_config('event_triggers', 'on', true) FROM pg_catalog.pg_settings"
                " WHERE name = 'event_triggers'"
            )
            silence(cursor, spare=name)
            seen, tag = _programme(cursor, event=event, tags=tags, function=function, called=called)
    except psycopg.Error as problem:
        seen, tag = _Seen(came=False, calls=0, why_not=lost(problem)), ""
    fired = seen.calls > 0 or bool(seen.refused)
    if enabled == "D":
        did = Did.SILENT if fired else Did.QUIET if seen.came else Did.COMPARED
    else:
        did = Did.FIRED if fired else Did.SILENT if seen.came else Did.COMPARED
    refused = f", which it refused with SQLSTATE {seen.refused}" if seen.refused else ""
    return Exercise("event trigger", name, did, f"on {tag}{refused}" if tag else seen.why_not)


def _programme(
    cursor: psycopg.Cursor[TupleRow], *, event: str, tags: list[str], function: int, called: str
) -> tuple[_Seen, str]:
    """Definitions are made and dropped until one causes the event."""
    tag = ""
    try:
        with cursor.connection.transaction(force_rollback=True):
            for tag, statement, rarest in _PROGRAMME:
                before = cursor.execute(_CALLS.encode(), (function,)).fetchall()[0][0]
                cursor.execute(statement.encode())
                calls = cursor.execute(_CALLS.encode(), (function,)).fetchall()[0][0] - before
                comes = (event.startswith("ddl") or event == rarest) and (not tags or tag in tags)
                if calls or comes:
                    return _Seen(came=comes, calls=calls), tag
    except psycopg.Error as problem:
        if cursor.connection.closed:
            raise
        why = refusal(problem)
        if _within(why, called):
            return _Seen(came=True, calls=0, refused=why.state), tag
        return _Seen(came=False, calls=0, why_not=why.words), ""
    return _Seen(came=False, calls=0, why_not=f"no statement of {', '.join(tags)} could be tried"), ""
