"""People decide on a sealed run: the record is drafted, refused or entered; the reports are rendered again as a revision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from attestore import __version__, canon, gate, instants, proof, report, verdict
from attestore.archive import Additions, LedgerFile, SignedRecord, layout, read_bundle, split
from attestore.archive.opened import Contents
from attestore.config import Roster
from attestore.errors import TamperedError, UsageError
from attestore.evidence import Person, context, decision, journal, manifest, revision, statement
from attestore.evidence.decision import Act, Decision, Meaning, Waiver
from attestore.evidence.ledger import DecisionEntered, Head, Ledger, ReportsRevised, RunClosed, RunFinished, RunStarted
from attestore.evidence.revision import Revision, Worth
from attestore.gate import Gate
from attestore.ports import Attachment, Clock, Printer, Signer, Verifier, Watcher
from attestore.report import Case, Templates
from attestore.run.rendering import render
from attestore.standing import Judged, Seen, hold, objections

__all__ = ["Deciding", "Entered", "Sealed", "Wish", "accept", "draft", "enter", "read_sealed", "superseded"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to say."""

    gate: str
    meaning: Meaning
    comment: str
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True)
class Deciding:
    """What whoever keeps the ledger needs to enter decisions."""

    clock: Clock
    signer: Signer
    """the operator's: signs checkpoint and revision, never a decision"""
    verifier: Verifier
    printer: Printer
    watcher: Watcher
    roster: Roster
    operator: Person


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed bundle, read again; that it is intact is the audit's to say."""

    folder: Path
    statement: canon.Digest
    operator: str
    """id of the person who ran it, by the roster"""
    case: Case
    templates: Templates
    attached: tuple[Attachment, ...]

    def seen(self, gate_id: str) -> Seen:
        """What a decision on that gate must be bound to.

        Raises:
            UsageError: the run judged no such gate.
        """
        return Seen(
            run=self.case.context.run,
            statement=self.statement,
            ended=self.case.context.ended,
            operator=self.operator,
            gate=self.case.gate(gate_id),
            outcome=self.case.verdict(gate_id).outcome.name,
        )


@dataclass(frozen=True, slots=True)
class Entered:
    """What came of it: decisions that count from now on, the revision that prints them."""

    decisions: tuple[Decision, ...]
    """that were entered in the ledger just now"""
    revision: Revision | None
    folder: Path | None
    """of the revision"""
    removed: tuple[str, ...]
    """what a command that died had left half made"""


def read_sealed(folder: Path, *, roster: Roster) -> Sealed:
    """Read everything that a decision is bound to and a report is rendered from.

    Raises:
        ArchiveError, TamperedError: it is no sealed bundle, or a file of it is not in its exact form.
        UsageError: another renderer made its reports.
    """
    contents, _ = split(read_bundle(folder))
    data = contents.read(layout.STATEMENT)
    sealed = statement.decode(data)
    about = context.decode(contents.read("context.json"))
    renderer = report.renderer(about.renderer)
    observations = journal.read(contents.read(layout.JOURNAL)).observations
    names = sorted(name for name in contents.names if name.startswith("gates/"))
    gates = tuple(sorted((gate.load(contents.read(n), where=n) for n in names), key=lambda each: each.id))
    listing = contents.read("manifest.json") if "manifest.json" in contents else None
    case = Case(
        context=about,
        observations=observations,
        source=_proof(contents, "proof.source.json"),
        restored=_proof(contents, "proof.restored.json"),
        manifest=None if listing is None else manifest.decode(listing),
        gates=gates,
        verdicts=tuple(verdict.judge(each, observations) for each in gates),
    )
    archived = [name for name in contents.names if name.startswith("templates/")]
    ran = roster.person_of(sealed.operator)
    return Sealed(
        folder=folder,
        statement=canon.sha256_hex(data),
        operator=about.operator.id if ran is None else ran.id,
        case=case,
        templates=renderer.templates({n.removeprefix("templates/"): contents.read(n) for n in archived}),
        attached=report.attachments(contents.read, names=contents.names, gates=gates),
    )


def draft(wish: Wish, *, sealed: Sealed, person: Person, at: datetime) -> Decision:
    """What the person would sign, bound to the bundle as it lies there.

    Raises:
        UsageError: a text is longer than a decision may hold.
    """
    terms = () if wish.waiver is None else (("reason", wish.waiver.reason), ("control", wish.waiver.control))
    for name, text in (("comment", wish.comment), *terms):
        if len(text) > decision.LONGEST:
            raise UsageError(
                f"--{name} has {len(text):,} characters; a decision holds {decision.LONGEST:,}",
                hint="Say it shorter, and name the document that says it all.",
            )
    seen = sealed.seen(wish.gate)
    return Decision(
        run=seen.run,
        statement=seen.statement,
        gate=wish.gate,
        gate_digest=seen.gate.digest,
        verdict=seen.outcome,
        person=person,
        meaning=wish.meaning,
        comment=wish.comment,
        at=instants.text(at),
        waiver=wish.waiver,
    )


def accept(chosen: Decision, *, sealed: Sealed, earlier: Sequence[Decision], roster: Roster, at: datetime) -> None:
    """Return if the decision may stand.

    Raises:
        UsageError: it may not; the sentence says why, the hint what would.
    """
    found = objections(chosen, seen=sealed.seen(chosen.gate), earlier=earlier, roster=roster)
    if found:
        verb = {Act.APPROVE: "approved", Act.REJECT: "rejected", Act.WAIVE: "waived"}[chosen.act]
        raise UsageError(
            f"{chosen.gate} can't be {verb} by {chosen.person.id}: {found[0].sentence}", hint=found[0].hint
        )
    if instants.parse(chosen.at) > at:
        raise UsageError(
            f"the decision is dated {chosen.at}, after now ({instants.text(at)})",
            hint="Correct the clocks of both machines.",
        )
    if chosen.waiver is not None and not chosen.covers(at):
        raise UsageError(f"the waiver ended at {chosen.waiver.until}", hint="Waive it anew, with an end in the future.")


def superseded(reports: Path, sealed: Sealed, *, gate: str) -> None:
    """Return if no newer run of the gate has finished on the same system.

    Raises:
        UsageError: one has: it decides now, whatever is said of this one.
        ArchiveError, TamperedError: the ledger can't be read.
    """
    run, system = sealed.case.context.run, sealed.case.context.system
    entries = LedgerFile(reports).read().entries
    ours = {entry.run for entry in entries if isinstance(entry, RunStarted) and entry.system == system}
    ends = [e for e in entries if isinstance(e, RunFinished | RunClosed) and e.run in ours and gate in dict(e.outcomes)]
    if ends and ends[-1].run != run and run in {each.run for each in ends}:
        raise UsageError(
            f"{gate} of {system} is decided by {ends[-1].run}, which finished after {run}, at {ends[-1].at}",
            hint=f"Decide on {ends[-1].run}.",
        )


def enter(reports: Path, run: str, *, signed: SignedRecord | None, tools: Deciding) -> Entered:
    """Enter a signed decision, and whatever a command that died had begun; nothing is entered that may not stand.

    Without `signed` only what was begun is brought to its end.

    Raises:
        UsageError: the decision may not stand.
        TamperedError: its signature is not the person's, or bundle and ledger don't agree.
        ArchiveError, DiskError, PrintError, KeyringError: it can't be written, rendered or signed.
    """
    ledger = LedgerFile(reports)
    with Additions.open(reports, run) as additions:
        known = ledger.read()
        removed = additions.sweep(
            records=[entry.record for entry in known.entries if isinstance(entry, DecisionEntered)],
            revisions=_revisions(known, run),
        )
        sealed = read_sealed(reports / run, roster=tools.roster)
        finished = _end(known, run, sealed=sealed)
        waiting = _waiting(additions, known, run=run)
        new: list[Decision] = []
        for each in (*waiting, *((signed,) if signed is not None else ())):
            earlier = _entered(additions, ledger.read(), run)
            chosen = _verified(each, sealed=sealed, earlier=earlier, tools=tools, folder=reports / run)
            if each not in waiting:
                additions.put(each)
            entry = DecisionEntered(
                at=instants.text(tools.clock.now()),
                run=run,
                gate=chosen.gate,
                act=chosen.act.value,
                person=chosen.person.id,
                record=canon.sha256_hex(each.record),
            )
            ledger.append(entry)
            ledger.checkpoint(tools.signer, at=entry.at)
            new.append(chosen)
        made = _revise(additions, ledger, sealed=sealed, finished=finished, tools=tools)
    number, folder = (None, None) if made is None else made
    return Entered(decisions=tuple(new), revision=number, folder=folder, removed=removed)


def _proof(contents: Contents, name: str) -> proof.Proof | None:
    return proof.decode(contents.read(name), what=name) if name in contents else None


def _revisions(known: Ledger, run: str) -> int:
    return max((e.number for e in known.entries if isinstance(e, ReportsRevised) and e.run == run), default=0)


def _end(known: Ledger, run: str, *, sealed: Sealed) -> RunFinished | RunClosed:
    ends = [entry for entry in known.entries if isinstance(entry, RunFinished | RunClosed) and entry.run == run]
    starts = [entry for entry in known.entries if isinstance(entry, RunStarted) and entry.run == run]
    if len(ends) != 1 or len(starts) != 1 or ends[0].statement != sealed.statement:
        raise TamperedError(
            f"the ledger does not name the bundle of run {run} as it lies there", hint="Run `attestore audit`."
        )
    return ends[0]


def _waiting(additions: Additions, known: Ledger, *, run: str) -> tuple[SignedRecord, ...]:
    """Decisions that lie in the bundle and were not entered: whoever put them there died on the way."""
    entered = {entry.record for entry in known.entries if isinstance(entry, DecisionEntered) and entry.run == run}
    return tuple(each for each in additions.decisions() if canon.sha256_hex(each.record) not in entered)


def _entered(additions: Additions, known: Ledger, run: str) -> tuple[Decision, ...]:
    """The run's decisions in the order of the ledger.

    Raises:
        TamperedError: the file of one is gone or changed.
    """
    held = {canon.sha256_hex(each.record): each for each in additions.decisions()}
    found: list[Decision] = []
    for entry in known.entries:
        if isinstance(entry, DecisionEntered) and entry.run == run:
            if entry.record not in held:
                raise TamperedError(
                    f"the decision of {entry.person} on {entry.gate}, entered at {entry.at}, is gone or was changed",
                    hint="Run `attestore audit`; put the file back from a copy.",
                )
            found.append(decision.decode(held[entry.record].record, what=held[entry.record].name))
    return tuple(found)


def _files(additions: Additions, made: Revision) -> Iterator[tuple[str, bytes]]:
    """Records and signatures of the revision's decisions by file name."""
    for each in additions.decisions():
        if canon.sha256_hex(each.record) in made.decisions:
            yield f"{each.name}.json", each.record
            yield f"{each.name}.json.asc", each.signature


def _verified(
    signed: SignedRecord, *, sealed: Sealed, earlier: Sequence[Decision], tools: Deciding, folder: Path
) -> Decision:
    chosen = decision.decode(signed.record, what=f"{signed.name}.json")
    if chosen.name != signed.name:
        raise TamperedError(f"{signed.name}.json holds the decision {chosen.name}")
    accept(chosen, sealed=sealed, earlier=earlier, roster=tools.roster, at=tools.clock.now())
    place = folder / layout.DECISIONS / f"{signed.name}.json"
    signer = tools.verifier.verify(signed.signature, signed.source if signed.source is not None else place)
    if signer != chosen.person.fingerprint:
        raise TamperedError(
            f"{signed.name}.json names key {chosen.person.fingerprint}, but is signed by {signer}",
            hint="A decision counts for whoever signs it; let the person sign.",
        )
    return chosen


def _revise(
    additions: Additions, ledger: LedgerFile, *, sealed: Sealed, finished: RunFinished | RunClosed, tools: Deciding
) -> tuple[Revision, Path] | None:
    """Render the reports again with every decision so far; None where the newest revision has them all."""
    run, known = sealed.case.context.run, ledger.read()
    places = [n for n, e in enumerate(known.entries, start=1) if isinstance(e, DecisionEntered) and e.run == run]
    revised = [n for n, e in enumerate(known.entries, start=1) if isinstance(e, ReportsRevised) and e.run == run]
    if not places or (revised and revised[-1] > places[-1]):
        return None
    tools.watcher.phase("report")
    told = _entered(additions, known, run)
    made = _revision(
        sealed,
        number=_revisions(known, run) + 1,
        finished=finished.at,
        decisions=told,
        head=Head(count=places[-1], digest=known.head_at(places[-1])),
        tools=tools,
    )
    additions.begin_revision()
    case = replace(sealed.case, revision=made, decisions=told)
    additions.write("context.json", revision.encode(made))
    carried = (*sealed.attached, *report.revision_attachments(made, _files(additions, made)))
    render(
        case,
        sealed.templates,
        issue=f"/{made.number}",
        created=instants.parse(made.at),
        carried=carried,
        write=additions.write,
        by=tools,
    )
    data = revision.statement(made, additions.files())
    tools.signer.sign(additions.write(layout.STATEMENT, data))
    tools.signer.sign(additions.write(layout.SUMS, additions.sums()))
    folder = additions.finish_revision(made.number)
    at = instants.text(tools.clock.now())
    ledger.append(ReportsRevised(at=at, run=run, number=made.number, statement=canon.sha256_hex(data)))
    ledger.checkpoint(tools.signer, at=at)
    return made, folder


def _revision(
    sealed: Sealed, *, number: int, finished: str, decisions: tuple[Decision, ...], head: Head, tools: Deciding
) -> Revision:
    now = tools.clock.now()
    at = instants.text(now)
    return Revision(
        run=sealed.case.context.run,
        number=number,
        statement=sealed.statement,
        at=at,
        by=tools.operator,
        roster_digest=tools.roster.digest,
        ledger_count=head.count,
        ledger_head=head.digest,
        finished=finished,
        decisions=tuple(each.digest for each in decisions),
        worth=tuple(
            _worth(each, sealed, finished=finished, decisions=decisions, at=instants.parse(at))
            for each in sealed.case.gates
        ),
        attestore=__version__,
        renderer=sealed.case.context.renderer,
    )


def _worth(each: Gate, sealed: Sealed, *, finished: str, decisions: tuple[Decision, ...], at: datetime) -> Worth:
    judged = Judged(
        run=sealed.case.context.run,
        gate=each,
        outcome=sealed.case.verdict(each.id).outcome.name,
        finished=finished,
        operator=sealed.operator,
    )
    return hold(judged, decisions, at=at).worth(each.id)
