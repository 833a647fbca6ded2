"""What a runbook is told by: one drill's evidence, the programmes it ran, the people of the roster, the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from attestore import instants
from attestore.config import Roster
from attestore.errors import ArchiveError
from attestore.evidence import Branding, Manifest
from attestore.facts import RTO_PHASES
from attestore.gate import Gate
from attestore.proof import Proof
from attestore.report.case import Case, Reading
from attestore.report.runbook.commands import Command
from attestore.verdict import Outcome, worst

__all__ = ["Rehearsal", "Stored"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A backup that the ledger knows of."""

    backup: str
    at: str
    """UTC instant at which it had been stored and read back"""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The last drill of a system that restored its backup to the end, and what else a runbook needs."""

    case: Case
    statement: str
    """SHA-256 of the bundle's statement"""
    commands: tuple[tuple[str, Command], ...]
    """what was run, by the phase of the recovery"""
    roster: Roster | None
    backups: tuple[Stored, ...]
    """newest first, without those that were deleted"""
    since: tuple[str, str] | None
    """a newer run that did not go through: its name, and how it ended"""
    now: str
    """UTC instant at which the runbook is made"""
    paper: str = "A4"
    language: str = "en"
    branding: Branding = field(default_factory=Branding)

    @property
    def reading(self) -> Reading:
        """The drill's observations."""
        return Reading(self.case.observations)

    @property
    def manifest(self) -> Manifest:
        """The backup that was restored.

        Raises:
            ArchiveError: the bundle has none.
        """
        if self.case.manifest is None:
            raise ArchiveError(f"the bundle of {self.case.context.run} holds no manifest")
        return self.case.manifest

    @property
    def source(self) -> Proof:
        """What the backup promises.

        Raises:
            ArchiveError: the bundle has no proof.
        """
        if self.case.source is None:
            raise ArchiveError(f"the bundle of {self.case.context.run} holds no proof of the source")
        return self.case.source

    @property
    def outcome(self) -> Outcome:
        """The worst of the drill's gates; UNKNOWN where it judged none."""
        return worst(each.outcome for each in self.case.verdicts) if self.case.verdicts else Outcome.UNKNOWN

    @property
    def phases(self) -> tuple[tuple[str, int], ...]:
        """Each phase of the recovery and its milliseconds."""
        took = ((phase, self.reading.number(f"restore.{phase}")) for phase in RTO_PHASES)
        return tuple((phase, ms) for phase, ms in took if ms is not None)

    @property
    def age(self) -> int:
        """Milliseconds since the drill ended."""
        gap = instants.parse(self.now) - instants.parse(self.case.context.ended)
        return max(0, round(gap.total_seconds() * 1000))

    @property
    def gate(self) -> Gate | None:
        """The gate that asks for a recovery time, else the first one that expires, else none."""
        timed = [gate for gate in self.case.gates if any(check.fact == "restore.rto" for check in gate.checks)]
        expiring = [gate for gate in self.case.gates if gate.cadence_ms is not None]
        return next(iter((*timed, *expiring)), None)

    @property
    def expires(self) -> str | None:
        """When the drill is too old by its gate; None where no gate says so."""
        gate = self.gate
        if gate is None or gate.cadence_ms is None:
            return None
        return instants.text(instants.parse(self.case.context.ended) + timedelta(milliseconds=gate.cadence_ms))

    @property
    def expired(self) -> bool:
        """Whether it is too old by now."""
        return self.expires is not None and instants.parse(self.expires) <= instants.parse(self.now)
