"""The SQL of a fingerprint, and how tables are cut and batched: without a server."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.postgres.crew import Question, batches
from attestore.adapters.postgres.fingerprint import SMALL, Range, expression, handed, questions, ranges, statement
from attestore.adapters.postgres.relations import Column, Relation

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
MB = 1024 * 1024


def relation(
    *columns: Column, pages: int = 1, size: int = 8192, heap: bool = True, name: str = "t", dense: int = 0
) -> Relation:
    return Relation(
        oid=1, schema="s", name=name, kind="table", columns=columns, pages=pages, size=size, heap=heap, uncovered="",
        dense=dense,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "sql"),
    [
        (Column("a", "int4"), 't."a"'),
        (Column("a", "int4", domain=True), 't."a"::pg_catalog."int4"'),
        (Column("a", "bit", domain=True), 't."a"::pg_catalog."bit"'),
        (Column("a", "float8"), """CASE WHEN t."a" = 'NaN' THEN 'NaN' ELSE t."a" END"""),
        (Column("a", ""), """CASE WHEN pg_catalog.num_nulls(t."a") = 0 THEN pg_catalog.format('%s', t."a") END"""),
        (Column("a", "_int4"), """CASE WHEN pg_catalog.num_nulls(t."a") = 0 THEN pg_catalog.format('%s', t."a") END"""),
    ],
)
def test_a_column_is_told_by_its_type(column: Column, sql: str) -> None:
    assert expression(column) == sql


def test_a_database_without_encoding_is_told_in_bytes() -> None:
    for base in ("text", "jsonb", "", "bpchar"):
        assert "convert_to" in expression(Column("a", base), encodingless=True)
    for base in ("int4", "bytea", "timestamptz"):
        assert "convert_to" not in expression(Column("a", base), encodingless=True)


@given(st.lists(NAMES, unique=True, max_size=5), NAMES)
def test_names_stay_inside_their_quotes(columns: list[str], name: str) -> None:
    """Without every quoted name, the statement is the same whatever the names are."""
    hostile = statement(relation(*(Column(each, "int4") for each in columns), name=name))
    tame = statement(relation(*(Column(f"c{place}", "int4") for place, _ in enumerate(columns)), name="x"))
    assert _skeleton(hostile) == _skeleton(tame)
    assert hostile.count("$1") - sum(each.count("$1") for each in (*columns, name)) == 1


def _skeleton(sql: str) -> str:
    return re.sub(r'"(?:[^"]|"")*"', '"…"', sql)


def test_a_table_is_never_read_as_a_whole_row() -> None:
    """`t::text` and `record_send(t)` hash a column called t instead of the row."""
    sql = statement(relation(Column("t", "text")))
    assert 'ROW($1::bytea, t."t")' in sql
    assert "record_send(t)" not in sql
    assert 'FROM ONLY "s"."t" t' in sql


def test_small_tables_old_servers_and_other_storage_are_not_cut() -> None:
    assert ranges(relation(size=MB, pages=100), major=15) == (None,)
    assert ranges(relation(size=640 * MB, pages=80_000), major=13) == (None,)
    assert ranges(relation(size=640 * MB, pages=80_000, heap=False), major=15) == (None,)
    assert ranges(relation(size=640 * MB, pages=1), major=15) == (None,)


@given(pages=st.integers(1, 10**6), toast=st.integers(0, 10**12))
def test_ranges_cover_every_block_once_and_the_last_is_open(pages: int, toast: int) -> None:
    cuts = ranges(relation(pages=pages, size=pages * 8192 + toast), major=15)
    if cuts == (None,):
        return
    known = [cut for cut in cuts if cut is not None]
    assert len(known) == len(cuts) > 1
    assert known[0].first == 0
    assert known[-1].last is None
    assert [cut.last for cut in known[:-1]] == [cut.first for cut in known[1:]]
    assert all(cut.last is None or cut.first < cut.last for cut in known)


def test_a_range_is_cut_by_row_address() -> None:
    table = relation(Column("a", "int4"))
    assert statement(table, within=Range(3, 7)).count("WHERE t.ctid >= '(3,0)' AND t.ctid < '(7,0)' OFFSET 0") == 1
    assert statement(table, within=Range(7, None)).count("WHERE t.ctid >= '(7,0)' OFFSET 0") == 1


@given(st.lists(st.integers(0, 40 * MB), max_size=500))
def test_batches_lose_nothing_and_stay_small(weights: list[int]) -> None:
    asked = [Question(subject=str(place), sql="SELECT 1", weight=weight) for place, weight in enumerate(weights)]
    cut = batches(asked)
    assert sorted(question.subject for batch in cut for question in batch) == sorted(each.subject for each in asked)
    assert all(1 <= len(batch) <= 200 for batch in cut)
    assert all(len(batch) == 1 or sum(each.weight for each in batch) <= 16 * MB for batch in cut)


@given(pages=st.integers(SMALL + 1, 10**5), toast=st.integers(0, 10**12), dense=st.sampled_from([0, 1, 200, 10**9]))
def test_digests_are_handed_over_of_every_known_block_and_of_nothing_without_an_end(
    pages: int, toast: int, dense: int
) -> None:
    cuts = handed(relation(pages=pages, size=pages * 8192 + toast, dense=dense), major=15)
    assert cuts[-1] == (Range(pages, None), False)
    known = [cut for cut, handing in cuts[:-1] if cut is not None and handing]
    assert len(known) == len(cuts) - 1
    assert [cut.first for cut in known] == [0, *(cut.last for cut in known[:-1])]
    assert known[-1].last == pages


def test_false_statistics_do_not_make_a_statement_of_each_block() -> None:
    full, false = (handed(relation(pages=10**5, size=10**5 * 8192, dense=dense), major=15) for dense in (0, 10**9))
    assert full == false


def test_nothing_is_handed_over_of_what_cannot_be_cut_unless_it_is_small() -> None:
    assert handed(relation(size=MB, pages=100), major=13) == ((None, False),)
    assert handed(relation(size=MB, pages=100, heap=False), major=15) == ((None, False),)
    assert handed(relation(pages=SMALL), major=13) == ((None, True),)
    assert handed(relation(pages=SMALL, heap=False), major=13) == ((None, False),)


def test_few_digests_wait_in_one_batch() -> None:
    """Half a million rows in 16 MiB, fifteen megabytes of digests: a batch holds two megabytes of them at a time."""
    narrow = relation(Column("a", "int4"), pages=2000, size=2000 * 8192, dense=226)
    asked = questions(narrow, subject="t", key=bytes(32), shape=(15, False), near=True)
    assert sum(question.binary for question in asked) == 14
    assert all(sum(question.binary for question in batch) <= 2 for batch in batches(asked))
