"""When a recovery time objective will be broken, told from the drills of one system; pure, and the same from every reader."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import groupby
from typing import Final

from attestore import instants
from attestore.evidence import Measured, Observation, Past
from attestore.facts import RTO_PHASES, Value
from attestore.forecast.trend import FEWEST, Line, Point, Trend, slope, trend
from attestore.gate import Gate, Operator

__all__ = [
    "MONTH",
    "MOST",
    "SPAN_DAYS",
    "Drill",
    "Forecast",
    "Outlook",
    "Target",
    "forecast",
    "measured",
    "of_history",
    "target",
]

MOST: Final = 50
"""newest runs that are looked at"""
SPAN_DAYS: Final = 14
"""days that runs have to span: in less, a week of busy and quiet days looks like growth"""
NEAR_DAYS: Final = 30
"""days ahead of a breach from which people are told: time to buy a disk"""
MONTH: Final = 30 * 86_400
"""seconds over which growth is told"""
_SKEW: Final = timedelta(hours=1)
_LARGEST: Final = 1 << 53
_DAY: Final = 86_400
_LONGEST: Final = 200
"""characters of a setting that are kept"""
_SETTINGS: Final = (
    ("jobs", "restore.jobs"),
    ("durable", "restore.durable"),
    ("server", "target.version"),
    ("network", "target.network"),
    ("machine", "run.host"),
    ("method", "proof.method"),
    ("store", "fetched.from"),
)
"""what a recovery time depends on besides the data; runs that differ in one are not compared"""
_WHOLE: Final = (("run.completed", True), ("restore.errors", 0), ("tables.missing", 0))
"""a restore that stopped, erred or lost tables was faster or slower for another reason than its data"""


class Outlook(Enum):
    """What there is to be said."""

    TOO_FEW = "too few runs"
    BROKEN = "already broken"
    EXPECTED = "expected"
    BEYOND = "not within the horizon"
    LEVEL = "does not grow"


@dataclass(frozen=True, slots=True)
class Drill:
    """What a forecast takes of one run, in the order of the ledger."""

    rto_ms: int | None
    sealed_bytes: int | None
    measured: Measured | None
    """None where the restore was not whole, or nobody knows"""


@dataclass(frozen=True, slots=True)
class Target:
    """What a gate asks of the recovery time."""

    ms: int
    """as it is written"""
    most_ms: int
    """the longest recovery time that meets it"""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast against one target; instants are UTC, empty where there is none."""

    outlook: Outlook
    target: Target
    newest_ms: int
    """recovery time of the newest run that counts; 0 where there is none"""
    runs: int
    """that count: whole, and under the settings of the newest"""
    days: int
    """different days on which their data was taken; a day's runs are one point, their median"""
    left_out: int
    """runs that measured no whole restore: stopped, failed in restoring, killed"""
    others: int
    """runs under other settings than the newest"""
    changed: tuple[tuple[str, str, str], ...] = ()
    """setting, what it was in the newest of those, what it is"""
    first: str = ""
    last: str = ""
    """when the data of the first and the last point was taken"""
    about: str = ""
    """when the trend reaches the target"""
    early: str = ""
    """when the upper line does, if by the horizon; also where the trend itself does not"""
    late: str = ""
    """when the lower line does, if by the horizon"""
    horizon: str = ""
    """as far ahead as the history reaches back: nothing is said of later"""
    monthly_ms: int = 0
    """growth of the recovery time in 30 days"""
    monthly_bytes: int | None = None
    """growth of the sealed backup in 30 days; None where its size is not known of every point"""
    phase: str = ""
    """that grows most; empty where none does"""
    phase_monthly_ms: int = 0
    points: tuple[tuple[int, int], ...] = ()
    """the days: second since 1970, recovery time"""
    now_ms: tuple[int, int, int] = (0, 0, 0)
    """lower, middle and upper line at the last point; may be below 0"""
    ahead_ms: tuple[int, int, int] = (0, 0, 0)
    """the same at the horizon"""

    @property
    def trending(self) -> bool:
        """Whether there were runs enough for a trend."""
        return bool(self.horizon)

    def near(self, at: datetime) -> bool:
        """Whether the trend comes to the target, not broken yet, within `NEAR_DAYS` of an instant."""
        if self.outlook is not Outlook.EXPECTED:
            return False
        return instants.parse(self.about) - at <= timedelta(days=NEAR_DAYS)


def measured(observations: Sequence[Observation]) -> Measured | None:
    """When the restored data was taken, how long each phase took, under which settings; None unless the restore was whole.

    Data that was taken after its restore was ordered comes from a clock that is wrong, and would bend a trend of years.
    """
    seen: dict[str, Value] = {}
    torn: set[str] = set()
    for each in observations:
        if not each.subject and seen.setdefault(each.fact, each.value) != each.value:
            torn.add(each.fact)
    taken, rto = seen.get("snapshot.taken"), seen.get("restore.rto")
    if taken is None or rto is None or {"snapshot.taken", "restore.rto"} & torn:
        return None
    if any(fact in torn or seen.get(fact) != value for fact, value in _WHOLE):
        return None
    if _later(str(taken), str(seen.get("restore.ordered", ""))):
        return None
    phases = tuple(seen.get(f"restore.{phase}") for phase in RTO_PHASES)
    return Measured(
        taken=str(taken),
        phases=tuple(0 if each is None else int(each) for each in phases),
        settings=tuple((name, _setting(name, seen[fact])) for name, fact in _SETTINGS if fact in seen),
    )


def _later(taken: str, ordered: str) -> bool:
    """Whether one clock is ahead of the other by more than clocks are."""
    try:
        return instants.parse(taken) - instants.parse(ordered) > _SKEW
    except ValueError:
        return False


def _setting(name: str, value: Value) -> str:
    """As much of a setting as a recovery time depends on: the major version, not the day's patch of a kernel."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)[:_LONGEST]
    if name == "server":
        found = re.search(r"\d+", text)
        return found[0] if found else text
    if name == "machine":
        system, comma, rest = text.partition(",")
        return f"{system.split(' ')[0]}{comma}{rest}"
    return text


def target(gate: Gate) -> Target | None:
    """The strictest bound that the gate sets; None where it sets none from above."""
    less = {Operator.LESS: 1, Operator.AT_MOST: 0}
    found = [
        Target(int(check.bound), int(check.bound) - less[check.operator])
        for check in gate.checks
        if check.fact == "restore.rto" and check.operator in less
    ]
    return min(found, key=lambda each: each.most_ms, default=None)


def of_history(history: Iterable[Past], gate: Gate) -> Forecast | None:
    """Of runs as a context tells them, newest first; None where the gate sets no target."""
    bound = target(gate)
    if bound is None:
        return None
    drills = [Drill(past.rto_ms, past.sealed_bytes, past.measured) for past in history if past.gate == gate.id]
    return forecast(drills[MOST - 1 :: -1], target=bound)


def forecast(drills: Sequence[Drill], *, target: Target) -> Forecast:
    """What is to be expected of a system whose drills, oldest first, went like that.

    Times are those at which the restored data was taken, so that a drill of an old backup does not count as one of today's.
    """
    looked = drills[-MOST:]
    known = [(_second(drill), drill) for drill in looked]
    whole = [(at, drill.rto_ms or 0, drill) for at, drill in known if at is not None]
    told = Forecast(Outlook.TOO_FEW, target, 0, 0, 0, left_out=len(looked) - len(whole), others=0)
    if not whole:
        return told
    newest = whole[-1]
    alike = [each for each in whole if _settings(each[2]) == _settings(newest[2])]
    days = _days(alike)
    told = replace(
        told,
        outlook=Outlook.BROKEN if newest[1] > target.most_ms else Outlook.TOO_FEW,
        newest_ms=newest[1],
        runs=len(alike),
        days=len(days),
        others=len(whole) - len(alike),
        changed=_changed(whole, newest[2]),
        first=_instant(days[0][0]),
        last=_instant(days[-1][0]),
    )
    if len(days) < FEWEST or days[-1][0] - days[0][0] < SPAN_DAYS * _DAY:
        return told
    return _ahead(told, days)


_Point = tuple[int, int, Drill]


def _ahead(told: Forecast, days: Sequence[_Point]) -> Forecast:
    first, last = days[0][0], days[-1][0]
    # counted from the last point, so that a level is what is to be seen there
    found = trend([Point(at - last, rto) for at, rto, _ in days])
    reach = last - first

    def when(line: Line) -> str:
        second = line.reaches(told.target.most_ms + 1)
        return "" if second is None or second > reach else _instant(last + second)

    about = when(found.middle)
    outlook = told.outlook
    if outlook is not Outlook.BROKEN:
        outlook = Outlook.EXPECTED if about else Outlook.LEVEL if found.middle.slope <= 0 else Outlook.BEYOND
    phase, more = _growing(days, last)
    return replace(
        told,
        outlook=outlook,
        about=about,
        early=when(found.upper),
        late=when(found.lower),
        horizon=_instant(last + reach),
        monthly_ms=found.middle.change(MONTH),
        monthly_bytes=_size(days, last),
        phase=phase,
        phase_monthly_ms=more,
        points=tuple((at, rto) for at, rto, _ in days),
        now_ms=_at(found, 0),
        ahead_ms=_at(found, reach),
    )


def _at(found: Trend, second: int) -> tuple[int, int, int]:
    return found.lower.value(second), found.middle.value(second), found.upper.value(second)


def _growing(days: Sequence[_Point], last: int) -> tuple[str, int]:
    """The phase whose own trend is steepest."""
    grown = [
        (
            slope([Point(at - last, drill.measured.phases[n]) for at, _, drill in days if drill.measured], units=MONTH),
            phase,
        )
        for n, phase in enumerate(RTO_PHASES)
    ]
    most, phase = max(grown, key=lambda each: each[0])
    return (phase, most) if most > 0 else ("", 0)


def _size(days: Sequence[_Point], last: int) -> int | None:
    sizes = [Point(at - last, drill.sealed_bytes) for at, _, drill in days if drill.sealed_bytes is not None]
    return slope(sizes, units=MONTH) if len(sizes) == len(days) else None


def _days(alike: Sequence[_Point]) -> list[_Point]:
    """One point for each day, in order of time: many drills of one day say no more of growth than one."""
    ordered = sorted(alike, key=lambda each: each[:2])
    days = (
        sorted(group, key=lambda each: (each[1], each[0])) for _, group in groupby(ordered, key=lambda e: e[0] // _DAY)
    )
    return [day[(len(day) - 1) // 2] for day in days]


def _changed(whole: Sequence[_Point], newest: Drill) -> tuple[tuple[str, str, str], ...]:
    """In what the newest run under other settings differs."""
    now = _settings(newest)
    before = next((_settings(drill) for _, _, drill in reversed(whole) if _settings(drill) != now), None)
    if before is None:
        return ()
    names = sorted({*before, *now})
    return tuple((n, before.get(n, ""), now.get(n, "")) for n in names if before.get(n, "") != now.get(n, ""))


def _settings(drill: Drill) -> dict[str, str]:
    return dict(drill.measured.settings) if drill.measured is not None else {}


def _second(drill: Drill) -> int | None:
    """When the data was taken, in seconds since 1970; None where the run does not count."""
    if drill.measured is None or drill.rto_ms is None or not 0 <= drill.rto_ms <= _LARGEST:
        return None
    if len(drill.measured.phases) != len(RTO_PHASES):
        return None
    try:
        return int(instants.parse(drill.measured.taken).timestamp())
    except (ValueError, OverflowError):
        return None


def _instant(second: int) -> str:
    """As far as calendars go; UTC."""
    try:
        return instants.text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
    except OverflowError:
        return "9999-12-31T23:59:59.000Z" if second > 0 else "0001-01-01T00:00:00.000Z"
