"""The shell of docs/for-auditors.md, run as it is printed there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import report_cases as cases
from attestore import report
from attestore.evidence import Observation, journal
from attestore.resources import templates_folder
from bundles import issue

ROOT = Path(__file__).parents[3]
LINES = (
    Observation(at="2026-01-02T03:04:05.000Z", tick=0, fact="run.system", subject="", value="gallery", source="plan"),
    Observation(at="2026-01-02T03:04:06.000Z", tick=1000, fact="run.operator", subject="", value='Ж \\ "x" 100%', source="roster"),
    Observation(at="2026-01-02T03:04:07.000Z", tick=2000, fact="restore.errors", subject="", value=0, source="pg_restore"),
)  # fmt: skip


def chain(file: Path) -> subprocess.CompletedProcess[str]:
    function = re.search(r"^chain\(\) \{.*?^\}$", (ROOT / "docs/for-auditors.md").read_text(), re.MULTILINE | re.DOTALL)
    assert function
    bash = shutil.which("bash")
    assert bash
    return subprocess.run(
        [bash, "-c", f'{function[0]}\nchain "$1" evidence/link', "bash", str(file)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_printed_shell_finds_the_head_that_the_journal_has(tmp_path: Path) -> None:
    data = journal.written(LINES)
    (tmp_path / "journal.jsonl").write_bytes(data)
    assert chain(tmp_path / "journal.jsonl").stdout == f"3 {journal.read(data).head}\n"


def test_the_printed_shell_says_where_a_line_was_taken_out(tmp_path: Path) -> None:
    first, _, third = journal.written(LINES).splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_bytes(first + third)
    done = chain(tmp_path / "journal.jsonl")
    assert done.returncode == 1
    assert "line 2 is not bound to the line before it" in done.stdout


def test_verify_md_and_the_page_print_the_same_shell() -> None:
    page = (ROOT / "docs/for-auditors.md").read_text()
    (function,) = re.findall(r"^chain\(\) \{.*?^\}$", page, re.MULTILINE | re.DOTALL)
    assert function in report.verify_page(cases.passed(), report.load_templates(templates_folder())).decode()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with doubles for keys: all but the first block of the page can be run on it."""
    return issue(tmp_path_factory.mktemp("reports"))


def shorten(file: Path) -> None:
    """Without its last line."""
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))


def follow(bundle: Path) -> subprocess.CompletedProcess[str]:
    """Everything that the page prints after the signatures, in its order, in one shell that stops at the first failure."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "docs/for-auditors.md").read_text(), re.MULTILINE | re.DOTALL)
    bash = shutil.which("bash")
    assert bash
    script = "".join(
        block for block in blocks if not any(word in block for word in ("gpg --import", "*.pdf", "exported"))
    )
    assert len(blocks) == 10
    return subprocess.run(
        [bash, "-euo", "pipefail", "-c", script], cwd=bundle, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_page_finds_nothing_in_a_sound_bundle(sealed: Path) -> None:
    done = follow(sealed)
    assert (done.returncode, done.stderr) == (0, "")
    assert not re.search("^[<>] ", done.stdout, re.MULTILINE), "no comparison finds a difference"
    rto = re.search(r"^restore\.rto\t(\d+) ms$", done.stdout, re.MULTILINE)
    assert rto
    assert rto[1] in done.stdout.splitlines(), "the phases sum to the recovery time"


@pytest.mark.parametrize(
    ("edit", "finding"),
    [
        (lambda bundle: (bundle / "verdict.json").write_bytes(b"{}"), "verdict.json: FAILED"),
        (lambda bundle: (bundle / "logs" / "more.log").write_bytes(b"added"), "> logs/more.log"),
        (lambda bundle: (bundle / "journal.jsonl").unlink(), "journal.jsonl"),
        (lambda bundle: shorten(bundle.parent / "ledger.jsonl"), "> "),
        (lambda bundle: bundle.rename(bundle.with_name("another-run")), "< "),
    ],
    ids=["a file was changed", "a file was added", "a file was removed", "the ledger was cut", "a run is missing"],
)
def test_the_page_finds_what_was_done_to_a_bundle(
    tmp_path: Path, sealed: Path, edit: Callable[[Path], object], finding: str
) -> None:
    copy = shutil.copytree(sealed.parent, tmp_path / "reports") / sealed.name
    (copy / "logs").mkdir(exist_ok=True)
    edit(copy)
    done = follow(copy if copy.exists() else copy.with_name("another-run"))
    assert done.returncode != 0
    assert finding in done.stdout + done.stderr
