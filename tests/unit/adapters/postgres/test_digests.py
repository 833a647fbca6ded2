"""What digests of rows add up to, against adding word by word."""

from __future__ import annotations

from struct import iter_unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.postgres import digests
from attestore.errors import ProgramFailedError
from attestore.proof.sketch import Cell

EDGES = [
    bytes(8),
    b"\xff" * 8,
    b"\x80" + bytes(7),
    b"\x7f" + b"\xff" * 7,
    bytes(7) + b"\x01",
    b"\0\0\0\0\xff\xff\xff\xff",
]
WORDS = st.sampled_from(EDGES) | st.binary(min_size=8, max_size=8)
DIGESTS = st.lists(st.lists(WORDS, min_size=4, max_size=4).map(b"".join), max_size=40).map(b"".join)


def naive(data: bytes) -> tuple[int, ...]:
    rows = list(iter_unpack(">4q", data))
    return (len(rows), *(sum(row[place] for row in rows) for place in range(4)))


@given(DIGESTS)
def test_digests_add_up_word_by_word(data: bytes) -> None:
    assert digests.total(data) == naive(data)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 2047, 2048, 2049, 4096, 5000])
@pytest.mark.parametrize("word", EDGES)
def test_words_never_grow_into_one_another(count: int, word: bytes) -> None:
    """Whole blocks, and what is left of one; all words alike, so that every sum is as far from zero as can be."""
    data = word * 4 * count
    assert digests.total(data) == naive(data)


def test_order_does_not_matter_and_place_does() -> None:
    one, other = bytes(range(32)), bytes(range(100, 132))
    assert digests.total(one + other) == digests.total(other + one)
    assert digests.total(one) != digests.total(one[8:] + one[:8])


@given(DIGESTS)
def test_a_row_alone_in_its_cell_is_its_words_and_the_product_of_the_halves_of_the_first(data: bytes) -> None:
    told = list(digests.cells(data, keyed=False))
    assert [words for words, _ in told] == list(iter_unpack(">4q", data))
    for words, cell in told:
        half = words[0].to_bytes(8, signed=True)
        product = int.from_bytes(half[:4], signed=True) * int.from_bytes(half[4:])
        assert cell == Cell(rows=1, keys=words[1], words=words[0], checks=product)


@given(DIGESTS, st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_key_stands_behind_its_digest(data: bytes, key: int) -> None:
    rows = [data[start : start + 32] + key.to_bytes(8, signed=True) for start in range(0, len(data), 32)]
    told = list(digests.cells(b"".join(rows), keyed=True))
    assert [cell._replace(keys=0) for _, cell in told] == [
        cell._replace(keys=0) for _, cell in digests.cells(data, keyed=False)
    ]
    assert all(cell.keys == key for _, cell in told)
    assert [words for words, _ in told] == list(iter_unpack(">4q", data))


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [()],
        [(None,)],
        [("ab" * 16,)],
        [(bytes(31),)],
        [(bytes(40),)],
        [(bytes(32),), (bytes(32),)],
        [(bytes(32), 1)],
    ],
)
def test_an_answer_that_is_no_row_of_digests_is_refused(answer: list[tuple[object, ...]]) -> None:
    with pytest.raises(ProgramFailedError, match="something else"):
        digests.handed(answer)


def test_digests_with_keys_are_whole_ones_too() -> None:
    assert digests.handed([(bytes(80),)], keyed=True) == bytes(80)
    with pytest.raises(ProgramFailedError):
        digests.handed([(bytes(64),)], keyed=True)
