"""Start and end under labels of their own, and two times in one line, against the duration beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, TypeAlias

from attestore.claims.document import Code, Document, Passage, Table
from attestore.claims.labels import keyed
from attestore.claims.model import Book, Kind
from attestore.claims.moments import instant, moments
from attestore.claims.quantities import Quantity, quantities, said, single

__all__ = ["check"]

_START: Final = re.compile(
    r"^\W*(?:start(?:ed)?|begin|began|beginn)\b(?: (?:of|time|at|der|des)\b.*)?\W*$", re.IGNORECASE
)
_END: Final = re.compile(
    r"^\W*(?:end(?:ed)?|finish(?:ed)?|completed|stop|ende)\b(?: (?:of|time|at|der|des)\b.*)?\W*$", re.IGNORECASE
)
_LASTS: Final = re.compile(
    r"^\W*(?:(?:total|overall|restore|recovery|gesamt)\s?)?(?:duration|elapsed(?: time)?|time taken|(?<=total )time|dauer|laufzeit)\W*$",
    re.IGNORECASE,
)
_BOTH: Final = re.compile(
    r"\b(?:start|begin|from|beginn)\w*\s?(?:/|-|–|,|and|to|und)\s?(?:stop|end|finish|to|until|ende)\w*\b", re.IGNORECASE
)
_JOINED: Final = re.compile(r"(?:[+-]\d\d)?\s*(?:/|-|–|—|→|to|until|bis|and)\s*")
_NEEDS: Final = "The log or the scheduler's record with its own time stamps."
_Pair: TypeAlias = tuple[int, str, str]
_NEAR: Final = 6


def check(document: Document, book: Book) -> None:
    """Compute each duration again."""
    for group in _groups(document):
        _labelled(group, document, book)
    for line, text in _lines(document):
        _sixty(text, line, book)
        _spanned(text, line, document, book)
        _bracketed(text, line, document, book)
        found = moments(text) if len(text) < 1_000 and _BOTH.search(text) else ()
        if len(found) != 2 or not (found[0].timed and found[1].timed) or bool(found[0].zone) != bool(found[1].zone):
            continue
        between = text[text.find(found[0].text) + len(found[0].text) : text.rfind(found[1].text)]
        if _JOINED.fullmatch(between) and found[1].at < found[0].at:
            book.found(
                Kind.IMPOSSIBLE, line, f"It ends ({found[1].text.strip()}) before it starts ({found[0].text.strip()}).", needs=_NEEDS
            )  # fmt: skip


_BRACKETED: Final = re.compile(
    r"\s*\((?:from |von |start(?:ed)?:? |begun |began )?(?P<a>\d{1,2}:\d\d(?::\d\d)?)\s*(?:–|—|-|to|until|bis|,? ?(?:and )?(?:end(?:ed)?|finish(?:ed)?|done|completed):?)\s*(?P<b>\d{1,2}:\d\d(?::\d\d)?)(?: (?:UTC|Uhr))?\)"
)


_SPANNED: Final = re.compile(
    r"(?<![\d:.])(?P<a>\d{1,2}:\d\d(?::\d\d)?)\s*(?:–|—|-|to|until|bis)\s*(?P<b>\d{1,2}:\d\d(?::\d\d)?)(?: ?(?:UTC|Uhr|CES?T|local time))?\s*[(=,]\s*(?:= ?|i\.e\. )?(?P<rest>[^()\n]{2,30}?)(?:\)|$)"
)


def _spanned(text: str, line: int, document: Document, book: Book) -> None:
    """08:30 to 10:05 (85 minutes)."""
    for found in _SPANNED.finditer(text) if len(text) < 1_000 else ():
        stated = single(found["rest"], german=document.german)
        start, end = instant(found["a"]), instant(found["b"])
        if (
            start
            and end
            and stated is not None
            and stated.measure == "duration"
            and stated.exact
            and stated.end == len(found["rest"].strip())
        ):
            _compare(start[0], end[0], max(start[1], end[1]), stated, line, book)


_SIXTY: Final = re.compile(r"(?<![\w:.,/-])\d{1,3}:(?P<m>\d\d):(?P<s>\d\d)(?![\w:/-])")
_OF_TIME: Final = re.compile(r"\b(?:time|duration|took|elapsed|rto|dauer|laufzeit|zeit)\b", re.IGNORECASE)


def _sixty(text: str, line: int, book: Book) -> None:
    """00:08:75."""
    for found in _SIXTY.finditer(text) if len(text) < 1_000 and _OF_TIME.search(text) else ():
        if int(found["m"]) > 59 or int(found["s"]) > 60:
            book.found(Kind.IMPOSSIBLE, line, f"There is no such time: {found[0]}.", needs=_NEEDS)


_WORDS: Final = re.compile(r"(?: (?:without|with|of|for) [a-z]{3,15})?")


def _bracketed(text: str, line: int, document: Document, book: Book) -> None:
    """13 min (09:58 – 10:21)."""
    for each in quantities(text, german=document.german) if len(text) < 1_000 and "(" in text else ():
        place = each.end + len(_WORDS.match(text, each.end)[0])  # type: ignore[index]
        found = _BRACKETED.match(text, place) if each.measure == "duration" and each.exact else None
        if found is None:
            continue
        start, end = instant(found["a"]), instant(found["b"])
        if start is not None and end is not None:
            _compare(start[0], end[0], max(start[1], end[1]), each, line, book)


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        if isinstance(block, Passage | Code):
            yield from block.lines


def _groups(document: Document) -> Iterator[list[_Pair]]:
    """Labels with their values, of one table or one passage or list."""
    lists: dict[int, list[_Pair]] = {}
    for block in document.blocks:
        if isinstance(block, Table) and len(block.head) == 2:
            head = [(block.line, *block.head)]
            yield [*head, *((row.line, row.cells[0], row.cells[1]) for row in block.rows)]
        elif isinstance(block, Passage) and not block.heading:
            pairs = [(line, *pair) for line, text in block.lines if (pair := keyed(text)) is not None]
            if block.items:
                lists.setdefault(block.items, []).extend(pairs)
            else:
                yield pairs
    yield from lists.values()


def _labelled(pairs: list[_Pair], document: Document, book: Book) -> None:
    starts = [
        (place, at) for place, (_, label, value) in enumerate(pairs) if _START.match(label) and (at := instant(value))
    ]
    ends = [
        (place, at) for place, (_, label, value) in enumerate(pairs) if _END.match(label) and (at := instant(value))
    ]
    lasted: list[tuple[int, Quantity]] = []
    for place, (_, label, value) in enumerate(pairs):
        found = single(value, german=document.german) if _LASTS.match(label) else None
        if found is not None and found.measure == "duration" and found.exact:
            lasted.append((place, found))
    if not len(starts) == len(ends) == len(lasted) == 1:
        return
    (one, start), (two, end), (three, stated) = starts[0], ends[0], lasted[0]
    if start[2] or end[2] or max(one, two, three) - min(one, two, three) > _NEAR:
        return  # with dates, they are compared elsewhere
    _compare(start[0], end[0], max(start[1], end[1]), stated, pairs[three][0], book)


def _compare(start: datetime, end: datetime, exact: timedelta, stated: Quantity, line: int, book: Book) -> None:
    true = end - start + (timedelta(days=1) if end < start else timedelta(0))
    seconds = Fraction(int(true.total_seconds()))
    if abs(seconds - stated.value) <= 2 * stated.half + Fraction(int(exact.total_seconds())):
        book.holds(line, f"From start to end are {said(seconds)} s, as stated ({stated.text}).")
    else:
        book.found(
            Kind.CONTRADICTION, line, f"From start to end are {said(seconds)} s, not {stated.text} ({said(stated.value)} s).", needs=_NEEDS
        )  # fmt: skip
