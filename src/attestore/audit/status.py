"""What each gate of each system is worth at an instant, after everything it rests on was audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from attestore import canon, instants
from attestore.amounts import amount
from attestore.archive import is_running
from attestore.archive.ledger import LEDGER, standing_still
from attestore.audit import decided
from attestore.audit.anchors import Anchor, witnesses
from attestore.audit.bundle import Audited, audit_bundle
from attestore.audit.chain import agrees, endless, started
from attestore.audit.findings import Findings, Notebook, Status
from attestore.audit.reports import audit_ledger
from attestore.audit.signed import Signatures
from attestore.config import Roster
from attestore.evidence.ledger import Checkpoint, Entry, Ledger, RunClosed, RunFinished, RunStarted
from attestore.ports import Verifier
from attestore.standing import NEVER_RUN, Held, Judged, Standing, hold

__all__ = ["Row", "Survey", "status", "survey"]


@dataclass(frozen=True, slots=True)
class Row:
    """One gate of one system."""

    system: str
    gate: str
    held: Held
    running: tuple[str, ...]
    """runs of the gate that have started and not ended: they change nothing until they end"""
    died: tuple[str, ...]
    """runs of the gate that were started, have no end, and no process that could still give them one"""
    digest: canon.Digest
    """SHA-256 of the gate that judged the newest finished run; empty where there is none"""
    expected: canon.Digest
    """SHA-256 of the gate that it must have been judged by; empty where none was named"""
    changed_since: str
    """the finished run before, where another gate of this id judged it; empty where the same did"""
    problems: tuple[str, ...]
    """what the audit found, where it is not trustworthy"""


@dataclass(frozen=True, slots=True)
class Survey:
    """Every row, and what they all rest on."""

    rows: tuple[Row, ...]
    ledger: Ledger | None
    """whole; None where there is none, or its chain does not hold"""
    checkpoint: Checkpoint | None
    """the signed end that the ledger holds; None where nobody whom the roster knows has signed one"""
    broken: tuple[str, ...]
    """what the audit found of the ledger: where there is anything, no row is trustworthy"""
    notes: tuple[str, ...]
    """what a reader of the ledger should know, that proves nothing wrong"""
    alive: frozenset[str]
    """runs without an end that a live process still writes"""


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest finished run of a gate of a system."""

    end: RunFinished | RunClosed
    start: RunStarted
    place: int
    """number of the entry that started it"""
    digest: canon.Digest
    """SHA-256 of the gate, as the ledger says"""
    changed_since: str
    """the finished run before, where another gate of this id judged it"""


@dataclass(frozen=True, slots=True)
class _Open:
    """Runs of a gate of a system that have no end."""

    running: tuple[str, ...] = ()
    died: tuple[str, ...] = ()
    last: tuple[str, int] = ("", 0)
    """the newest that died, and the number of the entry that started it"""


def status(  # noqa: PLR0913
    reports: Path,
    *,
    roster: Roster,
    verifier: Verifier,
    at: datetime,
    now: datetime,
    asked: Iterable[str] = (),
    own: Mapping[str, canon.Digest] | None = None,
    anchors: Sequence[Anchor] = (),
) -> tuple[Row, ...]:
    """The rows of `survey`."""
    return survey(reports, roster=roster, verifier=verifier, at=at, now=now, asked=asked, own=own, anchors=anchors).rows


def survey(  # noqa: PLR0913
    reports: Path,
    *,
    roster: Roster,
    verifier: Verifier,
    at: datetime,
    now: datetime,
    asked: Iterable[str] = (),
    own: Mapping[str, canon.Digest] | None = None,
    anchors: Sequence[Anchor] = (),
) -> Survey:
    """A row for every gate that any run of a system was started for, and for the gates that are asked for by name.

    Only what the ledger knew at `at` counts; what lies there is audited as at `now`. A gate whose newest run, decisions or
    ledger do not hold is not trustworthy, never PASS; nor is one that was judged by other bytes than `own` says, which has
    the SHA-256 of gates by id. `anchors` are reports that were kept elsewhere: a ledger without their heads does not hold.
    """
    signatures = Signatures(roster=roster, verifier=verifier, audited=now)
    book = Notebook("")
    known: Ledger | None = None
    point: Checkpoint | None = None
    witness = witnesses(Ledger((), (), torn=False), (), covered=None)
    alive: frozenset[str] = frozenset()
    if anchors and not (reports / LEDGER).exists():
        book.problem("anchor", f"A report was kept, but there is no {LEDGER} to compare it with.")
    if (reports / LEDGER).exists():
        with book.guarded("ledger", of=LEDGER), standing_still(reports):
            told = audit_ledger(reports, signatures=signatures, at=now, anchors=anchors, book=book)
            if told is not None:
                known, point = told.ledger, told.point
                witness = witnesses(told.ledger, told.kept, covered=told.covered)
                # while no run can enter its end
                alive = frozenset(run for run in endless(told.ledger.entries) if is_running(reports, run))
    broken = tuple(line.sentence for line in Findings(tuple(book.lines)).problems)
    notes = tuple(line.sentence for line in book.lines if line.status is Status.NOTE)
    entries = () if known is None else tuple(e for e in known.entries if instants.parse(e.at) <= at)
    starts, newest = _ledger(entries)
    dead = frozenset() if known is None else endless(known.entries) - alive
    open_runs = _open(entries, dead=dead)
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
        expected = (own or {}).get(gate, "")
        held = _by_ours(held, found, gate=gate, expected=expected)
        pending = open_runs.get((system, gate), _Open())
        held = _after_death(held, found, pending)
        if problems:
            reason = f"The audit found {amount(len(problems), 'problem')}; the first: {problems[0]}"
            held = replace(held, standing=Standing.UNTRUSTED, reason=reason, until="")
        rows.append(
            Row(
                system=system,
                gate=gate,
                held=held,
                running=pending.running,
                died=pending.died,
                digest="" if found is None else found.digest,
                expected=expected,
                changed_since="" if found is None else found.changed_since,
                problems=problems,
            )
        )
    return Survey(rows=tuple(rows), ledger=known, checkpoint=point, broken=broken, notes=notes, alive=alive)


def _by_ours(held: Held, found: _Newest | None, *, gate: str, expected: canon.Digest) -> Held:
    """Whatever another gate of the same id said, nobody knows what this one would have said."""
    if found is None or not expected or found.digest == expected:
        return held
    reason = (
        f"{found.end.run} was judged by another {gate} (sha256 {found.digest[:16]}…) than the one in the folder of gates "
        f"(sha256 {expected[:16]}…)."
    )
    return replace(held, standing=Standing.UNTRUSTED, reason=reason, until="")


def _after_death(held: Held, found: _Newest | None, pending: _Open) -> Held:
    """A run that died after the newest finished one leaves open what it would have said; what is worse stays worse."""
    run, place = pending.last
    if not run or (found is not None and found.place > place):
        return held
    reason = f"{run} died before its end: what it would have said is unknown. Before: {held.reason}"
    if held.standing in {Standing.FAIL, Standing.REJECTED, Standing.UNTRUSTED}:
        return replace(held, reason=reason)
    return replace(held, standing=Standing.UNKNOWN, reason=reason, until="")


def _ledger(entries: tuple[Entry, ...]) -> tuple[tuple[RunStarted, ...], Mapping[tuple[str, str], _Newest]]:
    """Every start, and the newest end by system and gate."""
    first = started(entries)
    places: dict[str, int] = {}
    for place, entry in enumerate(entries, start=1):
        if isinstance(entry, RunStarted):
            places.setdefault(entry.run, place)
    newest: dict[tuple[str, str], _Newest] = {}
    ended: set[str] = set()
    for entry in entries:
        if isinstance(entry, RunFinished | RunClosed) and entry.run in first and entry.run not in ended:
            ended.add(entry.run)
            start = first[entry.run]
            for gate, _ in entry.outcomes:
                digest = dict(start.gates).get(gate, "")
                before = newest.get((start.system, gate))
                newest[start.system, gate] = _Newest(
                    end=entry,
                    start=start,
                    place=places[entry.run],
                    digest=digest,
                    changed_since=before.end.run if before is not None and before.digest != digest else "",
                )
    return tuple(first.values()), newest


def _open(entries: tuple[Entry, ...], *, dead: frozenset[str]) -> Mapping[tuple[str, str], _Open]:
    """What had no end by system and gate; `dead` never gets one by itself, the rest was running then, or is now."""
    found: dict[tuple[str, str], _Open] = {}
    first, open_ones = started(entries), endless(entries)
    for place, start in enumerate(entries, start=1):
        if not isinstance(start, RunStarted) or start.run not in open_ones or first[start.run] is not start:
            continue
        for gate, _ in start.gates:
            now = found.get((start.system, gate), _Open())
            if start.run in dead:
                now = replace(now, died=(*now.died, start.run), last=(start.run, place))
            else:
                now = replace(now, running=(*now.running, start.run))
            found[start.system, gate] = now
    return found


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
