"""The page of one run: verdict, timeline, criteria, differences, decisions, files, and how to check all that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attestore.gate import Probe
from attestore.report import numbers, recovery
from attestore.report.blocks import (
    Align,
    Block,
    Bullets,
    Callout,
    Code,
    Column,
    Fact,
    Facts,
    Heading,
    Mark,
    Para,
    Text,
    Tone,
)
from attestore.report.case import Case, Reading, View, view
from attestore.report.front import criteria, gauge, rto_check
from attestore.report.integrity import differences
from attestore.report.site.marks import outcome_mark, run_mark, trust_words
from attestore.report.site.model import Decided, Line, Source, Trust
from attestore.report.site.names import Place, gate_page
from attestore.report.site.tables import decisions_grid
from attestore.report.site.values import Entry, Grid, Link, Stack
from attestore.report.site.values import Row as Cells
from attestore.report.voice import say
from attestore.report.words import prose

__all__ = ["run_parts"]

_PAPERS: Final = ((".pdf", "PDF"), (".md", "Markdown"))


def run_parts(
    line: Line,
    case: Case | None,
    *,
    decisions: Sequence[Decided],
    source: Source,
    place: Place,
) -> tuple[Block | Grid, ...]:
    """Everything of a run; `case` is None where its bundle is not there, still grows, or does not hold.

    Nothing of today: the page is written once and stays.
    """
    parts: list[Block | Grid] = [_headline(line, case)]
    views = [] if case is None else [view(case, gate.id) for gate in case.gates]
    restoring = next((each for each in views if rto_check(each)), None) or next(
        (each for each in views if each.restores), None
    )
    if case is not None and restoring is not None:
        drawn = gauge(restoring.reading, rto_check(restoring))
        parts += [drawn] if drawn else []
    titles = {} if case is None else {each.id: each.title for each in case.gates}
    parts += [
        _facts(line, case),
        _gates(line, titles=titles, source=source, place=place),
    ]
    if case is not None and restoring is not None:
        parts += _timeline(restoring)
    for each in sorted(views, key=lambda each: (-each.verdict.outcome.value, each.gate.id)):
        parts += [*_judged(each), *_edge_cases(each)]
    if restoring is not None:
        parts += _differences(restoring)
    if decisions:
        parts += [Heading(2, say("Decisions"), "decisions"), decisions_grid(decisions, place=place)]
    parts += _files(line, source=source, place=place)
    parts += _verify(line)
    return tuple(parts)


def _headline(line: Line, case: Case | None) -> Callout:
    mark = run_mark(line)
    lines: list[Text] = [line.why] if line.why else []
    if case is not None:
        passed = sum(each.word == "PASS" for each in line.outcomes)
        lines.append(say("{passed} of {all} gates passed.", passed=passed, all=len(line.outcomes)))
    elif line.outcomes:
        claimed = ", ".join(f"{each.gate} {each.word}" for each in line.outcomes if each.word)
        if claimed:
            lines.append(say("The ledger claims: {claimed}. Nothing here shows that.", claimed=claimed))
    if line.stopped:
        lines.append(
            prose("**The run stopped:** {why}. Whatever comes after that point was not measured.", why=line.stopped.rstrip("."))
        )  # fmt: skip
    if line.closed:
        lines.append(say("The run had died; a later command has sealed what it left."))
    return Callout(mark.tone, mark.word, tuple(lines), large=True)


def _facts(line: Line, case: Case | None) -> Facts:
    ended = numbers.instant(line.ended) if line.ended else say("no end in the ledger")
    facts = [
        Fact(say("System"), line.system),
        Fact(say("Run"), line.run, mono=True),
        Fact(say("Started"), numbers.instant(line.started), note=say("ended {at}", at=ended)),
        Fact(say("Run by"), line.operator or say("not known")),
    ]
    if case is not None:
        reading = Reading(case.observations)
        facts += [
            Fact(say("Tested"), say(case.context.scenario) if case.context.scenario else say("not measured")),
            Fact(say("Recovery time"), reading.shown("restore.rto")),
            Fact(say("Backup"), reading.shown("backup.id"), mono=True),
            Fact(say("Backup digest"), reading.shown("backup.digest"), mono=True),
            Fact(say("Sealed size"), reading.shown("backup.size.sealed")),
            Fact(say("Rows restored"), reading.shown("rows.restored")),
            Fact(say("Server"), reading.shown("source.version")),
        ]
    facts.append(Fact(say("Bundle"), trust_words(line.trust), note=_meaning(line.trust)))
    return Facts(tuple(facts))


def _meaning(trust: Trust) -> str:
    match trust:
        case Trust.HOLDS:
            return say(
                "every file is the one that its statement lists, the verdict follows from the journal, and the ledger, whose end "
                "is signed, names that statement"
            )
        case Trust.RUNNING:
            return say("not looked into while it is written")
        case Trust.DIED:
            return say("the next backup, drill or run seals what it left")
        case Trust.MISSING:
            return say("the ledger names the run; its folder is gone")
        case Trust.BROKEN:
            return say("nothing it says is shown")


def _differences(seen: View) -> tuple[Block, ...]:
    """Each difference with both sides where the proofs are at hand; they are not read where the journal counts none."""
    compared = seen.reading.number("tables.compared")
    if seen.comparison is None and compared is not None:
        none = say(
            "None: {tables} compared; nothing was missing, extra or different.",
            tables=numbers.counted(compared, "table"),
        )
        return Heading(2, say("Differences"), "differences"), Para(none)
    return differences(seen)


def _gates(line: Line, *, titles: Mapping[str, str], source: Source, place: Place) -> Grid:
    made: list[Cells] = []
    for each in line.outcomes:
        link = Link(each.gate, place.to(gate_page(line.system, each.gate)))
        name: Entry = Stack(link, (titles[each.gate],)) if each.gate in titles else link
        papers: list[Link] = [
            Link(word, place.file(source.reports, line.run, f"{each.gate}{end}"))
            for end, word in _PAPERS
            if f"{each.gate}{end}" in source.files
        ]
        report: Entry = Stack(papers[0], tuple(papers[1:])) if papers else say("none")
        made.append(Cells((name, outcome_mark(line, each.gate), report)))
    columns = (Column(say("Gate"), wide=True), Column(say("Verdict of this run")), Column(say("Report")))
    note = say("What a gate is worth by now, and whether another run decides, stands on the gate's page.")
    return Grid(say("Gates of this run"), columns, tuple(made), note=note)


def _timeline(seen: View) -> list[Block | Grid]:
    reading = seen.reading
    blocks: list[Block | Grid] = [Heading(2, say("Timeline"), "timeline")]
    if reading.flag("restore.durable") is False:
        blocks.append(
            Callout(
                Tone.DOUBT, say("Scratch settings"),
                (say("The target ran without fsync or full_page_writes: read the recovery time as a lower bound."),),
            )
        )  # fmt: skip
    blocks.append(recovery.recovery_table(reading))
    whole = [block for block in recovery.run_phases(seen) if not isinstance(block, Heading)]
    if whole:
        blocks += [Heading(3, say("All phases of the run"), "phases"), *whole]
    return blocks


def _judged(seen: View) -> list[Block]:
    heading = Heading(2, prose("{id}: criteria", id=seen.gate.id), f"criteria-{seen.gate.digest[:8]}")
    blocks: list[Block] = [heading, Para(seen.gate.statement)]
    if seen.verdict.reason:
        blocks.append(Callout(Tone.DOUBT, say("Why no verdict can be given"), (say(seen.verdict.reason),)))
    return blocks + [block for block in criteria(seen) if not isinstance(block, Heading)]


def _edge_cases(seen: View) -> list[Grid]:
    """The gate's probes, by the journal: equal or not, and how many rows the source answered."""
    if not seen.gate.probes:
        return []
    rows = sorted(
        (_probe(probe, seen.reading) for probe in seen.gate.probes), key=lambda row: row.cells[-1] == _equal()
    )
    columns = (
        Column(say("Edge case"), wide=True), Column(say("Rows asked for"), Align.RIGHT), Column(say("Rows in source"), Align.RIGHT),
        Column(say("Answers")),
    )  # fmt: skip
    return [Grid(say("Edge cases: each a query on the source and on the restored database"), columns, tuple(rows))]


def _probe(probe: Probe, reading: Reading) -> Cells:
    equal = reading.flag("probe.equal", probe.id)
    differs, unknown = Mark(say("DIFFERS"), Tone.BAD), Mark(say("not measured"), Tone.DOUBT)
    answers = unknown if equal is None or not reading.number("probe.rows", probe.id) else _equal() if equal else differs
    asked = f"{probe.operator.value} {numbers.count(probe.bound)}"
    return Cells((probe.title or probe.id, asked, reading.shown("probe.rows", probe.id), answers))


def _equal() -> Mark:
    return Mark(say("equal"), Tone.GOOD)


def _files(line: Line, *, source: Source, place: Place) -> list[Block | Grid]:
    if not source.files:
        return []

    def link(name: str, text: str) -> Link:
        return Link(text, place.file(source.reports, line.run, *name.split("/")))

    def papers(name: str) -> Entry:
        """A file, and its signature beside it."""
        if name not in source.files:
            return "–"
        signed = f"{name}.asc" in source.files
        return Stack(
            link(name, name.rsplit(".", 1)[1].upper()), (link(f"{name}.asc", say("signature")),) if signed else ()
        )

    stems = dict.fromkeys(
        name.rsplit(".", 1)[0] for name in source.files if name.endswith((".pdf", ".md")) and name != "VERIFY.md"
    )
    ordered = sorted(
        stems, key=lambda stem: ("/" in stem, stem.rpartition("/")[0], stem.rpartition("/")[2] != "summary", stem)
    )
    reports = tuple(Cells((_called(stem), papers(f"{stem}.pdf"), papers(f"{stem}.md"))) for stem in ordered)
    columns = (Column(say("Report"), wide=True), Column("PDF"), Column("Markdown"))
    evidence = tuple(
        Cells(
            (
                Link(name, place.file(source.reports, line.run, name), mono=True),
                what,
                link(f"{name}.asc", say("signature")) if f"{name}.asc" in source.files else "–",
            )
        )
        for name, what in _evidence()
        if name in source.files
    )
    return [
        Heading(2, say("Files"), "files"),
        *([Grid(say("Reports"), columns, reports)] if reports else []),
        *([Grid(say("Evidence"), (Column(say("File"), wide=True), Column(say("What it is"), wide=True), Column(say("Signature"))), evidence)] if evidence else []),
    ]  # fmt: skip


def _called(stem: str) -> str:
    """What a report is called: a gate's id as it is."""
    above, _, name = stem.rpartition("/")
    what = say("Summary of all gates") if name == "summary" else name
    return say("{what}, revision {n}", what=what, n=above.rpartition("/")[2]) if above else what


def _evidence() -> tuple[tuple[str, str], ...]:
    return (
        ("VERIFY.md", say("how to check all this by hand")),
        ("SHA256SUMS", say("every file by digest, for sha256sum")),
        ("statement.json", say("every file by digest, and what they are evidence of")),
        ("journal.jsonl", say("every observation as it happened")),
        ("proof.source.json", say("what the source held at the snapshot")),
        ("proof.restored.json", say("what came back")),
        ("manifest.json", say("the backup: every sealed part by size and digest")),
        ("verdict.json", say("every check, and how it was judged")),
        ("context.json", say("people, plan, history and versions")),
    )


def _verify(line: Line) -> list[Block]:
    if line.trust is Trust.MISSING:
        return []
    return [
        Heading(2, say("How to verify"), "verify"),
        Para(
            say(
                "This page is a picture, signed by nobody. In the folder of the run, with a keyring that holds the keys of the roster, which "
                "must reach you by another way than this archive:"
            )
        ),
        Code(
            f"cd {line.run}\ngpg --verify SHA256SUMS.asc SHA256SUMS\nsha256sum --check --strict SHA256SUMS",
            caption=say("With gpg and sha256sum alone"),
        ),
        Code(
            f"attestore audit {line.run} --roster /from/elsewhere/roster.yaml",
            caption=say("Everything again, from the evidence"),
        ),
        Bullets(
            (
                say("gpg says who signed the list of files; sha256sum says that each file is the one that was listed."),
                say(
                    "The audit judges every gate again from the journal, renders every report again and compares the bytes."
                ),
                say("VERIFY.md in the folder says step by step what each proves, and what it does not."),
            )
        ),
    ]
