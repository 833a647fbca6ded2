"""Dates that do not exist, weekdays that were others, and orders that cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, islice, pairwise
from typing import Final, TypeAlias

from attestore.claims.checks.same import subject
from attestore.claims.document import Code, Document, Passage, Table
from attestore.claims.labels import keyed
from attestore.claims.model import Book, Kind
from attestore.claims.moments import Moment, day_of, instant, moments, weekday, written

__all__ = ["Event", "check", "events", "pair"]

_MOST_EVENTS: Final = 100
_SLASHED: Final = re.compile(r"(?<![\w./-])(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)(?![\w/])")
_NEEDS: Final = "The log or the scheduler's record with its own time stamps."


def check(document: Document, book: Book, *, at: datetime | None) -> None:
    """Look at every date, then at those whose order is known."""
    for line, text in _lines(document):
        if len(text) <= 5_000:
            _each(line, text, book)
    _ordered(document, book, at=at)
    for table in document.tables:
        _rows(table, book)
        _weekdays(table, book)
    _timelines(document, book)


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        match block:
            case Passage():
                yield from block.lines
            case Table():
                for row in block.rows:
                    for cell in row.cells:
                        yield row.line, cell
            case Code():
                yield from block.lines


def _each(line: int, text: str, book: Book) -> None:
    for found in written(text):
        year, month, day = day_of(found)
        try:
            real = date(year, month, day)
        except ValueError:
            book.found(Kind.IMPOSSIBLE, line, f"There is no {_told(year, month, day)}.", needs=_NEEDS)
            continue
        group = found.groupdict()
        named = (group.get("w") or group.get("w2") or "").lower()
        if named and weekday(named) not in {None, real.weekday()}:
            book.found(
                Kind.IMPOSSIBLE,
                line,
                f"{real.isoformat()} was a {real.strftime('%A')}, not a {(group.get('w') or group.get('w2') or '')}.",
                needs=_NEEDS,
            )
        if group["h"] and (int(group["h"]) > 24 or int(group["mi"]) > 59 or int(group["s"] or 0) > 60):
            book.found(Kind.IMPOSSIBLE, line, f"There is no such time of day: {found[0]}.", needs=_NEEDS)
    for found in _SLASHED.finditer(text):
        if not any(_exists(int(found[3]), int(found[1 + swap]), int(found[2 - swap])) for swap in (0, 1)):
            book.found(Kind.IMPOSSIBLE, line, f"There is no {found[0]}, whichever figure is the month.", needs=_NEEDS)


def _weekdays(table: Table, book: Book) -> None:
    """A column of days beside one of dates."""
    for row in table.rows:
        named = [
            day for cell in row.cells if (day := weekday(cell.strip(" *_.,"))) is not None and len(cell.strip()) > 1
        ]
        days = [
            found[0]
            for cell in row.cells
            if len(found := moments(cell)) == 1 and found[0].text.strip() == cell.strip(" *_")
        ]
        if len(named) == len(days) == 1 and days[0].at.weekday() != named[0]:
            told = days[0].at.date()
            book.found(Kind.IMPOSSIBLE, row.line, f"{told.isoformat()} was a {told.strftime('%A')}.", needs=_NEEDS)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _told(year: int, month: int, day: int) -> str:
    names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    return f"{names[month - 1]} {day}, {year}" if 1 <= month <= 12 else f"month {month} ({year}-{month:02}-{day:02})"


_ROLES: Final = (
    ("report", re.compile(r"\b(?:report date|date of (?:this |the )?(?:report|protocol|memo|certificate|record|minutes)|report (?:issued|dated|created|written)|issued(?: on)?|issue date|berichtsdatum|protokolldatum|datum des (?:berichts|protokolls))\b", re.IGNORECASE)),
    ("incident", re.compile(r"^\W*(?:incident|outage|disaster|failure|störung|ausfall)(?: (?:at|time|began|start(?:ed)?|declared|detected|on|begin|beginn))?\W*$", re.IGNORECASE)),
    ("back", re.compile(r"^\W*(?:service|application|system|production|database)s? (?:back|restored|recovered|available|up|online|resumed)(?: (?:at|on|online|again))?\W*$|^\W*(?:back (?:online|in service|up)|recovered(?: at)?)\W*$", re.IGNORECASE)),
    ("backup", re.compile(r"\b(?:backup (?:date|time|taken|created|started|completed|finished|from|of)|dump (?:taken|created|time|date|started|completed)|snapshot(?: taken| time)?|backup timestamp|sicherung vom)\b", re.IGNORECASE)),
    ("planned", re.compile(r"\b(?:requested|planned|scheduled|ordered|angefordert)\b", re.IGNORECASE)),
    ("start", re.compile(r"\b(?:start(?:ed|s)?(?: (?:time|at|date))?|began|begin|begun|kick-?off|beginn|begonnen|gestartet|from)\b", re.IGNORECASE)),
    ("end", re.compile(r"\b(?:end(?:ed|s)?(?: (?:time|at))?|finish(?:ed)?(?: at)?|completed?(?: at| on)?|completion(?: date| time)?|done|ende|beendet|abgeschlossen)\b", re.IGNORECASE)),
    ("test", re.compile(r"\b(?:datum des tests|testdatum|datum der (?:prüfung|übung|wiederherstellung)|test(?:ed)?(?: date| on)?|test execution|execut(?:ed|ion)(?: on| date)?|perform(?:ed)?(?: on)?|restore(?:d)?(?: date| test| started| time)?|drill(?: date)?|run (?:date|on)|conducted|durchgeführt(?: am)?|prüfung am)\b", re.IGNORECASE)),
    ("approval", re.compile(r"\b(?:accept(?:ed|ance)(?: date| on)?|approv(?:ed|al)(?: date| on)?|sign(?:ed)?[ -]?off(?: date)?|signed(?: on)?|reviewed?(?: on| date)?|authori[sz]ed|freigegeben(?: am)?|genehmigt(?: am)?|freigabe)\b", re.IGNORECASE)),
)  # fmt: skip
_RANK: Final = {
    "backup": 0,
    "planned": 0,
    "incident": 0,
    "start": 1,
    "test": 1,
    "end": 2,
    "back": 2,
    "approval": 3,
    "report": 3,
}
_FUTURE_OK: Final = re.compile(
    r"\b(?:next|due|plan\w*|schedul\w*|valid|expir\w*|until|upcoming|deadline|will|review by|target|retention|renew\w*|by|nächst\w*|gültig|bis|future|eol)\b",
    re.IGNORECASE,
)
_NOT_EVENT: Final = re.compile(
    r"\b(?:policy|plan|procedure|runbook|previous|last|earlier|prior|next|oldest|first|contract|version|copyright|letzte\w*|vorherige\w*|due|expires?|valid|design|script|requirements?|document)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, by its label."""

    role: str
    moment: Moment
    line: int
    section: tuple[str, ...]
    label: str


def events(document: Document) -> Iterator[Event]:
    """What labels say to have happened when."""
    for block in document.blocks:
        pairs: list[tuple[int, str, str]] = []
        if isinstance(block, Passage) and not block.heading:
            pairs = [(line, *pair) for line, text in block.lines if (pair := keyed(text)) is not None]
        elif isinstance(block, Table) and len(block.head) == 2:
            pairs = [(row.line, row.cells[0], row.cells[1]) for row in block.rows]
        for line, label, value in pairs:
            found = moments(value)
            if len(found) != 1 or found[0].start > 24 or len(label) > 40 or _NOT_EVENT.search(label):
                continue
            role = _role(label)
            if role == "approval" and _CHANGE.search(f"{label} {value}"):
                continue  # of the change, before anything was done
            if role:
                yield Event(role, found[0], line, block.section, label)


_CHANGE: Final = re.compile(r"\b(?:CAB|change|CHG\d*|request|antrag)\b", re.IGNORECASE)


def _role(label: str) -> str:
    if re.search(r"\bbackup\b|\bdump\b|\bsicherung\b", label, re.IGNORECASE) and not re.search(
        r"\brestor\w*|\btest\w*|\bdrill", label, re.IGNORECASE
    ):
        return (
            "backup"
            if re.search(
                r"\b(?:date|time|taken|created|start\w*|complet\w*|finish\w*|timestamp|vom|from|at|of|end\w*)\b",
                label,
                re.IGNORECASE,
            )
            else ""
        )
    for role in ("report", "incident", "back", "approval", "end", "start", "planned", "test"):
        if dict(_ROLES)[role].search(label):
            return role
    return "backup" if dict(_ROLES)["backup"].search(label) else ""


def _ordered(document: Document, book: Book, *, at: datetime | None) -> None:
    """Labelled instants: backup, start, end, approval, in this order; each section's among themselves, and the document's own."""
    known = list(islice(events(document), _MOST_EVENTS))
    for event in known:
        late = at is not None and event.moment.at > at + timedelta(days=1) and event.role != "planned"
        if at is not None and late and not _FUTURE_OK.search(event.label):
            book.found(
                Kind.IMPOSSIBLE,
                event.line,
                f"{event.moment.text.strip()} lies in the future, as at {at.date().isoformat()}: it cannot have happened.",
                needs=_NEEDS,
            )
    told: set[int] = set()
    for number, later in enumerate(known):
        for earlier in known[:number]:
            if earlier.line not in told and _together(earlier, later, known) and pair(earlier, later, book):
                told.add(earlier.line)  # what follows it lies before it, too


def _side(head: str) -> str:
    """A column that is the backup, or the restore."""
    return "backup" if re.fullmatch(r"\W*(?:backup|dump|sicherung)\W*", head, re.IGNORECASE) else ""


def _rows(table: Table, book: Book) -> None:
    """Columns of dates whose order is known: backup, test, approval."""
    columns = [
        (index, role)
        for index, head in enumerate(table.head)
        if not _NOT_EVENT.search(head) and (role := _role(head) or _side(head))
    ]
    for row in table.rows if len(columns) > 1 else ():
        told = [
            Event(role, found[0], row.line, table.section, table.head[index])
            for index, role in columns
            if len(found := moments(row.cells[index])) == 1
        ]
        for one, two in combinations(told, 2):
            pair(one, two, book)


def _together(first: Event, second: Event, known: list[Event]) -> bool:
    """Whether two events are of one thing: the same section, or each the only one of its kind."""
    if subject(first.section) != subject(second.section):
        return False
    if first.section == second.section:
        lines = sorted((first.line, second.line))
        between = [
            each
            for each in known
            if lines[0] < each.line < lines[1] and each.role == first.role and each.section == first.section
        ]
        return not between
    alone = {role: sum(each.role == role for each in known) for role in (first.role, second.role)}
    return all(count == 1 for count in alone.values())


def pair(one: Event, two: Event, book: Book) -> bool:
    """Tell, and whether, two events stand in an order that cannot be."""
    if _RANK[one.role] == _RANK[two.role]:
        return False
    first, second = (one, two) if _RANK[one.role] < _RANK[two.role] else (two, one)
    begins, ends = _whole(first.moment, second.moment), _whole(second.moment, first.moment)
    wrong = ends + second.moment.exact <= begins and ends < begins
    if wrong:
        later = max(first, second, key=lambda event: event.line)
        book.found(
            Kind.IMPOSSIBLE, later.line,
            f"“{second.label}” ({second.moment.text.strip()}, line {second.line}) lies before “{first.label}” ({first.moment.text.strip()}, line {first.line}).",
            needs=_NEEDS, topic="order",
        )  # fmt: skip
    return wrong


def _whole(moment: Moment, other: Moment) -> datetime:
    """At the coarser of two precisions; where only one names its zone, by days."""
    if not moment.timed or not other.timed or bool(moment.zone) != bool(other.zone):
        return moment.at.replace(hour=0, minute=0, second=0)
    return moment.at


_LOG: Final = re.compile(
    r"^\W*(?:time|timestamp|when|at|date/time|time \(utc\)|uhrzeit|zeit|zeitpunkt|utc|clock)\b", re.IGNORECASE
)
_Stamp: TypeAlias = tuple[int, str, tuple[datetime, timedelta, bool]]


def _timelines(document: Document, book: Book) -> None:
    """Logs of events whose times run backwards: tables, lists, and lines of code that begin with a time."""
    lists: dict[int, list[_Stamp]] = {}
    for block in document.blocks:
        match block:
            case Table() if (column := _clocked(block)) is not None:
                _backwards(
                    [(row.line, row.cells[column], at) for row in block.rows if (at := instant(row.cells[column]))],
                    len(block.rows),
                    book,
                )
            case Passage() if block.items:
                stamp = _leading(block.text)
                lists.setdefault(block.items, []).extend([(block.line, *stamp)] if stamp else [])
            case Passage(heading=0):
                _backwards([(line, *stamp) for line, text in block.lines if (stamp := _leading(text))], 4, book)
            case Code() if len(block.text) < 100_000:
                lines = block.lines
                stamps = [
                    (line, *stamp) for line, text in lines if (stamp := _leading(text)) is not None and stamp[1][2]
                ]
                _backwards(stamps, len(stamps), book)
            case _:
                pass
    for stamps in lists.values():
        _backwards(stamps, len(stamps), book)


_STEPS: Final = re.compile(r"^\W*(?:step|action|activity|event|schritt|ereignis)\b", re.IGNORECASE)
_WHO: Final = re.compile(r"^\W*(?:by|who|operator|person|name|wer|durch)\W*$", re.IGNORECASE)


def _clocked(table: Table) -> int | None:
    """The column of the times of a log: the first, or that of steps that somebody did."""
    if _LOG.search(table.head[0]):
        return 0
    if not any(_STEPS.search(head) for head in table.head) or not any(_WHO.search(head) for head in table.head):
        return None
    return next((index for index, head in enumerate(table.head) if _LOG.search(head)), None)


def _leading(text: str) -> tuple[str, tuple[datetime, timedelta, bool]] | None:
    """The time that a line begins with."""
    head = re.match(
        r"[\s\[(*_]*((?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|UTC|[AaPp][Mm]))?)(?=[\s\]):,–-])",
        text,
    )
    if head is None:
        return None
    at = instant(head[1])
    return None if at is None else (head[1], at)


def _backwards(stamps: list[_Stamp], count: int, book: Book) -> None:
    if len(stamps) < count or len(stamps) < 3:
        return
    drops = [(one, two) for one, two in pairwise(stamps) if two[2][0] < one[2][0] - timedelta(seconds=1)]
    midnights = [(one, two) for one, two in drops if not two[2][2] and one[2][0].hour >= 18 and two[2][0].hour < 9]
    if len(midnights) == 1:
        drops.remove(midnights[0])
    if len(drops) * 3 >= len(stamps):
        return  # newest first, or no order at all
    for one, two in drops:
        book.found(
            Kind.IMPOSSIBLE,
            two[0],
            f"In a log in order of time, {two[1]} stands behind {one[1]} (line {one[0]}).",
            needs=_NEEDS,
        )
