"""status: the newest finished run decides, nothing is taken on trust, and the past is told by what was known then."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from attestore import gate
from attestore.archive import LedgerFile
from attestore.audit import Row, status
from attestore.evidence.decision import Meaning
from attestore.evidence.ledger import RunStarted
from attestore.standing import Standing
from bundles import MIRA, START, roster
from decided import AFTER, AUDITED, GATE, GLASS, KIM, PEOPLE, ROSTER, SAM, decided, record, sealed, waiver

MINUTE = timedelta(minutes=1)
NEWER = "20260301T040000Z-shop-2b3c"


def asked(reports: Path, *, at: datetime = AUDITED, gates: tuple[str, ...] = ()) -> Row:
    rows = status(reports, roster=ROSTER, verifier=GLASS, at=at, now=AUDITED + timedelta(days=60), asked=gates)
    assert len(rows) == 1
    return rows[0]


def approved(tmp_path: Path) -> Path:
    folder = sealed(tmp_path / "reports")
    decided(folder, record(folder, KIM), KIM)
    decided(folder, record(folder, SAM, at=AFTER + MINUTE), SAM)
    return folder.parent


def test_the_past_is_told_by_what_the_ledger_knew_then(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    finished = START + timedelta(milliseconds=900)
    assert status(reports, roster=ROSTER, verifier=GLASS, at=START - MINUTE, now=AUDITED) == ()
    assert asked(reports, at=START).held.standing is Standing.NEVER_RUN
    assert asked(reports, at=finished).held.standing is Standing.AWAITING
    assert asked(reports, at=AFTER + MINUTE).held.standing is Standing.AWAITING
    assert asked(reports, at=AFTER + 2 * MINUTE).held.standing is Standing.PASS
    end = finished + timedelta(days=31)
    assert asked(reports, at=end - timedelta(milliseconds=1)).held.standing is Standing.PASS
    assert asked(reports, at=end).held.standing is Standing.EXPIRED


def test_a_newer_failure_replaces_an_approved_pass_and_ends_with_no_waiver_of_its_own(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    newer = sealed(reports, run=NEWER, start=START + timedelta(hours=2), fails=True)
    assert asked(reports).held.standing is Standing.FAIL
    for number, pen in enumerate((KIM, SAM)):
        at = START + timedelta(hours=3, minutes=number)
        decided(newer, record(newer, pen, Meaning.WAIVED, at=at, terms=waiver(START + timedelta(days=3))), pen)
    assert asked(reports).held.standing is Standing.WAIVED
    assert asked(reports, at=START + timedelta(days=3)).held.standing is Standing.FAIL
    sealed(reports, run="20260301T060000Z-shop-4d5e", start=START + timedelta(hours=4), fails=True)
    assert asked(reports).held.standing is Standing.FAIL


def test_a_run_that_has_only_started_changes_nothing_and_is_told(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    at = "2026-03-01T05:00:00.000Z"
    digest = gate.load(GATE, where="gate").digest
    LedgerFile(reports).append(RunStarted(at, "r2", "shop", MIRA.fingerprint, (("S9-PROD-004", digest),)))
    LedgerFile(reports).checkpoint(MIRA.at(AFTER + timedelta(hours=2)), at=at)
    row = asked(reports)
    assert (row.held.standing, row.running) == (Standing.PASS, ("r2",))


def test_a_bundle_that_does_not_hold_is_not_trustworthy_and_never_a_pass(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    kept = tmp_path / "kept"
    shutil.copytree(reports, kept)
    folder = next(path for path in reports.iterdir() if path.is_dir())
    for name, edit in (
        ("S9-PROD-004.md", b" "),
        (f"decisions/{next((folder / 'decisions').glob('*-kim-*.json')).name}", b" "),
        ("revisions/2/summary.md", b" "),
    ):
        path = folder / name
        data = path.read_bytes()
        path.write_bytes(data + edit)
        row = asked(reports)
        assert row.held.standing is Standing.UNTRUSTED, name
        assert row.problems
        path.write_bytes(data)
    assert asked(reports).held.standing is Standing.PASS
    shutil.rmtree(folder)
    assert asked(reports).held.standing is Standing.UNTRUSTED


def test_a_ledger_whose_tail_was_cut_makes_everything_untrustworthy(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    path = reports / "ledger.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert asked(reports).held.standing is Standing.UNTRUSTED


def test_a_bundle_put_in_the_place_of_another_is_not_trustworthy(tmp_path: Path) -> None:
    """The ledger names each bundle by its statement."""
    reports = approved(tmp_path)
    elsewhere = sealed(tmp_path / "elsewhere" / "reports", start=START + MINUTE)
    folder = next(path for path in reports.iterdir() if path.is_dir())
    shutil.rmtree(folder)
    shutil.copytree(elsewhere, folder)
    assert asked(reports).held.standing is Standing.UNTRUSTED


def test_a_gate_that_is_asked_for_and_was_never_run_says_so(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    row = asked(tmp_path / "reports", gates=("S9-PROD-004",))
    assert (row.system, row.held.standing) == ("", Standing.NEVER_RUN)


def test_who_trusts_other_people_sees_another_standing(tmp_path: Path) -> None:
    """The roster is the auditor's: a decision by somebody it does not name counts for nothing."""
    reports = approved(tmp_path)
    without = roster(*(who for who in PEOPLE if who.id != "kim"))
    rows = status(reports, roster=without, verifier=GLASS, at=AUDITED, now=AUDITED)
    assert rows[0].held.standing is Standing.UNTRUSTED
