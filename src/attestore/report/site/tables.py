"""The tables of the site: standings, runs, decisions, entries of the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attestore.evidence.ledger import (
    BackupDeleted,
    BackupStored,
    DecisionEntered,
    Entry,
    KeyChanged,
    ReportsRevised,
    RunClosed,
    RunFinished,
    RunStarted,
)
from attestore.forecast import Outlook
from attestore.report import numbers
from attestore.report.blocks import Align, Column, Text
from attestore.report.outlook import range_words, sentence
from attestore.report.site.marks import outcome_mark, rank, run_mark, standing_mark
from attestore.report.site.model import Chain, Decided, Line, Row, Trust
from attestore.report.site.names import Place, gate_page, run_page
from attestore.report.site.values import Entry as Cell
from attestore.report.site.values import Grid, Link, Stack
from attestore.report.site.values import Row as Cells
from attestore.report.voice import say
from attestore.report.wanting import reason
from attestore.standing import Standing

__all__ = [
    "decisions_grid",
    "entries_grid",
    "forecasts_grid",
    "history_grid",
    "matrix",
    "remarks",
    "runs_grid",
    "worth",
]

_SHORT: Final = 16
_DUE: Final = (Outlook.BROKEN, Outlook.EXPECTED)
_MOST_FORECASTS: Final = 500
_MOST_DECISIONS: Final = 1000
"""of one table"""


def matrix(rows: Sequence[Row], *, at: str, place: Place) -> Grid:
    """Systems × gates: what each is worth, and how long yet."""
    known = {(row.system, row.gate): row for row in rows}
    gates = sorted({row.gate for row in rows})
    systems: dict[str, int] = {}
    for row in rows:
        systems[row.system] = min(systems.get(row.system, rank(row)), rank(row))
    made: list[Cells] = []
    for system in sorted(systems, key=lambda name: (systems[name], name)):
        ours = [known.get((system, gate)) for gate in gates]
        words = " ".join(sorted({_word(row) for row in ours if row is not None}))
        cells = tuple("–" if row is None else _standing(row, at=at, place=place) for row in ours)
        made.append(Cells((system or say("(no system)"), *cells), {"outcome": words}))
    return Grid(
        say("Standing of every gate"),
        (Column(say("System")), *(Column(gate) for gate in gates)),
        tuple(made),
        name="standings",
        quiet=True,
    )


def _word(row: Row) -> str:
    """A standing as one word, for filters."""
    return row.held.standing.name


def _standing(row: Row, *, at: str, place: Place) -> Stack:
    held = row.held
    notes: list[Text | Link] = []
    if held.until and held.standing is not Standing.EXPIRED:
        notes.append(say("{left} left", left=numbers.left(at, held.until)))
    elif held.standing is Standing.EXPIRED:
        notes.append(say("since {day}", day=numbers.day(held.until)))
    elif held.finished:
        notes.append(numbers.day(held.finished))
    if row.running:
        notes.append(say("a run is in progress"))
    return Stack(Link(standing_mark(held.standing), place.to(gate_page(row.system, row.gate))), tuple(notes))


def remarks(row: Row) -> tuple[str, ...]:
    """What is to be known of a gate besides its standing and the reason for it."""
    said = [say("{run} had not ended; a running run changes nothing until it ends.", run=run) for run in row.running]
    said += [
        say("{run} died before its end, started before the newest finished run.", run=run)
        for run in row.died
        if run not in row.held.reason and not row.problems
    ]
    if row.changed_since:
        said.append(say("The gate changed since run {run}.", run=row.changed_since))
    if not row.compared:
        said.append(say("The folder of gates that count holds no such gate: its bytes were compared with nothing."))
    if row.soon and row.forecast is not None:
        said.append(sentence(row.forecast))
    return tuple(said)


def forecasts_grid(rows: Sequence[Row], *, place: Place) -> Grid:
    """Gates whose target of the recovery time is broken or will be, soonest first."""
    due = [(row, row.forecast) for row in rows if row.forecast is not None and row.forecast.outlook in _DUE]
    due.sort(key=lambda each: (_DUE.index(each[1].outlook), each[1].about, each[0].system, each[0].gate))
    made = tuple(
        Cells(
            (
                Link(f"{row.system} {row.gate}".strip(), place.to(gate_page(row.system, row.gate))),
                numbers.duration(told.newest_ms),
                numbers.duration(told.target.ms),
                say("broken already") if told.outlook is Outlook.BROKEN else numbers.day(told.about),
                range_words(told) if told.outlook is Outlook.EXPECTED else "–",
            ),
            {"outcome": _word(row)},
        )
        for row, told in due[:_MOST_FORECASTS]
    )
    columns = (
        Column(say("Gate")), Column(say("Newest RTO"), Align.RIGHT), Column(say("Target"), Align.RIGHT),
        Column(say("Breach about")), Column(say("How sure"), wide=True),
    )  # fmt: skip
    return Grid(say("Recovery times that come to their target"), columns, made, name="forecasts", quiet=True)


def worth(rows: Sequence[Row], *, at: str, place: Place) -> Grid:
    """Every gate that is not a plain PASS, worst first, and why."""
    ordered = sorted(rows, key=lambda row: (rank(row), row.system, row.gate))
    made = tuple(
        Cells(
            (
                Link(f"{row.system} {row.gate}".strip(), place.to(gate_page(row.system, row.gate))),
                standing_mark(row.held.standing),
                " ".join((reason(row.held), *remarks(row))),
            ),
            {"outcome": _word(row)},
        )
        for row in ordered
    )
    columns = (Column(say("Gate")), Column(say("Standing")), Column(say("Why"), wide=True))
    return Grid(
        say("Gates that need somebody, at {at}", at=numbers.instant(at)), columns, made, name="attention", quiet=True
    )


def runs_grid(lines: Sequence[Line], *, place: Place, systems: Mapping[str, str], name: str, caption: str) -> Grid:
    """Runs, in the order given. `systems` gives the word by which a filter asks for a system."""
    columns = (
        Column(say("Run")), Column(say("System")), Column(say("Gates")), Column(say("RTO"), Align.RIGHT),
        Column(say("Sealed"), Align.RIGHT), Column(say("Bundle"), wide=True),
    )  # fmt: skip
    return Grid(
        caption,
        columns,
        tuple(_run(line, place=place, systems=systems) for line in lines),
        name=name,
        quiet=True,
    )


def _run(line: Line, *, place: Place, systems: Mapping[str, str]) -> Cells:
    mark = run_mark(line)
    holds = line.trust is Trust.HOLDS
    alike = not holds or len({each.word for each in line.outcomes}) == 1
    gates = tuple(each.gate if alike else f"{each.gate} {each.word}" for each in line.outcomes)
    if holds:
        state: Text = say("stopped") if line.stopped else say("closed later") if line.closed else say("holds")
    else:
        state = line.why or mark.word
    return Cells(
        (
            Stack(Link(line.run, place.to(run_page(line.run)), mono=True), (numbers.instant(line.started),)),
            line.system,
            Stack(mark, gates),
            "–" if line.rto_ms is None else numbers.duration(line.rto_ms),
            "–" if line.sealed_bytes is None else numbers.size(line.sealed_bytes),
            state,
        ),
        {"outcome": _filtered(line), "system": systems.get(line.system, "")},
    )


def _filtered(line: Line) -> str:
    if line.trust is not Trust.HOLDS:
        return line.trust.name
    return " ".join(sorted({each.word for each in line.outcomes} - {""}))


def history_grid(gate: str, lines: Sequence[Line], *, place: Place, caption: str) -> Grid:
    """Runs of one gate, in the order given."""
    columns = (
        Column(say("Run"), wide=True), Column(say("Verdict")), Column(say("RTO"), Align.RIGHT), Column(say("Sealed"), Align.RIGHT),
        Column(say("Run by")), Column(say("Decisions"), Align.RIGHT),
    )  # fmt: skip
    rows: list[Cells] = []
    for line in lines:
        notes: list[Text | Link] = [numbers.instant(line.ended or line.started)]
        if line.why:
            notes.append(line.why)
        if line.stopped:
            notes.append(say("stopped: {why}", why=line.stopped))
        rows.append(
            Cells(
                (
                    Stack(Link(line.run, place.to(run_page(line.run)), mono=True), tuple(notes)),
                    outcome_mark(line, gate),
                    "–" if line.rto_ms is None else numbers.duration(line.rto_ms),
                    "–" if line.sealed_bytes is None else numbers.size(line.sealed_bytes),
                    line.operator or "–",
                    numbers.count(line.decisions) if line.decisions else "–",
                ),
                {"outcome": line.outcome(gate) if line.trust is Trust.HOLDS else line.trust.name},
            )
        )
    return Grid(caption, columns, tuple(rows), name="history", quiet=True)


def decisions_grid(decisions: Sequence[Decided], *, place: Place, name: str = "") -> Grid:
    """Who decided what, newest first."""
    columns = (
        Column(say("Person")), Column(say("Decision")), Column(say("Gate and run"), wide=True), Column(say("Comment and terms"), wide=True),
        Column(say("In the ledger")),
    )  # fmt: skip
    rows: list[Cells] = []
    ordered = sorted(decisions, key=lambda each: (each.decision.at, each.decision.name), reverse=True)
    for each in ordered[:_MOST_DECISIONS]:
        one = each.decision
        terms: tuple[str, ...] = ()
        if one.waiver is not None:
            terms = (
                say("Reason: {text}", text=one.waiver.reason),
                say("Instead: {text}", text=one.waiver.control),
                say("Ends {at}", at=numbers.instant(one.waiver.until)),
            )
        rows.append(
            Cells(
                (
                    Stack(
                        one.person.name,
                        (
                            ", ".join(one.person.roles) or say("no role"),
                            say("key {key}", key=one.person.fingerprint[-_SHORT:]),
                        ),
                    ),
                    Stack(
                        say(one.meaning.value), (numbers.instant(one.at), say("verdict was {word}", word=one.verdict))
                    ),
                    Stack(Link(one.run, place.to(run_page(one.run)), mono=True), (one.gate,)),
                    Stack(one.comment or "–", terms),
                    numbers.instant(each.entered) if each.entered else say("not entered: it counts for nothing"),
                ),
                {"outcome": one.act.name},
            )
        )
    older = len(ordered) - len(rows)
    note = say("{n} older ones stand on the pages of their runs.", n=numbers.count(older)) if older else ""
    return Grid(say("Decisions, newest first"), columns, tuple(rows), name=name, note=note, quiet=True)


def entries_grid(chain: Chain, *, place: Place) -> Grid:
    """The newest entries of the ledger."""
    rows = tuple(
        Cells((numbers.count(number), numbers.instant(entry.at), *_told(entry, place=place)))
        for number, entry in chain.newest
    )
    columns = (Column(say("Entry")), Column(say("Time")), Column(say("What")), Column(say("Of"), wide=True))
    return Grid(say("Newest entries of the ledger"), columns, rows, name="entries", quiet=True)


def _told(entry: Entry, *, place: Place) -> tuple[Cell, Cell]:  # noqa: PLR0911  one per kind
    def run(name: str, *notes: str) -> Stack:
        return Stack(Link(name, place.to(run_page(name)), mono=True), notes)

    match entry:
        case RunStarted():
            return say("run started"), run(entry.run, entry.system, ", ".join(gate for gate, _ in entry.gates))
        case RunFinished():
            return say("run finished"), run(entry.run, *(f"{gate} {word}" for gate, word in entry.outcomes))
        case RunClosed():
            return say("run closed after it had died"), run(
                entry.run, *(f"{gate} {word}" for gate, word in entry.outcomes)
            )
        case BackupStored():
            return say("backup stored"), Stack(entry.backup, (f"sha256 {entry.digest[:_SHORT]}…",))
        case BackupDeleted():
            return say("backup deleted"), Stack(entry.backup, (entry.reason,))
        case KeyChanged():
            return say("roster or recipients told"), Stack(say("roster"), (f"sha256 {entry.roster[:_SHORT]}…",))
        case DecisionEntered():
            return say("decision entered"), run(entry.run, f"{entry.person} {entry.act} {entry.gate}")
        case ReportsRevised():
            return say("reports revised"), run(entry.run, say("revision {n}", n=entry.number))
