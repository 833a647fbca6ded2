"""Dates and times as people write them, English and German."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

__all__ = ["Moment", "day_of", "instant", "moments", "weekday", "written"]

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
_TIME: Final = r"(?:(?:T|[ ,]+(?:at |um )?)(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,]\d{1,6})?)?(?: ?(?P<ap>[AaPp][Mm])\b)?\s?(?P<z>Z\b|UTC\b|GMT\b|[+-]\d{2}:?\d{2}\b|CES?T\b|E[SD]T\b|P[SD]T\b)?)?"
_PATTERNS: Final = (
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>{_DAY})\.?,? \(?)?(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?!\d|-\w)(?: ?\((?P<w2>{_DAY})\.?\))?{_TIME}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>{_DAY})\.?,? (?:den |the )?)?(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<n>{_MONTH})\.?,? (?P<y>(?:19|20)\d\d)\b(?: ?\((?P<w2>{_DAY})\.?\))?{_TIME}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>{_DAY})\.?,? )?(?P<n>{_MONTH})\.? (?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>(?:19|20)\d\d)\b(?: ?\((?P<w2>{_DAY})\.?\))?{_TIME}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![\w.-])(?:(?P<w>(?i:{_DAY})|Mo|Di|Mi|Do|Fr|Sa|So)\.?,? (?:den )?)?(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.(?P<y>(?:19|20)\d\d)(?!\d|\.\d)(?: ?\((?P<w2>(?i:{_DAY}))\.?\))?{_TIME}"
    ),
)
_BARE_TIME: Final = re.compile(
    r"(?<![\w:.,/-])(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d{1,6})?(?: ?([AaPp][Mm])\b)?(?![\w:])"
)
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


def written(text: str) -> Iterator[re.Match[str]]:
    """Each date as it is written, whether it exists or not; of two that overlap the first kind."""
    taken = bytearray(len(text))
    for pattern in _PATTERNS:
        for found in pattern.finditer(text):
            if not any(taken[found.start() : found.end()]):
                taken[found.start() : found.end()] = b"x" * (found.end() - found.start())
                yield found


def day_of(found: re.Match[str]) -> tuple[int, int, int]:
    """Year, month and day of a date as written."""
    group = found.groupdict()
    month = _MONTHS[group["n"].lower()] if group.get("n") else int(group["m"])
    return int(group["y"]), month, int(group["d"])


def moments(text: str) -> tuple[Moment, ...]:
    """The dates in a text that exist, in their order."""
    found = [moment for match in written(text) if (moment := _moment(match)) is not None]
    return tuple(sorted(found, key=lambda each: each.start))


def _moment(found: re.Match[str]) -> Moment | None:
    group = found.groupdict()
    try:
        day = datetime(*day_of(found), tzinfo=timezone.utc)  # noqa: UP017  the written zone is taken off below
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


def weekday(name: str) -> int | None:
    """Monday is 0; None if no day is called so."""
    return _DAYS.get(name.lower())
