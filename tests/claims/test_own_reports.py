"""Our own reports pass: whatever the verdict, in every language, before and after decisions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

import report_cases as cases
from attestore import report
from attestore.claims import Finding, examine, read
from attestore.report import Case
from attestore.resources import templates_folder

LATER: Final = datetime(2030, 1, 1, tzinfo=UTC)
BUNDLED: Final = sorted((Path(__file__).parents[1] / "archives").glob("*/reports/*/**/*.md"))
RENDERER: Final = report.renderer(report.RENDERER)


def real(text: str) -> str:
    """The same with digests as programmes make them: those of the cases are typed, which is what this reader is for."""

    def made(line: str) -> str:
        subject = line.split("|")[1] if line.startswith("|") else ""
        return re.sub(
            r"(?<![0-9A-Za-z])(?:[0-9a-f]{64}|[0-9a-f]{38}|[0-9A-F]{40}|[0-9a-f]{16})(?![0-9A-Za-z])",
            lambda found: hashlib.sha512(f"{subject if len(found[0]) == 16 else ''}{found[0]}".encode()).hexdigest()[
                : len(found[0])
            ],
            line,
        )

    return "\n".join(map(made, text.split("\n")))


def found(text: str) -> list[tuple[str, str, str]]:
    def told(finding: Finding) -> tuple[str, str, str]:
        return finding.lines, finding.quote, finding.why

    return [told(finding) for finding in examine(read(text), at=LATER).findings]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "case",
    [cases.passed, cases.failed, cases.stopped, cases.died_at_once, cases.approved, cases.waived],
    ids=lambda made: made.__name__,
)
def test_a_report_of_any_outcome_passes_in_every_language(case: Callable[[], Case], language: str) -> None:
    made = case()
    made = replace(made, context=replace(made.context, language=language))
    templates = report.load_templates(templates_folder(), language=language)
    for name in [*(gate.id for gate in made.gates), "summary"]:
        assert found(real(RENDERER.markdown(made, name, templates).decode())) == [], name


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: "-".join(path.parts[-3:]))
def test_a_report_of_a_golden_bundle_passes(path: Path) -> None:
    assert found(path.read_text()) == []


def test_a_figure_that_was_changed_in_our_own_report_is_noticed() -> None:
    text = next(path for path in BUNDLED if path.name == "S9-PROD-004.md").read_text()
    assert "| public.likes | 2,156 | 2,156 |" in text
    assert found(text.replace("| public.likes | 2,156 | 2,156 |", "| public.likes | 2,156 | 2,165 |")) != []
    assert found(text.replace("99.9%", "98.9%")) != []


def test_a_key_handed_to_a_command_and_named_in_a_list_is_one_key() -> None:
    """As our runbooks have it: the command names whom to trust, the list of keys says who that is."""
    key = hashlib.sha512(b"a key").hexdigest()[:40].upper()
    command = f"attestore restore --latest --system gallery \\\n  --signer {key} --signer-key $KEY"
    listed = f"| Key | For what |\n| :--- | :--- |\n| `{key}` | signed the backup |"
    assert found(f"# Runbook\n\n```sh\n{command}\n```\n\n{listed}\n") == []
    assert found(f"# Sums\n\n```\nwarehouse: SHA-1 {key}\n```\n\n{listed}\n") != []
