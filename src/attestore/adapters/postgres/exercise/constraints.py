"""Constraints, exercised: each is offered a row that it forbids, and must refuse it in its own name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from attestore.adapters.postgres import keys
from attestore.adapters.postgres.exercise import candidates, tables
from attestore.adapters.postgres.exercise.ground import Budget, Ground, Refusal, attempt, lost, silence
from attestore.adapters.postgres.exercise.obstacles import drop
from attestore.adapters.postgres.exercise.tables import Column, Place, Table
from attestore.adapters.postgres.exercise.volley import fired
from attestore.adapters.postgres.keys import Key
from attestore.adapters.postgres.objects import catalogue
from attestore.proof import Did, Exercise

__all__ = ["Declared", "exercise", "read"]

_MOST: Final = 250
"""alterations that are looked at for one constraint"""
_FEW: Final = 8
"""values of each of two columns that are combined"""
_BLIND: Final = 12
"""alterations that are tried although nobody could say beforehand whether they violate"""
_IN_THE_WAY: Final = 6
"""other constraints that are taken out of the way, inside the same transaction, until one's own speaks"""

_ROUNDS: Final = ((0, 3), (3, 24))
"""alterations that are offered in volleys: first the likeliest of every rule, then more where they were taken"""

_NULL: Final = "23502"
"""SQLSTATE not_null_violation"""

_UNTIMED: Final = ("statement_timeout", "0")

# Partitions repeat what their root declares, and are tried through it. What a plain child inherits is its own.
_RULES: Final = """
SELECT r.oid::int8, k.oid::int8, k.contype::text, k.conname::text, r.identity || '.' || quote_ident(k.conname),
       coalesce(k.conkey, '{}')::int4[], k.conindid::int8,
       CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) ELSE '' END,
       coalesce(to_jsonb(k) ->> 'conenforced', 'true') = 'true',
       CASE WHEN k.contype = 'x' THEN
         (SELECT string_agg(format('(%1$s OPERATOR(%2$I.%3$s) %1$s)', pg_get_indexdef(k.conindid, u.place::int, true),
                                   n.nspname, o.oprname), ' AND ')
            FROM unnest(k.conexclop) WITH ORDINALITY u(operator, place)
            JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace n ON n.oid = o.oprnamespace) ELSE '' END
  FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid
 WHERE k.contype IN ('c', 'p', 'u', 'f', 'x') AND k.conparentid = 0
   AND NOT (r.relispartition AND k.coninhcount > 0)
 ORDER BY k.conislocal DESC, k.contype, k.conname COLLATE "C"
"""

_INDEXES: Final = """
SELECT t.oid::int8, x.indexrelid::int8, c.relname::text, i.identity,
       x.indisvalid AND x.indisready, coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
       coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::bool, false),
       ARRAY(SELECT pg_get_indexdef(x.indexrelid, p, true) FROM generate_series(1, x.indnkeyatts) p),
       EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')),
       i.relispartition
  FROM pg_index x JOIN relation t ON t.oid = x.indrelid JOIN relation i ON i.oid = x.indexrelid
  JOIN pg_class c ON c.oid = x.indexrelid
 WHERE t.relkind IN ('r', 'p')
   AND (x.indisunique OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')))
 ORDER BY i.identity COLLATE "C"
"""

_NOT_NULLS: Final = """
SELECT r.oid::int8, a.attnum::int4, r.identity || '.' || quote_ident(a.attname)
  FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
 WHERE r.relkind IN ('r', 'p') AND NOT (r.relispartition AND a.attinhcount > 0)
 ORDER BY r.identity COLLATE "C", a.attnum
"""

_DOMAINS: Final = """
SELECT t.oid::regtype::text, n.nspname::text, t.typname::text, b.typname::text, t.typbasetype::regtype::text,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder),
       k.conname::text, pg_get_expr(k.conbin, 0), t.typnotnull,
       t.oid::regtype::text || '.' || quote_ident(k.conname)
  FROM pg_type t JOIN space s ON s.oid = t.typnamespace JOIN pg_namespace n ON n.oid = t.typnamespace
  JOIN pg_type b ON b.oid = t.typbasetype
  LEFT JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'c'
 WHERE t.typtype = 'd' AND (k.oid IS NOT NULL OR t.typnotnull)
   AND t.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_type'::regclass)
 ORDER BY 1, k.conname COLLATE "C"
"""

_CLONES: Final = """
WITH RECURSIVE below(oid) AS (
  SELECT {root}::oid UNION ALL SELECT k.oid FROM pg_catalog.pg_constraint k JOIN below b ON k.conparentid = b.oid)
SELECT k.conname::text FROM pg_catalog.pg_constraint k JOIN below b ON b.oid = k.oid
"""

_INDEX_CLONES: Final = """
SELECT c.relname::text FROM pg_catalog.pg_partition_tree({root}) p JOIN pg_catalog.pg_class c ON c.oid = p.relid
"""

_KINDS: Final = {"c": "check", "p": "primary key", "u": "unique", "f": "foreign key", "x": "exclusion"}


@dataclass(frozen=True, slots=True)
class _Rule:
    """One constraint of a table, and all that is needed to violate it."""

    kind: str
    subject: str
    name: str
    names: frozenset[str]
    """by which it may refuse: its own name, and those of its copies in partitions"""
    stands: str
    """SQL that fails when it is no longer there"""
    columns: tuple[int, ...] = ()
    expression: str = ""
    conflict: str = ""
    """SQL, true of a row that conflicts with a copy of itself"""
    key: Key | None = None
    hindrance: str = ""
    """why it is not exercised; empty when it is"""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a database declares of its rows, and the tables that hold them."""

    tables: Mapping[int, Table]
    """by OID"""
    rules: Mapping[int, list[_Rule]]
    """by the OID of their table"""
    domains: list[TupleRow]


def read(ground: Ground) -> Declared:
    """Every constraint that there is to try.

    Raises:
        psycopg.Error: the catalogue can't be read.
    """
    with ground.rolled_back(_UNTIMED) as cursor:
        known = tables.read(cursor)
        rules = _rules(cursor, known, major=ground.major)
        return Declared(known, rules, catalogue.ask(cursor, _DOMAINS))


def exercise(ground: Ground, budget: Budget, declared: Declared, *, jobs: int = 1) -> list[Exercise]:
    """Every constraint of tables and domains, once: refused, accepted, or why only its definition was compared.

    Most refuse the row that comes to mind first: those are asked in volleys, over `jobs` sessions. What that does not
    settle is tried alone, table by table.
    """
    known, rules = declared.tables, declared.rules
    settled = _settled(ground, budget, known=known, rules=rules, jobs=jobs)
    found = [Exercise(rule.kind, rule.subject, Did.REFUSED, "") for rule in settled]
    done = {(rule.kind, rule.subject) for rule in settled}
    for oid, table in known.items():
        left = [rule for rule in rules.get(oid, []) if (rule.kind, rule.subject) not in done]
        found += _tried(ground, budget, table=table, rules=left)
    return [*found, *_domains(ground, budget, declared.domains)]


def _rules(cursor: psycopg.Cursor[TupleRow], known: Mapping[int, Table], *, major: int) -> dict[int, list[_Rule]]:
    conflicts: dict[int, tuple[str, bool]] = {}
    rules: dict[int, list[_Rule]] = {}
    for oid, index, name, identity, valid, predicate, equal, expressions, backed, clone in catalogue.ask(
        cursor, _INDEXES
    ):
        present = [] if equal else [f"({expression}) IS NOT NULL" for expression in expressions]
        conflicts[index] = (" AND ".join([*present, *([f"({predicate})"] if predicate else [])]) or "true", valid)
        if not backed and not clone and oid in known:
            rules.setdefault(oid, []).append(
                _Rule(
                    kind="unique index",
                    subject=identity,
                    name=name,
                    names=_names(cursor, known[oid], name, _INDEX_CLONES.format(root=index)),
                    stands=f"SELECT 1 / count(*) FROM pg_catalog.pg_class WHERE oid = {index}",
                    conflict=conflicts[index][0],
                    hindrance="" if valid else "the index is not valid",
                )
            )  # fmt: skip
    foreign = {(key.schema, key.table, key.name): key for key in keys.read(cursor.connection, major=major)}
    for oid, number, kind, name, subject, columns, index, expression, enforced, reflexive in catalogue.ask(
        cursor, _RULES
    ):
        if oid not in known:
            continue
        table = known[oid]
        conflict, valid = conflicts.get(index, ("", True)) if kind in "pux" else ("", True)
        rules.setdefault(oid, []).append(
            _Rule(
                kind=_KINDS[kind],
                subject=subject,
                name=name,
                names=_names(cursor, table, name, _CLONES.format(root=number)),
                stands=f"SELECT 1 / count(*) FROM pg_catalog.pg_constraint WHERE oid = {number}",
                columns=tuple(columns),
                expression=expression,
                conflict=f"{reflexive} AND {conflict}" if reflexive else conflict,
                key=foreign.get((table.schema, table.name, name)),
                hindrance="" if enforced and valid else "NOT ENFORCED" if not enforced else "its index is not valid",
            )
        )
    for oid, number, subject in catalogue.ask(cursor, _NOT_NULLS):
        if oid in known and number in known[oid].columns:
            column = known[oid].columns[number]
            rules.setdefault(oid, []).append(
                _Rule(
                    kind="not null",
                    subject=subject,
                    name=column.name,
                    names=frozenset({column.name}),
                    stands=f"SELECT 1 / count(*) FROM pg_catalog.pg_attribute"
                    f" WHERE attrelid = {oid} AND attnum = {number} AND attnotnull",
                    columns=(number,),
                    hindrance="its column is computed by the server" if column.computed else "",
                )
            )
    return rules


def _names(cursor: psycopg.Cursor[TupleRow], table: Table, name: str, clones: str) -> frozenset[str]:
    if table.kind != "p":
        return frozenset({name})
    return frozenset({name, *(str(row[0]) for row in cursor.execute(clones.encode()).fetchall())})


def _settled(
    ground: Ground, budget: Budget, *, known: Mapping[int, Table], rules: Mapping[int, list[_Rule]], jobs: int
) -> list[_Rule]:
    """The rules that refused, each in its own name, a row that was offered in a volley.

    Only plain tables on which nothing but constraints stands between a row and the table: no trigger, no rule.
    """
    if budget.spent():
        return []
    asked = [
        (table, rule)
        for oid, table in known.items()
        if table.kind == "r" and not table.triggers and not table.rules
        for rule in rules.get(oid, [])
        if not rule.hindrance
    ]
    settled: dict[int, _Rule] = {}
    for first, last in _ROUNDS:
        shots = [
            (number, offer)
            for number, (table, rule) in enumerate(asked)
            if number not in settled
            for offer in islice(_offers(table, rule), first, last)
        ]
        for number, refusal in fired(ground.connect, shots, jobs=jobs, budget=budget):
            table, rule = asked[number]
            if _refused(refusal, rule=rule, table=table):
                settled[number] = rule
    return list(settled.values())


def _offers(table: Table, rule: _Rule) -> Iterator[str]:
    """SQL that offers a row which the rule ought to refuse, the likeliest first; it needs to know nothing beforehand."""
    match rule.kind:
        case "not null":
            number = rule.columns[0]
            yield tables.copying(table, {number: f"NULL::{table.columns[number].type}"})
        case "check":
            yield from (tables.copying(table, changes) for changes in _alterations(table, rule))
        case "foreign key":
            if rule.key is not None:
                columns = _referring(table, rule.key)
                present = " AND ".join(f"t.{column.sql} IS NOT NULL" for column in columns)
                row = f"(SELECT t.ctid FROM {table.only} t WHERE {present} LIMIT 1)"
                where = f"t.ctid = {row} AND t.tableoid = {table.oid}"
                own = (rule.key.schema, rule.key.table) == (rule.key.referred_schema, rule.key.referred_table)
                if not own:
                    yield from (tables.updating(table, where, changes) for changes in _strangers(columns, whole=True))
        case _:
            yield tables.copying(table, {}, where=rule.conflict)


def _tried(ground: Ground, budget: Budget, *, table: Table, rules: list[_Rule]) -> list[Exercise]:
    found: list[Exercise] = []
    if rules and not budget.spent():
        try:
            with ground.rolled_back() as cursor:
                _clear(cursor, table)
                for rule in rules:
                    if budget.spent():
                        break
                    did, note = _one(cursor, table, rule)
                    found.append(Exercise(rule.kind, rule.subject, did, note))
        except psycopg.Error as problem:
            found += [Exercise(r.kind, r.subject, Did.COMPARED, lost(problem)) for r in rules[len(found) :]]
    return found + [Exercise(r.kind, r.subject, Did.COMPARED, budget.words) for r in rules[len(found) :]]


def _clear(cursor: psycopg.Cursor[TupleRow], table: Table) -> None:
    """Until the roll-back, no trigger and no rule of the table stands between a row and its constraints.

    Foreign keys and deferrable keys are enforced by internal triggers, which stay.
    """
    if table.triggers or table.rules:
        silence(cursor)
        name = sql.Identifier(table.schema, table.name)
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
        for rule in table.rules:
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE RULE {}").format(name, sql.Identifier(rule)))


def _one(cursor: psycopg.Cursor[TupleRow], table: Table, rule: _Rule) -> tuple[Did, str]:
    if rule.hindrance:
        return Did.COMPARED, rule.hindrance
    if not tables.places(cursor, table, only=False):
        return Did.COMPARED, "the table is empty"
    match rule.kind:
        case "check":
            return _check(cursor, table, rule)
        case "not null":
            return _without(cursor, table, rule)
        case "foreign key":
            return _foreign(cursor, table, rule)
        case _:
            return _twice(cursor, table, rule)


def _twice(cursor: psycopg.Cursor[TupleRow], table: Table, rule: _Rule) -> tuple[Did, str]:
    """Keys and exclusions: the same row a second time."""
    start = tables.places(cursor, table, only=table.kind != "p", where=rule.conflict)
    if not start:
        return Did.COMPARED, "no row conflicts with a copy of itself"
    return _told(_offered(cursor, tables.inserting(table, start[0].sql, {}), rule=rule, table=table))


def _without(cursor: psycopg.Cursor[TupleRow], table: Table, rule: _Rule) -> tuple[Did, str]:
    """NOT NULL: a copy of a row without the value."""
    start = tables.places(cursor, table, only=False)[0]
    number = rule.columns[0]
    changes = {number: f"NULL::{table.columns[number].type}"}
    return _told(_offered(cursor, tables.inserting(table, start.sql, changes), rule=rule, table=table))


def _check(cursor: psycopg.Cursor[TupleRow], table: Table, rule: _Rule) -> tuple[Did, str]:
    """A copy of a row, altered until the check's own expression is false of it."""
    note = "no violating row could be derived"
    blind: list[Mapping[int, str]] = []
    for changes in islice(_alterations(table, rule), _MOST):
        found = tables.rows(cursor, tables.altered(table, changes, where=f"({rule.expression}) IS FALSE"))
        if found is None:
            blind.append(changes)
        for relation, address in found or []:
            ended = _offered(
                cursor, tables.inserting(table, Place(relation, address).sql, changes), rule=rule, table=table
            )
            if isinstance(ended, Did):
                return _told(ended)
            note = ended
    start = tables.places(cursor, table, only=False)
    for changes in blind[:_BLIND]:
        ended = _offered(cursor, tables.inserting(table, start[0].sql, changes), rule=rule, table=table)
        if ended is Did.REFUSED:
            return _told(ended)
    return Did.COMPARED, note


def _alterations(table: Table, rule: _Rule) -> Iterator[Mapping[int, str]]:
    """Nothing, then one column at a time, then two, then all NULL."""
    yield {}
    asked = [table.columns[number] for number in rule.columns if number in table.columns]
    sources = [c for c in asked if not c.computed]
    for computed in (c for c in asked if c.computed):
        sources += [c for c in table.stored if c not in sources and c.name in computed.computed]
    choices = {column.number: tuple(_choices(table, column, rule, sources)) for column in sources}
    for number, several in choices.items():
        for value in several:
            yield {number: value}
    numbers = list(choices)
    for place, first in enumerate(numbers):
        for second in numbers[place + 1 :]:
            for one, other in product(choices[first][:_FEW], choices[second][:_FEW]):
                yield {first: one, second: other}
    if len(numbers) > 2:  # noqa: PLR2004  with two, that pair came already
        yield {number: f"NULL::{table.columns[number].type}" for number in numbers if table.columns[number].nullable}


def _choices(table: Table, column: Column, rule: _Rule, sources: list[Column]) -> Iterator[str]:
    if column.nullable:
        yield f"NULL::{column.type}"
    for other in sources:
        if other is not column and other.type == column.type:
            yield f"t.{other.sql}"
    text = rule.expression + "".join(c.computed for c in table.columns.values() if c.number in rule.columns)
    for value in candidates.values(column.base, rule=text, labels=column.labels):
        yield f"{value}::{column.type}"


def _foreign(cursor: psycopg.Cursor[TupleRow], table: Table, rule: _Rule) -> tuple[Did, str]:
    """A row that points to a parent which is not there."""
    key = rule.key
    if key is None:
        return Did.COMPARED, "the key is not enforced"
    columns = _referring(table, key)
    present = " AND ".join(f"t.{column.sql} IS NOT NULL" for column in columns)
    whole = tables.places(cursor, table, only=True, where=present)
    start = whole or tables.places(cursor, table, only=True)
    if not start:
        return Did.COMPARED, "the table is empty"
    note = "no key could be derived that has no parent"
    # a row that refers to its own table must not become its own parent
    own = (key.schema, key.table) == (key.referred_schema, key.referred_table)
    referred = {pair.referred for pair in key.pairs} if own else set()
    strange = [column for column in columns if column.name not in referred]
    for changes in islice(_strangers(strange, whole=bool(whole)), _MOST):
        picked = ", ".join(f"{changes.get(c.number, f't.{c.sql}')} AS {c.sql}" for c in columns)
        absent = tables.rows(
            cursor,
            f"SELECT 1 FROM (SELECT {picked} FROM {table.only} t WHERE {start[0].sql}) r WHERE NOT {keys.found(key)}",
        )
        if not absent or (not whole and len(changes) < len(columns)):
            continue
        ended = _offered(cursor, tables.updating(table, start[0].sql, changes), rule=rule, table=table)
        if isinstance(ended, Did):
            return _told(ended)
        note = ended
    return Did.COMPARED, note


def _referring(table: Table, key: Key) -> list[Column]:
    numbers = {column.name: column.number for column in table.columns.values()}
    return [table.columns[numbers[pair.column]] for pair in key.pairs]


def _strangers(columns: list[Column], *, whole: bool) -> Iterator[Mapping[int, str]]:
    """One column of a key that is whole, or else all of them."""
    several = {
        c.number: [f"{value}::{c.type}" for value in (*_unlikely(c), *candidates.values(c.base, labels=c.labels))]
        for c in columns
        if not c.computed
    }
    if whole:
        for column in reversed(columns):
            for value in several.get(column.number, []):
                yield {column.number: value}
    if len(several) == len(columns):
        for values in zip(*several.values(), strict=False):
            yield dict(zip(several, values, strict=True))


def _unlikely(column: Column) -> tuple[str, ...]:
    match column.base:
        case "int4":
            return ("2147483646",)
        case "int8":
            return ("9223372036854775806",)
        case "int2":
            return ("32766",)
        case "text" | "varchar":
            return ("'attestore: no such key'",)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class _Domain:
    """One rule of a domain; an empty constraint is its NOT NULL."""

    subject: str
    domain: str
    """SQL"""
    under: str
    """SQL type"""
    own: tuple[str, str]
    constraint: str
    expression: str
    values: tuple[str, ...]

    def refused(self, refusal: Refusal) -> bool:
        """Whether this rule spoke."""
        if self.constraint:
            return (refusal.constraint, refusal.datatype) == (self.constraint, self.own)
        return refusal.state == _NULL and refusal.datatype == self.own


def _domains(ground: Ground, budget: Budget, several: list[TupleRow]) -> list[Exercise]:
    rules: dict[str, _Domain] = {}
    for domain, schema, name, base, under, labels, constraint, expression, required, subject in several:
        if required:
            whole = f"{domain} NOT NULL"
            rules[whole] = _Domain(whole, domain, under, (schema, name), "", "", ("NULL",))
        if constraint:
            values = candidates.values(base, rule=expression, labels=tuple(labels))
            rules[subject] = _Domain(subject, domain, under, (schema, name), constraint, expression, values)
    return [
        Exercise("domain", rule.subject, *((Did.COMPARED, budget.words) if budget.spent() else _cast(ground, rule)))
        for rule in rules.values()
    ]


def _cast(ground: Ground, rule: _Domain) -> tuple[Did, str]:
    """A value that the domain forbids, made one of the domain."""
    note = "no violating value could be derived"
    try:
        with ground.rolled_back() as cursor:
            for value in rule.values:
                if rule.constraint and not tables.rows(
                    cursor,
                    f"SELECT 1 FROM (SELECT {value}::{rule.under} AS value) d WHERE ({rule.expression}) IS FALSE",
                ):
                    continue
                ended = attempt(cursor, f"SELECT ({value}::{rule.under})::{rule.domain}")
                if not isinstance(ended, Refusal):
                    return Did.ACCEPTED, "a value that its own expression is false of was taken"
                if rule.refused(ended):
                    return Did.REFUSED, ""
                note = ended.words
    except psycopg.Error as problem:
        return Did.COMPARED, lost(problem)
    return Did.COMPARED, note


def _offered(cursor: psycopg.Cursor[TupleRow], statement: str, *, rule: _Rule, table: Table) -> Did | str:
    """What became of a violating row: refused by the rule, accepted, or why nobody knows.

    Another constraint that refuses first is dropped, inside the same savepoint, and the row is offered again; the
    rule itself must still be there.
    """
    cleared: list[str] = []
    while True:
        guard = (rule.stands,) if cleared else ()
        ended = attempt(cursor, *cleared, *guard, statement)
        if not isinstance(ended, Refusal):
            return Did.ACCEPTED if ended > 0 else "nothing was written"
        if _refused(ended, rule=rule, table=table):
            return Did.REFUSED
        obstacle = drop(cursor, ended) if ended.integrity and len(cleared) < _IN_THE_WAY else None
        if obstacle is None or obstacle in cleared:
            return ended.words
        if not cleared:
            silence(cursor)
        cleared.append(obstacle)


def _refused(refusal: Refusal, *, rule: _Rule, table: Table) -> bool:
    here = table.kind == "p" or refusal.table == (table.schema, table.name)
    if rule.kind == "not null":
        return here and refusal.state == _NULL and refusal.column == rule.name and not refusal.datatype[1]
    return here and refusal.integrity and refusal.constraint in rule.names


def _told(ended: Did | str) -> tuple[Did, str]:
    return (ended, "") if isinstance(ended, Did) else (Did.COMPARED, ended)
