"""What ledger and journals tell of each system in figures, for monitoring: newest successes, failures, durations, sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from attestore import instants
from attestore.archive import layout
from attestore.archive.ledger import LedgerFile, is_running
from attestore.archive.opened import read_bundle
from attestore.errors import ArchiveError, TamperedError
from attestore.evidence import journal
from attestore.evidence.ledger import BackupStored, Entry, RunClosed, RunFinished, RunStarted
from attestore.facts import Value
from attestore.report.metrics import SystemFigure

__all__ = ["system_figures"]

_SIZES: Final = 8
"""newest backups whose sizes are told"""
_LOOKED_AT: Final = 40
"""newest runs of a system whose journals are read for figures"""


@dataclass(slots=True)
class _Past:
    """What the ledger says of one system."""

    starts: list[RunStarted] = field(default_factory=list)
    ends: dict[str, RunFinished | RunClosed] = field(default_factory=dict)
    stored: dict[str, BackupStored] = field(default_factory=dict)
    """by the run that stored it"""


def system_figures(reports: Path, *, systems: Iterable[str] = (), at: datetime) -> tuple[SystemFigure, ...]:
    """The figures of every system that the ledger knew by `at`, and of those that are asked for by name.

    Raises:
        ArchiveError, TamperedError: the ledger can't be read.
    """
    entries = [entry for entry in LedgerFile(reports).read().entries if instants.parse(entry.at) <= at]
    past = _by_system(entries)
    return tuple(_figure(reports, system, past.get(system, _Past())) for system in sorted({*past, *systems}))


def _by_system(entries: Sequence[Entry]) -> dict[str, _Past]:
    past: dict[str, _Past] = {}
    of: dict[str, str] = {}
    for entry in entries:
        match entry:
            case RunStarted() if entry.run not in of:
                of[entry.run] = entry.system
                past.setdefault(entry.system, _Past()).starts.append(entry)
            case RunFinished() | RunClosed() if entry.run in of:
                past[of[entry.run]].ends.setdefault(entry.run, entry)
            case BackupStored():
                past.setdefault(entry.system, _Past()).stored.setdefault(entry.run, entry)
            case _:
                pass
    return past


def _figure(reports: Path, system: str, past: _Past) -> SystemFigure:
    over = [start for start in past.starts if start.run in past.ends or not is_running(reports, start.run)]
    attempts = [start for start in over if not start.gates or start.run in past.stored]
    drills = [start for start in over if start.gates]
    passed = [past.ends[start.run].at for start in drills if _end(past, start) == "pass"]
    seen = _newest(reports, [start.run for start in reversed(over)][:_LOOKED_AT])
    stored = [entry.at for entry in past.stored.values()]
    return SystemFigure(
        system=system,
        databases=_texts(seen, "source.database")[:1],
        backup_stored=max(stored, default=""),
        backup_failed=bool(attempts) and attempts[-1].run not in past.stored,
        drill_passed=passed[-1] if passed else "",
        drill_failed=bool(drills) and _end(past, drills[-1]) != "pass",
        started=len(past.starts),
        ended=Counter(_end(past, start) for start in over),
        phases_ms=seen[0].phases if seen else {},
        rto_ms=_first(seen, "restore.rto"),
        rpo_ms=_first(seen, "restore.rpo"),
        snapshot_held_ms=_first(seen, "snapshot.held"),
        plain_bytes=_first(seen, "backup.size.plain"),
        sealed_bytes=tuple(_numbers([told for told in seen if told.run in past.stored], "backup.size.sealed"))[:_SIZES],
    )


def _end(past: _Past, start: RunStarted) -> str:
    """How a run that is over came out, in one word; one that nobody closed yet has died, too."""
    match past.ends.get(start.run):
        case None | RunClosed():
            return "died"
        case RunFinished(outcomes=()) if start.run in past.stored:
            return "stored"
        case RunFinished(outcomes=outcomes):
            words = {outcome for _, outcome in outcomes}
            return "pass" if words == {"PASS"} else "fail" if "FAIL" in words else "unknown"


@dataclass(frozen=True, slots=True)
class _Told:
    """What one journal tells."""

    run: str
    values: dict[str, Value]
    phases: dict[str, int]


def _newest(reports: Path, runs: Iterable[str]) -> list[_Told]:
    """Journals of runs, in the order given; one that is missing or does not hold tells nothing."""
    found: list[_Told] = []
    for run in runs:
        if not layout.is_run(run):
            continue
        try:
            seen = journal.read(read_bundle(reports / run).read(layout.JOURNAL)).observations
        except (ArchiveError, TamperedError):
            continue
        found.append(
            _Told(
                run=run,
                values={each.fact: each.value for each in seen if not each.subject},
                phases={each.subject: int(each.value) for each in seen if each.fact == "phase.elapsed"},
            )
        )
    return found


def _numbers(seen: Iterable[_Told], fact: str) -> list[int]:
    return [int(told.values[fact]) for told in seen if fact in told.values]


def _first(seen: Iterable[_Told], fact: str) -> int | None:
    return next(iter(_numbers(seen, fact)), None)


def _texts(seen: Iterable[_Told], fact: str) -> tuple[str, ...]:
    return tuple(str(told.values[fact]) for told in seen if fact in told.values)
