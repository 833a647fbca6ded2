"""What a gate is worth at an instant: a pure function of its newest finished run, the decisions on it, and the date.

Instants are UTC; every end is exclusive. Trust is not decided here: whoever asks has verified what he hands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from attestore import instants
from attestore.evidence.decision import Act, Decision, Meaning
from attestore.evidence.revision import Worth
from attestore.gate import Approval, Gate

__all__ = ["NEVER_RUN", "Held", "Judged", "Quorum", "Standing", "hold", "newest", "quorum", "wanted", "worst_exit"]


class Standing(Enum):
    """What a gate is worth, in the words that people read; never a bool."""

    PASS = "PASS"  # noqa: S105  no password
    WAIVED = "WAIVED"
    FAIL = "FAIL"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"
    NEVER_RUN = "NEVER RUN"
    AWAITING = "awaiting approval"
    UNTRUSTED = "not trustworthy"

    @property
    def exit_code(self) -> int:
        """Of `attestore status`: 0 lets a release through, 1 says that it must not go, 3 that nobody knows."""
        match self:
            case Standing.PASS | Standing.WAIVED:
                return 0
            case Standing.FAIL | Standing.REJECTED:
                return 1
            case Standing.UNKNOWN | Standing.EXPIRED | Standing.NEVER_RUN | Standing.AWAITING | Standing.UNTRUSTED:
                return 3


@dataclass(frozen=True, slots=True)
class Judged:
    """A finished run as one gate judged it."""

    run: str
    gate: Gate
    outcome: str
    """PASS, FAIL or UNKNOWN"""
    finished: str
    """UTC instant of the ledger's end of the run: the cadence counts from here"""
    operator: str
    """id of the person who ran it"""


@dataclass(frozen=True, slots=True)
class Quorum:
    """How far people satisfy an approval policy."""

    people: tuple[str, ...]
    """names of those who count, in order of their decisions"""
    roles: tuple[str, ...]
    """asked for and not yet covered"""
    more: int
    """how many more people it takes at least"""
    not_the_operator: bool = False
    """whether whoever ran it counts for nothing"""

    @property
    def reached(self) -> bool:
        """Whether enough distinct people cover every role."""
        return not self.roles and not self.more


@dataclass(frozen=True, slots=True)
class Held:
    """What a gate is worth, and what that rests on."""

    standing: Standing
    run: str
    """the newest finished run; empty where there is none"""
    outcome: str
    finished: str
    until: str
    """UTC instant, exclusive, at which it is worth less without anybody doing anything; empty where there is none"""
    reason: str
    """in one sentence"""
    quorum: Quorum

    def worth(self, gate: str) -> Worth:
        """What a revision tells of it: values, no sentences, so that their wording may change."""
        return Worth(
            gate=gate,
            standing=self.standing.value,
            until=self.until,
            people=self.quorum.people,
            missing=self.quorum.roles,
            more=self.quorum.more,
        )


_NOBODY: Final = Quorum(people=(), roles=(), more=0)

NEVER_RUN: Final = Held(
    standing=Standing.NEVER_RUN,
    run="",
    outcome="",
    finished="",
    until="",
    reason="No run of this gate has finished.",
    quorum=_NOBODY,
)


def newest(runs: Iterable[Judged], *, at: datetime) -> Judged | None:
    """The run that decides: the last that had finished by that instant, in the order of the ledger."""
    finished = [each for each in runs if instants.parse(each.finished) <= at]
    return finished[-1] if finished else None


def hold(judged: Judged | None, decisions: Iterable[Decision], *, at: datetime) -> Held:
    """What the gate is worth at that instant, given its newest finished run and the decisions entered on it so far.

    Decisions on other runs, on other bytes of the gate, or of later instants count for nothing.
    """
    if judged is None:
        return NEVER_RUN
    ours = [
        each
        for each in decisions
        if (each.run, each.gate, each.gate_digest) == (judged.run, judged.gate.id, judged.gate.digest)
        and instants.parse(each.at) <= at
    ]
    rejected = quorum(_one_of(judged.gate.approval), [d for d in ours if d.act is Act.REJECT], operator="")
    if rejected.people:
        return _held(judged, Standing.REJECTED, f"Rejected by {', '.join(rejected.people)}.", counted=rejected)
    if judged.outcome == "PASS":
        return _passed(judged, ours, at=at)
    return _not_passed(judged, ours, at=at)


def quorum(approval: Approval | None, decisions: Iterable[Decision], *, operator: str) -> Quorum:
    """How far the people behind decisions satisfy a policy: each person counts once, whatever keys they sign with.

    A person counts who holds a role that the policy asks for; the operator does not where the policy says so. Where
    there is no policy, nobody counts and nothing is reached.
    """
    if approval is None:
        return Quorum(people=(), roles=(), more=1)
    people: dict[str, Decision] = {}
    keys: set[str] = set()
    for decision in decisions:
        who = decision.person
        if approval.not_the_operator and who.id == operator:
            continue
        if who.fingerprint in keys or not set(who.roles) & set(approval.roles):
            continue
        if people.setdefault(who.id, decision) is decision:
            keys.add(who.fingerprint)
    covered = {role for decision in people.values() for role in decision.person.roles}
    return Quorum(
        people=tuple(decision.person.name for decision in people.values()),
        roles=tuple(role for role in approval.roles if role not in covered),
        more=max(approval.people - len(people), 0),
        not_the_operator=approval.not_the_operator,
    )


def worst_exit(standings: Iterable[Standing]) -> int:
    """The exit code for several gates: 1 outweighs 3, 3 outweighs 0; of none: 3."""
    codes = {each.exit_code for each in standings}
    return 1 if 1 in codes else 3 if 3 in codes or not codes else 0  # noqa: PLR2004  the codes of Standing


def _one_of(approval: Approval | None) -> Approval | None:
    """Who may reject: any one person with any of the roles, the operator too."""
    if approval is None:
        return None
    return Approval(roles=approval.roles, people=1, not_the_operator=False)


def _passed(judged: Judged, decisions: list[Decision], *, at: datetime) -> Held:
    gate = judged.gate
    until = ""
    if gate.cadence_ms is not None:
        end = instants.parse(judged.finished) + timedelta(milliseconds=gate.cadence_ms)
        until = instants.text(end)
        if at >= end:
            return _held(judged, Standing.EXPIRED, f"Its evidence expired at {until}.", until=until)
    if gate.approval is None:
        return _held(judged, Standing.PASS, "The gate asks for no approval.", until=until)
    approvals = [decision for decision in decisions if decision.meaning is Meaning.APPROVED]
    counted = quorum(gate.approval, approvals, operator=judged.operator)
    if counted.reached:
        return _held(judged, Standing.PASS, f"Approved by {', '.join(counted.people)}.", until=until, counted=counted)
    return _held(judged, Standing.AWAITING, _needs(gate.approval, counted), until=until, counted=counted)


def _not_passed(judged: Judged, decisions: list[Decision], *, at: datetime) -> Held:
    """FAIL or UNKNOWN, unless people who together could approve have waived it for now."""
    waivers = [decision for decision in decisions if decision.covers(at)]
    ends = sorted({decision.waiver.until for decision in waivers if decision.waiver}, reverse=True)
    for until in ends:
        lasting = [decision for decision in waivers if decision.waiver and decision.waiver.until >= until]
        counted = quorum(judged.gate.approval, lasting, operator=judged.operator)
        if counted.reached:
            reason = f"Waived by {', '.join(counted.people)} until {until}; the run itself was {judged.outcome}."
            return _held(judged, Standing.WAIVED, reason, until=until, counted=counted)
    reason = f"The newest finished run was {judged.outcome}."
    counted = _NOBODY
    if waivers and judged.gate.approval is not None:
        counted = quorum(judged.gate.approval, waivers, operator=judged.operator)
        reason += " Its waiver is not in force: " + _needs(judged.gate.approval, counted)
    elif any(decision.waiver for decision in decisions):
        reason += " Its waiver is over."
    return _held(judged, Standing.FAIL if judged.outcome == "FAIL" else Standing.UNKNOWN, reason, counted=counted)


def _held(judged: Judged, standing: Standing, reason: str, *, until: str = "", counted: Quorum = _NOBODY) -> Held:
    return Held(
        standing=standing,
        run=judged.run,
        outcome=judged.outcome,
        finished=judged.finished,
        until=until,
        reason=reason,
        quorum=counted,
    )


def wanted(roles: Sequence[str], more: int, *, so_far: bool) -> str:
    """Who is still wanted, as one thing: people who cover the missing roles. `so_far` says that somebody counts already."""
    if not roles and not more:
        return ""
    other = " more" if so_far else ""
    named = f"the role{'s' if len(roles) > 1 else ''} {' and '.join(roles)}"
    if not more:
        return f"somebody with {named}"
    if more == 1:
        return f"1{other} person{f', with {named}' if roles else ''}"
    return f"{more}{other} people{f', with {named} among them' if roles else ''}"


def _needs(approval: Approval, counted: Quorum) -> str:
    """What is missing, as a sentence."""
    never = ", not the operator" if approval.not_the_operator else ""
    have = f"; so far {', '.join(counted.people)}" if counted.people else ""
    people = wanted(counted.roles, counted.more, so_far=bool(counted.people))
    return f"Needs {people}{never}{have}."
