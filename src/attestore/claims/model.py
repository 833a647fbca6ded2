"""What an examination of a document comes to: findings, and what holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

__all__ = ["Book", "Finding", "Hold", "Kind", "Report", "with_findings"]

_QUOTE: Final = 240


class Kind(Enum):
    """What is wrong with a claim; the value is the word in JSON."""

    IMPOSSIBLE = "impossible"
    CONTRADICTION = "contradiction"
    VACUOUS = "vacuous"
    UNSUPPORTED = "unsupported"
    IMPLAUSIBLE = "implausible"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim that does not stand, and what would settle it."""

    line: int
    kind: Kind
    quote: str
    why: str
    needs: str
    end: int = 0
    """last line of a range; 0: one line"""

    @property
    def lines(self) -> str:
        """`a-b`, or the one line."""
        return f"{self.line}-{self.end}" if self.end > self.line else str(self.line)


@dataclass(frozen=True, slots=True)
class Hold:
    """A figure that was computed again and stands."""

    line: int
    quote: str
    why: str
    end: int = 0

    @property
    def lines(self) -> str:
        """`a-b`, or the one line."""
        return f"{self.line}-{self.end}" if self.end > self.line else str(self.line)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found, in the order of the document."""

    findings: tuple[Finding, ...]
    holds: tuple[Hold, ...]
    unjudged: tuple[Hold, ...] = ()
    """what was understood and can't be judged from the document alone"""


def with_findings(report: Report, more: tuple[Finding, ...]) -> Report:
    """The same report with further findings, in the order of the document."""
    order = list(Kind)
    return replace(
        report, findings=tuple(sorted((*report.findings, *more), key=lambda f: (f.line, order.index(f.kind), f.why)))
    )


@dataclass(slots=True)
class Book:
    """Collects what the checks find; `quoted` gives a line as it stands in the document."""

    quoted: Callable[[int], str]
    findings: dict[tuple[int, Kind, str], Finding] = field(default_factory=dict)
    holding: dict[tuple[int, str], Hold] = field(default_factory=dict)
    open: dict[tuple[int, str], Hold] = field(default_factory=dict)
    topics: set[tuple[int, Kind, str]] = field(default_factory=set)

    def found(self, kind: Kind, line: int, why: str, *, needs: str, end: int = 0, topic: str = "") -> None:
        """A claim that does not stand; of those with the same topic on one line the first is told."""
        if topic and (line, kind, topic) in self.topics:
            return
        self.topics.add((line, kind, topic))
        finding = Finding(line, kind, self.quoted(line)[:_QUOTE], why, needs, end)
        self.findings.setdefault((line, kind, why), finding)

    def holds(self, line: int, why: str, *, end: int = 0) -> None:
        """A figure that stands."""
        self.holding.setdefault((line, why), Hold(line, self.quoted(line)[:_QUOTE], why, end))

    def unjudged(self, line: int, why: str) -> None:
        """Something that the document alone can't settle."""
        self.open.setdefault((line, why), Hold(line, self.quoted(line)[:_QUOTE], why))

    def closed(self) -> Report:
        """The findings in the order of the document."""
        order = list(Kind)
        return Report(
            tuple(sorted(self.findings.values(), key=lambda f: (f.line, order.index(f.kind), f.why))),
            tuple(sorted(self.holding.values(), key=lambda h: (h.line, h.why))),
            tuple(sorted(self.open.values(), key=lambda h: (h.line, h.why))),
        )
