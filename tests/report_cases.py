"""Cases for the tests of reports: a run shaped like the demo, and what can become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from attestore import canon, instants
from attestore.evidence import Context, Locale, Manifest, Observation, PartRecord, Past, Person, Step
from attestore.evidence.decision import Decision, Meaning, Waiver
from attestore.evidence.revision import Revision
from attestore.facts import RTO_PHASES, Value
from attestore.forecast import measured
from attestore.gate import Approval, Check, Control, Coverage, Gate, Operator, Probe, Severity
from attestore.proof import (
    Behaviour,
    Change,
    Computed,
    Did,
    Exercise,
    ForeignKey,
    Located,
    Object,
    ProbeResult,
    Proof,
    Query,
    RowKey,
    Sequence,
    Setting,
    Table,
    compare,
)
from attestore.report import Case
from attestore.standing import Judged, hold
from attestore.verdict import judge

HOSTILE: Final = (
    "users | PASS",
    "a\nb | **PASS** |",
    "`code` ``more``",
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "emoji 🦊 名前 مرحبا",
    "# heading",
    "1. item",
    "- [x] done",
    "![i](http://x/y.png) [l](javascript:alert(1))",
    "www.example.com https://e.com a@b.c &lt; &#124;",
    " lead and trail ",
    "two  spaces",
    "back\\slash | \\| end\\",
    "~~~",
    "{{ 7*7 }} {% if x %}",
    "\x00\x07\x1b[31m",
    "_under_ *star* __x__",
    "x" * 63,
    "---",
    "| --- |",
    "```",
    "> quote",
    "-->",
)

ROWS: Final = {
    "users": 100,
    "sessions": 187,
    "images": 500,
    "image_variants": 2000,
    "albums": 50,
    "album_images": 342,
    "tags": 100,
    "image_tags": 847,
    "likes": 2156,
    "comments": 1023,
}
_PHASES: Final = {
    "retrieve": 18, "unseal": 164, "prepare": 512, "schema": 96, "data": 221, "indexes": 143, "finalize": 80,
}  # fmt: skip
_EDGES: Final = (
    ("unicode", "Unicode content (emoji, Cyrillic, Chinese, Arabic)", 6),
    ("nulls", "NULL values", 74),
    ("empty", "Empty strings", 12),
    ("soft-deletes", "Soft deletes", 9),
    ("revoked", "Revoked sessions", 21),
    ("infected", "Infected images", 4),
    ("orphan-prevention", "Orphan prevention", 13),
    ("long", "Long content (500+ characters)", 17),
    ("special", "Special characters", 8),
    ("microseconds", "Timestamp precision", 187),
)
_KEYS: Final = (
    ("sessions", "user_id", "users"), ("images", "owner_id", "users"), ("image_variants", "image_id", "images"),
    ("albums", "owner_id", "users"), ("albums", "cover_image_id", "images"), ("album_images", "album_id", "albums"),
    ("album_images", "image_id", "images"), ("image_tags", "image_id", "images"), ("image_tags", "tag_id", "tags"),
    ("likes", "user_id", "users"), ("likes", "image_id", "images"), ("comments", "image_id", "images"),
    ("comments", "user_id", "users"),
)  # fmt: skip
_PARTS: Final = (("archive", 412_118, 2_516_582), ("globals", 2_011, 1_404), ("proof", 31_870, 118_402))


_LOOKS = (
    ("keys: sealing and unsealing a nonce", "1 recipient"),
    ("keys: signing a nonce", "0123456789ABCDEF0123456789ABCDEF01234567"),
    ("store: round trip of a nonce", "/srv/backups"),
    ("source: reachable", "gallery at db.example:5432"),
    ("source: tables readable", "10 tables"),
    ("source: row level security", "hides no row from this role"),
    ("source: logical slots", "1; note: replication slots are no part of any dump: make them anew after a recovery"),
    ("target: extensions", "2 of 2 are here"),
    ("machine: disk", "51,200 MiB free, 300 MiB needed"),
)
"""what preflight looked at, one with a note"""


def gate_004(*, target: str = "< 30m", bound: int = 1_800_000) -> Gate:
    """The restoration gate, as shipped in spirit."""
    operator, written = target.split(" ", 1)
    return Gate(
        id="S9-PROD-004",
        title="Backup restoration tested",
        statement="A production backup restores into an isolated server, complete and unchanged, within the recovery time objective.",
        severity=Severity.BLOCKING,
        cadence_ms=31 * 86_400_000,
        controls=(
            Control("soc2", "A1.3", "Recovery plan procedures are tested", Coverage.DIRECT),
            Control("iso27001-2022", "A.8.13", "Information backup", Coverage.PARTIAL),
            Control("nist-800-53r5", "CP-9(1)", "Testing for Reliability and Integrity", Coverage.DIRECT),
        ),
        checks=(
            Check("rto", "restore.rto", Operator(operator), bound, written, title="Recovery time objective"),
            Check("rows", "tables.rows.differing", Operator.EQUAL, 0, "0", of="tables.compared", title="Row counts equal"),
            Check("content", "tables.fingerprints.differing", Operator.EQUAL, 0, "0", of="tables.compared", title="Content of every table equal"),
            Check("missing", "tables.missing", Operator.EQUAL, 0, "0", of="tables.expected", title="No table missing"),
            Check("orphans", "foreign_keys.orphans", Operator.EQUAL, 0, "0", of="foreign_keys.checked", title="No row without its parent"),
            Check("objects", "objects.differing", Operator.EQUAL, 0, "0", of="objects.compared", title="Definitions equal"),
            Check("indexes", "indexes.invalid", Operator.EQUAL, 0, "0", of="indexes.checked", title="Indexes valid"),
            Check("sequences", "sequences.behind", Operator.EQUAL, 0, "0", of="sequences.compared", title="Sequences ahead of their keys"),
            Check("errors", "restore.errors", Operator.EQUAL, 0, "0", title="No error while restoring"),
            Check("segregated", "target.segregated", Operator.EQUAL, True, "true", title="Target segregated"),
            Check("awake", "control.noticed", Operator.AT_LEAST, 3, "3", of="control.planted", title="The checker is awake"),
        ),
        probes=tuple(
            Probe(name, title, f"SELECT id, title\nFROM images\nWHERE note = '{name}'  -- {title}\nORDER BY id", Operator.AT_LEAST, 1,
                  values=((Operator.AT_LEAST, 1), (Operator.AT_MOST, 9)) if name == "infected" else ())
            for name, title, _ in _EDGES
        ),
        approval=Approval(roles=("release-manager", "security"), people=2, not_the_operator=True),
        labels=(("sprint", "9"), ("priority", "P0")),
        text=b"gate: S9-PROD-004\n",
    )  # fmt: skip


def gate_003() -> Gate:
    """The encryption gate."""
    flags = (("decrypts", "Opens with the private key"), ("refused", "Refused without it"))
    return Gate(
        id="S9-PROD-003",
        title="Database backups encrypted",
        statement="Every part of a backup is encrypted to allowed recipients only, and nobody without the private key can read it.",
        severity=Severity.BLOCKING,
        cadence_ms=31 * 86_400_000,
        controls=(Control("nist-800-53r5", "CP-9(8)", "Cryptographic Protection", Coverage.DIRECT),),
        checks=(
            *(
                Check(name, f"seal.{name}", Operator.EQUAL, True, "true", of="seal.parts", title=title)
                for name, title in flags
            ),
            Check("bits", "seal.key.bits", Operator.AT_LEAST, 4096, "4096", of="seal.parts", title="Key size"),
            Check("cipher", "seal.cipher", Operator.EQUAL, "AES256", "AES256", of="seal.parts", title="Cipher"),
            Check("magic", "seal.magic", Operator.EQUAL, 0, "0", of="seal.parts", title="No plaintext signature"),
            Check("strangers", "seal.recipients.unexpected", Operator.EQUAL, 0, "0", of="seal.parts", title="Allowed recipients only"),
        ),
        probes=(),
        approval=None,
        labels=(),
        text=b"gate: S9-PROD-003\n",
    )  # fmt: skip


def context(**changes: object) -> Context:
    """What the run tells besides its observations."""
    usual = Context(
        run="20261122T194200Z-goimg-7f3a",
        system="goimg-production",
        scenario="Loss of the database server: the latest backup restored into an isolated server",
        started="2026-11-22T19:42:00.118Z",
        ended="2026-11-22T19:42:14.502Z",
        operator=Person("mira", "Mira Okafor", ("operator",), "8F0B2D6A11C95E7730AA41DD902B6C5E7F1A33D4"),
        closed_by="",
        roster_digest=canon.sha256_hex(b"roster"),
        ledger_count=17,
        ledger_head=canon.sha256_hex(b"ledger"),
        plan=(
            Step("preflight", "look at source, programmes, keys, disk and store", ""),
            Step("snapshot", "lock every table in ACCESS SHARE mode and export one snapshot", ""),
            Step("dump", "pg_dump at that snapshot, 2 jobs", "the private workspace"),
            Step("retrieve", "fetch every part and compare it with the signed manifest", "the private workspace"),
        ),
        history=(
            Past("20261025T020000Z-goimg-11aa", "S9-PROD-004", "2026-10-25T02:00:15.000Z", "PASS", 1_301, 440_118),
            Past("20260924T020000Z-goimg-90cd", "S9-PROD-004", "2026-09-24T02:00:19.000Z", "FAIL", 2_204, 431_900),
            Past("20260824T020000Z-goimg-17ee", "S9-PROD-004", "2026-08-24T02:00:03.000Z", "UNKNOWN", None, None),
        ),
        attestore="0.1.0",
        renderer="2",
        language="en",
        paper="A4",
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def proof(side: str = "source", rows: Mapping[str, int] = ROWS) -> Proof:
    """What the database holds; both sides are equal."""
    objects = [Object("function", "public.touch_updated_at()", "CREATE FUNCTION …")]
    objects += [Object("trigger", f"public.{t}.touch", "CREATE TRIGGER …") for t in list(rows)[:4]]
    objects += [Object("index", f"public.ix_{n:02d}", "CREATE INDEX …", "valid") for n in range(52)]
    objects += [Object("constraint", f"public.c_{n:02d}", "CHECK (…)") for n in range(60)]
    return Proof(
        side=side,
        database="goimg",
        server="PostgreSQL 15.18",
        taken="2026-11-22T19:42:01.004Z",
        method="audit",
        key_commitment=canon.sha256_hex(b"K"),
        session=(Setting("session", "TimeZone", "UTC"), Setting("session", "extra_float_digits", "1")),
        tables=tuple(
            Table("public", name, "table", n, (n * 7919, n * 104729, n * 1299709, n * 15485863), ("id",), size=8192 * n)
            for name, n in rows.items()
        ),
        objects=tuple(objects),
        foreign_keys=tuple(
            ForeignKey(f"public.{t}", f"{t}_{c}_fkey", f"public.{p}", validated=True, checked=side == "restored", orphans=0)
            for t, c, p in _KEYS
        ),
        sequences=(Sequence("public", "users_id_seq", 100, called=True, feeds="public.users.id", largest=100),),
        probes=tuple(
            ProbeResult(name, n, canon.sha256_hex(name.encode()), f"SELECT {name}", 4 if name == "infected" else None)
            for name, _, n in _EDGES
        ),
        settings=(Setting("database", "work_mem", "8MB"),),
        queries=(
            Query("Row count and fingerprint of a table", "SELECT count(*),\n       sum(('x' || substr(h, 1, 16))::bit(64)::bigint::numeric)\nFROM public.users"),
            Query("Foreign keys", "SELECT conname\nFROM pg_constraint\nWHERE contype = 'f'"),
        ),
        findings=() if side == "restored" else ("Table public.tags has a disabled trigger.",),
        behaviour=_behaviour(rows) if side == "restored" else None,
        computed=(
            Computed("generated column", "public", "images", "aspect", 500, (1, 2, 3, 4), ("aspect", "id")),
            Computed("materialized view", "public", "popular", "", 24 if side == "source" else 25, (5, 6, 7, 8 if side == "source" else 9), ("id",)),
        ),
    )  # fmt: skip


def _behaviour(rows: Mapping[str, int]) -> Behaviour:
    """All that was tried went well, and a few things could not be tried."""
    tried = [Exercise("check", f"public.c_{n:02d}", Did.REFUSED) for n in range(58)]
    tried += [
        Exercise("check", f"public.c_{n:02d}", Did.COMPARED, "no violating row could be derived") for n in (58, 59)
    ]
    tried += [Exercise("foreign key", f"public.{t}.{t}_{c}_fkey", Did.REFUSED) for t, c, _ in _KEYS]
    tried += [Exercise("trigger", f"public.{t}.touch", Did.FIRED, "on UPDATE") for t in list(rows)[:4]]
    tried += [Exercise("index", f"public.ix_{n:02d}", Did.SOUND) for n in range(51)]
    tried.append(Exercise("index", "public.ix_51", Did.COMPARED, "amcheck has no rule for hash"))
    return Behaviour("heap: the database is up to 1 GiB", tuple(tried))


def manifest() -> Manifest:
    """What the backup consists of."""
    return Manifest(
        backup="20261122T194201Z-goimg-production-4be1",
        system="goimg-production",
        run="20261122T194200Z-goimg-7f3a",
        taken="2026-11-22T19:42:01.004Z",
        snapshot="00000003-0000001B-1",
        lsn="0/1A2B3C8",
        database="goimg",
        source_version="15.18",
        source_major=15,
        source_identifier="7441002233445566778",
        source_size=12_004_352,
        locale=Locale("UTF8", "libc", "C.UTF-8", "C.UTF-8", ""),
        extensions=(("citext", "1.6"),),
        engine="pg_dump 15.18",
        engine_major=15,
        settings=(("jobs", "2"), ("format", "directory")),
        recipients=("0C9A55E1D2B34F7788AA90BB12CD34EF56AB78CD",),
        key_commitment=canon.sha256_hex(b"K"),
        proof_digest=canon.sha256_hex(b"proof"),
        parts=tuple(
            PartRecord(role, f"{role}.gpg", size, canon.sha256_hex(role.encode()), plain, canon.sha256_hex(b"p" + role.encode()))
            for role, size, plain in _PARTS
        ),
    )  # fmt: skip


def facts(source: Proof, restored: Proof) -> list[tuple[str, str, Value]]:
    """Everything that a complete run observes, in order."""
    seen: list[tuple[str, str, Value]] = [
        ("run.operator", "", "mira"),
        ("run.system", "", "goimg-production"),
        ("run.host", "", "Debian GNU/Linux 12, x86_64, 2 processors"),
        ("tools.recorded", "", 4),
        ("tool.version", "pg_dump", "15.18"),
        ("tool.version", "pg_restore", "15.18"),
        ("tool.version", "gpg", "2.2.40"),
        ("tool.version", "WeasyPrint", "70.0"),
        ("preflight.checks", "", len(_LOOKS)),
        *(("preflight.check", subject, seen) for subject, seen in _LOOKS),
        ("preflight.problems", "", 0),
        ("source.version", "", "15.18"),
        ("source.database", "", "goimg"),
        ("source.identifier", "", "7441002233445566778"),
        ("source.size", "", 12_004_352),
        ("source.encoding", "", "UTF8, C.UTF-8, libc"),
        ("source.uncovered", "", 0),
        ("snapshot.taken", "", "2026-11-22T19:42:01.004Z"),
        ("snapshot.lsn", "", "0/1A2B3C8"),
        ("snapshot.held", "", 1_804),
        ("backup.id", "", manifest().backup),
        ("backup.digest", "", manifest().digest),
        ("backup.manifest.signer", "", "8F0B2D6A11C95E7730AA41DD902B6C5E7F1A33D4"),
        ("backup.size.plain", "", sum(plain for _, _, plain in _PARTS)),
        ("backup.size.sealed", "", sum(size for _, size, _ in _PARTS)),
        ("backup.roles", "", 3),
        ("backup.settings", "", 1),
        ("dump.jobs", "", 2),
        ("seal.parts", "", len(_PARTS)),
        ("store.location", "", "directory store"),
        ("stored.parts", "", len(_PARTS)),
        ("stored.parts.differing", "", 0),
        ("local.destroyed", "", True),
        ("fetched.parts", "", len(_PARTS)),
        ("fetched.parts.differing", "", 0),
        ("restore.ordered", "", "2026-11-22T19:42:06.220Z"),
        *((f"restore.{phase}", "", ms) for phase, ms in _PHASES.items()),
        ("restore.rto", "", sum(_PHASES[phase] for phase in RTO_PHASES)),
        ("restore.rpo", "", 5_216),
        ("restore.errors", "", 0),
        ("restore.jobs", "", 2),
        ("restore.durable", "", False),
        ("target.version", "", "15.18"),
        ("target.identifier", "", "7441009988776655443"),
        ("target.segregated", "", True),
        ("target.empty", "", True),
        ("target.network", "", "none"),
        *compare(source, restored).facts,
        ("verify.elapsed", "", 611),
        ("control.planted", "", 3),
        ("control.noticed", "", 3),
        ("control.unnoticed", "", 0),
        ("control.unplanned", "", 0),
        ("control.reread", "", 2),
        ("control.transactions", "", 41),
        ("control.committed", "", 0),
        ("control.change", "1", "one value of public.users altered: noticed"),
        ("control.change", "2", "one row of public.likes deleted: noticed"),
        ("control.change", "3", "index public.likes_user_id_idx dropped: noticed"),
        ("target.settings", "", 2),
        ("target.setting", "fsync", "off"),
        ("target.setting", "wal_level", "minimal"),
        ("teardown.complete", "", True),
    ]  # fmt: skip
    for part, _, _ in _PARTS:
        seen += [
            ("seal.recipients", part, 1),
            ("seal.recipients.unexpected", part, 0),
            ("seal.key.algorithm", part, "RSA"),
            ("seal.key.bits", part, 4096),
            ("seal.cipher", part, "AES256"),
            ("seal.integrity", part, "MDC"),
            ("seal.decrypts", part, True),
            ("seal.refused", part, True),
            ("seal.magic", part, 0),
        ]
    spent = {"preflight": 402, "snapshot": 31, "proof": 388, "dump": 510, "seal": 290, "store": 44, **_PHASES}
    spent |= {"verify": 611, "control": 702, "teardown": 120}
    seen.append(("phases.entered", "", len(spent)))
    seen += [("phase.elapsed", phase, ms) for phase, ms in spent.items()]
    seen.append(("run.completed", "", True))
    return seen


def observations(seen: list[tuple[str, str, Value]]) -> tuple[Observation, ...]:
    """Facts as the journal has them."""
    return tuple(
        Observation("2026-11-22T19:42:10.000Z", number, fact, subject, value, "test")
        for number, (fact, subject, value) in enumerate(seen)
    )


def case_of(
    source: Proof | None, restored: Proof | None, seen: list[tuple[str, str, Value]], gates: tuple[Gate, ...]
) -> Case:
    """A case, judged."""
    book = observations(seen)
    return Case(
        context=context(),
        observations=book,
        source=source,
        restored=restored,
        manifest=manifest() if source is not None else None,
        gates=gates,
        verdicts=tuple(judge(gate, book) for gate in gates),
    )


def passed() -> Case:
    """The demo, as it should end."""
    source, restored = proof(), proof("restored")
    return case_of(source, restored, facts(source, restored), (gate_003(), gate_004()))


def growing(*, ms: int = 43, limit: str = "1600ms", runs: int = 11) -> Case:
    """The demo after a year of monthly drills, each that much slower than the one before: a shelf of disks is due."""
    case = passed()
    whole, now = measured(case.observations), next(o.value for o in case.observations if o.fact == "restore.rto")
    assert whole is not None
    noise = (0, 9, -14, 31, -22, 5, 17, -30, 12, -6, 24, -11)
    taken = instants.parse(whole.taken)
    past = tuple(
        Past(
            f"run-{number}", "S9-PROD-004", instants.text(taken - timedelta(days=30 * number, hours=number % 5)), "PASS",
            int(now) - ms * number + noise[number % len(noise)], 450_118 - 9_000 * number,
            replace(
                whole,
                taken=instants.text(taken - timedelta(days=30 * number, hours=number % 5)),
                phases=tuple(each - (ms * number if phase == "data" else 0) for phase, each in zip(RTO_PHASES, whole.phases, strict=True)),
            ),
        )
        for number in range(1, runs)
    )  # fmt: skip
    killed = Past("run-k", "S9-PROD-004", "2026-08-01T02:00:03.000Z", "UNKNOWN", None, None)
    gates = (gate_003(), gate_004(target=f"< {limit}", bound=instants.duration_ms(limit)))
    told = case_of(case.source, case.restored, [(o.fact, o.subject, o.value) for o in case.observations], gates)
    return replace(told, context=context(history=(*past[:3], killed, *past[3:])))


def failed() -> Case:
    """Rows lost, a value changed, a table and an index gone, a definition altered, and too slow."""
    source, back = proof(), proof("restored")
    tables = [table for table in back.tables if table.name != "tags"]
    tables[0] = replace(tables[0], rows=99)
    tables[3] = replace(tables[3], sums=(1, 2, 3, 4))
    objects = [item for item in back.objects if item.identity != "public.ix_07"]
    objects[0] = replace(objects[0], definition="CREATE FUNCTION … -- changed")
    keys = [replace(back.foreign_keys[0], orphans=2), *back.foreign_keys[1:]]
    probes = [replace(back.probes[0], rows=5), *back.probes[1:]]
    back = replace(
        back, tables=tuple(tables), objects=tuple(objects), foreign_keys=tuple(keys), probes=tuple(probes),
        sequences=(replace(back.sequences[0], reached=90),),
        located=(
            Located(
                tables[0].schema, tables[0].name, changed=1, missing=1, extra=0, whole=True, keyed_by=("id",),
                keys=(RowKey(Change.CHANGED, "5d" * 16, "17"), RowKey(Change.MISSING, "e1" * 16)),
            ),
            Located(tables[3].schema, tables[3].name, changed=0, missing=40, extra=40, whole=False),
        ),
    )  # fmt: skip
    return case_of(source, back, facts(source, back), (gate_003(), gate_004(target="< 1s", bound=1_000)))


def stopped() -> Case:
    """Interrupted while the archive was decrypted: no restored proof, no recovery time."""
    source = proof()
    complete = facts(source, proof("restored"))
    after = next(i for i, (fact, _, _) in enumerate(complete) if fact == "restore.prepare")
    seen = [*complete[:after], ("run.stopped", "", "prepare: interrupted by SIGINT")]
    seen += [
        ("phases.entered", "", 3),
        ("phase.elapsed", "preflight", 402),
        ("phase.elapsed", "seal", 290),
        ("phase.elapsed", "retrieve", 18),
    ]
    return case_of(source, None, seen, (gate_003(), gate_004()))  # fmt: skip


def died_at_once() -> Case:
    """Not a single observation but that it stopped."""
    return case_of(None, None, [("run.stopped", "", "preflight: the source does not answer")], (gate_003(), gate_004()))


def hostile(words: tuple[str, ...] = HOSTILE) -> Case:
    """Every name that others may choose is chosen by an enemy."""
    rows = {word: number for number, word in enumerate(words, start=1)}
    source = proof(rows=rows)
    back = proof("restored", rows=rows)
    back = replace(back, tables=tuple(replace(t, rows=t.rows + 1) for t in back.tables))
    first, last = words[0], words[-1]
    gate = gate_004()
    gate = replace(
        gate,
        title=first, statement=last,
        controls=tuple(Control(word, word, word, Coverage.DIRECT) for word in words),
        checks=tuple(replace(check, title=words[i % len(words)], written=words[-1 - i % len(words)]) for i, check in enumerate(gate.checks)),
        probes=tuple(replace(probe, title=words[i % len(words)], sql=words[i % len(words)]) for i, probe in enumerate(gate.probes)),
    )  # fmt: skip
    seen = facts(source, back)
    seen += [("tool.version", word, word) for word in words]
    made = case_of(source, back, seen, (gate,))
    who = Person(first, first, words, first)
    plan = tuple(Step(word, word, word) for word in words)
    return replace(
        made,
        context=context(
            run=first, system=last, scenario=first, operator=who, plan=plan, closed_by=last,
            history=tuple(Past(word, gate.id, word, word, 5, 7) for word in words),
        ),
    )  # fmt: skip


def shape_gate(case: Case) -> str:
    """The id of the gate that asks about restoring."""
    return case.gates[-1].id


KIM: Final = Person("kim", "Kim Release", ("release-manager",), "7A11B0C4D5E6F708192A3B4C5D6E7F8091A2B3C4")
SAM: Final = Person("sam", "Sam Secure", ("security",), "90C4B7A1D2E3F405162738495A6B7C8D9E0FA1B2")
REVISED: Final = "2026-11-22T21:05:00.000Z"


def revised(case: Case, *told: Decision) -> Case:
    """The case after decisions, as a revision tells it."""
    ended = case.context.ended
    held = {
        gate.id: hold(
            Judged(case.context.run, gate, case.verdict(gate.id).outcome.name, ended, case.context.operator.id),
            told,
            at=instants.parse(REVISED),
        ).worth(gate.id)
        for gate in case.gates
    }
    made = Revision(
        run=case.context.run,
        number=len(told) or 1,
        statement="5" * 64,
        at=REVISED,
        by=case.context.operator,
        roster_digest=case.context.roster_digest,
        ledger_count=case.context.ledger_count + 3,
        ledger_head="6" * 64,
        finished=ended,
        decisions=tuple(each.digest for each in told),
        worth=tuple(held[name] for name in sorted(held)),
        attestore=case.context.attestore,
        renderer=case.context.renderer,
    )
    return replace(case, revision=made, decisions=told)


def says(case: Case, who: Person, meaning: Meaning, comment: str, *, waiver: Waiver | None = None) -> Decision:
    """A person on the restoration gate."""
    gate = case.gate("S9-PROD-004")
    return Decision(
        run=case.context.run,
        statement="5" * 64,
        gate=gate.id,
        gate_digest=gate.digest,
        verdict=case.verdict(gate.id).outcome.name,
        person=who,
        meaning=meaning,
        comment=comment,
        at="2026-11-22T20:40:00.000Z",
        waiver=waiver,
    )


def approved() -> Case:
    """The demo, approved by the two people whom its gate asks for."""
    case = passed()
    return revised(
        case,
        says(case, KIM, Meaning.APPROVED, "Report read; the digest is the store's."),
        says(case, SAM, Meaning.APPROVED, "Signatures and checkpoint verified on my own machine."),
    )


def waived() -> Case:
    """The failure, lived with until the sixth of December."""
    case = failed()
    terms = Waiver(
        "The damaged copy came from the old disk, which is out of service.",
        "A standby in the other building replays every minute.",
        "2026-12-06T00:00:00.000Z",
    )
    return revised(
        case,
        says(case, KIM, Meaning.WAIVED, "Accepted in the review of 22 November.", waiver=terms),
        says(case, SAM, Meaning.WAIVED, "Accepted; the disk is destroyed on Friday.", waiver=terms),
    )
