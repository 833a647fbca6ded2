"""What a proof says of differing rows is read strictly, and believed only as far as the row counts allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attestore.errors import TamperedError
from attestore.proof import Change, Located, RowKey, Table, compare, decode, encode, facts_of, row_digest
from bundles import proof

FOUND = Located(
    "public", "orders", changed=2, missing=1, extra=0, whole=True, keyed_by=("id",),
    keys=(RowKey(Change.CHANGED, "5d" * 16), RowKey(Change.MISSING, "e1" * 16, "17")),
)  # fmt: skip
RESTORED = proof("restored", rows=2)


def told(*located: Located) -> Located:
    return compare(proof("source"), replace(RESTORED, located=located)).rows[0]


def test_located_rows_are_read_back_as_they_were_written() -> None:
    after = replace(RESTORED, located=(FOUND,))
    assert decode(encode(after)) == after


@pytest.mark.parametrize(
    "located",
    [
        replace(FOUND, keys=FOUND.keys * 2),
        replace(FOUND, changed=30, keys=(RowKey(Change.CHANGED, "5d" * 16),) * 21),
    ],
    ids=["more keys than rows", "more keys than may be told"],
)
def test_more_keys_than_there_can_be_are_refused(located: Located) -> None:
    with pytest.raises(TamperedError):
        decode(encode(replace(RESTORED, located=(located,))))


def test_counts_that_explain_the_difference_are_the_facts() -> None:
    assert told(FOUND) == FOUND
    facts = facts_of(compare(proof("source"), replace(RESTORED, located=(FOUND,))))
    assert [facts[f"rows.{what}", ""] for what in ("changed", "missing", "extra")] == [2, 1, 0]
    assert facts["tables.unlocated", ""] == 0


@pytest.mark.parametrize(
    ("claimed", "missing"), [(replace(FOUND, missing=3), 3), (replace(FOUND, missing=0, extra=4), 5)]
)
def test_counts_that_the_row_counts_refute_are_not_believed(claimed: Located, missing: int) -> None:
    said = told(claimed)
    assert not said.whole
    assert said.missing == missing
    assert said.missing - said.extra == 1


def test_a_table_that_nobody_looked_into_says_what_its_row_counts_say() -> None:
    assert told() == Located("public", "orders", changed=0, missing=1, extra=0, whole=False)
    assert told().words() == "at least 1 row missing"


def test_rows_of_tables_that_are_gone_are_missing_and_of_new_ones_extra() -> None:
    other = Table("public", "new", "table", 5, (1, 2, 3, 4), ("id",))
    facts = facts_of(compare(proof("source"), replace(RESTORED, tables=(other,))))
    assert (facts["rows.missing", ""], facts["rows.extra", ""]) == (3, 5)


def test_a_key_has_another_digest_in_another_table_and_under_another_key() -> None:
    digests = {
        row_digest(key, schema="public", name=name, row=b"17") for key in (b"k", b"l") for name in ("orders", "people")
    }
    assert len(digests) == 4
