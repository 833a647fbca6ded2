"""How long backups stay: how many of the newest days, weeks, months and years keep one, in which time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import Field

from attestore.config.installation import Form
from attestore.strictyaml import Node

__all__ = ["MOST", "Policy", "RetentionForm", "read_retention", "zone"]

MOST: Final = 10_000
"""of a count: more is a slip of the pen"""

_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")


@dataclass(frozen=True, slots=True)
class Policy:
    """Of the newest `daily` days that have a backup, each keeps its newest; the same for ISO weeks, months and years.

    A day is a day of the time zone's calendar. The newest `at_least` backups stay, whatever their age.
    """

    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    at_least: int = 1
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """A policy that would keep nothing, or counts in no calendar, is none.

        Raises:
            ValueError: a count is negative or beyond `MOST`, `at_least` is below 1, or nobody knows the time zone.
        """
        for name in ("daily", "weekly", "monthly", "yearly", "at_least"):
            count, least = getattr(self, name), int(name == "at_least")
            if not least <= count <= MOST:
                raise ValueError(f"{name} is {count}; it must be from {least} to {MOST}")
        zone(self.time_zone)

    @property
    def words(self) -> str:
        """`daily 7, weekly 4, monthly 6, at least 3, by the calendar of UTC`."""
        rules = [(name, getattr(self, name)) for name in ("daily", "weekly", "monthly", "yearly")]
        told = [f"{name} {count}" for name, count in rules if count]
        return ", ".join([*told, f"at least {self.at_least}", f"by the calendar of {self.time_zone}"])


class RetentionForm(Form):
    """Which backups of a system are kept."""

    daily: int = Field(
        default=0, description="Of the newest so many days that have a backup, the newest backup of each."
    )
    weekly: int = Field(default=0, description="The same for ISO weeks, Monday to Sunday; the present one counts.")
    monthly: int = Field(default=0, description="The same for months.")
    yearly: int = Field(default=0, description="The same for years.")
    at_least: int = Field(default=1, description="The newest so many stay, whatever their age; 1 or more.")
    time_zone: str = Field(default="UTC", description="Whose calendar says what a day is, e.g. Europe/Berlin.")


def read_retention(node: Node) -> Policy:
    """The section `retention` of a system.

    Raises:
        GateError: an unknown key, a number out of range, or a time zone that nobody knows; with line and column.
    """
    form = node.read_as(RetentionForm)
    said = form.model_dump()
    for name, value in said.items():
        try:
            Policy(**{name: value})
        except ValueError as problem:
            hint = "Write a name of the IANA database, e.g. Europe/Berlin or UTC." if name == "time_zone" else ""
            raise node.error(str(problem), at=(name,), hint=hint) from problem
    return Policy(**said)


def zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        ValueError: there is none.
    """
    try:
        # the pattern keeps a name from being a path out of the zones' folder
        if _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        pass
    raise ValueError(f"there is no time zone {name!r}")
