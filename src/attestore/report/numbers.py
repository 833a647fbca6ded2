"""How numbers, durations, sizes, shares and instants are written; with which signs and words, the document's voice says.

Nothing is rounded away from a duration: what a reader adds up by hand gives the total that is printed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from attestore.report.voice import figures, later, say

__all__ = [
    "after",
    "count",
    "counted",
    "day",
    "duration",
    "instant",
    "left",
    "minute",
    "rate",
    "share",
    "size",
    "size_exact",
    "times",
]

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,9})?Z", re.ASCII)
_UNITS = ((86_400_000, later("d")), (3_600_000, later("h")), (60_000, later("m")))
_SCALES = ("KiB", "MiB", "GiB", "TiB", "PiB")
_KIB = 1024
_MINUTE = 60_000
_ALL = 1000
_HOUR_MINUTES = 60
_DAY_MINUTES = 1440


def count(number: int) -> str:
    """`7,305`."""
    return figures().whole(number)


def counted(number: int, one: str, several: str = "") -> str:
    """`1 run`, `7,305 runs`; `several` where an s does not make the plural."""
    return f"{count(number)} {say(one) if number == 1 else say(several or f'{one}s')}"


def duration(ms: int) -> str:
    """Milliseconds in words that add up: `0.432 s`, `41.250 s`, `18 m 42 s`, `2 h 5 m 3.120 s`, `31 d`."""
    sign, rest = ("−", -ms) if ms < 0 else ("", ms)
    if rest < _MINUTE:
        return f"{sign}{_seconds(rest)}"
    parts: list[str] = []
    for length, unit in _UNITS:
        whole, rest = divmod(rest, length)
        if whole:
            parts.append(f"{whole} {say(unit)}")
    if rest % 1000:
        parts.append(_seconds(rest))
    elif rest:
        parts.append(f"{rest // 1000} s")
    return sign + " ".join(parts)


def _seconds(ms: int) -> str:
    return f"{figures().fraction(ms // 1000, f'{ms % 1000:03d}')} s"


def size(number: int) -> str:
    """Bytes for the eye: `512 B`, `2.4 MiB`."""
    if abs(number) < _KIB:
        return f"{number} B"
    value = number
    for scale in _SCALES[:-1]:
        tenths = (value * 10 + _KIB // 2) // _KIB
        if tenths < 10 * _KIB:
            return f"{_tenths(tenths)} {scale}"
        value //= _KIB
    tenths = (value * 10 + _KIB // 2) // _KIB
    return f"{_tenths(tenths)} {_SCALES[-1]}"


def size_exact(number: int) -> str:
    """Bytes for the eye and for sums: `2.4 MiB (2,516,582 B)`."""
    return size(number) if abs(number) < _KIB else f"{size(number)} ({count(number)} B)"


def share(part: int, whole: int) -> str:
    """`77.3%`, rounded half up; of nothing: a dash. Never rounds up to 100.0% or down to 0.0%."""
    if whole <= 0:
        return "–"
    if part and part * 2000 < whole:
        return f"<{figures().percent(1)}"
    permille = (part * 2000 + whole) // (2 * whole)
    if part < whole and permille >= _ALL:
        return f">{figures().percent(_ALL - 1)}"
    return figures().percent(permille)


def rate(number: int, ms: int, *, unit: str) -> str:
    """`8,425 rows/s`; over less than a millisecond: not measured."""
    return f"{count(number * 1000 // ms)} {say(unit)}/s" if ms > 0 else say("not measured")


def times(larger: int, smaller: int) -> str:
    """`3.2 : 1`; of nothing: a dash."""
    if smaller <= 0:
        return "–"
    return f"{_tenths((larger * 20 + smaller) // (2 * smaller))} : 1"


def _tenths(tenths: int) -> str:
    return figures().fraction(tenths // 10, str(tenths % 10))


def instant(text: str) -> str:
    """`2026-11-22 19:49:39 UTC` of an RFC 3339 instant with a Z; anything else comes back as it is."""
    moment = _moment(text)
    return text if moment is None else f"{figures().time(moment)} UTC"


def minute(text: str) -> str:
    """`2026-11-22 19:49 UTC`: an instant that is not known to the second."""
    moment = _moment(text)
    return text if moment is None else f"{figures().time(moment)[:-3]} UTC"


def day(text: str) -> str:
    """`2026-11-22` of an RFC 3339 instant with a Z; anything else comes back as it is."""
    moment = _moment(text)
    return text if moment is None else figures().date(moment)


def after(text: str, ms: int) -> str | None:
    """The instant `ms` milliseconds after one in RFC 3339; None where `text` is not an instant."""
    start = _moment(text)
    if start is None:
        return None
    try:
        moved = start + timedelta(milliseconds=ms)
    except OverflowError:
        return None
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")


def left(now: str, until: str) -> str:
    """Time between two instants in whole days, or in whole hours or minutes of the last one: `29 days`, `5 h`, `40 min`."""
    here, there = _moment(now), _moment(until)
    if here is None or there is None:
        return "–"
    minutes = max(int((there - here).total_seconds()) // 60, 0)
    if minutes >= _DAY_MINUTES:
        return counted(minutes // _DAY_MINUTES, "day")
    return f"{minutes // 60} h" if minutes >= _HOUR_MINUTES else f"{minutes} min"


def _moment(text: str) -> datetime | None:
    found = _INSTANT.fullmatch(text)
    try:
        return found and datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    except ValueError:
        return None
