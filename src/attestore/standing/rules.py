"""Which decisions may be taken: one set of rules, by which a decision is refused before it is signed and audited ever after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from attestore import canon, instants
from attestore.config import Roster
from attestore.evidence.decision import Act, Decision, Meaning
from attestore.gate import Approval, Gate

__all__ = ["Objection", "Seen", "objections"]

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a decision can't stand, and what would."""

    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a decision must be bound to: one gate of one sealed run."""

    run: str
    statement: canon.Digest
    ended: str
    """UTC instant at which the journal was closed"""
    operator: str
    """id of the person who ran it"""
    gate: Gate
    outcome: str


def objections(decision: Decision, *, seen: Seen, earlier: Iterable[Decision], roster: Roster) -> tuple[Objection, ...]:
    """Everything that is wrong with a decision, given the ones on the same run that count already; empty if it may stand.

    Whether the person really signed it is not asked here.
    """
    before = [each for each in earlier if each.gate == decision.gate]
    return (
        *_bound(decision, seen),
        *_entitled(decision, roster),
        *_asked(decision, seen),
        *_fitting(decision, seen),
        *_first(decision, before),
        *_limited(decision, seen.gate, before),
    )


def _bound(decision: Decision, seen: Seen) -> Iterator[Objection]:
    pairs = (
        ("run", decision.run, seen.run),
        ("gate", decision.gate, seen.gate.id),
        ("statement", decision.statement, seen.statement),
        ("gate's bytes", decision.gate_digest, seen.gate.digest),
        ("verdict", decision.verdict, seen.outcome),
    )
    for what, theirs, ours in pairs:
        if theirs != ours:
            yield Objection(
                f"it is bound to another {what}: {_short(theirs)}, not {_short(ours)}",
                "Decide on what lies here, after reading its report.",
            )
    if decision.at < seen.ended:
        yield Objection(
            f"it is dated {decision.at}, before the run ended at {seen.ended}: a clock was set back",
            "Correct the clock of the machine that signs.",
        )


def _entitled(decision: Decision, roster: Roster) -> Iterator[Objection]:
    """Person, key and roles are those of the roster."""
    who, at = decision.person, instants.parse(decision.at)
    known = next((person for person in roster.people if person.id == who.id), None)
    if known is None:
        people = ", ".join(person.id for person in roster.people)
        yield Objection(f"the roster names nobody called {who.id!r}", f"It names: {people}.")
        return
    key = next((key for key in known.keys if key.fingerprint == who.fingerprint), None)
    if key is None:
        yield Objection(
            f"key {who.fingerprint} is none of {known.name}'s in the roster", "Sign with a key that stands there."
        )
    elif not key.serves(at):
        yield Objection(
            f"the roster did not trust key {who.fingerprint} of {known.name} at {decision.at}",
            "Sign with a key that is in force, or extend its `until` in the roster by review.",
        )
    if who.name != known.name:
        yield Objection(
            f"it names {who.name!r}; the roster says {known.name!r}", "Print the name that the roster says."
        )
    if claimed := [role for role in who.roles if role not in known.roles]:
        yield Objection(
            f"{known.name} claims the role {', '.join(claimed)}, which the roster does not give",
            "Change the roster by review.",
        )


def _asked(decision: Decision, seen: Seen) -> Iterator[Objection]:
    """The gate asks for a role that the person holds, and lets this person decide."""
    approval, who = seen.gate.approval, decision.person
    if approval is None:
        yield Objection(
            f"{seen.gate.id} asks nobody to decide: its file has no approval",
            "Add approval: {roles: […], people: …} to the gate; runs from then on can be decided on.",
        )
        return
    if not set(who.roles) & set(approval.roles):
        held = ", ".join(who.roles) or "no role"
        yield Objection(
            f"{who.name} holds {held}; {seen.gate.id} asks for {' and '.join(approval.roles)}",
            f"Ask somebody who holds {' or '.join(approval.roles)}.",
        )
    if _barred(decision, approval, seen):
        yield Objection(
            f"{who.name} ran {seen.run}, and {seen.gate.id} lets nobody {decision.act.value} what they ran themselves",
            "Ask somebody else who holds the role.",
        )


def _barred(decision: Decision, approval: Approval, seen: Seen) -> bool:
    # whoever ran it may always say no
    return approval.not_the_operator and decision.person.id == seen.operator and decision.act is not Act.REJECT


def _fitting(decision: Decision, seen: Seen) -> Iterator[Objection]:
    match decision.act:
        case Act.APPROVE if seen.outcome != "PASS" and decision.meaning is not Meaning.REVIEWED:
            yield Objection(
                f"{seen.gate.id} came out {seen.outcome} in {seen.run}: only a PASS can be approved",
                "Reject it, or waive it with a reason, a compensating control and an end.",
            )
        case Act.WAIVE if seen.outcome == "PASS":
            yield Objection(
                f"{seen.gate.id} passed in {seen.run}: there is nothing to waive", "Approve it, or run it again."
            )
        case Act.APPROVE | Act.REJECT | Act.WAIVE:
            pass
    if not decision.comment.strip():
        yield Objection("it says nothing", "Give --comment: what was looked at, in a sentence.")


def _first(decision: Decision, before: list[Decision]) -> Iterator[Objection]:
    """Nobody speaks twice, and nothing follows a rejection but another run."""
    for each in before:
        if each.act is Act.REJECT and decision.act is not Act.REJECT:
            yield Objection(
                f"{decision.gate} of this run was rejected by {each.person.name} at {each.at}",
                "A rejection stands; run the gate again.",
            )
            break
    same = [each for each in before if each.person.id == decision.person.id and each.meaning is decision.meaning]
    renewed = decision.waiver is not None and all(
        each.waiver is not None and each.waiver.until < decision.waiver.until for each in same
    )
    if same and not renewed:
        yield Objection(
            f"{decision.person.name} has {same[0].meaning.value} {decision.gate} of this run already, at {same[0].at}",
            "Each person counts once, with however many keys; ask somebody else.",
        )


def _limited(decision: Decision, gate: Gate, before: list[Decision]) -> Iterator[Objection]:
    """A waiver says why and ends in time; however often it is renewed, the longest counts from the first on this run."""
    waiver = decision.waiver
    if waiver is None:
        return
    for what, said in (("reason", waiver.reason), ("compensating control", waiver.control)):
        if not said.strip():
            yield Objection(f"the waiver names no {what}", "Say why it can be lived with, and what stands in for it.")
    at, until = instants.parse(decision.at), instants.parse(waiver.until)
    if until <= at:
        yield Objection(f"the waiver ends at {waiver.until}, before it begins", "Give an end in the future, in UTC.")
    longest = timedelta(milliseconds=gate.longest_waiver_ms)
    first = min((instants.parse(each.at) for each in before if each.waiver is not None), default=at)
    begun = min(first, at)
    if until - begun > longest:
        since = "it was given" if begun == at else f"this run was first waived, at {instants.text(begun)}"
        yield Objection(
            f"the waiver ends at {waiver.until}, more than {_days(gate.longest_waiver_ms)} after {since}",
            f"{gate.id} allows no longer one; the latest end is {instants.text(begun + longest)}. Then only another run helps.",
        )


def _days(ms: int) -> str:
    return f"{ms // _DAY_MS} d" if ms % _DAY_MS == 0 else f"{ms // 60_000} min"


def _short(text: str) -> str:
    return f"{text[:16]}…" if len(text) == 64 else text  # noqa: PLR2004  a SHA-256
