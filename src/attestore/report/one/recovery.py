"""How long it took: the recovery time by phase, as figures and as a picture, and the other phases of the run."""

from __future__ import annotations

from typing import Final

from attestore.facts import RTO_PHASES
from attestore.report.one import numbers
from attestore.report.one.blocks import (
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
from attestore.report.one.case import NOT_MEASURED, Reading, View
from attestore.report.one.front import margin, rto_check

__all__ = ["phase_words", "recovery", "recovery_table", "run_phases"]

_PHASES: Final = {
    "preflight": "Preflight",
    "snapshot": "Snapshot of the source",
    "proof": "Proof of the source",
    "dump": "Dump",
    "seal": "Compression and encryption",
    "store": "Store and read back",
    "disaster": "Destruction of the local copy",
    "retrieve": "Backup download",
    "unseal": "Decryption and unpacking",
    "prepare": "Database preparation",
    "schema": "Schema restoration",
    "data": "Data restoration",
    "indexes": "Index, key and trigger rebuilding",
    "finalize": "Finalization and first query",
    "verify": "Comparison with the backup's proof",
    "exercise": "Constraints, triggers and indexes tried",
    "inspect": "Inspection of the stored parts",
    "control": "Negative control",
    "teardown": "Teardown",
}

_ROUNDED: Final = "Each share is rounded by itself, so that their sum may miss 100% by some tenths."
_SCRATCH: Final = (
    "The target ran without fsync or full_page_writes. A production server writes durably and takes longer: "
    "read this time as a lower bound."
)


def phase_words(phase: str) -> str:
    """A phase as operators say it."""
    return _PHASES.get(phase, phase)


def recovery(view: View) -> tuple[Block, ...]:
    """Recovery time and recovery point, with their definitions, phases and rates."""
    reading, target = view.reading, rto_check(view)
    measured = reading.number("restore.rto")
    facts = [
        Fact("Measured RTO", reading.shown("restore.rto"), note=_milliseconds(measured)),
        Fact("Target RTO", f"{target.operator.value} {target.written}" if target else "none in this gate"),
    ]
    if target is not None and measured is not None:
        facts.append(Fact("Margin", margin(measured, int(target.bound))))
    facts += [
        Fact("RPO", reading.shown("restore.rpo"), note="age of the backup's snapshot when the restore was ordered"),
        Fact("Restore ordered", reading.shown("restore.ordered")),
        Fact("Snapshot taken", reading.shown("snapshot.taken"), note="by the source's clock"),
    ]
    blocks: list[Block] = [
        Heading(2, "Recovery time", "recovery"),
        Para(
            "Clock: from the order to restore until the restored database had answered its first query, with all keys, "
            "indexes and statistics in place. Phases are consecutive intervals of one monotonic clock. Verification is timed apart."
        ),
    ]
    if reading.flag("restore.durable") is False:
        blocks.append(
            Callout(
                Tone.DOUBT,
                "Scratch settings",
                (_SCRATCH,),
            )
        )
    blocks += [Facts(tuple(facts)), recovery_table(reading)]
    broken = _sum_differs(reading)
    if broken:
        blocks.append(Callout(Tone.BAD, "The phases do not add up", (broken,)))
    return tuple(blocks)


def recovery_table(reading: Reading) -> Table:
    """The phases of the recovery time with durations, shares, rates, and each as a stretch of the whole."""
    spent = [reading.number(f"restore.{phase}") for phase in RTO_PHASES]
    whole = sum(ms for ms in spent if ms is not None)
    rows: list[tuple[Cell, ...]] = []
    start = 0
    for phase, ms in zip(RTO_PHASES, spent, strict=True):
        if ms is None:
            rows.append((phase_words(phase), "", NOT_MEASURED, "–", "–"))
            continue
        span = Span(start * 1000 // whole, ms * 1000 // whole) if whole else Span(0, 0)
        rows.append(
            (phase_words(phase), span, numbers.duration(ms), numbers.share(ms, whole), _rate(phase, ms, reading))
        )
        start += ms
    rto = reading.number("restore.rto")
    total: tuple[Cell, ...] = (
        "Total",
        "",
        reading.shown("restore.rto"),
        "100.0%" if None not in spent and rto == whole and whole else "–",
        "",
    )
    return Table(
        (
            Column("Phase"),
            Column("From order to first query", wide=True),
            Column("Duration", Align.RIGHT),
            Column("Share", Align.RIGHT),
            Column("Rate", Align.RIGHT),
        ),
        tuple(rows),
        caption="Recovery time by phase",
        total=total,
        note=_ROUNDED,
    )


def _rate(phase: str, ms: int, reading: Reading) -> str:
    match phase:
        case "retrieve":
            amount = reading.number("backup.size.sealed")
        case "unseal":
            amount = reading.number("backup.size.plain")
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
    return f"The phases sum to {numbers.duration(sum(known))}, the recovery time says {numbers.duration(rto)}."


def run_phases(view: View) -> tuple[Block, ...]:
    """Every phase that the run entered, with its duration."""
    reading = view.reading
    phases = reading.subjects("phase.elapsed")
    if not phases:
        return (Heading(2, "Phases of the run", "run-phases"), Para(f"Durations of phases: {NOT_MEASURED}."))
    spent = [reading.number("phase.elapsed", phase) or 0 for phase in phases]
    whole = sum(spent)
    rows: list[tuple[Cell, ...]] = []
    start = 0
    for phase, ms in zip(phases, spent, strict=True):
        span = Span(start * 1000 // whole, ms * 1000 // whole) if whole else Span(0, 0)
        rows.append((phase_words(phase), span, numbers.duration(ms), numbers.share(ms, whole)))
        start += ms
    return (
        Heading(2, "Phases of the run", "run-phases"),
        Table(
            (Column("Phase"), Column("From start to end", wide=True), Column("Duration", Align.RIGHT), Column("Share", Align.RIGHT)),
            tuple(rows),
            total=("Total", "", numbers.duration(whole), "100.0%" if whole else "–"),
            note=_ROUNDED,
        ),
    )  # fmt: skip
