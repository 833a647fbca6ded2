"""Whether the comparison noticed what was changed deliberately, and whether trials left anything behind."""

from __future__ import annotations

from typing import Final

from attestore.report import numbers
from attestore.report.blocks import Block, Bullets, Callout, Heading, Para, Tone
from attestore.report.case import NOT_MEASURED, View
from attestore.report.voice import among, later, retold, say
from attestore.report.words import prose

__all__ = ["control"]

_PLANTED: Final = (
    later("one value of column {column} altered"),
    later("one row deleted"),
    later("one index dropped"),
    later("one table added"),
)
_SEEN: Final = (
    later("NOT NOTICED"),
    later("noticed"),
    later("noticed, but its row was NOT LOCATED"),
    later("noticed, {rows}, located"),
)


def control(view: View) -> tuple[Block, ...]:
    """Whether the comparison notices what it must notice."""
    planted, noticed = view.reading.number("control.planted"), view.reading.number("control.noticed")
    heading = Heading(2, say("Negative control"), "control")
    told = say(
        "After the comparison, the restored copy was changed deliberately and compared again. A checker that stays silent here would prove nothing above."
    )
    if planted is None or noticed is None:
        untold = say(
            "A complete run changes the restored copy deliberately and compares it again. Of this run it is not known whether its checker would have noticed damage."
        )
        return heading, Para(untold), Callout(Tone.DOUBT, prose("Negative control: {what}", what=say(NOT_MEASURED)))
    changes = tuple(
        _change(view.reading.shown("control.change", number)) for number in view.reading.subjects("control.change")
    )
    awake = planted > 0 and noticed == planted
    tone = Tone.GOOD if awake else Tone.DOUBT if not planted else Tone.BAD
    return (
        heading,
        Para(told),
        Callout(
            tone, say("{n} of {all} deliberate changes noticed", n=numbers.count(noticed), all=numbers.count(planted))
        ),
        *((Bullets(changes),) if changes else ()),
        *_leftovers(view),
        *_reread(view),
    )


def _reread(view: View) -> tuple[Block, ...]:
    """How the second comparison knew which rows could be others by then."""
    reread, seen = view.reading.number("control.reread"), view.reading.number("control.transactions")
    others = view.reading.number("control.committed")
    if reread is None or seen is None or others is None:
        return ()
    if others:
        return (
            Para(
                say(
                    "The server's commit log has {transactions} between the two comparisons that nobody rolled back and the checker did not make: the rows of every table were read again.",
                    transactions=numbers.counted(others, "transaction"),
                )
            ),
        )
    return (
        Para(
            say(
                "By the server's commit log, {transactions} could have changed something between the two comparisons, and none was committed but the checker's own. Rows were therefore read again in {tables} only (written to by the checker, unlogged, or kept by another access method than heap); definitions were all read again.",
                transactions=numbers.counted(seen, "transaction"),
                tables=numbers.counted(reread, "table"),
            )
        ),
    )


def _leftovers(view: View) -> tuple[Block, ...]:
    """What nobody planted, and is there all the same."""
    count = view.reading.number("control.unplanned")
    if count is None:
        return (Callout(Tone.DOUBT, prose("Other differences: {what}", what=say(NOT_MEASURED))),)
    if not count:
        return (
            Para(
                say(
                    "Nothing else had changed: the trials between the two comparisons left nothing behind (numbers that sequences handed out are not counted)."
                )
            ),
        )
    told = tuple(view.reading.shown("control.leftover", number) for number in view.reading.subjects("control.leftover"))
    return (
        Callout(
            Tone.BAD,
            say(
                "{differences} that nobody planted: what a trial left behind",
                differences=numbers.counted(count, "difference"),
            ),
        ),
        Bullets(told),
    )


def _change(told: str) -> str:
    """`what was planted: what became of it`, each by itself; a column may be named like anything."""
    planted, colon, seen = told.rpartition(": ")
    said = among(seen, _SEEN[:3])
    if said == seen and seen.startswith("noticed, ") and seen.endswith(", located"):
        found = seen.removeprefix("noticed, ").removesuffix(", located")
        said = say(_SEEN[3], rows=", ".join(map(retold, found.split(", "))))
    return f"{among(planted, _PLANTED)}{colon}{said}"
