"""Rows read back from a sketch are the rows that differ, or it is said that they are not all of them."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.errors import TamperedError
from attestore.proof.sketch import (
    Cell,
    Cells,
    Row,
    Sketch,
    Sketches,
    add,
    decode,
    differing,
    fold,
    one,
    resolve,
)


def digest(number: int, *, low: int | None = None) -> int:
    """A word as real rows have it: of a digest; where asked for, one that falls into a cell of 16."""
    word = int.from_bytes(hashlib.sha256(str(number).encode()).digest()[:8], signed=True)
    return word if low is None else word & ~15 | low


ROWS = st.lists(st.integers(0, 40).map(lambda number: Row(number % 11 - 5, digest(number))), max_size=12)
"""a row's word says everything about it, its key too; several rows may have a key"""
BITS = st.integers(0, 31)


def cells(rows: list[Row], bits: int) -> Cells:
    made: Cells = {}
    for row in rows:
        add(made, row.word & ((1 << bits) - 1), one(row))
    return made


def sketch(rows: list[Row], bits: int, *, name: str = "t") -> Sketch:
    return Sketch("public", name, bits, ("id",), integral=True, cells=cells(rows, bits))


@given(common=ROWS, gone=ROWS, more=ROWS, bits=BITS)
def test_what_is_read_back_is_true_and_what_is_not_is_known_to_be_missing(
    common: list[Row], gone: list[Row], more: list[Row], bits: int
) -> None:
    restored = [*common, *more]
    found = differing(cells([*common, *gone], bits), cells(restored, bits), bits=bits)
    lost, added = Counter(gone) - Counter(more), Counter(more) - Counter(gone)
    missing, extra, unresolved = Counter(found.missing), Counter(found.extra), set()
    for number, cell in found.bad.items():
        listed = [row for row in restored if row.word & ((1 << bits) - 1) == number]
        told = resolve(cell, number, bits=bits, listed=listed)
        if told is None:
            unresolved.add(number)
        else:
            missing.update(told[0])
            extra.update(told[1])
    assert not missing - lost
    assert not extra - added
    left = {row.word & ((1 << bits) - 1) for row in ((lost - missing) + (added - extra)).elements()}
    assert left <= unresolved


@given(rows=ROWS, bits=BITS, fewer=BITS)
def test_folded_cells_are_those_of_coarser_cells(rows: list[Row], bits: int, fewer: int) -> None:
    assert fold(cells(rows, max(bits, fewer)), min(bits, fewer)) == cells(rows, min(bits, fewer))


@given(rows=ROWS, cut=st.integers(0, 12), bits=BITS)
def test_parts_add_up_to_the_whole(rows: list[Row], cut: int, bits: int) -> None:
    whole = cells(rows[:cut], bits)
    for number, cell in cells(rows[cut:], bits).items():
        add(whole, number, cell)
    assert whole == cells(rows, bits)


@given(rows=ROWS, bits=BITS)
def test_sketches_are_read_back_as_they_were_written(rows: list[Row], bits: int) -> None:
    before = Sketches([sketch(rows, bits), sketch([], 10, name="empty")])
    after = decode(before.encode())
    assert list(after) == list(before)
    assert after.of("public", "t") == sketch(rows, bits)
    assert after.of("public", "other") is None


def test_two_missing_rows_do_not_pass_for_another_row() -> None:
    """Their sums do; the product of halves does not."""
    first, second, third = Row(1, digest(1, low=0)), Row(2, digest(2, low=0)), Row(2, digest(3, low=0))
    found = differing(cells([first, second], 4), cells([third], 4), bits=4)
    assert not found.missing
    assert set(found.bad) == {0}


def test_an_extra_row_beside_a_missing_one_is_found_in_the_list() -> None:
    gone, more, kept = Row(1, digest(1, low=0)), Row(2, digest(2, low=0)), Row(3, digest(3, low=0))
    found = differing(cells([gone, kept], 4), cells([more, kept], 4), bits=4)
    assert resolve(found.bad[0], 0, bits=4, listed=[kept, more]) == ([gone], [more])
    assert resolve(found.bad[0], 0, bits=4, listed=[kept]) is None


def test_however_many_rows_there_are_sketches_stay_small() -> None:
    many = [Row(n, n * 0x9E3779B97F4A7C15 % 2**63) for n in range(30_000)]
    sketches = Sketches(sketch(many, 31, name=f"t{number}") for number in range(10))
    assert sum(len(each.cells) for each in sketches) <= 2**18
    assert {each.bits for each in sketches} == {10}


@pytest.mark.parametrize("damage", [b"bits", b"cells", b'"bits":4', b"1:1:1"])
def test_a_damaged_sketch_is_refused(damage: bytes) -> None:
    data = Sketches([sketch([Row(1, 1)], 4)]).encode()
    assert damage in data
    with pytest.raises(TamperedError):
        decode(data.replace(damage, damage[:-1] + b"x", 1))


def test_a_cell_that_became_nothing_is_gone() -> None:
    held: Cells = {}
    add(held, 3, Cell(1, 2, 3, 4))
    add(held, 3, Cell(-1, -2, -3, -4))
    assert held == {}
