"""One instant written in two time zones: both must be the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attestore.claims.document import Code, Document, Passage, Table
from attestore.claims.model import Book, Kind

__all__ = ["check"]

_OFFSETS: Final = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "CET": 60, "MEZ": 60, "WEST": 60, "CEST": 120, "MESZ": 120, "EET": 120, "EEST": 180, "JST": 540,
    "EST": -300, "EDT": -240, "CDT": -300, "MDT": -360, "PST": -480, "PDT": -420,
}  # fmt: skip
"""Those that mean one thing only; IST, BST and CST do not"""
_ZONE: Final = "|".join(sorted(_OFFSETS, key=len, reverse=True))
_ONE: Final = r"(?P<{0}h>[01]?\d|2[0-3]):(?P<{0}m>[0-5]\d)(?::[0-5]\d)?(?:[.,]\d{{1,6}})?\s?(?P<{0}z>" + _ZONE + r")\b"
_TWICE: Final = re.compile(
    rf"(?<![\d:.]){_ONE.format('a')}\s*(?:\(|=|/|≙|,? i\.e\.,? |,? that is |,? or )\s*(?:=\s*)?(?:\d{{4}}-\d\d-\d\d[ T])?{_ONE.format('b')}"
)
_RANGE: Final = (
    r"(?P<{0}>[0-2]?\d:[0-5]\d)\s*(?:–|—|-|to|until)\s*(?P<{1}>[0-2]?\d:[0-5]\d)\s?(?P<{2}z>" + _ZONE + r")\b"
)
_RANGES: Final = re.compile(rf"(?<![\d:.]){_RANGE.format('a', 'b', 'x')}\s*(?:\(|=|/)\s*{_RANGE.format('c', 'd', 'y')}")
_DAY: Final = 24 * 60


def check(document: Document, book: Book) -> None:
    """Look at every line."""
    for line, text in _lines(document):
        if len(text) < 2_000:
            _ranges(line, text, book)
        for found in _TWICE.finditer(text) if len(text) < 2_000 else ():
            one, two = (
                int(found[f"{each}h"]) * 60 + int(found[f"{each}m"]) - _OFFSETS[found[f"{each}z"]] for each in "ab"
            )
            apart = (two - one) % _DAY
            if found["az"] == found["bz"]:
                continue
            if apart == 0:
                book.holds(
                    line, f"{found['ah']}:{found['am']} {found['az']} is {found['bh']}:{found['bm']} {found['bz']}."
                )
                continue
            right = (one + _OFFSETS[found["bz"]]) % _DAY
            book.found(
                Kind.CONTRADICTION, line,
                f"{found['ah']}:{found['am']} {found['az']} is {right // 60:02}:{right % 60:02} {found['bz']}, not {found['bh']}:{found['bm']}.",
                needs="The log with its own time stamps, and the zone they are in.",
            )  # fmt: skip


def _ranges(line: int, text: str, book: Book) -> None:
    """00:30–05:00 UTC (01:30–06:00 CET)."""
    for found in _RANGES.finditer(text):
        shift = _OFFSETS[found["yz"]] - _OFFSETS[found["xz"]]
        for one, two in (("a", "c"), ("b", "d")):
            right = (_minutes(found[one]) + shift) % _DAY
            if right != _minutes(found[two]) % _DAY:
                book.found(
                    Kind.CONTRADICTION, line, f"{found[one]} {found['xz']} is {right // 60:02}:{right % 60:02} {found['yz']}, not {found[two]}.",
                    needs="The schedule itself, and the zone it is kept in.", topic="zones",
                )  # fmt: skip


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        match block:
            case Passage() | Code():
                yield from block.lines
            case Table():
                for row in block.rows:
                    yield from ((row.line, cell) for cell in row.cells)
