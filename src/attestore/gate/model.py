"""A gate as a value: what must be true, how it is measured, who may approve it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from attestore import canon
from attestore.facts import Value

__all__ = ["LONGEST_WAIVER_MS", "Approval", "Check", "Control", "Coverage", "Gate", "Operator", "Probe", "Severity"]

LONGEST_WAIVER_MS: Final = 30 * 86_400_000
"""Of a gate that says nothing about waivers: 30 days"""


class Operator(Enum):
    """How a value is compared with a bound; the value is how YAML and reports write it."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    EQUAL = "=="
    UNEQUAL = "!="

    def holds(self, value: Value, bound: Value) -> bool:
        """Whether `value <operator> bound`; order is asked of whole numbers only."""
        match self:
            case Operator.EQUAL:
                return value == bound
            case Operator.UNEQUAL:
                return value != bound
            case Operator.LESS | Operator.AT_MOST | Operator.MORE | Operator.AT_LEAST:
                return _ordered(self, int(value), int(bound))


def _ordered(operator: Operator, value: int, bound: int) -> bool:
    match operator:
        case Operator.LESS:
            return value < bound
        case Operator.AT_MOST:
            return value <= bound
        case Operator.MORE:
            return value > bound
        case Operator.AT_LEAST:
            return value >= bound
        case Operator.EQUAL | Operator.UNEQUAL:
            raise ValueError(f"{operator.value} is not an order")


class Severity(Enum):
    """What a failure means for a release."""

    BLOCKING = "blocking"
    ADVISORY = "advisory"


class Coverage(Enum):
    """How far passing the gate answers a control, told honestly."""

    DIRECT = "direct"
    PARTIAL = "partial"
    SUPPORTING = "supporting"


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a framework that the gate answers; title and coverage come from the shipped catalogue."""

    framework: str
    id: str
    title: str
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison: every observed value of `fact` must satisfy `operator` `bound`.

    `of` names a COUNT fact that says how many things were compared: at 0 the check compared nothing and is UNKNOWN.
    """

    id: str
    fact: str
    operator: Operator
    bound: Value
    """in the fact's own unit (ms, bytes)"""
    written: str
    """the bound as the gate's author wrote it, with its unit"""
    of: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A read-only query asked at the source's snapshot and of the restored database; the results must be equal.

    `operator` and `bound` limit the number of rows on the source; a probe that returned no row proves nothing
    and is UNKNOWN whatever the bound says.
    """

    id: str
    title: str
    sql: str
    operator: Operator
    bound: int
    timeout_ms: int = 30_000
    values: tuple[tuple[Operator, int], ...] = ()
    """bounds of the whole number that it answers on the source; none: its answer is no number, or is not told"""

    @property
    def must(self) -> str:
        """What is asked of its answer, in words."""
        value = ", ".join(f"value {operator.value} {bound:,}" for operator, bound in self.values)
        return f"equal, rows {self.operator.value} {self.bound:,}{f', {value}' if value else ''}"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who must approve before the gate counts as approved: `people` distinct persons who together cover every role."""

    roles: tuple[str, ...]
    people: int
    not_the_operator: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """A requirement with an id; `text` are the exact bytes that were loaded and are judged."""

    id: str
    title: str
    statement: str
    severity: Severity
    cadence_ms: int | None
    """evidence older than this no longer proves the gate; None: never expires"""
    controls: tuple[Control, ...]
    checks: tuple[Check, ...]
    probes: tuple[Probe, ...]
    approval: Approval | None
    labels: tuple[tuple[str, str], ...]
    text: bytes
    longest_waiver_ms: int = LONGEST_WAIVER_MS
    """a waiver of this gate ends at most so long after it was given"""

    @property
    def digest(self) -> canon.Digest:
        """SHA-256 of the gate's bytes, as sha256sum prints it."""
        return canon.sha256_hex(self.text)
