"""Instants as text and back: UTC, RFC 3339, milliseconds, a Z. Pure; the clock is a port."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["compact", "parse", "text"]


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
    instant = datetime.strptime(written, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    if text(instant) != written:
        raise ValueError(f"{written!r} is not an instant in UTC with milliseconds")
    return instant


def compact(instant: datetime) -> str:
    """`20261122T193000Z`: sorts by time, fits a file name."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
