"""A forecast in words, and as a picture's measures: the same sentences in reports, on the site and in messages."""

from __future__ import annotations

from typing import Final

from attestore.forecast import FEWEST, LEVEL, SPAN_DAYS, Forecast, Outlook
from attestore.report import numbers
from attestore.report.blocks import Prospect
from attestore.report.voice import later, say

__all__ = ["basis", "picture", "range_words", "sentence"]

_WHOLE: Final = 1000
_LEVEL: Final = f"{LEVEL}%"
_FAR: Final = 4
"""times the largest recovery time: a target further away would flatten what it is compared with"""
_SETTINGS: Final = {
    "jobs": later("parallel jobs"),
    "durable": later("durable writes"),
    "server": later("PostgreSQL"),
    "network": later("network of the target"),
    "machine": later("machine"),
    "method": later("fingerprint method"),
    "store": later("store"),
}


def sentence(told: Forecast) -> str:
    """What is to be expected, in one sentence or two."""
    match told.outlook:
        case Outlook.TOO_FEW:
            return _wanting(told)
        case Outlook.BROKEN:
            return say(
                "The target of {target} is broken already: the newest run took {newest}.",
                target=numbers.duration(told.target.ms), newest=numbers.duration(told.newest_ms),
            )  # fmt: skip
        case Outlook.EXPECTED:
            return _expected(told)
        case Outlook.BEYOND | Outlook.LEVEL:
            return _unbroken(told)


def _wanting(told: Forecast) -> str:
    if told.days < FEWEST:
        return say(
            "Not enough runs for a forecast: {days} of at least {fewest} different days with a run that counts.",
            days=numbers.count(told.days), fewest=numbers.count(FEWEST),
        )  # fmt: skip
    return say("Not enough runs for a forecast: they have to span at least {span} days.", span=numbers.count(SPAN_DAYS))


def _expected(told: Forecast) -> str:
    target = numbers.duration(told.target.ms)
    if told.about == told.last:
        return say(
            "The trend has reached the target of {target} already; the newest run, with {newest}, still met it.",
            target=target, newest=numbers.duration(told.newest_ms),
        )  # fmt: skip
    about = say(
        "At this trend the recovery time reaches its target of {target} about {about}.",
        target=target, about=numbers.day(told.about),
    )  # fmt: skip
    return f"{about} {range_words(told)}"


def _unbroken(told: Forecast) -> str:
    target, horizon = numbers.duration(told.target.ms), numbers.day(told.horizon)
    if told.outlook is Outlook.BEYOND:
        seen = say(
            "No breach of the target of {target} is in sight until {horizon}, which is as far ahead as the runs reach back.",
            target=target, horizon=horizon,
        )  # fmt: skip
    else:
        seen = say(
            "The recovery time does not grow; no breach of the target of {target} is in sight until {horizon}.",
            target=target, horizon=horizon,
        )  # fmt: skip
    if not told.early:
        return seen
    doubt = say(
        "With {level} confidence one from {early} on cannot be ruled out: the runs scatter.",
        level=_LEVEL, early=numbers.day(told.early),
    )  # fmt: skip
    return f"{seen} {doubt}"


def range_words(told: Forecast) -> str:
    """How sure an expected breach is: between which days."""
    early, late, horizon = (numbers.day(each) for each in (told.early, told.late, told.horizon))
    already = told.early == told.last
    if already and told.late:
        return say("With {level} confidence: at any time from now, and by {late}.", level=_LEVEL, late=late)
    if already:
        return say(
            "With {level} confidence: at any time from now, and perhaps not by {horizon}.",
            level=_LEVEL, horizon=horizon,
        )  # fmt: skip
    if told.late:
        return say("With {level} confidence: between {early} and {late}.", level=_LEVEL, early=early, late=late)
    return say(
        "With {level} confidence: not before {early}, and perhaps not by {horizon}.",
        level=_LEVEL, early=early, horizon=horizon,
    )  # fmt: skip


def basis(told: Forecast) -> str:
    """What it rests on: runs, growth, method, and what was left out; empty where there is nothing to tell."""
    said: list[str] = []
    if told.trending:
        said.append(
            say(
                "From {runs} on {days} days, {first} to {last}: {growth} in 30 days by the Theil–Sen line; the range is that of the trend, around which single runs scatter.",
                runs=numbers.counted(told.runs, "run"), days=numbers.count(told.days),
                first=numbers.day(told.first), last=numbers.day(told.last), growth=_growth(told.monthly_ms),
            )
        )  # fmt: skip
        if told.phase:
            said.append(
                say(
                    "The phase that grows most is {phase} ({growth} in 30 days).",
                    phase=say(told.phase), growth=_growth(told.phase_monthly_ms),
                )
            )  # fmt: skip
        if told.monthly_bytes is not None:
            size = numbers.size(abs(told.monthly_bytes))
            said.append(
                say(
                    "The sealed backup changes by {size} in 30 days.",
                    size=f"{'−' if told.monthly_bytes < 0 else '+'}{size}",
                )
            )
    if told.left_out:
        said.append(
            say("Left out, having measured no whole restore: {runs}.", runs=numbers.counted(told.left_out, "run"))
        )
    if told.others:
        changes = ", ".join(
            f"{say(_SETTINGS.get(name, name))} {before or '–'} → {now or '–'}" for name, before, now in told.changed
        )
        said.append(
            say(
                "Left out, since they ran under other settings ({changes}): {runs}.",
                changes=changes, runs=numbers.counted(told.others, "run"),
            )
        )  # fmt: skip
    return " ".join(said)


def _growth(ms: int) -> str:
    return numbers.duration(ms) if ms < 0 else f"+{numbers.duration(ms)}"


def picture(told: Forecast) -> Prospect | None:
    """The runs, their line and its range up to the horizon, and the target; None where there is no trend to draw, or the target is far above it."""
    if not told.trending:
        return None
    highest = max(rto for _, rto in told.points)
    if told.target.ms > _FAR * max(highest, told.ahead_ms[1]):
        return None
    top = max(highest, told.target.ms, told.ahead_ms[1], min(told.ahead_ms[2], 2 * told.target.ms)) * 21 // 20 or 1
    first, last = told.points[0][0], told.points[-1][0]
    wide = 2 * (last - first)

    def high(ms: int) -> int:
        return ms * _WHOLE // top

    low, middle, upper = (high(each) for each in told.now_ms)
    return Prospect(
        label=say("Recovery time until {horizon}, by date", horizon=numbers.day(told.horizon)),
        words=say(
            "dots: days with runs; line: trend; shaded: its range with {level} confidence; across: the target of {target}",
            level=_LEVEL, target=numbers.duration(told.target.ms),
        ),
        first=numbers.day(told.first),
        now=numbers.day(told.last),
        last=numbers.day(told.horizon),
        points=tuple(((at - first) * _WHOLE // wide, high(rto)) for at, rto in told.points),
        line=(2 * middle - high(told.ahead_ms[1]), middle, high(told.ahead_ms[1])),
        low=(low, high(told.ahead_ms[0])),
        upper=(upper, high(told.ahead_ms[2])),
        target_at=high(told.target.ms),
    )  # fmt: skip
