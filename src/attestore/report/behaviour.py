"""What the restored copy did when it was tried: constraints, triggers, indexes."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from attestore.proof import Behaviour, Did, Exercise
from attestore.proof.behaviour import BAD, CONSTRAINTS, INDEX, TRIGGERS
from attestore.report import numbers
from attestore.report.blocks import Align, Block, Bullets, Callout, Cell, Column, Heading, Mark, Para, Table, Tone
from attestore.report.case import NOT_MEASURED, View
from attestore.report.voice import among, later, say
from attestore.report.words import prose

__all__ = ["behaviour"]

_NAMED: Final = 12
"""things that one reason names before it counts"""

_NOTES: Final = (
    later("{event}: the table is empty"),
    later("{event}: no statement could be derived"),
    later("{event}: no row that meets its condition could be derived"),
    later("{event}: the server does not count calls of its own functions"),
    later("{event}: NOT NULL of {column} refused first"),
    later("{event}: refused with SQLSTATE {state}"),
    later("{event}: {constraint} refused first"),
    later("the table is empty"),
    later("the server has no amcheck"),
    later("amcheck has no rule for {method}"),
    later("not valid"),
    later("the index is not valid"),
    later("its index is not valid"),
    later("NOT ENFORCED"),
    later("the key is not enforced"),
    later("its column is computed by the server"),
    later("its table keeps its rows elsewhere"),
    later("no row conflicts with a copy of itself"),
    later("no violating row could be derived"),
    later("no violating value could be derived"),
    later("no key could be derived that has no parent"),
    later("a value that its own expression is false of was taken"),
    later("nothing was written"),
    later("the server does not count calls of its own functions"),
    later("no statement of {tags} could be tried"),
    later("{event} can't be caused inside a transaction"),
    later("could not be tried: the session was ended"),
    later("could not be tried: SQLSTATE {state}"),
    later("could not be read through: SQLSTATE {state}"),
    later("not reached within {n} s"),
    later("NOT NULL of {column} refused first"),
    later("refused with SQLSTATE {state}"),
    later("{constraint} refused first"),
    later("disabled, and called on {events}"),
    later("disabled: not called on {events}"),
    later("not called on {events}"),
    later("on {event}, which it refused with SQLSTATE {state}"),
)
"""what adapters write beside an exercise, its names left open"""
_DEPTHS: Final = (
    later("none: not asked for"),
    later("none: the server has no amcheck"),
    later("{depth}: as asked for"),
    later("{depth}: the database is up to 1 GiB"),
    later("{depth}: the database is above 1 GiB"),
)
_RIGHT: Final = {
    **dict.fromkeys(CONSTRAINTS, later("refused a violating row, in its own name")),
    **dict.fromkeys(TRIGGERS, later("called when its event came (if disabled: not called)")),
    INDEX: later("read through by amcheck, and sound"),
}
_SEVERAL: Final = {
    "primary key": later("Primary keys"),
    "unique": later("Unique constraints"),
    "unique index": later("Unique indexes without a constraint"),
    "foreign key": later("Foreign keys"),
    "check": later("Checks"),
    "not null": later("NOT NULL columns"),
    "exclusion": later("Exclusion constraints"),
    "domain": later("Rules of domains"),
    "trigger": later("Triggers"),
    "event trigger": later("Event triggers"),
    INDEX: later("Indexes"),
}


def behaviour(view: View) -> tuple[Block, ...]:
    """Which definitions were tried and what came of it; which were only compared, and why."""
    heading = Heading(2, say("Behaviour"), "behaviour")
    seen = view.case.restored.behaviour if view.case.restored else None
    if seen is None:
        return heading, Para(prose("**{what}:** the restored copy was not tried.", what=say(NOT_MEASURED).capitalize()))
    told = Para(
        prose(
            "A definition that came back whole may still not act. So after the comparison each constraint of the restored "
            "copy was offered a row that it forbids, made from an existing row, and had to refuse it in its own name; each "
            "trigger’s event was caused, and the server itself counted its calls; indexes were read through. All of it "
            "happened in transactions that were rolled back. Index check {depth}.",
            depth=among(seen.depth, _DEPTHS),
        )
    )
    if not seen.exercises:
        return heading, told, Para(say("The restored database has no constraint, no trigger and no index to try."))
    bad = tuple(each for each in seen.exercises if each.did in BAD)
    return heading, told, *_wrong(bad), _summary(seen), *_compared(seen)


def _wrong(bad: tuple[Exercise, ...]) -> tuple[Block, ...]:
    if not bad:
        return ()
    return (
        Callout(Tone.BAD, say("{n} of them did otherwise than defined", n=numbers.count(len(bad)))),
        Table(
            (
                Column(say("Kind")),
                Column(say("Which"), mono=True, wide=True),
                Column(say("What it did")),
                Column(say("How")),
            ),
            tuple(
                (say(each.kind), each.subject, Mark(each.did.value, Tone.BAD), _noted(each.note) or "–") for each in bad
            ),
        ),
    )


def _summary(seen: Behaviour) -> Table:
    rows: list[tuple[Cell, ...]] = []
    whole: Counter[Did] = Counter()
    for kind, several in _SEVERAL.items():
        dids = Counter(each.did for each in seen.of(kind))
        if dids:
            whole += dids
            rows.append((say(several), *_counts(dids), say(_RIGHT[kind])))
    return Table(
        (
            Column(say("Tried"), wide=True),
            Column(say("All"), Align.RIGHT),
            Column(say("As defined"), Align.RIGHT),
            Column(say("Otherwise"), Align.RIGHT),
            Column(say("Only compared"), Align.RIGHT),
            Column(say("State")),
            Column(say("As defined means"), wide=True),
        ),
        tuple(rows),
        total=(say("All"), *_counts(whole), ""),
        note=say("Copies of a constraint or trigger in partitions are tried through the table that declares them."),
    )


def _counts(dids: Counter[Did]) -> tuple[Cell, ...]:
    total, wrong, compared = dids.total(), sum(dids[did] for did in BAD), dids[Did.COMPARED]
    good = total - wrong - compared
    state = (
        Mark("OTHERWISE", Tone.BAD)
        if wrong
        else Mark("as defined", Tone.GOOD)
        if not compared
        else Mark("in part" if good else say("not tried"), Tone.DOUBT)
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
            kind=say(_SEVERAL[kind]),
            count=numbers.count(len(names)),
            why=_noted(why),
            names=", ".join(names[:_NAMED]),
            more=say(" and {n} more", n=numbers.count(len(names) - _NAMED)) if len(names) > _NAMED else "",
        )
        for (kind, why), names in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    )
    return Para(say("Definition and validity compared, not tried:")), Bullets(lines)


def _noted(note: str) -> str:
    """A note in the language of the document; of several, each by itself."""
    return "; ".join(among(each, _NOTES) for each in note.split("; "))
