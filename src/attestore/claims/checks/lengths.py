"""How long something took, against the start and the end that stand beside it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import islice
from typing import Final

from attestore.amounts import amount
from attestore.claims.checks.dates import events
from attestore.claims.document import Document, Table
from attestore.claims.labels import is_total
from attestore.claims.model import Book, Kind
from attestore.claims.moments import instant
from attestore.claims.quantities import quantities, said, single

__all__ = ["check"]

_MOST_EVENTS: Final = 100
_NEEDS: Final = "The log or the scheduler's record with its own time stamps."


def check(document: Document, book: Book) -> None:
    """Compute each length again."""
    _durations(document, book)
    for table in document.tables:
        _spans(table, document, book)
    _spoken(document, book)


def _durations(document: Document, book: Book) -> None:
    """Start, end and duration stated beside each other."""
    known = list(islice(events(document), _MOST_EVENTS))
    for start in known:
        if start.role != "start" or not start.moment.timed:
            continue
        end = next(
            (
                e
                for e in known
                if e.role == "end" and e.section == start.section and 0 < e.line - start.line <= 6 and e.moment.timed
            ),
            None,
        )
        if end is None or end.moment.at < start.moment.at:
            continue
        for line in range(start.line - 3, end.line + 5):
            stated = _duration_on(line, document)
            if stated is not None:
                _length(start.moment.at, end.moment.at, start.moment.exact, stated, line, book)
                break


def _duration_on(line: int, document: Document) -> tuple[Fraction, Fraction, str] | None:
    text = re.sub(r"[*_`]", "", document.quoted(line))
    found = re.match(
        r"(?:[-*+] |\| ?)?\W*(?:(?:total|overall|wall[- ]clock|gesamt\w*) )?(?:duration|elapsed(?: time)?|time taken|(?<=total )time|dauer|took|laufzeit)\W*?(?::|\||\.{3,}|\s{3,})\s*([^|]+)",
        text,
        re.IGNORECASE,
    )
    if found is None:
        return None
    quantity = single(found[1], german=document.german)
    if quantity is None or quantity.measure not in {"duration", "clock"} or not quantity.exact:
        return None
    value = quantity.value
    if quantity.measure == "clock" and quantity.unit == "hm":
        return None
    return value, quantity.half, quantity.text


def _length(
    start: datetime, end: datetime, exact: timedelta, stated: tuple[Fraction, Fraction, str], line: int, book: Book
) -> None:
    true = Fraction(int((end - start).total_seconds()))
    value, half, text = stated
    slack = 2 * half + Fraction(int(exact.total_seconds())) + (1 if exact.total_seconds() > 1 else 0)
    if abs(true - value) <= slack:
        book.holds(line, f"From start to end are {said(true)} s, as stated ({text}).")
    else:
        book.found(
            Kind.CONTRADICTION,
            line,
            f"From start to end are {said(true)} s, not {text} ({said(value)} s).",
            needs=_NEEDS,
        )


_STARTS: Final = re.compile(r"^\W*(?:start(?:ed)?(?: time| at)?|begin|began|from|beginn|von)\b", re.IGNORECASE)
_ENDS: Final = re.compile(
    r"^\W*(?:end(?:ed)?(?: time| at)?|finish(?:ed)?(?: at)?|stop|completed(?: at)?|to|until|ende|bis)\b", re.IGNORECASE
)
_LASTS: Final = re.compile(r"\b(?:minutes|duration|elapsed|took|dauer|time taken|length)\b", re.IGNORECASE)


def _spans(table: Table, document: Document, book: Book) -> None:
    """Columns start, end, duration."""
    columns = [
        next((i for i, head in enumerate(table.head) if pattern.search(head)), None)
        for pattern in (_STARTS, _ENDS, _LASTS)
    ]
    start, end, lasts = columns
    if start is None or end is None or start == end:
        return
    held = 0
    for row in table.rows:
        began, ended = instant(row.cells[start]), instant(row.cells[end])
        if began is None or ended is None or is_total(row.cells[0]):
            continue
        (first, exact, dated), (last, also, dated_too) = began, ended
        stated = single(row.cells[lasts], german=document.german) if lasts is not None else None
        wrapped = last < first and not (dated and dated_too)
        if last < first and dated and dated_too:
            book.found(
                Kind.IMPOSSIBLE,
                row.line,
                f"It ends ({row.cells[end]}) before it starts ({row.cells[start]}).",
                needs=_NEEDS,
                topic="order",
            )
            continue
        true = last - first + (timedelta(days=1) if wrapped else timedelta(0))
        if wrapped and true > timedelta(hours=12):
            book.found(
                Kind.IMPOSSIBLE,
                row.line,
                f"It ends ({row.cells[end]}) before it starts ({row.cells[start]}); over midnight it would have taken {said(Fraction(int(true.total_seconds())))} s.",
                needs=_NEEDS,
                topic="order",
            )
            continue
        if (
            stated is None
            or stated.measure not in {"duration", "clock"}
            or not stated.exact
            or (stated.measure == "clock" and stated.unit == "hm")
        ):
            continue
        seconds = Fraction(int(true.total_seconds()))
        slack = 2 * stated.half + Fraction(int(max(exact, also).total_seconds()))
        if abs(seconds - stated.value) <= slack:
            held += 1
        else:
            book.found(
                Kind.CONTRADICTION,
                row.line,
                f"From {row.cells[start]} to {row.cells[end]} are {said(seconds)} s, not {stated.text}.",
                needs=_NEEDS,
            )
    if held:
        book.holds(
            table.rows[0].line,
            f"{amount(held, 'duration')} {'is' if held == 1 else 'are'} what lies between start and end.",
            end=table.end,
        )


_T: Final = r"(?:at |um )?(?P<{}>\d{{1,2}}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?)(?: ?(?:UTC|Uhr|local time|CES?T))?"
_FROM_TO: Final = re.compile(
    rf"\b(?:began|started|start|begun|from|between|begann|von|ran from)\s+{_T.format('a')}"
    rf"(?:,? (?:and|und))?\s+(?:it )?(?:ended|finished|end|completed|to|until|till|and|endete|bis|was over|stopped|–|-)\s+{_T.format('b')}(?P<rest>(?:i\.e\.|[^.;]){{0,60}})",
    re.IGNORECASE,
)


def _spoken(document: Document, book: Book) -> None:
    """It began at 08:30 and ended at 16:45, a total of 8 hours 15 minutes."""
    for passage in document.passages:
        if len(passage.text) > 5_000:
            continue
        for found in _FROM_TO.finditer(passage.text):
            start, end = instant(found["a"]), instant(found["b"])
            lasted = [q for q in quantities(found["rest"], german=document.german) if q.measure == "duration"]
            if start is None or end is None or len(lasted) != 1 or not lasted[0].exact:
                continue
            if not re.fullmatch(
                r"[\s,(:–-]*(?:(?:a total of|in total|that is|which is|i\.e\.|for|=|lasting|insgesamt|took|taking|or|also|das sind)\s*,?\s*)?(?:just )?",
                found["rest"][: lasted[0].start],
            ):
                continue
            true = end[0] - start[0] + (timedelta(days=1) if end[0] < start[0] else timedelta(0))
            seconds = Fraction(int(true.total_seconds()))
            line = passage.line_at(found.start("rest") + lasted[0].start)
            slack = 2 * lasted[0].half + Fraction(int(max(start[1], end[1]).total_seconds()))
            if abs(seconds - lasted[0].value) < slack or seconds == lasted[0].value:
                book.holds(line, f"From {found['a']} to {found['b']} are {said(seconds)} s, as stated.")
            else:
                book.found(
                    Kind.CONTRADICTION,
                    line,
                    f"From {found['a']} to {found['b']} are {said(seconds)} s, not {lasted[0].text} ({said(lasted[0].value)} s).",
                    needs=_NEEDS,
                )
