"""Digests of rows, one behind another as a server near to us hands them over, and what they add up to.

A server before 18 reads no integer from bytes: making words of a digest and adding them took it half as long again as
the digest itself. Here they are added many at a time, since one long number holds the words of thousands of digests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any, Final

from attestore.errors import ProgramFailedError
from attestore.proof.sketch import Cell

__all__ = ["SIZE", "cells", "handed", "total"]

SIZE: Final = 32
"""bytes of a digest: four words"""
_BITS: Final = SIZE * 8
_BLOCK: Final = 2048
"""digests that are added at a time: what fits into a processor's own memory"""
_LOW: Final = int.from_bytes((bytes(8) + b"\xff" * 8) * 2 * _BLOCK)
"""every other word of a block"""
_SIGNS: Final = int.from_bytes((b"\x80" + bytes(7)) * 4 * _BLOCK)
_LANE: Final = 128
_LOW_LANE: Final = (1 << _LANE) - 1
_WORDS: Final = Struct(">4q")
_KEYED: Final = Struct(">5q")
_LOW_HALF: Final = (1 << 32) - 1


def handed(answer: Sequence[tuple[Any, ...]], *, keyed: bool = False) -> bytes:
    """The digests, or digests with keys, of an answer, which is one value of whole ones; whatever answered.

    Raises:
        ProgramFailedError: it is anything else.
    """
    match answer:
        case [(bytes() as data,)] if len(data) % (_KEYED if keyed else _WORDS).size == 0:
            return data
        case _:
            raise ProgramFailedError("the server was asked for digests of rows, and answered with something else")


def total(digests: bytes) -> tuple[int, int, int, int, int]:
    """How many there are, and the exact sum of each of their four words, which are signed."""
    sums = [0, 0, 0, 0]
    for start in range(0, len(digests), SIZE * _BLOCK):
        for place, part in enumerate(_block(digests[start : start + SIZE * _BLOCK])):
            sums[place] += part
    first, second, third, fourth = sums
    return len(digests) // SIZE, first, second, third, fourth


def cells(records: bytes, *, keyed: bool) -> Iterator[tuple[tuple[int, int, int, int], Cell]]:
    """Each digest's words, with the cell that a row alone in it would be; behind each a key, else its second word is."""
    for first, second, third, fourth, *rest in (_KEYED if keyed else _WORDS).iter_unpack(records):
        key = rest[0] if rest else second
        yield (first, second, third, fourth), Cell(1, key, first, (first >> 32) * (first & _LOW_HALF))


def _block(digests: bytes) -> tuple[int, int, int, int]:
    """The four sums of a block: its halves are laid upon each other until one digest is left.

    Words become positive ones by their sign, and each gets as much room above it, into which it grows.
    """
    count = rows = len(digests) // SIZE
    number = int.from_bytes(digests) ^ (_SIGNS >> (_BITS * (_BLOCK - count)))
    even, odd = (number >> 64) & _LOW, number & _LOW
    while rows > 1:
        below = rows // 2
        rows -= below
        mask = (1 << (_BITS * below)) - 1
        even = (even >> (_BITS * below)) + (even & mask)
        odd = (odd >> (_BITS * below)) + (odd & mask)
    less = count << 63
    return (even >> _LANE) - less, (odd >> _LANE) - less, (even & _LOW_LANE) - less, (odd & _LOW_LANE) - less
