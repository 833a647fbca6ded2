"""What each gate of each system is worth at an instant, after everything it rests on was audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from attestore import instants
from attestore.archive.ledger import LEDGER, standing_still
from attestore.audit import decided
from attestore.audit.anchors import witnesses
from attestore.audit.bundle import Audited, audit_bundle
from attestore.audit.chain import agrees, started
from attestore.audit.findings import Findings, Notebook
from attestore.audit.reports import audit_ledger
from attestore.audit.signed import Signatures
from attestore.config import Roster
from attestore.evidence.ledger import Entry, Ledger, RunClosed, RunFinished, RunStarted
from attestore.ports import Verifier
from attestore.standing import NEVER_RUN, Held, Judged, Standing, hold

__all__ = ["Row", "status"]


@dataclass(frozen=True, slots=True)
class Row:
    """One gate of one system."""

    system: str
    gate: str
    held: Held
    running: tuple[str, ...]
    """runs of the gate that have started and not ended: they change nothing until they end"""
    problems: tuple[str, ...]
    """what the audit found, where it is not trustworthy"""


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest finished run of a gate of a system."""

    end: RunFinished | RunClosed
    start: RunStarted
    place: int
    """number of the entry that started it"""


def status(
    reports: Path, *, roster: Roster, verifier: Verifier, at: datetime, now: datetime, asked: Iterable[str] = ()
) -> tuple[Row, ...]:
    """A row for every gate that any run of a system was started for, and for the gates that are asked for by name.

    Only what the ledger knew at `at` counts; what lies there is audited as at `now`. A gate whose newest run, decisions or
    ledger do not hold is not trustworthy, never PASS.
    """
    signatures = Signatures(roster=roster, verifier=verifier, audited=now)
    book = Notebook("")
    known: Ledger | None = None
    witness = witnesses(Ledger((), (), torn=False), (), covered=None)
    if (reports / LEDGER).exists():
        with book.guarded("ledger", of=LEDGER), standing_still(reports):
            told = audit_ledger(reports, signatures=signatures, at=now, book=book)
            if told is not None:
                known, witness = told.ledger, witnesses(told.ledger, (), covered=told.covered)
    broken = tuple(line.sentence for line in Findings(tuple(book.lines)).problems)
    entries = () if known is None else tuple(e for e in known.entries if instants.parse(e.at) <= at)
    starts, newest, open_runs = _ledger(entries)
    audited: dict[str, tuple[Audited | None, tuple[str, ...], tuple[decided.Counted, ...]]] = {}
    rows: list[Row] = []
    for system, gate in _wanted(starts, asked):
        found = newest.get((system, gate))
        held, problems = NEVER_RUN, broken
        if found is not None and known is not None:
            run = found.end.run
            if run not in audited:
                ours = Notebook("")
                one = audit_bundle(reports / run, signatures=signatures, witnesses=witness, at=now, book=ours)
                counted: tuple[decided.Counted, ...] = ()
                if one is not None:
                    counted = decided.check(
                        one, known=known, signatures=signatures, witnesses=witness, at=now, book=ours
                    )
                    agrees(one, start=found.start, end=found.end, ledger=known, place=found.place, book=ours)
                lines = Findings(tuple(ours.lines)).problems
                audited[run] = one, tuple(f"{line.subject}: {line.sentence}" for line in lines), counted
            one, wrong, counted = audited[run]
            problems = (*broken, *wrong)
            held = _held(one, gate, found, roster=roster, counted=counted, at=at)
        if problems:
            reason = f"The audit found {len(problems)} problems; the first: {problems[0]}"
            held = replace(held, standing=Standing.UNTRUSTED, reason=reason, until="")
        rows.append(Row(system, gate, held, open_runs.get((system, gate), ()), problems))
    return tuple(rows)


def _ledger(
    entries: tuple[Entry, ...],
) -> tuple[tuple[RunStarted, ...], Mapping[tuple[str, str], _Newest], Mapping[tuple[str, str], tuple[str, ...]]]:
    """Every start, the newest end by system and gate, and the runs that have not ended."""
    first = started(entries)
    newest: dict[tuple[str, str], _Newest] = {}
    ended: set[str] = set()
    for entry in entries:
        if isinstance(entry, RunFinished | RunClosed) and entry.run in first and entry.run not in ended:
            ended.add(entry.run)
            start = first[entry.run]
            for gate, _ in entry.outcomes:
                newest[start.system, gate] = _Newest(end=entry, start=start, place=entries.index(start) + 1)
    running: dict[tuple[str, str], tuple[str, ...]] = {}
    for start in first.values():
        for gate, _ in start.gates if start.run not in ended else ():
            key = start.system, gate
            running[key] = (*running.get(key, ()), start.run)
    return tuple(first.values()), newest, running


def _wanted(starts: tuple[RunStarted, ...], asked: Iterable[str]) -> list[tuple[str, str]]:
    systems = sorted({start.system for start in starts})
    wanted = {(start.system, gate) for start in starts for gate, _ in start.gates}
    wanted |= {(system, gate) for gate in asked for system in systems or [""]}
    return sorted(wanted)


def _held(
    one: Audited | None,
    gate: str,
    found: _Newest,
    *,
    roster: Roster,
    counted: tuple[decided.Counted, ...],
    at: datetime,
) -> Held:
    end = found.end
    judged = None if one is None else next((each for each in one.evidence.gates if each.id == gate), None)
    if one is None or judged is None:
        return replace(NEVER_RUN, standing=Standing.UNTRUSTED, run=end.run, finished=end.at)
    ran = roster.person_of(found.start.operator)
    about = one.evidence.context
    outcomes = {verdict.gate: verdict.outcome.name for verdict in one.evidence.verdicts}
    return hold(
        Judged(
            run=end.run,
            gate=judged,
            outcome=outcomes[gate],
            finished=end.at,
            operator=ran.id if ran is not None else "" if about is None else about.operator.id,
        ),
        [each.decision for each in counted if instants.parse(each.entered) <= at],
        at=at,
    )
