"""The rows in which a restored table differs from the sketch that its backup carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from attestore.adapters.postgres import cells as sums
from attestore.adapters.postgres import relations
from attestore.adapters.postgres.crew import Crew, Question, batches
from attestore.adapters.postgres.fingerprint import ranges
from attestore.adapters.postgres.relations import Relation
from attestore.adapters.postgres.session import Connect, ask, held, pin
from attestore.proof import MOST_KEYS, Change, Located, Proof, RowKey, Sketches, Table, row_digest, same_content
from attestore.proof.sketch import Cell, Cells, Found, Row, Sketch, add, differing, fold, resolve

__all__ = ["Wanted", "find", "spread"]

_MOST_LISTED: Final = 20_000
"""rows of bad cells that are looked at; a table with more of them has too many differences to tell one by one"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What differences are looked for by: the source's sketches, the fingerprint key, and whether keys are shown."""

    sketches: Sketches
    key: bytes
    shown: bool


@dataclass(frozen=True, slots=True)
class _Search:
    """One table that differs."""

    relation: Relation
    sketch: Sketch
    how: sums.Keyed
    bits: int
    cells: Cells = field(default_factory=dict)


def find(
    crew: Crew,
    stored: Sequence[Relation],
    *,
    sides: tuple[Proof, Proof],
    wanted: Wanted,
    shape: tuple[int, bool],
) -> tuple[Located, ...]:
    """The differing rows of each table of which the backup carries a sketch.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; its name is in the message.
    """
    source, restored = sides
    ours = {(table.schema, table.name): table for table in source.tables}
    theirs = {(table.schema, table.name): table for table in restored.tables}
    searches = [
        search
        for relation in stored
        if (search := _search(relation, ours, theirs, wanted.sketches, sides=sides)) is not None
    ]
    owners: dict[Question, _Search] = {}
    for search in searches:
        cuts = ranges(search.relation, major=shape[0])
        for cut in cuts:
            sql = sums.statement(search.relation, search.how, bits=search.bits, within=cut, shape=shape)
            parameters = sums.parameters(wanted.key, search.how)
            weight = search.relation.size // len(cuts)
            owners[Question(search.relation.label, sql, parameters, weight)] = search
    for question, answer in crew.answers(batches(tuple(owners)), doing="find the differing rows of"):
        cells = owners[question].cells
        for number, rows, word, _, _, _, keys, checks in answer:
            add(cells, int(number), Cell(int(rows), int(keys), int(word), int(checks)))
    return tuple(_located(crew, search, wanted=wanted, shape=shape) for search in searches)


def spread(connect: Connect, sketches: Sketches, *, key: bytes) -> Callable[[str, str, Sequence[str]], dict[str, int]]:
    """What tells, of rows of a table that are named by their addresses, in which cell of its sketch each lies.

    Without a sketch, rows are looked for in no cells, and nothing is told.
    """

    def told(schema: str, name: str, rows: Sequence[str]) -> dict[str, int]:
        sketch = sketches.of(schema, name)
        if sketch is None:
            return {}
        with held(connect()) as session:
            pin(session)
            relation = next((r for r in relations.read(session) if (r.schema, r.name) == (schema, name)), None)
            if relation is None:
                return {}
            number, encoding = ask(
                session, "SELECT current_setting('server_version_num')::int4, current_setting('server_encoding')"
            )[0]
            shape = int(number) // 10_000, encoding == "SQL_ASCII"
            bits = min(sketch.bits, sums.bits_for(relation))
            return sums.located(session, relation, rows, key=key, bits=bits, shape=shape)

    return told


def _search(
    relation: Relation,
    ours: Mapping[tuple[str, str], Table],
    theirs: Mapping[tuple[str, str], Table],
    sketches: Sketches,
    *,
    sides: tuple[Proof, Proof],
) -> _Search | None:
    name = relation.schema, relation.name
    sketch, a, b = sketches.of(*name), ours.get(name), theirs.get(name)
    if sketch is None or a is None or b is None or a.uncovered or b.uncovered or a.columns != b.columns:
        return None
    if same_content(*sides, a, b):
        return None
    bits = min(sketch.bits, sums.bits_for(relation))
    return _Search(relation, sketch, sums.Keyed(sketch.keyed_by, integral=sketch.integral), bits)


def _located(crew: Crew, search: _Search, *, wanted: Wanted, shape: tuple[int, bool]) -> Located:
    found = differing(fold(search.sketch.cells, search.bits), search.cells, bits=search.bits)
    listed = _listed(crew, search, found, wanted=wanted, shape=shape)
    missing, extra, least, whole = [*found.missing], [*found.extra], 0, True
    for number, cell in found.bad.items():
        rows = [row for row, _ in listed if row.word & ((1 << search.bits) - 1) == number]
        told = resolve(cell, number, bits=search.bits, listed=rows)
        if told is None:
            whole = False
            least += cell.rows
        else:
            missing += told[0]
            extra += told[1]
    texts = dict(listed)
    changed: Counter[int] = Counter()
    if search.how.columns:
        changed = Counter(row.key for row in missing) & Counter(row.key for row in extra)
    gone, more = _without(missing, changed), _without(extra, changed)
    told_keys: list[RowKey] = []
    for change, rows in (
        (Change.CHANGED, [row for row in extra if row.key in changed]),
        (Change.MISSING, gone),
        (Change.EXTRA, more),
    ):
        for row in rows[: MOST_KEYS - len(told_keys)]:
            data = row.key.to_bytes(8, signed=True)
            digest = row_digest(wanted.key, schema=search.relation.schema, name=search.relation.name, row=data)
            told_keys.append(RowKey(change, digest, _shown(row, texts, search, wanted=wanted)))
    return Located(
        schema=search.relation.schema,
        name=search.relation.name,
        changed=changed.total(),
        missing=len(gone) + max(least, 0),
        extra=len(more) + max(-least, 0),
        whole=whole,
        keyed_by=search.how.columns,
        keys=tuple(told_keys),
    )


def _listed(
    crew: Crew, search: _Search, found: Found, *, wanted: Wanted, shape: tuple[int, bool]
) -> list[tuple[Row, str]]:
    """The restored rows of cells that hold several differences, and of those whose keys are to be shown."""
    mask = (1 << search.bits) - 1
    numbers = set(found.bad)
    if wanted.shown and search.how.hashed:
        numbers |= {row.word & mask for row in found.extra[: 2 * MOST_KEYS]}
    if not numbers:
        return []
    sql = sums.listing(
        search.relation, search.how, bits=search.bits, shape=shape, most=_MOST_LISTED + 1, shown=wanted.shown
    )
    # a tuple, so that a question can be told from another
    parameters = (*sums.parameters(wanted.key, search.how), "{" + ",".join(map(str, sorted(numbers))) + "}")
    rows: list[tuple[Row, str]] = []
    for _, answer in crew.answers(
        ((Question(search.relation.label, sql, parameters),),), doing="list the differing rows of"
    ):
        if len(answer) <= _MOST_LISTED:
            rows += ((Row(int(key), int(word)), str(text)) for key, word, text in answer)
    return rows


def _without(rows: list[Row], keys: Counter[int]) -> list[Row]:
    """The rows but for as many of each key."""
    left = Counter(keys)
    kept: list[Row] = []
    for row in rows:
        if left[row.key]:
            left[row.key] -= 1
        else:
            kept.append(row)
    return kept


def _shown(row: Row, texts: Mapping[Row, str], search: _Search, *, wanted: Wanted) -> str:
    if not wanted.shown:
        return ""
    return str(row.key) if search.how.integral else texts.get(row, "")
