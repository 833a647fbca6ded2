"""The keyed, order-independent fingerprint of a table's rows, in one pass.

MSet-Add-Hash (Clarke et al., ASIACRYPT 2003): the number of rows, and the exact sums of the four 64-bit words of the
SHA-256 of each row behind the key. Sums of parts add up, so a table can be cut in ranges; nothing depends on order.
The server digests the rows. Who adds the words up makes no difference: the server, or we, where it is near.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from attestore.adapters.postgres import digests
from attestore.adapters.postgres.crew import Answer, Crew, Question, batches
from attestore.adapters.postgres.quoting import identifier, literal, qualified
from attestore.adapters.postgres.relations import Column, Relation
from attestore.proof import Table

__all__ = [
    "SMALL",
    "Range",
    "counted",
    "digesting",
    "expression",
    "handed",
    "origin",
    "questions",
    "ranged",
    "ranges",
    "row",
    "statement",
    "table",
    "take",
    "weight",
    "words",
]

SMALL: Final = 16
"""pages of a table that needs no cutting, whatever its rows are like"""

_CUT: Final = 16 * 1024 * 1024
"""bytes of a table that one statement reads"""
_RANGES_SINCE: Final = 14
"""the first major whose executor seeks to a range of row addresses instead of filtering the whole table"""

_ROWS: Final = 32_768
"""digests that one statement hands over, as far as can be known"""
_DENSEST: Final = 291
"""rows that a block of 8 KiB holds at most"""
_DEAR: Final = 8
"""how many bytes are read at the cost of handing one over, which waits in our memory: statements of many are batched with no others"""

_WORDS_SINCE: Final = 18
"""the first major that reads an integer from bytes"""

_TYPED: Final = frozenset(
    (
        "bool", "bytea", "char", "name", "int8", "int2", "int4", "text", "oid", "tid", "xid", "cid", "xid8", "json",
        "jsonb", "jsonpath", "float4", "float8", "money", "macaddr", "macaddr8", "inet", "cidr", "bpchar", "varchar",
        "date", "time", "timetz", "timestamp", "timestamptz", "interval", "bit", "varbit", "numeric", "uuid", "pg_lsn",
        "tsvector", "tsquery", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
    )
)  # fmt: skip
"""built-in types whose binary form says everything, and says the same whatever the session's settings"""
_TEXTUAL: Final = frozenset(
    ("char", "name", "text", "json", "jsonb", "jsonpath", "bpchar", "varchar", "tsvector", "tsquery")
)
"""of those, the ones whose binary form is converted to the client's encoding"""
_LONG: Final = frozenset(
    ("bytea", "text", "json", "jsonb", "jsonpath", "bpchar", "varchar", "bit", "varbit", "tsvector", "tsquery")
)
"""of those, the ones whose values may be long"""
_FLOATS: Final = frozenset(("float4", "float8"))


@dataclass(frozen=True, slots=True)
class Range:
    """Blocks of a table, from the first to before the last; without a last: to the end."""

    first: int
    last: int | None


def expression(column: Column, *, encodingless: bool = False, wide: str = "") -> str:
    """One column as SQL whose binary form tells any two different values apart, NULL too, and survives a restore.

    Types whose binary form holds what a restore renews (OIDs of enums, arrays, composites …) or what text does not
    (the sign of a NaN) are told by their output function: `format`, since `::text` would obey a user's own cast.
    `encodingless` databases (SQL_ASCII) hold bytes that no client encoding can carry: they stay bytes.
    Long values of `wide` rows are told by the SHA-256 of their bytes in that encoding.
    """
    value = f"t.{identifier(column.name)}"
    if wide and (column.base in _LONG or column.base not in _TYPED):
        return f"CASE WHEN pg_catalog.num_nulls({value}) = 0 THEN pg_catalog.sha256({_bytes(value, column.base, wide)}) END"
    if column.base not in _TYPED or (encodingless and column.base in _TEXTUAL):
        # IS NULL is also true of a composite whose every field is NULL; num_nulls isn't
        shown = f"pg_catalog.format('%s', {value})"
        if encodingless:
            shown = f"pg_catalog.convert_to({shown}, 'SQL_ASCII')"
        return f"CASE WHEN pg_catalog.num_nulls({value}) = 0 THEN {shown} END"
    if column.domain:
        value = f"{value}::pg_catalog.{identifier(column.base)}"
    if column.base in _FLOATS:
        return f"CASE WHEN {value} = 'NaN' THEN 'NaN' ELSE {value} END"
    return value


def statement(relation: Relation, *, within: Range | None = None, encodingless: bool = False, major: int = 0) -> str:
    """The SQL that answers (rows, sum, sum, sum, sum) for a table or a range of it; `$1` is the key."""
    digest, sums = words(row(relation, encodingless=encodingless), major=major)
    return (
        "SELECT count(*)"
        + "".join(f", coalesce(sum({word}), 0)::text" for word in sums)
        + f" FROM (SELECT {digest} AS d FROM {origin(relation)}{ranged(within)} OFFSET 0) q"
    )


def digesting(relation: Relation, *, within: Range | None = None, encodingless: bool = False) -> str:
    """The SQL that answers with the digests of a table's rows or those of a range, one behind another; `$1` is the key."""
    digest = f"sha256({row(relation, encodingless=encodingless)})"
    return f"SELECT coalesce(string_agg({digest}, ''::bytea), ''::bytea) FROM {origin(relation)}{ranged(within)}"


def words(data: str, *, major: int) -> tuple[str, tuple[str, ...]]:
    """SQL: the SHA-256 of some bytes, and its four signed words as read from it under the name `q.d`."""
    if major >= _WORDS_SINCE:
        return f"sha256({data})", tuple(f"substr(q.d, {start}, 8)::int8" for start in (1, 9, 17, 25))
    return (
        f"('x' || encode(sha256({data}), 'hex'))::bit(256)",
        tuple(f'"substring"(q.d, {start}, 64)::int8' for start in (1, 65, 129, 193)),
    )


def ranges(relation: Relation, *, major: int) -> tuple[Range | None, ...]:
    """How a table is cut for several sessions; a small one is not cut."""
    wanted = min(relation.size // _CUT, relation.pages)
    if wanted < 2 or not relation.heap or relation.condition or major < _RANGES_SINCE:  # noqa: PLR2004 – one range is the whole table
        return (None,)
    cuts = [relation.pages * number // wanted for number in range(wanted)]
    # rows that the snapshot sees may stand behind the last known block: the last range is open
    return tuple(Range(first, last) for first, last in zip(cuts, [*cuts[1:], None], strict=True))


def handed(relation: Relation, *, major: int) -> tuple[tuple[Range | None, bool], ...]:
    """How a table is cut where the server is near, and of which cuts it hands digests over: of none that has no end."""
    if relation.heap and relation.pages <= SMALL:
        return ((None, True),)
    if not relation.heap or relation.condition or major < _RANGES_SINCE:
        return ((None, False),)
    step = max(1, min(_ROWS // _density(relation), _CUT * relation.pages // max(1, relation.size)))
    cuts = (Range(first, min(first + step, relation.pages)) for first in range(0, relation.pages, step))
    return (*((cut, True) for cut in cuts), (Range(relation.pages, None), False))


def weight(relation: Relation, within: Range | None) -> int:
    """What a statement that hands digests over costs, as far as can be known, in bytes that are read."""
    if within is None or within.last is None:
        return relation.size
    pages = within.last - within.first
    return max(relation.size * pages // relation.pages, pages * _density(relation) * digests.SIZE * _DEAR)


def _density(relation: Relation) -> int:
    """Rows of a block. Statistics may be anything that a superuser or a restored dump has set, a block holds no more for it."""
    return min(relation.dense, _DENSEST) or _DENSEST


def questions(
    relation: Relation, *, subject: str, key: bytes, shape: tuple[int, bool], near: bool
) -> tuple[Question, ...]:
    """What is asked of a table; what is `counted` of the answers adds up to its fingerprint."""
    major, encodingless = shape
    cuts = handed(relation, major=major) if near else tuple((cut, False) for cut in ranges(relation, major=major))
    return tuple(
        Question(
            subject=subject,
            sql=digesting(relation, within=cut, encodingless=encodingless),
            parameters=(key,),
            weight=weight(relation, cut),
            form="digests",
            binary=True,
        )
        if handing
        else Question(
            subject=subject,
            sql=statement(relation, within=cut, encodingless=encodingless, major=major),
            parameters=(key,),
            weight=0 if near and cut else relation.size // len(cuts),
            form="fingerprint",
        )
        for cut, handing in cuts
    )


def counted(question: Question, answer: Answer) -> tuple[int, ...]:
    """Rows and four sums, as an answer tells them."""
    return digests.total(digests.handed(answer)) if question.binary else tuple(int(part) for part in answer[0])


def take(
    crew: Crew,
    relations: Sequence[Relation],
    *,
    key: bytes,
    shape: tuple[int, bool],
    told: Callable[[int], None],
    refused: Callable[[Relation], None] | None = None,
) -> tuple[Table, ...]:
    """Every relation counted and fingerprinted under `key`, at the crew's snapshot.

    `shape` is the server's major and whether the database is encodingless; `told` hears how many tables are done.
    `refused` hears of each table of which the server cannot form a row, since it exceeds 1 GB; it is left out.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; its name is in the message.
    """
    owners: dict[Question, Relation] = {}
    missing: dict[int, int] = {}
    for relation in relations:
        if relation.uncovered:
            continue
        asked = questions(relation, subject=relation.label, key=key, shape=shape, near=crew.near)
        missing[relation.oid] = len(asked)
        owners |= dict.fromkeys(asked, relation)
    totals = {relation.oid: [0, 0, 0, 0, 0] for relation in relations}
    done = 0
    too_large: list[Question] = []
    heard = too_large.append if refused else None
    for question, answer in crew.answers(batches(tuple(owners)), doing="fingerprint", refused=heard):
        oid = owners[question].oid
        totals[oid] = [total + part for total, part in zip(totals[oid], counted(question, answer), strict=True)]
        missing[oid] -= 1
        if not missing[oid]:
            done += 1
            told(done)
    out = {owners[question].oid for question in too_large}
    for relation in relations:
        if refused and relation.oid in out:
            refused(relation)
    return tuple(table(relation, totals[relation.oid]) for relation in relations if relation.oid not in out)


def row(relation: Relation, *, encodingless: bool) -> str:
    """SQL: a row of `t` behind the key, as bytes that no other row has."""
    columns = (expression(column, encodingless=encodingless, wide=relation.wide) for column in relation.columns)
    return f"record_send(ROW({', '.join(('$1::bytea', *columns))}))"


def _bytes(value: str, base: str, encoding: str) -> str:
    """SQL: a long value as bytes, copied as seldom as can be."""
    if base == "bytea":
        return f"{value}::pg_catalog.bytea"
    text = f"{value}::pg_catalog.text" if base in {"text", "varchar"} else f"pg_catalog.format('%s', {value})"
    return f"pg_catalog.convert_to({text}, {literal(encoding)})"


def origin(relation: Relation) -> str:
    """SQL: the rows of a relation that a dump carries, as `t`; a condition stands where pg_dump puts it."""
    name = qualified(relation.schema, relation.name)
    return f"(SELECT * FROM {name} {relation.condition}) t" if relation.condition else f"ONLY {name} t"


def ranged(within: Range | None) -> str:
    """SQL: the condition that a row of `t` lies in the range."""
    if within is None:
        return ""
    upper = "" if within.last is None else f" AND t.ctid < '({within.last},0)'"
    return f" WHERE t.ctid >= '({within.first},0)'{upper}"


def table(relation: Relation, total: Sequence[int]) -> Table:
    """The fingerprint of a relation from its rows and sums."""
    rows, first, second, third, fourth = total
    return Table(
        schema=relation.schema,
        name=relation.name,
        kind=relation.kind,
        rows=rows,
        sums=(first, second, third, fourth),
        columns=tuple(column.name for column in relation.columns),
        uncovered=relation.uncovered,
        size=relation.size,
        wide=relation.wide,
        through=relation.through,
    )
