"""What stands in a runbook, in the order in which somebody needs it at three in the morning."""

from __future__ import annotations

from typing import Final

from attestore.report import numbers
from attestore.report.blocks import (
    Align,
    Block,
    Callout,
    Cell,
    Code,
    Column,
    Document,
    Fact,
    Facts,
    Heading,
    Para,
    Table,
    Text,
    Tone,
)
from attestore.report.method import network
from attestore.report.phases import phase_words
from attestore.report.runbook import hands
from attestore.report.runbook.failures import failures
from attestore.report.runbook.sources import Rehearsal
from attestore.report.voice import later, say
from attestore.report.words import code, plain, prose
from attestore.verdict import Outcome

__all__ = ["runbook_document"]

_BOX: Final = "☐"
_BLANK: Final = "………………"
_MOST_TABLES: Final = 40
_MOST_BACKUPS: Final = 5
_DOES: Final = {
    "retrieve": later("Every part of the backup is copied from the store, sized and digested on its way."),
    "unseal": later("Each part is decrypted with the private key, unpacked, and compared with its digest."),
    "prepare": later("The database is made with the source's encoding and locale; roles that are missing are made."),
    "schema": later("Tables, types, functions: everything that has to be there before rows are."),
    "data": later("Rows. No trigger exists yet, so none fires."),
    "indexes": later("Keys, indexes, constraints, triggers."),
    "finalize": later("Owner, rights and settings; statistics; the first query is answered."),
}

_AFTERWARDS: Final = (
    later("Roles that were made can log in only with --logins, and only if the backup knew how. Else set passwords."),
    later(
        "Point applications at the new server. Start jobs, replication and subscriptions by hand: none is started for you."
    ),
    later(
        "Back again: applications at the old server, as long as nobody wrote into the new database. After that, only by another restore."
    ),
    later("Take a new backup of the new server, and drill it."),
    later("Keep the recovery record, the old server's disk and this page, with the times that you wrote on it."),
    later("Keys that left escrow: put them back, or make new ones."),
)


def runbook_document(told: Rehearsal) -> Document:
    """The runbook of a system.

    Raises:
        ArchiveError: the bundle holds no backup's manifest or proof.
    """
    system = told.case.context.system
    title = prose("Disaster recovery of {system}", system=system)
    blocks = (
        *_front(told),
        *_decide(told),
        *_people(told),
        *_needed(told),
        *_steps(told),
        *_hands(told),
        *_verify(told),
        *_communicate(told),
        *_failing(),
        *_after(),
        *_whence(told),
    )
    return Document(
        kind=say("Runbook"),
        title=title,
        plain_title=plain(title),
        subtitle=prose(
            "As rehearsed on {day}, printed {now}", day=numbers.day(told.case.context.ended), now=numbers.day(told.now)
        ),
        running=told.case.context.run,
        ledger="",
        watermark="EXPIRED" if told.expired else "",
        language=told.language,
        paper=told.paper,
        blocks=blocks,
        contents=True,
        organisation=told.branding.organisation,
        accent=told.branding.accent,
        logo=told.branding.logo,
    )


def _front(told: Rehearsal) -> list[Block]:
    reading, listing = told.reading, told.manifest
    good = told.outcome is Outcome.PASS and not told.expired and told.since is None
    lines: list[Text] = [
        prose(
            "The last drill restored this system in **{rto}**, from the order to the first query{target}.",
            rto=reading.shown("restore.rto"),
            target=_target(told),
        )
    ]
    if reading.flag("restore.durable") is False:
        lines.append(
            say(
                "It restored into a server without fsync: a production server takes longer. Read the times as lower bounds."
            )
        )
    if told.outcome is not Outcome.PASS:
        lines.append(
            prose(
                "Its gates said **{outcome}**: read that report before you rely on this page.",
                outcome=told.outcome.name,
            )
        )
    if told.since is not None:
        run, how = told.since
        lines.append(prose("**A newer run did not go through:** {run} ended {how}.", run=run, how=how))
    if told.expires is not None:
        words = (
            say("**It is too old since {when}.** Figures may have grown.")
            if told.expired
            else say("It counts until {when}.")
        )
        lines.append(prose(words, when=numbers.instant(told.expires)))
    command = _command(told)
    return [
        Callout(
            Tone.GOOD if good else Tone.DOUBT,
            say("REHEARSED") if good else say("REHEARSED, WITH RESERVATIONS"),
            tuple(lines),
            large=True,
        ),
        Facts(
            (
                Fact(say("Recovery time"), reading.shown("restore.rto")),
                Fact(say("Comparison after that"), reading.shown("verify.elapsed")),
                Fact(say("Database"), numbers.size(listing.source_size)),
                Fact(say("Drill's age"), _age(told.age)),
            ),
            tiles=True,
        ),
        Table(
            (Column(""), Column(say("Do this"), wide=True), Column(say("Takes"), Align.RIGHT)),
            (
                (_BOX, prose("**Declare it.** Who, and when: {blank}  (section 1)", blank=_BLANK), ""),
                (
                    _BOX,
                    say(
                        "Stop everything that writes. Leave the broken server as it is: it is evidence, and may be a source."
                    ),
                    "",
                ),
                (_BOX, prose("Fetch the private key {key} (section 2).", key=code(_short(listing.recipients))), ""),
                (
                    _BOX,
                    prose(
                        "Name a server: {version} or newer, with room for {size} (section 3).",
                        version=f"PostgreSQL {listing.source_major}",
                        size=numbers.size(listing.source_size),
                    ),
                    "",
                ),
                (
                    _BOX,
                    say("Give the first command below. It writes nothing, and says everything that stands in the way."),
                    "",
                ),
                (_BOX, say("Give the second command."), reading.shown("restore.rto")),
                (
                    _BOX,
                    say(
                        "Read its last lines: exit code 0 means that everything is as it was backed up (sections 6 and 8)."
                    ),
                    reading.shown("verify.elapsed"),
                ),
                (_BOX, say("Let people in, tell them (section 7), take a new backup (section 9)."), ""),
            ),
            caption=say("In short"),
        ),
        Code(f"{command} --dry-run", "sh", caption=say("First: look, and write nothing")),
        Code(f"{command} --record recovery-records", "sh", caption=say("Then: restore, compare, leave a record")),
        Para(
            prose(
                "{store}: where the backups are; the drill fetched from {where}. {key}: the file of the private key. {signer}: the "
                "signer's public key, from a place that you trust. {target}: the server, such as {example}; its password in PGPASSWORD.",
                store=code("$STORE"),
                where=code(reading.source("fetched.parts")),
                key=code("$KEY"),
                signer=code("$SIGNER"),
                target=code("$TARGET"),
                example=code("host=db2 user=postgres dbname=postgres"),
            ),
            quiet=True,
        ),
    ]


def _command(told: Rehearsal) -> str:
    reading, listing = told.reading, told.manifest
    signer = reading.text("backup.manifest.signer") or told.case.context.operator.fingerprint
    lines = [
        f"attestore restore --backup latest --system {listing.system}",
        '  --store "$STORE" --key "$KEY" --into "$TARGET"',
        f'  --signer {signer} --signer-key "$SIGNER"',
        f"  --logins --jobs {reading.number('restore.jobs') or 1}",
    ]
    return " \\\n".join(lines)


def _decide(told: Rehearsal) -> list[Block]:
    reading = told.reading
    approval = next((gate.approval for gate in told.case.gates if gate.approval is not None), None)
    roles = ", ".join(approval.roles) if approval is not None else say("whoever answers for the system")
    rows: tuple[tuple[Cell, ...], ...] = (
        (
            prose("**Is it a disaster?**"),
            prose(
                "If the database can't be brought back as it is in less time than {rto} and the decision take together.",
                rto=reading.shown("restore.rto"),
            ),
            roles,
        ),
        (
            prose("**Which backup?**"),
            say("The newest. If data was damaged by people or code: the newest that is older than the damage."),
            roles,
        ),
        (
            prose("**What is lost?**"),
            prose(
                "Everything written after that backup's snapshot. The drill's backup was {rpo} old when the restore was ordered.",
                rpo=reading.shown("restore.rpo"),
            ),
            roles,
        ),
        (
            prose("**Where to?**"),
            say(
                "A new database on a server that works. Never into what is there; the old database stays until this is over."
            ),
            say("operator"),
        ),
        (
            prose("**It differs (exit code 1): go on?**"),
            say(
                "Every difference is named. A role that was there before is one thing, missing rows are another. Else: the backup before."
            ),
            roles,
        ),
    )
    blocks: list[Block] = [
        Heading(2, say("1 · Decide"), "decide", fresh_page=True),
        Table((Column(say("Decision")), Column(say("By what"), wide=True), Column(say("By whom"))), rows),
        Facts(
            (
                Fact(say("Declared by"), _BLANK),
                Fact(say("Declared at (UTC)"), _BLANK),
                Fact(say("Backup chosen"), _BLANK),
            )
        ),
    ]
    if told.backups:
        blocks.append(
            Table(
                (Column(""), Column(say("Backup"), mono=True, wide=True), Column(say("Stored"))),
                tuple((_BOX, each.backup, numbers.instant(each.at)) for each in told.backups[:_MOST_BACKUPS]),
                caption=say("The newest backups that the ledger knew when this was printed"),
                note=say("attestore list names all that the store holds by now."),
            )
        )
    return blocks


def _people(told: Rehearsal) -> list[Block]:
    listing, reading = told.manifest, told.reading
    rows: list[tuple[Cell, ...]] = []
    for person in told.roster.people if told.roster is not None else ():
        keys = ", ".join(key.fingerprint for key in person.keys)
        rows.append((person.name, ", ".join(person.roles), code(keys) if keys else "–", _BLANK))
    rows += [(_BLANK, role, "–", _BLANK) for role in (say("incident lead"), say("application owner"))]
    holders = {
        key.fingerprint: person.name for person in (told.roster.people if told.roster else ()) for key in person.keys
    }
    opens: list[tuple[Cell, ...]] = [
        (code(each), say("opens the backup (private key needed)"), holders.get(each, _BLANK))
        for each in listing.recipients
    ]
    signer = reading.text("backup.manifest.signer")
    if signer is not None:
        opens.append((code(signer), say("signed the backup (public key needed)"), holders.get(signer, _BLANK)))
    return [
        Heading(2, say("2 · People and keys"), "people"),
        Table(
            (Column(say("Key"), wide=True), Column(say("What for")), Column(say("Who holds it"))),
            tuple(opens),
            caption=say("Keys"),
            note=say("Where the private key lies in escrow, and who may open that: ……………………………………"),
        ),
        Table(
            (Column(say("Name")), Column(say("Role")), Column(say("Key"), wide=True), Column(say("Telephone"))),
            tuple(rows),
            caption=say("People")
            if told.roster is not None
            else say("People: no roster was at hand when this was printed"),
        ),
    ]


def _needed(told: Rehearsal) -> list[Block]:
    listing, reading = told.manifest, told.reading
    sealed, opened = (reading.number(f"backup.size.{kind}") for kind in ("sealed", "plain"))
    used = [
        name
        for name in ("attestore", "gpg", "pg_restore", "python", "postgres (target)")
        if reading.text("tool.version", name)
    ]
    work = say("not measured") if sealed is None or opened is None else numbers.size_exact(sealed + opened)
    where = listing.locale
    facts = [
        Fact(
            say("Target server"),
            say("PostgreSQL {major} or newer", major=str(listing.source_major)),
            note=say("the source was {version}", version=listing.source_version),
        ),
        Fact(
            say("Room on the target"), numbers.size_exact(listing.source_size), note=say("as large as the source was")
        ),
        Fact(say("Room in TMPDIR"), work, note=say("sealed and opened parts side by side")),
        Fact(say("Encoding and locale"), f"{where.encoding}, {where.provider}, {where.locale or where.collate}"),
        Fact(say("Extensions"), ", ".join(f"{name} {version}" for name, version in listing.extensions) or say("none")),
        Fact(say("Network"), say("store to this machine, this machine to the target")),
    ]
    return [
        Heading(2, say("3 · What has to be there"), "needed"),
        Facts(tuple(facts)),
        Table(
            (Column(say("Programme")), Column(say("Version in the drill"), wide=True)),
            tuple((name, reading.shown("tool.version", name)) for name in used),
            caption=say("Programmes on the machine that restores"),
            note=say(
                "pip install attestore brings its own libraries; gpg and PostgreSQL's programmes come from the distribution."
            ),
        ),
    ]


def _steps(told: Rehearsal) -> list[Block]:
    rows: list[tuple[Cell, ...]] = []
    passed = 0
    for number, (phase, took) in enumerate(told.phases, start=1):
        rows.append(
            (
                str(number),
                phase_words(phase),
                say(_DOES[phase]),
                numbers.duration(took),
                numbers.duration(passed + took),
            )
        )
        passed += took
    blocks: list[Block] = [
        Heading(2, say("4 · The steps, as they were carried out"), "steps"),
        Para(
            say(
                "The one command does all of these. They are told so that you know where it stands, and what it ran. "
                "The drill made a server of its own; on the bad day the server is there, and the second command makes a database on it."
            )
        ),
        Table(
            (
                Column("", Align.RIGHT),
                Column(say("Step")),
                Column(say("What is done"), wide=True),
                Column(say("Took"), Align.RIGHT),
                Column(say("Ended at"), Align.RIGHT),
            ),
            tuple(rows),
            caption=say("Measured in the drill, from the order to restore"),
            total=("", say("Total"), "", told.reading.shown("restore.rto"), ""),
        ),
    ]
    for phase in dict.fromkeys(phase for phase, _ in told.commands):
        ran = [command for name, command in told.commands if name == phase]
        blocks.append(
            Code(
                "\n".join(each.shown() for each in ran),
                "sh",
                caption=say("{phase}: what was run", phase=phase_words(phase)),
            )
        )
    if not told.commands:
        blocks.append(Para(say("The bundle holds no log of the programmes that were run."), quiet=True))
    return blocks


def _hands(told: Rehearsal) -> list[Block]:
    return [
        Heading(2, say("5 · By hand, without Attestore"), "hands"),
        Para(
            say(
                "If the programme itself is out of reach: the same, with gpg, zstd and PostgreSQL's programmes. Nothing compares it for you; do section 6."
            )
        ),
        Code(hands.script(told.manifest, jobs=told.reading.number("restore.jobs") or 1), "sh"),
        hands.parts_table(told.manifest),
    ]


def _verify(told: Rehearsal) -> list[Block]:
    source, reading = told.source, told.reading
    tables = sorted(
        (each for each in source.tables if not each.uncovered), key=lambda each: (-each.rows, each.schema, each.name)
    )
    rows: list[tuple[Cell, ...]] = [
        (_BOX, f"{each.schema}.{each.name}", numbers.count(each.rows), "………") for each in tables[:_MOST_TABLES]
    ]
    folded = len(tables) - len(rows)
    blocks: list[Block] = [
        Heading(2, say("6 · Verify"), "verify"),
        Para(
            say(
                "The command compares every table, definition, key and sequence with the proof that the backup carries. These are the "
                "figures of the backup that was rehearsed: a newer one has more rows, and about the same shape."
            )
        ),
        Facts(
            (
                Fact(say("Tables"), reading.shown("tables.expected")),
                Fact(say("Rows"), reading.shown("rows.expected")),
                Fact(say("Definitions and settings"), reading.shown("objects.compared")),
                Fact(say("Foreign keys"), reading.shown("foreign_keys.checked")),
                Fact(say("Sequences"), reading.shown("sequences.compared")),
            )
        ),
        Table(
            (
                Column(""),
                Column(say("Table"), wide=True),
                Column(say("Rows in the drill"), Align.RIGHT),
                Column(say("Rows now")),
            ),
            tuple(rows),
            caption=say("Rows, the largest tables first"),
            note=say("{count} smaller tables are in the bundle's proof.source.json.", count=numbers.count(folded))
            if folded > 0
            else "",
        ),
    ]
    answers = {each.probe: each for each in source.probes}
    asked: list[tuple[Cell, ...]] = []
    for gate in told.case.gates:
        for probe in gate.probes:
            answer = answers.get(probe.id)
            asked.append(
                (_BOX, probe.title, say("not asked") if answer is None else _answer(answer.rows, answer.value), gate.id)
            )
    if asked:
        columns = (
            Column(""),
            Column(say("Probe"), wide=True),
            Column(say("Answered in the drill")),
            Column(say("Gate"), whole=True),
        )
        note = say("The statements stand in the gate's file, in the bundle below gates/.")
        blocks.append(Table(columns, tuple(asked), caption=say("Ask it what the gates ask"), note=note))
    return blocks


def _answer(rows: int, value: int | None) -> str:
    if value is not None:
        return numbers.count(value)
    return numbers.counted(rows, "row")


def _communicate(told: Rehearsal) -> list[Block]:
    system, rto = told.case.context.system, told.reading.shown("restore.rto")
    first = say(
        "[{system}] Since ………… UTC {system} is not available. We restore it from backup. The rehearsed recovery takes {rto}, "
        "without decision and preparation. Data written after ………… UTC may be lost. Next word at ………… UTC. Lead: …………………",
        system=system,
        rto=rto,
    )
    between = say(
        "[{system}] Step ………… of {steps} ended at ………… UTC. Expected end: ………… UTC. Next word at ………… UTC.",
        system=system,
        steps=numbers.count(len(told.phases)),
    )
    last = say(
        "[{system}] {system} is available again since ………… UTC. Restored: the state of ………… UTC. Written later and lost: …………………. "
        "Compared with the backup: equal / differs in …………………. Please report what looks wrong to …………………",
        system=system,
    )
    return [
        Heading(2, say("7 · Tell people"), "tell"),
        Table(
            (Column(""), Column(say("Whom")), Column(say("How"), whole=True), Column(say("When"), wide=True)),
            (
                (_BOX, say("Users"), _BLANK, say("declared · each 30 minutes · ended")),
                (_BOX, say("Management"), _BLANK, say("declared · decisions of section 1 · ended")),
                (
                    _BOX,
                    say("Security, data protection"),
                    _BLANK,
                    say("declared, if data may be lost or was damaged on purpose"),
                ),
                (_BOX, say("Provider or support"), _BLANK, say("when section 8 says so")),
            ),
        ),
        Code(first, caption=say("When it is declared")),
        Code(between, caption=say("In between")),
        Code(last, caption=say("When it is over")),
    ]


def _failing() -> list[Block]:
    return [
        Heading(2, say("8 · If it fails"), "failing"),
        Para(
            say(
                "Nothing that was there before is dropped or altered, so that every step can be repeated. A recovery that stopped leaves its "
                "unfinished database, called recovering_ and twelve digits: the next attempt makes another. Drop it when nobody needs it."
            )
        ),
        failures(),
    ]


def _after() -> list[Block]:
    return [
        Heading(2, say("9 · Afterwards"), "after"),
        Table(
            (Column(""), Column(say("What"), wide=True)),
            tuple((_BOX, say(each)) for each in _AFTERWARDS),
        ),
    ]


def _whence(told: Rehearsal) -> list[Block]:
    context, reading = told.case.context, told.reading
    return [
        Heading(2, say("10 · Where the figures come from"), "whence"),
        Para(
            say(
                "Every figure on these pages was measured in one drill, and is in its bundle. What was not measured is not told."
            )
        ),
        Facts(
            (
                Fact(say("Run"), context.run, mono=True),
                Fact(say("Ended"), numbers.instant(context.ended)),
                Fact(say("Run by"), context.operator.name),
                Fact(
                    say("Gates"),
                    ", ".join(f"{each.gate} {each.outcome.name}" for each in told.case.verdicts) or say("none"),
                ),
                Fact(say("Statement"), told.statement, mono=True),
                Fact(say("Backup"), told.manifest.backup, mono=True),
                Fact(say("Backup digest"), told.manifest.digest, mono=True),
                Fact(say("Restored into"), reading.shown("target.version"), note=network(reading)),
                Fact(say("Made again by"), f"attestore runbook {context.system}", mono=True),
            )
        ),
    ]


def _target(told: Rehearsal) -> str:
    gate = told.gate
    check = next((each for each in gate.checks if each.fact == "restore.rto"), None) if gate is not None else None
    return say("; it must be {bound}", bound=f"{check.operator.value} {check.written}") if check is not None else ""


def _age(ms: int) -> str:
    days = ms // 86_400_000
    return numbers.counted(days, "day") if days else say("less than a day")


def _short(fingerprints: tuple[str, ...]) -> str:
    return ", ".join(fingerprints)
