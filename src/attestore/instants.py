"""Instants as text and back: UTC, RFC 3339, milliseconds, a Z; durations as people write them. Pure; the clock is a port."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

__all__ = ["DURATION", "MILLISECONDS", "compact", "duration_ms", "parse", "text"]

DURATION: Final = r"(0|[1-9][0-9]{0,11})(ms|s|m|h|d)"
"""How a duration is written: one whole number and one unit."""

MILLISECONDS: Final = MappingProxyType({"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000})
"""In each unit of a duration."""

_LONGEST: Final = 2**53 - 1


def text(instant: datetime) -> str:
    """`2026-11-22T19:30:00.125Z`.

    Raises:
        ValueError: the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def parse(written: str) -> datetime:
    """The instant that `text` wrote.

    Raises:
        ValueError: it is not written that way.
    """
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        instant = None
    # there are many ways to write an instant, and one of them is ours
    if instant is None or instant.tzinfo is None or text(instant) != written:
        raise ValueError(f"{written!r} is not an instant in UTC with milliseconds")
    return instant


def compact(instant: datetime) -> str:
    """`20261122T193000Z`: sorts by time, fits a file name."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def duration_ms(written: str) -> int:
    """Milliseconds of a duration such as `31d`.

    Raises:
        ValueError: not one whole number above 0 and one unit.
    """
    found = re.fullmatch(DURATION, written)
    if found is None or int(found.group(1)) == 0:
        raise ValueError(f"{written!r} is not a duration: write one whole number and ms, s, m, h or d, such as 31d")
    milliseconds = int(found.group(1)) * MILLISECONDS[found.group(2)]
    if milliseconds > _LONGEST:
        raise ValueError(f"{written} is longer than any duration can be")
    return milliseconds
