"""The fingerprint of a table and the cells of its sketch, in one pass over its rows.

The server adds up what falls into a cell. Of a small table, whose every row has a cell of its own anyway, it hands over the
digests of the rows with their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from attestore import canon
from attestore.adapters.postgres import digests
from attestore.adapters.postgres.crew import Answer, Crew, Question, batches
from attestore.adapters.postgres.fingerprint import (
    SMALL,
    Range,
    expression,
    origin,
    ranged,
    ranges,
    row,
    table,
    words,
)
from attestore.adapters.postgres.quoting import identifier
from attestore.adapters.postgres.relations import Relation
from attestore.adapters.postgres.session import Session, ask
from attestore.proof import Sketches, Table
from attestore.proof.sketch import FINE, WIDE, Cell, Cells, Sketch, add

__all__ = ["Keyed", "bits_for", "heard", "keyed", "listing", "located", "parameters", "questions", "statement", "take"]

_RECORDS: Final = "digests with keys"
_INTEGERS: Final = frozenset(("int2", "int4", "int8"))
_LONGEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class Keyed:
    """How rows of a table are known: by which columns, and whether the key is the integer in the only one."""

    columns: tuple[str, ...]
    integral: bool

    @property
    def hashed(self) -> bool:
        """Whether the key is a hash, which needs a seed."""
        return bool(self.columns) and not self.integral


def keyed(relation: Relation) -> Keyed:
    """By the relation's key where a dump carries all its columns, else by the whole row."""
    bases = {column.name: column.base for column in relation.columns}
    if not relation.key or not bases.keys() >= set(relation.key):
        return Keyed((), integral=False)
    return Keyed(relation.key, integral=len(relation.key) == 1 and bases[relation.key[0]] in _INTEGERS)


def bits_for(relation: Relation) -> int:
    """How fine a relation's cells may be, so that they stay few."""
    return FINE if relation.pages <= SMALL else WIDE


def parameters(key: bytes, how: Keyed) -> tuple[bytes, ...] | tuple[bytes, int]:
    """What a statement is asked with: the key, and the seed of hashed row keys."""
    seed = int.from_bytes(bytes.fromhex(canon.domain_digest("row-key-seed", key))[:8], signed=True)
    return (key, seed) if how.hashed else (key,)


def statement(relation: Relation, how: Keyed, *, bits: int, within: Range | None, shape: tuple[int, bool]) -> str:
    """The SQL that answers (cell, rows, four sums of words, sum of keys, sum of checks) per cell."""
    sums = ", ".join(f"sum(w.{word})::text" for word in ("a", "b", "c", "e", "k"))
    return (
        f"SELECT w.a & {(1 << bits) - 1}, count(*), {sums}, sum((w.a >> 32) * (w.a & 4294967295))::text"
        f" FROM {_rows(relation, how, within=within, shape=shape)} GROUP BY 1"
    )


def questions(relation: Relation, how: Keyed, *, key: bytes, shape: tuple[int, bool]) -> tuple[Question, ...]:
    """What is asked of a table; what is `heard` of the answers adds up to its fingerprint and its cells."""
    asked = parameters(key, how)
    if relation.heap and relation.pages <= SMALL:
        sql = _records(relation, how, encodingless=shape[1])
        return (Question(relation.label, sql, asked, relation.size, form=_RECORDS, binary=True),)
    cuts = ranges(relation, major=shape[0])
    return tuple(
        Question(
            relation.label,
            statement(relation, how, bits=bits_for(relation), within=cut, shape=shape),
            asked,
            relation.size // len(cuts),
            form="cells",
        )
        for cut in cuts
    )


def heard(question: Question, answer: Answer, how: Keyed, *, bits: int, into: Cells) -> tuple[int, ...]:
    """Rows and four sums, as an answer tells them; its cells are added to those that are there."""
    totals = [0] * 5
    if question.form == _RECORDS:
        keyed = bool(how.columns)
        for sums, cell in digests.cells(digests.handed(answer, keyed=keyed), keyed=keyed):
            totals = [total + part for total, part in zip(totals, (1, *sums), strict=True)]
            add(into, sums[0] & ((1 << bits) - 1), cell)
        return tuple(totals)
    for number, rows, a, b, c, e, keys, checks in answer:
        told = int(rows), int(a), int(b), int(c), int(e)
        totals = [total + part for total, part in zip(totals, told, strict=True)]
        add(into, int(number), Cell(int(rows), int(keys), int(a), int(checks)))
    return tuple(totals)


def listing(relation: Relation, how: Keyed, *, bits: int, shape: tuple[int, bool], most: int, shown: bool) -> str:
    """The SQL that lists (key, word, the key as text or nothing) of rows in some cells; the last parameter is their numbers."""
    number = 3 if how.hashed else 2
    return (
        f"SELECT w.k, w.a, w.shown FROM {_rows(relation, how, within=None, shape=shape, shown=shown)}"
        f" WHERE w.a & {(1 << bits) - 1} = ANY (${number}::int8[]) LIMIT {most}"
    )


def located(
    session: Session, relation: Relation, rows: Sequence[str], *, key: bytes, bits: int, shape: tuple[int, bool]
) -> dict[str, int]:
    """The cell of each row at the given addresses, as far as there is one."""
    major, encodingless = shape
    digest, (word, *_) = words(row(relation, encodingless=encodingless), major=major)
    answer = ask(
        session,
        f"SELECT q.at, {word} & {(1 << bits) - 1} FROM (SELECT t.ctid::text AS at, {digest} AS d"
        f" FROM {origin(relation)} WHERE t.ctid = ANY ($2::tid[]) OFFSET 0) q",
        (key, list(rows)),
    )
    return {str(at): int(number) for at, number in answer}


def take(  # noqa: PLR0913  what `fingerprint.take` needs, and the sketches
    crew: Crew,
    relations: Sequence[Relation],
    *,
    key: bytes,
    shape: tuple[int, bool],
    told: Callable[[int], None],
    sketches: Sketches,
    refused: Callable[[Relation], None] | None = None,
) -> tuple[Table, ...]:
    """Every relation counted and fingerprinted as `fingerprint.take` does, its sketch kept in `sketches`.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; its name is in the message.
    """
    pending: dict[int, _Pending] = {}
    owners: dict[Question, Relation] = {}
    for relation in relations:
        if relation.uncovered:
            continue
        how = keyed(relation)
        asked = questions(relation, how, key=key, shape=shape)
        pending[relation.oid] = _Pending(how, bits_for(relation), left=len(asked))
        owners |= dict.fromkeys(asked, relation)
    totals: dict[int, list[int]] = {}
    too_large: list[Question] = []
    unread = too_large.append if refused else None
    for question, answer in crew.answers(batches(tuple(owners)), doing="fingerprint", refused=unread):
        relation = owners[question]
        taking = pending[relation.oid]
        taking.hear(question, answer)
        if not taking.left:
            del pending[relation.oid]
            totals[relation.oid] = taking.totals
            how = taking.how
            sketches.keep(Sketch(relation.schema, relation.name, taking.bits, how.columns, how.integral, taking.cells))
            told(len(totals))
    out = {owners[question].oid for question in too_large}
    for relation in relations:
        if refused and relation.oid in out:
            refused(relation)
    return tuple(
        table(relation, totals.get(relation.oid, [0] * 5)) for relation in relations if relation.oid not in out
    )


@dataclass(slots=True)
class _Pending:
    """A table of which some ranges are still out."""

    how: Keyed
    bits: int
    left: int
    totals: list[int] = field(default_factory=lambda: [0] * 5)
    cells: Cells = field(default_factory=dict)

    def hear(self, question: Question, answer: Answer) -> None:
        told = heard(question, answer, self.how, bits=self.bits, into=self.cells)
        self.totals = [total + part for total, part in zip(self.totals, told, strict=True)]
        self.left -= 1


def _records(relation: Relation, how: Keyed, *, encodingless: bool) -> str:
    """The SQL that answers with each row's digest and key, one row behind another; without a key with digests alone."""
    digest, key = f"sha256({row(relation, encodingless=encodingless)})", _key(relation, how, encodingless=encodingless)
    record = f"{digest} || int8send({key})" if key else digest
    return f"SELECT coalesce(string_agg({record}, ''::bytea), ''::bytea) FROM {origin(relation)}"


def _key(relation: Relation, how: Keyed, *, encodingless: bool) -> str:
    """SQL: what a row of `t` is known by, a number; empty where that is a word of its digest."""
    if how.integral:
        # a damaged table may hold a NULL there, which must not take its row out of the sums
        return f"coalesce(t.{identifier(how.columns[0])}::int8, 0)"
    if not how.columns:
        return ""
    # in the canonical form of the columns: operators of a type may call different values equal
    columns = {column.name: column for column in relation.columns}
    parts = ", ".join(expression(columns[name], encodingless=encodingless) for name in how.columns)
    return f"hash_array_extended(ARRAY[record_send(ROW({parts}))], $2::int8)"


def _rows(relation: Relation, how: Keyed, *, within: Range | None, shape: tuple[int, bool], shown: bool = False) -> str:
    major, encodingless = shape
    digest, (a, b, c, e) = words(row(relation, encodingless=encodingless), major=major)
    key = _key(relation, how, encodingless=encodingless)
    text = "''"
    if shown and how.columns:
        each = ", ".join(f"pg_catalog.format('%s', t.{identifier(name)})" for name in how.columns)
        text = f"pg_catalog.left(pg_catalog.concat_ws(', ', {each}), {_LONGEST_KEY})"
    return (
        f"(SELECT {a} AS a, {b} AS b, {c} AS c, {e} AS e, {'q.k' if key else b} AS k, q.shown FROM"
        f" (SELECT {digest} AS d, {key or 'NULL'} AS k, {text} AS shown"
        f" FROM {origin(relation)}{ranged(within)} OFFSET 0) q OFFSET 0) w"
    )
