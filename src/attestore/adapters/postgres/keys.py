"""Foreign keys: every one, each row looked up by the key's own operators, by the rule of its match type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from attestore.adapters.postgres.crew import Crew, Question, batches
from attestore.adapters.postgres.quoting import identifier, label, qualified
from attestore.adapters.postgres.relations import OURS
from attestore.adapters.postgres.session import Session, ask, worded
from attestore.proof import ForeignKey

__all__ = ["Key", "Pair", "check", "found", "listed", "orphans", "read"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One column of a key, the column it refers to, and the operator (SQL) that compares them."""

    column: str
    referred: str
    operator: str
    casts: tuple[str, str] = ("", "")
    """SQL types that referred and referring column are compared as, where they are of another type"""
    collation: str = ""
    """SQL collation of the referred column, which decides"""


@dataclass(frozen=True, slots=True)
class Key:
    """One foreign key as the catalogue has it."""

    schema: str
    table: str
    name: str
    referred_schema: str
    referred_table: str
    pairs: tuple[Pair, ...]
    full: bool
    """MATCH FULL: either all columns are NULL or none"""
    period: bool
    """the last pair is a period, which the referred periods must cover together"""
    validated: bool
    whole: tuple[bool, bool]
    """whether referring and referred table are partitioned, so that their partitions belong to them"""
    weight: int = 0

    @property
    def label(self) -> str:
        """The identity as people write it."""
        return f"{label(self.schema, self.table)}.{self.name}"


_LISTING: Final = f"""
SELECT n.nspname, c.relname, k.conname, fn.nspname, f.relname,
       k.confmatchtype = 'f', {{period}}, k.convalidated{{enforced}}, c.relkind = 'p', f.relkind = 'p',
       pg_catalog.pg_table_size(c.oid),
       array_agg(ARRAY[a.attname::text, fa.attname::text, 'OPERATOR(' || quote_ident(opn.nspname) || '.' || o.oprname || ')',
         CASE WHEN lt.oid <> fa.atttypid AND lt.typtype <> 'p'
           THEN quote_ident(ltn.nspname) || '.' || quote_ident(lt.typname) ELSE '' END,
         CASE WHEN rt.oid <> a.atttypid AND rt.typtype <> 'p'
           THEN quote_ident(rtn.nspname) || '.' || quote_ident(rt.typname) ELSE '' END,
         coalesce(quote_ident(con.nspname) || '.' || quote_ident(co.collname), '')] ORDER BY u.place)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS u(mine, theirs, operator, place)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.mine
JOIN pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = u.theirs
JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace opn ON opn.oid = o.oprnamespace
JOIN pg_type lt ON lt.oid = o.oprleft JOIN pg_namespace ltn ON ltn.oid = lt.typnamespace
JOIN pg_type rt ON rt.oid = o.oprright JOIN pg_namespace rtn ON rtn.oid = rt.typnamespace
LEFT JOIN pg_collation co ON co.oid = fa.attcollation AND fa.attcollation <> 0 AND a.attcollation <> 0
LEFT JOIN pg_namespace con ON con.oid = co.collnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relpersistence <> 't' AND {OURS}
GROUP BY k.oid, n.nspname, c.relname, c.oid, k.conname, fn.nspname, f.relname, k.confmatchtype, k.convalidated,
         c.relkind, f.relkind
ORDER BY n.nspname, c.relname, k.conname
""".strip()
_PERIODS_SINCE: Final = 18


def read(connection: Session, *, major: int) -> tuple[Key, ...]:
    """Every foreign key that somebody declared; the copies that partitions inherit are part of their parent's.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: the catalogue cannot be read.
    """
    new = major >= _PERIODS_SINCE
    sql = _LISTING.format(
        period="k.conperiod" if new else "false",
        enforced=" AND k.conenforced" if new else "",
    ).replace("GROUP BY k.oid,", "GROUP BY k.oid, k.conperiod, k.conenforced," if new else "GROUP BY k.oid,")
    with worded("list the foreign keys"):
        rows = ask(connection, sql)
    return tuple(
        Key(
            schema=schema,
            table=table,
            name=name,
            referred_schema=referred_schema,
            referred_table=referred_table,
            pairs=tuple(
                Pair(column=mine, referred=theirs, operator=operator, casts=(left, right), collation=collation)
                for mine, theirs, operator, left, right, collation in pairs
            ),
            full=full,
            period=period,
            validated=validated,
            whole=(whole, referred_whole),
            weight=int(size),
        )
        for schema, table, name, referred_schema, referred_table, full, period, validated, whole, referred_whole, size, pairs in rows
    )


def orphans(key: Key) -> str:
    """The SQL that counts rows which violate the key.

    MATCH SIMPLE asks nothing of a row with any NULL; MATCH FULL lets only rows pass whose columns are all NULL.
    """
    columns = [f"r.{identifier(pair.column)}" for pair in key.pairs]
    present = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    if key.full:
        absent = " AND ".join(f"{column} IS NULL" for column in columns)
        rule = f"NOT ({absent}) AND NOT ({present} AND {found(key)})"
    else:
        rule = f"{present} AND NOT {found(key)}"
    return f"SELECT count(*) FROM {_from(key.schema, key.table, whole=key.whole[0])} r WHERE {rule}"


def listed(keys: Sequence[Key]) -> tuple[ForeignKey, ...]:
    """The keys as a proof of the source has them: known, not checked."""
    return tuple(_value(key, checked=False, count=0) for key in keys)


def check(crew: Crew, keys: Sequence[Key]) -> tuple[ForeignKey, ...]:
    """The keys with their orphans counted, at the crew's snapshot.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; the key is in the message.
    """
    asked = {Question(subject=key.label, sql=orphans(key), weight=key.weight, form="orphans"): key for key in keys}
    found = [
        _value(asked[question], checked=True, count=int(answer[0][0]))
        for question, answer in crew.answers(batches(tuple(asked)), doing="look for orphans of")
    ]
    return tuple(sorted(found))


def found(key: Key) -> str:
    """SQL: the row that `r` refers to exists."""
    source = f"{_from(key.referred_schema, key.referred_table, whole=key.whole[1])} p"
    pairs = key.pairs[:-1] if key.period else key.pairs
    matches = " AND ".join(_match(pair) for pair in pairs)
    if not key.period:
        return f"EXISTS (SELECT FROM {source} WHERE {matches})"
    span = key.pairs[-1]
    mine, theirs = f"r.{identifier(span.column)}", f"p.{identifier(span.referred)}"
    return (
        f"coalesce({mine} OPERATOR(pg_catalog.<@) (SELECT pg_catalog.range_agg({theirs}) FROM {source}"
        f" WHERE {matches} AND {theirs} OPERATOR(pg_catalog.&&) {mine}), false)"
    )


def _match(pair: Pair) -> str:
    left, right = f"p.{identifier(pair.referred)}", f"r.{identifier(pair.column)}"
    if pair.casts[0]:
        left = f"{left}::{pair.casts[0]}"
    if pair.casts[1]:
        right = f"{right}::{pair.casts[1]}"
    if pair.collation:
        left = f"{left} COLLATE {pair.collation}"
    return f"{left} {pair.operator} {right}"


def _from(schema: str, table: str, *, whole: bool) -> str:
    return f"{'' if whole else 'ONLY '}{qualified(schema, table)}"


def _value(key: Key, *, checked: bool, count: int) -> ForeignKey:
    columns = ", ".join(pair.referred for pair in key.pairs)
    return ForeignKey(
        table=label(key.schema, key.table),
        name=key.name,
        references=f"{label(key.referred_schema, key.referred_table)} ({columns})",
        validated=key.validated,
        checked=checked,
        orphans=count,
    )
