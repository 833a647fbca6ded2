"""What a report tells of earlier runs is what somebody has signed; what nobody vouches for is left out, and why is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from attestore import canon, report, resources
from attestore.archive import LedgerFile
from attestore.archive.history import history
from attestore.archive.record import read_record
from attestore.evidence import Doubt, Observation, Past, journal, ledger, statement
from attestore.evidence.ledger import Checkpoint, Entry, RunFinished, RunStarted
from attestore.ports import Inspected
from bundles import (
    GLASS,
    MIRA,
    REVIEWER,
    ROSTER,
    START,
    STRANGER,
    SYSTEM,
    TOMAS,
    Draft,
    Glass,
    Pen,
    audited,
    begin,
    finish,
    issue,
    past_of,
    person,
    reseal,
    roster,
)

LATER = "20260301T050000Z-shop-2c3d"


def three(reports: Path) -> list[Path]:
    """Runs of one system, an hour apart."""
    return [
        issue(reports, Draft(run=f"20260301T0{2 + n}0000Z-shop-000{n}", start=START + timedelta(hours=n)))
        for n in range(3)
    ]


def told(reports: Path) -> list[tuple[int | None, Doubt | None]]:
    """The recovery time of each earlier run, oldest first, or why it is left out."""
    return [(past.rto_ms, past.doubt) for past in reversed(past_of(reports))]


class Asked(Glass):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(*GLASS.pens.values())
        self.times = 0

    @override
    def inspect(self, signature: bytes, data: Path) -> Inspected:
        self.times += 1
        return super().inspect(signature, data)


def faster(folder: Path) -> canon.Digest:
    """A journal that tells another recovery time, in a bundle whose lists say so; the digest of its statement."""
    told = journal.read((folder / "journal.jsonl").read_bytes())
    lied = [replace(each, value=1) if each.fact == "restore.rto" else each for each in told.observations]
    data = journal.written(lied)
    (folder / "journal.jsonl").write_bytes(data)
    was = statement.decode((folder / "statement.json").read_bytes())
    files = tuple(
        replace(each, size=len(data), digest=canon.sha256_hex(data)) if each.path == "journal.jsonl" else each
        for each in was.files
    )
    made = replace(was, journal_head=journal.read(data).head, files=files)
    (folder / "statement.json").write_bytes(statement.encode(made))
    return canon.sha256_hex(statement.encode(made))


def rewritten(reports: Path, change: Callable[[Entry], Entry]) -> None:
    """A ledger whose chain holds, and a checkpoint that says so, which nobody has signed."""
    known = LedgerFile(reports).read()
    data = ledger.written([change(each) for each in known.entries])
    (reports / "ledger.jsonl").write_bytes(data)
    head = ledger.read(data)
    (reports / "checkpoint").write_bytes(ledger.encode_checkpoint(Checkpoint(head.count, head.head, "2026-03-01T09:00:00.000Z")))  # fmt: skip


def test_one_signature_vouches_for_all_runs_before_it(tmp_path: Path) -> None:
    three(tmp_path)
    glass = Asked()
    past = history(tmp_path, SYSTEM, roster=ROSTER, verifier=glass)
    assert [each.rto_ms for each in past] == [500, 500, 500]
    assert glass.times == 1


def test_an_older_run_needs_no_signature_of_its_own_once_a_later_one_vouches(tmp_path: Path) -> None:
    first, _, last = three(tmp_path)
    (first / "statement.json.asc").unlink()
    assert told(tmp_path) == [(500, None)] * 3
    (last / "statement.json.asc").unlink()
    assert told(tmp_path) == [(500, None), (500, None), (None, Doubt.UNSIGNED)]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_journal_that_was_changed_is_left_out_alone(tmp_path: Path, which: int) -> None:
    folders = three(tmp_path)
    path = folders[which] / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"value":500', b'"value":501'))
    expected: list[tuple[int | None, Doubt | None]] = [(500, None)] * 3
    expected[which] = None, Doubt.CHANGED
    assert told(tmp_path) == expected


@pytest.mark.parametrize("which", [0, 2])
def test_a_journal_whose_bundle_and_ledger_were_made_to_fit_is_left_out(tmp_path: Path, which: int) -> None:
    """All that can be done without a key: nothing in the folder contradicts itself."""
    folder = three(tmp_path)[which]
    digest = faster(folder)

    def fitting(entry: Entry) -> Entry:
        if isinstance(entry, RunFinished) and entry.run == folder.name:
            return replace(entry, statement=digest)
        return entry

    rewritten(tmp_path, fitting)
    known = dict(zip([path.name for path in sorted(tmp_path.glob("2026*"))], told(tmp_path), strict=True))
    assert known[folder.name] == (None, Doubt.UNSIGNED)
    # a ledger that was made to fit is another one than the later runs have signed
    assert all(doubt is Doubt.UNSIGNED for name, (_, doubt) in known.items() if name > folder.name)


@pytest.mark.parametrize("outcomes", [["FAIL"], ["PASS", "PASS"], []], ids=str)
def test_a_verdict_that_was_changed_in_the_ledger_alone_is_another_end(tmp_path: Path, outcomes: list[str]) -> None:
    three(tmp_path)
    last = LedgerFile(tmp_path).read().entries[-1]

    def failed(entry: Entry) -> Entry:
        if isinstance(entry, RunFinished) and entry == last:
            return replace(entry, outcomes=tuple(("S9-PROD-004", outcome) for outcome in outcomes))
        return entry

    rewritten(tmp_path, failed)
    # what ended without a gate is no run of a gate
    assert told(tmp_path) == [(500, None), (500, None), *[(None, Doubt.CHANGED)] * len(outcomes)]


def test_an_end_that_is_appended_again_tells_of_no_further_run(tmp_path: Path) -> None:
    """Nobody needs a key for it: the statement that it names is signed."""
    three(tmp_path)
    before = past_of(tmp_path)
    file = LedgerFile(tmp_path)
    first = next(each for each in file.read().entries if isinstance(each, RunFinished))
    file.append(replace(first, at="2026-03-01T09:00:00.000Z"))
    assert past_of(tmp_path) == before


def test_a_run_that_is_started_again_under_another_name_is_still_the_systems_that_made_it(tmp_path: Path) -> None:
    three(tmp_path)
    before = past_of(tmp_path)
    issue(tmp_path, Draft(run="20260301T060000Z-blog-1111", system="blog", start=START + timedelta(hours=4)))
    file = LedgerFile(tmp_path)
    start = next(each for each in file.read().entries if isinstance(each, RunStarted) and each.system == "blog")
    file.append(replace(start, system=SYSTEM))
    assert past_of(tmp_path) == before


def test_a_start_that_was_changed_in_the_ledger_gives_no_system_the_figures_of_another(tmp_path: Path) -> None:
    issue(tmp_path, Draft(run="20260301T060000Z-blog-1111", system="blog"))
    rewritten(tmp_path, lambda each: replace(each, system=SYSTEM) if isinstance(each, RunStarted) else each)
    assert told(tmp_path) == [(None, Doubt.CHANGED)]


def test_a_signature_by_nobody_of_the_roster_vouches_for_nothing(tmp_path: Path) -> None:
    folders = three(tmp_path)
    for folder in folders:
        STRANGER.sign(folder / "statement.json")
    assert told(tmp_path) == [(None, Doubt.UNSIGNED)] * 3
    reseal(folders[1], MIRA)
    assert told(tmp_path) == [(500, None), (500, None), (None, Doubt.UNSIGNED)]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_bundle_that_fits_itself_and_not_the_ledger_is_left_out_alone(tmp_path: Path, which: int) -> None:
    faster(three(tmp_path)[which])
    expected: list[tuple[int | None, Doubt | None]] = [(500, None)] * 3
    expected[which] = None, Doubt.CHANGED
    assert told(tmp_path) == expected


@pytest.mark.parametrize("pen", [REVIEWER, TOMAS], ids=["no operator", "another operator"])
def test_a_signature_by_somebody_else_of_the_roster_vouches_for_nothing(tmp_path: Path, pen: Pen) -> None:
    for folder in three(tmp_path):
        pen.sign(folder / "statement.json")
    assert told(tmp_path) == [(None, Doubt.UNSIGNED)] * 3


def test_a_key_that_was_no_longer_in_force_vouches_for_nothing(tmp_path: Path) -> None:
    three(tmp_path)
    known = roster(person(MIRA, "operator", until=START + timedelta(minutes=90)))
    past = history(tmp_path, SYSTEM, roster=known, verifier=GLASS)
    assert [each.doubt for each in past] == [Doubt.UNSIGNED, None, None]


def test_a_statement_that_is_exchanged_while_it_is_verified_vouches_for_nothing(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    true = (folder / "statement.json").read_bytes()
    false = faster(folder)

    class Swift(Glass):
        @override
        def inspect(self, signature: bytes, data: Path) -> Inspected:
            data.write_bytes(true)
            return super().inspect(signature, data)

    def fitting(entry: Entry) -> Entry:
        return replace(entry, statement=false) if isinstance(entry, RunFinished) else entry

    rewritten(tmp_path, fitting)
    (only,) = history(tmp_path, SYSTEM, roster=ROSTER, verifier=Swift(*GLASS.pens.values()))
    assert (folder / "statement.json").read_bytes() == true
    assert (only.rto_ms, only.doubt) == (None, Doubt.UNSIGNED)


def test_a_run_that_ended_while_another_went_on_needs_a_signature_of_its_own(tmp_path: Path) -> None:
    """Who started before it has not signed what the ledger became meanwhile."""
    draft = Draft(run="20260301T010000Z-shop-long", start=START - timedelta(hours=1))
    bundle, head = begin(tmp_path, draft)
    bundle.observe(Observation(draft.at(5), 5, "run.system", "", "shop", "a test"))
    short = issue(tmp_path)
    finish(tmp_path, bundle, draft, head=head)
    (short / "statement.json.asc").unlink()
    assert told(tmp_path) == [(None, Doubt.UNSIGNED), (None, None)]


def test_a_bundle_that_is_not_there_is_told(tmp_path: Path) -> None:
    shutil.rmtree(three(tmp_path)[1])
    assert told(tmp_path) == [(500, None), (None, Doubt.MISSING), (500, None)]


def test_the_report_and_the_audit_say_which_runs_were_left_out_and_why(tmp_path: Path) -> None:
    first, second, _ = three(tmp_path)
    shutil.rmtree(first)
    (second / "journal.jsonl").write_bytes(b"")
    folder = issue(tmp_path, Draft(run=LATER, start=START + timedelta(hours=3)))
    text = (folder / "S9-PROD-004.md").read_text()
    assert "The figures of 2 earlier runs were left out" in text
    assert f"The bundle is not there: {first.name}." in text.replace("\\", "")
    assert "| left out | left out |" in text
    notes = [line.sentence for line in audited(tmp_path).lines if "leaves out" in line.sentence]
    assert notes == [
        f"The history leaves out the figures of {second.name} (changed), {first.name} (missing): nobody vouched for them."
    ]


@pytest.mark.parametrize("count", [5, 7])
def test_names_of_runs_that_were_left_out_are_data_and_few(tmp_path: Path, count: int) -> None:
    case = read_record(issue(tmp_path)).case
    names = [f"a run | PASS **{n}**\n# Approved" for n in range(count)]
    past = tuple(Past(name, "S9-PROD-004", case.context.ended, "PASS", None, None, doubt=Doubt.UNSIGNED) for name in names)  # fmt: skip
    case = replace(case, context=replace(case.context, history=past))
    folder = resources.templates_folder()
    text = report.markdown(report.gate_document(case, "S9-PROD-004"), report.load_templates(folder)).decode()
    assert f"The figures of {count} earlier runs were left out" in text
    assert ("and 2 more" in text) is (count > 5)
    assert "\n# Approved" not in text
