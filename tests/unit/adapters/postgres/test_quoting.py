"""Other people's names never end the quotes they are put in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.postgres.quoting import identifier, literal, qualified

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(NAMES)
def test_an_identifier_reads_back_as_the_name(name: str) -> None:
    quoted = identifier(name)
    assert quoted[0] == quoted[-1] == '"'
    assert '"' not in quoted[1:-1].replace('""', "")
    assert quoted[1:-1].replace('""', '"') == name


@given(NAMES)
def test_a_literal_reads_back_as_the_text(text: str) -> None:
    quoted = literal(text)
    body = quoted[2:-1] if quoted.startswith("E") else quoted[1:-1]
    if quoted.startswith("E"):
        body = body.replace("\\\\", "\\")
    else:
        assert "\\" not in body
    assert "'" not in body.replace("''", "")
    assert body.replace("''", "'") == text


def test_a_qualified_name_has_both_parts_quoted() -> None:
    assert qualified('a"b', "c.d") == '"a""b"."c.d"'


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_no_name_can_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a PostgreSQL name"):
        identifier(name)


def test_a_literal_holds_no_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0")
