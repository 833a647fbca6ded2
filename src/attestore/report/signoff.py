"""Who decided, with printed name, role, time, meaning and key; and what the gate is worth since."""

from __future__ import annotations

from attestore.evidence.decision import Act, Decision, Meaning
from attestore.evidence.revision import Worth
from attestore.gate import Approval
from attestore.report import numbers
from attestore.report.blocks import Block, Callout, Cell, Column, Fact, Heading, Mark, Para, Table, Text, Tone
from attestore.report.case import Case, View
from attestore.report.voice import say
from attestore.report.wanting import lacking
from attestore.report.words import code, joined, prose
from attestore.standing import Standing

__all__ = ["approved_by", "decisions", "standing_fact", "standing_mark", "standing_notice"]

_TONES = {
    Standing.PASS: Tone.GOOD,
    Standing.FAIL: Tone.BAD,
    Standing.REJECTED: Tone.BAD,
}


def standing_mark(view: View) -> Mark:
    """What the gate is worth, as a word with a sign; WAIVED is never a good one."""
    standing = Standing(view.case.worth(view.gate.id).standing)
    return Mark(standing.value, _TONES.get(standing, Tone.DOUBT))


def standing_fact(view: View) -> Fact:
    """Standing on the first page: the word, as of when, and until when."""
    worth = view.case.worth(view.gate.id)
    revision = view.case.revision
    as_of = say("when the run ended") if revision is None else say("at {time}", time=numbers.instant(revision.at))
    # the end of a run's own validity is known to the second only once the ledger holds the run's end
    until = say("about {time}", time=numbers.minute(worth.until)) if revision is None else numbers.instant(worth.until)
    ends = say("; until {until}", until=until) if worth.until else ""
    return Fact(say("Standing"), say(worth.standing), note=f"{as_of}{ends}")


def standing_notice(view: View) -> tuple[Block, ...]:
    """A box under the verdict wherever the gate is worth something else than the verdict says, or people have decided."""
    worth = view.case.worth(view.gate.id)
    standing = Standing(worth.standing)
    if standing.value == view.verdict.outcome.name and not view.case.decisions:
        return ()
    lines: list[Text] = [_why(view, worth), *(_sentence(decision) for decision in _of(view))]
    if standing is Standing.WAIVED and view.case.revision is not None:
        lines.append(
            prose(
                "A waiver is no pass: it ends at {until}, {left} after this revision was made.",
                until=numbers.instant(worth.until), left=numbers.left(view.case.revision.at, worth.until),
            )
        )  # fmt: skip
    if view.case.revision is not None:
        lines.append(
            prose(
                "This is revision {n}, made at {at} by {who} from the same sealed evidence. A newer run of the gate decides from the moment it has finished.",
                n=view.case.revision.number, at=numbers.instant(view.case.revision.at), who=view.case.revision.by.name,
            )
        )  # fmt: skip
    word = standing.value if standing.value.isupper() else say(standing.value.capitalize())
    if standing is Standing.PASS and worth.people:
        word = say("PASS, approved")
    return (Callout(tone=_TONES.get(standing, Tone.DOUBT), title=word, lines=tuple(lines)),)


def approved_by(case: Case, gate_id: str = "") -> str:
    """Names of those who approved the gate; without one, anything of the run."""
    said = (each for each in case.decisions if each.meaning is Meaning.APPROVED and gate_id in ("", each.gate))
    names = dict.fromkeys(each.person.name for each in said)
    return ", ".join(names) or say("not yet decided")


def decisions(view: View) -> tuple[Block, ...]:
    """Who executed, reviewed, approved, rejected or waived, with printed name, role, time, meaning and key."""
    context, approval = view.case.context, view.gate.approval
    told = _of(view)
    who = context.operator
    rows: list[tuple[Cell, ...]] = [
        (say("executed"), who.name, _roles(who.roles), numbers.instant(context.ended), "–", code(who.fingerprint))
    ]
    rows += [
        (
            say(each.meaning.value),
            each.person.name,
            _roles(each.person.roles),
            numbers.instant(each.at),
            each.comment,
            code(each.person.fingerprint),
        )
        for each in told
    ]
    covered = {role for each in told if each.meaning is Meaning.APPROVED for role in each.person.roles}
    rows += [
        (say("approved"), say("not yet decided"), role, say("not yet decided"), "–", "–")
        for role in (approval.roles if approval else ())
        if role not in covered
    ]
    blocks: list[Block] = [
        Heading(2, say("Decisions"), "decisions"),
        Para(_rule(approval)),
        Table(
            (
                Column(say("Meaning")),
                Column(say("Printed name")),
                Column(say("Role")),
                Column(say("Time")),
                Column(say("Comment"), wide=True),
                Column(say("Key"), wide=True),
            ),
            tuple(rows),
            note=_note(view),
        ),
    ]
    if waivers := [each for each in told if each.act is Act.WAIVE]:
        blocks.append(_waivers(waivers))
    return tuple(blocks)


def _waivers(waivers: list[Decision]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (each.person.name, each.waiver.reason, each.waiver.control, numbers.instant(each.waiver.until))
        for each in waivers
        if each.waiver is not None
    ]
    return Table(
        (
            Column(say("Waived by")),
            Column(say("Reason"), wide=True),
            Column(say("Compensating control"), wide=True),
            Column(say("Ends")),
        ),
        tuple(rows),
        caption=say("Terms of the waiver"),
        note=say("At its end, to the instant, the gate is worth again what the run made of it."),
    )


def _why(view: View, worth: Worth) -> Text:
    """What the standing rests on, in one sentence."""
    people, outcome = ", ".join(worth.people), view.verdict.outcome.name
    match Standing(worth.standing):
        case Standing.PASS:
            return prose("Approved by {people}.", people=people) if people else say("The gate asks for no approval.")
        case Standing.AWAITING:
            return _missing(view, worth)
        case Standing.WAIVED:
            return prose("Waived by {people}; the run itself was {outcome}.", people=people, outcome=outcome)
        case Standing.REJECTED:
            return prose("Rejected by {people}; nothing but another run takes it back.", people=people)
        case Standing.EXPIRED:
            return prose("Its evidence expired at {until}.", until=numbers.instant(worth.until))
        case Standing.FAIL | Standing.UNKNOWN | Standing.NEVER_RUN | Standing.UNTRUSTED:
            return prose("The run was {outcome}, and no waiver is in force.", outcome=outcome)


def _missing(view: View, worth: Worth) -> Text:
    approval = view.gate.approval
    never = say(", not the operator") if approval is not None and approval.not_the_operator else ""
    needs = lacking(worth.missing, worth.more, so_far=bool(worth.people))
    so_far = say(" So far: {people}.", people=", ".join(worth.people)) if worth.people else ""
    return prose("It needs {needs}{never}.{so_far}", needs=needs, never=never, so_far=so_far)


def _of(view: View) -> tuple[Decision, ...]:
    return tuple(each for each in view.case.decisions if each.gate == view.gate.id)


def _sentence(decision: Decision) -> Text:
    return prose(
        "**{name}** ({roles}) {meaning} it at {at}: {comment}",
        name=decision.person.name, roles=_roles(decision.person.roles), meaning=say(decision.meaning.value),
        at=numbers.instant(decision.at), comment=decision.comment,
    )  # fmt: skip


def _note(view: View) -> Text:
    if view.case.revision is None:
        return say(
            "Decisions are separate signed files beside this report, listed in the ledger; a later revision of the report "
            "prints them."
        )
    revision = view.case.revision
    return prose(
        "Each decision is a signed record in the folder decisions, bound to this run’s statement {statement} and entered in the "
        "ledger, whose head after entry {count} is {head}.",
        statement=code(revision.statement), count=numbers.count(revision.ledger_count), head=code(revision.ledger_head),
    )  # fmt: skip


def _rule(approval: Approval | None) -> Text:
    if approval is None:
        return say("The gate asks for no approval.")
    people = say("one person") if approval.people == 1 else say("{n} distinct people", n=approval.people)
    never = say(", never the person who ran it") if approval.not_the_operator else ""
    return prose(
        "The gate asks for {people}{never}, together covering: {roles}.",
        people=people,
        never=never,
        roles=joined(approval.roles),
    )


def _roles(roles: tuple[str, ...]) -> str:
    return ", ".join(roles) or "–"
