"""One run of the archive as the site shows it: what the ledger tells, what the bundle holds, and whether they agree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from attestore import canon, forecast, instants
from attestore.archive import disk, layout
from attestore.archive.record import read_outline, read_record
from attestore.config import Roster
from attestore.errors import ArchiveError, Error
from attestore.evidence.ledger import DecisionEntered, Entry, RunClosed, RunFinished, RunStarted
from attestore.report import Case, numbers
from attestore.report.exports import Record
from attestore.report.site import Decided, Line, Outcome, Trust
from attestore.report.voice import say

__all__ = ["Eye", "Looked", "Told", "told"]


@dataclass(slots=True)
class Told:
    """What the ledger says of each run, up to an instant."""

    starts: dict[str, RunStarted] = field(default_factory=dict)
    ends: dict[str, RunFinished | RunClosed] = field(default_factory=dict)
    entered: dict[tuple[str, canon.Digest], str] = field(default_factory=dict)
    """instant at which a decision's record was entered, by run and digest"""
    decided: list[DecisionEntered] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Looked:
    """A run, and of a bundle that holds its evidence and decisions."""

    line: Line
    files: tuple[str, ...]
    """names of the bundle's files"""
    case: Case | None = None
    decisions: tuple[Decided, ...] = ()


def told(entries: tuple[Entry, ...]) -> Told:
    """The entries by run; of several starts or ends of one run the first."""
    known = Told()
    for entry in entries:
        match entry:
            case RunStarted():
                known.starts.setdefault(entry.run, entry)
            case RunFinished() | RunClosed():
                known.ends.setdefault(entry.run, entry)
            case DecisionEntered():
                known.entered.setdefault((entry.run, entry.record), entry.at)
                known.decided.append(entry)
            case _:
                pass
    return known


@dataclass(frozen=True, slots=True)
class Eye:
    """Looks at runs, one by one."""

    reports: Path
    told: Told
    roster: Roster
    at: datetime
    broken: tuple[str, ...]
    """what is wrong with the ledger: where it does not hold, no bundle is vouched for"""
    alive: Collection[str]
    """runs that had not ended, and could"""

    def look(self, start: RunStarted, *, flaws: tuple[str, ...]) -> Looked:
        """A run as it is shown; `flaws` is what the audit found in its bundle, where that was asked."""
        end = self.told.ends.get(start.run)
        blank = self._blank(start, end)
        names = _names(self.reports / start.run) if layout.is_run(start.run) else ()
        if end is None:
            trust, why = self._endless(start.run, names)
            return Looked(replace(blank, trust=trust, why=why), names)
        if not names:
            why = say("It ended {at}; its bundle is missing.", at=numbers.instant(end.at))
            return Looked(replace(blank, trust=Trust.MISSING, why=why), ())
        try:
            record = _record(self.reports / start.run)
        except Error as problem:
            # where it lies on this machine is nobody's business
            why = problem.message.replace(f"{self.reports / start.run}: ", "").replace(
                str(self.reports / start.run), start.run
            )
            return Looked(replace(blank, why=why), names)
        for why in (*_disagreements(record, start=start, end=end), *flaws, *self.broken):
            return Looked(replace(blank, why=why), names)
        return self._whole(blank, record, names)

    def _blank(self, start: RunStarted, end: RunFinished | RunClosed | None) -> Line:
        """What the ledger claims, not to be trusted yet."""
        person = self.roster.person_of(start.operator)
        claimed = {} if end is None else dict(end.outcomes)
        return Line(
            run=start.run,
            system=start.system,
            started=start.at,
            ended="" if end is None else end.at,
            operator=start.operator[-16:] if person is None else person.name,
            outcomes=tuple(Outcome(gate, claimed.get(gate, "")) for gate, _ in start.gates),
            trust=Trust.BROKEN,
            closed=isinstance(end, RunClosed),
        )

    def _endless(self, run: str, names: tuple[str, ...]) -> tuple[Trust, str]:
        if run in self.alive:
            return Trust.RUNNING, ""
        if not names:
            return Trust.MISSING, say("It was started; its bundle is missing.")
        return Trust.DIED, say("It was started, has no end, and no process is writing it.")

    def _whole(self, blank: Line, record: Record, names: tuple[str, ...]) -> Looked:
        case = record.case
        figures: dict[str, int] = {}
        stopped = ""
        for seen in case.observations:
            if seen.fact in {"restore.rto", "backup.size.sealed"} and type(seen.value) is int and not seen.subject:
                figures[seen.fact] = seen.value
            elif seen.fact == "run.stopped":
                stopped = str(seen.value)
        decided = tuple(
            Decided(each, self.told.entered.get((blank.run, each.digest), ""))
            for each in record.decisions
            if instants.parse(each.at) <= self.at
        )
        line = replace(
            blank,
            outcomes=tuple(Outcome(verdict.gate, verdict.outcome.name) for verdict in case.verdicts),
            trust=Trust.HOLDS,
            stopped=stopped,
            rto_ms=figures.get("restore.rto"),
            sealed_bytes=figures.get("backup.size.sealed"),
            measured=forecast.measured(case.observations),
            decisions=len(decided),
        )
        return Looked(line, names, case, decided)


def _record(folder: Path) -> Record:
    """The proofs only where their differences are to be shown: they are most of a bundle's evidence."""
    outline = read_outline(folder)
    told = {o.fact: o.value for o in outline.case.observations if not o.subject}
    equal = "tables.compared" in told and not any(
        value for fact, value in told.items() if fact.endswith((".differing", ".missing", ".extra", ".orphans"))
    )
    return outline if equal else read_record(folder)


def _names(folder: Path) -> tuple[str, ...]:
    """Names of the files of a bundle that it may hold; none where there is no folder of its own."""
    if folder.is_symlink() or not folder.is_dir():
        return ()
    try:
        return tuple(sorted(name for name in disk.names(folder) if layout.is_allowed(name) or name in layout.ALWAYS))
    except OSError as problem:
        raise ArchiveError(f"{folder} cannot be read: {problem.strerror}") from problem


def _disagreements(record: Record, *, start: RunStarted, end: RunFinished | RunClosed) -> tuple[str, ...]:
    """Where the bundle and the ledger, whose end is signed, do not tell the same of a run."""
    told = record.statement
    pairs = (
        (told.run == start.run, f"its statement is of run {told.run}"),
        (record.digest == end.statement, "its statement is not the one that the ledger names"),
        (
            sorted(end.outcomes) == sorted((g.gate, g.outcome) for g in told.gates),
            "its outcomes are not those of the ledger",
        ),
        (
            sorted(end.outcomes) == sorted((v.gate, v.outcome.name) for v in record.case.verdicts),
            "judged again, its outcomes are not those of the ledger",
        ),
        (sorted(start.gates) == sorted((g.id, g.digest) for g in record.case.gates), "it was started with other gates"),
        ((told.system, told.started) == (start.system, start.at), "its system or start are not those of the ledger"),
    )
    return tuple(f"The bundle does not agree with the ledger: {why}." for holds, why in pairs if not holds)
