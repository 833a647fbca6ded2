"""Two reports that an auditor has kept prove that nothing between them was removed from the ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from attestore.archive import LedgerFile
from attestore.audit import Anchor, Findings, Status, audit
from attestore.evidence import ledger
from attestore.evidence.ledger import RunFinished
from bundles import AUDITED, GLASS, MIRA, ROSTER, RUN, START, STRANGER, Draft, carrier, issue, proof

MIDDLE = "20260301T030000Z-shop-2c3d"
LAST = "20260301T040000Z-shop-4e5f"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs, the one in the middle failed; the auditor kept the reports of the first and of the last."""
    home = tmp_path_factory.mktemp("archive")
    reports = home / "reports"
    issue(reports)
    issue(reports, Draft(run=MIDDLE, start=START + timedelta(hours=1), restored=proof("restored", rows=2)))
    issue(reports, Draft(run=LAST, start=START + timedelta(hours=2)))
    for run, name in ((RUN, "A"), (LAST, "B")):
        for end in ("", ".asc"):
            shutil.copy(reports / run / f"S9-PROD-004.pdf{end}", home / f"{name}.pdf{end}")
    return home


@pytest.fixture
def home(archive: Path, tmp_path: Path) -> Path:
    return shutil.copytree(archive, tmp_path / "home")


def looked(home: Path, *names: str) -> Findings:
    anchors = [Anchor(home / f"{name}.pdf") for name in names or ("B", "A")]
    return audit(home / "reports", roster=ROSTER, verifier=GLASS, at=AUDITED, anchors=anchors)


def said(findings: Findings, *, status: Status = Status.PROBLEM) -> list[str]:
    return [
        f"{line.subject}: {line.sentence}"
        for line in findings.lines
        if line.status is status and line.check == "anchor"
    ]


def test_nothing_between_two_kept_reports_was_removed(home: Path) -> None:
    findings = looked(home)
    assert findings.problems == ()
    told = said(findings, status=Status.OK)
    assert any(
        "Nothing between A.pdf (entry 1) and B.pdf (entry 7) was removed from the ledger: 6 entries, 2 runs: 1 failed, 1 passed."
        in line
        for line in told
    ), told


def test_a_kept_report_without_its_signature_is_known_by_its_equal_in_the_archive(home: Path) -> None:
    (home / "A.pdf.asc").unlink()
    assert looked(home).problems == ()


def rewritten(change: Callable[[list[ledger.Entry]], list[ledger.Entry]]) -> Callable[[Path], object]:
    """The operator writes the ledger anew, chain and checkpoint."""

    def does(home: Path) -> None:
        reports = home / "reports"
        known = LedgerFile(reports).read()
        (reports / "checkpoint").unlink()
        (reports / "ledger.jsonl").write_bytes(ledger.written(change(list(known.entries))))
        LedgerFile(reports).checkpoint(MIRA, at="2026-03-01T05:00:00.000Z")

    return does


def without_middle(home: Path) -> None:
    shutil.rmtree(home / "reports" / MIDDLE)
    rewritten(lambda known: [*known[:3], *known[6:]])(home)


def unsigned(home: Path) -> None:
    (home / "A.pdf").write_bytes(carrier({}))
    (home / "A.pdf.asc").unlink()


def another(home: Path) -> None:
    (home / "A.pdf").write_bytes(carrier({}))
    STRANGER.sign(home / "A.pdf")


def empty(home: Path) -> None:
    (home / "A.pdf").write_bytes(carrier({}))
    MIRA.sign(home / "A.pdf")


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (without_middle, "B.pdf: It shows a ledger of 7 entries at the start of 20260301T040000Z-shop-4e5f; this one has 6"),
        (rewritten(lambda known: known[:6]), "its tail was cut"),
        (
            rewritten(lambda known: [*known[:5], RunFinished(known[5].at, MIDDLE, "0" * 64, ()), *known[6:]]),
            "B.pdf: It shows the head",
        ),
        (lambda home: shutil.rmtree(home / "reports" / MIDDLE), "The ledger is whole between A.pdf"),
        (unsigned, "A.pdf: nobody signed it"),
        (empty, "A.pdf: it carries no context.json"),
        (lambda home: (home / "A.pdf").unlink(), "A.pdf: "),
    ],
)  # fmt: skip
def test_what_was_removed_or_cannot_be_shown_is_named(does: Callable[[Path], object], says: str, home: Path) -> None:
    does(home)
    lines = said(looked(home))
    assert any(says in line for line in lines), lines


def test_a_kept_report_that_a_stranger_signed_shows_nothing(home: Path) -> None:
    another(home)
    findings = looked(home)
    assert any(line.subject == "A.pdf" and "no good signature" in line.sentence for line in findings.problems)
    assert not any("Nothing between" in line for line in said(findings, status=Status.OK))


def test_one_bundle_alone_has_no_ledger_to_compare_with(home: Path) -> None:
    findings = audit(
        home / "reports" / RUN, roster=ROSTER, verifier=GLASS, at=AUDITED, anchors=[Anchor(home / "A.pdf")]
    )
    assert [line.check for line in findings.problems] == ["anchor"]
