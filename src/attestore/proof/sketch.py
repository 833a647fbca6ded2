"""A table's rows summed in cells, small enough to travel with a backup, from which a few differing rows can be read back.

An invertible sketch (Eppstein, Goodrich, Uyeda, Varghese: What's the Difference?, SIGCOMM 2011) with exact sums. A row
falls into a cell by the low bits of a word of its keyed digest. Each cell holds the number of its rows and the sums of
their keys, words and checks. The restored copy's cell subtracted from the source's leaves, where all differing rows are
one row, that row. The check is a product of the word's halves: sums of several words do not pass for one word's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias, cast

from typing_extensions import override

from attestore import canon
from attestore.errors import TamperedError

__all__ = [
    "FINE",
    "WIDE",
    "Cell",
    "Cells",
    "Found",
    "Row",
    "Sketch",
    "Sketches",
    "add",
    "decode",
    "differing",
    "fold",
    "one",
    "resolve",
]

FINE: Final = 31
"""bits of a small table's cells: each row has a cell of its own, but for chance"""
WIDE: Final = 10
"""bits of any other table's cells"""
_MOST_CELLS: Final = 1 << 18
"""of all tables together; beyond it, every sketch gets coarser"""
_COARSEST: Final = 4
_HALF: Final = 32
_LOW: Final = (1 << _HALF) - 1
_WORD: Final = 1 << 63


class Row(NamedTuple):
    """One row as a sketch knows it: its key and a word of its digest, both signed 64-bit integers."""

    key: int
    word: int


class Cell(NamedTuple):
    """Number of rows, and the exact sums of their keys, words and checks."""

    rows: int
    keys: int
    words: int
    checks: int


Cells: TypeAlias = dict[int, Cell]


@dataclass(frozen=True, slots=True)
class Sketch:
    """One table's cells that are not empty; `integral` says that a row's key is the integer in its one key column."""

    schema: str
    name: str
    bits: int
    keyed_by: tuple[str, ...]
    integral: bool
    cells: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class Found:
    """Differing rows, as often as they differ; `bad` are cells that hold several."""

    missing: tuple[Row, ...]
    extra: tuple[Row, ...]
    bad: Mapping[int, Cell]


class Sketches:
    """The sketches of a database, bounded in size whatever is put into it."""

    def __init__(self, sketches: Iterable[Sketch] = ()) -> None:
        self._held: dict[tuple[str, str], Sketch] = {}
        self._cells = 0
        self._most = FINE
        for sketch in sketches:
            self.keep(sketch)

    def keep(self, sketch: Sketch) -> None:
        """Hold one more table's."""
        kept = _coarser(sketch, self._most)
        self._held[sketch.schema, sketch.name] = kept
        self._cells += len(kept.cells)
        while self._cells > _MOST_CELLS and self._most > _COARSEST:
            self._most = WIDE if self._most > WIDE else self._most - 1
            self._held = {name: _coarser(each, self._most) for name, each in self._held.items()}
            self._cells = sum(len(each.cells) for each in self._held.values())

    def of(self, schema: str, name: str) -> Sketch | None:
        """A table's, where there is one."""
        return self._held.get((schema, name))

    def __len__(self) -> int:
        """How many tables have one."""
        return len(self._held)

    def __iter__(self) -> Iterator[Sketch]:
        """By name."""
        return iter([self._held[name] for name in sorted(self._held)])

    def encode(self) -> bytes:
        """One line per table."""
        return b"".join(_encode(each) + b"\n" for each in self)


def _encode(sketch: Sketch) -> bytes:
    cells = ";".join(
        f"{number:x}:{cell.rows:x}:{cell.keys:x}:{cell.words:x}:{cell.checks:x}"
        for number, cell in sorted(sketch.cells.items())
    )
    return canon.encode(
        {
            "schema": sketch.schema,
            "name": sketch.name,
            "bits": sketch.bits,
            "keyed_by": list(sketch.keyed_by),
            "integral": sketch.integral,
            "cells": cells,
        }
    )


def decode(data: bytes) -> Sketches:
    """What `Sketches.encode` wrote.

    Raises:
        TamperedError: it is not of that form.
    """
    try:
        return Sketches(
            _read(cast("dict[str, object]", canon.decode(line, what="a sketch"))) for line in data.splitlines()
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"the backup carries a sketch that cannot be read: {problem}") from problem


_CELL: Final = "[0-9a-f]+(?::-?[0-9a-f]+){4}"
_CELLS: Final = re.compile(f"(?:{_CELL}(?:;{_CELL})*)?")


class _Written(Mapping[int, Cell]):
    """Cells as they are written down, read when somebody looks at one: of thousands of tables, a drill looks at few."""

    def __init__(self, text: str) -> None:
        if _CELLS.fullmatch(text) is None:
            raise ValueError("its cells have another form")
        self._text = text
        self._cells: Cells | None = None

    @override
    def __len__(self) -> int:
        return self._text.count(";") + 1 if self._text else 0

    @override
    def __getitem__(self, number: int) -> Cell:
        return self._read()[number]

    @override
    def __iter__(self) -> Iterator[int]:
        return iter(self._read())

    def _read(self) -> Cells:
        if self._cells is None:
            parts = self._text.split(";") if self._text else []
            read = ([int(value, 16) for value in part.split(":")] for part in parts)
            self._cells = {number: Cell(rows, keys, words, checks) for number, rows, keys, words, checks in read}
        return self._cells


def _read(raw: dict[str, object]) -> Sketch:
    cells = _Written(canon.as_text(raw["cells"]))
    bits = canon.as_count(raw["bits"])
    if bits > FINE:
        raise ValueError(f"{bits} bits")
    return Sketch(
        schema=canon.as_text(raw["schema"]),
        name=canon.as_text(raw["name"]),
        bits=bits,
        keyed_by=tuple(map(canon.as_text, canon.as_list(raw["keyed_by"]))),
        integral=canon.as_flag(raw["integral"]),
        cells=cells,
    )


def one(row: Row, times: int = 1) -> Cell:
    """The cell of that many equal rows and nothing else."""
    return Cell(times, times * row.key, times * row.word, times * (row.word >> _HALF) * (row.word & _LOW))


def add(cells: Cells, number: int, cell: Cell) -> None:
    """Add to one of the cells, in place; one that becomes nothing is removed."""
    before = cells.get(number)
    whole = cell if before is None else _sum(before, cell)
    if any(whole):
        cells[number] = whole
    else:
        cells.pop(number, None)


def fold(cells: Mapping[int, Cell], bits: int) -> Cells:
    """The same rows in fewer cells."""
    folded: Cells = {}
    for number, cell in cells.items():
        add(folded, number & ((1 << bits) - 1), cell)
    return folded


def differing(source: Mapping[int, Cell], restored: Mapping[int, Cell], *, bits: int) -> Found:
    """The rows that only one side has, read from cells of the same number of bits."""
    left = dict(source)
    for number, cell in restored.items():
        add(left, number, _minus(cell))
    missing: list[Row] = []
    extra: list[Row] = []
    bad: Cells = {}
    for number, cell in sorted(left.items()):
        row = _pure(cell, number, bits)
        if row is None:
            bad[number] = cell
        elif cell.rows > 0:
            missing += [row] * cell.rows
        else:
            extra += [row] * -cell.rows
    return Found(missing=tuple(missing), extra=tuple(extra), bad=bad)


def resolve(cell: Cell, number: int, *, bits: int, listed: Sequence[Row]) -> tuple[list[Row], list[Row]] | None:
    """Which rows of a bad cell are missing and extra, where the restored copy's rows of it are `listed`; None: not told.

    Tried: that up to two of the listed rows are extra, beside equal rows that are missing, or none.
    """
    for row in set(listed):
        rest = _sum(cell, one(row))
        if not any(rest):
            return [], [row]
        found = _pure(rest, number, bits)
        if found is not None and rest.rows > 0:
            return [found] * rest.rows, [row]
    if len(listed) > _PAIRED:
        return None
    counted = Counter(listed)
    rows = sorted(counted)
    for place, first in enumerate(rows):
        for second in rows[place if counted[first] > 1 else place + 1 :]:
            rest = _sum(_sum(cell, one(first)), one(second))
            found = _pure(rest, number, bits)
            if not any(rest) or (found is not None and rest.rows > 0):
                return [found] * rest.rows if found is not None else [], [first, second]
    return None


_PAIRED: Final = 500
"""listed rows of which every pair is tried"""


def _pure(cell: Cell, number: int, bits: int) -> Row | None:
    """The row of which alone a difference consists, if it does."""
    times = cell.rows
    if not times or cell.keys % times or cell.words % times:
        return None
    row = Row(cell.keys // times, cell.words // times)
    fits = -_WORD <= row.key < _WORD and -_WORD <= row.word < _WORD and row.word & ((1 << bits) - 1) == number
    return row if fits and one(row, times) == cell else None


def _sum(a: Cell, b: Cell) -> Cell:
    return Cell(a.rows + b.rows, a.keys + b.keys, a.words + b.words, a.checks + b.checks)


def _minus(cell: Cell) -> Cell:
    return Cell(-cell.rows, -cell.keys, -cell.words, -cell.checks)


def _coarser(sketch: Sketch, bits: int) -> Sketch:
    if sketch.bits <= bits:
        return sketch
    return Sketch(sketch.schema, sketch.name, bits, sketch.keyed_by, sketch.integral, cells=fold(sketch.cells, bits))
