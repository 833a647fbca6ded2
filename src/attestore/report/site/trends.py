"""How a gate's figures went over time: recovery time and size of the backup, of runs whose bundle holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from attestore.report import numbers
from attestore.report.site.model import Line, Row, Trust
from attestore.report.site.pictures import Point, curve
from attestore.report.site.values import Figure
from attestore.report.voice import say

__all__ = ["MOST", "trends"]

MOST: Final = 120
"""runs in a picture, the newest"""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is drawn, and how its values are written."""

    title: str
    value: Callable[[Line], int | None]
    write: Callable[[int], str]
    bound: int | None = None
    unit: int = 1


def trends(row: Row, lines: Sequence[Line]) -> tuple[Figure, ...]:
    """A figure for each value that any of the runs has."""
    ours = [line for line in lines if line.trust is Trust.HOLDS]
    target = row.target_ms
    wanted = (
        _Wanted(say("Recovery time (RTO)"), lambda line: line.rto_ms, numbers.duration, bound=target),
        _Wanted(say("Size of the sealed backup"), lambda line: line.sealed_bytes, numbers.size, unit=1024),
    )
    made = (_figure(each, row.gate, ours) for each in wanted)
    return tuple(figure for figure in made if figure is not None)


def _figure(wanted: _Wanted, gate: str, lines: Sequence[Line]) -> Figure | None:
    write, bound = wanted.write, wanted.bound
    known = [(line, number) for line in lines if (number := wanted.value(line)) is not None][-MOST:]
    if not known:
        return None
    points = [Point(line.ended or line.started, number, line.outcome(gate)) for line, number in known]
    values = [point.value for point in points]
    drawn = curve(points, target=bound, unit=wanted.unit)
    newest = write(values[-1])
    first, last = numbers.day(points[0].at), numbers.day(points[-1].at)
    words = (
        say("One run, {at}: {newest}.", at=last, newest=newest)
        if len(values) == 1
        else say(
            "{n} runs from {first} to {last}: least {least}, half of them at most {median}, most {most}, newest {newest}.",
            n=numbers.count(len(values)),
            first=first,
            last=last,
            least=write(min(values)),
            median=write(median_low(values)),
            most=write(max(values)),
            newest=newest,
        )
    )
    told = "" if bound is None else say("target {bound}", bound=write(bound))
    if told and drawn.target_at is None:
        told = say("target {bound}, far above the picture", bound=write(bound or 0))
    return Figure(
        title=wanted.title,
        newest=newest,
        curve=drawn,
        top=write(drawn.top),
        first=first,
        last=last,
        target=told,
        words=words,
    )
