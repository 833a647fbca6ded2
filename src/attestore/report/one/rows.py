"""The differing rows of tables that differ: counted, and some of them told by key."""

from __future__ import annotations

from typing import Final

from attestore.proof import MOST_KEYS, STREAM, Comparison, facts_of
from attestore.report.one import numbers
from attestore.report.one.blocks import Align, Block, Cell, Column, Heading, Mark, Para, Table, Tone

__all__ = ["differing_rows"]

_SHORT: Final = 16
_WHOLE: Final = Mark("all found", Tone.GOOD)
_PARTLY: Final = Mark("AT LEAST", Tone.DOUBT)

_UNLOOKED: Final = (
    "Rows are not looked for by method stream: which rows of these tables differ, and how many, is not known, and --show-keys "
    "shows none. A backup with method audit tells them."
)


def differing_rows(comparison: Comparison) -> tuple[Block, ...]:
    """Nothing where no table differs."""
    found = comparison.rows
    if not found:
        return ()
    heading = Heading(3, "Rows that differ", "differing-rows")
    if facts_of(comparison)["proof.method", ""] == STREAM:
        return heading, Para(_UNLOOKED)
    counts: tuple[tuple[Cell, ...], ...] = tuple(
        (
            each.label,
            numbers.count(each.changed),
            numbers.count(each.missing),
            numbers.count(each.extra),
            _WHOLE if each.whole else _PARTLY,
            ", ".join(each.keyed_by) or "the whole row",
        )
        for each in found
    )
    keys: tuple[tuple[Cell, ...], ...] = tuple(
        (each.label, key.change.value, key.digest[:_SHORT], key.shown or "–") for each in found for key in each.keys
    )
    blocks: list[Block] = [
        heading,
        Table(
            (
                Column("Table", mono=True, wide=True),
                Column("Changed", Align.RIGHT),
                Column("Missing", Align.RIGHT),
                Column("Extra", Align.RIGHT),
                Column("Counts"),
                Column("Rows known by", mono=True),
            ),
            counts,
            note="A changed row has its key on both sides; without a key it counts as one missing and one extra. "
            "“At least” means that more rows differ than could be told apart.",
        ),
    ]
    if keys:
        blocks += [
            Para(f"By key, up to {MOST_KEYS} rows of each table:"),
            Table(
                (
                    Column("Table", mono=True, wide=True),
                    Column("Row"),
                    Column("Digest of the key", mono=True),
                    Column("Key", mono=True, wide=True),
                ),
                keys,
                note="Digests are made with the backup’s fingerprint key and printed to 16 of 32 digits; the proof carries them whole. "
                "No value of a row is in the evidence; keys only if the operator asked for them.",
            ),
        ]
    return tuple(blocks)
