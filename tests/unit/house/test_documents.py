"""What the documents promise about the code, held against the code."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

import attestore
from attestore import errors

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")


def test_the_table_of_exit_codes_is_the_error_family() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (ROOT / "docs/exit-codes.md").read_text(), flags=re.MULTILINE)
    family = {
        name: getattr(errors, name).exit_code
        for name in errors.__all__
        if name != "Error"  # never raised itself
    }
    assert {name: int(code) for code, name in rows} == family
    assert len(rows) == len(family)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_link_inside_the_house_is_broken(document: Path) -> None:
    targets: list[str] = LINK.findall(document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_the_changelog_has_this_version_and_each_version_says_what_became_of_the_evidence() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    versions = {section.split("]")[0].removeprefix("["): section for section in sections}
    assert attestore.__version__ in versions
    assert [
        name for name, text in versions.items() if name != "Unreleased" and "### Evidence format\n" not in text
    ] == []


def test_the_licence_is_the_canonical_text() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_continuous_integration_runs_what_a_person_runs() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_no_two_decisions_have_one_number_and_all_have_the_same_parts() -> None:
    """A gap is a number that was reserved and not needed."""
    decisions = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
    assert len({path.name[:4] for path in decisions}) == len(decisions) >= 24
    for path in decisions:
        assert re.findall(r"^## (.+)$", path.read_text(), flags=re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ], path


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/adr/README.md").read_text()
    assert [path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md") if f"({path.name})" not in index] == []
