"""What pg_dump reports is told by what its reader can do about it."""

from __future__ import annotations

import pytest

from attestore.adapters.postgres.dump import unwritable

FAILED = """\
pg_dump: dumping contents of table "public.{0}"
pg_dump: error: Dumping the contents of table "{0}" failed: PQgetResult() failed.
pg_dump: detail: Error message from server: ERROR:  {1}
pg_dump: detail: Command was: COPY public.{0} {2}TO stdout;
"""


@pytest.mark.parametrize(
    "words",
    [
        "invalid memory alloc request size 1200000003",
        "out of memory\nDETAIL:  Cannot enlarge string buffer containing 600000003 bytes by 600000000 more bytes.",
        "string buffer exceeds maximum allowed length (1073741823 bytes)",
    ],
)
@pytest.mark.parametrize("columns", ["(id, v) ", ""])
def test_a_row_that_no_copy_can_write_is_told_by_its_table(words: str, columns: str) -> None:
    assert unwritable(FAILED.format("files", words, columns).encode()) == "public.files"


def test_another_error_of_a_table_is_none_of_its_size() -> None:
    assert not unwritable(FAILED.format("files", "permission denied for table files", "(id) ").encode())
