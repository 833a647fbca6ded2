"""Amounts in words."""

from __future__ import annotations

import pytest

from attestore.amounts import amount


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("table",), "0 tables"),
        (1, ("table",), "1 table"),
        (2, ("table",), "2 tables"),
        (7305, ("row",), "7,305 rows"),
        (1, ("entry", "entries"), "1 entry"),
        (2, ("entry", "entries"), "2 entries"),
    ],
)
def test_one_of_something_is_told_in_the_singular(number: int, words: tuple[str, ...], said: str) -> None:
    assert amount(number, *words) == said
