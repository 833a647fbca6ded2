"""What the restored copy did when it was tried: constraints, triggers, indexes."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from attestore.proof import Behaviour, Did, Exercise
from attestore.proof.behaviour import BAD, CONSTRAINTS, INDEX, TRIGGERS
from attestore.report.one import numbers
from attestore.report.one.blocks import Align, Block, Bullets, Callout, Cell, Column, Heading, Mark, Para, Table, Tone
from attestore.report.one.case import NOT_MEASURED, View
from attestore.report.one.words import prose

__all__ = ["behaviour"]

_NAMED: Final = 12
"""things that one reason names before it counts"""

_RIGHT: Final = {
    **dict.fromkeys(CONSTRAINTS, "refused a violating row, in its own name"),
    **dict.fromkeys(TRIGGERS, "called when its event came (if disabled: not called)"),
    INDEX: "read through by amcheck, and sound",
}
_SEVERAL: Final = {
    "primary key": "Primary keys",
    "unique": "Unique constraints",
    "unique index": "Unique indexes without a constraint",
    "foreign key": "Foreign keys",
    "check": "Checks",
    "not null": "NOT NULL columns",
    "exclusion": "Exclusion constraints",
    "domain": "Rules of domains",
    "trigger": "Triggers",
    "event trigger": "Event triggers",
    INDEX: "Indexes",
}


def behaviour(view: View) -> tuple[Block, ...]:
    """Which definitions were tried and what came of it; which were only compared, and why."""
    heading = Heading(2, "Behaviour", "behaviour")
    seen = view.case.restored.behaviour if view.case.restored else None
    if seen is None:
        return heading, Para(prose("**{what}:** the restored copy was not tried.", what=NOT_MEASURED.capitalize()))
    told = Para(
        prose(
            "A definition that came back whole may still not act. So after the comparison each constraint of the restored "
            "copy was offered a row that it forbids, made from an existing row, and had to refuse it in its own name; each "
            "trigger’s event was caused, and the server itself counted its calls; indexes were read through. All of it "
            "happened in transactions that were rolled back. Index check {depth}.",
            depth=seen.depth,
        )
    )
    if not seen.exercises:
        return heading, told, Para("The restored database has no constraint, no trigger and no index to try.")
    bad = tuple(each for each in seen.exercises if each.did in BAD)
    return heading, told, *_wrong(bad), _summary(seen), *_compared(seen)


def _wrong(bad: tuple[Exercise, ...]) -> tuple[Block, ...]:
    if not bad:
        return ()
    return (
        Callout(Tone.BAD, f"{numbers.count(len(bad))} of them did otherwise than defined"),
        Table(
            (Column("Kind"), Column("Which", mono=True, wide=True), Column("What it did"), Column("How")),
            tuple((each.kind, each.subject, Mark(each.did.value, Tone.BAD), each.note or "–") for each in bad),
        ),
    )


def _summary(seen: Behaviour) -> Table:
    rows: list[tuple[Cell, ...]] = []
    whole: Counter[Did] = Counter()
    for kind, several in _SEVERAL.items():
        dids = Counter(each.did for each in seen.of(kind))
        if dids:
            whole += dids
            rows.append((several, *_counts(dids), _RIGHT[kind]))
    return Table(
        (
            Column("Tried"),
            Column("All", Align.RIGHT),
            Column("As defined", Align.RIGHT),
            Column("Otherwise", Align.RIGHT),
            Column("Only compared", Align.RIGHT),
            Column("State"),
            Column("As defined means", wide=True),
        ),
        tuple(rows),
        total=("All", *_counts(whole), ""),
        note="Copies of a constraint or trigger in partitions are tried through the table that declares them.",
    )


def _counts(dids: Counter[Did]) -> tuple[Cell, ...]:
    total, wrong, compared = dids.total(), sum(dids[did] for did in BAD), dids[Did.COMPARED]
    good = total - wrong - compared
    state = (
        Mark("OTHERWISE", Tone.BAD)
        if wrong
        else Mark("as defined", Tone.GOOD)
        if not compared
        else Mark("in part" if good else "not tried", Tone.DOUBT)
    )
    return (*map(numbers.count, (total, good, wrong, compared)), state)


def _compared(seen: Behaviour) -> tuple[Block, ...]:
    """Why definitions were only compared, each reason once."""
    reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in seen.exercises:
        if each.did is Did.COMPARED:
            reasons[each.kind, each.note].append(each.subject)
    if not reasons:
        return ()
    lines = tuple(
        prose(
            "{kind}, {count}: {why} ({names}{more})",
            kind=_SEVERAL[kind],
            count=numbers.count(len(names)),
            why=why,
            names=", ".join(names[:_NAMED]),
            more=f" and {numbers.count(len(names) - _NAMED)} more" if len(names) > _NAMED else "",
        )
        for (kind, why), names in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    return Para("Definition and validity compared, not tried:"), Bullets(lines)
