"""Documents written for the purpose: how many of their lies are found, and how many findings are right."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from claims_scores import HERE, judged, lies, scored

LYING: Final = sorted((HERE / "corpus").glob("*.md"))
HELD_OUT: Final = sorted((HERE / "held_out").glob("*.md"))
TWINS: Final = sorted((HERE / "twins").glob("*.md"))
HONEST: Final = sorted((HERE / "honest").glob("*.md"))


def test_most_lies_are_found_and_hardly_a_finding_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    score = scored([*LYING, *HONEST])
    with capsys.disabled():
        print(f"\nclaims, {len(LYING)} lying and {len(HONEST)} honest documents: {score.sentence}")  # noqa: T201
    assert score.recall >= 0.9, "\n".join(score.told)
    assert score.precision >= 0.95, "\n".join(score.told)


def test_documents_that_no_check_was_made_for_are_read_nearly_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    """Written last and left alone: see docs/adr/0033 for what was measured when they were new."""
    score = scored(HELD_OUT)
    with capsys.disabled():
        print(f"\nclaims, {len(HELD_OUT)} documents held out: {score.sentence}")  # noqa: T201
    assert score.recall >= 0.8, "\n".join(score.told)
    assert score.precision >= 0.95, "\n".join(score.told)


def test_honest_documents_with_single_figures_falsified_are_told_from_their_twins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The hardest: each lie is one figure or name in a document that is honest otherwise, and that stands in `honest` as it was."""
    score = scored(TWINS)
    with capsys.disabled():
        print(f"\nclaims, {len(TWINS)} falsified twins: {score.sentence}")  # noqa: T201
    assert score.recall >= 0.6, "\n".join(score.told)
    assert score.precision >= 0.95, "\n".join(score.told)


@pytest.mark.parametrize("document", HONEST, ids=lambda path: path.stem)
def test_an_honest_document_is_left_alone(document: Path) -> None:
    assert [(finding.lines, finding.quote, finding.why) for finding in judged(document)] == []


@pytest.mark.parametrize("document", LYING, ids=lambda path: path.stem)
def test_each_sidecar_names_lines_of_its_document(document: Path) -> None:
    assert list(lies(document))
