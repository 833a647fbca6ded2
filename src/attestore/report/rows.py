"""The differing rows of tables that differ: counted, and some of them told by key."""

from __future__ import annotations

from typing import Final

from attestore.proof import MOST_KEYS, STREAM, Comparison, facts_of
from attestore.report import numbers
from attestore.report.blocks import Align, Block, Cell, Column, Heading, Mark, Para, Table, Tone
from attestore.report.voice import later, say

__all__ = ["differing_rows"]

_SHORT: Final = 16
_WHOLE: Final = Mark("all found", Tone.GOOD)
_PARTLY: Final = Mark("AT LEAST", Tone.DOUBT)

_UNLOOKED: Final = later(
    "Rows are not looked for by method stream: which rows of these tables differ, and how many, is not known, and --show-keys "
    "shows none. A backup with method audit tells them."
)


def differing_rows(comparison: Comparison) -> tuple[Block, ...]:
    """Nothing where no table differs."""
    found = comparison.rows
    if not found:
        return ()
    heading = Heading(3, say("Rows that differ"), "differing-rows")
    if facts_of(comparison)["proof.method", ""] == STREAM:
        return heading, Para(say(_UNLOOKED))
    counts: tuple[tuple[Cell, ...], ...] = tuple(
        (
            each.label,
            numbers.count(each.changed),
            numbers.count(each.missing),
            numbers.count(each.extra),
            _WHOLE if each.whole else _PARTLY,
            ", ".join(each.keyed_by) or say("the whole row"),
        )
        for each in found
    )
    keys: tuple[tuple[Cell, ...], ...] = tuple(
        (each.label, say(key.change.value), key.digest[:_SHORT], key.shown or "–")
        for each in found
        for key in each.keys
    )
    blocks: list[Block] = [
        heading,
        Table(
            (
                Column(say("Table"), mono=True, wide=True),
                Column(say("Changed"), Align.RIGHT),
                Column(say("Missing"), Align.RIGHT),
                Column(say("Extra"), Align.RIGHT),
                Column(say("Counts")),
                Column(say("Rows known by"), mono=True),
            ),
            counts,
            note=say(
                "A changed row has its key on both sides; without a key it counts as one missing and one extra. "
                "“At least” means that more rows differ than could be told apart."
            ),
        ),
    ]
    if keys:
        blocks += [
            Para(say("By key, up to {n} rows of each table:", n=MOST_KEYS)),
            Table(
                (
                    Column(say("Table"), mono=True, wide=True),
                    Column(say("Row")),
                    Column(say("Digest of the key"), mono=True),
                    Column(say("Key"), mono=True, wide=True),
                ),
                keys,
                note=say(
                    "Digests are made with the backup’s fingerprint key and printed to 16 of 32 digits; the proof carries them whole. "
                    "No value of a row is in the evidence; keys only if the operator asked for them."
                ),
            ),
        ]
    return tuple(blocks)
