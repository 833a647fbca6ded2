"""A key that has ended speaks only for what is proven to be older than its end."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attestore.audit import Anchor, Findings, audit
from attestore.audit.times import NOTHING, Proven, Witness, rule
from attestore.config import Key, Roster
from attestore.errors import TamperedError
from attestore.ports import Inspected
from bundles import AUDITED, GLASS, MIRA, ROSTER, RUN, START, TOMAS, Draft, Glass, Pen, issue, person, roster

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
BEFORE = Witness(Proven(datetime(2026, 4, 1, tzinfo=UTC), "a time stamp"))
AFTER = Witness(Proven(datetime(2026, 7, 1, tzinfo=UTC), "a time stamp"))
COVERED = Witness(covered="the checkpoint of today")
KEY = Key("A" * 40, b"")
LAPSED = Key("A" * 40, b"", until=END)


def seen(
    *, made: datetime = SIGNED, expires: datetime | None = None, revoked: datetime | None = None, reason: str = ""
) -> Inspected:
    return Inspected("A" * 40, made, CREATED, expires, revoked, reason, "0" * 64)


def ruled(inspected: Inspected, witness: Witness, *, key: Key = KEY, audited: datetime = LATER) -> str:
    return rule(inspected, key=key, audited=audited, witness=witness)


@pytest.mark.parametrize("witness", [NOTHING, BEFORE, AFTER])
def test_a_key_in_force_needs_nobodys_word(witness: Witness) -> None:
    assert ruled(seen(), witness) == ""
    assert ruled(seen(expires=LATER + timedelta(days=1)), witness) == ""
    assert ruled(seen(expires=END), witness, audited=SIGNED) == ""


ENDED = [
    (seen(expires=END), KEY, "The key expired 2026-06-01"),
    (seen(revoked=END, reason="compromised"), KEY, "The key was revoked 2026-06-01T00:00:00.000Z (compromised)"),
    (seen(revoked=END, reason="superseded"), KEY, "(superseded)"),
    (seen(), LAPSED, "The roster's trust in the key ended 2026-06-01"),
    (seen(expires=END, revoked=END), LAPSED, "a time stamp proves"),
]


@pytest.mark.parametrize(("inspected", "key", "says"), ENDED)
def test_a_key_that_has_ended_is_accepted_by_a_trusted_time_before_and_it_is_said(
    inspected: Inspected, key: Key, says: str
) -> None:
    assert says in ruled(inspected, BEFORE, key=key)


@pytest.mark.parametrize(("inspected", "key", "says"), ENDED)
@pytest.mark.parametrize("witness", [NOTHING, AFTER])
def test_without_such_a_time_it_does_not_count(inspected: Inspected, key: Key, says: str, witness: Witness) -> None:
    assert says
    with pytest.raises(TamperedError):
        ruled(inspected, witness, key=key)


def test_a_checkpoint_by_a_key_in_force_helps_a_key_that_the_roster_retired_and_no_other() -> None:
    assert "the checkpoint of today covers" in ruled(seen(), COVERED, key=LAPSED)
    for inspected in (seen(expires=END), seen(revoked=END)):
        with pytest.raises(TamperedError):
            ruled(inspected, COVERED)


def test_a_revocation_counts_at_any_date_of_the_audit() -> None:
    """It is knowledge: whoever may choose the date could otherwise choose one at which the theft was not known yet."""
    with pytest.raises(TamperedError):
        ruled(seen(revoked=END), NOTHING, audited=SIGNED)


@pytest.mark.parametrize(
    ("inspected", "witness", "says"),
    [
        (seen(made=LATER + timedelta(hours=1)), NOTHING, "after this audit"),
        (seen(made=CREATED - timedelta(days=1)), BEFORE, "before its key was made"),
        (seen(made=END, expires=END), BEFORE, "after that"),
        (seen(made=END, revoked=END), BEFORE, "later"),
        (seen(expires=END), Witness(Proven(CREATED - timedelta(days=1), "a time stamp")), "outside of its validity"),
    ],
)
def test_a_signature_whose_times_cannot_be_is_refused(inspected: Inspected, witness: Witness, says: str) -> None:
    with pytest.raises(TamperedError, match=says):
        ruled(inspected, witness)


# ── through the audit


EXPIRED = Glass(Pen("mira", expires=END), TOMAS)
STOLEN = Glass(Pen("mira", revoked=END, reason="compromised"), TOMAS)
SECOND = "20260301T030000Z-shop-2c3d"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of Mira's; the second one's report is what an auditor has kept."""
    reports = tmp_path_factory.mktemp("two") / "reports"
    issue(reports)
    folder = issue(reports, Draft(run=SECOND, start=START + timedelta(hours=1)))
    for name in ("summary.pdf", "summary.pdf.asc"):
        shutil.copy(folder / name, reports.parent / name)
    return reports


def looked(
    reports: Path, glass: Glass, *, since: datetime | None = None, at: datetime = LATER, known: Roster = ROSTER
) -> Findings:
    anchors = [] if since is None else [Anchor(reports.parent / "summary.pdf", since=since)]
    return audit(reports, roster=known, verifier=glass, at=at, anchors=anchors)


def of(findings: Findings, run: str) -> list[str]:
    return [line.sentence for line in findings.problems if line.check == "signature" and run in line.subject]


@pytest.mark.parametrize(("glass", "word"), [(EXPIRED, "expired"), (STOLEN, "revoked")])
def test_years_later_a_report_kept_since_before_the_end_saves_what_lies_before_it(
    two: Path, glass: Glass, word: str
) -> None:
    bare = looked(two, glass)
    assert all(f"its key {'was revoked' if word == 'revoked' else word}" in line for line in of(bare, RUN))
    assert len(of(bare, RUN)) == 7
    saved = looked(two, glass, since=END - timedelta(days=30))
    assert of(saved, RUN) == []
    notes = [line.sentence for line in saved.lines if line.subject == f"{RUN}/statement.json"]
    assert any("your copy summary.pdf, kept since 2026-05-02" in line and word in line for line in notes)
    # the kept report shows the ledger at its own start: its own end came later
    assert of(saved, SECOND) != []


def test_a_report_that_came_too_late_saves_nothing(two: Path) -> None:
    late = looked(two, STOLEN, since=END + timedelta(days=1))
    assert of(late, RUN) != []
    assert any("proves only that it existed" in line.sentence for line in late.problems)


def test_at_a_date_before_its_expiry_a_key_is_in_force(two: Path) -> None:
    assert looked(two, EXPIRED, at=AUDITED).problems == ()
    assert of(looked(two, STOLEN, at=AUDITED), RUN) != []


def test_a_key_that_the_roster_retired_is_vouched_for_by_its_successors_checkpoint(tmp_path: Path) -> None:
    issue(tmp_path)
    retired = person(MIRA, "operator", until=END)
    known = roster(retired, person(TOMAS, "operator"))
    assert any("trusts its key until" in line for line in of(looked(tmp_path, GLASS, known=known), RUN))
    issue(tmp_path, Draft(run=SECOND, start=END + timedelta(days=1), pen=TOMAS))
    after = looked(tmp_path, GLASS, known=known)
    assert of(after, RUN) == []
    assert any("by a key in force, covers what it signed" in line.sentence for line in after.lines)
