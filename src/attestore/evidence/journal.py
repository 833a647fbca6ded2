"""The journal: observations as they happened, each line bound to the one before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from attestore import canon
from attestore.errors import TamperedError
from attestore.facts import FACTS, Value

__all__ = ["GENESIS", "Journal", "Observation", "line", "link", "read", "written"]

GENESIS: Final = "0" * 64
"""What the first line is bound to."""

_TYPES: Final = {name: fact.kind.type for name, fact in FACTS.items()}
_LONGEST_LINE = 1 << 20
_MOST_LINES = 1_000_000


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact as seen once."""

    at: str
    """UTC instant, RFC 3339 with milliseconds, for the record only"""
    tick: int
    """milliseconds of the run's monotonic clock since it started, for arithmetic"""
    fact: str
    subject: str
    """which of several (a part, a phase, a probe); empty where there is one"""
    value: Value
    source: str
    """what saw it: programme and version, or the query's name"""


@dataclass(frozen=True, slots=True)
class Journal:
    """A whole journal that was read and whose chain holds."""

    observations: tuple[Observation, ...]
    head: canon.Digest
    """link of the last line; signed together with the length"""

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.observations)


def line(observation: Observation, *, number: int, previous: canon.Digest) -> bytes:
    """The exact bytes of one journal line, newline included."""
    kind = FACTS[observation.fact].kind
    body = canon.encode(
        {
            "n": number,
            "previous": previous,
            "at": observation.at,
            "tick": observation.tick,
            "fact": observation.fact,
            "subject": observation.subject,
            "value": observation.value,
            "unit": kind.unit,
            "source": observation.source,
        }
    )
    return body + b"\n"


def link(data: bytes) -> canon.Digest:
    """What the next line is bound to: the digest of a line's bytes, newline included."""
    return canon.domain_digest("evidence/link", data)


def read(data: bytes, *, what: str = "journal.jsonl") -> Journal:
    """Read a journal that somebody else may have written.

    A last line without its newline was being written when the run died: it is left out, and the caller sees
    that the journal does not hold `run.completed`.

    Raises:
        TamperedError: a line that is not canonical, not in order, not bound to the one before, of an unknown fact
            or with a value of another type than the fact's.
    """
    observations: list[Observation] = []
    previous = GENESIS
    lines = data.split(b"\n")
    if len(lines) > _MOST_LINES:
        raise TamperedError(f"{what} has more than {_MOST_LINES} lines")
    for number, body in enumerate(lines[:-1], start=1):
        if len(body) > _LONGEST_LINE:
            raise TamperedError(f"{what} line {number} is longer than {_LONGEST_LINE} bytes")
        observation = _observation(body, number=number, previous=previous, what=what)
        observations.append(observation)
        previous = link(body + b"\n")
    return Journal(observations=tuple(observations), head=previous)


def written(observations: Iterable[Observation]) -> bytes:
    """The bytes of a journal that holds `observations`."""
    lines, previous = [], GENESIS
    for number, observation in enumerate(observations, start=1):
        lines.append(line(observation, number=number, previous=previous))
        previous = link(lines[-1])
    return b"".join(lines)


def _observation(body: bytes, *, number: int, previous: canon.Digest, what: str) -> Observation:
    """The observation of a line; what is wrong with one that is not exact is told by the slow way."""
    raw = canon.seems(body)
    try:
        seen = Observation(raw["at"], raw["tick"], raw["fact"], raw["subject"], raw["value"], raw["source"])  # type: ignore[index]
        exact = (
            type(seen.value) is _TYPES[seen.fact]
            and type(seen.tick) is int
            and all(type(text) is str for text in (seen.at, seen.fact, seen.subject, seen.source))
            and line(seen, number=number, previous=previous) == body + b"\n"
        )
    except (KeyError, TypeError, IndexError):
        return _told(body, number=number, previous=previous, what=what)
    return seen if exact else _told(body, number=number, previous=previous, what=what)


def _told(body: bytes, *, number: int, previous: canon.Digest, what: str) -> Observation:
    where = f"{what} line {number}"
    raw = canon.decode(body, what=where)
    if not isinstance(raw, dict):
        raise TamperedError(f"{where} is not an object")
    try:
        observation = Observation(
            at=canon.as_text(raw["at"]),
            tick=canon.as_whole(raw["tick"]),
            fact=canon.as_text(raw["fact"]),
            subject=canon.as_text(raw["subject"]),
            value=cast("Value", raw["value"]),
            source=canon.as_text(raw["source"]),
        )
    except (KeyError, TypeError) as problem:
        raise TamperedError(f"{where} lacks a field or has one of the wrong type: {problem}") from problem
    fact = FACTS.get(observation.fact)
    if fact is None:
        raise TamperedError(f"{where} tells of {observation.fact!r}, which is not in the vocabulary")
    if type(observation.value) is not fact.kind.type:
        raise TamperedError(f"{where}: {fact.name} is a {fact.kind.value}, not {observation.value!r}")
    if raw.get("previous") != previous:
        raise TamperedError(f"{where} is not bound to the line before it: a line was changed, removed or added")
    if line(observation, number=number, previous=previous) != body + b"\n":
        raise TamperedError(f"{where} is not in canonical form, or its number or unit is wrong")
    return observation
