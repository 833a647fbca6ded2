"""The document that this project is against: every lie in it that a careful reader finds by hand, with its lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from attestore.claims import Kind, Report, examine, read

SEED: Final = Path(__file__).parent / "seed/backup-restore-summary.md"

# line, class, what a reader sees
LIES: Final = (
    (14, Kind.UNSUPPORTED, "formally verified, without a record"),
    (24, Kind.UNSUPPORTED, "the results lie in a file that is not here"),
    (44, Kind.IMPOSSIBLE, "pg_stat_user_tables has no tablename"),
    (44, Kind.VACUOUS, "n_live_tup is an estimate"),
    (52, Kind.VACUOUS, "a checksum whose order is not defined"),
    (66, Kind.VACUOUS, "foreign keys joined by name alone"),
    (73, Kind.VACUOUS, "NOT IN and NULL"),
    (76, Kind.VACUOUS, "NOT IN and NULL, again"),
    (77, Kind.UNSUPPORTED, "two of eight foreign keys, the rest left out"),
    (83, Kind.VACUOUS, "triggers listed, nothing expected"),
    (92, Kind.VACUOUS, "an arbitrary row is updated"),
    (93, Kind.VACUOUS, "and an arbitrary one is read"),
    (99, Kind.VACUOUS, "indexes listed, nothing expected"),
    (108, Kind.VACUOUS, "constraints listed, nothing expected"),
    (123, Kind.VACUOUS, "three users read, nothing expected"),
    (133, Kind.VACUOUS, "five images read, nothing expected"),
    (168, Kind.IMPLAUSIBLE, "196 s for the schema of 10 tables"),
    (169, Kind.IMPLAUSIBLE, "867 s for 7,305 rows"),
    (170, Kind.IMPLAUSIBLE, "33 s for the indexes of 7,305 rows"),
    (178, Kind.IMPLAUSIBLE, "8 s for decrypting 2.4 MB"),
    (188, Kind.UNSUPPORTED, "checksums match, none is printed"),
    (189, Kind.VACUOUS, "0 orphans, of how many?"),
    (196, Kind.UNSUPPORTED, "a script that is not here"),
    (201, Kind.APPROVAL, "approved, by no person"),
    (203, Kind.APPROVAL, "approved by who ran it"),
    (215, Kind.UNSUPPORTED, "10/10 checksums, none is printed"),
    (217, Kind.VACUOUS, "0 orphaned records, PASS"),
    (233, Kind.VACUOUS, "ten edge cases passed, nothing measured"),
    (244, Kind.VACUOUS, "a pass rate of 100% of nothing"),
    (278, Kind.UNSUPPORTED, "strategy tested and validated"),
    (280, Kind.UNSUPPORTED, "checksums match, again"),
    (281, Kind.VACUOUS, "0 orphans, again"),
    (285, Kind.UNSUPPORTED, "automation tested"),
    (289, Kind.UNSUPPORTED, "runbook validated"),
    (293, Kind.APPROVAL, "production readiness approved by nobody"),
    (360, Kind.UNSUPPORTED, "formally verified, again"),
    (368, Kind.APPROVAL, "approved, again"),
)

# line, a part of what is computed again
TRUE: Final = (
    (158, "18 minutes 42 seconds is 1,122 seconds"),
    (160, "= 678 s, as stated"),
    (160, "37.67%, as stated"),
    (166, "6 of 6 shares"),
    (172, "8s + 6s + 196s + 867s + 33s + 12s = 1,122 s"),
    (214, "7,305/7,305 is 100%"),
    (252, "401 + 584 + 424 + 847 = 2,256"),
    (359, "18m 42s < 30m"),
)


@pytest.fixture(scope="module")
def report() -> Report:
    return examine(read(SEED.read_text()), at=datetime(2026, 1, 1, tzinfo=UTC))


def test_every_lie_that_a_reader_finds_by_hand_is_found(report: Report) -> None:
    for finding in report.findings:
        print(  # noqa: T201  shown with -s, and where it fails
            f"{finding.lines:>8} {finding.kind.value:<13} {finding.quote[:60]} | {finding.why[:100]}"
        )
    found = {(finding.line, finding.kind) for finding in report.findings}
    missed = [(line, kind.value, what) for line, kind, what in LIES if (line, kind) not in found]
    assert missed == []


def test_what_holds_in_it_is_said_to_hold(report: Report) -> None:
    missed = [
        (line, part) for line, part in TRUE if not any(hold.line == line and part in hold.why for hold in report.holds)
    ]
    assert missed == []


def test_no_figure_that_holds_is_called_wrong(report: Report) -> None:
    """Its arithmetic is sound: a liar who can add up must not be accused of bad sums."""
    assert [finding.lines for finding in report.findings if finding.kind is Kind.CONTRADICTION] == []


def test_each_quote_stands_in_the_document(report: Report) -> None:
    text = SEED.read_text()
    quotes = [finding.quote for finding in report.findings] + [hold.quote for hold in report.holds]
    assert [quote for quote in quotes if not quote or quote not in text] == []
