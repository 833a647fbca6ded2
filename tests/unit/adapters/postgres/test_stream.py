"""Texts are cut where they end, whatever the chunks; a multiset of lines knows no order and every change."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.postgres import stream
from attestore.adapters.postgres.relations import Column, Relation
from attestore.adapters.postgres.stream import DumpedTexts
from attestore.errors import ProgramFailedError
from attestore.proof import STREAM, Proof, Table

LINES = st.lists(
    st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"\\n").replace(b"\\.", b"\\\\.")), max_size=6
)
TEXTS = st.lists(LINES.map(lambda lines: b"".join(line + b"\n" for line in lines)), max_size=5)
KEY = bytes(32)


class Heard:
    def __init__(self) -> None:
        self.text = b""

    def add(self, chunk: bytes) -> None:
        self.text += chunk


@given(TEXTS, st.integers(1, 9))
def test_each_table_hears_its_own_text_whatever_the_chunks(texts: list[bytes], size: int) -> None:
    whole = b"".join(text + b"\\.\n" for text in texts)
    chunks = iter([whole[at : at + size] for at in range(0, len(whole), size)])
    sinks = [Heard() for _ in texts]
    assert len(list(stream._parted(lambda: next(chunks, b""), sinks))) == len(texts)
    assert [sink.text for sink in sinks] == texts


def test_a_text_that_is_cut_off_is_never_said_to_be_whole() -> None:
    chunks = iter([b"1\n2\n\\.\n3\n\\."])
    sinks = [Heard(), Heard()]
    assert len(list(stream._parted(lambda: next(chunks, b""), sinks))) == 1


@given(st.lists(st.binary(max_size=8).map(lambda raw: raw.replace(b"\n", b"")), min_size=1, max_size=8), st.randoms())
def test_a_multiset_of_lines_knows_no_order_and_every_line(lines: list[bytes], chance: random.Random) -> None:
    def total(these: list[bytes]) -> int:
        text = b"".join(line + b"\n" for line in these)
        sink, at = stream._Lines(KEY), 0
        while at < len(text):
            size = chance.randint(1, 5)
            sink.add(text[at : at + size])
            at += size
        return sink.total

    shuffled = chance.sample(lines, len(lines))
    assert total(shuffled) == total(lines)
    assert total([*lines, lines[0]]) != total(lines)
    assert total([*lines[1:], lines[0] + b"x"]) != total(lines)


def proof(*tables: Table) -> Proof:
    return Proof(
        side="source", database="d", server="15", taken="2026-01-01T00:00:00.000Z", method=STREAM, key_commitment="0",
        session=(), tables=tables, objects=(), foreign_keys=(), sequences=(), probes=(), settings=(),
    )  # fmt: skip


LISTING = b""";
; Selected TOC Entries:
;
215; 1259 16392 TABLE public t postgres
3356; 0 16392 TABLE DATA public t postgres
3357; 0 16393 TABLE DATA public t 3358; 0 16392 TABLE DATA public t postgres
9; 0 0 SEQUENCE SET public s postgres
"""


@given(st.integers(1, 9))
def test_a_dumps_text_is_what_stands_before_its_trailer(size: int) -> None:
    """And a name that looks like another entry of the listing belongs to its own."""
    texts = DumpedTexts(LISTING, {16392: ("public", "t"), 16393: ("public", "t 3358; 0 16392 TABLE DATA public t")})
    content = b"1\ta\n2\t\\\\.\n\\.\n\n\n"
    assert texts.file("toc.dat") is None
    assert texts.file("3358.dat") is None
    told = texts.file("3356.dat")
    assert told is not None
    for at in range(0, len(content), size):
        told(content[at : at + size])
    (table,) = texts.complete(proof(Table("public", "t", "table", 2, (0, 0, 0, 0)))).tables
    assert (table.text, table.member) == (hashlib.sha256(b"1\ta\n2\t\\\\.\n").hexdigest(), "3356.dat")


@pytest.mark.parametrize("content", [b"", b"1\n", b"1\n\\.\n\n", b"1\n\\.\n\n\n\n"])
def test_a_file_that_pg_dump_did_not_end_is_refused(content: bytes) -> None:
    texts = DumpedTexts(LISTING, {16392: ("public", "t")})
    told = texts.file("3356.dat")
    assert told is not None
    told(content)
    with pytest.raises(ProgramFailedError, match="3356"):
        texts.complete(proof(Table("public", "t", "table", 1, (0, 0, 0, 0))))


def test_a_name_stays_a_name_in_the_statement() -> None:
    hostile = Relation(
        oid=1, schema='s"; DROP', name="t\n\\.", kind="table", columns=(Column("b", "int4", place=2), Column('a"', "text", place=1)),
        pages=0, size=0, heap=True, uncovered="",
    )  # fmt: skip
    asked = stream.copying(hostile, encoding="UTF8")
    assert asked == 'COPY "s""; DROP"."t\n\\." ("a""", "b") TO STDOUT (ENCODING \'UTF8\')'
