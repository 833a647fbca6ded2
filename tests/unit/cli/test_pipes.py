"""Output whose reader goes away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def cut(*words: str, error: bool = False, folder: Path) -> tuple[int, bytes]:
    """Exit code and what else was said, where nobody reads standard output, or standard error."""
    reading, writing = os.pipe()
    os.close(reading)
    kept = subprocess.PIPE
    try:
        done = subprocess.run(
            [sys.executable, "-m", "attestore", *words],
            cwd=folder,
            stdout=kept if error else writing,
            stderr=writing if error else kept,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)
    return done.returncode, (done.stdout if error else done.stderr) or b""


@pytest.mark.parametrize("words", [("facts",), ("facts", "--json"), ("--help",), ("--version",)])
def test_who_stops_reading_ends_the_output_and_nothing_else(tmp_path: Path, words: tuple[str, ...]) -> None:
    """As `attestore facts | head` does it: no trace, no word, and the code that shells give a cut pipe."""
    assert cut(*words, folder=tmp_path) == (141, b"")


def test_a_failure_keeps_its_code_though_nobody_reads_it(tmp_path: Path) -> None:
    code, said = cut("audit", "nowhere", folder=tmp_path)
    assert code not in {0, 1, 141}
    assert b"nowhere" in said
    assert cut("audit", "nowhere", error=True, folder=tmp_path) == (code, b"")
