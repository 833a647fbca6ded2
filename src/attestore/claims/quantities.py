"""Figures in words: numbers with their kind, their value and how exactly they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal, TypeAlias

__all__ = ["NUMBER", "Measure", "Quantity", "clock", "number", "quantities", "said", "single"]

Measure: TypeAlias = Literal["duration", "size", "percent", "fraction", "count", "rate", "clock"]

NUMBER: Final = r"\d{1,3}(?:[,.'\u00a0\u202f\u2009]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?"
_LONGEST: Final = 4_000
"""A longer text is no statement: nothing in it is read as one, so that no document takes long"""
_MOST_DIGITS: Final = 60
_START: Final = r"(?<![\w.,/:#@+-])"

_SECONDS: Final[dict[str, Fraction]] = {
    **dict.fromkeys(("µs", "us", "microseconds"), Fraction(1, 1_000_000)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds", "millisekunden"), Fraction(1, 1000)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "sekunde", "sekunden"), Fraction(1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten"), Fraction(60)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden"), Fraction(3600)),
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "tagen"), Fraction(86_400)),
    **dict.fromkeys(("week", "weeks", "woche", "wochen"), Fraction(604_800)),
}
_BYTES: Final[dict[str, tuple[int, int]]] = {
    **dict.fromkeys(("b", "byte", "bytes"), (1, 1)),
    **{
        unit: (1000**power, 1024**power)
        for power, letter in enumerate("kmgtp", 1)
        for unit in (f"{letter}b", f"{letter}byte", f"{letter}bytes")
    },
    **{f"{letter}ib": (1024**power, 1024**power) for power, letter in enumerate("kmgtp", 1)},
}
_UNIT: Final = (
    r"(?:µs|us|msec|ms|milli(?:seconds?|sekunden)|microseconds|seconds?|secs?|sek(?:unden?)?|s"
    r"|minut(?:es?|en)|mins?|m|hours?|hrs?|h|std|stunden?|days?|tagen?|tage?|d|weeks?|wochen?)"
)
_PART: Final = (
    rf"(?P<n>{NUMBER})[ \u00a0\u202f-]?(?P<u>{_UNIT})(?![^\W\d]|[/²³]|-[^\W\d])\.?"
    r"(?:,?[ \u00a0](?:and |und )?)?"
)
_DURATION: Final = re.compile(_START + _PART, re.IGNORECASE)
_CONTINUED: Final = re.compile(_PART, re.IGNORECASE)
_SIZE: Final = re.compile(
    rf"{_START}(?P<n>{NUMBER})[ \u00a0\u202f-]?(?P<u>bytes?|[kmgtp]i?b(?:ytes?)?|B)\b(?![\w]|/s)", re.IGNORECASE
)
_PERCENT: Final = re.compile(rf"(?<![\w.,/])(?P<n>{NUMBER})[ \u00a0\u202f]?(?:%|percent\b|per cent\b|Prozent\b)")
_SLASHED: Final = re.compile(rf"(?<![\w.,/-])(?P<a>{NUMBER}) ?/ ?(?P<b>{NUMBER})(?![\w/%]|[.,:-]\d| ?/)")
_OF: Final = re.compile(
    rf"(?<![\w.,/-])(?P<a>{NUMBER}) (?:out of|of|von) (?:the |all |insgesamt )?(?P<b>{NUMBER})(?![\w/%]|[.,]\d)",
    re.IGNORECASE,
)
_RATE: Final = re.compile(
    rf"{_START}(?P<n>{NUMBER})[ \u00a0\u202f]?(?P<u>rows|records|tuples|Zeilen|bytes|[kMGT]i?B)"
    r"(?: ?/ ?s(?:ec(?:ond)?)?\b|ps\b| per second| pro Sekunde)",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(r"(?<![\w:.,/-])(\d{1,4}):([0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,6}))?)?(?![\w:]|[.,]\d)")
_COUNT: Final = re.compile(rf"(?<![\w.,/:#@+-])(?P<n>{NUMBER})(?![\w%/]|[.,:-]\d|-\w)")
_APPROXIMATE: Final = re.compile(
    r"(?:~|≈|\b(?:about|approx(?:imately|\.)?|around|roughly|nearly|almost|circa|ca\.?|etwa|rund|fast|some|ungefähr))\s*$",
    re.IGNORECASE,
)
_BOUND: Final = re.compile(
    r"(?:[<>≤≥]=?|\b(?:over|more than|less than|up to|at least|at most|under|below|above|within|max(?:imum|\.)?|min(?:imum|\.)?"
    r"|fewer than|über|unter|mehr als|weniger als|mindestens|höchstens|bis zu|innerhalb(?: von)?|exceed(?:s|ing)?|beyond))"
    r"\s*(?:the |of |a |an |our )?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure as written: exact value, and half of its last place's unit."""

    measure: Measure
    value: Fraction
    half: Fraction
    start: int
    end: int
    text: str
    unit: str = ""
    of: Fraction | None = None
    """of a fraction: what it is a part of"""
    other: Fraction | None = None
    """of a size: the value if its unit is a power of 1,000"""
    approximate: bool = False
    bound: bool = False
    """a limit rather than a value: < 30 min, up to 7 days"""

    @property
    def exact(self) -> bool:
        """Neither approximate nor a limit."""
        return not (self.approximate or self.bound)

    def agrees(self, value: Fraction, *, half: Fraction = Fraction(0)) -> bool:
        """Whether a computed value, itself uncertain by `half`, may be written like this, rounded or cut."""
        low, high = value - half, value + half
        candidates = (self.value,) if self.other is None else (self.value, self.other)
        return any(low <= each + 2 * self.half and high >= each - self.half for each in candidates)

    def same(self, other: Quantity) -> bool:
        """Whether both can be the same value, each as exact as it is written."""
        mine = (self.value,) if self.other is None else (self.value, self.other)
        theirs = (other.value,) if other.other is None else (other.value, other.other)
        half = max(self.half, other.half)
        return self.of == other.of and any(abs(a - b) <= half or abs(a - b) < 2 * half for a in mine for b in theirs)


@lru_cache(maxsize=4096)
def number(text: str, *, german: bool) -> tuple[Fraction, Fraction]:
    """The value of a number and half a unit of its last place, English or German."""
    text = re.sub("['\u00a0\u202f\u2009]", "", text)[:_MOST_DIGITS]
    dot, comma = text.rfind("."), text.rfind(",")
    point = ""
    if dot >= 0 and comma >= 0:
        point = "." if dot > comma else ","
    elif dot >= 0 or comma >= 0:
        mark = "." if dot >= 0 else ","
        whole, _, rest = text.partition(mark)
        grouped = text.count(mark) > 1 or (
            len(rest) == 3 and 0 < len(whole) <= 3 and not whole.startswith("0") and (mark == ".") is german
        )
        point = "" if grouped else mark
    whole, _, places = text.partition(point) if point else (text, "", "")
    digits = re.sub(r"\D", "", whole) + places
    value = Fraction(int(digits or "0"), 10 ** len(places))
    return value, Fraction(1, 2 * 10 ** len(places))


def clock(text: str) -> Fraction | None:
    """Seconds of h:mm:ss, or of mm:ss where only two parts are written; None if it isn't that."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    if found[3] is None:
        return Fraction(int(found[1]) * 60 + int(found[2]))
    fraction = Fraction(int(found[4]), 10 ** len(found[4])) if found[4] else Fraction(0)
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) + fraction


@lru_cache(maxsize=1 << 16)
def quantities(text: str, *, german: bool = False) -> tuple[Quantity, ...]:
    """All figures of a text in their order; none overlaps another."""
    if len(text) > _LONGEST:
        return ()
    taken = bytearray(len(text))
    found: list[Quantity] = []
    for each in (
        *_rates(text, german=german),
        *_sizes(text, german=german),
        *_percents(text, german=german),
        *_fractions(text, german=german),
        *_durations(text, german=german),
        *_spelled(text),
        *_clocks(text),
        *_counts(text, german=german),
    ):
        if not any(taken[each.start : each.end]):
            taken[each.start : each.end] = b"x" * (each.end - each.start)
            found.append(each)
    return tuple(sorted((_hedged(each, text) for each in found), key=lambda each: each.start))


def single(text: str, *, german: bool = False) -> Quantity | None:
    """The one figure that a cell consists of, whatever stands around it in brackets; None if it is something else."""
    stripped = text.strip(" *_`✅✔✓⚠️❌✘")
    found = quantities(stripped, german=german)
    if not found or found[0].start > (1 if stripped[:1] in "~≈<>" else 0):
        return None
    rest = stripped[found[0].end :].strip(" .")
    if rest and not re.fullmatch(r"\(.*\)|[a-zäöü]+(?: [a-zäöü]+)?", rest, re.IGNORECASE):
        return None
    return found[0]


def said(value: Fraction, *, places: int = 1) -> str:
    """A number for people, English, with as many places as it needs up to `places`."""
    if value.denominator == 1:
        return f"{int(value):,}"
    return f"{float(value):,.{places}f}"


def _hedged(quantity: Quantity, text: str) -> Quantity:
    before = text[max(0, quantity.start - 24) : quantity.start]
    approximate, bound = _APPROXIMATE.search(before) is not None, _BOUND.search(before) is not None
    bound = bound or text[quantity.end : quantity.end + 1] == "+"
    if not approximate and not bound:
        return quantity
    return Quantity(
        quantity.measure, quantity.value, quantity.half, quantity.start, quantity.end, quantity.text, quantity.unit,
        quantity.of, quantity.other, approximate, bound,
    )  # fmt: skip


def _rates(text: str, *, german: bool) -> Iterator[Quantity]:
    for found in _RATE.finditer(text):
        value, half = number(found["n"], german=german)
        unit = found["u"].lower()
        factor = _BYTES.get(unit, (1, 1))[1]
        kind = "bytes" if unit in _BYTES else "rows"
        yield Quantity("rate", value * factor, half * factor, found.start(), found.end(), found[0], kind)


def _sizes(text: str, *, german: bool) -> Iterator[Quantity]:
    for found in _SIZE.finditer(text):
        value, half = number(found["n"], german=german)
        decimal, binary = _BYTES[found["u"].lower()]
        exact = Fraction(0) if binary == 1 else half * binary
        yield Quantity(
            "size", value * binary, exact, found.start(), found.end(), found[0], found["u"], None, value * decimal
        )


def _percents(text: str, *, german: bool) -> Iterator[Quantity]:
    for found in _PERCENT.finditer(text):
        value, half = number(found["n"], german=german)
        yield Quantity("percent", value, half, found.start(), found.end(), found[0], "%")


def _fractions(text: str, *, german: bool) -> Iterator[Quantity]:
    for pattern in (_SLASHED, _OF):
        for found in pattern.finditer(text):
            part, _ = number(found["a"], german=german)
            whole, _ = number(found["b"], german=german)
            month = pattern is _SLASHED and re.fullmatch(r"(?:19|20)\d\d ?/ ?\d\d", found[0])
            if part.denominator == 1 and whole.denominator == 1 and found[0] != "24/7" and not month:
                yield Quantity("fraction", part, Fraction(0), found.start(), found.end(), found[0], "", whole)


def _durations(text: str, *, german: bool) -> Iterator[Quantity]:
    """Parts that follow each other from larger to smaller units are one duration: 18 minutes 42 seconds."""
    position = 0
    while found := _DURATION.search(text, position):
        start, end, total, last, half = found.start(), found.end("u"), Fraction(0), None, Fraction(0)
        while found is not None:
            factor = _SECONDS[found["u"].lower()]
            if last is not None and factor >= last:
                break
            value, half = number(found["n"], german=german)
            total, half, last, end = total + value * factor, half * factor, factor, found.end("u")
            position = found.end("u")
            found = _CONTINUED.match(text, found.end())
        unit = text[start:end]
        yield Quantity("duration", total, half, start, end, unit, re.split(r"[\d.,\s-]+", unit)[-1].lower())


_SPELLED: Final = {
    word: number
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
}
_SPELLED_TIME: Final = re.compile(
    rf"\b({'|'.join(_SPELLED)})[ -](seconds?|minutes?|hours?|days?|weeks?)\b", re.IGNORECASE
)


def _spelled(text: str) -> Iterator[Quantity]:
    """Two hours."""
    for found in _SPELLED_TIME.finditer(text):
        factor = _SECONDS[found[2].lower()]
        value = _SPELLED[found[1].lower()] * factor
        yield Quantity("duration", value, factor / 2, found.start(), found.end(), found[0], found[2].lower())


def _clocks(text: str) -> Iterator[Quantity]:
    for found in _CLOCK.finditer(text):
        value = clock(found[0])
        if value is not None:
            half = Fraction(1, 2) if found[3] else Fraction(30)
            yield Quantity("clock", value, half, found.start(), found.end(), found[0], "hms" if found[3] else "hm")


def _counts(text: str, *, german: bool) -> Iterator[Quantity]:
    for found in _COUNT.finditer(text):
        value, half = number(found["n"], german=german)
        exact = Fraction(0) if value.denominator == 1 and half == Fraction(1, 2) else half
        yield Quantity("count", value, exact, found.start(), found.end(), found[0])
