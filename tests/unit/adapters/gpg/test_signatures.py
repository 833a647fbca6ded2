"""Signatures are found at every offset, overlapping ones and those across chunks, whatever lies around them."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from attestore.adapters.gpg import packets, signatures
from attestore.adapters.gpg.signatures import ANYWHERE, count

PIECES = st.sampled_from(
    (
        *ANYWHERE,
        *(each[:size] for each in ANYWHERE for size in (2, 3, len(each) - 1)),
        *(each[-size:] for each in ANYWHERE for size in (2, 3, len(each) - 1)),
        b"CREATE TABLE FROM stdin;",
        b"\0",
    )
)
TEXTS = st.lists(st.one_of(PIECES, st.binary(max_size=7)), max_size=30).map(b"".join)


def meant(text: bytes, seen: int = 0) -> int:
    """At each offset, each signature."""
    return sum(
        text.startswith(each, start) and start + len(each) > seen for each in ANYWHERE for start in range(len(text))
    )


@given(TEXTS, st.integers(0, 40))
def test_every_signature_is_counted_at_every_offset(text: bytes, seen: int) -> None:
    assert count(text) == meant(text)
    assert count(text, seen=seen) == meant(text, seen)


@pytest.mark.parametrize("signature", ANYWHERE)
def test_where_pieces_meet_nothing_is_lost_or_doubled(signature: bytes) -> None:
    """Also amid bytes that look like signatures everywhere, which are looked through in another way."""
    edge = signatures._PIECE
    for filler in (b"\x5a", b"PG", b"-----"):
        whole = (filler * (edge // len(filler) + 40))[: edge + 40]
        for start in range(edge - len(signature) - 6, edge + 6):
            text = whole[:start] + signature + whole[start + len(signature) :]
            assert count(text) == sum(text.count(each) for each in ANYWHERE), (filler, start)
            assert count(text, seen=start + len(signature) - 1) >= 1


class Dribbling(io.BytesIO):
    """A stream that gives as little as it likes."""

    def __init__(self, data: bytes, seed: int) -> None:
        super().__init__(data)
        self._random = random.Random(seed)  # noqa: S311  any chunks do

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._random.choice((1, 2, 5, 11, 23, 64)))


@given(TEXTS, st.integers(0, 1000))
def test_a_stream_in_chunks_holds_what_it_holds_in_one(text: bytes, seed: int) -> None:
    plain = b"\x01" + text
    assert packets.read(Dribbling(plain, seed)).magic == packets.read(io.BytesIO(plain)).magic


def test_random_bytes_hold_what_searching_for_each_finds() -> None:
    data = bytearray(random.Random(7).randbytes(3 << 20))  # noqa: S311  any bytes do
    for number, each in enumerate(ANYWHERE * 20):
        place = number * 11_003 + number
        data[place : place + len(each)] = each
    assert count(bytes(data)) == sum(bytes(data).count(each) for each in ANYWHERE) == 20 * len(ANYWHERE)
