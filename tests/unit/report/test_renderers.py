"""An old renderer stays as it was, and stays callable."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import report_cases as cases
from attestore import report
from attestore.errors import UsageError
from attestore.report import one
from attestore.resources import templates_folder

ARCHIVED = next((Path(__file__).parents[2] / "archives/0.1.0/reports").glob("*/templates"))
FROZEN = "1d9fdf2e2daed6ac6016eb0563740c72d86172d1bf788b00d1dae6adb741ec67"
"""SHA-256 over the files of renderer 1; a change here is a change of what old bundles were rendered with"""


def test_renderer_1_is_the_one_that_made_the_archives() -> None:
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(Path(one.__file__).parent.glob("*.py"))
    ]
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == FROZEN


def test_a_case_is_rendered_by_the_renderer_that_it_names() -> None:
    case = cases.failed()
    files = {path.name: path.read_bytes() for path in ARCHIVED.iterdir()}
    old, new = report.renderer("1"), report.renderer(report.RENDERER)
    shipped = report.load_templates(templates_folder())
    for name in report.pages(case):
        again = old.markdown(case, name, old.templates(files))
        assert again.startswith(b"# ")
        assert new.markdown(case, name, shipped).startswith(b"# ")
        assert "<table" in old.sheet(case, name, old.templates(files)).html


def test_an_unknown_renderer_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"renderer 9; this version has 1, 2"):
        report.renderer("9")
