"""What people decided stands on the first page and in the sign-off; a waiver never reads as a pass."""

from __future__ import annotations

from dataclasses import replace

import report_cases as cases
from attestore import report
from attestore.evidence.decision import Meaning, Waiver
from attestore.report.numbers import left
from attestore.resources import templates_folder

TEMPLATES = report.load_templates(templates_folder())


def text(case: report.Case, gate: str = "S9-PROD-004") -> str:
    return report.markdown(report.gate_document(case, gate), TEMPLATES).decode()


def test_the_first_page_says_what_is_awaited_and_from_whom() -> None:
    first = text(cases.passed()).split("## Executive summary")[0]
    assert "Awaiting approval" in first
    assert "It needs 2 people, with the roles release-manager and security among them, not the operator." in first


def test_the_first_page_says_who_approved_and_when() -> None:
    first = text(cases.approved()).split("## Executive summary")[0]
    assert "Approved by Kim Release, Sam Secure." in first
    assert "Awaiting approval" not in first
    assert "2026-11-22 20:40:00 UTC" in first
    assert "This is revision 2" in first


def test_the_sign_off_prints_name_role_time_meaning_comment_and_key() -> None:
    row = next(line for line in text(cases.approved()).split("## Decisions")[1].splitlines() if "Sam Secure" in line)
    for word in (
        "approved",
        "security",
        "2026-11-22 20:40:00 UTC",
        "Signatures and checkpoint verified",
        cases.SAM.fingerprint,
    ):
        assert word in row


def test_a_waived_failure_says_both_and_its_terms_and_never_pass() -> None:
    page = text(cases.waived())
    first = page.split("## Executive summary")[0]
    assert "WAIVED" in first
    assert "FAIL" in first
    assert "PASS" not in first.replace("only a PASS is valid for a time", "")
    assert "it ends at 2026-12-06 00:00:00 UTC, 13 days after this revision was made" in first
    assert "A standby in the other building replays every minute." in page.split("## Decisions")[1]
    summary = report.markdown(report.summary_document(cases.waived()), TEMPLATES).decode()
    row = next(line for line in summary.splitlines() if line.startswith("| S9-PROD-004"))
    assert "WAIVED" in row
    assert "FAIL" in row
    assert "PASS" not in row


def test_a_gate_that_nobody_has_to_approve_says_so_and_shows_no_box() -> None:
    page = text(cases.passed(), "S9-PROD-003")
    assert "The gate asks for no approval." in page
    assert "Awaiting approval" not in page


def test_what_people_write_changes_no_page() -> None:
    """Comments, reasons and controls are data, like everything that somebody types."""
    case = cases.failed()

    def lines(words: str) -> int:
        told = cases.says(
            case, cases.KIM, Meaning.WAIVED, words, waiver=Waiver(words, words, "2026-12-06T00:00:00.000Z")
        )
        other = replace(told, person=replace(cases.SAM, name=words))
        return len(text(cases.revised(case, told, other)).splitlines())

    assert {lines(words) for words in cases.HOSTILE} == {lines("plain words")}


def test_time_left_is_told_in_whole_days_and_at_last_in_hours_and_minutes() -> None:
    now = "2026-11-22T12:00:00.000Z"
    assert left(now, "2026-12-22T11:59:59.000Z") == "29 days"
    assert left(now, "2026-11-23T12:00:00.000Z") == "1 day"
    assert left(now, "2026-11-23T11:59:00.000Z") == "23 h"
    assert left(now, "2026-11-22T12:40:30.000Z") == "40 min"
    assert left(now, "2026-11-22T11:00:00.000Z") == "0 min"
    assert left(now, "soon") == "–"
