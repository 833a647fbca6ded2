"""Rows that a restore may deal out anew among partitions are compared as the rows of their common table, and every other as ever."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from attestore.proof import (
    STREAM,
    UNENFORCED,
    Computed,
    Object,
    Proof,
    Table,
    compare,
    decode,
    encode,
    facts_of,
    together,
)

ROOT = ("app", "visit")


def partition(name: str, rows: int, first: int, *, text: str = "", permutes: str = "") -> Table:
    sums = (0, 0, 0, 0) if text else (first, -first, 2**70 + first, 1)
    return Table(
        "app", name, "partition", rows, sums, ("id", "mood"), text=text, permutes=permutes, size=8192, through=ROOT
    )


def proof(*tables: Table, side: str = "source", method: str = "audit", computed: tuple[Computed, ...] = ()) -> Proof:
    return Proof(
        side=side,
        database="gallery",
        server="15.18",
        taken="2026-11-22T20:00:00.000Z",
        method=method,
        key_commitment="0" * 64,
        session=(),
        tables=(
            *tables,
            Table("app", "other", "table", 1, (1, 2, 3, 4), ("id",), text="f" * 64 if method == STREAM else ""),
        ),
        objects=(),
        foreign_keys=(),
        sequences=(),
        probes=(),
        settings=(),
        computed=computed,
    )


SOURCE = proof(partition("visit_0", 20, 100), partition("visit_1", 10, 7))


def told(source: Proof, restored: Proof) -> set[tuple[str, str, str, str]]:
    differences = compare(source, replace(restored, side="restored")).differences
    return {(each.subject, each.what, each.source, each.restored) for each in differences}


def test_rows_that_came_back_in_another_partition_are_no_loss() -> None:
    dealt = proof(partition("visit_0", 30, 105), partition("visit_1", 0, 2))
    found = compare(SOURCE, replace(dealt, side="restored"))
    assert found.differences == ()
    assert facts_of(found)["tables.expected", ""] == facts_of(found)["tables.compared", ""] == 2
    assert {a.label: (a.rows, b.rows) for a, b in found.tables} == {"app.visit": (30, 30), "app.other": (1, 1)}


def test_a_row_that_is_lost_or_changed_among_them_is_told_under_their_common_name() -> None:
    lost = proof(partition("visit_0", 29, 105), partition("visit_1", 0, 2))
    assert told(SOURCE, lost) == {("app.visit", "another number of rows", "30 rows", "29 rows")}
    changed = proof(partition("visit_0", 30, 106), partition("visit_1", 0, 2))
    assert [(subject, what) for subject, what, *_ in told(SOURCE, changed)] == [
        ("app.visit", "same number of rows, other content")
    ]


def test_a_partition_that_only_one_side_has_is_told_by_its_own_name_though_it_is_empty() -> None:
    """A gate that asks for missing tables alone must not pass."""
    lost = proof(partition("visit_0", 20, 100))
    assert told(SOURCE, lost) == {("app.visit_1", "table missing after restore", "10 rows", "absent")}
    assert facts_of(compare(SOURCE, replace(lost, side="restored")))["rows.missing", ""] == 10
    empty = replace(SOURCE, tables=(*SOURCE.tables, partition("visit_2", 0, 0)))
    assert told(empty, SOURCE) == {("app.visit_2", "table missing after restore", "0 rows", "absent")}
    assert told(SOURCE, empty) == {("app.visit_2", "table only in the restore", "absent", "0 rows")}
    assert facts_of(compare(empty, replace(SOURCE, side="restored")))["tables.missing", ""] == 1


def test_a_table_that_is_a_partition_on_one_side_only_is_compared_by_itself() -> None:
    """Rows that moved from one that was detached to another are lost to whoever asks their common table."""
    loose = replace(partition("visit_1", 0, 2), through=None)
    apart = {
        ("app.visit_1", "another number of rows", "10 rows", "0 rows"),
        ("app.visit", "another number of rows", "20 rows", "30 rows"),
    }
    assert told(SOURCE, proof(partition("visit_0", 30, 105), loose)) == apart
    elsewhere = replace(loose, through=("app", "other"))
    assert told(SOURCE, proof(partition("visit_0", 30, 105), elsewhere)) == apart
    source = replace(
        proof(partition("visit_0", 20, 100), replace(partition("visit_1", 10, 7), through=None)), asked=("x",)
    )
    dealt = replace(proof(partition("visit_0", 30, 105), partition("visit_1", 0, 2)), asked=("x",))
    assert told(source, dealt) == apart


def test_partitions_of_a_source_that_never_said_so_follow_the_restored_side() -> None:
    """Backups of earlier versions know nothing of it; the restored server does."""
    older = replace(SOURCE, tables=tuple(replace(each, through=None) for each in SOURCE.tables))
    dealt = proof(partition("visit_0", 30, 105), partition("visit_1", 0, 2))
    assert told(older, dealt) == set()
    assert len(told(older, replace(dealt, tables=tuple(replace(each, through=None) for each in dealt.tables)))) == 2


def test_of_other_partitions_each_is_compared_by_itself() -> None:
    plain = replace(SOURCE, tables=tuple(replace(each, through=None) for each in SOURCE.tables))
    assert together(plain, plain) == (plain, plain)


@pytest.mark.parametrize(
    ("permuted", "equal"), [(("a", "b"), True), (("a", ""), False), (("b", "a"), False)], ids=["all", "one", "swapped"]
)
def test_texts_are_alike_where_each_is_or_where_all_hold_the_lines_of_all(
    permuted: tuple[str, str], *, equal: bool
) -> None:
    source = proof(
        partition("visit_0", 20, 0, text="a" * 64), partition("visit_1", 10, 0, text="b" * 64), method=STREAM
    )
    first, second = permuted
    dealt = proof(
        partition("visit_0", 30, 0, text="c" * 64, permutes=first * 64),
        partition("visit_1", 0, 0, text="d" * 64, permutes=second * 64),
        method=STREAM,
    )
    assert (told(source, dealt) == set()) is equal
    without = proof(partition("visit_0", 20, 0, text="a" * 64), partition("visit_1", 10, 0), method=STREAM)
    assert [subject for subject, *_ in told(without, without)] == ["app.visit"], "a text that is missing equals nothing"


def test_what_is_computed_of_them_is_added_up_too() -> None:
    def values(name: str, first: int) -> Computed:
        return Computed("generated column", "app", name, "twice", 5, (first, 0, 0, 0), ("id", "twice"))

    here = replace(SOURCE, computed=(values("visit_0", 3), values("visit_1", 4)))
    alike = replace(SOURCE, computed=(values("visit_0", 7), values("visit_1", 0)))
    unlike = replace(SOURCE, computed=(values("visit_0", 7), values("visit_1", 1)))
    assert told(here, alike) == set()
    assert [(subject, what) for subject, what, *_ in told(here, unlike)] == [
        ("app.visit.twice", "generated values differ although the stored columns are equal")
    ]


def test_what_could_not_be_read_of_one_partition_is_not_equal_in_all() -> None:
    def values(name: str, unread: str) -> Computed:
        return Computed("generated column", "app", name, "twice", 5, (0, 0, 0, 0), ("id", "twice"), unread=unread)

    here = replace(SOURCE, computed=(values("visit_0", ""), values("visit_1", "")))
    there = replace(here, side="restored", computed=(values("visit_0", ""), values("visit_1", "division by zero")))
    facts = facts_of(compare(here, there))
    assert (facts["generated.compared", ""], facts["generated.uncompared", ""]) == (0, 1)


def test_columns_and_how_long_values_were_digested_must_be_those_of_the_other_side() -> None:
    for other in (
        replace(partition("visit_1", 10, 7), wide="UTF8"),
        replace(partition("visit_1", 10, 7), columns=("id", "mood", "more")),
    ):
        assert [subject for subject, *_ in told(SOURCE, proof(partition("visit_0", 20, 100), other))] == ["app.visit"]


def test_a_partition_that_no_dump_carries_stays_out_on_both_sides() -> None:
    """As of an unlogged one on a standby: the copy's may hold rows that were dealt to it, and those count."""
    foreign = replace(partition("visit_1", 0, 0), uncovered="foreign table: its rows live on another server")
    alone = proof(partition("visit_0", 20, 100), foreign)
    assert told(alone, alone) == set()
    assert facts_of(compare(alone, replace(alone, side="restored")))["tables.expected", ""] == 2
    standby = proof(partition("visit_0", 20, 100), replace(foreign, uncovered="unlogged: empty on a standby"))
    dealt = proof(partition("visit_0", 15, 90), partition("visit_1", 5, 10))
    one = proof(replace(partition("visit_0", 20, 0), sums=(100, -100, 2**71 + 100, 2)), standby.tables[1])
    assert told(one, dealt) == set()
    lost = proof(partition("visit_0", 15, 90), partition("visit_1", 4, 10))
    assert [subject for subject, *_ in told(one, lost)] == ["app.visit"]


def test_where_rows_are_loaded_through_and_what_was_asked_survive_the_bytes() -> None:
    whole = replace(SOURCE, asked=("system privilege", "type support"))
    back = decode(encode(whole))
    assert (set(back.tables), back.asked) == (set(whole.tables), whole.asked)
    assert b'"through"' not in encode(replace(SOURCE, tables=SOURCE.tables[2:]))
    assert b'"asked"' not in encode(SOURCE)


def test_a_class_that_one_side_was_never_asked_for_is_not_compared() -> None:
    asked = replace(
        SOURCE,
        asked=("system privilege",),
        objects=(Object("system privilege", "function pg_sleep(double precision)", "revoked PUBLIC=EXECUTE"),),
    )
    assert told(SOURCE, asked) == told(asked, SOURCE) == set()
    assert [what for _, what, *_ in told(asked, replace(asked, objects=()))] == ["object missing after restore"]


def test_a_key_that_nothing_enforces_is_a_loss_in_the_copy_and_none_at_the_source() -> None:
    sound = dataclasses.replace(SOURCE, objects=(Object("constraint", "app.a.fk", "FOREIGN KEY …", "validated"),))
    silent = dataclasses.replace(
        SOURCE, objects=(Object("constraint", "app.a.fk", "FOREIGN KEY …", "validated" + UNENFORCED),)
    )
    assert told(sound, silent) == {("app.a.fk", "other state", "validated", "validated" + UNENFORCED)}
    assert told(silent, sound) == set()
    assert told(silent, silent) == set()
