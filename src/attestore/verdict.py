"""The only opinion about a run: a pure function of a gate and of what was observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from attestore import canon
from attestore.evidence import Observation
from attestore.facts import FACTS, Kind, Value
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


class _Verdict(Protocol):
    def __call__(self, outcome: Outcome, reason: str = "") -> CheckVerdict: ...


_Known = Mapping[str, Mapping[str, Value]]
"""fact → subject → value"""


def judge(gate: Gate, observations: Iterable[Observation]) -> GateVerdict:
    """Judge a gate on what was observed.

    Missing, contradictory or wrongly typed facts are UNKNOWN; a check that compared nothing is UNKNOWN; a run that
    did not complete is never PASS; the gate is the worst of its parts.
    """
    known, contradicted = _gather(observations)
    verdicts = [_check(check, known, contradicted) for check in gate.checks]
    verdicts += [verdict for probe in gate.probes for verdict in _probe(probe, known, contradicted)]
    outcome = worst(verdict.outcome for verdict in verdicts)
    completed = known.get("run.completed", {}).get("") is True and "run.completed" not in contradicted
    reason = ""
    if not completed:
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


def _gather(observations: Iterable[Observation]) -> tuple[_Known, frozenset[str]]:
    known: dict[str, dict[str, Value]] = {}
    contradicted: set[str] = set()
    for seen in observations:
        fact = FACTS.get(seen.fact)
        if fact is None or type(seen.value) is not fact.kind.type:
            contradicted.add(seen.fact)
            continue
        values = known.setdefault(seen.fact, {})
        if values.setdefault(seen.subject, seen.value) != seen.value:
            contradicted.add(seen.fact)
    return known, frozenset(contradicted)


def _check(check: Check, known: _Known, contradicted: frozenset[str]) -> CheckVerdict:
    fact = FACTS[check.fact]
    observed = tuple(sorted(known.get(check.fact, {}).items()))
    counts = [(name, known.get(name, {}).get("")) for name in dict.fromkeys((check.of, fact.per)) if name]
    of = tuple((name, int(count)) for name, count in counts if count is not None)

    def verdict(outcome: Outcome, reason: str = "") -> CheckVerdict:
        return CheckVerdict(
            id=check.id,
            outcome=outcome,
            fact=check.fact,
            operator=check.operator,
            written=check.written,
            observed=observed,
            of=of,
            reason=reason,
            title=check.title,
        )

    failing = [
        subject
        for subject, value in observed
        if type(value) is fact.kind.type and not check.operator.holds(value, check.bound)
    ]
    doubtful = [name for name in (check.fact, check.of, fact.per) if name in contradicted]
    if failing:
        where = ", ".join(subject for subject in failing if subject)
        return verdict(Outcome.FAIL, f"The bound does not hold{f' for {where}' if where else ''}.")
    if doubtful:
        return verdict(Outcome.UNKNOWN, f"{doubtful[0]} was observed with contradictory values.")
    if not observed:
        return verdict(Outcome.UNKNOWN, f"{check.fact} was not observed.")
    return _sufficient(check, observed, counts, verdict)


def _sufficient(
    check: Check,
    observed: tuple[tuple[str, Value], ...],
    counts: list[tuple[str, Value | None]],
    verdict: _Verdict,
) -> CheckVerdict:
    """PASS if enough was compared, for a check whose every observed value holds."""
    for name, count in counts:
        if count is None:
            return verdict(Outcome.UNKNOWN, f"{name} was not observed, so nobody knows how much was compared.")
        if int(count) < 1:
            return verdict(Outcome.UNKNOWN, f"Nothing was compared ({name} is 0): 0 = 0 proves nothing.")
    per = FACTS[check.fact].per
    expected = next((int(count) for name, count in counts if name == per and count is not None), None)
    subjects = [subject for subject, _ in observed]
    if expected is not None and len(subjects) != expected:
        return verdict(Outcome.UNKNOWN, f"{len(subjects)} of {expected} were observed.")
    if (not per and subjects != [""]) or (per and "" in subjects):
        return verdict(Outcome.UNKNOWN, f"{check.fact} was observed of something else than it speaks of.")
    return verdict(Outcome.PASS)


def _probe(probe: Probe, known: _Known, contradicted: frozenset[str]) -> tuple[CheckVerdict, CheckVerdict]:
    """A probe is two checks: the results are equal, and there were as many rows as the gate asks for."""
    of = tuple((name, int(count)) for name in ("probes.asked",) if (count := known.get(name, {}).get("")) is not None)

    def verdict(fact: str, operator: Operator, bound: Value) -> CheckVerdict:
        value = known.get(fact, {}).get(probe.id)
        if value is None:
            outcome, reason = Outcome.UNKNOWN, f"{fact} of {probe.id} was not observed."
        elif not operator.holds(value, bound):
            outcome, reason = Outcome.FAIL, "The bound does not hold."
        elif fact in contradicted:
            outcome, reason = Outcome.UNKNOWN, f"{fact} was observed with contradictory values."
        elif FACTS[fact].kind is Kind.COUNT and int(value) < 1:
            outcome, reason = Outcome.UNKNOWN, "The probe returned no row: it compared nothing."
        else:
            outcome, reason = Outcome.PASS, ""
        return CheckVerdict(
            id=f"{probe.id}/{'equal' if fact == 'probe.equal' else 'rows'}",
            outcome=outcome,
            fact=fact,
            operator=operator,
            written="true" if bound is True else str(bound),
            observed=() if value is None else ((probe.id, value),),
            of=of,
            reason=reason,
            title=probe.title,
        )

    return verdict("probe.equal", Operator.EQUAL, True), verdict("probe.rows", probe.operator, probe.bound)
