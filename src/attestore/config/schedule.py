"""When what is done: four jobs of a system, each at a time that every scheduler can say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pydantic import Field

from attestore.config.installation import Form
from attestore.strictyaml import Node, did_you_mean

__all__ = ["WEEKDAYS", "Every", "Schedule", "ScheduleForm", "Timing", "read_schedule", "timing"]

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY: Final = re.compile(r"[1-9]|1[0-9]|2[0-8]")


class Every(Enum):
    """How often; the value is the first word of a timing."""

    NEVER = "never"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Timing:
    """When a job begins, by the clock of the machine that does it."""

    every: Every
    hour: int = 0
    minute: int = 0
    weekday: int = 7
    """of a weekly job: 1 is Monday"""
    day: int = 1
    """of a monthly job: 1 to 28, which every month has"""

    @property
    def words(self) -> str:
        """As a configuration says it."""
        time = f"{self.hour:02d}:{self.minute:02d}"
        match self.every:
            case Every.NEVER:
                return "never"
            case Every.HOURLY:
                return f"hourly :{self.minute:02d}"
            case Every.DAILY:
                return f"daily {time}"
            case Every.WEEKLY:
                return f"weekly {WEEKDAYS[self.weekday - 1]} {time}"
            case Every.MONTHLY:
                return f"monthly {self.day} {time}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each job of a system is done; never at one time where nobody says otherwise."""

    backup: Timing = Timing(Every.DAILY, 2, 0)
    prune: Timing = Timing(Every.WEEKLY, 4, 0)
    drill: Timing = Timing(Every.MONTHLY, 5, 0)
    status: Timing = Timing(Every.DAILY, 8, 0)


class ScheduleForm(Form):
    """When what is done."""

    backup: str = Field(default="daily 02:00", description="daily HH:MM, hourly :MM, weekly DAY HH:MM or never.")
    prune: str = Field(default="weekly sun 04:00", description="The same; needs `retention`.")
    drill: str = Field(default="monthly 1 05:00", description="The same, or monthly DAY HH:MM.")
    status: str = Field(default="daily 08:00", description="The same.")


def read_schedule(node: Node) -> Schedule:
    """The section `schedule` of a system.

    Raises:
        GateError: an unknown key, or a time that nobody can mean; with line and column.
    """
    form = node.read_as(ScheduleForm)
    default = Schedule()
    found: dict[str, Timing] = {}
    for name in form.model_fields_set:
        try:
            found[name] = timing(getattr(form, name), default=getattr(default, name))
        except ValueError as problem:
            hint = 'Write "daily 02:00", "weekly sun 04:00", "monthly 1 05:00", "hourly :15" or never.'
            raise node.error(f"{name}: {problem}", at=(name,), hint=hint) from problem
    return Schedule(**found)


def timing(text: str, *, default: Timing) -> Timing:
    """What a text such as `weekly sun 04:00` says; a part that it leaves out is that of `default`.

    Raises:
        ValueError: it says nothing that can be meant.
    """
    word, *rest = text.lower().split() or [""]
    try:
        every = Every(word)
    except ValueError as problem:
        hint = did_you_mean(word, (each.value for each in Every))
        raise ValueError(f"{text!r} is no time; {hint}") from problem
    hour, minute = default.hour, default.minute
    weekday, day = default.weekday, default.day
    if every is Every.HOURLY and rest and re.fullmatch(r":[0-5][0-9]", rest[-1]):
        minute = int(rest.pop()[1:])
    elif every not in {Every.HOURLY, Every.NEVER} and rest and (time := _TIME.fullmatch(rest[-1])):
        hour, minute = int(time[1]), int(time[2])
        rest.pop()
    if every is Every.WEEKLY and rest and rest[0] in WEEKDAYS:
        weekday = WEEKDAYS.index(rest.pop(0)) + 1
    elif every is Every.MONTHLY and rest and _DAY.fullmatch(rest[0]):
        day = int(rest.pop(0))
    if rest:
        raise ValueError(f"{text!r} is no time: {' '.join(rest)!r} can't be meant after {word}")
    return Timing(every, hour, minute, weekday, day)
