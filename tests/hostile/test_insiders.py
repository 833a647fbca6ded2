"""The operator holds the keys and signs a lie: what can be computed again from the evidence gives it away."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

import bundles
from attestore.archive import Bundle, LedgerFile, read_bundle, unfinished
from attestore.archive.layout import UNSTATED
from attestore.audit import audit
from attestore.evidence import Measured, Observation, Past, ledger
from attestore.evidence.ledger import BackupStored, KeyChanged, RunFinished, RunStarted
from attestore.evidence.statement import FileRecord, decode, encode
from attestore.facts import Value
from attestore.report import load_templates
from attestore.resources import templates_folder
from bundles import (
    GLASS,
    MIRA,
    ROSTER,
    RUN,
    START,
    TOMAS,
    Draft,
    audited,
    begin,
    finish,
    issue,
    past_of,
    person,
    proof,
    reseal,
    roster,
)
from switches import off

AT = "2026-03-01T02:09:00.000Z"
AUDITED = "2026-03-02T00:00:00.000Z"
Looked = TypeVar("Looked")
Told = list[tuple[str, str, Value]]


def becomes(before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    def lie(data: bytes) -> bytes:
        assert before in data
        return data.replace(before, after, 1)

    return lie


def tells(fact: str, value: Value) -> Callable[[Told], Told]:
    return lambda told: [(name, subject, value if name == fact else known) for name, subject, known in told]


def without(*facts: str) -> Callable[[Told], Told]:
    return lambda told: [line for line in told if line[0] not in facts]


FAILING = proof("restored", rows=2)
OTHER_KEY = replace(proof("restored"), key_commitment="0" * 64)


@dataclass(frozen=True)
class Lie:
    name: str
    draft: Draft
    check: str
    says: str


LIES = (
    Lie("a verdict that the evidence does not give", Draft(restored=FAILING, lies={"verdict.json": becomes(b'"outcome":"FAIL"', b'"outcome":"PASS"')}), "verdict", "S9-PROD-004 FAIL"),
    Lie("a statement with another outcome", Draft(restored=FAILING, lies={"statement.json": becomes(b'"outcome":"FAIL"', b'"outcome":"PASS"')}), "gate", "S9-PROD-004"),
    Lie("a report that says more than the evidence", Draft(lies={"S9-PROD-004.md": becomes(b"0.50", b"0.05")}), "report", "the text is another"),
    Lie("a summary that says more than the evidence", Draft(restored=FAILING, lies={"summary.md": lambda data: data.replace(b"FAIL", b"PASS")}), "report", "the text is another"),
    Lie("instructions that check nothing", Draft(lies={"VERIFY.md": lambda _: b"Trust us.\n"}), "report", "the text is another"),
    Lie("a comparison that the proofs do not give", Draft(restored=FAILING, told=tells("tables.rows.differing", 0)), "comparison", "tables.rows.differing = 0; the two proofs give 1"),
    Lie("a comparison that is left out", Draft(told=without("objects.differing")), "comparison", "does not tell it"),
    Lie("a comparison of a probe that nobody asked", Draft(told=lambda told: [*told, ("probe.equal", "x", True), ("probes.asked", "", 1)]), "comparison", "probes.asked = 1"),
    Lie("an RTO that is not the sum of its phases", Draft(told=tells("restore.rto", 400)), "time", "sum to 500 ms, but the RTO is said to be 400 ms"),
    Lie("an RTO with a phase left out", Draft(told=without("restore.data")), "time", "no time of data"),
    Lie("a phase that took less than no time", Draft(told=tells("restore.data", -90)), "time", "less than no time"),
    Lie("an RTO longer than the time between its lines", Draft(told=lambda told: tells("restore.rto", 9410)(tells("restore.data", 9000)(told))), "time", "longer than"),
    Lie("a monotonic clock that runs backwards", Draft(clock=lambda n: (n * 20, 1000 - n)), "time", "runs backwards"),
    Lie("a wall clock that was set back", Draft(clock=lambda n: (0 if n > 20 else n * 200, n * 20)), "time", "was set back"),
    Lie("an order to restore before the snapshot", Draft(told=tells("restore.ordered", "2026-03-01T01:00:00.000Z")), "time", "lies before the snapshot"),
    Lie("a run of tomorrow", Draft(start=datetime(2026, 3, 3, tzinfo=UTC)), "time", "lies before the end of the run"),
    Lie("an instant that is none", Draft(told=tells("restore.ordered", "yesterday")), "time", "is not an instant"),
    Lie("a gate that was relaxed after the start", Draft(lies={"gates/S9-PROD-004.yaml": becomes(b"< 30m", b"< 90m")}), "ledger", "other gates than it was judged by"),
    Lie("PDFs that carry another journal", Draft(carried={"journal.jsonl": lambda data: data[:-1]}), "pdf", "journal.jsonl is another"),
    Lie("a manifest of another backup", Draft(lies={"manifest.json": becomes(b"backup-of-", b"backup-off")}), "manifest", "The statement speaks of"),
    Lie("a manifest of another system", Draft(lies={"manifest.json": becomes(b'"system":"shop"', b'"system":"shoq"')}), "manifest", "It is of system shoq"),
    Lie("another proof of the source than the backup carries", Draft(lies={"proof.source.json": becomes(b'"size":8192', b'"size":8193')}), "manifest", "not the one that the manifest names"),
    Lie("a proof made with another key", Draft(restored=OTHER_KEY), "manifest", "another key"),
    Lie("a proof of the same side twice", Draft(lies={"proof.restored.json": becomes(b'"side":"restored"', b'"side":"source"')}), "proof", "proof of the source side"),
    Lie("a journal that tells of another backup", Draft(told=tells("backup.digest", "0" * 64)), "manifest", "backup.digest"),
    Lie("a context with another end", Draft(lies={"context.json": becomes(b'"ended":"2026', b'"ended":"2025')}), "context", "end ("),
    Lie("a history that the ledger does not tell", Draft(lies={"context.json": becomes(b'"history":[]', b'"history":[["r","S9-PROD-004","2026-02-01T00:00:00.000Z","PASS",1,1]]')}), "context", "which the ledger does not"),
    Lie("another start than the ledger tells", Draft(about=lambda about: replace(about, ledger_count=2)), "ledger", "the ledger it was started in"),
    Lie("a renderer that nobody has", Draft(about=lambda about: replace(about, renderer="0")), "report", "made by renderer 0"),
    Lie("a template that reads the machine", Draft(lies={"templates/report.md.j2": lambda data: data + b"{{ ''.__class__.__mro__ }}"}), "report", "cannot be rendered"),
    Lie("PDFs that are none", Draft(lies={"summary.pdf": lambda _: b"%PDF-1.7\nPASS\n"}), "pdf", "cannot be read"),
    Lie("a journal that goes on after the end", Draft(about=lambda about: replace(about, ended="2026-03-01T02:00:00.500Z")), "time", "lies before the journal's"),
    Lie("a signature made before the run had ended", Draft(signed=START - timedelta(hours=1)), "time", "before the end of the run, 2026-03-01"),
    Lie("a signature made long after the run had ended", Draft(signed=START + timedelta(hours=1)), "ledger", "it was signed after its end of"),
    Lie("a journal that goes on after the end in the ledger", Draft(clock=lambda n: (n * 20_000, n * 20_000)), "ledger", "before its journal did"),
    Lie("a signature of the future", Draft(signed=START + timedelta(days=9)), "signature", "after this audit"),
    Lie("a clock set back to before the key was made", Draft(signed=START - timedelta(days=999)), "signature", "before its key was made"),
    Lie("a closer of a run that closed itself", Draft(about=lambda about: replace(about, closed_by="nobody")), "ledger", "whether somebody closed it"),
)  # fmt: skip


def forge(reports: Path, draft: Draft) -> None:
    """What cannot be rendered is rendered before the lie is put in its place, and signed again."""
    if "templates/report.md.j2" not in draft.lies:
        issue(reports, draft)
        return
    folder = issue(reports, Draft())
    path = folder / "templates/report.md.j2"
    path.write_bytes(draft.lies["templates/report.md.j2"](path.read_bytes()))
    restate(folder)


def restate(folder: Path) -> None:
    """Statement, sums and signatures made again over what is there now, by the operator."""
    contents = read_bundle(folder)
    files = tuple(
        FileRecord(name, contents.size(name), contents.digest(name)) for name in sorted(contents.names - UNSTATED)
    )
    was = decode((folder / "statement.json").read_bytes())
    (folder / "statement.json").write_bytes(encode(replace(was, files=files)))
    reseal(folder, MIRA)


def said(reports: Path) -> list[str]:
    return [f"{line.check}: {line.subject}: {line.sentence}" for line in audited(reports).problems]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
def test_a_signed_lie_is_noticed_and_named_by_one_check(lie: Lie, tmp_path: Path) -> None:
    """And with that check switched off, it is no longer."""
    forge(tmp_path, lie.draft)
    lines: list[str] = []

    def found() -> bool:
        lines[:] = said(tmp_path)
        return any(line.startswith(f"{lie.check}:") and lie.says in line for line in lines)

    assert found(), lines
    assert off(lie.check, found)


def test_a_file_left_out_of_a_signed_bundle_is_missing(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    (folder / "proof.restored.json").unlink()
    restate(folder)
    assert any("proof.restored.json is missing" in line for line in said(tmp_path))


def test_a_bundle_sealed_a_second_time_is_not_the_one_in_the_ledger(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    (folder / "logs" / "late.log").write_bytes(b"all was well\n")
    restate(folder)
    assert any("its statement is" in line and "the ledger says" in line for line in said(tmp_path))


def shown(tmp_path: Path, lie: Callable[[Past, Measured], Past]) -> list[str]:
    """What the audit says of a second run whose history tells the first otherwise."""
    issue(tmp_path, Draft(told=lambda told: [*told, ("restore.errors", "", 0)]))
    (past,) = past_of(tmp_path, "shop")
    assert past.measured is not None
    wrong = lie(past, past.measured)
    later = Draft(run="20260301T030000Z-shop-2c3d", start=START + timedelta(hours=1))
    issue(tmp_path, replace(later, about=lambda about: replace(about, history=(wrong,))))
    return [line for line in said(tmp_path) if "other figures of" in line]


@pytest.mark.parametrize(
    "lie",
    [
        lambda past, _: replace(past, rto_ms=499),
        lambda past, _: replace(past, sealed_bytes=11),
        lambda past, whole: replace(past, measured=replace(whole, taken="2026-02-01T00:00:00.000Z")),
        lambda past, whole: replace(past, measured=replace(whole, phases=(5, 7, 300, 40, 89, 31, 28))),
    ],
    ids=["recovery time", "size", "snapshot", "phases"],
)
def test_a_history_whose_figures_are_not_those_of_its_runs_is_noticed(
    tmp_path: Path, lie: Callable[[Past, Measured], Past]
) -> None:
    """A forecast rests on them."""
    assert len(shown(tmp_path, lie)) == 1


def test_a_history_that_is_true_or_knew_less_is_no_lie(tmp_path: Path) -> None:
    """The bundle of an earlier run may have been away when it was written."""
    assert shown(tmp_path / "true", lambda past, _: past) == []
    assert shown(tmp_path / "less", lambda past, _: replace(past, rto_ms=None, sealed_bytes=None, measured=None)) == []


def test_templates_that_the_renderer_does_not_know_are_named(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    (folder / "templates" / "more.md.j2").write_bytes(b"PASS")
    restate(folder)
    assert any("templates here that the renderer does not know" in line for line in said(tmp_path))


def test_a_template_left_out_of_a_signed_bundle_is_named(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    (folder / "templates" / "report.css").unlink()
    restate(folder)
    assert any("the template report.css is missing" in line for line in said(tmp_path))


def test_a_backup_that_the_ledger_does_not_name_is_noticed(tmp_path: Path) -> None:
    issue(tmp_path)
    known = LedgerFile(tmp_path).read()
    (tmp_path / "checkpoint").unlink()
    left = [entry for entry in known.entries if not isinstance(entry, BackupStored)]
    (tmp_path / "ledger.jsonl").write_bytes(ledger.written(left))
    LedgerFile(tmp_path).checkpoint(MIRA, at=AT)
    assert any("which the ledger does not name" in line for line in said(tmp_path))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{}\n", "is not a checkpoint"),
        (ledger.encode_checkpoint(ledger.Checkpoint(0, "0" * 64, "today")), "is not an instant"),
        (ledger.encode_checkpoint(ledger.Checkpoint(99, "0" * 64, AUDITED)), "the tail was cut"),
    ],
)
def test_a_signed_checkpoint_that_says_nothing_is_named(data: bytes, says: str, tmp_path: Path) -> None:
    issue(tmp_path)
    (tmp_path / "checkpoint").write_bytes(data)
    MIRA.sign(tmp_path / "checkpoint")
    assert any(says in line for line in said(tmp_path)), said(tmp_path)


def test_a_checkpoint_older_than_what_it_covers_is_noticed(tmp_path: Path) -> None:
    issue(tmp_path)
    LedgerFile(tmp_path).checkpoint(MIRA, at="2026-02-01T00:00:00.000Z")
    assert any("older than the entries it covers" in line for line in said(tmp_path))


def test_a_statement_about_nothing_that_is_here_is_noticed(tmp_path: Path) -> None:
    folder = stopped(tmp_path)
    was = decode((folder / "statement.json").read_bytes())
    (folder / "statement.json").write_bytes(encode(replace(was, subject="backup/of-yesterday")))
    reseal(folder, TOMAS)
    assert any("speaks of backup/of-yesterday, whose digest nothing here has" in line for line in said(tmp_path))


def test_what_a_dead_run_left_is_looked_at_too(tmp_path: Path) -> None:
    bundle, _ = begin(tmp_path, Draft())
    bundle.close()
    (bundle.folder / "VERIFY.md").symlink_to("/etc/hostname")
    (bundle.folder / "journal.jsonl").write_bytes(b"{}\n")
    lines = said(tmp_path)
    assert any("VERIFY.md is a symbolic link" in line for line in lines)
    assert any(line.startswith("journal:") for line in lines)


def test_a_run_that_was_never_started_in_the_ledger_is_named(tmp_path: Path) -> None:
    issue(tmp_path / "elsewhere")
    issue(tmp_path / "reports", Draft(run="20260301T010000Z-shop-ffff"))
    shutil.copytree(tmp_path / "elsewhere" / RUN, tmp_path / "reports" / RUN)
    assert any(RUN in line and "the ledger does not name" in line for line in said(tmp_path / "reports"))


def test_templates_that_differ_from_the_shipped_ones_are_noted(tmp_path: Path) -> None:
    issue(tmp_path, Draft(lies={"templates/report.md.j2": lambda data: data + b"\nEverything is fine.\n"}))
    notes = [line.sentence for line in audited(tmp_path).lines if "differ from those shipped" in line.sentence]
    assert notes
    assert "report.md.j2" in notes[0]
    assert said(tmp_path) == []


def test_the_words_of_a_language_are_noted_when_they_are_not_the_shipped_ones(tmp_path: Path) -> None:
    german = (templates_folder() / "de.po").read_bytes()
    for name, words in (("ours", german), ("theirs", german.replace(b"UNKNOWN", b"PASS"))):
        own = tmp_path / f"words of {name}"
        own.mkdir()
        (own / "de.po").write_bytes(words)
        templates = load_templates(templates_folder(), own=own, language="de")
        issue(tmp_path / name, Draft(templates=templates))
    assert [line for line in audited(tmp_path / "ours").lines if "differ from those shipped" in line.sentence] == []
    notes = [line for line in audited(tmp_path / "theirs").lines if "differ from those shipped" in line.sentence]
    assert ["(de.po)" in each.sentence for each in notes] == [True]


def test_a_run_signed_by_another_operator_than_it_names_is_noticed(tmp_path: Path) -> None:
    reseal(issue(tmp_path), TOMAS)
    assert any(f"is signed by {TOMAS.fingerprint}" in line for line in said(tmp_path))


def test_a_run_of_several_hands_is_noticed(tmp_path: Path) -> None:
    TOMAS.sign(issue(tmp_path) / "summary.md")
    assert any("signed by 2 keys" in line for line in said(tmp_path))


@pytest.mark.parametrize(
    ("since", "until"),
    [(None, datetime(2026, 2, 1, tzinfo=UTC)), (datetime(2026, 4, 1, tzinfo=UTC), None)],
    ids=["expired before the run", "not yet valid at the run"],
)
def test_a_key_counts_only_while_the_roster_trusts_it(
    since: datetime | None, until: datetime | None, tmp_path: Path
) -> None:
    issue(tmp_path)
    known = roster(person(MIRA, "operator", since=since, until=until))
    lines = [line.sentence for line in audited(tmp_path, known=known).problems]
    assert any("did not trust at 2026-03-01" in line for line in lines)


def test_a_signer_whom_the_roster_does_not_name_is_nobody(tmp_path: Path) -> None:
    issue(tmp_path)
    lines = [line.sentence for line in audited(tmp_path, known=roster(person(TOMAS, "operator"))).problems]
    assert any("a key that the roster does not name" in line for line in lines)


def test_another_roster_than_the_run_was_made_under_is_noted(tmp_path: Path) -> None:
    issue(tmp_path)
    findings = audited(tmp_path, known=roster(*ROSTER.people[:1]))
    assert findings.problems == ()
    assert any("under another roster" in line.sentence for line in findings.lines)


def sign_ledger(reports: Path, *more: ledger.Entry) -> None:
    known = LedgerFile(reports).read()
    (reports / "ledger.jsonl").write_bytes(ledger.written([*known.entries, *more]))
    LedgerFile(reports).checkpoint(MIRA, at="2026-03-01T02:10:00.000Z")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (RunStarted(AT, RUN, "shop", MIRA.fingerprint, ()), "is started twice"),
        (RunFinished(AT, RUN, "0" * 64, ()), "ends twice"),
        (RunFinished(AT, "20260301T020900Z-shop-none", "0" * 64, ()), "never started before it"),
        (BackupStored(AT, "b", "shop", "0" * 64, "20260301T020900Z-shop-none"), "which was never started"),
        (BackupStored(AT, f"backup-of-{RUN}", "shop", "0" * 64, RUN), "by another digest"),
        (RunStarted("2026-02-01T00:00:00.000Z", "early", "shop", MIRA.fingerprint, ()), "older than the one before"),
        (RunStarted("2027-02-01T00:00:00.000Z", "late", "shop", MIRA.fingerprint, ()), "dated after this audit"),
    ],
)
def test_entries_of_a_signed_ledger_that_cannot_be_true_together_are_named(
    entry: ledger.Entry, says: str, tmp_path: Path
) -> None:
    issue(tmp_path)
    sign_ledger(tmp_path, entry)
    assert any(says in line for line in said(tmp_path)), said(tmp_path)


def test_a_ledger_with_an_entry_of_no_instant_is_read_by_nobody(tmp_path: Path) -> None:
    issue(tmp_path)
    known = LedgerFile(tmp_path).read()
    strange = RunStarted("soon", "when", "shop", MIRA.fingerprint, ())
    (tmp_path / "ledger.jsonl").write_bytes(ledger.written([*known.entries, strange]))
    assert any("'soon' is not an instant" in line for line in said(tmp_path))


def test_a_run_that_died_and_was_not_closed_is_unfinished(tmp_path: Path) -> None:
    issue(tmp_path)
    bundle, _ = begin(tmp_path, Draft(run="20260301T030000Z-shop-dead", start=Draft().start + timedelta(hours=1)))
    bundle.close()
    assert any("2 runs: 1 passed, 1 unfinished." in line for line in said(tmp_path))


def test_a_run_in_progress_is_no_finding(tmp_path: Path) -> None:
    issue(tmp_path)
    bundle, _ = begin(tmp_path, Draft(run="20260301T030000Z-shop-live", start=Draft().start + timedelta(hours=1)))
    with bundle:
        findings = audited(tmp_path)
    assert findings.problems == ()
    assert any("2 runs: 1 passed, 1 in progress." in line.sentence for line in findings.lines)


def test_runs_that_end_or_begin_while_an_audit_goes_on_are_no_findings(tmp_path: Path) -> None:
    """An audit of thousands of bundles takes minutes; what it says holds for the instant at which it read the ledger."""
    issue(tmp_path)
    draft = Draft(run="20260301T030000Z-shop-live", start=START + timedelta(hours=1))
    bundle, head = begin(tmp_path, draft)
    bundle.observe(Observation(draft.at(5), 5, "run.system", "", "shop", "a test"))

    def meanwhile(work: Callable[[str], Looked], tasks: Sequence[str]) -> Iterator[Looked]:
        finish(tmp_path, bundle, draft, head=head)
        issue(tmp_path, Draft(run="20260301T040000Z-shop-next", start=START + timedelta(hours=2)))
        return map(work, tasks)

    findings = audit(tmp_path, roster=ROSTER, verifier=GLASS, at=bundles.AUDITED, spread=meanwhile)
    assert findings.problems == ()
    assert any("2 runs: 1 passed, 1 in progress." in line.sentence for line in findings.lines)


def stopped(reports: Path) -> Path:
    """A run of Mira's that died and was closed by Tomas."""
    draft = Draft(closer=TOMAS)
    bundle, _ = begin(reports, draft)
    bundle.observe(Observation(draft.at(5), 5, "run.system", "", "shop", "a test"))
    bundle.close()
    ((started, head),) = unfinished(reports)
    assert started.run == draft.run
    reopened = Bundle.reopen(reports, draft.run)
    finish(reports, reopened, draft, head=head)
    return reopened.folder


def test_a_run_that_was_closed_by_somebody_else_is_whole(tmp_path: Path) -> None:
    stopped(tmp_path)
    findings = audited(tmp_path)
    assert findings.problems == ()
    assert any("1 run: 1 stopped." in line.sentence for line in findings.lines)
    assert any("had died and was closed later" in line.sentence for line in findings.lines)


def test_a_run_under_another_roster_than_the_ledger_tells_is_named(tmp_path: Path) -> None:
    """The first entry says which roster was in force; the run's context says another one."""
    keys = KeyChanged(Draft().at(0), MIRA.fingerprint, "0" * 64, ())
    LedgerFile(tmp_path).append(keys)
    issue(tmp_path)

    def found() -> bool:
        return any("by the ledger 0000000000000000… was in force" in line for line in said(tmp_path))

    assert found()
    assert off("ledger", found) == "audit.chain._keys"


def test_another_roster_in_the_ledger_is_told(tmp_path: Path) -> None:
    for roster_digest in ("0" * 64, ROSTER.digest):
        LedgerFile(tmp_path).append(KeyChanged(Draft().at(0), MIRA.fingerprint, roster_digest, ()))
    issue(tmp_path)
    findings = audited(tmp_path)
    assert findings.problems == ()
    assert any("another roster than before" in line.sentence for line in findings.lines)
