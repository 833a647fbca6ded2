"""No document stops the reader, and none takes it long: whatever stands in it is data."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attestore.claims import examine, read
from claims_scores import HERE

SCRAPS = tuple(line for path in [*HERE.glob("*/*.md")] for line in path.read_text().split("\n") if line.strip())
PATHOLOGICAL = {
    "a table of many rows": "| Table | Rows | Status |\n|---|---|---|\n" + "| t | 12 | PASS |\n" * 2_000,
    "a table of many columns": "|" + " a |" * 500 + "\n|" + "-|" * 500 + "\n|" + " 1 |" * 500,
    "one line": "RTO 18 min " * 20_000,
    "one number": "1" * 300_000,
    "numbers": "1,234 " * 40_000,
    "digits with points": "1.2" * 60_000,
    "brackets": "[" * 60_000,
    "emphasis": "*a_ " * 30_000,
    "back quotes": " ".join("`" * count for count in range(300)),
    "quotes in quotes": ">" * 20_000 + " 0 orphaned records PASS",
    "lists in lists": "\n".join(" " * depth + "- 0 errors ✅" for depth in range(1_500)),
    "many digests": "\n".join(f"md5 {number:032x}" for number in range(4_000)),
    "many dates": "\n".join(f"Started: 2025-01-{day % 28 + 1:02} 10:00" for day in range(1_000)),
    "deep SQL": "```sql\nSELECT " + "(SELECT " * 2_000 + "1" + ")" * 2_000 + ";\n```",
    "long SQL": "```sql\nSELECT 1" + " UNION SELECT 1" * 2_500 + ";\n```",
    "many statements": "```sql\n" + "SELECT broken FROM;\n" * 2_000 + "```",
    "markup of a terminal": "**Status**: [bold red]APPROVED[/] \x1b[31m \u202e 0 orphaned records ✅",
    "colons": "a: " * 40_000,
    "spaces": "RTO" + " " * 100_000 + "18 min",
    "approved": "approved by " * 20_000,
    "rules in a statement": "```sql\nSELECT 1\n" + "a\n---\n" * 20_000 + "```",
    "errors in a session": "```\n" + "d=# SELECT 1;\nERROR:  no\n" * 5_000 + "```",
    "claims that nothing is wrong": "- [x] No invalid indexes\n" * 2_000,
    "counts that were printed": "\n\n".join(
        f"```\nSELECT count(*) FROM table{n};\n{n}\n```\n\ntable{n}: {n} rows" for n in range(500)
    ),
    "runs that were timed": "```\ntime pg_restore\nreal 1m1.0s\n```\n\nThe restore took 1 min.\n\n" * 500,
    "addresses": "run by " + "a.a" * 6_000 + " run by a.a" * 2_000,
    "leaders": "a " * 50 + "." * 3_000 + "\n" + ("a" + " " * 3_000 + "\n") * 20,
    "wiki tables": "|a|b|\n" * 2_000,
    "verified": "All rows verified. All tables verified.\n\n" * 1_500,
    "old SQL": "PostgreSQL 9.6\n\n" + "```sql\nSELECT procpid FROM pg_stat_activity;\n```\n\n" * 1_000,
    "nothing": "",
}


@pytest.mark.parametrize("text", PATHOLOGICAL.values(), ids=PATHOLOGICAL)
def test_a_pathological_document_is_read_to_its_end(text: str) -> None:
    report = examine(read(text))
    assert all(len(finding.quote) <= 240 for finding in report.findings)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.sampled_from(SCRAPS), st.text(max_size=80)), max_size=25).map("\n".join))
def test_no_document_stops_the_reader(text: str) -> None:
    """Lines of real reports in any order, with anything between them."""
    report = examine(read(text))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    for finding in report.findings:
        assert 1 <= finding.line <= len(lines)
        assert finding.quote == lines[finding.line - 1].strip()[:240]
        assert finding.why
        assert finding.needs
        assert re.fullmatch(r"\d+(-\d+)?", finding.lines)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_no_sql_stops_the_reader(text: str) -> None:
    examine(read(f"Verify:\n\n```sql\nSELECT {text}\n```\n"))
