"""Blocks of code as honest people print them: a query with what the server said to it, a shell, a log, a template."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from attestore.claims import examine, read

_FRAGMENTS: Final = [
    each.split("\n", 1) for each in (Path(__file__).with_name("fragments.txt")).read_text().split("=== ") if each
]


def _told(text: str) -> list[tuple[str, str, str]]:
    return [(finding.lines, finding.quote, finding.why) for finding in examine(read(text)).findings]


@pytest.mark.parametrize("text", [text for _, text in _FRAGMENTS], ids=[name for name, _ in _FRAGMENTS])
def test_an_honest_block_is_left_alone(text: str) -> None:
    assert _told(text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("```sql\nSELECT 1;\n ?column?\n----------\n        1\n(1 row)\n\nSELECT count(*) FORM orders;\n```", "8"),
        ("```\nd=# SELECT 1;\n ?column?\n----------\n        1\n(1 row)\n\nd=# SELECT n\nd-# FORM orders o WHERE;\n```", "8-9"),
        ("```sql\nSELECT tablename, relid FROM pg_stat_user_tables;\n tablename | relid\n-----------+-------\n orders    |     7\n(1 row)\n```", "2"),
        ('```console\n$ psql -c "SELECT rowcount FROM pg_tables"\n```', "2"),
        ("```sql\nSELECT extname, version FROM pg_extension\n extname | version\n---------+---------\n plpgsql | 1.0\n(1 row)\n```", "2"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_still_found_among_its_output(text: str, line: str) -> None:
    first, _, last = line.partition("-")
    assert [int(first) <= int(lines) <= int(last or first) for lines, _, _ in _told(text)] == [True]
