"""Rows of a table that state a part, the whole and the part's share: 24 of 25 are 96 %, whatever the row says."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from attestore.claims.document import Document, Row, Table
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, said, single

__all__ = ["check"]

_SHARE: Final = re.compile(
    r"%|\b(?:rate|ratio|share|percent\w*|accuracy|complete(?:ness)?|coverage|success|match(?:ed|es)?|integrity|quote|anteil|prozent)\b",
    re.IGNORECASE,
)
_PART: Final = re.compile(
    r"\b(?:match(?:ed|es|ing)?|restored|recovered|verified|passed|ok|equal|identical|successful|succeeded|completed?|found|compared|imported|after|copy|bestanden|"
    r"gleich|wiederhergestellt|geprüft|erfolgreich)\b",
    re.IGNORECASE,
)
_WHOLE: Final = re.compile(
    r"\b(?:tables|rows|total|expected|all|source|objects|tests|checks|runs|databases|files|systems|backups|restores|attempts|executed|planned|scope|before|records|count|"
    r"tabellen|zeilen|gesamt|soll|erwartet|quelle|tests)\b",
    re.IGNORECASE,
)
_FAILED: Final = re.compile(r"\b(?:fail\w*|error\w*|missing|lost|differ\w*|fehl\w*)\b", re.IGNORECASE)
_MOST_COLUMNS: Final = 12


def check(document: Document, book: Book) -> None:
    """Compute each share again, where the columns say for certain what they are."""
    for table in document.tables:
        if len(table.head) > _MOST_COLUMNS:
            continue
        shares = [
            index
            for index, head in enumerate(table.head)
            if index and _SHARE.search(head) and _column(table, index, "percent", document)
        ]
        if len(shares) != 1:
            continue
        counts = [
            index
            for index in range(1, len(table.head))
            if index not in shares and _column(table, index, "count", document)
        ]
        parts = [index for index in counts if _PART.search(table.head[index]) and not _FAILED.search(table.head[index])]
        wholes = [
            index
            for index in counts
            if index not in parts and _WHOLE.search(table.head[index]) and not _FAILED.search(table.head[index])
        ]
        if len(parts) == len(wholes) == 1:
            _rows(table, parts[0], wholes[0], shares[0], document, book)


def _column(table: Table, index: int, measure: str, document: Document) -> bool:
    """Whether nearly all cells are of one kind."""
    kinds = [_cell(row, index, document) for row in table.rows]
    return sum(kind is not None and kind.measure == measure for kind in kinds) * 10 >= len(kinds) * 7 and len(kinds) > 1


def _cell(row: Row, index: int, document: Document) -> Quantity | None:
    return single(row.cells[index], german=document.german)


def _rows(table: Table, part: int, whole: int, share: int, document: Document, book: Book) -> None:
    wrong: list[tuple[Row, Quantity, Quantity, Quantity, Fraction]] = []
    right = 0
    for row in table.rows:
        a, b, c = (_cell(row, index, document) for index in (part, whole, share))
        if a is None or b is None or c is None or (a.measure, b.measure, c.measure) != ("count", "count", "percent"):
            continue
        if not (a.exact and b.exact and c.exact and b.value):
            continue
        true = a.value * 100 / b.value
        if c.agrees(true) and not (c.value == 100 and a.value != b.value):
            right += 1
        else:
            wrong.append((row, a, b, c, true))
    if not right or len(wrong) > max(right, 1):
        return  # it is a share of something else
    for row, a, b, c, true in wrong:
        book.found(
            Kind.CONTRADICTION, row.line, f"{a.text} of {b.text} is {said(true, places=2)}%, not {c.text}.", needs="The two counts, as queried."
        )  # fmt: skip
    book.holds(
        table.rows[0].line,
        f"{right} shares are {table.head[part].strip()} of {table.head[whole].strip()}.",
        end=table.end,
    )
