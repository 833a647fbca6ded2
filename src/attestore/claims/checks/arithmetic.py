"""Sums that are written out, and a start and an end told in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import sentences
from attestore.claims.model import Book, Kind
from attestore.claims.moments import moments
from attestore.claims.quantities import Quantity, quantities, said

__all__ = ["check"]

_PLUS: Final = re.compile(r"[\s*_`]*(?:[A-Za-zäöü]+\s)?\s*\+[\s*_`]*")
_IS: Final = re.compile(r"[\s*_`]*(?:[A-Za-zäöü]+\s)?\s*=[\s*_`]*")
_BEGAN: Final = re.compile(
    r"\b(?:started|began|begun|tested|performed|executed|carried out|conducted|begann|gestartet)\b[^.;,]{0,20}\b(?:on|at|am)\s*$",
    re.IGNORECASE,
)
_ENDED: Final = re.compile(
    r"\b(?:finished|completed|ended|done|endete|beendet)\b[^.;,]{0,20}\b(?:on|at|am)\s*$", re.IGNORECASE
)
_SECONDS: Final = frozenset({"count", "duration", "size"})


def check(document: Document, book: Book) -> None:
    """Look at every sentence and every cell."""
    for line, text in _statements(document):
        if len(text) > 1_000:
            continue
        _sum(text, line, document, book)
        _order(text, line, book)


def _statements(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        if isinstance(block, Passage):
            yield from sentences(block)
        elif isinstance(block, Table):
            for row in block.rows:
                yield from ((row.line, cell) for cell in row.cells)


def _sum(text: str, line: int, document: Document, book: Book) -> None:
    """1,200,000 + 800,000 + 450,000 = 2,550,000."""
    if "+" not in text or "=" not in text:
        return
    parts: list[Quantity] = []
    last: Quantity | None = None
    for each in quantities(text, german=document.german):
        between = text[last.end : each.start] if last is not None else ""
        if last is not None and parts and _IS.fullmatch(between):
            if len(parts) > 1:
                _compare(parts, each, line + text.count("\n", 0, each.start), book)
            parts = []
        elif parts and last is not None and _PLUS.fullmatch(between):
            parts.append(each)
        else:
            parts = [] if re.search(r"[-+*/×·(^]\s*$", text[: each.start]) else [each]
        last = each


def _compare(parts: list[Quantity], total: Quantity, line: int, book: Book) -> None:
    if {part.measure for part in parts} != {total.measure} or total.measure not in _SECONDS:
        return
    if not (total.exact and all(part.exact for part in parts)):
        return
    summed = sum((part.value for part in parts), Fraction(0))
    decimal = sum((part.other or part.value for part in parts), Fraction(0))
    slack = sum((part.half for part in parts), Fraction(0)) + 2 * total.half
    told = " + ".join(part.text for part in parts[:12])
    if min(abs(summed - total.value), abs(decimal - (total.other or total.value))) <= slack:
        book.holds(line, f"{told} = {total.text}.")
        return
    unit = {"duration": " s", "size": " B"}.get(total.measure, "")
    book.found(
        Kind.CONTRADICTION, line, f"{told} is {said(summed, places=2)}{unit}, not {total.text}.", needs="The figures of each part, counted again."
    )  # fmt: skip


def _order(text: str, line: int, book: Book) -> None:
    """Tested on 3 March 2026 and finished on 2 March 2026."""
    found = moments(text)
    if len(found) != 2:
        return
    one, two = found
    if (
        _BEGAN.search(text[: one.start])
        and _ENDED.search(text[one.start : two.start])
        and two.at.date() < one.at.date()
    ):
        book.found(
            Kind.IMPOSSIBLE, line + text.count("\n", 0, two.start), f"It ends ({two.text.strip()}) before it starts ({one.text.strip()}).",
            needs="The log or the scheduler's record with its own time stamps.", topic="order",
        )  # fmt: skip
