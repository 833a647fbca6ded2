"""The fingerprint of a table and the cells of its sketch, in one pass over its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from attestore import canon
from attestore.adapters.postgres.crew import Answer, Crew, Question, batches
from attestore.adapters.postgres.fingerprint import Range, expression, origin, ranged, ranges, row, table, words
from attestore.adapters.postgres.quoting import identifier
from attestore.adapters.postgres.relations import Relation
from attestore.adapters.postgres.session import Session, ask
from attestore.proof import Sketches, Table
from attestore.proof.sketch import FINE, WIDE, Cell, Cells, Sketch, add

__all__ = ["Keyed", "bits_for", "keyed", "listing", "located", "parameters", "statement", "take"]

_SMALL: Final = 16
"""pages of a table whose every row may have a cell of its own"""
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
    return FINE if relation.pages <= _SMALL else WIDE


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
        how, bits, cuts = keyed(relation), bits_for(relation), ranges(relation, major=shape[0])
        pending[relation.oid] = _Pending(left=len(cuts))
        for cut in cuts:
            sql = statement(relation, how, bits=bits, within=cut, shape=shape)
            weight = relation.size // len(cuts)
            owners[Question(relation.label, sql, parameters(key, how), weight, form="cells")] = relation
    totals: dict[int, list[int]] = {}
    too_large: list[Question] = []
    heard = too_large.append if refused else None
    for question, answer in crew.answers(batches(tuple(owners)), doing="fingerprint", refused=heard):
        relation = owners[question]
        taking = pending[relation.oid]
        taking.hear(answer)
        if not taking.left:
            del pending[relation.oid]
            totals[relation.oid] = taking.totals
            how = keyed(relation)
            sketches.keep(
                Sketch(relation.schema, relation.name, bits_for(relation), how.columns, how.integral, taking.cells)
            )
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

    left: int
    totals: list[int] = field(default_factory=lambda: [0] * 5)
    cells: Cells = field(default_factory=dict)

    def hear(self, answer: Answer) -> None:
        for number, rows, a, b, c, e, keys, checks in answer:
            word = int(a)
            self.totals = [
                total + part for total, part in zip(self.totals, (int(rows), word, int(b), int(c), int(e)), strict=True)
            ]
            add(self.cells, int(number), Cell(int(rows), int(keys), word, int(checks)))
        self.left -= 1


def _rows(relation: Relation, how: Keyed, *, within: Range | None, shape: tuple[int, bool], shown: bool = False) -> str:
    major, encodingless = shape
    columns = {column.name: column for column in relation.columns}
    digest, (a, b, c, e) = words(row(relation, encodingless=encodingless), major=major)
    if how.integral:
        key = f"t.{identifier(how.columns[0])}::int8"
    elif how.columns:
        # in the canonical form of the columns: operators of a type may call different values equal
        parts = ", ".join(expression(columns[name], encodingless=encodingless) for name in how.columns)
        key = f"hash_array_extended(ARRAY[record_send(ROW({parts}))], $2::int8)"
    else:
        key = ""
    text = "''"
    if shown and how.columns:
        each = ", ".join(f"pg_catalog.format('%s', t.{identifier(name)})" for name in how.columns)
        text = f"pg_catalog.left(pg_catalog.concat_ws(', ', {each}), {_LONGEST_KEY})"
    return (
        f"(SELECT {a} AS a, {b} AS b, {c} AS c, {e} AS e, {'q.k' if key else b} AS k, q.shown FROM"
        f" (SELECT {digest} AS d, {key or 'NULL'} AS k, {text} AS shown"
        f" FROM {origin(relation)}{ranged(within)} OFFSET 0) q OFFSET 0) w"
    )
