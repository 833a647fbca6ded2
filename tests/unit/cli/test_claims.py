"""claims on the command line: exit codes, the two forms of its result, and documents that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attestore.cli.app import app
from attestore.errors import TamperedError, UsageError

ARCHIVES = Path(__file__).parents[2] / "archives/0.1.0"
BUNDLE = next((ARCHIVES / "reports").glob("2026*"))
LIE = "# Test\n\nExecuted By: kim\nApproved By: Kim\n\n| Step | Time |\n|---|---|\n| a | 1 s |\n| b | 2 s |\n| Total | 9 s |\n"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["claims", *arguments], catch_exceptions=False, standalone_mode=False)
    return int(done.return_value if done.return_value is not None else done.exit_code), done.stdout


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "report.md"
    path.write_text(LIE)
    return path


def told(code: int, printed: str, *, expected: int) -> dict[str, object]:
    assert code == expected
    value = json.loads(printed)
    assert isinstance(value, dict)
    return value


def test_json_has_exactly_the_promised_keys(document: Path) -> None:
    value = told(*run(str(document), "--json"), expected=4)
    assert value.keys() == {"findings", "holds"}
    findings = value["findings"]
    assert isinstance(findings, list)
    assert [(each["line"], each["class"], each["quote"]) for each in findings] == [
        (4, "approval", "Approved By: Kim"),
        (10, "contradiction", "| Total | 9 s |"),
    ]
    assert all(each.keys() == {"line", "quote", "class", "why", "needs"} for each in findings)


def test_a_range_of_lines_is_written_as_one(tmp_path: Path) -> None:
    path = tmp_path / "marks.md"
    path.write_text("| Edge case | Status |\n|---|---|\n| NULL | PASS |\n| Unicode | PASS |\n")
    value = told(*run(str(path), "--json"), expected=4)
    findings = value["findings"]
    assert isinstance(findings, list)
    assert findings[0]["line"] == "3-4"


def test_a_document_without_findings_exits_0(tmp_path: Path) -> None:
    path = tmp_path / "fine.md"
    path.write_text("18 min 42 s (1,122 s)\n")
    value = told(*run(str(path), "--json"), expected=0)
    assert value["findings"] == []
    assert value["holds"] == [{"line": 1, "quote": "18 min 42 s (1,122 s)", "why": "18 min 42 s is 1,122 s."}]


def test_the_text_is_grouped_by_class_and_shows_what_would_hide(tmp_path: Path) -> None:
    path = tmp_path / "hides.md"
    path.write_text("# Test\n\n**Status**: [bold]APPROVED[/bold] \x1b[31m \u202e ✅ APPROVED\n")
    code, printed = run(str(path))
    assert code == 4
    assert "approval 1" in printed
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "‹U+001B›" in printed
    assert "[bold]" in printed


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\xff\xfe", "not UTF-8"), (b"a" * ((4 << 20) + 1), "larger than 4 MiB"), (None, "there is no")],
)
def test_what_is_no_readable_document_is_refused(tmp_path: Path, data: bytes | None, words: str) -> None:
    path = tmp_path / "none.md"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UsageError, match=words):
        run(str(path))
    with pytest.raises(UsageError, match="not a file"):
        run(str(tmp_path))


def test_our_own_report_held_against_its_bundle_is_not_contradicted() -> None:
    value = told(*run(str(BUNDLE / "S9-PROD-004.md"), "--evidence", str(BUNDLE), "--json"), expected=0)
    evidence = value["evidence"]
    assert isinstance(evidence, dict)
    assert evidence["contradicted"] == []
    assert evidence["trusted"] is False
    assert "not known without --roster" in evidence["integrity"]
    confirmed = {each["figure"] for each in evidence["confirmed"]}
    assert {"1.643 s", "7,305 / 7,305", "98edb7b68d2a8ec2076e562fc47b017428ec9923bab2ba28b2398ed5070f5977"} <= confirmed
    assert evidence["not_covered"]


def test_a_figure_that_the_bundle_contradicts_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "claim.md"
    path.write_text("Measured RTO: 18 minutes\n\n| Table | Rows |\n|---|---|\n| likes | 2,157 |\n| tags | 100 |\n")
    value = told(*run(str(path), "--evidence", str(BUNDLE), "--json"), expected=4)
    evidence = value["evidence"]
    assert isinstance(evidence, dict)
    assert [each["line"] for each in evidence["contradicted"]] == [1, 5]
    assert [each["figure"] for each in evidence["confirmed"]] == ["100"]
    findings = value["findings"]
    assert isinstance(findings, list)
    assert {each["line"] for each in findings} >= {1, 5}


def test_a_bundle_that_is_not_whole_is_no_evidence(tmp_path: Path, document: Path) -> None:
    copy = tmp_path / BUNDLE.name
    for source in sorted(BUNDLE.rglob("*")):
        target = copy / source.relative_to(BUNDLE)
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    journal = copy / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"value":7305', b'"value":7306'))
    with pytest.raises(TamperedError, match="not whole"):
        run(str(document), "--evidence", str(copy))
    with pytest.raises(UsageError, match="no bundle"):
        run(str(document), "--evidence", str(tmp_path / "nowhere"))


HARD = """Report on restoring
===================

- Steps
    - nested: 10 of 12 tables (100 %)

      | Part | Rows |
      |---|---:|
      | a | 10 |
      | b | 20 |
      | Total | 31 |

\tcode after a tab, 2026-02-30

<div>Approved: 31 June 2026</div>

A footnote[^1] says so.

[^1]: SHA-256 `abc123abc123abc123abc123`

Größe 1.234,5 MB; 7.305 von 7.304 Zeilen
----------------------------------------
"""


@pytest.mark.parametrize("form", ["LF", "CRLF", "CR", "BOM and CRLF"])
def test_line_ends_marks_and_markup_move_no_line_and_no_quote(tmp_path: Path, form: str) -> None:
    path = tmp_path / "hard.md"
    end = {"LF": "\n", "CR": "\r"}.get(form, "\r\n")
    path.write_bytes(("\ufeff" * form.startswith("BOM") + HARD.replace("\n", end)).encode())
    findings = told(*run(str(path), "--json"), expected=4)["findings"]
    assert isinstance(findings, list)
    assert [(each["line"], each["class"]) for each in findings] == [
        (5, "contradiction"), (11, "contradiction"), (13, "impossible"), (15, "impossible"), (19, "impossible"), (21, "impossible"),
    ]  # fmt: skip
    lines = HARD.split("\n")
    assert all(each["quote"] == lines[each["line"] - 1].strip() for each in findings)
