"""Dates that do not exist, weekdays that were others, orders and lengths of time that cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from itertools import combinations, islice, pairwise
from typing import Final, TypeAlias

from attestore.claims.checks.same import subject
from attestore.claims.document import Code, Document, Passage, Table
from attestore.claims.labels import is_total, keyed
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import quantities, said, single

__all__ = ["Moment", "check", "instant", "moments"]

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan january januar", "feb february februar", "mar march märz mär mrz", "apr april", "may mai", "jun june juni", "jul july juli", "aug august",
         "sep sept september", "oct october okt oktober", "nov november", "dec december dez dezember"), 1,
    )
    for name in names.split()
}  # fmt: skip
_DAYS: Final = {
    name: number
    for number, names in enumerate(
        ("mon monday montag mo", "tue tues tuesday dienstag di", "wed weds wednesday mittwoch mi", "thu thur thurs thursday donnerstag do",
         "fri friday freitag fr", "sat saturday samstag sonnabend sa", "sun sunday sonntag so")
    )
    for name in names.split()
}  # fmt: skip
_MONTH: Final = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY: Final = "|".join(sorted((name for name in _DAYS if len(name) > 2), key=len, reverse=True))
_MOST_EVENTS: Final = 100
_TIME: Final = r"(?:(?:T|[ ,]+(?:at |um )?)(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,]\d{1,6})?)?(?: ?(?P<ap>[AaPp][Mm])\b)?\s?(?P<z>Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b|CES?T\b|E[SD]T\b|P[SD]T\b)?)?"
_PATTERNS: Final = (
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>{_DAY})\.?,? \(?)?(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?!\d|-\w)(?: ?\((?P<w2>{_DAY})\.?\))?{_TIME}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>{_DAY})\.?,? (?:den |the )?)?(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<n>{_MONTH})\.?,? (?P<y>(?:19|20)\d\d)\b{_TIME}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>{_DAY})\.?,? )?(?P<n>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>(?:19|20)\d\d)\b{_TIME}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>{_DAY}|Mo|Di|Mi|Do|Fr|Sa|So)\.?,? (?:den )?)?(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.(?P<y>(?:19|20)\d\d)(?![\d.])(?: ?\((?P<w2>{_DAY})\.?\))?{_TIME}"
    ),
)
_SLASHED: Final = re.compile(r"(?<![\w./-])(\d{1,2})/(\d{1,2})/((?:19|20)\d\d)(?![\w/])")
_BARE_TIME: Final = re.compile(
    r"(?<![\w:.,/-])(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d{1,6})?(?: ?([AaPp][Mm])\b)?(?![\w:])"
)
_NEEDS: Final = "The log or the scheduler's record with its own time stamps."
_ZONES: Final = {"cest": 2, "cet": 1, "est": -5, "edt": -4, "pst": -8, "pdt": -7}


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as written, with its time where there is one."""

    at: datetime
    exact: timedelta
    """how long after `at` it may have been: a day, a minute, a second"""
    text: str
    start: int
    zone: str = ""

    @property
    def timed(self) -> bool:
        """Whether a time of day is written."""
        return self.exact < timedelta(days=1)


def check(document: Document, book: Book, *, at: datetime | None) -> None:
    """Look at every date, then at those whose order is known."""
    for line, text in _lines(document):
        if len(text) <= 5_000:
            _each(line, text, book)
    _ordered(document, book, at=at)
    for table in document.tables:
        _spans(table, document, book)
        _rows(table, book)
    _timelines(document, book)
    _spoken(document, book)


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


def _matches(text: str) -> Iterator[re.Match[str]]:
    taken = bytearray(len(text))
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            if not any(taken[found.start() : found.end()]):
                taken[found.start() : found.end()] = b"x" * (found.end() - found.start())
                yield found


def _parts(found: re.Match[str]) -> tuple[int, int, int]:
    group = found.groupdict()
    month = _MONTHS[group["n"].lower()] if group.get("n") else int(group["m"])
    return int(group["y"]), month, int(group["d"])


def moments(text: str) -> tuple[Moment, ...]:
    """The dates in a text that exist, in their order."""
    found = [moment for match in _matches(text) if (moment := _moment(match)) is not None]
    return tuple(sorted(found, key=lambda each: each.start))


def _moment(found: re.Match[str]) -> Moment | None:
    group = found.groupdict()
    try:
        day = datetime(*_parts(found), tzinfo=timezone.utc)  # noqa: UP017  the written zone is taken off below
        if group["h"] is None:
            return Moment(day, timedelta(days=1), found[0], found.start())
        hour = int(group["h"])
        if group["ap"]:
            hour = hour % 12 + (12 if group["ap"].lower() == "pm" else 0)
        at = day.replace(hour=hour, minute=int(group["mi"]), second=int(group["s"] or 0))
        zone = (group["z"] or "").lower()
        if zone in _ZONES:
            at -= timedelta(hours=_ZONES[zone])
        elif zone[:1] in {"+", "-"}:
            sign = -1 if zone[0] == "-" else 1
            at -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    except (ValueError, OverflowError):
        return None
    return Moment(at, timedelta(seconds=1) if group["s"] else timedelta(minutes=1), found[0], found.start(), zone)


def _each(line: int, text: str, book: Book) -> None:
    for found in _matches(text):
        year, month, day = _parts(found)
        try:
            real = date(year, month, day)
        except ValueError:
            book.found(Kind.IMPOSSIBLE, line, f"There is no {_told(year, month, day)}.", needs=_NEEDS)
            continue
        group = found.groupdict()
        named = (group.get("w") or group.get("w2") or "").lower()
        if named and _DAYS.get(named, real.weekday()) != real.weekday():
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
    ("backup", re.compile(r"\b(?:backup (?:date|time|taken|created|started|completed|finished|from|of)|dump (?:taken|created|time|date|started|completed)|snapshot(?: taken| time)?|backup timestamp|sicherung vom)\b", re.IGNORECASE)),
    ("planned", re.compile(r"\b(?:requested|planned|scheduled|ordered|angefordert)\b", re.IGNORECASE)),
    ("start", re.compile(r"\b(?:start(?:ed|s)?(?: (?:time|at|date))?|began|begin|begun|kick-?off|beginn|begonnen|gestartet|from)\b", re.IGNORECASE)),
    ("end", re.compile(r"\b(?:end(?:ed|s)?(?: (?:time|at))?|finish(?:ed)?(?: at)?|completed?(?: at| on)?|completion(?: date| time)?|done|ende|beendet|abgeschlossen)\b", re.IGNORECASE)),
    ("test", re.compile(r"\b(?:test(?:ed)?(?: date| on)?|test execution|execut(?:ed|ion)(?: on| date)?|perform(?:ed)?(?: on)?|restore(?:d)?(?: date| test| started| time)?|drill(?: date)?|run (?:date|on)|conducted|durchgeführt(?: am)?|prüfung am)\b", re.IGNORECASE)),
    ("approval", re.compile(r"\b(?:approv(?:ed|al)(?: date| on)?|sign(?:ed)?[ -]?off(?: date)?|signed(?: on)?|reviewed?(?: on| date)?|authori[sz]ed|freigegeben(?: am)?|genehmigt(?: am)?|freigabe)\b", re.IGNORECASE)),
)  # fmt: skip
_RANK: Final = {"backup": 0, "planned": 0, "start": 1, "test": 1, "end": 2, "approval": 3}
_FUTURE_OK: Final = re.compile(
    r"\b(?:next|due|plan\w*|schedul\w*|valid|expir\w*|until|upcoming|deadline|will|review by|target|retention|renew\w*|by|nächst\w*|gültig|bis|future|eol)\b",
    re.IGNORECASE,
)
_NOT_EVENT: Final = re.compile(
    r"\b(?:policy|plan|procedure|runbook|previous|last|earlier|prior|next|oldest|first|contract|version|copyright|letzte\w*|vorherige\w*|due|expires?|valid|design|script|requirements?|document)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Event:
    role: str
    moment: Moment
    line: int
    section: tuple[str, ...]
    label: str


def _events(document: Document) -> Iterator[_Event]:
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
            if role:
                yield _Event(role, found[0], line, block.section, label)


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
    for role in ("approval", "end", "start", "planned", "test"):
        if dict(_ROLES)[role].search(label):
            return role
    return "backup" if dict(_ROLES)["backup"].search(label) else ""


def _ordered(document: Document, book: Book, *, at: datetime | None) -> None:
    """Labelled instants: backup, start, end, approval, in this order; each section's among themselves, and the document's own."""
    events = list(islice(_events(document), _MOST_EVENTS))
    for event in events:
        late = at is not None and event.moment.at > at + timedelta(days=1) and event.role != "planned"
        if at is not None and late and not _FUTURE_OK.search(event.label):
            book.found(
                Kind.IMPOSSIBLE,
                event.line,
                f"{event.moment.text.strip()} lies in the future, as at {at.date().isoformat()}: it cannot have happened.",
                needs=_NEEDS,
            )
    told: set[int] = set()
    for number, later in enumerate(events):
        for earlier in events[:number]:
            if earlier.line not in told and _together(earlier, later, events) and _pair(earlier, later, book):
                told.add(earlier.line)  # what follows it lies before it, too
    _durations(document, events, book)


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
            _Event(role, found[0], row.line, table.section, table.head[index])
            for index, role in columns
            if len(found := moments(row.cells[index])) == 1
        ]
        for one, two in combinations(told, 2):
            _pair(one, two, book)


def _together(first: _Event, second: _Event, events: list[_Event]) -> bool:
    """Whether two events are of one thing: the same section, or each the only one of its kind."""
    if subject(first.section) != subject(second.section):
        return False
    if first.section == second.section:
        lines = sorted((first.line, second.line))
        between = [
            each
            for each in events
            if lines[0] < each.line < lines[1] and each.role == first.role and each.section == first.section
        ]
        return not between
    alone = {role: sum(each.role == role for each in events) for role in (first.role, second.role)}
    return all(count == 1 for count in alone.values())


def _pair(one: _Event, two: _Event, book: Book) -> bool:
    """Whether two events stand in an order that cannot be."""
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


def _durations(document: Document, events: list[_Event], book: Book) -> None:
    """Start, end and duration stated beside each other."""
    for start in events:
        if start.role != "start" or not start.moment.timed:
            continue
        end = next(
            (
                e
                for e in events
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
        r"(?:[-*+] |\| ?)?\W*(?:(?:total|overall|wall[- ]clock|gesamt\w*) )?(?:duration|elapsed(?: time)?|time taken|dauer|took|laufzeit)\W*(?::|\|)\s*([^|]+)",
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
        book.holds(table.rows[0].line, f"{held} durations are what lies between start and end.", end=table.end)


def instant(cell: str) -> tuple[datetime, timedelta, bool] | None:
    """The one time of a cell, how exactly it is written, and whether with its date."""
    found = moments(cell)
    if len(found) == 1 and found[0].timed:
        return found[0].at, found[0].exact, True
    if found:
        return None
    bare = _BARE_TIME.search(cell)
    if bare is None or int(bare[1]) > 23 or int(bare[2]) > 59 or int(bare[3] or 0) > 59:
        return None
    hour = int(bare[1])
    if bare[4]:
        hour = hour % 12 + (12 if bare[4].lower() == "pm" else 0)
    at = datetime(2000, 1, 1, hour, int(bare[2]), int(bare[3] or 0), tzinfo=timezone.utc)  # noqa: UP017
    return at, timedelta(seconds=1) if bare[3] else timedelta(minutes=1), False


_LOG: Final = re.compile(
    r"^\W*(?:time|timestamp|when|at|date/time|time \(utc\)|uhrzeit|zeit|zeitpunkt|utc|clock)\b", re.IGNORECASE
)
_Stamp: TypeAlias = tuple[int, str, tuple[datetime, timedelta, bool]]


def _timelines(document: Document, book: Book) -> None:
    """Logs of events whose times run backwards: tables, lists, and lines of code that begin with a time."""
    lists: dict[int, list[_Stamp]] = {}
    for block in document.blocks:
        match block:
            case Table() if _LOG.search(block.head[0]):
                _backwards(
                    [(row.line, row.cells[0], at) for row in block.rows if (at := instant(row.cells[0]))],
                    len(block.rows),
                    book,
                )
            case Passage() if block.items:
                stamp = _leading(block.text)
                lists.setdefault(block.items, []).extend([(block.line, *stamp)] if stamp else [])
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
    if len(drops) * 3 >= len(stamps):
        return  # newest first, or no order at all
    for one, two in drops:
        midnight = not two[2][2] and one[2][0].hour >= 18 and two[2][0].hour < 9 and len(drops) == 1
        if not midnight:
            book.found(
                Kind.IMPOSSIBLE,
                two[0],
                f"In a log in order of time, {two[1]} stands behind {one[1]} (line {one[0]}).",
                needs=_NEEDS,
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
