"""status and audit on the command line: what is not there is refused by name, what is remarkable is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from attestore import compose
from attestore.audit import Status, audit
from attestore.cli.check import Asked, audit_path, check_gates
from attestore.cli.status import Question, tell_status
from attestore.errors import UsageError
from bundles import GATE as PLAIN
from bundles import RUN, START, Draft, issue
from decided import AUDITED, GATE, GLASS, ROSTER, sealed
from fakes import FakeClock

LENIENT = PLAIN.replace(b"cadence: 31d\n", b"")


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run under the gate that counts, then one under a weaker gate of the same id."""

    @contextmanager
    def auditing(roster: Path, **_: object) -> Iterator[compose.Trust]:
        yield compose.Trust(
            roster=ROSTER, verifier=GLASS, clock=FakeClock(AUDITED), aside=lambda _: roster, stamps=None
        )

    monkeypatch.setattr(compose, "auditing", auditing)
    folder = tmp_path / "reports"
    sealed(folder)
    issue(folder, Draft(run="20260301T050000Z-shop-2b3c", start=START + timedelta(hours=3), gates=(LENIENT,)))
    return folder


@pytest.fixture
def question(reports: Path) -> Question:
    return Question("", "", at="", gates=None, anchors=(), reports=reports, roster=reports, as_json=False)


def own(folder: Path, **files: bytes) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / f"{name}.yaml").write_bytes(data)
    return folder


def test_the_release_gate_compares_the_gate_that_judged_with_the_one_that_counts(
    question: Question, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_status(question) == 0
    assert f"The gate changed since run {RUN}" in " ".join(capsys.readouterr().out.split())
    ours = own(tmp_path / "gates", ours=GATE)
    assert tell_status(replace(question, gates=ours)) == 3
    assert "was judged by another S9-PROD-004 (sha256" in " ".join(capsys.readouterr().out.split())
    assert tell_status(replace(question, as_json=True)) == 0
    (row,) = json.loads(capsys.readouterr().out)["gates"]
    assert row["gate_changed_since"] == RUN


def test_the_status_for_programmes_tells_the_forecast_or_that_runs_are_wanting(
    question: Question, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = tmp_path / "drilled"
    issue(reports)
    assert tell_status(replace(question, reports=reports, as_json=True)) == 0
    (row,) = json.loads(capsys.readouterr().out)["gates"]
    assert (row["forecast"]["outlook"], row["forecast"]["about"], row["forecast"]["target_ms"]) == (
        "too few runs",
        "",
        1_800_000,
    )
    assert row["forecast"]["says"].startswith("Not enough runs for a forecast: 0 of at least 6")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path, "there is no folder"),
        (lambda path: path.write_bytes(GATE), "there is no folder"),
        (own, "holds no gate"),
        (lambda path: own(path, a=GATE, b=LENIENT), "holds two gates S9-PROD-004"),
        (lambda path: own(path, a=GATE.replace(b"PROD-004", b"PROD-009")), "holds no gate 'S9-PROD-004'"),
    ],
    ids=["nothing there", "a file", "an empty folder", "two of one id", "another gate"],
)
def test_a_folder_of_gates_that_can_not_be_compared_with_is_refused(
    make: Callable[[Path], object], says: str, question: Question, tmp_path: Path
) -> None:
    make(tmp_path / "typo")
    with pytest.raises(UsageError, match=says):
        tell_status(replace(question, gate="S9-PROD-004", gates=tmp_path / "typo"))


def test_a_system_that_nobody_knows_is_named(question: Question, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell_status(replace(question, system="nosuch")) == 3
    assert capsys.readouterr().out == "No gate of nosuch was ever run here.\n"


def test_what_is_neither_a_bundle_nor_exported_is_not_audited(reports: Path, tmp_path: Path) -> None:
    for path, says, hint in (
        (reports / "ledger.jsonl", "neither an exported envelope nor an exported PDF", "reports folder"),
        (reports / RUN / "summary.md", "neither an exported envelope nor an exported PDF", "one bundle"),
        (reports / RUN / "summary.pdf", "carries no signature of its own", f"Audit the bundle.*{RUN}"),
    ):
        with pytest.raises(UsageError, match=says) as refused:
            audit_path(Asked(path, tmp_path / "roster.yaml"), as_json=True)
        assert refused.match(says)
        assert hint.partition(".*")[0] in refused.value.hint


def test_a_damaged_envelope_is_a_finding_and_no_misuse(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in (("run.dsse", b"\x00"), ("run.json", b'{"payload": 1')):
        (tmp_path / name).write_bytes(data)
        assert audit_path(Asked(tmp_path / name, reports), as_json=True) == 4
    assert "envelope" in capsys.readouterr().out


def test_an_empty_folder_and_a_link_named_like_a_run_are_noted(reports: Path) -> None:
    """They hold nothing, but somebody put them there."""
    (reports / "20260301T060000Z-shop-4d5e").mkdir()
    (reports / "20260301T070000Z-shop-5e6f").symlink_to(reports)
    shutil.copy(reports / "checkpoint", reports / "notes")
    found = audit(reports, roster=ROSTER, verifier=GLASS, at=AUDITED)
    noted = {line.subject: line.sentence for line in found.lines if "named like a run" in line.sentence}
    assert {name[-4:]: text.split(" named")[0] for name, text in noted.items()} == {
        "4d5e": "An empty folder",
        "5e6f": "A symbolic link",
    }
    assert {line.status for line in found.lines if line.subject in noted} == {Status.NOTE}


def test_gates_check_takes_a_gate_by_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    """As its hint says; a slip of the pen is told with the nearest one."""
    assert check_gates([Path("S9-PROD-004")], as_json=False) == 0
    assert "S9-PROD-004: S9-PROD-004, 23 checks" in capsys.readouterr().out
    with pytest.raises(UsageError) as told:
        check_gates([Path("S9-PROD-04")], as_json=False)
    assert "Did you mean S9-PROD-004?" in told.value.hint
