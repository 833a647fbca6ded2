"""How long it took: the recovery time by phase, as figures and as a picture, and the other phases of the run."""

from __future__ import annotations

from typing import Final

from attestore.facts import RTO_PHASES
from attestore.report import numbers
from attestore.report.blocks import (
    Align,
    Block,
    Callout,
    Cell,
    Column,
    Fact,
    Facts,
    Heading,
    Para,
    Span,
    Table,
    Tone,
)
from attestore.report.case import NOT_MEASURED, Reading, View
from attestore.report.front import margin, rto_check
from attestore.report.phases import phase_words
from attestore.report.voice import later, say

__all__ = ["recovery", "recovery_table", "run_phases"]

_ROUNDED: Final = later("Each share is rounded by itself, so that their sum may miss 100% by some tenths.")
_BESIDE: Final = later(
    "Parts are decrypted while they come: their decryption has a time of its own only for what was left of it."
)
_SCRATCH: Final = later(
    "The target ran without fsync or full_page_writes. A production server writes durably and takes longer: "
    "read this time as a lower bound."
)


def recovery(view: View) -> tuple[Block, ...]:
    """Recovery time and recovery point, with their definitions, phases and rates."""
    reading, target = view.reading, rto_check(view)
    measured = reading.number("restore.rto")
    facts = [
        Fact(say("Measured RTO"), reading.shown("restore.rto"), note=_milliseconds(measured)),
        Fact(say("Target RTO"), f"{target.operator.value} {target.written}" if target else say("none in this gate")),
    ]
    if target is not None and measured is not None:
        label = say("Margin") if measured <= int(target.bound) else say("Beyond the target")
        facts.append(Fact(label, margin(measured, int(target.bound))))
    facts += [
        Fact(
            say("RPO"),
            reading.shown("restore.rpo"),
            note=say("age of the backup's snapshot when the restore was ordered"),
        ),
        Fact(say("Restore ordered"), reading.shown("restore.ordered")),
        Fact(say("Snapshot taken"), reading.shown("snapshot.taken"), note=say("by the source's clock")),
    ]
    blocks: list[Block] = [
        Heading(2, say("Recovery time"), "recovery"),
        Para(
            say(
                "Clock: from the order to restore until the restored database had answered its first query, with all keys, "
                "indexes and statistics in place. Phases are consecutive intervals of one monotonic clock. Verification is timed apart."
            )
        ),
    ]
    if reading.flag("restore.durable") is False:
        blocks.append(
            Callout(
                Tone.DOUBT,
                say("Scratch settings"),
                (say(_SCRATCH),),
            )
        )
    blocks += [Facts(tuple(facts)), recovery_table(reading)]
    broken = _sum_differs(reading)
    if broken:
        blocks.append(Callout(Tone.BAD, say("The phases do not add up"), (broken,)))
    return tuple(blocks)


def recovery_table(reading: Reading) -> Table:
    """The phases of the recovery time with durations, shares, rates, and each as a stretch of the whole."""
    spent = [reading.number(f"restore.{phase}") for phase in RTO_PHASES]
    whole = sum(ms for ms in spent if ms is not None)
    rows: list[tuple[Cell, ...]] = []
    start = 0
    for phase, ms in zip(RTO_PHASES, spent, strict=True):
        if ms is None:
            rows.append((phase_words(phase), "", say(NOT_MEASURED), "–", "–"))
            continue
        span = Span(start * 1000 // whole, ms * 1000 // whole) if whole else Span(0, 0)
        rows.append(
            (phase_words(phase), span, numbers.duration(ms), numbers.share(ms, whole), _rate(phase, ms, reading))
        )
        start += ms
    rto = reading.number("restore.rto")
    total: tuple[Cell, ...] = (
        say("Total"),
        "",
        reading.shown("restore.rto"),
        numbers.share(whole, whole) if None not in spent and rto == whole and whole else "–",
        "",
    )
    return Table(
        (
            Column(say("Phase")),
            Column(say("From order to first query"), wide=True),
            Column(say("Duration"), Align.RIGHT),
            Column(say("Share"), Align.RIGHT),
            Column(say("Rate"), Align.RIGHT),
        ),
        tuple(rows),
        caption=say("Recovery time by phase"),
        total=total,
        note=f"{say(_ROUNDED)} {say(_BESIDE)}",
    )


def _rate(phase: str, ms: int, reading: Reading) -> str:
    match phase:
        case "retrieve":
            amount = reading.number("backup.size.sealed")
        case "data":
            rows = reading.number("rows.restored")
            return numbers.rate(rows, ms, unit="rows") if rows is not None and ms else "–"
        case _:
            return "–"
    return f"{numbers.size(amount * 1000 // ms)}/s" if amount is not None and ms else "–"


def _milliseconds(ms: int | None) -> str:
    return "" if ms is None else f"{numbers.count(ms)} ms"


def _sum_differs(reading: Reading) -> str:
    spent = [reading.number(f"restore.{phase}") for phase in RTO_PHASES]
    rto = reading.number("restore.rto")
    known = [ms for ms in spent if ms is not None]
    if rto is None or len(known) < len(spent) or sum(known) == rto:
        return ""
    return say(
        "The phases sum to {sum}, the recovery time says {rto}.",
        sum=numbers.duration(sum(known)), rto=numbers.duration(rto),
    )  # fmt: skip


def run_phases(view: View) -> tuple[Block, ...]:
    """Every phase that the run entered, with its duration."""
    reading = view.reading
    phases = reading.subjects("phase.elapsed")
    if not phases:
        return (
            Heading(2, say("Phases of the run"), "run-phases"),
            Para(say("Durations of phases: {what}.", what=say(NOT_MEASURED))),
        )
    spent = [reading.number("phase.elapsed", phase) or 0 for phase in phases]
    whole = sum(spent)
    rows: list[tuple[Cell, ...]] = []
    start = 0
    for phase, ms in zip(phases, spent, strict=True):
        span = Span(start * 1000 // whole, ms * 1000 // whole) if whole else Span(0, 0)
        rows.append((phase_words(phase), span, numbers.duration(ms), numbers.share(ms, whole)))
        start += ms
    return (
        Heading(2, say("Phases of the run"), "run-phases"),
        Table(
            (Column(say("Phase")), Column(say("From start to end"), wide=True), Column(say("Duration"), Align.RIGHT), Column(say("Share"), Align.RIGHT)),
            tuple(rows),
            total=(say("Total"), "", numbers.duration(whole), numbers.share(whole, whole)),
            note=say(_ROUNDED),
        ),
    )  # fmt: skip
