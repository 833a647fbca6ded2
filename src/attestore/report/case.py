"""Everything one report is rendered from, and the questions that its sections ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from attestore import instants
from attestore.errors import UsageError
from attestore.evidence import Context, Manifest, Observation
from attestore.evidence.decision import Decision
from attestore.evidence.revision import Revision, Worth
from attestore.facts import FACTS, Kind, Value
from attestore.gate import Gate
from attestore.proof import Comparison, Proof, compare
from attestore.report import numbers
from attestore.report.voice import later, say
from attestore.standing import Judged, hold
from attestore.verdict import GateVerdict

__all__ = ["NOT_MEASURED", "Case", "Reading", "View", "server", "view", "write"]

NOT_MEASURED: Final = later("not measured")
_CONTRADICTED: Final = later("contradictory")
_SEALING: Final = ("seal.", "store", "backup.")
_RESTORING: Final = ("restore.", "tables.", "rows.", "objects.", "foreign_keys.", "indexes.", "sequences.", "probe")


@dataclass(frozen=True, slots=True)
class Case:
    """A finished run as evidence: what was seen, and what the gates made of it."""

    context: Context
    observations: tuple[Observation, ...]
    source: Proof | None
    """the proof that the backup carries"""
    restored: Proof | None
    manifest: Manifest | None
    gates: tuple[Gate, ...]
    verdicts: tuple[GateVerdict, ...]
    revision: Revision | None = None
    """of a report that is rendered again after decisions"""
    decisions: tuple[Decision, ...] = ()
    """that the revision rests on, in the order of the ledger"""
    compared: Comparison | None = field(default=None, repr=False, compare=False)
    """what whoever has compared the two proofs already has found"""
    _compared: list[Comparison] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def comparison(self) -> Comparison | None:
        """Every difference of the two proofs, found once for all documents; None where there are not two to compare."""
        if self.source is None or self.restored is None:
            return None
        if self.compared is not None:
            return self.compared
        if not self._compared:
            self._compared.append(compare(self.source, self.restored))
        return self._compared[0]

    def worth(self, gate_id: str) -> Worth:
        """What the gate is worth: as the revision tells it, or before anybody has decided."""
        if self.revision is not None:
            return next(each for each in self.revision.worth if each.gate == gate_id)
        ended = self.context.ended
        judged = Judged(
            run=self.context.run,
            gate=self.gate(gate_id),
            outcome=self.verdict(gate_id).outcome.name,
            finished=ended,
            operator=self.context.operator.id,
        )
        return hold(judged, (), at=instants.parse(ended)).worth(gate_id)

    def gate(self, gate_id: str) -> Gate:
        """The gate of that id.

        Raises:
            UsageError: the run did not judge it.
        """
        for gate in self.gates:
            if gate.id == gate_id:
                return gate
        known = ", ".join(gate.id for gate in self.gates) or "none"
        raise UsageError(f"this run judged no gate {gate_id!r}", hint=f"It judged: {known}.")

    def verdict(self, gate_id: str) -> GateVerdict:
        """The verdict on the gate of that id.

        Raises:
            UsageError: the run did not judge it.
        """
        for verdict in self.verdicts:
            if verdict.gate == gate_id:
                return verdict
        raise UsageError(f"this run has no verdict on {gate_id!r}")


class Reading:
    """Observations by fact and subject; what nobody saw reads as `not measured`, never as nothing or 0."""

    __slots__ = ("_contradicted", "_known", "_sources")

    def __init__(self, observations: tuple[Observation, ...]) -> None:
        known: dict[str, dict[str, Value]] = {}
        self._sources: dict[str, str] = {}
        self._contradicted: set[tuple[str, str]] = set()
        for seen in observations:
            values = known.setdefault(seen.fact, {})
            self._sources.setdefault(seen.fact, seen.source)
            if values.setdefault(seen.subject, seen.value) != seen.value:
                self._contradicted.add((seen.fact, seen.subject))
        self._known: Mapping[str, Mapping[str, Value]] = known

    def number(self, fact: str, subject: str = "") -> int | None:
        """A count, size or duration, in the fact's own unit; None where it was not measured or contradicts itself."""
        value = self._value(fact, subject)
        return value if type(value) is int else None

    def flag(self, fact: str, subject: str = "") -> bool | None:
        """A yes or no; None where it was not measured or contradicts itself."""
        value = self._value(fact, subject)
        return value if isinstance(value, bool) else None

    def text(self, fact: str, subject: str = "") -> str | None:
        """A text or instant; None where it was not measured or contradicts itself."""
        value = self._value(fact, subject)
        return value if isinstance(value, str) else None

    def subjects(self, fact: str) -> tuple[str, ...]:
        """What the fact was observed of, in the order of observation."""
        return tuple(self._known.get(fact, {}))

    def source(self, fact: str) -> str:
        """What saw the fact."""
        return self._sources.get(fact, say(NOT_MEASURED))

    def shown(self, fact: str, subject: str = "") -> str:
        """The value as reports write it, with its unit."""
        if (fact, subject) in self._contradicted:
            return say(_CONTRADICTED)
        value = self._value(fact, subject)
        return say(NOT_MEASURED) if value is None else write(fact, value)

    def _value(self, fact: str, subject: str) -> Value | None:
        return None if (fact, subject) in self._contradicted else self._known.get(fact, {}).get(subject)


def write(fact: str, value: Value) -> str:
    """A value of a fact as reports write it."""
    kind = FACTS[fact].kind if fact in FACTS else Kind.TEXT
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, int):
        match kind:
            case Kind.DURATION:
                return numbers.duration(value)
            case Kind.SIZE:
                return numbers.size_exact(value)
            case Kind.COUNT | Kind.FLAG | Kind.TEXT | Kind.INSTANT:
                return numbers.count(value)
    return numbers.instant(value) if kind is Kind.INSTANT else value


def server(version: str) -> str:
    """A server version with its product's name before it, once."""
    return version if version == say(NOT_MEASURED) or version.startswith("PostgreSQL") else f"PostgreSQL {version}"


@dataclass(frozen=True, slots=True)
class View:
    """A case as one gate's report looks at it."""

    case: Case
    gate: Gate
    verdict: GateVerdict
    reading: Reading
    comparison: Comparison | None
    """None where there are not two proofs to compare"""

    @property
    def seals(self) -> bool:
        """Whether the gate asks how the backup is sealed or stored."""
        return self._asks(_SEALING) or not self._asks(_RESTORING)

    @property
    def restores(self) -> bool:
        """Whether the gate asks how the backup restores."""
        return self._asks(_RESTORING) or not self._asks(_SEALING)

    def _asks(self, families: tuple[str, ...]) -> bool:
        return any(check.fact.startswith(families) for check in self.gate.checks)


def view(case: Case, gate_id: str) -> View:
    """The case as the report on that gate looks at it.

    Raises:
        UsageError: the run did not judge it.
    """
    return View(
        case=case,
        gate=case.gate(gate_id),
        verdict=case.verdict(gate_id),
        reading=Reading(case.observations),
        comparison=case.comparison,
    )
