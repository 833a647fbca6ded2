"""A reports folder: every bundle, and a ledger that says which bundles there must be."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from attestore import canon
from attestore.archive import is_running
from attestore.archive.layout import JOURNAL, LARGEST_SIGNATURE, STATEMENT, SUMS, is_run
from attestore.archive.ledger import CHECKPOINT, DRAFT, LEDGER, standing_still
from attestore.archive.ledger import LARGEST as LARGEST_LEDGER
from attestore.archive.opened import read_file
from attestore.audit import anchors as anchored
from attestore.audit import chain, decided
from attestore.audit.anchors import Anchor, Held
from attestore.audit.bundle import Audited, Witnesses, audit_bundle, audit_torso
from attestore.audit.findings import Finding, Findings, Notebook
from attestore.audit.kept import compare_checkpoints
from attestore.audit.plausible import instant
from attestore.audit.signed import Signatures
from attestore.audit.times import NOTHING
from attestore.config import Roster
from attestore.evidence import Journal, Past
from attestore.evidence.ledger import (
    Checkpoint,
    Ledger,
    RunClosed,
    RunFinished,
    RunStarted,
    decode_checkpoint,
    read,
)
from attestore.facts import RTO_PHASES, Value
from attestore.ports import Inspected, Stamps, Verifier

__all__ = ["Spread", "Told", "audit", "audit_ledger", "unnamed"]

_BUNDLE: Final = (JOURNAL, STATEMENT, SUMS)
_COMPARED: Final = frozenset(
    {
        "run.completed",
        "restore.rto",
        "backup.size.sealed",
        "snapshot.taken",
        *(f"restore.{each}" for each in RTO_PHASES),
    }
)
"""facts of a whole run that other bundles and the ledger are compared with"""


def audit(  # noqa: PLR0913  what is audited, whom to trust, when, and what lies outside
    path: Path,
    *,
    roster: Roster,
    verifier: Verifier,
    at: datetime,
    anchors: Sequence[Anchor] = (),
    stamps: Stamps | None = None,
    checkpoints: Path | None = None,
    spread: Spread = map,
) -> Findings:
    """Compare everything that can be compared in a reports folder, or in one bundle; never raises for what it finds there.

    `at` is the instant of the audit: nothing may have happened after it. `anchors` are reports that the auditor kept;
    `stamps` checks time stamps, `checkpoints` is a folder of what stores have kept. `spread` has the bundles looked at, perhaps
    several at a time, in processes of their own.
    """
    signatures = Signatures(roster=roster, verifier=verifier, audited=at, stamps=stamps)
    book = Notebook("")
    if not path.is_dir():
        book.problem("structure", f"There is no folder {path}.")
        return Findings(tuple(book.lines))
    if any((path / name).exists() or (path / name).is_symlink() for name in _BUNDLE):
        lines = _alone(path, signatures=signatures, at=at)
        if anchors or checkpoints is not None:
            book.problem("anchor", "What was kept is compared with a ledger; name the reports folder, not one bundle.")
            lines = book.lines + lines
    else:
        lines = _reports(path, signatures=signatures, at=at, anchors=anchors, checkpoints=checkpoints, spread=spread)
    return Findings(tuple(lines))


def _alone(folder: Path, *, signatures: Signatures, at: datetime) -> list[Finding]:
    book = Notebook(folder.name)
    # a name like `.` or `reports/x/` must not change which run this is
    nobody: Witnesses = lambda _: NOTHING  # noqa: E731
    audited = audit_bundle(folder.absolute(), signatures=signatures, witnesses=nobody, at=at, book=book)
    if audited is not None:
        decided.check(audited, known=None, signatures=signatures, witnesses=nobody, at=at, book=book)
        _roster(audited, roster=signatures.roster, book=book)
    book.note("ledger", "One bundle was looked at, not the ledger: this says nothing of runs that are not here.")
    return book.lines


def _reports(
    reports: Path,
    *,
    signatures: Signatures,
    at: datetime,
    anchors: Sequence[Anchor],
    checkpoints: Path | None,
    spread: Spread,
) -> list[Finding]:
    book = Notebook("")
    told = Told(Ledger((), (), torn=False), (), None)
    known: Ledger | None = None
    named: frozenset[str] = frozenset()
    alive: frozenset[str] = frozenset()
    folders: list[str] | None = None
    with book.guarded("ledger", of=LEDGER), standing_still(reports):
        read_it = audit_ledger(reports, signatures=signatures, at=at, anchors=anchors, book=book)
        if read_it is not None:
            told, known = read_it, read_it.ledger
            named = frozenset(chain.started(known.entries))
            # while no run can enter its start or its end: later, folders and runs are those of a longer ledger
            alive = frozenset(run for run in chain.endless(known.entries) if is_running(reports, run))
            folders = _folders(reports, named=named, book=book)
    if folders is None:
        folders = _folders(reports, named=named, book=book)
    witnesses = anchored.witnesses(told.ledger, told.kept, covered=told.covered)
    bundles: dict[str, Audited] = {}
    lines: list[Finding] = []
    same = _Same()
    looking = partial(
        _look, reports, told=told, known=known, alive=alive, signatures=signatures, witnesses=witnesses, at=at
    )
    for name, looked in zip(folders, spread(looking, folders), strict=True):
        book.lines += looked.notes
        lines += same.lines(looked.lines)
        if looked.audited is not None:
            bundles[name] = same.bundle(looked.audited)
    if known is not None:
        _outside(told, bundles, alive=alive, checkpoints=checkpoints, signatures=signatures, book=book)
    for audited in bundles.values():
        _roster(audited, roster=signatures.roster, book=book)
    return book.lines + lines


class Spread(Protocol):
    """What `work` makes of each task, in the order of the tasks."""

    def __call__(self, work: Callable[[str], _Looked], tasks: Sequence[str], /) -> Iterable[_Looked]:
        """As `map` does."""
        ...


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found in the folder of one run, and as much of the run as other things are compared with."""

    notes: list[Finding]
    lines: list[Finding]
    audited: Audited | None


def _look(  # noqa: PLR0913  one run, and what is known of it from elsewhere
    reports: Path,
    name: str,
    *,
    told: Told,
    known: Ledger | None,
    alive: frozenset[str],
    signatures: Signatures,
    witnesses: Witnesses,
    at: datetime,
) -> _Looked:
    """One run, in a process that shares nothing with the audits of others but what was known before."""
    notes, ours = Notebook(""), Notebook(name)
    if name in alive:
        notes.note("completeness", "The run is in progress; it was not looked into.", of=name)
        return _Looked(notes.lines, [], None)
    about = [entry for _, entry in told.ledger.about(name)]
    ended = any(isinstance(entry, RunFinished | RunClosed) for entry in about)
    if any(isinstance(entry, RunStarted) for entry in about) and not ended and _unsealed(reports / name):
        torso = audit_torso(reports / name, book=ours)
        return _Looked([], ours.lines, torso)
    audited = audit_bundle(reports / name, signatures=signatures, witnesses=witnesses, at=at, book=ours)
    if audited is None:
        return _Looked([], ours.lines, None)
    decided.check(audited, known=known, signatures=signatures, witnesses=witnesses, at=at, book=ours)
    return _Looked([], ours.lines, _kept(audited))


class _Same:
    """Says the same thing by the same object: reports of a thousand runs show the same fifty earlier ones."""

    def __init__(self) -> None:
        self._past: dict[Past, Past] = {}
        self._texts: dict[str, str] = {}

    def bundle(self, audited: Audited) -> Audited:
        """The same bundle."""
        about = audited.evidence.context
        if about is None or not about.history:
            return audited
        history = tuple(self._past.setdefault(each, each) for each in about.history)
        return replace(audited, evidence=replace(audited.evidence, context=replace(about, history=history)))

    def lines(self, found: Iterable[Finding]) -> Iterator[Finding]:
        """The same lines."""
        text = self._texts.setdefault
        for each in found:
            yield replace(each, check=text(each.check, each.check), sentence=text(each.sentence, each.sentence))


def _outside(
    told: Told,
    bundles: Mapping[str, Audited],
    *,
    alive: frozenset[str],
    checkpoints: Path | None,
    signatures: Signatures,
    book: Notebook,
) -> None:
    """What the ledger must agree with: the bundles, reports that the auditor kept, checkpoints that stores kept."""
    known = told.ledger
    words = chain.check(known, bundles=bundles, running=alive.__contains__, book=book)
    anchored.between(told.kept, known=known, words=words, book=book)
    if checkpoints is not None:
        compare_checkpoints(checkpoints, known=known, signatures=signatures, book=book)
    figures = {
        run: _figures(each.evidence.journal) for run, each in bundles.items() if each.evidence.journal is not None
    }
    finished = frozenset(
        (entry.run, gate, entry.at, outcome)
        for entry in known.entries
        if isinstance(entry, RunFinished | RunClosed)
        for gate, outcome in entry.outcomes
    )
    for audited in bundles.values():
        _history(audited, finished=finished, figures=figures, book=book)


@dataclass(frozen=True, slots=True)
class Told:
    """A ledger whose chain holds, and what vouches for it."""

    ledger: Ledger
    kept: tuple[Held, ...]
    """the auditor's own reports whose heads it holds"""
    covered: Checkpoint | None
    """the checkpoint, where the ledger holds it and a key in force signed it"""
    point: Checkpoint | None = None
    """the checkpoint, where the ledger holds it"""


def audit_ledger(
    reports: Path, *, signatures: Signatures, at: datetime, anchors: Sequence[Anchor] = (), book: Notebook
) -> Told | None:
    """The ledger of a reports folder, where its chain holds; lines say whether a signed checkpoint covers it."""
    data = book.attempt("ledger", lambda: read_file(reports / LEDGER, limit=LARGEST_LEDGER), of=LEDGER)
    if data is None:
        return None
    known = book.attempt("ledger", lambda: read(data), of=LEDGER)
    if known is None:
        return None
    book.ok("ledger", f"Each of {known.count} entries is bound to the one before it; head {known.head}.", of=LEDGER)
    if known.torn:
        book.note("ledger", "A last line without its end was left out: a writer died there.", of=LEDGER)
    kept = anchored.hold(anchors, known=known, reports=reports, signatures=signatures, book=book)
    point, seen = _checkpoint(reports, known=known, kept=kept, signatures=signatures, book=book) or (None, None)
    chain.times(known, point, at=at, book=book)
    held = chain.reach(known, point, running=partial(is_running, reports), book=book)
    in_force = held and seen is not None and signatures.in_force(seen)
    return Told(ledger=known, kept=kept, covered=point if in_force else None, point=point if held else None)


def _checkpoint(
    reports: Path, *, known: Ledger, kept: Sequence[Held], signatures: Signatures, book: Notebook
) -> tuple[Checkpoint, Inspected] | None:
    """The signed end of the ledger; None, and a line, where nobody signed one."""
    signature, draft = reports / f"{CHECKPOINT}.asc", reports / DRAFT
    seal = book.attempt("checkpoint", lambda: read_file(signature, limit=LARGEST_SIGNATURE), of=f"{CHECKPOINT}.asc")
    if seal is None:
        return None
    look = partial(_signed_point, seal=seal, known=known, kept=kept, signatures=signatures)
    tried = Notebook("")
    point = look(reports / CHECKPOINT, book=tried)
    if point is None and draft.exists():
        again = Notebook("")
        point = look(draft, book=again)
        if point is not None:
            tried = again
            book.note("checkpoint", f"A writer died before {DRAFT} had its name; it is what was signed.", of=CHECKPOINT)
    book.lines += tried.lines
    return point


def _signed_point(
    path: Path, *, seal: bytes, known: Ledger, kept: Sequence[Held], signatures: Signatures, book: Notebook
) -> tuple[Checkpoint, Inspected] | None:
    look = partial(read_file, limit=LARGEST_SIGNATURE)
    data = book.attempt("checkpoint", lambda: look(path), of=CHECKPOINT)
    point = None if data is None else book.attempt("checkpoint", lambda: decode_checkpoint(data), of=CHECKPOINT)
    at = None if point is None else book.attempt("checkpoint", lambda: instant(point.at), of=CHECKPOINT)
    if data is None or point is None or at is None:
        return None
    held = point.count <= known.count and known.head_at(point.count) == point.head
    seen = signatures.look(
        seal,
        path,
        name=CHECKPOINT,
        at=at,
        digest=canon.sha256_hex(data),
        witness=anchored.proven_head(kept, point.count) if held else NOTHING,
        book=book,
    )
    return None if seen is None else (point, seen)


def _folders(reports: Path, *, named: Collection[str], book: Notebook) -> list[str]:
    """Folders to look into: those that the ledger names, and those that hold a run which it does not name."""
    with os.scandir(reports) as entries:
        present = sorted(entry.name for entry in entries if entry.is_dir() or entry.is_symlink())
    held = [
        name for name in present if name in named or any(os.path.lexists(reports / name / file) for file in _BUNDLE)
    ]
    for name in present:
        if is_run(name) and name not in held and _nothing(reports / name):
            what = "A symbolic link" if (reports / name).is_symlink() else "An empty folder"
            book.note("completeness", f"{what} named like a run, which the ledger does not name.", of=name)
    for name in held:
        if name in named:
            continue
        if _empty(reports / name):
            book.note("completeness", "The folder of a run that died, or was refused, before it was started.", of=name)
        else:
            book.problem("completeness", f"The folder {name} holds a run that the ledger does not name.", of=name)
    return [name for name in held if is_run(name) and (name in named or not _empty(reports / name))]


def unnamed(reports: Path, *, named: Collection[str]) -> tuple[str, ...]:
    """Folders that hold a run which the ledger does not name: whatever they say, nobody promised it."""
    book = Notebook("")
    _folders(reports, named=named, book=book)
    return tuple(sorted({line.subject for line in Findings(tuple(book.lines)).problems}))


def _nothing(folder: Path) -> bool:
    """Whether it is a link, or a folder with nothing in it."""
    with suppress(OSError):
        return folder.is_symlink() or not any(folder.iterdir())
    return False


def _empty(folder: Path) -> bool:
    """Whether nothing was seen there and nothing sealed: the folder is made just before the ledger tells the start."""
    with suppress(OSError):
        sealed = any(os.path.lexists(folder / name) for name in (STATEMENT, SUMS))
        return not sealed and not folder.is_symlink() and os.lstat(folder / JOURNAL).st_size == 0
    return False


def _unsealed(folder: Path) -> bool:
    """Whether nothing here says that it was sealed."""
    return not any(os.path.lexists(folder / name) for name in (STATEMENT, SUMS))


def _kept(audited: Audited) -> Audited:
    """As much of a bundle as the ledger is compared with, and no more: an archive holds thousands."""
    seen = audited.evidence
    told = seen.journal
    if told is not None and any(each.fact == "run.completed" and each.value is True for each in told.observations):
        told = replace(told, observations=tuple(each for each in told.observations if each.fact in _COMPARED))
    statement, about = audited.statement, seen.context
    if about is not None:
        # the steps of the plan are most of what it says, and are in the report that was compared
        about = replace(about, plan=())
    return replace(
        audited,
        # its list of files was compared, and is most of what it says
        statement=None if statement is None else replace(statement, files=()),
        evidence=replace(seen, context=about, journal=told, source=None, restored=None, gates=(), verdicts=()),
        files=None,
        trusted=frozenset(),
        added=None,
    )


def _history(
    audited: Audited,
    *,
    finished: frozenset[tuple[str, str, str, str]],
    figures: Mapping[str, tuple[Value | None, ...]],
    book: Notebook,
) -> None:
    """Earlier runs that a report shows are those of the ledger, and their figures those of the bundles that are here."""
    about = audited.evidence.context
    if about is None:
        return
    strange = [past for past in about.history if _past(past) not in finished]
    for past in strange:
        book.problem(
            "context",
            f"The history shows {past.run} {past.gate} {past.outcome}, which the ledger does not.",
            of=f"{audited.run}/context.json",
        )
    left_out = [f"{past.run} ({past.doubt.value})" for past in about.history if past.doubt is not None]
    if left_out:
        book.note(
            "context",
            f"The history leaves out the figures of {', '.join(left_out)}: nobody vouched for them.",
            of=f"{audited.run}/context.json",
        )
    for past in about.history:
        whole = past.measured
        told = (past.rto_ms, past.sealed_bytes, *((whole.taken, *whole.phases) if whole is not None else ()))
        pairs = zip(told, figures.get(past.run, told), strict=False)
        # what was not told then may be known by now: only a figure that is told can be another one
        if any(mine is not None and mine != theirs for mine, theirs in pairs):
            book.problem(
                "context",
                f"The history shows other figures of {past.run} than its own journal does.",
                of=f"{audited.run}/context.json",
            )


def _figures(told: Journal) -> tuple[Value | None, ...]:
    """Of a run, in the order in which a history tells them."""
    seen = {each.fact: each.value for each in told.observations if not each.subject}
    phases = (seen.get(f"restore.{phase}", 0) for phase in RTO_PHASES)
    return seen.get("restore.rto"), seen.get("backup.size.sealed"), seen.get("snapshot.taken"), *phases


def _past(past: Past) -> tuple[str, str, str, str]:
    return past.run, past.gate, past.finished, past.outcome


def _roster(audited: Audited, *, roster: Roster, book: Notebook) -> None:
    about = audited.evidence.context
    if about is not None and about.roster_digest != roster.digest:
        book.note(
            "context",
            f"The run was made under another roster ({about.roster_digest[:16]}…) than this audit uses "
            f"({roster.digest[:16]}…).",
            of="context.json" if not book.lines else f"{audited.run}/context.json",
        )
