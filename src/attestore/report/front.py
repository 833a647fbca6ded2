"""The first page: verdict, time against target, what came back, who ran it, how long it holds; then the criteria."""

from __future__ import annotations

from typing import Final

from attestore.facts import RTO_PHASES
from attestore.gate import Check, Operator
from attestore.report import numbers
from attestore.report.blocks import (
    Align,
    Block,
    Callout,
    Cell,
    Column,
    Fact,
    Facts,
    Gauge,
    Heading,
    Mark,
    Para,
    Prose,
    Table,
    Text,
    Tone,
)
from attestore.report.case import NOT_MEASURED, Reading, View, write
from attestore.report.phases import phase_words
from attestore.report.signoff import approved_by, standing_fact, standing_notice
from attestore.report.voice import later, retold, say
from attestore.report.words import code, joined, plain, prose
from attestore.verdict import CheckVerdict, Outcome

__all__ = [
    "criteria",
    "evidence_line",
    "first_page",
    "gauge",
    "mark",
    "observed",
    "rto_check",
    "summary_sentences",
    "valid_until",
]

_PROBE_FACTS: Final = ("probe.equal", "probe.rows", "probe.value")
_NAMED: Final = 3
"""failed criteria that the first page names"""


def mark(outcome: Outcome) -> Mark:
    """An outcome as a word with a sign."""
    match outcome:
        case Outcome.PASS:
            return Mark("PASS", Tone.GOOD)
        case Outcome.FAIL:
            return Mark("FAIL", Tone.BAD)
        case Outcome.UNKNOWN:
            return Mark("UNKNOWN", Tone.DOUBT)


def first_page(view: View) -> tuple[Block, ...]:
    """What a reader learns in five seconds."""
    context = view.case.context
    drawn = gauge(view.reading, rto_check(view))
    return (
        _headline(view),
        *standing_notice(view),
        *((drawn,) if drawn else ()),
        Facts((*_tiles(view), _valid_fact(view)), tiles=True),
        Facts(
            (
                Fact(say("Tested"), say(context.scenario or NOT_MEASURED)),
                Fact(say("System"), context.system),
                Fact(say("Run by"), _person(view), note=_closer(view)),
                Fact(say("Run"), context.run, mono=True),
                Fact(say("Started"), numbers.instant(context.started), note=prose("ended {end}", end=numbers.instant(context.ended))),
                Fact(say("Backup"), view.reading.shown("backup.id"), mono=True),
                Fact(say("Backup digest"), view.reading.shown("backup.digest"), mono=True),
                standing_fact(view),
                Fact(say("Approved by"), approved_by(view.case, view.gate.id)),
            )
        ),
    )  # fmt: skip


def _headline(view: View) -> Callout:
    verdict, reading = view.verdict, view.reading
    passed = sum(check.outcome is Outcome.PASS for check in verdict.checks)
    tally = prose(
        "{passed} of {all} {hold}{rest}.",
        passed=numbers.count(passed),
        all=numbers.count(len(verdict.checks)),
        hold=_hold(len(verdict.checks)),
        rest=_others(verdict.checks),
    )
    lines: list[Text] = [view.gate.statement, tally]
    if stopped := reading.text("run.stopped"):
        lines.append(
            prose(
                "**The run stopped:** {why}. Whatever comes after that point was not measured.", why=stopped.rstrip(".")
            )
        )
    if verdict.reason:
        lines.append(say(verdict.reason))
    if failed := [check.title or check.id for check in verdict.checks if check.outcome is Outcome.FAIL]:
        more = prose(" and {n} more", n=numbers.count(len(failed) - _NAMED)) if len(failed) > _NAMED else Prose("")
        lines.append(prose("**Failed:** {names}{more}.", names=", ".join(failed[:_NAMED]), more=more))
    tone = mark(verdict.outcome).tone
    return Callout(tone=tone, title=mark(verdict.outcome).word, lines=tuple(lines), large=True)


def _hold(criteria: int) -> str:
    return say("criterion holds") if criteria == 1 else say("criteria hold")


def _others(checks: tuple[CheckVerdict, ...]) -> str:
    failed = sum(check.outcome is Outcome.FAIL for check in checks)
    unknown = sum(check.outcome is Outcome.UNKNOWN for check in checks)
    parts = [f"{numbers.count(n)} {word}" for n, word in ((failed, say("failed")), (unknown, say("unknown"))) if n]
    return f"; {', '.join(parts)}" if parts else ""


def rto_check(view: View) -> Check | None:
    """The gate's target for the recovery time, where it sets one."""
    for check in view.gate.checks:
        if check.fact == "restore.rto" and check.operator in (Operator.LESS, Operator.AT_MOST):
            return check
    return None


def gauge(reading: Reading, target: Check | None) -> Gauge | None:
    """The recovery time as a picture against its target; None where either is missing."""
    measured = reading.number("restore.rto")
    if target is None or measured is None or int(target.bound) <= 0:
        return None
    bound = int(target.bound)
    scale = max(measured, bound)
    holds = target.operator.holds(measured, bound)
    words = say(
        "{measured} of {bound}: {margin}",
        measured=numbers.duration(measured), bound=numbers.duration(bound), margin=margin(measured, bound),
    )  # fmt: skip
    return Gauge(
        label=say("Recovery time (RTO)"),
        measured=numbers.duration(measured),
        target=say("target {bound}", bound=f"{target.operator.value} {target.written}"),
        words=words,
        filled=measured * 1000 // scale,
        target_at=bound * 1000 // scale,
        tone=Tone.GOOD if holds else Tone.BAD,
    )


def margin(measured: int, bound: int) -> str:
    """How far a duration is from its target, in words."""
    gap = bound - measured
    if gap == 0:
        return say("exactly the target")
    told = later("{gap} below target ({share})") if gap > 0 else later("{gap} above target ({share})")
    return say(told, gap=numbers.duration(abs(gap)), share=numbers.share(abs(gap), bound))


def _tiles(view: View) -> tuple[Fact, ...]:
    return (*(_restore_tiles(view) if view.restores else ()), *(_seal_tiles(view) if view.seals else ()))


def _restore_tiles(view: View) -> tuple[Fact, ...]:
    reading, target = view.reading, rto_check(view)
    measured = reading.number("restore.rto")
    against: Text = say("no target in this gate")
    if target is not None:
        against = say("target {bound}", bound=f"{target.operator.value} {target.written}")
        if measured is not None:
            against = f"{against}; {margin(measured, int(target.bound))}"
    if reading.flag("restore.durable") is False:
        against = joined((against, prose("**scratch settings**")), by="; ")
    return (
        Fact(say("RTO"), reading.shown("restore.rto"), note=against),
        Fact(say("RPO"), reading.shown("restore.rpo"), note=say("age of the data when the restore was ordered")),
        _rows_tile(reading),
        _integrity_tile(view),
    )


def _integrity_tile(view: View) -> Fact:
    """Whether what came back is what the backup holds."""
    if view.comparison is None:
        return Fact(say("Integrity"), say(NOT_MEASURED), note=say("there are not two proofs to compare"))
    found = len(view.comparison.differences)
    return Fact(
        say("Integrity"),
        Mark("equal", Tone.GOOD) if not found else Mark("DIFFERS", Tone.BAD),
        note=say(
            "{differences} in rows, keys, objects and edge cases", differences=numbers.counted(found, "difference")
        ),
    )


def _seal_tiles(view: View) -> tuple[Fact, ...]:
    reading = view.reading
    return (
        Fact(say("Sealed to"), _same(reading, "seal.key.algorithm"), note=prose("smallest key {bits} bits", bits=_same(reading, "seal.key.bits"))),
        Fact(say("Cipher"), _same(reading, "seal.cipher"), note=prose("integrity protection: {mode}", mode=_same(reading, "seal.integrity"))),
        Fact(say("Without the key"), _refusals(reading), note=prose("plaintext signatures found: {magic}", magic=_same(reading, "seal.magic"))),
    )  # fmt: skip


def _refusals(reading: Reading) -> str:
    parts = reading.subjects("seal.refused")
    if not parts:
        return say(NOT_MEASURED)
    refused = sum(reading.flag("seal.refused", part) is True for part in parts)
    return say("{n} of {all} refused", n=refused, all=reading.shown("seal.parts"))


def _same(reading: Reading, fact: str) -> str:
    """The one value of a fact over all its subjects, or all of them."""
    seen = ((reading.number(fact, subject), reading.shown(fact, subject)) for subject in reading.subjects(fact))
    values = tuple(dict.fromkeys(shown if number is None else str(number) for number, shown in seen))
    return ", ".join(values) or say(NOT_MEASURED)


def _pair(reading: Reading, part: str, whole: str) -> str:
    if reading.number(part) is None and reading.number(whole) is None:
        return say(NOT_MEASURED)
    return f"{reading.shown(part)} / {reading.shown(whole)}"


def _rows_tile(reading: Reading) -> Fact:
    came, rest = _came_back(reading)
    note = "; ".join((*((rest,) if rest else ()), _tables_line(reading)))
    if came is None:
        return Fact(say("Number of rows"), _pair(reading, "rows.restored", "rows.expected"), note=note)
    return Fact(say("Rows restored"), came, note=note)


def _came_back(reading: Reading) -> tuple[str | None, str]:
    """How many of the backup's rows came back, None where nobody can tell; and what else is to be said of them.

    As many rows as expected may be other rows: one extra does not stand in for one that is missing.
    """
    restored, expected = reading.number("rows.restored"), reading.number("rows.expected")
    unlocated = reading.number("tables.unlocated")
    if restored is None or expected is None or unlocated is None:
        return None, say("which rows came back was not measured")
    missing, extra, changed = (reading.number(f"rows.{what}") or 0 for what in ("missing", "extra", "changed"))
    if not unlocated and restored - expected == extra - missing:
        more = [f"{numbers.count(n)} {word}" for n, word in ((changed, say("changed")), (extra, say("extra"))) if n]
        return f"{numbers.count(expected - missing)} / {numbers.count(expected)}", ", ".join(more)
    if restored == expected:
        return None, say("the numbers of rows are equal, the rows are not")
    return None, say("not every differing row was found")


def _tables_line(reading: Reading) -> str:
    compared, differing = reading.number("tables.compared"), reading.number("tables.fingerprints.differing")
    if compared is None or differing is None:
        return say("fingerprints of tables: {what}", what=say(NOT_MEASURED))
    return say(
        "{n} of {all} tables with equal fingerprints",
        n=numbers.count(compared - differing),
        all=reading.shown("tables.expected"),
    )


def valid_until(view: View) -> str:
    """The instant at which the evidence grows too old, or a dash where it proves nothing.

    Only a revision knows it exactly: the cadence counts from the run's end in the ledger, which a run's own report precedes.
    """
    if view.verdict.outcome is not Outcome.PASS:
        return "–"
    if view.gate.cadence_ms is None:
        return say("no expiry")
    end = numbers.after(_counted_from(view), view.gate.cadence_ms)
    if end is None:
        return say(NOT_MEASURED)
    return numbers.instant(end) if view.case.revision else say("about {time}", time=numbers.minute(end))


def _counted_from(view: View) -> str:
    """The ledger's end of the run; before there is one, the journal's, which is some seconds earlier."""
    revision = view.case.revision
    return view.case.context.ended if revision is None else revision.finished


def _valid_fact(view: View) -> Fact:
    if view.verdict.outcome is not Outcome.PASS:
        return Fact(say("Valid until"), "–", note=say("only a PASS is valid for a time"))
    if view.gate.cadence_ms is None:
        return Fact(say("Valid until"), say("no expiry"), note=say("the gate sets no cadence"))
    end = numbers.after(_counted_from(view), view.gate.cadence_ms)
    note = say(
        "{until}: {cadence} from the entry of the run’s end in the ledger",
        until=valid_until(view), cadence=numbers.duration(view.gate.cadence_ms),
    )  # fmt: skip
    return Fact(say("Valid until"), say(NOT_MEASURED) if end is None else numbers.day(end), note=note)


def _person(view: View) -> str:
    who = view.case.context.operator
    roles = f" ({', '.join(who.roles)})" if who.roles else ""
    return f"{who.name}{roles}"


def _closer(view: View) -> Text:
    closer = view.case.context.closed_by
    return prose("the run had died and was closed by {who}", who=closer) if closer else ""


def summary_sentences(view: View) -> tuple[Prose, ...]:
    """What happened, in sentences that are derived from the evidence alone."""
    reading, context = view.reading, view.case.context
    said = [
        prose(
            "On {day}, {who} ran {run} against system {system}.",
            day=numbers.day(context.started), who=context.operator.name, run=code(context.run), system=context.system,
        )
    ]  # fmt: skip
    if view.restores:
        said += _restore_sentences(view)
    if view.seals:
        said.append(prose("How the backup is sealed: {line}.", line=_sealed_line(reading)))
    if (planted := reading.number("control.planted")) is not None:
        said.append(
            prose(
                "The checker proved that it is awake: of {planted} deliberate changes of the restored copy it noticed {noticed}.",
                planted=numbers.count(planted), noticed=reading.shown("control.noticed"),
            )
        )  # fmt: skip
    return tuple(said)


def _restore_sentences(view: View) -> list[Prose]:
    reading, target = view.reading, rto_check(view)
    measured = reading.number("restore.rto")
    said: list[Prose] = []
    if measured is None:
        said.append(prose("The recovery time was **not measured**."))
    else:
        against = prose(", {margin}", margin=margin(measured, int(target.bound))) if target else Prose("")
        said.append(
            prose("The database was back in **{rto}**{against}.", rto=numbers.duration(measured), against=against)
        )
        said += _bottleneck(reading, measured)
    if reading.number("rows.restored") is None:
        said.append(prose("What came back was **not measured**."))
        return said
    said.append(
        prose(
            "{rows}. Tables missing: {missing}; of the {compared} that were compared, {differing} differ in content.",
            rows=_rows_sentence(reading), missing=reading.shown("tables.missing"),
            compared=reading.shown("tables.compared"), differing=reading.shown("tables.fingerprints.differing"),
        )
    )  # fmt: skip
    said.append(
        prose(
            "Foreign keys checked: {checked}, rows without their parent: {orphans}; objects compared: {objects}, differing: {differing}.",
            checked=reading.shown("foreign_keys.checked"), orphans=reading.shown("foreign_keys.orphans"),
            objects=reading.shown("objects.compared"), differing=reading.shown("objects.differing"),
        )
    )  # fmt: skip
    return said


def _rows_sentence(reading: Reading) -> str:
    came, rest = _came_back(reading)
    if came is None:
        return say(
            "The backup has {expected} rows, the restored copy {restored}: {rest}",
            expected=reading.shown("rows.expected"), restored=reading.shown("rows.restored"), rest=rest,
        )  # fmt: skip
    back, _, whole = came.partition(" / ")
    return say("{back} of {whole} rows came back{rest}", back=back, whole=whole, rest=f", {rest}" if rest else "")


def _bottleneck(reading: Reading, rto: int) -> list[Prose]:
    known = [(ms, phase) for phase in RTO_PHASES if (ms := reading.number(f"restore.{phase}")) is not None]
    if not known or rto <= 0:
        return []
    longest, phase = max(known)
    told = (
        later("Most of it went into *{phase}* ({share}).")
        if longest * 2 > rto
        else later("The longest phase was *{phase}* ({share}).")
    )
    return [prose(told, phase=phase_words(phase), share=numbers.share(longest, rto))]


def evidence_line(view: View) -> str:
    """The evidence for a gate in one line, for a table of gates."""
    parts: list[str] = []
    reading, target = view.reading, rto_check(view)
    if view.restores:
        bound = say(" (target {bound})", bound=f"{target.operator.value} {target.written}") if target else ""
        parts.append(f"RTO {reading.shown('restore.rto')}{bound}")
        tile = _rows_tile(reading)
        parts.append(f"{tile.label}: {plain(tile.value)}; {plain(tile.note)}")
    if view.seals:
        parts.append(_sealed_line(reading))
    return "; ".join(parts)


def _sealed_line(reading: Reading) -> str:
    algorithm, bits = _same(reading, "seal.key.algorithm"), _same(reading, "seal.key.bits")
    if say(NOT_MEASURED) in (algorithm, bits):
        return say(NOT_MEASURED)
    parts = reading.subjects("seal.decrypts")
    opened = sum(reading.flag("seal.decrypts", part) is True for part in parts)
    return say(
        "{algorithm} {bits}, {cipher}, {mode}; {n} of {all} parts open with the key, without it {refusals}",
        algorithm=algorithm, bits=bits, cipher=_same(reading, "seal.cipher"), mode=_same(reading, "seal.integrity"),
        n=opened, all=reading.shown("seal.parts"), refusals=_refusals(reading),
    )  # fmt: skip


def criteria(view: View) -> tuple[Block, ...]:
    """Every check: what must be, what was seen, of how many, the verdict and why."""
    checks = view.verdict.checks
    answers = [check for check in checks if check.fact in _PROBE_FACTS and "/" in check.id]
    met = [check for check in answers if check.outcome is Outcome.PASS]
    silent = [check for check in answers if check.outcome is Outcome.UNKNOWN and not check.observed]
    shown = _worst_first([check for check in checks if check not in met and check not in silent])
    explained = bool(silent) or any(check.reason for check in shown)
    columns = [
        Column(say("Criterion"), wide=True),
        Column(say("Must be")),
        Column(say("Observed"), Align.RIGHT),
        Column(say("Of"), Align.RIGHT),
        Column(say("Verdict")),
    ]
    if explained:
        columns.append(Column(say("Why"), wide=True))
    rows: list[tuple[Cell, ...]] = []
    for check in shown:
        row: tuple[Cell, ...] = (
            prose("{title} ({fact})", title=check.title or check.id, fact=code(check.fact)),
            f"{check.operator.value} {check.written}",
            observed(check),
            numbers.count(check.of[0][1]) if check.of else "–",
            mark(check.outcome),
        )  # fmt: skip
        rows.append((*row, retold(check.reason)) if explained else row)
    for folded, seen, outcome in (
        (silent, say(NOT_MEASURED), Outcome.UNKNOWN),
        (met, say("{n} met", n=len(met)), Outcome.PASS),
    ):
        if folded:
            probes = len({check.id.rsplit("/", 1)[0] for check in folded})
            row = (
                prose(
                    "Edge cases: equal answers, enough rows ({n}, each listed below)",
                    n=numbers.counted(probes, "probe"),
                ),
                say("met"),
                seen,
                numbers.count(len(answers)) if outcome is Outcome.PASS else "–",
                mark(outcome),
            )
            why = (
                say("{answers} not observed.", answers=numbers.counted(len(folded), "answer was", "answers were"))
                if outcome is Outcome.UNKNOWN
                else ""
            )
            rows.append((*row, why) if explained else row)
    passed = sum(check.outcome is Outcome.PASS for check in checks)
    return (
        Heading(2, say("Criteria"), "criteria"),
        Table(
            tuple(columns),
            tuple(rows),
            note=prose(
                "{passed} of {all} {hold} ({share}). “Of” says how many things were compared: a criterion that compared nothing is never met.",
                passed=numbers.count(passed), all=numbers.count(len(checks)), share=numbers.share(passed, len(checks)), hold=_hold(len(checks)),
            ),
        ),
        Para(prose("Gate file: SHA-256 {digest}.", digest=code(view.gate.digest)), quiet=True),
    )  # fmt: skip


def observed(check: CheckVerdict) -> str:
    """What a check was judged on, as people read it."""
    groups: dict[str, list[str]] = {}
    for subject, value in check.observed:
        shown = str(value).lower() if isinstance(value, bool) else write(check.fact, value)
        groups.setdefault(shown, []).append(subject)
    if not groups:
        return say(NOT_MEASURED)
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{value}: {', '.join(subjects)}" for value, subjects in groups.items())


def _worst_first(checks: tuple[CheckVerdict, ...] | list[CheckVerdict]) -> list[CheckVerdict]:
    return sorted(checks, key=lambda check: -check.outcome.value)
