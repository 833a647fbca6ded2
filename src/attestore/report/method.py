"""How it was done: method in plain words, environment, how to verify, the plan, and the statements that were executed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attestore.evidence import Step
from attestore.report import numbers
from attestore.report.blocks import Block, Bullets, Code, Column, Fact, Facts, Heading, Para, Table
from attestore.report.case import NOT_MEASURED, Reading, View, server
from attestore.report.looked import look_told
from attestore.report.phases import phase_words
from attestore.report.voice import among, later, retold, say
from attestore.report.words import code, prose

__all__ = ["environment", "method", "network", "plan", "plan_table", "statements", "verification"]

_NETWORKS: Final = {
    "none": later("no network"),
    "socket-only": later("sockets only"),
    "existing server": later("that of the existing server"),
}
_ASKED: Final = (
    later("tables"),
    later("sequences"),
    later("rows of {table} at the source"),
    later("text of {table}"),
    later("fingerprint of {table}, whose rows exceed 1 GB: long values digested one by one"),
    later("fingerprint of {table}"),
    later("the same where Attestore adds the words up: digests of the rows of {table}"),
    later("orphans of {key}"),
)
"""what statements are called in a proof"""
_HOST: Final = later("{machine}, {n} processors")


def method(view: View) -> tuple[Block, ...]:
    """The experiment, as one would tell it."""
    judged = say(
        "A pure function of the gate file and the recorded observations gave the verdict. Anybody can run it again."
    )
    said: list[str] = [
        say(
            "A locked, exported snapshot of the source was taken; the proof (objects, row counts, fingerprints, probes) and the dump saw that same snapshot."
        ),
        say(
            "The dump was compressed, encrypted to the recipients’ public keys, stored, read back and compared; the proof was sealed beside it."
        ),
        say("The local copy was destroyed. That is the disaster: whatever follows came out of the store."),
        say(
            "On the order to restore, the parts were fetched and, while they came, decrypted. Only when each of them had been compared with the signed manifest were they restored into a new, isolated server, section by section."
        ),
        say(
            "The recovery time ended when the restored database answered its first query. Only then began the comparison: a second proof, taken from the restored database, against the proof that came with the backup."
        ),
        say(
            "At the end the restored copy was damaged deliberately to see whether the comparison notices; then the isolated server was removed."
        ),
        judged,
    ]
    if not view.restores:
        said = [*said[:2], *(sentence for sentence in said if sentence == judged)]
        said.insert(
            2,
            say(
                "The stored bytes of every part were fetched back, their packets read, and each part was offered to a keyring with and to one without the private key."
            ),
        )
    broke = say("So goes a whole run. This one was not completed: how far it came is told by the phases of the run.")
    whole = view.reading.flag("run.completed") is True
    return Heading(2, say("Method"), "method"), *(() if whole else (Para(broke),)), Bullets(tuple(said))


def environment(view: View) -> tuple[Block, ...]:
    """Machine, servers, programmes and settings."""
    reading, context = view.reading, view.case.context
    facts = [
        Fact(say("Host"), among(reading.shown("run.host"), (_HOST,))),
        Fact(say("Source server"), server(reading.shown("source.version"))),
        Fact(say("Source cluster"), reading.shown("source.identifier"), mono=True),
        Fact(say("Source database"), reading.shown("source.database"), note=reading.shown("source.size")),
        Fact(say("Encoding and collation"), reading.shown("source.encoding")),
        *_pace(reading),
    ]
    if view.restores:
        facts += [
            Fact(say("Target server"), server(reading.shown("target.version"))),
            Fact(say("Target cluster"), reading.shown("target.identifier"), mono=True),
            Fact(
                say("Target segregated"),
                reading.shown("target.segregated"),
                note=say("another system identifier than the source’s"),
            ),
            Fact(
                say("Target new and empty"),
                reading.shown("target.empty"),
                note=say("made by this run, without a relation before the restore"),
            ),
            Fact(say("Target network"), network(reading)),
            Fact(
                say("Target writes durably"), reading.shown("restore.durable"), note=say("fsync and full_page_writes")
            ),
            Fact(
                say("Parallel jobs"),
                say(
                    "dump {dump}, restore {restore}",
                    dump=reading.shown("dump.jobs"),
                    restore=reading.shown("restore.jobs"),
                ),
            ),
            Fact(say("Errors while restoring"), reading.shown("restore.errors")),
            Fact(say("Time of the comparison"), reading.shown("verify.elapsed"), note=say("not part of the RTO")),
            Fact(say("Teardown complete"), reading.shown("teardown.complete")),
        ]
    facts += [
        Fact(say("Preflight"), _preflight(reading)),
        Fact(say("Clocks"), say("durations: monotonic clock of the host; instants: its wall clock, UTC; snapshot: the source’s clock")),
        Fact(say("Attestore"), context.attestore, note=prose("report renderer {version}", version=context.renderer)),
        Fact(say("Roster"), context.roster_digest, note=say("SHA-256 of the file in force"), mono=True),
        Fact(say("Ledger"), context.ledger_head, note=prose("head after entry {n}, the start of this run", n=numbers.count(context.ledger_count)), mono=True),
    ]  # fmt: skip
    blocks: list[Block] = [Heading(2, say("Environment"), "environment"), Facts(tuple(facts))]
    tools = reading.subjects("tool.version")
    if tools:
        blocks.append(
            Table(
                (Column(say("Programme or library")), Column(say("Version"), wide=True)),
                tuple((tool, reading.shown("tool.version", tool)) for tool in tools),
                caption=say("Tools"),
            )
        )
    looked = reading.subjects("preflight.check")
    if looked:
        blocks.append(
            Table(
                (Column(say("Looked at")), Column(say("Seen"), wide=True)),
                tuple(look_told(look, reading.shown("preflight.check", look)) for look in looked),
                caption=say("Looked at before anything happened: {n} things", n=len(looked)),
            )
        )
    chosen = reading.subjects("target.setting")
    if chosen:
        blocks.append(
            _settings(
                [(name, reading.shown("target.setting", name)) for name in chosen],
                caption=say("Server settings chosen for the target"),
            )
        )
    pinned = view.case.source.session if view.case.source else ()
    if pinned and view.restores:
        blocks.append(
            _settings(
                [
                    (item.name if item.scope == "session" else say("{name} (dump)", name=item.name), item.value)
                    for item in pinned
                ],
                caption=say("Session settings pinned on both sides while rows were fingerprinted"),
            )
        )
    return tuple(blocks)


def _settings(pairs: list[tuple[str, str]], *, caption: str) -> Table:
    """Names with values, two of them in a line: settings are many and short."""
    told = [(name, value or say("(empty)")) for name, value in pairs]
    half = (len(told) + 1) // 2
    right = [*told[half:], *[("", "")] * (2 * half - len(told))]
    setting, value = Column(say("Setting"), mono=True), Column(say("Value"), mono=True, wide=True)
    return Table(
        (setting, value, setting, value),
        tuple((*left, *beside) for left, beside in zip(told[:half], right, strict=True)),
        caption=caption,
    )


def verification(_: View) -> tuple[Block, ...]:
    """The shortest honest check, and where the long one is."""
    return (
        Heading(2, say("How to verify"), "verify"),
        Para(
            say("In the folder of this run, with a keyring that holds the keys of the roster. The roster and its keys must reach you by "
            "another way than this archive.")
        ),
        Code("gpg --verify SHA256SUMS.asc SHA256SUMS\nsha256sum --check --strict SHA256SUMS", language="sh"),
        Para(
            prose(
                "VERIFY.md beside this report explains what each step proves. {command} checks everything, and computes the verdict "
                "and the Markdown text of this report again from the evidence.",
                command=code("attestore audit . --roster /from/elsewhere/roster.yaml"),
            )
        ),
    )  # fmt: skip


def plan(view: View) -> tuple[Block, ...]:
    """What the run had set out to do, before it began."""
    heading = Heading(2, say("Annex A: test plan"), "plan")
    steps = view.case.context.plan
    if not steps:
        return heading, Para(prose("Plan: **{what}**.", what=say(NOT_MEASURED)))
    return heading, plan_table(steps)


def plan_table(steps: Sequence[Step]) -> Table:
    """Steps with what they do and what they write where."""
    return Table(
        (Column(say("Phase"), wide=True), Column(say("What is done"), wide=True), Column(say("What is written"))),
        tuple((phase_words(step.phase), retold(step.does), say(step.writes or "nothing")) for step in steps),
    )


def network(reading: Reading) -> str:
    """What the restored copy could reach, in words."""
    told = reading.shown("target.network")
    return say(_NETWORKS[told]) if told in _NETWORKS else told


def _pace(reading: Reading) -> Iterator[Fact]:
    """How gently the source was worked, where somebody chose it."""
    if reading.number("source.jobs") is not None:
        yield Fact(say("Sessions at work on the source"), say("{n} at once, at most", n=reading.shown("source.jobs")))
    if reading.number("source.pause") is not None:
        yield Fact(say("Rest between two chunks of the source"), reading.shown("source.pause"))


def _preflight(reading: Reading) -> str:
    checks, problems = reading.number("preflight.checks"), reading.number("preflight.problems")
    if checks is None or problems is None:
        return say(
            "{n} checks, {problems} problems",
            n=reading.shown("preflight.checks"), problems=reading.shown("preflight.problems"),
        )  # fmt: skip
    return f"{numbers.counted(checks, 'check')}, {numbers.counted(problems, 'problem')}"


def statements(view: View) -> tuple[Block, ...]:
    """The exact SQL, in the order in which a reader will ask for it."""
    source = view.case.source
    blocks: list[Block] = [
        Heading(2, say("Annex B: executed statements"), "statements"),
        Para(say("Each was asked of both sides. Statements that are made once per table are shown for one table.")),
    ]
    if source is None and not view.gate.probes:
        return (*blocks[:1], Para(prose("Statements: **{what}**.", what=say(NOT_MEASURED))))
    queries = source.queries if source else ()
    blocks += [Code(query.sql, language="sql", caption=among(query.name, _ASKED)) for query in queries]
    blocks += [
        Code(probe.sql, language="sql", caption=prose("Probe: {title}", title=probe.title or probe.id))
        for probe in view.gate.probes
    ]
    return tuple(blocks)
