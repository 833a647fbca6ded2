"""The only opinion about a run: a pure function of a gate and of what was observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from attestore import canon
from attestore.evidence import Observation
from attestore.facts import FACTS, Value
from attestore.gate import Check, Gate, Operator, Probe

__all__ = ["CheckVerdict", "GateVerdict", "Outcome", "encode", "judge", "worst"]


class Outcome(Enum):
    """Ordered from best to worst; never a bool, so that nobody can write `if outcome`."""

    PASS = 0
    UNKNOWN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class CheckVerdict:
    """One check, judged; `observed` are the values it was judged on, by subject."""

    id: str
    outcome: Outcome
    fact: str
    operator: Operator
    written: str
    observed: tuple[tuple[str, Value], ...]
    of: tuple[tuple[str, int], ...]
    """the count facts that say how much was compared"""
    reason: str
    """why it is not PASS; empty for PASS"""
    title: str = ""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """One gate, judged: the worst of its checks."""

    gate: str
    gate_digest: canon.Digest
    outcome: Outcome
    checks: tuple[CheckVerdict, ...]
    reason: str
    """why the gate is worse than its checks, where it is (a run that did not complete)"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was observed, by fact and subject, in no order: a verdict must not depend on who spoke first."""

    values: Mapping[str, Mapping[str, tuple[Value, ...]]]
    """fact → subject → every different value of the fact's own type"""
    mistyped: frozenset[tuple[str, str]]
    """(fact, subject) observed with a value of another type"""

    def of(self, fact: str) -> Mapping[str, tuple[Value, ...]]:
        """The fact's values by subject."""
        return self.values.get(fact, {})

    def doubtful(self, fact: str) -> bool:
        """Whether any subject of the fact was observed with contradictory or wrongly typed values."""
        return any(not self.certain(fact, subject) for subject in self.of(fact)) or any(
            fact == name for name, _ in self.mistyped
        )

    def certain(self, fact: str, subject: str = "") -> bool:
        """Whether the subject was observed with one value, however often, and nothing else."""
        return len(self.of(fact).get(subject, ())) == 1 and (fact, subject) not in self.mistyped

    def value(self, fact: str, subject: str = "") -> Value | None:
        """The one certain value, if there is."""
        return self.of(fact)[subject][0] if self.certain(fact, subject) else None

    def failing(self, fact: str, operator: Operator, bound: Value) -> list[str]:
        """Subjects whose certain value does not satisfy the bound."""
        return [
            subject
            for subject, values in sorted(self.of(fact).items())
            if self.certain(fact, subject) and not operator.holds(values[0], bound)
        ]


_Judged = tuple[Outcome, str]
"""an outcome and why it is not PASS"""

_PASSED: Final[_Judged] = (Outcome.PASS, "")


def judge(gate: Gate, observations: Iterable[Observation]) -> GateVerdict:
    """Judge a gate on what was observed.

    Missing, contradictory or wrongly typed facts are UNKNOWN; a check that compared nothing is UNKNOWN; a run that
    did not complete is never PASS; the gate is the worst of its parts.
    """
    seen = _gather(observations)
    verdicts = [_check(check, seen) for check in gate.checks]
    verdicts += [verdict for probe in gate.probes for verdict in _probe(probe, seen)]
    outcome = worst(verdict.outcome for verdict in verdicts)
    reason = ""
    if seen.value("run.completed") is not True:
        reason = "The run did not complete."
        outcome = worst((outcome, Outcome.UNKNOWN))
    return GateVerdict(gate=gate.id, gate_digest=gate.digest, outcome=outcome, checks=tuple(verdicts), reason=reason)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of several; of none: UNKNOWN."""
    return max(outcomes, key=lambda outcome: outcome.value, default=Outcome.UNKNOWN)


def encode(verdicts: Iterable[GateVerdict]) -> bytes:
    """The exact bytes of `verdict.json`."""
    several = sorted(verdicts, key=lambda verdict: verdict.gate)
    return canon.encode(
        {
            "format": "attestore/verdict/v1",
            "outcome": worst(verdict.outcome for verdict in several).name,
            "gates": [
                {
                    "gate": verdict.gate,
                    "gate_digest": verdict.gate_digest,
                    "outcome": verdict.outcome.name,
                    "reason": verdict.reason,
                    "checks": [
                        {
                            "id": check.id,
                            "outcome": check.outcome.name,
                            "fact": check.fact,
                            "must": f"{check.operator.value} {check.written}",
                            "observed": [[subject, value] for subject, value in check.observed],
                            "of": [[fact, count] for fact, count in check.of],
                            "reason": check.reason,
                        }
                        for check in verdict.checks
                    ],
                }
                for verdict in several
            ],
        }
    )


def _gather(observations: Iterable[Observation]) -> _Seen:
    known: dict[str, dict[str, set[Value]]] = {}
    mistyped: set[tuple[str, str]] = set()
    for observation in observations:
        fact = FACTS.get(observation.fact)
        if fact is None or type(observation.value) is not fact.kind.type:
            mistyped.add((observation.fact, observation.subject))
        else:
            known.setdefault(fact.name, {}).setdefault(observation.subject, set()).add(observation.value)
    return _Seen(
        values={
            fact: {subject: tuple(sorted(values)) for subject, values in subjects.items()}
            for fact, subjects in known.items()
        },
        mistyped=frozenset(mistyped),
    )


def _check(check: Check, seen: _Seen) -> CheckVerdict:
    per = FACTS[check.fact].per
    counting = tuple(dict.fromkeys(name for name in (check.of, per) if name))
    outcome, reason = _holds(check, seen)
    if outcome is Outcome.PASS:
        outcome, reason = _compared(counting, seen)
    if outcome is Outcome.PASS:
        outcome, reason = _whole(check.fact, per, seen)
    counts = ((name, seen.value(name)) for name in counting)
    return CheckVerdict(
        id=check.id,
        outcome=outcome,
        fact=check.fact,
        operator=check.operator,
        written=check.written,
        observed=tuple((subject, value) for subject, values in sorted(seen.of(check.fact).items()) for value in values),
        of=tuple((name, int(count)) for name, count in counts if count is not None),
        reason=reason,
        title=check.title,
    )


def _holds(check: Check, seen: _Seen) -> _Judged:
    """Whether every observed value is certain and satisfies the bound."""
    if failing := seen.failing(check.fact, check.operator, check.bound):
        where = ", ".join(subject for subject in failing if subject)
        return Outcome.FAIL, f"The bound does not hold{f' for {where}' if where else ''}."
    if seen.doubtful(check.fact):
        return Outcome.UNKNOWN, _contradictory(check.fact)
    if not seen.of(check.fact):
        return Outcome.UNKNOWN, f"{check.fact} was not observed."
    return _PASSED


def _compared(counting: Iterable[str], seen: _Seen) -> _Judged:
    """Whether the facts that count what was compared were observed, and none of them is 0."""
    for name in counting:
        count = seen.value(name)
        if seen.doubtful(name):
            return Outcome.UNKNOWN, _contradictory(name)
        if count is None:
            return Outcome.UNKNOWN, f"{name} was not observed, so nobody knows how much was compared."
        if int(count) < 1:
            return Outcome.UNKNOWN, f"Nothing was compared ({name} is 0): 0 = 0 proves nothing."
    return _PASSED


def _whole(fact: str, per: str, seen: _Seen) -> _Judged:
    """Whether the fact was observed of each subject it speaks of, and of nothing else."""
    subjects = set(seen.of(fact))
    if per and len(subjects) != seen.value(per):
        return Outcome.UNKNOWN, f"{len(subjects)} of {seen.value(per)} were observed."
    if ("" in subjects) is bool(per) or (not per and len(subjects) > 1):
        return Outcome.UNKNOWN, f"{fact} was observed of something else than it speaks of."
    return _PASSED


def _probe(probe: Probe, seen: _Seen) -> tuple[CheckVerdict, ...]:
    """A probe is a check of each: the results are equal, the source's rows are as many, its number is as asked for."""
    asked = seen.value("probes.asked")

    def verdict(fact: str, operator: Operator, bound: Value, *, name: str) -> CheckVerdict:
        outcome, reason = _answers(probe.id, fact, operator, bound, seen)
        return CheckVerdict(
            id=f"{probe.id}/{name}",
            outcome=outcome,
            fact=fact,
            operator=operator,
            written="true" if bound is True else str(bound),
            observed=tuple((probe.id, value) for value in seen.of(fact).get(probe.id, ())),
            of=() if asked is None else (("probes.asked", int(asked)),),
            reason=reason,
            title=probe.title,
        )

    return (
        verdict("probe.equal", Operator.EQUAL, True, name="equal"),
        verdict("probe.rows", probe.operator, probe.bound, name="rows"),
        *(
            verdict("probe.value", operator, bound, name="value" if number == 1 else f"value-{number}")
            for number, (operator, bound) in enumerate(probe.values, start=1)
        ),
    )


def _answers(probe: str, fact: str, operator: Operator, bound: Value, seen: _Seen) -> _Judged:
    """Whether the fact was observed of the probe, with one value that satisfies the bound, and not of nothing."""
    if probe not in seen.of(fact) and (fact, probe) not in seen.mistyped:
        return Outcome.UNKNOWN, f"{fact} of {probe} was not observed."
    if not seen.certain(fact, probe):
        return Outcome.UNKNOWN, _contradictory(fact)
    empty = seen.value("probe.rows", probe) in {None, 0}
    if not operator.holds(seen.of(fact)[probe][0], bound) and not (empty and fact == "probe.rows"):
        return Outcome.FAIL, "The bound does not hold."
    return (Outcome.UNKNOWN, "The probe returned no row: it compared nothing.") if empty else _PASSED


def _contradictory(fact: str) -> str:
    return f"{fact} was observed with contradictory values."
