"""What people decided on a run: each record by its own line, the policy counted again, each revision rendered again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from attestore import canon, instants, report
from attestore.amounts import amount
from attestore.archive import Contents, layout
from attestore.audit import pdf
from attestore.audit.bundle import Audited, Files, Witnesses
from attestore.audit.findings import Notebook
from attestore.audit.signed import Signatures
from attestore.audit.times import SLACK
from attestore.evidence import decision, revision, sums
from attestore.evidence.decision import Decision
from attestore.evidence.ledger import DecisionEntered, Ledger, ReportsRevised, RunClosed, RunFinished
from attestore.evidence.revision import Revision, Worth
from attestore.evidence.statement import FileRecord
from attestore.gate import Gate
from attestore.report import Case
from attestore.report.attached import REVISION
from attestore.standing import Judged, Seen, hold, objections

__all__ = ["Counted", "check"]

_CONTEXT = "context.json"


@dataclass(frozen=True, slots=True)
class Counted:
    """A decision without objection, and when it was entered in the ledger."""

    decision: Decision
    entered: str
    """UTC instant; its own where only a bundle is looked at, without the ledger"""


@dataclass(frozen=True, slots=True)
class _Run:
    """A sealed run as its decisions see it."""

    audited: Audited
    known: Ledger | None
    signatures: Signatures
    witnesses: Witnesses
    at: datetime
    book: Notebook

    @property
    def entries(self) -> tuple[DecisionEntered, ...]:
        """The ledger's decisions on this run."""
        told = () if self.known is None else self.known.about(self.audited.run)
        return tuple(entry for _, entry in told if isinstance(entry, DecisionEntered))

    @property
    def operator(self) -> str:
        """Id of the person who ran it: by the roster, whichever of their keys they used."""
        statement, about = self.audited.statement, self.audited.evidence.context
        person = None if statement is None else self.signatures.roster.person_of(statement.operator)
        if person is not None:
            return person.id
        return "" if about is None else about.operator.id

    def seen(self, gate: Gate) -> Seen:
        """What a decision on a gate must be bound to."""
        statement = self.audited.statement
        outcomes = {each.gate: each.outcome.name for each in self.audited.evidence.verdicts}
        return Seen(
            run=self.audited.run,
            statement=self.audited.statement_digest,
            ended="" if statement is None else statement.ended,
            operator=self.operator,
            gate=gate,
            outcome=outcomes[gate.id],
        )


def check(
    audited: Audited,
    *,
    known: Ledger | None,
    signatures: Signatures,
    witnesses: Witnesses,
    at: datetime,
    book: Notebook,
) -> tuple[Counted, ...]:
    """Check every decision and every revision of a sealed run; those decisions that count, in their order.

    `known` is the ledger; None where only one bundle is looked at.
    """
    if audited.added is None:
        return ()
    run = _Run(audited, known, signatures, witnesses, at, book)
    files = Files(contents=audited.added, digests=_digests(audited.added, book=book))
    counted = _decisions(run, files)
    _revisions(run, files, counted)
    return counted


def _digests(contents: Contents, *, book: Notebook) -> dict[str, canon.Digest]:
    digests: dict[str, canon.Digest] = {}
    for name in sorted(contents.names):
        with book.guarded("decision", of=name):
            digests[name] = contents.digest(name)
    return digests


# ── decisions


def _decisions(run: _Run, files: Files) -> tuple[Counted, ...]:
    names = [n for n in sorted(files.digests) if n.startswith(f"{layout.DECISIONS}/") and n.endswith(".json")]
    _none_gone(run, files, names)
    order = {entry.record: number for number, entry in enumerate(run.entries)}
    last = len(order)
    counted: list[Counted] = []
    for name in sorted(names, key=lambda name: (order.get(files.digests[name], last), name)):
        with run.book.guarded("decision", of=name):
            found = _decision(run, files, name, earlier=[each.decision for each in counted])
            if found is not None:
                counted.append(found)
    return tuple(counted)


def _none_gone(run: _Run, files: Files, names: Sequence[str]) -> None:
    """No signature without its decision, no entry of the ledger without its record."""
    for name in sorted(files.digests):
        if name.startswith(f"{layout.DECISIONS}/") and name.endswith(".asc") and name.removesuffix(".asc") not in names:
            run.book.problem("decision", f"{name} is a signature over a decision that is not there.", of=name)
    held = {files.digests[name] for name in names}
    for entry in run.entries:
        if entry.record not in held:
            run.book.problem(
                "decision",
                f"The ledger says that {entry.person} did {entry.act} {entry.gate}, entered at {entry.at}; its record is "
                "gone or was changed.",
            )


def _decision(run: _Run, files: Files, name: str, *, earlier: Sequence[Decision]) -> Counted | None:
    """One decision; None where a line says why it does not count.

    Raises:
        TamperedError: it is not in its exact form.
    """
    book = run.book
    chosen = decision.decode(files.read(name), what=name)
    signed = _signed(run, files, name, chosen)
    wrong = list(_objections(run, chosen, earlier=earlier))
    wrong += _misnamed(name, chosen)
    entered = chosen.at
    if run.known is not None:
        entries = [entry for entry in run.entries if entry.record == files.digests[name]]
        wrong += _entered(chosen, entries)
        entered = entries[0].at if entries else entered
    if instants.parse(chosen.at) > run.at + SLACK:
        wrong.append(f"it is dated {chosen.at}, after this audit")
    for sentence in wrong:
        book.problem(
            "decision", f"The decision of {chosen.person.name} on {chosen.gate} does not count: {sentence}.", of=name
        )
    if wrong or not signed:
        return None
    ends = f", ends {chosen.waiver.until}" if chosen.waiver is not None else ""
    book.ok(
        "decision",
        f"{chosen.person.name} ({', '.join(chosen.person.roles)}) {chosen.meaning.value} {chosen.gate} at {chosen.at}{ends}: "
        "signed by a key of the roster, bound to this statement and gate.",
        of=name,
    )
    return Counted(decision=chosen, entered=entered)


def _misnamed(name: str, chosen: Decision) -> list[str]:
    right = f"{layout.DECISIONS}/{chosen.name}.json"
    return [] if name == right else [f"its file should be called {chosen.name}.json"]


def _signed(run: _Run, files: Files, name: str, chosen: Decision) -> bool:
    """Whether the person it names signed it; a line says why not."""
    signature = f"{name}.asc"
    if signature not in files.digests:
        run.book.problem("decision", f"{name} has no signature beside it: nobody decided this.", of=name)
        return False
    seen = run.signatures.look(
        files.read(signature),
        files.contents.path(name),
        name=name,
        at=instants.parse(chosen.at),
        digest=files.digests[name],
        witness=run.witnesses(files.digests[name]),
        book=run.book,
        role=None,
    )
    if seen is None:
        return False
    if abs(seen.made - instants.parse(chosen.at)) > SLACK:
        run.book.problem("decision", f"It was signed at {instants.text(seen.made)}, but is dated {chosen.at}.", of=name)
        return False
    return run.book.expect(
        "decision",
        seen.fingerprint == chosen.person.fingerprint,
        f"It is signed by the key that it names, of {chosen.person.name}.",
        otherwise=f"It names key {chosen.person.fingerprint} of {chosen.person.name}, but is signed by {seen.fingerprint}.",
        of=name,
    )


def _objections(run: _Run, chosen: Decision, *, earlier: Sequence[Decision]) -> list[str]:
    gates = {gate.id: gate for gate in run.audited.evidence.gates}
    if chosen.gate not in gates:
        return [f"this run judged no gate {chosen.gate}"]
    found = objections(chosen, seen=run.seen(gates[chosen.gate]), earlier=earlier, roster=run.signatures.roster)
    return [each.sentence for each in found]


def _entered(chosen: Decision, entries: Sequence[DecisionEntered]) -> list[str]:
    if len(entries) != 1:
        return ["the ledger does not name it" if not entries else f"the ledger names it {len(entries)} times"]
    entry = entries[0]
    if (entry.gate, entry.act, entry.person) != (chosen.gate, chosen.act.value, chosen.person.id):
        return [f"the ledger calls it {entry.act} of {entry.gate} by {entry.person}"]
    if instants.parse(chosen.at) > instants.parse(entry.at) + SLACK:
        return [f"it is dated {chosen.at}, after it was entered at {entry.at}"]
    return []


# ── revisions


def _revisions(run: _Run, files: Files, counted: Sequence[Counted]) -> None:
    numbers = sorted({int(n.split("/")[1]) for n in files.digests if n.startswith(f"{layout.REVISIONS}/")})
    named: dict[int, tuple[int, ReportsRevised]] = {}
    if run.known is not None:
        for place, entry in run.known.about(run.audited.run):
            if isinstance(entry, ReportsRevised):
                named[entry.number] = (place, entry)
        for number in sorted(named.keys() - set(numbers)):
            run.book.problem(
                "revision", f"The ledger names revision {number} of {named[number][1].at}, which is not there."
            )
        places = [place for place, entry in run.known.about(run.audited.run) if isinstance(entry, DecisionEntered)]
        if places and places[-1] > max((place for place, _ in named.values()), default=0):
            run.book.note("revision", "The newest decision is in no revision yet; the next decision makes one.")
    for number in numbers:
        one = f"{layout.REVISIONS}/{number}"
        with run.book.guarded("revision", of=one):
            own = named[number][1] if number in named else None
            if run.known is not None and own is None:
                run.book.problem("revision", f"The ledger names no revision {number}.", of=one)
            _revision(run, _Part(files, f"{one}/"), number=number, entry=own, counted=counted)


@dataclass(frozen=True, slots=True)
class _Part:
    """The files of one revision, by their names in its folder."""

    files: Files
    above: str

    @property
    def digests(self) -> dict[str, canon.Digest]:
        """SHA-256 by name."""
        return {n.removeprefix(self.above): d for n, d in self.files.digests.items() if n.startswith(self.above)}

    def read(self, name: str) -> bytes:
        """A file whole."""
        return self.files.read(f"{self.above}{name}")

    def records(self, *, without: frozenset[str]) -> tuple[FileRecord, ...]:
        """Its files as its statement lists them."""
        return tuple(
            FileRecord(path=name, size=self.files.contents.size(f"{self.above}{name}"), digest=digest)
            for name, digest in sorted(self.digests.items())
            if name not in without
        )


def _revision(run: _Run, part: _Part, *, number: int, entry: ReportsRevised | None, counted: Sequence[Counted]) -> None:
    """One revision: complete, signed by an operator, and what it says follows from the decisions.

    Raises:
        TamperedError, ValueError, LookupError: it is not in its exact form.
    """
    one = part.above.rstrip("/")
    gates = run.audited.evidence.gates
    needed = {_CONTEXT} | {f"{name}.{kind}" for name in (*(g.id for g in gates), "summary") for kind in ("md", "pdf")}
    signed = (needed - {_CONTEXT}) | {layout.STATEMENT, layout.SUMS}
    required = needed | signed | {f"{name}.asc" for name in signed}
    if not _complete(run, part, required, one=one):
        return
    told = revision.decode(part.read(_CONTEXT), what=f"{one}/{_CONTEXT}")
    _listed(run, part, told, entry=entry, one=one)
    sound = [_by_operator(run, part, name, told) for name in sorted(signed)]
    chosen = _follows(run, told, number=number, entry=entry, counted=counted, one=one)
    if all(sound) and chosen is not None:
        _rendered(run, part, told, chosen)


def _complete(run: _Run, part: _Part, required: set[str], *, one: str) -> bool:
    present = set(part.digests)
    for name in sorted(required ^ present):
        what = "is missing" if name in required else "is a file that no revision of this run has"
        run.book.problem("revision", f"{name} {what}.", of=one)
    return required <= present


def _listed(run: _Run, part: _Part, told: Revision, *, entry: ReportsRevised | None, one: str) -> None:
    """Statement and sums list what is there, and the ledger names this statement."""
    listed = {record.path: record.digest for record in part.records(without=layout.UNSUMMED)}
    exact = revision.statement(told, part.records(without=layout.UNSTATED))
    for name, same in (
        (layout.STATEMENT, part.read(layout.STATEMENT) == exact),
        (layout.SUMS, part.read(layout.SUMS) == sums.build(listed)),
    ):
        run.book.expect(
            "revision",
            same,
            f"{name} lists exactly the files of the revision, each with its SHA-256.",
            otherwise=f"{name} does not list the files of the revision as they are: something was changed.",
            of=one,
        )
    if entry is not None and part.digests[layout.STATEMENT] != entry.statement:
        run.book.problem("revision", "The ledger names another statement of this revision.", of=one)


def _by_operator(run: _Run, part: _Part, name: str, told: Revision) -> bool:
    full = f"{part.above}{name}"
    seen = run.signatures.look(
        part.read(f"{name}.asc"),
        part.files.contents.path(full),
        name=full,
        at=instants.parse(told.at),
        digest=part.digests[name],
        witness=run.witnesses(part.digests[layout.STATEMENT]),
        book=run.book,
    )
    if seen is None:
        return False
    if seen.fingerprint != told.by.fingerprint:
        run.book.problem(
            "revision", f"It was made by {told.by.fingerprint}, but signed by {seen.fingerprint}.", of=full
        )
        return False
    return True


def _follows(
    run: _Run, told: Revision, *, number: int, entry: ReportsRevised | None, counted: Sequence[Counted], one: str
) -> tuple[Decision, ...] | None:
    """The decisions it rests on, where what it says of them and of the standing is what comes out again."""
    book = run.book
    by_digest = {each.decision.digest: each.decision for each in counted}
    strange = [digest for digest in told.decisions if digest not in by_digest]
    chosen = tuple(by_digest[digest] for digest in told.decisions if digest in by_digest)
    pairs: list[tuple[object, object, str]] = [
        ((told.run, told.number), (run.audited.run, number), "run or number"),
        (told.statement, run.audited.statement_digest, "the run's statement"),
    ]
    if run.known is not None:
        entries = [e for place, e in run.known.about(run.audited.run) if place <= told.ledger_count]
        ours = [e for e in entries if isinstance(e, DecisionEntered)]
        ends = [e.at for e in entries if isinstance(e, RunFinished | RunClosed)]
        pairs += [
            (list(told.decisions), [e.record for e in ours], "decisions"),
            (told.ledger_head, run.known.head_at(told.ledger_count), "the ledger's head"),
            ([told.finished], ends, "the end of the run"),
        ]
        if entry is not None and instants.parse(told.at) > instants.parse(entry.at) + SLACK:
            book.problem("revision", f"It is dated {told.at}, after it was entered at {entry.at}.", of=one)
    worth = tuple(_worth(run, gate, told, chosen) for gate in run.audited.evidence.gates)
    pairs.append((told.worth, worth, "standing"))
    wrong = [what for theirs, ours, what in pairs if theirs != ours]
    if strange:
        book.problem(
            "revision", f"It rests on {amount(len(strange), 'decision')} that can't count or can't be found.", of=one
        )
    for what in wrong:
        book.problem("revision", f"It tells another {what} than comes out again.", of=one)
    if strange or wrong:
        return None
    words = ", ".join(f"{each.gate} {each.standing}" for each in told.worth)
    book.ok(
        "revision", f"Standing computed again from {amount(len(chosen), 'decision')} as at {told.at}: {words}.", of=one
    )
    return chosen


def _worth(run: _Run, gate: Gate, told: Revision, chosen: Sequence[Decision]) -> Worth:
    judged = Judged(
        run=run.audited.run,
        gate=gate,
        outcome=run.seen(gate).outcome,
        finished=told.finished,
        operator=run.operator,
    )
    return hold(judged, chosen, at=instants.parse(told.at)).worth(gate.id)


def _rendered(run: _Run, part: _Part, told: Revision, chosen: tuple[Decision, ...]) -> None:
    """Markdown byte for byte, and what the PDFs carry; only with templates that an operator signed."""
    evidence, files = run.audited.evidence, run.audited.files
    if files is None or evidence.context is None or evidence.journal is None:
        return
    names = [name for name in files.contents.names if name.startswith("templates/")]
    renderer = run.book.attempt("revision", lambda: report.renderer(told.renderer))
    if renderer is None or not names or not set(names) <= run.audited.trusted:
        run.book.problem("revision", "Its renderer or templates are not to be trusted; nothing was rendered again.")
        return
    templates = renderer.templates({name.removeprefix("templates/"): files.read(name) for name in names})
    case = Case(
        context=evidence.context,
        observations=evidence.journal.observations,
        source=evidence.source,
        restored=evidence.restored,
        manifest=evidence.manifest,
        gates=evidence.gates,
        verdicts=evidence.verdicts,
        revision=told,
        decisions=chosen,
    )
    carried = {name: files.digests[name] for name in pdf.CARRIED if name in files.contents}
    carried |= {f"{gate.id}.yaml": gate.digest for gate in evidence.gates}
    carried[REVISION] = part.digests[_CONTEXT]
    for each in chosen:
        for name in (f"{each.name}.json", f"{each.name}.json.asc"):
            carried[name] = part.files.digests[f"{layout.DECISIONS}/{name}"]
    for name in report.pages(case):
        with run.book.guarded("revision", of=f"{part.above}{name}.md"):
            run.book.expect(
                "revision",
                renderer.markdown(case, name, templates) == part.read(f"{name}.md"),
                "Rendered again from evidence and decisions, byte for byte the same.",
                otherwise="Rendered again from evidence and decisions, the text is another.",
                of=f"{part.above}{name}.md",
            )
        full = f"{part.above}{name}.pdf"
        with run.book.guarded("pdf", of=full):
            pdf.check(part.read(f"{name}.pdf"), expected=carried, name=full, book=run.book)
