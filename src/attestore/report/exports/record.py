"""What every export is made from: a case, and the statement that signs its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from attestore import canon
from attestore.evidence.decision import Decision
from attestore.evidence.statement import FileRecord, Statement
from attestore.facts import Value
from attestore.report.case import Case
from attestore.verdict import CheckVerdict, Outcome

__all__ = ["Judged", "Record", "judged", "spoken"]


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed run whose files are the ones that its statement lists."""

    case: Case
    statement: Statement
    text: bytes
    """the stored bytes of `statement.json`"""
    decisions: tuple[Decision, ...] = ()
    """as they lie in the bundle, in order of time; whether their signatures hold and count, the audit says"""

    @property
    def digest(self) -> canon.Digest:
        """SHA-256 of `statement.json`."""
        return canon.sha256_hex(self.text)

    @property
    def files(self) -> tuple[FileRecord, ...]:
        """Every file of evidence by digest, the statement itself among them."""
        return (*self.statement.files, FileRecord("statement.json", len(self.text), self.digest))


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of a verdict as exports show it."""

    id: str
    title: str
    outcome: Outcome
    fact: str
    must: str
    observed: tuple[tuple[str, Value], ...]
    of: tuple[tuple[str, int], ...]
    reason: str


def judged(case: Case, gate_id: str) -> tuple[Judged, ...]:
    """The checks of a gate, and one more that says whether the run itself went to its end.

    Without that one, a run that broke off after its last check would show nothing but passed checks.

    Raises:
        UsageError: the run did not judge that gate.
    """
    verdict = case.verdict(gate_id)
    ended = Judged(
        id="run",
        title="The run went to its end",
        outcome=verdict.outcome if verdict.reason else Outcome.PASS,
        fact="run.completed",
        must="== true",
        observed=tuple((o.subject, o.value) for o in case.observations if o.fact == "run.completed"),
        of=(),
        reason=verdict.reason,
    )
    return (*map(_line, verdict.checks), ended)


def _line(check: CheckVerdict) -> Judged:
    return Judged(
        id=check.id,
        title=check.title or check.id,
        outcome=check.outcome,
        fact=check.fact,
        must=f"{check.operator.value} {check.written}",
        observed=check.observed,
        of=check.of,
        reason=check.reason,
    )


def spoken(values: Iterable[tuple[str, Value]]) -> str:
    """Values by subject on one line; booleans as gates write them."""
    told = [(subject, str(value).lower() if isinstance(value, bool) else str(value)) for subject, value in values]
    return "; ".join(f"{subject}: {value}" if subject else value for subject, value in told)
