"""Signatures of plaintext and archives, which sealed bytes should not show, and how often some bytes hold them.

They are counted so that chance cannot fail a gate: sealed bytes are random, and a signature of n fixed bytes turns up by
chance in every 256^n of them (4 bytes: once in 4 GiB; 5: in 1 TiB; 6: in 256 TiB). Those of six bytes and more are looked
for everywhere. Shorter ones are looked for only where a file or its content would begin.
"""

from __future__ import annotations

from functools import cache
from typing import Final

__all__ = ["ANYWHERE", "AT_BEGINNINGS", "LONGEST", "count"]

ANYWHERE: Final = (
    b"PGDMP\x01",  # pg_dump, custom format and toc.dat: the major of the archive format is 1 since 1999
    b"-- PostgreSQL database ",
    b"CREATE TABLE ",
    b"INSERT INTO ",
    b" FROM stdin;",
    b"ustar\x0000",
    b"ustar  \x00",
    b"BZh91AY&SY",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"SQLite format 3\x00",
    b"PRIVATE KEY-----",
    b"-----BEGIN PGP ",
)
"""Six bytes and more: looked for at every offset."""

AT_BEGINNINGS: Final = (
    b"PGDMP",
    b"COPY ",
    b"\x1f\x8b\x08",  # gzip
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"PK\x03\x04",
)
"""Shorter ones: looked for where content begins."""

LONGEST: Final = max(map(len, (*AT_BEGINNINGS, *ANYWHERE)))

_STRIDE: Final = min(map(len, ANYWHERE)) - 1
"""of so many neighbouring pairs of bytes in a signature, exactly one begins at a multiple of it"""
_WIDE: Final = 3
"""bytes that are looked at there; where a signature ends after two, any third will do"""
_ANY: Final = 7
"""the class of those; it has a bit of its own, as the other classes have"""
_PIECE: Final = 1 << 15
"""what stays in a processor's nearest memory while it is looked through several times"""


_MANY: Final = 200
"""bits that are left of a piece, when its bytes are not random; then looking for one signature after the other is quicker"""


def count(text: bytes, *, seen: int = 0) -> int:
    """How often signatures are there, at any offset, overlapping ones each; not those that end within the first `seen` bytes."""
    return sum(_found(text, at, seen=seen) for at in range(0, len(text), _PIECE))


def _found(text: bytes, at: int, *, seen: int) -> int:
    """Of those, the ones that begin in the piece at an offset.

    Every fifth place of the piece is looked at, all of them by a few operations on whole strings and numbers: a byte has the
    bits of the classes in which it may stand first, second or third, and a place that keeps a bit may lie in a signature. In
    random bytes one of ten thousand places does, and is compared byte by byte.
    """
    (first, second, third), known = _sieve()
    piece = text[at : at + _PIECE + LONGEST] + b"\0"
    left = (
        int.from_bytes(piece[::_STRIDE].translate(first), "little")
        & int.from_bytes(piece[1::_STRIDE].translate(second), "little")
        & int.from_bytes(piece[2::_STRIDE].translate(third), "little")
    )
    if left.bit_count() > _MANY:
        return _one_by_one(text, at, seen=seen)
    total = 0
    while left:
        highest = (left.bit_length() - 1) // 8
        left &= (1 << (8 * highest)) - 1
        place = at + highest * _STRIDE
        for signature, offset in known.get(text[place : place + 2], ()):
            start = place - offset
            inside = at <= start < at + _PIECE and start + len(signature) > seen
            total += inside and text.startswith(signature, start)
    return total


def _one_by_one(text: bytes, at: int, *, seen: int) -> int:
    total = 0
    for signature in ANYWHERE:
        last = at + _PIECE + len(signature) - 1
        start = text.find(signature, max(at, seen - len(signature) + 1), last)
        while start >= 0:
            total += 1
            start = text.find(signature, start + 1, last)
    return total


@cache
def _sieve() -> tuple[tuple[bytes, bytes, bytes], dict[bytes, list[tuple[bytes, int]]]]:
    """The classes of each byte as first, second and third; and by two bytes, the signatures that have them, and where."""
    classes: list[tuple[set[int], set[int], set[int]]] = [(set(), set(), set()) for _ in range(_ANY + 1)]
    known: dict[bytes, list[tuple[bytes, int]]] = {}

    def places(each: tuple[set[int], set[int], set[int]], window: bytes) -> int:
        """How many windows the class lets pass with this one that it did not before."""
        one, two, three = each
        a, b, c = window
        return len(one | {a}) * len(two | {b}) * len(three | {c}) - len(one) * len(two) * len(three)

    for signature in ANYWHERE:
        for offset in range(_STRIDE):
            window = signature[offset : offset + _WIDE]
            known.setdefault(window[:2], []).append((signature, offset))
            if len(window) < _WIDE:
                chosen, values = classes[_ANY], ({window[0]}, {window[1]}, set(range(256)))
            else:
                chosen = min(classes[:_ANY], key=lambda each, window=window: places(each, window))  # type: ignore[misc]
                values = ({window[0]}, {window[1]}, {window[2]})
            for held, more in zip(chosen, values, strict=True):
                held.update(more)
    first, second, third = (
        bytes(sum(1 << bit for bit, each in enumerate(classes) if value in each[place]) for value in range(256))
        for place in range(_WIDE)
    )
    return (first, second, third), known
