"""How wide the columns of a table are set: by what they hold, so that no printer has to measure every cell.

Layout engines find column widths by setting every cell several times; a report is mostly tables, and that took
most of the time of printing it.
"""

from __future__ import annotations

import re
from typing import Final

from attestore.report.blocks import Align, Cell, Column, Mark, Prose, Span, Table
from attestore.report.words import plain

__all__ = ["column_widths"]

_LINE: Final = 114
"""characters of the size of a table that a line of the page holds"""
_GAP: Final = 4
_SPAN: Final = 24
_LONGEST: Final = 66
_NARROW: Final = 22
_NARROWEST: Final = 12
"""of a wide column, where names, roles and times would break in the middle otherwise"""
_BREAKS: Final = 30
_WORD: Final = re.compile(r"\d\d:\d\d(?::\d\d)? UTC|[^\s]+")
"""what stays in one line; a time of day with its zone does"""
_MONO: Final = 108
_ALL: Final = 1000


def column_widths(table: Table) -> tuple[int, ...]:
    """Thousandths of the table's width for each column; they sum to 1000."""
    cells = [
        [row[i] for row in (*table.rows, *((table.total,) if table.total else ()))] for i in range(len(table.columns))
    ]
    natural = [_natural(column, some) for column, some in zip(table.columns, cells, strict=True)]
    least = [
        min(_least(column, some), width) for column, some, width in zip(table.columns, cells, natural, strict=True)
    ]
    room = _LINE - sum(natural)
    if room >= 0:
        takers = [i for i, column in enumerate(table.columns) if column.wide] or list(range(len(natural)))
        return _permille([width + (room // len(takers) if i in takers else 0) for i, width in enumerate(natural)])
    narrowest = [
        min(low, _NARROWEST + _GAP) if column.wide else low for column, low in zip(table.columns, least, strict=True)
    ]
    for wide, lowest in ((True, least), (False, least), (True, narrowest)):
        spare = [
            width - low if column.wide is wide else 0
            for column, width, low in zip(table.columns, natural, lowest, strict=True)
        ]
        over = min(sum(natural) - _LINE, sum(spare))
        if over > 0:
            natural = [width - over * part // sum(spare) for width, part in zip(natural, spare, strict=True)]
    return _permille(natural)


def _natural(column: Column, cells: list[Cell]) -> int:
    widest = max((_length(column, cell) for cell in cells), default=0)
    return min(max(widest, len(column.title) if column.title else 1), _LONGEST) + _GAP


def _least(column: Column, cells: list[Cell]) -> int:
    """What a column needs so that no word of it breaks, where its words may not."""
    title = max((len(word) for word in _WORD.findall(column.title)), default=1)
    if column.wide:
        longest = max((_longest(column, cell) for cell in cells), default=1)
        # a digest is broken in any case; a name should not be
        return max(title, _NARROW, longest if longest <= _BREAKS else 0) + _GAP
    unbroken = column.align is Align.RIGHT or column.whole
    words = max(
        (_length(column, cell) if unbroken or isinstance(cell, Mark) else _longest(column, cell) for cell in cells),
        default=1,
    )
    return min(max(title, words), _LONGEST if unbroken or column.mono else _BREAKS) + _GAP


def _longest(column: Column, cell: Cell) -> int:
    longest = max((len(word) for word in _WORD.findall(plain(cell))), default=1)
    return longest * _MONO // 100 if column.mono else longest


def _length(column: Column, cell: Cell) -> int:
    match cell:
        case Span():
            return _SPAN
        case Mark():
            return len(plain(cell)) * 6 // 5 + 4
        case Prose() | str():
            return len(plain(cell)) * (_MONO if column.mono else 100) // 100


def _permille(widths: list[int]) -> tuple[int, ...]:
    whole = sum(widths)
    shares = [width * _ALL // whole for width in widths]
    shares[-1] += _ALL - sum(shares)
    return tuple(shares)
