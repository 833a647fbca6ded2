"""Why a gate is worth what it is, and who is wanted, in the reader's language and the words of the status in English."""

from __future__ import annotations

from dataclasses import replace

import pytest

import report_cases as cases
from attestore import instants, report
from attestore.report.languages import printed
from attestore.report.voice import speaking
from attestore.report.wanting import lacking, reason
from attestore.resources import templates_folder
from attestore.standing import NEVER_RUN, Judged, Standing, hold, wanted

GERMAN = report.load_templates(templates_folder(), language="de")


@pytest.mark.parametrize("roles", [(), ("security",), ("security", "release-manager")])
@pytest.mark.parametrize("more", [0, 1, 2])
@pytest.mark.parametrize("so_far", [False, True])
def test_in_english_a_report_asks_for_whom_the_status_asks(roles: tuple[str, ...], more: int, *, so_far: bool) -> None:
    assert lacking(roles, more, so_far=so_far) == wanted(roles, more, so_far=so_far)


def test_a_german_report_asks_in_german() -> None:
    with speaking(printed(GERMAN, "de")):
        told = lacking(("security", "release-manager"), 2, so_far=True)
    assert told == "2 weitere Personen, mit den Rollen security und release-manager unter ihnen"


def test_the_reason_of_a_standing_is_told_in_german_with_instants_as_they_are_read() -> None:
    case = cases.waived()
    gate = case.gate("S9-PROD-004")
    told = Judged(case.context.run, gate, "FAIL", case.context.ended, case.context.operator.id)
    held = hold(told, case.decisions, at=instants.parse(cases.REVISED))
    with speaking(printed(GERMAN, "de")):
        waived, failed = reason(held), reason(hold(told, (), at=instants.parse(cases.REVISED)))
    assert waived.startswith("Verzichtet von Kim Release, Sam Secure bis ")
    assert "UTC; der Lauf selbst ergab FAIL." in waived
    assert failed == "Der neueste beendete Lauf ergab FAIL."


def test_what_an_audit_put_in_place_of_a_reason_stays_as_it_is() -> None:
    theirs = replace(NEVER_RUN, standing=Standing.REJECTED, reason="r died before its end: … Before: Rejected by Kim.")
    with speaking(printed(GERMAN, "de")):
        assert reason(theirs) == theirs.reason
