"""Where a backup lies, as the report says it: every store that was asked, what it gave back, and what it lets nobody delete."""

from __future__ import annotations

from dataclasses import replace

import report_cases as cases
from attestore import report
from attestore.facts import Value
from attestore.resources import templates_folder

TEMPLATES = report.load_templates(templates_folder())
TOLD: list[tuple[str, str, Value]] = [
    ("stores.asked", "", 3),
    ("store.place", "near", "/srv/backups"),
    ("store.verified", "near", True),
    ("store.place", "vault | x", "s3://vault/backups/, off-site"),
    ("store.verified", "vault | x", False),
    ("store.lock", "vault | x", "compliance until 2026-12-30T00:00:00.000Z"),
    ("store.place", "late", "/mnt/late"),
    ("store.versions", "", 1),
    ("store.version", "vault | x: manifest.json", "v1"),
    ("fetched.from", "", "near"),
]


def told(seen: list[tuple[str, str, Value]]) -> str:
    case = cases.passed()
    known = replace(case, observations=(*case.observations, *cases.observations(seen)))
    return report.markdown(report.gate_document(known, "S9-PROD-004"), TEMPLATES).decode()


def test_every_store_is_a_row_with_its_lock_and_what_came_back() -> None:
    text = told(TOLD)
    rows = [line for line in text.splitlines() if line.startswith(("| near", "| vault", "| late"))]
    assert all(row.count(" | ") == 4 for row in rows), "a name makes no column"
    assert [row.replace("\\", "") for row in rows] == [
        "| near | /srv/backups | **whole** | none | yes |",
        "| vault | x | s3://vault/backups/, off-site | **NOT whole** | compliance until 2026-12-30T00:00:00.000Z | – |",
        "| late | /mnt/late | **not measured** | none | – |",
    ]
    assert "1 object version told" in text.replace("\\", "")


def test_a_run_that_asked_no_store_has_no_such_table() -> None:
    """An empty table would read as: nowhere."""
    assert "Restored from" not in told([])
