"""What people are told when a gate changes its standing, or is about to: pure, from what was told last and what is so now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from attestore import canon, instants
from attestore.errors import TamperedError
from attestore.forecast import Forecast
from attestore.report import numbers
from attestore.report.metrics import GateFigure
from attestore.report.outlook import basis, sentence
from attestore.report.words import visible

__all__ = ["Notice", "Told", "decode", "encode", "notices"]

_FORMAT: Final = "attestore/told/v1"


@dataclass(frozen=True, slots=True)
class Told:
    """What people know of one gate."""

    standing: str
    until: str = ""
    """the end whose approach they were told of; empty where they were not"""
    breach: str = ""
    """when, as they were told, the recovery time would come to its target; empty where it is not near"""


Known: TypeAlias = Mapping[tuple[str, str], Told]
"""by system and gate"""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message about one gate."""

    system: str
    gate: str
    title: str
    body: str
    bad: bool
    """whether somebody has to do something"""


def notices(known: Known, gates: Iterable[GateFigure], *, at: str, before_ms: int) -> tuple[tuple[Notice, ...], Known]:
    """The messages that are due at an instant, and what people know once they have been sent.

    A gate that nobody was told of yet and that lets a release through is no news. An end is announced once, from `before_ms`
    ahead of it. That a recovery time comes to its target is told once, while it is near.
    """
    due: list[Notice] = []
    now: dict[tuple[str, str], Told] = dict(known)
    for gate in gates:
        place = (gate.system, gate.gate)
        before = known.get(place)
        standing = gate.standing.value
        announced = before.until if before is not None and before.standing == standing else ""
        if (before is not None and before.standing != standing) or (before is None and gate.standing.exit_code != 0):
            due.append(_changed(gate, before=before.standing if before is not None else ""))
        near = gate.until and gate.until != announced and _near(gate.until, at=at, before_ms=before_ms)
        if near and gate.standing.exit_code == 0:
            due.append(_ending(gate, at=at))
            announced = gate.until
        breach = ""
        if gate.forecast is not None and gate.forecast.near(instants.parse(at)):
            # told once; the date moves a little with each run, and that is no news
            breach = (before.breach if before is not None else "") or gate.forecast.about
            if before is None or not before.breach:
                due.append(_growing(gate, gate.forecast))
        now[place] = Told(standing=standing, until=announced, breach=breach)
    return tuple(due), now


def _near(until: str, *, at: str, before_ms: int) -> bool:
    now, end = instants.parse(at), instants.parse(until)
    return now < end <= now + timedelta(milliseconds=before_ms)


def _changed(gate: GateFigure, *, before: str) -> Notice:
    was = f" It was {before}." if before else ""
    return Notice(
        system=gate.system,
        gate=gate.gate,
        title=f"{visible(gate.gate)} of {visible(gate.system)}: {gate.standing.value}",
        body=f"{visible(gate.gate)} of {visible(gate.system)} is now {gate.standing.value}.{was} "
        + (
            "Its newest run finished " + numbers.instant(gate.finished) + "."
            if gate.finished
            else "No run of it has finished."
        ),
        bad=gate.standing.exit_code != 0,
    )


def _ending(gate: GateFigure, *, at: str) -> Notice:
    return Notice(
        system=gate.system,
        gate=gate.gate,
        title=f"{visible(gate.gate)} of {visible(gate.system)}: {numbers.left(at, gate.until)} left",
        body=f"{visible(gate.gate)} of {visible(gate.system)} is {gate.standing.value} until {numbers.instant(gate.until)}. "
        "Without a new run it is worth nothing from then on.",
        bad=True,
    )


def _growing(gate: GateFigure, told: Forecast) -> Notice:
    return Notice(
        system=gate.system,
        gate=gate.gate,
        title=f"{visible(gate.gate)} of {visible(gate.system)}: its recovery time target will be broken about {numbers.day(told.about)}",
        body=f"{visible(gate.gate)} of {visible(gate.system)}: {sentence(told)} {basis(told)}",
        bad=True,
    )


def encode(known: Known) -> bytes:
    """What people know, as it is kept between two times of asking."""
    told: list[canon.JSON] = [
        [system, gate, each.standing, each.until, *([each.breach] if each.breach else [])]
        for (system, gate), each in sorted(known.items())
    ]
    return canon.encode({"format": _FORMAT, "told": told})


def decode(data: bytes, *, what: str) -> Known:
    """Read what `encode` wrote.

    Raises:
        TamperedError: it is something else.
    """
    match canon.decode(data, what=what):
        case {"format": str(form), "told": list(told)} if form == _FORMAT:
            known: dict[tuple[str, str], Told] = {}
            for each in told:
                match each:
                    case [str(system), str(gate), str(standing), str(until)]:
                        known[system, gate] = Told(standing=standing, until=until)
                    case [str(system), str(gate), str(standing), str(until), str(breach)]:
                        known[system, gate] = Told(standing=standing, until=until, breach=breach)
                    case _:
                        raise TamperedError(f"{what} holds a line that is none: {each!r}")
            return known
        case _:
            raise TamperedError(f"{what} is not of the format {_FORMAT}")
