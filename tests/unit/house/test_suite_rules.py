"""The rules that tests/conftest.py lays on every test.

The skips below are what the rules are tried on: each is the text of another suite, run by a pytest of its
own. None of them is a test of this one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"


def run_pytest(folder: Path, *, test: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder / "conftest.py")
    (folder / "test_one.py").write_text(test)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "--rootdir",
            str(folder),
            str(folder),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "test",
    [
        "import pytest\ndef test_it(): pytest.skip('no server here')\n",
        "import pytest\n@pytest.mark.skipif(True, reason='no server here')\ndef test_it(): pass\n",
        "import pytest\npytest.importorskip('no_such_module_here')\ndef test_it(): pass\n",
    ],
    ids=["inside the test", "by a mark", "a whole module"],
)
def test_a_skipped_test_is_a_failed_one_and_says_why(tmp_path: Path, test: str) -> None:
    done = run_pytest(tmp_path, test=test)
    assert done.returncode != 0
    assert "here" in done.stdout
    assert not re.search(r"\d+ (passed|skipped)", done.stdout)


def test_a_passing_test_still_passes(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, test="def test_it(): assert 1 + 1 == 2\n")
    assert done.returncode == 0
    assert "1 passed" in done.stdout


def test_an_expected_failure_is_not_a_skip(tmp_path: Path) -> None:
    test = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert 1 == 2\n"
    done = run_pytest(tmp_path, test=test)
    assert done.returncode == 0
    assert "1 xfailed" in done.stdout
