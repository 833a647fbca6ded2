"""How a restored database behaved when it was tried: constraints, triggers, the structure of indexes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from attestore import canon
from attestore.facts import IndexCheck, Value

__all__ = [
    "BAD",
    "CONSTRAINTS",
    "INDEX",
    "TRIGGERS",
    "Behaviour",
    "Did",
    "Exercise",
    "IndexCheck",
    "facts",
    "ordered",
    "raw",
    "read",
]

CONSTRAINTS: Final = (
    "primary key",
    "unique",
    "unique index",
    "foreign key",
    "check",
    "not null",
    "exclusion",
    "domain",
)
"""kinds of exercises that offer a row which must be refused"""

TRIGGERS: Final = ("trigger", "event trigger")
"""kinds of exercises that cause an event"""

INDEX: Final = "index"
"""the kind of exercise that reads an index through and compares it with its table"""


class Did(Enum):
    """What became of one exercise; the value is what proofs and reports say."""

    REFUSED = "refused"
    """the violating row, in this constraint's own name"""
    ACCEPTED = "ACCEPTED"
    """the violating row: the constraint does not do what it says"""
    FIRED = "fired"
    SILENT = "SILENT"
    """the event came, and an enabled trigger was not called (or a disabled one was)"""
    QUIET = "quiet"
    """the event came, and a disabled trigger was not called"""
    SOUND = "sound"
    CORRUPT = "CORRUPT"
    COMPARED = "definition compared"
    """not exercised, and the note says why"""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One thing that was tried: what, how it went, and a note on how or why not; never a value of a row."""

    kind: str
    subject: str
    did: Did
    note: str = ""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Everything that was tried on a restored copy, inside transactions that were rolled back."""

    depth: str
    """how deep indexes were looked into, and why so, in words that begin with an `IndexCheck`'s value"""
    exercises: tuple[Exercise, ...]

    def of(self, *kinds: str) -> tuple[Exercise, ...]:
        """The exercises of some kinds, in their order."""
        return tuple(each for each in self.exercises if each.kind in kinds)


BAD: Final = (Did.ACCEPTED, Did.SILENT, Did.CORRUPT)
"""what is a difference between what a definition says and what it does"""


def facts(behaviour: Behaviour) -> list[tuple[str, str, Value]]:
    """(fact, subject, value) in a fixed order."""
    constraints = Counter(each.did for each in behaviour.of(*CONSTRAINTS))
    triggers = Counter(each.did for each in behaviour.of(*TRIGGERS))
    indexes = Counter(each.did for each in behaviour.of(INDEX))
    return [
        ("constraints.exercised", "", constraints[Did.REFUSED] + constraints[Did.ACCEPTED]),
        ("constraints.accepting", "", constraints[Did.ACCEPTED]),
        ("constraints.compared_only", "", constraints[Did.COMPARED]),
        ("triggers.exercised", "", triggers[Did.FIRED] + triggers[Did.QUIET] + triggers[Did.SILENT]),
        ("triggers.fired", "", triggers[Did.FIRED]),
        ("triggers.silent", "", triggers[Did.SILENT]),
        ("triggers.compared_only", "", triggers[Did.COMPARED]),
        ("indexes.depth", "", behaviour.depth),
        ("indexes.verified", "", indexes[Did.SOUND] + indexes[Did.CORRUPT]),
        ("indexes.corrupt", "", indexes[Did.CORRUPT]),
        ("indexes.compared_only", "", indexes[Did.COMPARED]),
    ]


def ordered(behaviour: Behaviour) -> Behaviour:
    """The same, as it is read back."""
    return replace(
        behaviour, exercises=tuple(sorted(behaviour.exercises, key=lambda e: (e.kind, e.subject, e.did.value, e.note)))
    )


def raw(behaviour: Behaviour | None) -> canon.JSON:
    """As it stands in a proof; nothing was tried: null."""
    if behaviour is None:
        return None
    return {
        "depth": behaviour.depth,
        "exercises": [[e.kind, e.subject, e.did.value, e.note] for e in behaviour.exercises],
    }


def read(value: object) -> Behaviour | None:
    """What `raw` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is not of that form, or tells of a kind or an outcome that is not known.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError(f"behaviour is {type(value).__name__}")
    return Behaviour(
        depth=canon.as_text(value["depth"]),
        exercises=tuple(_exercise(*map(canon.as_text, canon.as_list(e))) for e in canon.as_list(value["exercises"])),
    )


def _exercise(kind: str, subject: str, did: str, note: str) -> Exercise:
    if kind not in {*CONSTRAINTS, *TRIGGERS, INDEX}:
        raise ValueError(f"{kind!r} is no kind of exercise")
    return Exercise(kind, subject, Did(did), note)
