"""Sums that a sentence or a list in plain text states beside its parts, without a plus."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from attestore.claims.document import Code, Document, Passage
from attestore.claims.figures import sentences
from attestore.claims.labels import is_total
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, quantities, said

__all__ = ["check"]

_NUM: Final = r"(?<![\w.,/:#@+-])(?P<{}>\d[\d,.']*\d|\d)(?![\w%/:]|[.,]\d)"
_WORDS: Final = {
    word: number
    for number, word in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 2)
}
_NEEDS: Final = "The figures of each part, counted again."
_BETWEEN: Final = re.compile(r",\s+(?:and |und )?|\s(?:and|und)\s")


def check(document: Document, book: Book) -> None:
    """Add up each of them again."""
    for block in document.blocks:
        if isinstance(block, Passage):
            for line, text in sentences(block):
                if len(text) < 1_000:
                    _spread(text, line, document, book)
                    _altogether(text, line, document, book)
            if block.text.count("\n") >= _LEAST:
                _aligned(block, document, book)
        elif isinstance(block, Code) and block.language in {"", "text", "txt", "plain"}:
            _aligned(block, document, book)


def _whole(text: str, document: Document) -> Fraction | None:
    found = [q for q in quantities(text.rstrip(".,"), german=document.german) if q.measure == "count"]
    return found[0].value if len(found) == 1 and found[0].half == 0 else None


def _tell(parts: list[Fraction | None], total: Fraction | None, line: int, book: Book) -> None:
    known = [part for part in parts if part is not None]
    if total is None or len(known) != len(parts):
        return
    summed = sum(known, Fraction(0))
    if summed == total:
        book.holds(line, f"The {len(parts)} parts sum to {said(total)}.")
    else:
        book.found(
            Kind.CONTRADICTION, line, f"The {len(parts)} parts sum to {said(summed)}, not {said(total)}.", needs=_NEEDS
        )


_SPREAD: Final = re.compile(
    _NUM.format("n")
    + r" [\w-]+(?: [\w-]+)?(?: (?:in|across|from|over|auf|aus) (?P<m>\d{1,2}|[a-zäöü]{3,8}) [\w-]+)? \((?P<parts>[^()\n]{5,300})\)",
    re.IGNORECASE,
)
_NEARLY: Final = 12
"""Percent by which parts without a number of their own may miss their sum and still be meant as all of it"""
_SHARE: Final = re.compile(r"\W*[^\W\d][\w.-]*:? (?P<n>\d[\d,.']*)\W*")


def _spread(text: str, line: int, document: Document, book: Book) -> None:
    """61 tables in 4 schemas (a 22, b 19, c 11, d 10)."""
    for found in _SPREAD.finditer(text):
        parts = [_SHARE.fullmatch(part) for part in _BETWEEN.split(found["parts"])]
        values = [_whole(part["n"], document) for part in parts if part]
        total, summed = _whole(found["n"], document), sum((value for value in values if value is not None), Fraction(0))
        if not all(parts) or len(parts) < 2 or total is None:
            continue
        if found["m"] is None:
            whole = abs(summed - total) * 100 <= total * _NEARLY  # else they may be some of them
        else:
            whole = len(parts) == (int(found["m"]) if found["m"].isdigit() else _WORDS.get(found["m"].lower()))
        if whole:
            _tell(values, total, line, book)


_ALTOGETHER: Final = re.compile(
    r"(?<![\w.,/-])(?P<parts>(?:\d[\d,.']* [a-zäöü][a-zäöü ]{2,25}(?:,\s+(?:and |und )?|\s(?:and|und)\s)){1,10}\d[\d,.']* [a-zäöü][a-zäöü ]{2,25})[;,:–—]\s*"
    r"(?:in total|altogether|in all|together|total(?: of)?|insgesamt|zusammen)\s+(?P<n>\d[\d,.']*\d)(?= [a-zäöü]|\W*$)",
    re.IGNORECASE,
)


def _altogether(text: str, line: int, document: Document, book: Book) -> None:
    """318 tables, 902 indexes, 44 views; in total 1,264 objects."""
    for found in _ALTOGETHER.finditer(text):
        parts = [_whole(part.strip().split(" ")[0], document) for part in _BETWEEN.split(found["parts"])]
        _tell(parts, _whole(found["n"], document), line, book)


_ENTRY: Final = re.compile(
    r"\s*(?P<name>[^\W\d][\w .:/()-]{0,50}?)(?:\s{2,}|\t|\s*\.{3,}\s*|\s*:\s+)(?P<value>\d[\d.,:' ]*(?: ?[A-Za-z]{1,7})?)\s*"
)
_RULED: Final = re.compile(r"\s*[-=_]{3,}\s*")
_LEAST: Final = 3
_ADDED: Final = frozenset({"size", "duration", "count"})


def _aligned(block: Code | Passage, document: Document, book: Book) -> None:
    """Names and figures in columns of blanks, and their total below."""
    if len(block.text) > 50_000:
        return
    entries: list[Quantity] = []
    for line, text in block.lines:
        found = _ENTRY.fullmatch(text) if len(text) < 200 else None
        value = quantities(found["value"], german=document.german) if found else ()
        if found is None or len(value) != 1:
            entries = entries if _RULED.fullmatch(text) else []
        elif is_total(found["name"]):
            _compare(entries, value[0], line, book)
            entries = []
        else:
            entries.append(value[0])


def _compare(entries: list[Quantity], total: Quantity, line: int, book: Book) -> None:
    if len(entries) < _LEAST or {entry.measure for entry in entries} != {total.measure} or total.measure not in _ADDED:
        return
    summed = sum((entry.value for entry in entries), Fraction(0))
    decimal = sum((entry.other or entry.value for entry in entries), Fraction(0))
    slack = sum((entry.half for entry in entries), Fraction(0)) + 2 * total.half
    if min(abs(summed - total.value), abs(decimal - (total.other or total.value))) <= slack:
        book.holds(line, f"The {len(entries)} lines above sum to {total.text}.")
        return
    told = " + ".join(entry.text for entry in entries[:12])
    book.found(
        Kind.CONTRADICTION, line, f"The {len(entries)} lines above do not sum to {total.text}: {told}.", needs="The output that the list was made from."
    )  # fmt: skip
