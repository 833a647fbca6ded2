"""How it was done: method in plain words, environment, how to verify, the plan, and the statements that were executed."""

from __future__ import annotations

from collections.abc import Sequence

from attestore.evidence import Step
from attestore.report.one import numbers
from attestore.report.one.blocks import Block, Bullets, Code, Column, Fact, Facts, Heading, Para, Table
from attestore.report.one.case import NOT_MEASURED, Reading, View, server
from attestore.report.one.recovery import phase_words
from attestore.report.one.words import code, prose

__all__ = ["environment", "method", "plan", "plan_table", "statements", "verification"]


def method(view: View) -> tuple[Block, ...]:
    """The experiment, as one would tell it."""
    said: list[str] = [
        "A locked, exported snapshot of the source was taken; the proof (objects, row counts, fingerprints, probes) and the dump saw that same snapshot.",
        "The dump was compressed, encrypted to the recipients’ public keys, stored, read back and compared; the proof was sealed beside it.",
        "The local copy was destroyed. That is the disaster: whatever follows came out of the store.",
        "On the order to restore, the parts were fetched, compared with the signed manifest, decrypted and restored into a new, isolated server, section by section.",
        "The recovery time ended when the restored database answered its first query. Only then began the comparison: a second proof, taken from the restored database, against the proof that came with the backup.",
        "At the end the restored copy was damaged deliberately to see whether the comparison notices; then the isolated server was removed.",
        "A pure function of the gate file and the recorded observations gave the verdict. Anybody can run it again.",
    ]
    if not view.restores:
        said = [*said[:2], *(sentence for sentence in said if sentence.startswith("A pure function"))]
        said.insert(
            2,
            "The stored bytes of every part were fetched back, their packets read, and each part was offered to a keyring with and to one without the private key.",
        )
    return Heading(2, "Method", "method"), Bullets(tuple(said))  # fmt: skip


def environment(view: View) -> tuple[Block, ...]:
    """Machine, servers, programmes and settings."""
    reading, context = view.reading, view.case.context
    facts = [
        Fact("Host", reading.shown("run.host")),
        Fact("Source server", server(reading.shown("source.version"))),
        Fact("Source cluster", reading.shown("source.identifier"), mono=True),
        Fact("Source database", reading.shown("source.database"), note=reading.shown("source.size")),
        Fact("Encoding and collation", reading.shown("source.encoding")),
    ]
    if view.restores:
        facts += [
            Fact("Target server", server(reading.shown("target.version"))),
            Fact("Target cluster", reading.shown("target.identifier"), mono=True),
            Fact(
                "Target segregated",
                reading.shown("target.segregated"),
                note="another system identifier than the source’s",
            ),
            Fact(
                "Target new and empty",
                reading.shown("target.empty"),
                note="made by this run, without a relation before the restore",
            ),
            Fact("Target network", reading.shown("target.network")),
            Fact("Target writes durably", reading.shown("restore.durable"), note="fsync and full_page_writes"),
            Fact("Parallel jobs", f"dump {reading.shown('dump.jobs')}, restore {reading.shown('restore.jobs')}"),
            Fact("Errors while restoring", reading.shown("restore.errors")),
            Fact("Time of the comparison", reading.shown("verify.elapsed"), note="not part of the RTO"),
            Fact("Teardown complete", reading.shown("teardown.complete")),
        ]
    facts += [
        Fact("Preflight", _preflight(reading)),
        Fact("Clocks", "durations: monotonic clock of the host; instants: its wall clock, UTC; snapshot: the source’s clock"),
        Fact("Attestore", context.attestore, note=prose("report renderer {version}", version=context.renderer)),
        Fact("Roster", context.roster_digest, note="SHA-256 of the file in force", mono=True),
        Fact("Ledger", context.ledger_head, note=prose("head after entry {n}, the start of this run", n=numbers.count(context.ledger_count)), mono=True),
    ]  # fmt: skip
    blocks: list[Block] = [Heading(2, "Environment", "environment"), Facts(tuple(facts))]
    tools = reading.subjects("tool.version")
    if tools:
        blocks.append(
            Table(
                (Column("Programme or library"), Column("Version", wide=True)),
                tuple((tool, reading.shown("tool.version", tool)) for tool in tools),
                caption="Tools",
            )
        )
    looked = reading.subjects("preflight.check")
    if looked:
        blocks.append(
            Table(
                (Column("Looked at"), Column("Seen", wide=True)),
                tuple((look, reading.shown("preflight.check", look)) for look in looked),
                caption=f"Looked at before anything happened: {len(looked)} things",
            )
        )
    chosen = reading.subjects("target.setting")
    if chosen:
        blocks.append(
            Table(
                (Column("Setting", mono=True), Column("Value", mono=True, wide=True)),
                tuple((name, reading.shown("target.setting", name)) for name in chosen),
                caption="Server settings chosen for the target",
            )
        )
    pinned = view.case.source.session if view.case.source else ()
    if pinned and view.restores:
        blocks.append(
            Table(
                (Column("Setting", mono=True), Column("Value", mono=True, wide=True)),
                tuple((item.name if item.scope == "session" else f"{item.name} (dump)", item.value) for item in pinned),
                caption="Session settings pinned on both sides while rows were fingerprinted",
            )
        )
    return tuple(blocks)


def verification(_: View) -> tuple[Block, ...]:
    """The shortest honest check, and where the long one is."""
    return (
        Heading(2, "How to verify", "verify"),
        Para(
            "In the folder of this run, with a keyring that holds the keys of the roster. The roster and its keys must reach you by "
            "another way than this archive."
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
    heading = Heading(2, "Annex A: test plan", "plan")
    steps = view.case.context.plan
    if not steps:
        return heading, Para(prose("Plan: **{what}**.", what=NOT_MEASURED))
    return heading, plan_table(steps)


def plan_table(steps: Sequence[Step]) -> Table:
    """Steps with what they do and what they write where."""
    return Table(
        (Column("Phase"), Column("What is done", wide=True), Column("What is written", wide=True)),
        tuple((phase_words(step.phase), step.does, step.writes or "nothing") for step in steps),
    )


def _preflight(reading: Reading) -> str:
    checks, problems = reading.number("preflight.checks"), reading.number("preflight.problems")
    if checks is None or problems is None:
        return f"{reading.shown('preflight.checks')} checks, {reading.shown('preflight.problems')} problems"
    return f"{numbers.counted(checks, 'check')}, {numbers.counted(problems, 'problem')}"


def statements(view: View) -> tuple[Block, ...]:
    """The exact SQL, in the order in which a reader will ask for it."""
    source = view.case.source
    blocks: list[Block] = [
        Heading(2, "Annex B: executed statements", "statements"),
        Para("Each was asked of both sides. Statements that are made once per table are shown for one table."),
    ]
    if source is None and not view.gate.probes:
        return (*blocks[:1], Para(prose("Statements: **{what}**.", what=NOT_MEASURED)))
    queries = source.queries if source else ()
    blocks += [Code(query.sql, language="sql", caption=query.name) for query in queries]
    blocks += [
        Code(probe.sql, language="sql", caption=prose("Probe: {title}", title=probe.title or probe.id))
        for probe in view.gate.probes
    ]
    return tuple(blocks)
