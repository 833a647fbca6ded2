"""Which sign a word gets: green only for what is worth something, or for the verdict of a run whose bundle holds."""

from __future__ import annotations

from typing import Final

from attestore.report.blocks import Mark, Tone
from attestore.report.site.model import Line, Row, Trust
from attestore.report.voice import say
from attestore.standing import Standing

__all__ = ["WORST", "outcome_mark", "rank", "run_mark", "standing_mark", "trust_words"]

_TONES: Final = {
    Standing.PASS: Tone.GOOD,
    Standing.FAIL: Tone.BAD,
    Standing.REJECTED: Tone.BAD,
    Standing.UNTRUSTED: Tone.BAD,
}
_OUTCOMES: Final = {"PASS": Tone.GOOD, "FAIL": Tone.BAD}
_TRUST: Final = {Trust.RUNNING: Tone.QUIET, Trust.DIED: Tone.BAD, Trust.MISSING: Tone.BAD, Trust.BROKEN: Tone.BAD}

WORST: Final = (
    Standing.UNTRUSTED,
    Standing.FAIL,
    Standing.REJECTED,
    Standing.UNKNOWN,
    Standing.EXPIRED,
    Standing.NEVER_RUN,
    Standing.AWAITING,
    Standing.WAIVED,
    Standing.PASS,
)
"""In the order in which people want to hear of them"""


def standing_mark(standing: Standing) -> Mark:
    """What a gate is worth; WAIVED is never a good one."""
    return Mark(say(standing.value), _TONES.get(standing, Tone.DOUBT))


def outcome_mark(line: Line, gate: str) -> Mark:
    """What a gate made of a run: a verdict where the bundle holds, else what is wrong, never in green."""
    word = line.outcome(gate)
    if line.trust is not Trust.HOLDS or not word:
        return run_mark(line)
    return Mark(word, _OUTCOMES.get(word, Tone.DOUBT))


def run_mark(line: Line) -> Mark:
    """A run in a word: its worst outcome where the bundle holds."""
    if line.trust is not Trust.HOLDS:
        return Mark(trust_words(line.trust), _TRUST[line.trust])
    words = {each.word for each in line.outcomes}
    for word, tone in (("FAIL", Tone.BAD), ("UNKNOWN", Tone.DOUBT)):
        if word in words:
            return Mark(word, tone)
    return Mark("PASS", Tone.GOOD) if words == {"PASS"} else Mark(say("no verdict"), Tone.DOUBT)


def trust_words(trust: Trust) -> str:
    """What is known of a bundle, in a word or two."""
    match trust:
        case Trust.HOLDS:
            return say("holds")
        case Trust.RUNNING:
            return say("in progress")
        case Trust.DIED:
            return say("died")
        case Trust.MISSING:
            return say("bundle missing")
        case Trust.BROKEN:
            return say("does not verify")


def rank(row: Row) -> int:
    """Where a row stands among those that need attention: 0 first."""
    return WORST.index(row.held.standing)
