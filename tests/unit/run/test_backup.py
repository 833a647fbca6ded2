"""How a dump is laid out: by what the source is, before anything happens."""

from dataclasses import replace

import pytest

from attestore.ports import Form
from attestore.proof import AUDIT, STREAM
from attestore.run.backup import form_of
from fakes import FACTS

_MIB = 1 << 20


@pytest.mark.parametrize(
    ("method", "mebibytes", "tables", "form"),
    [
        (AUDIT, 10, 10, Form.FILE),
        (AUDIT, 257, 10, Form.FOLDER),
        (AUDIT, 1_000, 50_000, Form.FILE),
        (STREAM, 10, 10, Form.FOLDER),
    ],
)
def test_one_file_where_several_sessions_gain_nothing_and_never_where_each_table_needs_its_own(
    method: str, mebibytes: int, tables: int, form: Form
) -> None:
    assert form_of(method, replace(FACTS, size=mebibytes * _MIB, tables=tables)) is form
