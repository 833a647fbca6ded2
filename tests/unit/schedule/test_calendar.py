"""Whether a proof lasts from one drill to the end of the next, in every month of sixty years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from attestore import gate
from attestore.config.schedule import Every, Schedule, Timing
from attestore.schedule import Lasted, Site, tasks, warnings
from attestore.schedule.site import SPREAD

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kolkata")
YEARS = range(2000, 2061)


def site(timing: Timing, *, lasted: timedelta) -> Site:
    planned = tasks(
        Schedule(drill=timing),
        system="shop",
        config=Path("/etc/attestore.yaml"),
        lasted=Lasted(drill=lasted // timedelta(seconds=1)),
        after={},
    )
    return Site(
        system="shop", program=Path("/usr/bin/true"), config=Path("/etc/attestore.yaml"), writable=(), tasks=planned
    )


def apart(timing: Timing, zone: str) -> timedelta:
    """The longest between two monthly starts, by the clocks of a place."""
    here = ZoneInfo(zone)
    starts = [
        datetime(year, month, timing.day, timing.hour, timing.minute, tzinfo=here).astimezone(UTC)
        for year in YEARS
        for month in range(1, 13)
    ]
    return max(later - earlier for earlier, later in pairwise(starts))


@pytest.mark.parametrize("zone", ZONES)
def test_a_schedule_without_a_warning_leaves_no_moment_without_a_proof(zone: str) -> None:
    """The earlier drill began at once and took no time, the later one began late and took all it may."""
    for day in (1, 15, 28):
        timing = Timing(Every.MONTHLY, 5, 0, day=day)
        for lasted in (timedelta(minutes=3), timedelta(hours=1), timedelta(hours=5)):
            made = site(timing, lasted=lasted)
            allowed = timedelta(seconds=next(task for task in made.tasks if task.name == "drill").timeout_s)
            worst = apart(timing, zone) + SPREAD + allowed
            for cadence in (worst - timedelta(milliseconds=1), worst - timedelta(hours=1), timedelta(days=31)):
                assert warnings(made, [("G", cadence)]), (day, lasted, cadence)


def test_what_a_warning_advises_needs_no_further_warning() -> None:
    for hours in (0, 1, 5, 30):
        made = site(Timing(Every.MONTHLY, 5, 0), lasted=timedelta(hours=hours))
        (told,) = warnings(made, [("G", timedelta(days=31))])
        days = int(told.rpartition("a cadence of ")[2].partition("d or more")[0])
        assert warnings(made, [("G", timedelta(days=days))]) == ()
        assert warnings(made, [("G", timedelta(days=days - 1))])


@pytest.mark.parametrize("path", gate.shipped(), ids=lambda path: path.name)
def test_a_shipped_gate_lasts_from_one_monthly_drill_to_the_next(path: Path) -> None:
    """By the schedule that stands where nobody says otherwise, of drills that take up to five hours."""
    shipped = gate.load(path.read_bytes(), where=path.name)
    assert shipped.cadence_ms is not None
    assert Schedule().drill.every is Every.MONTHLY
    made = site(Schedule().drill, lasted=timedelta(hours=5))
    assert warnings(made, [(shipped.id, timedelta(milliseconds=shipped.cadence_ms))]) == ()
