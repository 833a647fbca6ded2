"""What the restore computed anew: values of generated columns, content of materialized views."""

from __future__ import annotations

from typing import Final

from attestore.proof import Comparison, Recomputed
from attestore.proof.computed import COLUMN
from attestore.report import numbers
from attestore.report.blocks import Align, Block, Column, Heading, Mark, Para, Table, Tone
from attestore.report.case import NOT_MEASURED
from attestore.report.voice import among, later, retold, say

__all__ = ["NOT_CARRIED", "recomputed"]

_MOST: Final = 60
"""lines that are printed before what is equal is folded into a sentence"""
_ORDER: Final = (False, None, True)
"""what is told first"""
NOT_CARRIED: Final = (
    later("foreign table: its rows live on another server"),
    later("belongs to extension {name}, which makes its rows anew"),
    later("unlogged: empty on a standby"),
    later("this role may not read it"),
    later("a row with it exceeds 1 GB"),
    later("somebody was refreshing, changing or dropping it"),
    later("the restore does not compute it"),
    later("the stored rows differ"),
)
"""why rows of a relation were not read, as adapters write it"""


def recomputed(comparison: Comparison) -> tuple[Block, ...]:
    """What no dump carries, because the restore computes it anew."""
    told = sorted(comparison.recomputed, key=lambda each: (_ORDER.index(each.equal), each.source))
    if not told:
        return ()
    unequal = [each for each in told if not each.equal]
    shown = told if len(told) <= _MOST else unequal
    folded = len(told) - len(shown)

    def state(each: Recomputed) -> Mark:
        if each.equal is None:
            return Mark("not compared", Tone.DOUBT)
        if each.equal:
            return Mark("equal", Tone.GOOD)
        return Mark("DIFFERS", Tone.BAD) if each.source.kind == COLUMN else Mark("re-computed", Tone.DOUBT)

    return (
        Heading(3, say("Computed anew by the restore"), "recomputed"),
        Para(
            say(
                "No dump carries the values of generated columns or the content of materialized views: the restore computes "
                "them again. A generated value that differs beside equal stored columns is a difference. A view that was stale "
                "at the source rightly comes back with other rows: that is told here, and is no loss."
            )
        ),
        Table(
            (
                Column(say("Which"), mono=True, wide=True),
                Column(say("Kind")),
                Column(say("Rows at the source"), Align.RIGHT),
                Column(say("Restored"), Align.RIGHT),
                Column(say("State")),
                Column(say("What came of it"), wide=True),
            ),
            tuple(
                (
                    each.source.label,
                    say(each.source.kind),
                    say(NOT_MEASURED) if each.source.unread else numbers.count(each.source.rows),
                    say(NOT_MEASURED)
                    if each.restored is None or each.restored.unread
                    else numbers.count(each.restored.rows),
                    state(each),
                    _became(each),
                )
                for each in shown
            ),
            note=say("{n} further ones were computed alike.", n=numbers.count(folded)) if folded else "",
        ),
    )


def _became(each: Recomputed) -> str:
    """What came of one of them, with the reason by itself."""
    if not each.why:
        return retold(each.words())
    there = "in the restore: "
    if each.why.startswith(there):
        return say("not compared, in the restore: {why}", why=among(each.why.removeprefix(there), NOT_CARRIED))
    return say("not compared: {why}", why=among(each.why, NOT_CARRIED))
