"""Decisions by the door: what is entered, what a revision holds, what is refused with nothing written, what a death leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from attestore.archive import LedgerFile
from attestore.audit import audit
from attestore.errors import Error, TamperedError, UsageError
from attestore.evidence import Person, revision
from attestore.evidence.decision import Meaning
from attestore.evidence.ledger import DecisionEntered, ReportsRevised
from attestore.ports import Attachment, Page
from attestore.run import Wish, draft, enter, read_sealed, superseded
from bundles import MIRA, RUN, START, STRANGER, Pen
from decided import (
    AFTER,
    AUDITED,
    EVE,
    GLASS,
    KIM,
    ROSTER,
    SAM,
    SPARE,
    decided,
    doors,
    findings,
    record,
    sealed,
    signed,
    waiver,
)
from fakes import OneByOne

MINUTE = timedelta(minutes=1)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def standing(folder: Path, number: int) -> str:
    told = revision.decode((folder / "revisions" / str(number) / "context.json").read_bytes())
    return told.worth[0].standing


def test_two_people_approve_and_each_time_the_reports_are_rendered_again(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    before = tree(folder)
    decided(folder, record(folder, KIM), KIM)
    first = tree(folder / "revisions" / "1")
    decided(folder, record(folder, SAM, at=AFTER + MINUTE), SAM)
    assert (standing(folder, 1), standing(folder, 2)) == ("awaiting approval", "PASS")
    after = tree(folder)
    assert {name: after[name] for name in before} == before
    assert tree(folder / "revisions" / "1") == first
    page = (folder / "revisions" / "2" / "S9-PROD-004.md").read_text(encoding="utf-8")
    assert all(word in page for word in ("Kim", "Sam", "release-manager", "approved", "Report read.", SAM.fingerprint))
    assert "not yet decided" not in page
    assert not findings(folder.parent).problems
    assert not findings(folder).problems


def test_every_decision_and_every_revision_is_in_the_ledger_under_its_checkpoint(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    entered = decided(folder, record(folder, KIM), KIM)
    tail = LedgerFile(folder.parent).read().entries[-2:]
    assert [type(entry) for entry in tail] == [DecisionEntered, ReportsRevised]
    assert isinstance(tail[0], DecisionEntered)
    assert tail[0].record == entered.decisions[0].digest
    assert f'"count":{LedgerFile(folder.parent).read().count}' in (folder.parent / "checkpoint").read_text("utf-8")


def test_a_waiver_shows_as_waived_with_its_end_and_days_left(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports", fails=True)
    end = AFTER + timedelta(days=14)
    for number, pen in enumerate((KIM, SAM)):
        at = AFTER + number * MINUTE
        decided(folder, record(folder, pen, Meaning.WAIVED, at=at, terms=waiver(end)), pen)
    page = (folder / "revisions" / "2" / "S9-PROD-004.md").read_text(encoding="utf-8")
    assert (standing(folder, 1), standing(folder, 2)) == ("FAIL", "WAIVED")
    assert "13 days after this revision was made" in page
    assert "A standby in the other building" in page
    assert "# FAIL" in page or "FAIL" in page.split("## ")[0]
    assert not findings(folder.parent).problems


def refused(folder: Path, chosen: object, pen: Pen, *, match: str, kind: type[Error] = UsageError) -> None:
    """Refused, told why, and not one byte is written."""
    before = tree(folder.parent)
    with pytest.raises(kind, match=match):
        decided(folder, chosen, pen)  # type: ignore[arg-type]
    assert tree(folder.parent) == before


def test_what_may_not_stand_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    fine = record(folder, KIM)
    refused(folder, record(folder, MIRA), MIRA, match="lets nobody approve what they ran themselves")
    refused(
        folder, record(folder, EVE), EVE, match="Eve holds auditor; S9-PROD-004 asks for release-manager and security"
    )
    refused(folder, record(folder, STRANGER), STRANGER, match="the roster names nobody called 'stranger'")
    refused(folder, replace(fine, run="another"), KIM, match="another run")
    refused(folder, replace(fine, gate="S9-PROD-009"), KIM, match="judged no gate")
    refused(folder, replace(fine, statement="0" * 64), KIM, match="another statement")
    refused(folder, replace(fine, gate_digest="0" * 64), KIM, match="another gate's bytes")
    refused(folder, replace(fine, verdict="FAIL"), KIM, match="another verdict")
    refused(folder, replace(fine, comment=" "), KIM, match="it says nothing")
    refused(folder, record(folder, KIM, at=START - MINUTE), KIM, match="before the run ended")
    refused(
        folder, replace(fine, person=replace(fine.person, roles=("security",))), KIM, match="claims the role security"
    )
    refused(folder, replace(fine, person=replace(fine.person, name="Kim Other")), KIM, match="the roster says 'Kim'")
    refused(folder, record(folder, KIM, Meaning.WAIVED, terms=waiver(AFTER + MINUTE)), KIM, match="nothing to waive")
    refused(folder, fine, SAM, match="but is signed by", kind=TamperedError)


def test_a_text_longer_than_a_decision_holds_is_refused_before_it_is_signed(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    wish = Wish("S9-PROD-004", Meaning.APPROVED, "x" * 2001)
    who = Person("kim", "Kim", ("release-manager",), KIM.fingerprint)
    with pytest.raises(UsageError, match="--comment has 2,001 characters; a decision holds 2,000"):
        draft(wish, sealed=read_sealed(folder, roster=ROSTER), person=who, at=AFTER)


def test_a_failure_can_be_waived_or_rejected_and_not_approved(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports", fails=True)
    refused(folder, record(folder, KIM), KIM, match="only a PASS can be approved")
    for until, match in (
        (AFTER + timedelta(days=30, milliseconds=1), "more than 30 d after it was given"),
        (AFTER, "before it begins"),
        (AFTER + timedelta(milliseconds=1), "the waiver ended at"),
    ):
        refused(folder, record(folder, KIM, Meaning.WAIVED, terms=waiver(until)), KIM, match=match)
    fine = waiver(AFTER + timedelta(days=30))
    for terms, match in (
        (replace(fine, reason=""), "no reason"),
        (replace(fine, control=" "), "no compensating control"),
    ):
        refused(folder, record(folder, KIM, Meaning.WAIVED, terms=terms), KIM, match=match)
    decided(folder, record(folder, KIM, Meaning.WAIVED, terms=fine), KIM)


def test_a_waiver_is_not_renewed_beyond_the_longest_since_the_first(tmp_path: Path) -> None:
    """Else one failed run could be waived for ever, and never run again."""
    folder = sealed(tmp_path / "reports", fails=True)
    decided(folder, record(folder, KIM, Meaning.WAIVED, terms=waiver(AFTER + timedelta(days=20))), KIM)
    at, last = AFTER + timedelta(days=19), AFTER + timedelta(days=30)
    for pen in (KIM, SAM):
        longer = record(folder, pen, Meaning.WAIVED, at=at, terms=waiver(last + timedelta(milliseconds=1)))
        refused(folder, longer, pen, match="more than 30 d after this run was first waived")
        decided(folder, record(folder, pen, Meaning.WAIVED, at=at, terms=waiver(last)), pen)
    assert not audit(folder.parent, roster=ROSTER, verifier=GLASS, at=last).problems


def test_a_failure_can_be_reviewed_and_that_counts_for_nothing(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports", fails=True)
    decided(folder, record(folder, KIM, Meaning.REVIEWED), KIM)
    assert standing(folder, 1) == "FAIL"
    assert not findings(folder.parent).problems


def test_nobody_speaks_twice_with_whatever_key(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    decided(folder, record(folder, SAM), SAM)
    refused(
        folder,
        record(folder, SPARE, at=AFTER + MINUTE),
        SPARE,
        match="Sam has approved S9-PROD-004 of this run already",
    )
    # who has reviewed may still approve, and the other way round
    decided(folder, record(folder, SPARE, Meaning.REVIEWED, at=AFTER + MINUTE), SPARE)


def test_nothing_follows_a_rejection(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    decided(folder, record(folder, MIRA, Meaning.REJECTED), MIRA)
    assert standing(folder, 1) == "REJECTED"
    refused(folder, record(folder, KIM, at=AFTER + MINUTE), KIM, match="was rejected by Mira")


def test_a_run_that_a_newer_one_has_replaced_is_not_decided_on(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    superseded(folder.parent, read_sealed(folder, roster=ROSTER), gate="S9-PROD-004")
    newer = sealed(folder.parent, run="20260301T040000Z-shop-2b3c", start=START + timedelta(hours=2))
    with pytest.raises(UsageError, match="is decided by 20260301T040000Z-shop-2b3c"):
        superseded(folder.parent, read_sealed(folder, roster=ROSTER), gate="S9-PROD-004")
    superseded(folder.parent, read_sealed(newer, roster=ROSTER), gate="S9-PROD-004")


class Died(BaseException):
    """kill -9, as far as a test can."""


def test_a_death_anywhere_leaves_what_the_next_command_brings_to_its_end(tmp_path: Path) -> None:
    """The printer, the signer and the ledger are where it dies."""
    for point in ("printed", "signed", "second checkpoint"):
        folder = sealed(tmp_path / point / "reports")
        tools = doors(AFTER + MINUTE)
        chosen = record(folder, KIM)

        class Press(OneByOne):
            version = "press 1"

            @override
            def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
                del page, attachments
                raise Died

        class Signer:
            fingerprint = MIRA.fingerprint
            count = 0

            def __init__(self, most: int) -> None:
                self.most = most

            def problems(self) -> tuple[()]:
                return ()

            def sign(self, path: Path) -> Path:
                self.count += 1
                if self.count > self.most:
                    raise Died
                return MIRA.at(AFTER + MINUTE).sign(path)

        if point == "printed":
            tools = replace(tools, printer=Press())
        else:
            tools = replace(tools, signer=Signer(most=3 if point == "signed" else 7))
        with pytest.raises(Died):
            enter(folder.parent, RUN, signed=signed(chosen, KIM, tmp_path), tools=tools)
        done = enter(folder.parent, RUN, signed=None, tools=doors(AFTER + 2 * MINUTE))
        assert not findings(folder.parent).problems, point
        assert standing(folder, 1) == "awaiting approval"
        assert done.decisions == ()
        assert [path.name for path in (folder / "revisions").iterdir()] == ["1"]


def test_a_decision_that_was_written_and_not_entered_is_entered_by_the_next_command(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    chosen = signed(record(folder, KIM), KIM, tmp_path)
    (folder / "decisions").mkdir()
    (folder / "decisions" / f"{chosen.name}.json").write_bytes(chosen.record)
    (folder / "decisions" / f"{chosen.name}.json.asc").write_bytes(chosen.signature)
    done = enter(folder.parent, RUN, signed=None, tools=doors(AFTER + MINUTE))
    assert [each.person.id for each in done.decisions] == ["kim"]
    assert not findings(folder.parent).problems


def test_half_a_decision_is_removed_and_said_so(tmp_path: Path) -> None:
    folder = sealed(tmp_path / "reports")
    chosen = signed(record(folder, KIM), KIM, tmp_path)
    (folder / "decisions").mkdir()
    (folder / "decisions" / f"{chosen.name}.json.asc").write_bytes(chosen.signature)
    done = enter(folder.parent, RUN, signed=None, tools=doors(AFTER + MINUTE))
    assert done.removed == (f"decisions/{chosen.name}.json.asc",)
    assert not findings(folder.parent, at=AUDITED).problems
