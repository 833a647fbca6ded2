"""What ledger and journals tell of a system in figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from attestore.archive import LedgerFile
from attestore.archive.figures import system_figures
from attestore.evidence.ledger import BackupStored, RunFinished, RunStarted
from bundles import MIRA, START, TOMAS, Draft, issue, proof

AT = datetime(2026, 4, 1, tzinfo=UTC)


def later(days: int, **changes: object) -> Draft:
    """A run of the same system some days later."""
    start = START + timedelta(days=days)
    return Draft(run=f"202603{1 + days:02d}T020000Z-shop-0a1b", start=start, **changes)  # type: ignore[arg-type]


def test_a_passed_run_is_a_backup_and_a_drill(tmp_path: Path) -> None:
    """Both succeeded, when they did."""
    issue(tmp_path)
    (shop,) = system_figures(tmp_path, at=AT)
    assert (shop.system, shop.started, dict(shop.ended)) == ("shop", 1, {"pass": 1})
    assert shop.backup_stored == "2026-03-01T02:00:00.700Z"
    assert shop.drill_passed > shop.backup_stored
    assert (shop.backup_failed, shop.drill_failed) == (False, False)
    assert (shop.rto_ms, shop.sealed_bytes) == (500, (10,))


def test_a_failed_drill_after_a_passed_one_leaves_the_time_of_the_pass(tmp_path: Path) -> None:
    """The age of the last success grows; the failure is a figure of its own."""
    issue(tmp_path)
    before = system_figures(tmp_path, at=AT)[0].drill_passed
    issue(tmp_path, later(1, restored=proof("restored", rows=2)))
    (shop,) = system_figures(tmp_path, at=AT)
    assert shop.drill_failed
    assert shop.drill_passed == before
    assert dict(shop.ended) == {"pass": 1, "fail": 1}


def test_a_run_that_died_is_told_whether_or_not_somebody_closed_it(tmp_path: Path) -> None:
    """A counter that waited for the next run would be blind until then."""
    issue(tmp_path, Draft(closer=TOMAS))
    ledger = LedgerFile(tmp_path)
    ledger.append(RunStarted("2026-03-02T02:00:00.000Z", "20260302T020000Z-shop-0a1c", "shop", MIRA.fingerprint, ()))
    (shop,) = system_figures(tmp_path, at=AT)
    assert dict(shop.ended) == {"died": 2}
    assert shop.backup_failed
    assert shop.drill_failed


def test_a_backup_alone_is_stored_or_failed(tmp_path: Path) -> None:
    """No gate judges it; that it was read back is its success."""
    ledger = LedgerFile(tmp_path)
    for number, stored in enumerate((True, False), start=1):
        run, at = f"2026030{number}T020000Z-shop-0a1b", f"2026-03-0{number}T02:00:00.000Z"
        ledger.append(RunStarted(at, run, "shop", MIRA.fingerprint, ()))
        if stored:
            ledger.append(BackupStored(at, f"b{number}", "shop", "0" * 64, run))
        ledger.append(RunFinished(at, run, "0" * 64, ()))
        assert system_figures(tmp_path, at=AT)[0].backup_failed is not stored
    (shop,) = system_figures(tmp_path, at=AT)
    assert dict(shop.ended) == {"stored": 1, "unknown": 1}
    assert shop.backup_stored == "2026-03-01T02:00:00.000Z"
    assert not shop.drill_failed


def test_a_missing_bundle_takes_its_durations_with_it_and_nothing_else(tmp_path: Path) -> None:
    """The ledger still counts the run."""
    folder = issue(tmp_path)
    (folder / "journal.jsonl").unlink()
    (shop,) = system_figures(tmp_path, at=AT)
    assert (shop.started, shop.rto_ms, shop.sealed_bytes) == (1, None, ())


def test_a_system_that_never_ran_is_there_when_it_is_asked_for(tmp_path: Path) -> None:
    """Else nobody would miss it."""
    (shop,) = system_figures(tmp_path, systems=["shop"], at=AT)
    assert (shop.started, shop.backup_stored, dict(shop.ended)) == (0, "", {})


def test_only_what_the_ledger_knew_by_then_is_told(tmp_path: Path) -> None:
    """Figures of a day in the past are those of that day."""
    issue(tmp_path)
    assert system_figures(tmp_path, at=START - timedelta(days=1)) == ()
