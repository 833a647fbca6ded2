"""The archive becomes a site: standings as `status` computes them, each bundle by its own digests, pages onto a shelf."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from attestore import __version__, canon, forecast, instants, resources
from attestore.adapters.spread import spread
from attestore.archive import disk, layout
from attestore.archive.shelf import Shelf
from attestore.audit import Row as Audited
from attestore.audit import Survey, survey, unnamed
from attestore.compose.check import Trust as Trusted
from attestore.compose.looked import Eye, told
from attestore.config import Roster
from attestore.errors import UsageError
from attestore.evidence.ledger import Entry, RunClosed, RunFinished, RunStarted
from attestore.forecast import Drill, Target
from attestore.report import Templates, load_templates
from attestore.report.languages import catalogue, printed
from attestore.report.site import (
    FOLDER,
    HOME,
    Chain,
    Decided,
    Dress,
    Line,
    Overview,
    Page,
    Row,
    Source,
    Trust,
    gate_pages,
    index_page,
    list_pages,
    load_dress,
    run_document,
)
from attestore.report.voice import Voice, say, speaking

__all__ = ["Built", "Wanted", "build_site"]

_NEWEST: Final = 200
"""entries of the ledger that are shown"""
_MARK: Final = b'content="Attestore site"'


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be rendered, from where, into where."""

    reports: Path
    into: Path
    at: datetime
    now: datetime
    own: Mapping[str, canon.Digest] | None = None
    """the gates that count, by id"""
    language: str = "en"
    templates: Templates | None = None
    """of the reports, whose words the site shares; None: the shipped ones"""
    organisation: str = ""
    jobs: int | None = None
    """processes that look at runs; None: as many as there are processors, where there are enough runs"""


@dataclass(frozen=True, slots=True)
class Built:
    """What was made."""

    index: Path
    runs: int
    pages: int
    written: int
    unchanged: int
    removed: int
    troubled: tuple[Line, ...]
    """runs that died, are missing, or do not verify"""
    rows: tuple[Row, ...]
    broken: tuple[str, ...]
    """what is wrong with the ledger"""
    unnamed: tuple[str, ...]


def build_site(wanted: Wanted, *, trust: Trusted) -> Built:
    """Render the reports folder; what stood there before stays whole until its page is replaced.

    Raises:
        UsageError: the target is inside of a bundle, or holds pages that are not ours.
        ArchiveError, DiskError: something cannot be read or written.
    """
    shelf = Shelf(wanted.into, home=HOME, below=FOLDER, mark=_MARK)
    _outside(wanted)
    shelf.check()
    disk.make_folder(wanted.into, exist_ok=True)
    seen = survey(
        wanted.reports,
        roster=trust.roster,
        verifier=trust.verifier,
        at=wanted.at,
        now=wanted.now,
        asked=tuple(wanted.own or ()),
        own=wanted.own,
    )
    with speaking(_voice(wanted)), shelf.held():
        return _Build(wanted, seen=seen, roster=trust.roster, shelf=shelf).all()


def _voice(wanted: Wanted) -> Voice:
    """The words of the reports and those of the site, and the reader's figures.

    Raises:
        ArchiveError: there are no words of that language.
    """
    folder = resources.templates_folder()
    templates = wanted.templates or load_templates(folder, language=wanted.language)
    voice = printed(templates, wanted.language)
    ours = folder / "site" / f"{wanted.language}.po"
    if not ours.exists():
        return voice
    return replace(voice, words={**catalogue(ours.read_bytes()), **voice.words})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a gate is called and which recovery time it asks for, as the bundle of a run has it."""

    gate: str
    title: str
    target: Target | None


@dataclass(frozen=True, slots=True)
class _Done:
    """What is kept of a run when its page is on the shelf."""

    line: Line
    decisions: tuple[Decided, ...]
    asked: tuple[_Asked, ...]
    path: str
    written: bool
    """whether its page had to be"""


class _Build:
    """One build: every run is opened once, its page written, and only a line of it kept; several at a time, one to a processor."""

    def __init__(self, wanted: Wanted, *, seen: Survey, roster: Roster, shelf: Shelf) -> None:
        self._wanted, self._seen, self._roster, self._shelf = wanted, seen, roster, shelf
        self._dress: Dress = load_dress(
            resources.templates_folder(), language=wanted.language, organisation=wanted.organisation
        )
        self._base = os.path.relpath(wanted.reports.resolve(), wanted.into.resolve())
        self._at = instants.text(wanted.at)
        entries = () if seen.ledger is None else seen.ledger.entries
        self._entries: tuple[Entry, ...] = tuple(e for e in entries if instants.parse(e.at) <= wanted.at)
        self._told = told(self._entries)
        self._later = {e.run for e in entries if isinstance(e, RunFinished | RunClosed)}
        self._gates: dict[tuple[str, str], _Asked] = {}
        self._kept: set[str] = set()
        self._written = 0
        self._flawed = _flawed(seen)
        self._around = _around(self._told.starts.values())
        self._eye = Eye(
            reports=wanted.reports,
            told=self._told,
            roster=roster,
            at=wanted.at,
            broken=seen.broken,
            # a run that has an end by now was in progress at the instant asked for
            alive=seen.alive | self._later,
        )

    def all(self) -> Built:
        """Every page; the index last, then what is no longer made goes."""
        for path, data in self._dress.files.items():
            self._put(Page(path, data))
        lines: list[Line] = []
        decisions: list[Decided] = []
        for done in spread(self._run, tuple(self._told.starts.values()), jobs=self._wanted.jobs):
            self._count(done.path, written=done.written)
            lines.append(done.line)
            decisions += done.decisions
            self._gates.update({(done.line.system, each.gate): each for each in done.asked})
        by_gate: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines:
            for each in line.outcomes:
                by_gate[line.system, each.gate].append(line)
        rows = tuple(self._row(row, by_gate[row.system, row.gate]) for row in self._seen.rows)
        overview = self._overview(rows, lines, decisions)
        for row in rows:
            for page in gate_pages(row, overview, self._dress, lines=by_gate[row.system, row.gate]):
                self._put(page)
        for page in list_pages(overview, self._dress):
            self._put(page)
        self._put(index_page(overview, self._dress))
        removed = self._shelf.sweep(self._kept)
        return Built(
            index=self._wanted.into / HOME,
            runs=len(lines),
            pages=sum(name.endswith(".html") for name in self._kept),
            written=self._written,
            unchanged=len(self._kept) - self._written,
            removed=removed,
            troubled=tuple(line for line in lines if line.trust in {Trust.DIED, Trust.MISSING, Trust.BROKEN}),
            rows=rows,
            broken=self._seen.broken,
            unnamed=overview.chain.unnamed,
        )

    def _run(self, start: RunStarted) -> _Done:
        """Look at a run and put its page onto the shelf; perhaps in a process of its own, where nothing else may change."""
        looked = self._eye.look(start, flaws=self._flawed.get(start.run, ()))
        page = run_document(
            looked.line,
            looked.case,
            self._dress,
            decisions=looked.decisions,
            source=Source(self._base, looked.files),
            around=self._around[start.run],
        )
        gates = () if looked.case is None else looked.case.gates
        return _Done(
            line=looked.line,
            decisions=looked.decisions,
            asked=tuple(_Asked(gate.id, gate.title, forecast.target(gate)) for gate in gates),
            path=page.path,
            written=self._shelf.put(page.path, page.data),
        )

    def _put(self, page: Page) -> None:
        self._count(page.path, written=self._shelf.put(page.path, page.data))

    def _count(self, path: str, *, written: bool) -> None:
        self._kept.add(path)
        self._written += written

    def _overview(self, rows: tuple[Row, ...], lines: list[Line], decisions: list[Decided]) -> Overview:
        held = {(each.decision.run, each.decision.digest) for each in decisions}
        numbered = list(enumerate(self._entries, start=1))
        ledger = self._seen.ledger
        named = set() if ledger is None else {e.run for e in ledger.entries if isinstance(e, RunStarted)}
        chain = Chain(
            count=len(self._entries),
            head="" if ledger is None else ledger.head_at(len(self._entries)),
            checkpoint=self._seen.checkpoint,
            broken=self._seen.broken,
            notes=self._seen.notes,
            newest=tuple(reversed(numbered[-_NEWEST:])),
            unnamed=unnamed(self._wanted.reports, named=named),
            gone=tuple(
                (entry.run, say("{person} did {act} {gate}, entered {at}", person=entry.person, act=entry.act, gate=entry.gate, at=entry.at))
                for entry in self._told.decided
                if (entry.run, entry.record) not in held
            ),
        )  # fmt: skip
        return Overview(
            at=self._at,
            rows=rows,
            lines=tuple(lines),
            decisions=tuple(decisions),
            chain=chain,
            source=Source(self._base),
            attestore=__version__,
            roster=self._roster.digest,
        )

    def _row(self, row: Audited, lines: list[Line]) -> Row:
        known = self._gates.get((row.system, row.gate))
        target = None if known is None else known.target
        ahead = None if target is None else forecast.forecast(_drills(lines), target=target)
        return Row(
            system=row.system,
            gate=row.gate,
            held=row.held,
            running=row.running,
            died=row.died,
            digest=row.digest,
            changed_since="" if row.expected else row.changed_since,
            compared=self._wanted.own is None or bool(row.expected),
            problems=row.problems,
            title="" if known is None else known.title,
            target_ms=None if target is None else target.ms,
            forecast=ahead,
            soon=ahead is not None and ahead.near(self._wanted.at),
        )


def _drills(lines: Iterable[Line]) -> list[Drill]:
    """The runs that have an end, in the order of their ends, as a context's history would tell them; of a bundle that does not hold, nothing."""
    ended = sorted((line for line in lines if line.ended), key=lambda line: line.ended)
    return [Drill(line.rto_ms, line.sealed_bytes, line.measured) for line in ended]


def _flawed(seen: Survey) -> dict[str, tuple[str, ...]]:
    """What the audit found in the runs that standings rest on."""
    flawed: dict[str, tuple[str, ...]] = {}
    for row in seen.rows:
        ours = row.problems[len(seen.broken) :]
        if row.held.run and ours:
            flawed[row.held.run] = ours
    return flawed


def _around(starts: Iterable[RunStarted]) -> dict[str, tuple[str, str]]:
    """The runs of the same system before and after each."""
    by_system: defaultdict[str, list[str]] = defaultdict(list)
    for start in starts:
        by_system[start.system].append(start.run)
    found: dict[str, tuple[str, str]] = {}
    for runs in by_system.values():
        for before, run, after in zip(["", *runs], runs, [*runs[1:], ""], strict=False):
            found[run] = before, after
    return found


def _outside(wanted: Wanted) -> None:
    """Pages never go into a bundle: its audit would find them.

    Raises:
        UsageError: the target is inside of one.
    """
    reports, into = wanted.reports.resolve(), wanted.into.resolve()
    if reports not in into.parents:
        return
    first = into.relative_to(reports).parts[0]
    held = any((reports / first / name).exists() for name in (layout.JOURNAL, layout.STATEMENT, layout.SUMS))
    if held or first == FOLDER:
        raise UsageError(
            f"{wanted.into} lies inside of {reports / first}", hint="Leave out --into, or name a folder of its own."
        )
