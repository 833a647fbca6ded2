"""status: the newest finished run decides, nothing is taken on trust, and the past is told by what was known then."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from attestore import gate, instants
from attestore.archive import Bundle, LedgerFile
from attestore.audit import Anchor, Row, status
from attestore.evidence.decision import Meaning
from attestore.standing import Standing
from bundles import GATE as PLAIN
from bundles import MIRA, RUN, START, Draft, begin, issue, roster
from decided import AFTER, AUDITED, GATE, GLASS, KIM, PEOPLE, ROSTER, SAM, decided, record, sealed, waiver

MINUTE = timedelta(minutes=1)
NEWER = "20260301T040000Z-shop-2b3c"


def asked(
    reports: Path,
    *,
    at: datetime = AUDITED,
    gates: tuple[str, ...] = (),
    own: Mapping[str, str] | None = None,
    anchors: tuple[Anchor, ...] = (),
) -> Row:
    now = AUDITED + timedelta(days=60)
    rows = status(reports, roster=ROSTER, verifier=GLASS, at=at, now=now, asked=gates, own=own, anchors=anchors)
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


def started(reports: Path, *, after: timedelta = timedelta(hours=3)) -> Bundle:
    """A newer run, which holds its journal until it is closed."""
    begun = START + after
    bundle, _ = begin(reports, Draft(run=NEWER, start=begun, gates=(GATE,)))
    LedgerFile(reports).checkpoint(MIRA.at(begun), at=instants.text(begun))
    return bundle


def test_a_run_that_goes_on_changes_nothing_and_is_told(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    with started(reports):
        row = asked(reports)
    assert (row.held.standing, row.running, row.died) == (Standing.PASS, (NEWER,), ())


def test_a_run_that_died_leaves_no_older_pass_standing(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    with started(reports):
        pass
    row = asked(reports)
    assert (row.held.standing, row.held.standing.exit_code) == (Standing.UNKNOWN, 3)
    assert (row.running, row.died, row.held.until) == ((), (NEWER,), "")
    assert f"{NEWER} died before its end" in row.held.reason
    assert asked(reports, at=AFTER + 2 * MINUTE).held.standing is Standing.PASS
    shutil.rmtree(reports / NEWER)
    assert asked(reports).held.standing is Standing.UNKNOWN


def test_a_first_run_that_died_is_not_called_never_run_and_a_failure_stays_one(tmp_path: Path) -> None:
    with started(tmp_path / "reports"):
        pass
    assert asked(tmp_path / "reports").held.standing is Standing.UNKNOWN
    failed = sealed(tmp_path / "failed" / "reports", fails=True)
    with started(failed.parent):
        pass
    row = asked(failed.parent)
    assert (row.held.standing, row.died) == (Standing.FAIL, (NEWER,))


def test_a_run_that_finished_later_outweighs_one_that_died_before(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    with started(reports, after=-timedelta(hours=1)):
        pass
    sealed(reports)
    assert asked(reports).held.standing is Standing.AWAITING


LENIENT = PLAIN.replace(b"cadence: 31d\n", b"")
OWN = {"S9-PROD-004": gate.load(GATE, where="gate").digest}


def test_a_weaker_gate_of_the_same_id_turns_nothing_green(tmp_path: Path) -> None:
    """It asks for no approval and has no cadence: by itself it is a PASS for ever."""
    reports = approved(tmp_path)
    assert asked(reports, own=OWN).held.standing is Standing.PASS
    assert LENIENT != PLAIN
    lenient = gate.load(LENIENT, where="gate").digest
    issue(reports, Draft(run=NEWER, start=START + timedelta(hours=3), gates=(LENIENT,)))
    plain = asked(reports)
    assert (plain.held.standing, plain.changed_since, plain.digest) == (Standing.PASS, RUN, lenient)
    row = asked(reports, own=OWN)
    assert (row.held.standing, row.held.standing.exit_code) == (Standing.UNTRUSTED, 3)
    assert (row.digest, row.expected, row.problems) == (lenient, OWN["S9-PROD-004"], ())
    assert f"was judged by another S9-PROD-004 (sha256 {lenient[:16]}…)" in row.held.reason


def test_the_same_gate_again_has_not_changed(tmp_path: Path) -> None:
    reports = approved(tmp_path)
    sealed(reports, run=NEWER, start=START + timedelta(hours=3))
    assert asked(reports).changed_since == ""


def test_a_ledger_that_was_put_back_does_not_hold_a_report_that_was_kept(tmp_path: Path) -> None:
    """With its checkpoint, it is a ledger that was good once."""
    reports = approved(tmp_path)
    older = shutil.copytree(reports, tmp_path / "older")
    failed = sealed(reports, run=NEWER, start=START + timedelta(hours=3), fails=True)
    for end in ("", ".asc"):
        shutil.copy(failed / f"summary.pdf{end}", tmp_path / f"kept.pdf{end}")
    kept = (Anchor(tmp_path / "kept.pdf"),)
    assert asked(reports, anchors=kept).held.standing is Standing.FAIL
    assert asked(older).held.standing is Standing.PASS
    row = asked(older, anchors=kept)
    assert row.held.standing is Standing.UNTRUSTED
    assert "its tail was cut" in row.problems[0]
    (older / "ledger.jsonl").unlink()
    assert asked(older, gates=("S9-PROD-004",), anchors=kept).held.standing is Standing.UNTRUSTED


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
