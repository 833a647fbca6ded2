"""Everything one report is rendered from, and the questions that its sections ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from attestore.evidence import Observation
from attestore.facts import FACTS, Kind, Value
from attestore.gate import Gate
from attestore.proof import Comparison, compare
from attestore.report.case import Case
from attestore.report.one import numbers
from attestore.verdict import GateVerdict

__all__ = ["NOT_MEASURED", "Case", "Reading", "View", "server", "view", "write"]

NOT_MEASURED: Final = "not measured"
_CONTRADICTED: Final = "contradictory"
_SEALING: Final = ("seal.", "store", "backup.")
_RESTORING: Final = ("restore.", "tables.", "rows.", "objects.", "foreign_keys.", "indexes.", "sequences.", "probe")


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
        return self._sources.get(fact, NOT_MEASURED)

    def shown(self, fact: str, subject: str = "") -> str:
        """The value as reports write it, with its unit."""
        if (fact, subject) in self._contradicted:
            return _CONTRADICTED
        value = self._value(fact, subject)
        return NOT_MEASURED if value is None else write(fact, value)

    def _value(self, fact: str, subject: str) -> Value | None:
        return None if (fact, subject) in self._contradicted else self._known.get(fact, {}).get(subject)


def write(fact: str, value: Value) -> str:
    """A value of a fact as reports write it."""
    kind = FACTS[fact].kind if fact in FACTS else Kind.TEXT
    if isinstance(value, bool):
        return "yes" if value else "no"
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
    return version if version == NOT_MEASURED or version.startswith("PostgreSQL") else f"PostgreSQL {version}"


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
    comparison = None
    if case.source is not None and case.restored is not None:
        comparison = compare(case.source, case.restored)
    return View(
        case=case,
        gate=case.gate(gate_id),
        verdict=case.verdict(gate_id),
        reading=Reading(case.observations),
        comparison=comparison,
    )
