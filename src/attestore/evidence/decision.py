"""A decision: what one named person says about one gate of one run, bound to exactly what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, cast

from attestore import canon, instants
from attestore.errors import TamperedError
from attestore.evidence.context import Person

__all__ = ["FORMAT", "LONGEST", "Act", "Decision", "Meaning", "Waiver", "decode", "encode"]

FORMAT: Final = "attestore/decision/v1"

LONGEST: Final = 2_000
"""characters of a comment, a reason or a control"""


class Act(Enum):
    """What a person does; the value is how file names and the ledger write it."""

    APPROVE = "approve"
    REJECT = "reject"
    WAIVE = "waive"


class Meaning(Enum):
    """What the signature means, in the words printed beside it."""

    REVIEWED = "reviewed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WAIVED = "waived"

    @property
    def act(self) -> Act:
        """The act that this meaning belongs to."""
        match self:
            case Meaning.REVIEWED | Meaning.APPROVED:
                return Act.APPROVE
            case Meaning.REJECTED:
                return Act.REJECT
            case Meaning.WAIVED:
                return Act.WAIVE


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a gate that is not passed is lived with for a time, and what stands in for it meanwhile."""

    reason: str
    control: str
    """the compensating control"""
    until: str
    """UTC instant at which it ends; the instant itself is no longer covered"""


@dataclass(frozen=True, slots=True)
class Decision:
    """One signed record, bound to the run's statement and to the gate's bytes."""

    run: str
    statement: canon.Digest
    """SHA-256 of the run's `statement.json`"""
    gate: str
    gate_digest: canon.Digest
    verdict: str
    """PASS, FAIL or UNKNOWN, as the person saw it"""
    person: Person
    """as the roster named them then, with the key that signs"""
    meaning: Meaning
    comment: str
    at: str
    """UTC instant"""
    waiver: Waiver | None
    """of a waiver only"""

    @property
    def act(self) -> Act:
        """What was done."""
        return self.meaning.act

    @property
    def name(self) -> str:
        """Name of its file in the bundle's folder `decisions`, without `.json`."""
        when = instants.compact(instants.parse(self.at))
        return f"{when}-{self.person.id}-{self.gate}-{self.act.value}"

    @property
    def digest(self) -> canon.Digest:
        """SHA-256 of the record's exact bytes, as the ledger tells it."""
        return canon.sha256_hex(encode(self))

    def covers(self, at: datetime) -> bool:
        """Whether it is a waiver that is in force at that instant; its end is exclusive."""
        if self.waiver is None:
            return False
        return instants.parse(self.at) <= at < instants.parse(self.waiver.until)


def encode(decision: Decision) -> bytes:
    """The exact bytes of a decision's record."""
    who, waiver = decision.person, decision.waiver
    return canon.encode(
        {
            "format": FORMAT,
            "run": decision.run,
            "statement": decision.statement,
            "gate": decision.gate,
            "gate_digest": decision.gate_digest,
            "verdict": decision.verdict,
            "person": {"id": who.id, "name": who.name, "roles": list(who.roles), "fingerprint": who.fingerprint},
            "meaning": decision.meaning.value,
            "comment": decision.comment,
            "at": decision.at,
            "waiver": None
            if waiver is None
            else {"reason": waiver.reason, "control": waiver.control, "until": waiver.until},
        }
    )


def decode(data: bytes, *, what: str = "decision") -> Decision:
    """Read a decision that somebody else may have written.

    Raises:
        TamperedError: not canonical, another format, a field missing, extra or of the wrong type, an instant that is
            none, an unknown meaning, words without end, or a waiver's terms where there is no waiver or the other way
            round.
    """
    raw = canon.decode(data, what=what)
    try:
        decision = _read(cast("dict[str, object]", raw))
        exact = encode(decision) == data
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise TamperedError(f"{what} is not a decision of format {FORMAT}: {problem}") from problem
    if not exact:
        raise TamperedError(f"{what} is not in canonical form, or is not of format {FORMAT}")
    if (decision.waiver is not None) is not (decision.act is Act.WAIVE):
        raise TamperedError(f"{what} means {decision.meaning.value}, which does not fit its terms of a waiver")
    return decision


def _read(raw: dict[str, object]) -> Decision:
    who = cast("dict[str, object]", raw["person"])
    terms = cast("dict[str, object] | None", raw["waiver"])
    return Decision(
        run=canon.as_text(raw["run"]),
        statement=canon.as_text(raw["statement"]),
        gate=canon.as_text(raw["gate"]),
        gate_digest=canon.as_text(raw["gate_digest"]),
        verdict=canon.as_text(raw["verdict"]),
        person=Person(
            id=canon.as_text(who["id"]),
            name=canon.as_text(who["name"]),
            roles=tuple(canon.as_text(role) for role in canon.as_list(who["roles"])),
            fingerprint=canon.as_text(who["fingerprint"]),
        ),
        meaning=Meaning(raw["meaning"]),
        comment=_words(raw["comment"]),
        at=_instant(raw["at"]),
        waiver=None
        if terms is None
        else Waiver(reason=_words(terms["reason"]), control=_words(terms["control"]), until=_instant(terms["until"])),
    )


def _words(value: object) -> str:
    text = canon.as_text(value)
    if len(text) > LONGEST:
        raise ValueError(f"{len(text)} characters are more than {LONGEST}")
    return text


def _instant(value: object) -> str:
    text = canon.as_text(value)
    instants.parse(text)
    return text
