"""What is done where: the tasks of one system, how long each may take, and what it may touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from attestore.amounts import amount
from attestore.config.schedule import Every, Schedule, Timing
from attestore.errors import PlanError

__all__ = [
    "BUSY",
    "CREDENTIALS",
    "MARK",
    "SPREAD",
    "File",
    "Lasted",
    "Site",
    "Task",
    "is_ours",
    "safe",
    "tasks",
    "warnings",
]

MARK: Final = "# Made by `attestore schedule`; it may be made again: change attestore.yaml instead."
"""The first line of every file that is written: what does not begin with it is somebody else's"""

CREDENTIALS: Final = "/etc/attestore/credentials"
"""folder of files that hold the tasks' secrets, one named like each variable"""

BUSY: Final = 78
"""exit code of a job that found another of its kind under way: nothing is wrong"""

SPREAD: Final = timedelta(minutes=10)
"""by which starts are delayed at random, so that not everything begins at once"""

_APART: Final[Mapping[Every, timedelta]] = {
    Every.HOURLY: timedelta(hours=1),
    Every.DAILY: timedelta(days=1),
    Every.WEEKLY: timedelta(days=7),
    Every.MONTHLY: timedelta(days=31),
}
"""the longest that lies between two, by the calendar"""

_CLOCKS: Final = timedelta(hours=1)
"""by how much a night in autumn is longer"""

_TIMES: Final = 4
_LEAST_S: Final[Mapping[str, int]] = {"backup": 3600, "prune": 3600, "drill": 7200, "status": 900}
"""How long a task may take where nobody knows how long it takes"""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be written, by its name below the folder that the scheduler reads."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """One job: what is started, when, and when it is given up."""

    name: str
    says: str
    arguments: tuple[str, ...]
    """of the programme"""
    after: tuple[tuple[str, ...], ...]
    """arguments of what is started when it has ended, however it ended"""
    timing: Timing
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Site:
    """One system on one machine."""

    system: str
    program: Path
    config: Path
    writable: tuple[Path, ...]
    """folders that the tasks write to"""
    tasks: tuple[Task, ...]
    user: str = ""
    """whose account the tasks have; empty: that of whoever starts them"""
    secrets: tuple[str, ...] = ()
    """variables that the configuration takes secrets from"""
    passfile: Path | None = None
    """the source's password, as libpq reads it"""
    stores: tuple[tuple[str, Path], ...] = ()
    """folders among the stores, by name"""


@dataclass(frozen=True, slots=True)
class Lasted:
    """The longest that the newest runs of a system took, in seconds; 0 where there were none."""

    backup: int = 0
    drill: int = 0


def tasks(
    schedule: Schedule, *, system: str, config: Path, lasted: Lasted, after: Mapping[str, tuple[str, ...]]
) -> tuple[Task, ...]:  # fmt: skip
    """The tasks of a system that are ever done. `after` names what follows a task: `metrics`, `notify`.

    A task may take four times as long as it took, and never less than an hour (drills: two; status: a quarter).
    """
    told = {"backup": lasted.backup, "drill": lasted.drill}
    said = {
        "backup": f"takes a sealed backup of {system}",
        "prune": f"deletes the backups of {system} that no rule keeps",
        "drill": f"restores a backup of {system} and proves it",
        "status": f"tells what the gates of {system} are worth",
    }
    found = []
    for name, says in said.items():
        timing: Timing = getattr(schedule, name)
        if timing.every is not Every.NEVER:
            common = ("--config", str(config))
            found.append(
                Task(
                    name=name,
                    says=says,
                    arguments=(name, *common, "--system", system),
                    after=tuple((command, *common) for command in after.get(name, ())),
                    timing=timing,
                    timeout_s=max(_LEAST_S[name], _minutes(_TIMES * told.get(name, 0))),
                )
            )
    return tuple(found)


def warnings(site: Site, gates: Iterable[tuple[str, timedelta]]) -> tuple[str, ...]:
    """What the schedule can't keep: a gate, by id and how long a proof of it counts, that would expire between two drills."""
    drill = next((task for task in site.tasks if task.name == "drill"), None)
    told = []
    for gate, holds in gates:
        if drill is None:
            told.append(f"{site.system}: no drill is scheduled, and {gate} holds for {_days(holds)} after one.")
            continue
        apart = _APART[drill.timing.every]
        needed = apart + _CLOCKS + SPREAD + timedelta(seconds=drill.timeout_s)
        if holds <= needed:
            told.append(
                f"{site.system}: {gate} holds for {_days(holds)}, and up to {_days(apart)} lie between two drills that are done "
                f"{drill.timing.every.value}, besides what the later one takes: it can be EXPIRED until that has passed. "
                f"Drill more often, or give the gate a cadence of {needed // timedelta(days=1) + 1}d or more."
            )
    return tuple(told)


def _days(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours // 24} days" if hours % 24 == 0 and hours >= 48 else amount(hours, "hour")  # noqa: PLR2004  two days


def _minutes(seconds: int) -> int:
    """Rounded up to whole minutes."""
    return -(-seconds // 60) * 60


def is_ours(data: bytes) -> bool:
    """Whether a file that is there was written by us."""
    return data.split(b"\n", 1)[0].decode(errors="replace") == MARK


def safe(site: Site) -> Site:
    """The site, where everything in it can stand on a line of a file.

    Raises:
        PlanError: a path or a name holds a control character, which no scheduler's file can say.
    """
    for what, text in _texts(site):
        if not text.isprintable():
            raise PlanError(
                f"the {what} {text!r} holds a character that can't be printed", hint="Move it to a path without one."
            )
    return site


def _texts(site: Site) -> Iterator[tuple[str, str]]:
    yield "system", site.system
    yield "user", site.user
    yield "programme", str(site.program)
    yield "configuration", str(site.config)
    for path in site.writable:
        yield "folder", str(path)
    if site.passfile is not None:
        yield "passfile", str(site.passfile)
    for task in site.tasks:
        for argument in (*task.arguments, *(word for words in task.after for word in words)):
            yield "argument", argument
