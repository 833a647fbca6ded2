"""Dates as people write them, in UTC."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from attestore import instants
from attestore.errors import UsageError

__all__ = ["as_of", "instant", "is_day"]

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def is_day(written: str) -> bool:
    """Whether it is a day alone."""
    return _DAY.fullmatch(written) is not None


def instant(written: str, *, of_day: str) -> datetime:
    """An instant in UTC, with or without milliseconds; a day alone is the moment `of_day` on it.

    Raises:
        ValueError: it is neither.
    """
    if is_day(written):
        return instants.parse(f"{written}T{of_day}Z")
    return instants.parse(written if "." in written else written.replace("Z", ".000Z"))


def as_of(written: str, *, option: str) -> datetime:
    """An instant in UTC; a day alone is its last moment, so that whatever happened on it has happened.

    Raises:
        UsageError: it is neither.
    """
    try:
        return instant(written, of_day="23:59:59.999")
    except ValueError as problem:
        raise UsageError(
            f"{option} {written!r} is not an instant in UTC", hint="Write 2026-11-30 or 2026-11-30T12:00:00Z."
        ) from problem
