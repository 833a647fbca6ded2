"""The shell of docs/for-auditors.md, run as it is printed there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from attestore.evidence import Observation, journal

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
