"""Which documents there are, and what stands in them in which order."""

from __future__ import annotations

from collections.abc import Sequence

from attestore.evidence import Step
from attestore.gate import Gate
from attestore.report import (
    assurance,
    behaviour,
    control,
    findings,
    front,
    integrity,
    method,
    numbers,
    recovery,
    sealed,
    signoff,
)
from attestore.report.blocks import (
    Align,
    Block,
    Bullets,
    Callout,
    Cell,
    Column,
    Document,
    Fact,
    Facts,
    Heading,
    Para,
    Prose,
    Table,
    Text,
)
from attestore.report.case import Case, Reading, View, view
from attestore.report.voice import later, say
from attestore.report.words import code, plain, prose, visible
from attestore.standing import Standing
from attestore.verdict import Outcome, worst

__all__ = ["document", "gate_document", "plan_document", "summary_document"]

_SHORT_HEAD = 12
_LOGOS = ("logo.svg", "logo.png")
_WATERMARKS = {
    Standing.EXPIRED: later("EXPIRED"),
    Standing.REJECTED: later("REJECTED"),
    Standing.AWAITING: later("DRAFT"),
}


def document(case: Case, name: str) -> Document:
    """The report of a gate, or the `summary`.

    Raises:
        UsageError: the run did not judge that gate.
    """
    return summary_document(case) if name == "summary" else gate_document(case, name)


def gate_document(case: Case, gate_id: str) -> Document:
    """The report on one gate.

    Raises:
        UsageError: the run did not judge that gate.
    """
    seen = view(case, gate_id)
    blocks: list[Block] = [
        *front.first_page(seen),
        Heading(2, say("Executive summary"), "summary", fresh_page=True),
        Bullets(front.summary_sentences(seen)),
        *front.criteria(seen),
    ]
    broken = seen.verdict.outcome is not Outcome.PASS
    told = integrity.differences(seen) if seen.restores else ()
    if broken:
        blocks += [*told, *assurance.actions(seen), *assurance.deviations(seen)]
    if seen.restores:
        blocks += recovery.recovery(seen)
    if seen.seals:
        blocks += sealed.encryption(seen)
    blocks += [*sealed.backup(seen), *recovery.run_phases(seen)]
    if seen.restores:
        blocks += integrity.integrity(seen)
        blocks += integrity.objects(seen)
        blocks += behaviour.behaviour(seen)
    blocks += integrity.edge_cases(seen)
    if not broken:
        blocks += told
    if seen.restores:
        blocks += [*findings.findings(seen), *control.control(seen)]
    blocks += assurance.history(seen)
    if not broken:
        blocks += assurance.deviations(seen)
    blocks += [
        *assurance.readiness(seen),
        *assurance.recommendations(seen),
        *assurance.controls(seen),
        *method.method(seen),
        *method.environment(seen),
        *signoff.decisions(seen),
        *method.verification(seen),
        *assurance.limits(seen),
        *method.plan(seen),
        *(method.statements(seen) if seen.restores or seen.gate.probes else ()),
    ]
    return _document(
        case,
        kind=say("Gate report"),
        title=prose("{id} · {title}", id=seen.gate.id, title=seen.gate.title),
        watermark=_watermark(case, gate_id, seen.verdict.outcome),
        sort="gate",
        blocks=blocks,
    )


def summary_document(case: Case) -> Document:
    """All gates of the run on one page: the security gates status."""
    views = [view(case, gate.id) for gate in case.gates]
    outcome = worst(verdict.outcome for verdict in case.verdicts)
    reading, context = Reading(case.observations), case.context
    restoring = next((seen for seen in views if seen.restores and front.rto_check(seen)), None)
    restoring = restoring or next((seen for seen in views if seen.restores), None)
    rows: list[tuple[Cell, ...]] = [
        (
            seen.gate.id,
            seen.gate.title,
            front.evidence_line(seen),
            _criteria(seen),
            front.mark(seen.verdict.outcome),
            signoff.standing_mark(seen),
            front.valid_until(seen),
        )
        for seen in sorted(views, key=lambda seen: (-seen.verdict.outcome.value, seen.gate.id))
    ]
    passed = sum(verdict.outcome is Outcome.PASS for verdict in case.verdicts)
    lines: list[Text] = [
        prose("{passed} of {all} gates passed.", passed=numbers.count(passed), all=numbers.count(len(case.verdicts)))
    ]
    if stopped := reading.text("run.stopped"):
        lines.append(
            prose(
                "**The run stopped:** {why}. Whatever comes after that point was not measured.", why=stopped.rstrip(".")
            )
        )
    blocks: list[Block] = [
        Callout(front.mark(outcome).tone, front.mark(outcome).word, tuple(lines), large=True),
        Table(
            (
                Column(say("Gate"), whole=True),
                Column(say("Requirement")),
                Column(say("Evidence"), wide=True),
                Column(say("Criteria"), Align.RIGHT),
                Column(say("Verdict")),
                Column(say("Standing")),
                Column(say("Valid until")),
            ),
            tuple(rows),
            caption=say("Security gates status"),
        ),
    ]  # fmt: skip
    if restoring is not None:
        drawn = front.gauge(reading, front.rto_check(restoring))
        blocks += [*((drawn,) if drawn else ()), recovery.recovery_table(reading), integrity.scores(restoring)]
    blocks.append(
        Facts(
            (
                Fact(say("System"), context.system),
                Fact(
                    say("Run by"), context.operator.name, note=prose("ended {end}", end=numbers.instant(context.ended))
                ),
                Fact(say("Backup"), reading.shown("backup.id"), mono=True),
                Fact(say("Backup digest"), reading.shown("backup.digest"), mono=True),
                Fact(say("Approved by"), signoff.approved_by(case)),
            )
        )
    )
    return _document(
        case,
        kind=say("Summary"),
        title=prose("Security gates of {system}", system=context.system),
        watermark=_heaviest(case, outcome),
        sort="summary",
        blocks=blocks,
    )


def plan_document(steps: Sequence[Step], gates: Sequence[Gate], *, system: str, scenario: str) -> Document:
    """What a run would do, before it does anything."""
    blocks: list[Block] = [Para(scenario), Heading(2, say("Steps"), "steps"), method.plan_table(steps)]
    for gate in gates:
        asked: list[tuple[Cell, ...]] = [
            (check.title or check.id, code(check.fact), f"{check.operator.value} {check.written}")
            for check in gate.checks
        ]
        asked += [(probe.title or probe.id, say("probe"), probe.must) for probe in gate.probes]
        blocks += [
            Heading(2, prose("{id} · {title}", id=gate.id, title=gate.title), f"gate-{len(blocks)}"),
            Para(gate.statement),
            Table((Column(say("Criterion"), wide=True), Column(say("Measured")), Column(say("Must be"))), tuple(asked)),
        ]
    return Document(
        kind=say("Plan"),
        title=prose("Plan for {system}", system=system),
        plain_title=say("Plan for {system}", system=visible(system)),
        subtitle=say("Nothing has been done yet."),
        running=say("not started"),
        ledger="",
        watermark="",
        language="en",
        paper="A4",
        blocks=tuple(blocks),
        sort="plan",
    )


def _criteria(seen: View) -> str:
    checks = seen.verdict.checks
    return say("{n} of {all}", n=sum(check.outcome is Outcome.PASS for check in checks), all=len(checks))


def _document(case: Case, *, kind: str, title: Prose, watermark: str, sort: str, blocks: Sequence[Block]) -> Document:
    context, revision = case.context, case.revision
    count, head = context.ledger_count, context.ledger_head
    if revision is not None:
        count, head = revision.ledger_count, revision.ledger_head
    return Document(
        kind=kind,
        title=title,
        plain_title=plain(title),
        subtitle=prose(
            "{system}, {day}{revision}",
            system=context.system,
            day=numbers.day(context.started),
            revision=""
            if revision is None
            else say(", revision {n} of {day}", n=revision.number, day=numbers.day(revision.at)),
        ),
        running=context.run if revision is None else say("{run} · revision {n}", run=context.run, n=revision.number),
        ledger=say("ledger {n} · {head}", n=numbers.count(count), head=head[:_SHORT_HEAD]),
        watermark=watermark,
        language=context.language,
        paper="Letter" if context.paper == "Letter" else "A4",
        blocks=tuple(blocks),
        contents=any(isinstance(block, Heading) for block in blocks),
        sort=sort,
        organisation=context.branding.organisation,
        accent=context.branding.accent,
        logo=context.branding.logo if context.branding.logo in _LOGOS else "",
    )


def _watermark(case: Case, gate_id: str, outcome: Outcome) -> str:
    """What nobody may overlook: a verdict that is no PASS; of a PASS, that it has ended, was rejected, or nobody has approved it."""
    if outcome is not Outcome.PASS:
        return outcome.name
    return _WATERMARKS.get(Standing(case.worth(gate_id).standing), "")


def _heaviest(case: Case, outcome: Outcome) -> str:
    """Of all gates together: a summary of passes that wait for approval is no more final than any of them."""
    if outcome is not Outcome.PASS:
        return outcome.name
    standings = {Standing(case.worth(gate.id).standing) for gate in case.gates}
    weighed = (Standing.REJECTED, Standing.EXPIRED, Standing.AWAITING)
    return next((_WATERMARKS[each] for each in weighed if each in standings), "")
