"""What the evidence means for those who decide: history, deviations, readiness, actions, controls, sign-off, limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attestore import forecast
from attestore.evidence import Doubt, Past
from attestore.facts import RTO_PHASES
from attestore.forecast import Outlook
from attestore.proof import Did
from attestore.report import numbers, outlook
from attestore.report.blocks import (
    Align,
    Block,
    Bullets,
    Cell,
    Column,
    Heading,
    Mark,
    Para,
    Prose,
    Table,
    Text,
    Tone,
    Trend,
)
from attestore.report.case import NOT_MEASURED, Reading, View
from attestore.report.front import mark, rto_check
from attestore.report.phases import phase_words
from attestore.report.voice import later, say
from attestore.report.words import code, prose
from attestore.verdict import Outcome

__all__ = ["actions", "controls", "deviations", "history", "limits", "readiness", "recommendations"]

_TIGHT: Final = 20
"""percent of the target below which the margin deserves a word"""
_PARALLEL: Final = ("data", "indexes")
_IN_SIGHT: Final = 4
"""times the longest run: a target further away than that would flatten the picture"""
_NAMED: Final = 5
"""runs that are named for one reason"""
_DOUBTS: Final = {
    Doubt.MISSING: later("The bundle is not there: {runs}."),
    Doubt.CHANGED: later("The bundle is not the one that the ledger names, or was changed: {runs}."),
    Doubt.UNSIGNED: later("No signature by an operator's key in force vouches for it: {runs}."),
}
_HEAVY: Final = 50
"""percent of the recovery time from which one phase is called the bottleneck"""


def history(view: View) -> tuple[Block, ...]:
    """This run beside the earlier ones of the same system and gate, failed ones included."""
    context, reading = view.case.context, view.reading
    past = [item for item in context.history if item.gate == view.gate.id]
    heading = Heading(2, say("Previous runs"), "history")
    ahead = _forecast(view, past)
    if not past:
        return heading, Para(say("This is the first recorded run of this gate for this system.")), *ahead
    here = reading.number("restore.rto")
    tones = {"PASS": Tone.GOOD, "FAIL": Tone.BAD}

    def size(number: int | None) -> str:
        return say(NOT_MEASURED) if number is None else numbers.size(number)

    def time(ms: int | None) -> str:
        return say(NOT_MEASURED) if ms is None else numbers.duration(ms)

    rows: list[tuple[Cell, ...]] = [
        (
            prose("{run} (this run)", run=context.run),
            numbers.instant(context.ended),
            mark(view.verdict.outcome),
            time(here),
            size(reading.number("backup.size.sealed")),
        )
    ]
    rows += [
        (
            item.run,
            numbers.instant(item.finished),
            Mark(item.outcome, tones.get(item.outcome, Tone.DOUBT)),
            time(item.rto_ms) if item.doubt is None else say("left out"),
            size(item.sealed_bytes) if item.doubt is None else say("left out"),
        )
        for item in past
    ]
    return (
        heading,
        *_trends(view, past),
        *ahead,
        Table(
            (
                Column(say("Run"), mono=True, wide=True),
                Column(say("Finished"), whole=True),
                Column(say("Verdict")),
                Column(say("RTO"), Align.RIGHT),
                Column(say("Backup"), Align.RIGHT),
            ),
            tuple(rows),
            note=say(
                "Newest first. The ledger lists every run that was started, so that one that is missing here leaves a gap there."
            ),
        ),
        *_left_out(past),
    )


def _left_out(past: Sequence[Past]) -> tuple[Block, ...]:
    """Runs whose figures nobody vouches for, and why; nothing where there is none."""
    found = [(item, item.doubt) for item in past if item.doubt is not None]
    if not found:
        return ()
    said = [
        say("The figures of {runs} were left out, of this page's trends and forecast, too; of the verdict only the ledger tells.", runs=numbers.counted(len(found), "earlier run"))
    ]  # fmt: skip
    for doubt in Doubt:
        runs = [item.run for item, why in found if why is doubt]
        if runs:
            more = len(runs) - _NAMED
            names = ", ".join(runs[:_NAMED]) + (say(" and {n} more", n=numbers.count(more)) if more > 0 else "")
            said.append(say(_DOUBTS[doubt], runs=names))
    return (Para(" ".join(said)),)


def _forecast(view: View, past: Sequence[Past]) -> tuple[Block, ...]:
    """When the target will be broken, from these runs; nothing where the gate sets none."""
    context, reading = view.case.context, view.reading
    here = Past(
        run=context.run,
        gate=view.gate.id,
        finished=context.ended,
        outcome=view.verdict.outcome.name,
        rto_ms=reading.number("restore.rto"),
        sealed_bytes=reading.number("backup.size.sealed"),
        measured=forecast.measured(view.case.observations),
    )
    told = forecast.of_history((here, *past), view.gate)
    if told is None:
        return ()
    said, rests = outlook.sentence(told), outlook.basis(told)
    if told.outlook is Outlook.TOO_FEW:
        return (Para(f"{said} {rests}".rstrip(), quiet=True),)
    drawn = outlook.picture(told)
    return (
        Heading(3, say("Forecast"), "forecast"),
        Para(said),
        *((Para(rests, quiet=True),) if rests else ()),
        *((drawn,) if drawn else ()),
    )


def _trends(view: View, past: Sequence[Past]) -> tuple[Block, ...]:
    """Recovery time and size of the backup over the runs, oldest first."""
    reading, told = view.reading, list(reversed(past))
    target = rto_check(view)
    outcomes = [item.outcome for item in told] + [view.verdict.outcome.name]
    tones = tuple(Tone.GOOD if name == "PASS" else Tone.BAD if name == "FAIL" else Tone.DOUBT for name in outcomes)
    first = numbers.day(told[0].finished)
    times = (*(item.rto_ms for item in told), reading.number("restore.rto"))
    sizes = (*(item.sealed_bytes for item in told), reading.number("backup.size.sealed"))
    drawn: list[Block] = []
    for label, values, shown, bound in (
        (
            say("Recovery time, oldest run first"),
            times,
            numbers.duration,
            None if target is None else int(target.bound),
        ),
        (say("Size of the backup, oldest run first"), sizes, numbers.size, None),
    ):
        known = [value for value in values if value is not None]
        if len(known) > 1:
            words = say(
                "from {least} to {most}; the first measured {first}, the last {last}",
                least=shown(min(known)), most=shown(max(known)), first=shown(known[0]), last=shown(known[-1]),
            )  # fmt: skip
            within = None if bound is None or bound > _IN_SIGHT * max(known) else bound
            drawn.append(Trend(label, words, first, say("this run"), values, tones, within))
    if drawn:
        drawn.append(
            Para(
                say(
                    "A full bar is a run that passed, a hollow one a run that did not, a cross one that did not measure it."
                ),
                quiet=True,
            )
        )
    return tuple(drawn)


def deviations(view: View) -> tuple[Block, ...]:
    """Whatever was not as the plan or a production restore would have it."""
    reading, context = view.reading, view.case.context
    said: list[Text] = []
    if stopped := reading.text("run.stopped"):
        said.append(prose("The run stopped: {why}.", why=stopped.rstrip(".")))
    elif reading.flag("run.completed") is not True:
        said.append(say("The run did not record that it was completed."))
    if context.closed_by:
        said.append(prose("The run had died; {who} closed it afterwards.", who=context.closed_by))
    if reading.flag("restore.durable") is False:
        said.append(say("The target ran with scratch settings (fsync or full_page_writes off)."))
    network = reading.text("target.network")
    if network == "existing server":
        said.append(say("Restored into an existing server; it was not isolated from the network by Attestore."))
    elif network not in (None, "none"):
        said.append(prose("The target had no network namespace of its own: {how}.", how=network))
    counted = {
        "preflight.problems": later("Problems found before the start: {n}."),
        "restore.errors": later("Errors reported while restoring: {n}."),
        "source.uncovered": later("Relations whose data this method does not carry: {n}."),
    }
    for fact, sentence in counted.items():
        if number := reading.number(fact):
            said.append(prose(sentence, n=numbers.count(number)))
    refused = {
        "local.destroyed": say("The local copy was not completely destroyed before the restore was ordered."),
        "target.empty": say("The target database was not empty before the restore."),
        "target.segregated": say("The target is the same cluster as the source."),
        "teardown.complete": say("What the restore made was not completely removed."),
    }
    said += [sentence for fact, sentence in refused.items() if reading.flag(fact) is False]
    heading = Heading(2, say("Deviations"), "deviations")
    return (heading, Bullets(tuple(said))) if said else (heading, Para(say("None was observed.")))


def readiness(view: View) -> tuple[Block, ...]:
    """A checklist in which every tick is a measurement, and what this run did not look at says so."""
    reading, target = view.reading, rto_check(view)
    measured = reading.number("restore.rto")
    within = None if target is None or measured is None else target.operator.holds(measured, target.bound)
    items: tuple[tuple[str, bool | None, str], ...] = (
        (say("The backup restores, end to end"), reading.flag("run.completed"), "run.completed"),
        *(((say("Recovery time within its target"), within, "restore.rto"),) if target is not None else ()),
        (say("Every row came back"), _came_back(reading), "rows.restored"),
        (say("Content of every table equal"), _none(reading, "tables.fingerprints.differing", "tables.compared"), "tables.fingerprints.differing"),
        (say("Foreign keys hold, no orphaned row"), _none(reading, "foreign_keys.orphans", "foreign_keys.checked"), "foreign_keys.orphans"),
        (say("Definitions of all objects equal (constraints, triggers, functions)"), _none(reading, "objects.differing", "objects.compared"), "objects.differing"),
        (say("Indexes rebuilt and valid"), _none(reading, "indexes.invalid", "indexes.checked"), "indexes.invalid"),
        (say("Sequences ahead of their keys"), _none(reading, "sequences.behind", "sequences.compared"), "sequences.behind"),
        (say("Edge cases answer the same"), _answers(view), "probe.equal"),
        (say("Backup opens with the private key"), _every(reading, "seal.decrypts"), "seal.decrypts"),
        (say("Backup refused without it"), _every(reading, "seal.refused"), "seal.refused"),
        (say("Stored bytes read back unchanged"), _none(reading, "stored.parts.differing", "stored.parts"), "stored.parts.differing"),
        (say("Target segregated from the source"), reading.flag("target.segregated"), "target.segregated"),
        (say("Restored data removed afterwards"), reading.flag("teardown.complete"), "teardown.complete"),
        (say("The checker notices deliberate damage"), _same(reading, "control.noticed", "control.planted"), "control.noticed"),
        (say("Automated schedule of backups"), None, ""),
        (say("Retention and off-site copies"), None, ""),
        (say("Monitoring and alerting"), None, ""),
    )  # fmt: skip
    marks = {True: Mark("yes", Tone.GOOD), False: Mark("NO", Tone.BAD), None: Mark(NOT_MEASURED, Tone.DOUBT)}
    order = {False: 0, True: 1, None: 2}
    rows = tuple(
        (label, marks[held], code(fact) if fact else say("outside of this run"))
        for label, held, fact in sorted(items, key=lambda item: order[item[1]])
    )
    held = sum(item[1] is True for item in items)
    failed = sum(item[1] is False for item in items)
    return (
        Heading(2, say("Readiness checklist"), "readiness"),
        Table(
            (Column(say("Item"), wide=True), Column(say("State")), Column(say("Evidence"))),
            rows,
            note=say(
                "{held} yes, {failed} no, {unmeasured} not measured, of {all} items.",
                held=held,
                failed=failed,
                unmeasured=len(items) - held - failed,
                all=len(items),
            ),
        ),
    )


def _none(reading: Reading, bad: str, of: str) -> bool | None:
    wrong, compared = reading.number(bad), reading.number(of)
    if wrong is None or compared is None or (not compared and not wrong):
        return None
    return wrong == 0


def _same(reading: Reading, part: str, whole: str) -> bool | None:
    a, b = reading.number(part), reading.number(whole)
    return None if a is None or b is None or not b else a == b


def _answers(view: View) -> bool | None:
    """Whether every probe that was asked on both sides answers the same; None where one of the gate was not asked."""
    probes = view.reading.subjects("probe.equal")
    if any(view.reading.flag("probe.equal", probe) is False for probe in probes):
        return False
    return None if not probes or {probe.id for probe in view.gate.probes} - set(probes) else True


def _came_back(reading: Reading) -> bool | None:
    """As many rows as expected, and none of them stands in for one that is missing; None where that was not told apart."""
    as_many = _same(reading, "rows.restored", "rows.expected")
    if as_many is True and reading.number("rows.missing"):
        return False
    return None if as_many is True and reading.number("tables.unlocated") else as_many


def _every(reading: Reading, fact: str) -> bool | None:
    parts = reading.subjects(fact)
    if not parts or len(parts) != reading.number("seal.parts"):
        return None
    return all(reading.flag(fact, part) is True for part in parts)


def recommendations(view: View) -> tuple[Block, ...]:
    """What the figures suggest to do, each with the figure that suggests it."""
    reading = view.reading
    said: list[Text] = [*_about_time(view)]
    if view.case.source is not None and view.case.source.findings:
        said.append(
            prose("Look at the findings about the source: {n}.", n=numbers.count(len(view.case.source.findings)))
        )
    if (rpo := reading.number("restore.rpo")) is not None:
        said.append(
            prose(
                "The data was **{rpo}** old when the restore was ordered. Logical backups cannot lose less than the time between two of them; "
                "archive the write-ahead log where that is too much.",
                rpo=numbers.duration(rpo),
            )
        )  # fmt: skip
    if view.gate.cadence_ms is not None:
        said.append(
            prose(
                "Repeat this run within {cadence}; older evidence expires.",
                cadence=numbers.duration(view.gate.cadence_ms),
            )
        )
    if not said:
        said.append(prose("Nothing was measured that a recommendation could rest on."))
    return Heading(2, say("Recommendations"), "recommendations"), Bullets(tuple(said))


def _about_time(view: View) -> list[Text]:
    reading, target = view.reading, rto_check(view)
    measured = reading.number("restore.rto")
    if measured is None:
        return []
    said: list[Text] = []
    if target is not None:
        gap = int(target.bound) - measured
        if gap < 0:
            said.append(
                prose(
                    "Shorten the restore, or agree on another target: it took {over} too long.",
                    over=numbers.duration(-gap),
                )
            )
        elif gap * 100 < int(target.bound) * _TIGHT:
            said.append(prose("The margin is only {share} of the target.", share=numbers.share(gap, int(target.bound))))
    known = [(ms, phase) for phase in RTO_PHASES if (ms := reading.number(f"restore.{phase}")) is not None]
    longest, phase = max(known, default=(0, ""))
    if measured and longest * 100 >= measured * _HEAVY:
        jobs = prose(", with {n} parallel jobs", n=reading.shown("restore.jobs")) if phase in _PARALLEL else Prose("")
        said.append(
            prose(
                "Begin with the phase *{phase}* if the restore must be faster: it took {share}{jobs}.",
                phase=phase_words(phase), share=numbers.share(longest, measured), jobs=jobs,
            )
        )  # fmt: skip
    if reading.flag("restore.durable") is False:
        said.append(say("Repeat the drill on a target with production settings before relying on this recovery time."))
    return said


def actions(view: View) -> tuple[Block, ...]:
    """What must be put right; owner and date are for people to name."""
    failed = [check for check in view.verdict.checks if check.outcome is Outcome.FAIL]
    unknown = sum(check.outcome is Outcome.UNKNOWN for check in view.verdict.checks)
    if view.verdict.outcome is Outcome.PASS:
        return ()
    rows: list[tuple[Cell, ...]] = [
        (
            check.title or check.id,
            mark(check.outcome),
            say("not yet decided"),
            say("not yet named"),
            say("not yet named"),
        )
        for check in failed
    ]
    if unknown or not failed:
        repeat = say("find out why, then run again")
        rows.append(
            (
                say("{criteria} that could not be judged", criteria=numbers.counted(unknown, "criterion", "criteria")),
                mark(Outcome.UNKNOWN),
                repeat,
                say("not yet named"),
                say("not yet named"),
            )
        )
    return (
        Heading(2, say("Corrective actions"), "actions"),
        Table(
            (Column(say("Criterion that is not met"), wide=True), Column(say("Verdict")), Column(say("Action")), Column(say("Owner")), Column(say("Due"))),
            tuple(rows),
        ),
    )  # fmt: skip


def controls(view: View) -> tuple[Block, ...]:
    """Which controls of which framework the gate answers, and how far."""
    if not view.gate.controls:
        return ()
    idle = say("This run did not pass, so it answers none of them; the table says what a pass would answer.")
    return (
        Heading(2, say("Controls answered"), "controls"),
        *(() if view.verdict.outcome is Outcome.PASS else (Para(idle),)),
        Table(
            (
                Column(say("Framework"), whole=True),
                Column(say("Control"), whole=True),
                Column(say("Title"), wide=True),
                Column(say("Coverage")),
            ),
            tuple((item.framework, item.id, say(item.title), say(item.coverage.value)) for item in view.gate.controls),
            note=say(
                "Direct: passing this gate is what the control asks for. Partial: it answers part of it. Supporting: it is evidence beside others."
            ),
        ),
    )


def _untried(view: View) -> list[Text]:
    """What was not tried proves nothing about how it acts."""
    if view.case.restored is None:
        return [say("That anything comes back from this backup: nothing that was restored was compared.")]
    seen = view.case.restored.behaviour
    if seen is None:
        return [say("That constraints and triggers act: their definitions were compared, not exercised.")]
    untried = sum(each.did is Did.COMPARED for each in seen.exercises)
    if not untried:
        return []
    counted = numbers.count(untried)
    return [
        say(
            "That each constraint, trigger and index acts as defined: of {n}, only the definition was compared.",
            n=counted,
        )
    ]


def limits(view: View) -> tuple[Block, ...]:
    """What a reader must not conclude."""
    said: list[Text] = [
        say("That a different backup restores: this report speaks of one backup, named by its digest."),
        say(
            "That the data was right when the backup was taken: what came back is compared with what was there, right or wrong."
        ),
        say("That an application works on the restored database: no application was started."),
        say(
            "That nobody who holds the operator’s keys could have made this up. Checkpoints of the ledger kept elsewhere limit that; see VERIFY.md."
        ),
    ]
    if view.restores:
        said.insert(
            2,
            say(
                "That production hardware restores as fast: the time was measured on the machine named under Environment."
            ),
        )
        said += _untried(view)
    if view.seals:
        said.append(say("That the private key is well kept: only that without it, the parts were refused."))
    return Heading(2, say("What this report does not prove"), "limits"), Bullets(tuple(said))
