from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import canon
from attestore.errors import TamperedError
from attestore.facts import FACTS
from attestore.proof import (
    AUDIT,
    STREAM,
    Computed,
    Difference,
    ForeignKey,
    Object,
    ProbeResult,
    Proof,
    Query,
    Reading,
    Sequence,
    Setting,
    Table,
    What,
    compare,
    decode,
    encode,
    facts_of,
    ordered,
    unplanned,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
WHOLE = st.integers(0, 2**40)
SUM = st.integers(-(2**90), 2**90)

SOURCE = Proof(
    side="source",
    database="gallery",
    server="15.18",
    taken="2026-11-22T20:00:00.000Z",
    method="audit",
    key_commitment="0" * 64,
    session=(Setting("session", "TimeZone", "UTC"),),
    tables=(
        Table("public", "images", "table", 500, (1, -2, 2**70, 4), ("id", "title"), "", 90_000),
        Table("public", "users", "table", 100, (5, 6, 7, 8), ("id",), "", 9_000),
        Table("public", "empty", "table", 0, (0, 0, 0, 0), ("id",), "", 0),
        Table("ext", "codes", "table", 9, (9, 9, 9, 9), ("id",), "owned by an extension", 0),
    ),
    objects=(
        Object("index", "public.images_pkey", "CREATE UNIQUE INDEX …", "valid"),
        Object("table", "public.images", "id bigint, title text"),
        Object("constraint", "public.images.known", "CHECK (a IN ('x'))"),
    ),
    foreign_keys=(
        ForeignKey("public.images", "images_owner_fkey", "public.users", validated=True, checked=False, orphans=0),
    ),
    sequences=(Sequence("public", "images_id_seq", 500, called=True, feeds="public.images.id", largest=500),),
    probes=(ProbeResult("front", 24, "a" * 64, "SELECT 1"),),
    settings=(Setting("database", "work_mem", "64MB"),),
    queries=(Query("count", "SELECT count(*)"),),
    readings=(),
    findings=("nothing unusual",),
)
RESTORED = dataclasses.replace(
    SOURCE,
    side="restored",
    foreign_keys=(dataclasses.replace(SOURCE.foreign_keys[0], checked=True),),
)

PROOFS = st.builds(
    Proof,
    *[TEXT] * 6,
    st.lists(st.builds(Setting, TEXT, TEXT, TEXT), max_size=2).map(lambda several: tuple(sorted(several))),
    st.lists(
        st.builds(
            Table, TEXT, TEXT, TEXT, WHOLE, st.tuples(SUM, SUM, SUM, SUM), st.lists(TEXT).map(tuple), TEXT, WHOLE
        ),
        max_size=2,
    ).map(tuple),
    st.lists(st.builds(Object, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    st.lists(st.builds(ForeignKey, TEXT, TEXT, TEXT, st.booleans(), st.booleans(), WHOLE), max_size=2).map(tuple),
    st.lists(st.builds(Sequence, TEXT, TEXT, SUM, st.booleans(), SUM, TEXT, st.none() | SUM), max_size=2).map(tuple),
    st.lists(st.builds(ProbeResult, TEXT, WHOLE, TEXT, TEXT), max_size=2).map(tuple),
    st.lists(st.builds(Setting, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    st.lists(st.builds(Query, TEXT, TEXT), max_size=2).map(tuple),
    st.lists(st.builds(Reading, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    st.lists(TEXT, max_size=2).map(tuple),
)


@given(PROOFS)
def test_a_proof_is_read_back_as_it_was_written(proof: Proof) -> None:
    assert decode(encode(proof)) == ordered(proof)


def test_the_order_in_which_things_were_found_is_not_in_the_bytes() -> None:
    shuffled = dataclasses.replace(SOURCE, tables=SOURCE.tables[::-1], objects=SOURCE.objects[::-1])
    assert encode(shuffled) == encode(SOURCE)


@pytest.mark.parametrize("bit", [0, 1, 4, 5, 7])
def test_a_flipped_bit_is_another_proof_or_refused(bit: int) -> None:
    data = encode(SOURCE)
    same = decode(data)
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << bit
        try:
            found = decode(bytes(damaged))
        except TamperedError:
            continue
        assert found != same


def _paths(value: object) -> list[tuple[str | int, ...]]:
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path for key, item in items for path in [(key,), *((key, *rest) for rest in _paths(item))]]


@pytest.mark.parametrize("wrong", [None, 1, -1, True, "1", "x", [], {}, [[]], ["a"], {"a": 1}], ids=repr)
def test_a_value_of_another_type_anywhere_is_refused_or_another_proof(wrong: canon.JSON) -> None:
    """Whatever JSON stands where something else should: TamperedError, never another exception."""
    whole = encode(SOURCE)
    same = decode(whole)
    for path in _paths(canon.decode(whole, what="x")):
        raw: Any = canon.decode(whole, what="x")
        inner = raw
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = wrong
        damaged = canon.encode(raw)
        if damaged == whole:
            continue
        try:
            assert decode(damaged) != same, path
        except TamperedError:
            continue


@pytest.mark.parametrize("raw", [None, 7, "proof", [], {}, {"format": "attestore/proof/v1"}])
def test_what_is_no_proof_is_refused(raw: canon.JSON) -> None:
    with pytest.raises(TamperedError, match=r"^proof\.source\.json"):
        decode(canon.encode(raw), what="proof.source.json")


def test_rows_and_fingerprints_leave_out_what_a_dump_does_not_carry() -> None:
    assert SOURCE.rows == 600
    prints = {table.fingerprint for table in SOURCE.tables}
    assert len(prints) == len(SOURCE.tables)


@given(WHOLE, st.tuples(SUM, SUM, SUM, SUM), WHOLE, st.tuples(SUM, SUM, SUM, SUM))
def test_two_tables_share_a_fingerprint_exactly_when_count_and_sums_are_equal(
    rows: int, sums: tuple[int, int, int, int], other_rows: int, other: tuple[int, int, int, int]
) -> None:
    one = Table("s", "t", "table", rows, sums)
    assert one.fingerprint == Table("x", "y", "partition", rows, sums, size=5).fingerprint
    assert (one.fingerprint == Table("s", "t", "table", other_rows, other).fingerprint) is (
        (rows, sums) == (other_rows, other)
    )


# ── comparison


def differences(source: Proof, restored: Proof) -> tuple[Difference, ...]:
    return compare(source, restored).differences


def test_a_true_copy_has_no_difference_and_says_how_much_was_compared() -> None:
    found = compare(SOURCE, RESTORED)
    assert found.differences == ()
    facts = facts_of(found)
    assert facts == {
        ("proof.method", ""): "audit",
        ("tables.expected", ""): 3,
        ("tables.compared", ""): 3,
        ("tables.missing", ""): 0,
        ("tables.extra", ""): 0,
        ("tables.rows.differing", ""): 0,
        ("tables.fingerprints.differing", ""): 0,
        ("tables.unlocated", ""): 0,
        ("rows.changed", ""): 0,
        ("rows.missing", ""): 0,
        ("rows.extra", ""): 0,
        ("rows.expected", ""): 600,
        ("rows.restored", ""): 600,
        ("objects.compared", ""): 4,
        ("objects.differing", ""): 0,
        ("foreign_keys.checked", ""): 1,
        ("foreign_keys.unchecked", ""): 0,
        ("foreign_keys.orphans", ""): 0,
        ("indexes.checked", ""): 1,
        ("indexes.invalid", ""): 0,
        ("generated.compared", ""): 0,
        ("generated.differing", ""): 0,
        ("generated.uncompared", ""): 0,
        ("matviews.compared", ""): 0,
        ("matviews.recomputed.differing", ""): 0,
        ("matviews.uncompared", ""): 0,
        ("sequences.compared", ""): 1,
        ("sequences.behind", ""): 0,
        ("probes.asked", ""): 1,
        ("probes.valued", ""): 0,
        ("probe.equal", "front"): True,
        ("probe.rows", "front"): 24,
    }
    assert all(type(value) is FACTS[name].kind.type for (name, _), value in facts.items())


def with_table(number: int, **changes: Any) -> Proof:
    tables = list(RESTORED.tables)
    tables[number] = dataclasses.replace(tables[number], **changes)
    return dataclasses.replace(RESTORED, tables=tuple(tables))


def with_object(number: int, **changes: Any) -> Proof:
    objects = list(RESTORED.objects)
    objects[number] = dataclasses.replace(objects[number], **changes)
    return dataclasses.replace(RESTORED, objects=tuple(objects))


DAMAGE: list[tuple[str, Proof, What, str, tuple[str, ...]]] = [
    (
        "a table is gone",
        dataclasses.replace(RESTORED, tables=RESTORED.tables[1:]),
        What.MISSING_TABLE,
        "public.images",
        ("tables.missing",),
    ),
    (
        "an empty table is gone",
        dataclasses.replace(RESTORED, tables=(*RESTORED.tables[:2], RESTORED.tables[3])),
        What.MISSING_TABLE,
        "public.empty",
        ("tables.missing",),
    ),
    (
        "a table too many",
        dataclasses.replace(RESTORED, tables=(*RESTORED.tables, Table("public", "x", "table", 0, (0, 0, 0, 0)))),
        What.EXTRA_TABLE,
        "public.x",
        ("tables.extra",),
    ),
    ("a row is missing", with_table(0, rows=499), What.ROWS, "public.images", ("tables.rows.differing",)),
    ("a row too many", with_table(2, rows=1), What.ROWS, "public.empty", ("tables.rows.differing",)),
    *(
        (
            f"sum {n} differs",
            with_table(1, sums=tuple(s + (i == n) for i, s in enumerate((5, 6, 7, 8)))),
            What.FINGERPRINT,
            "public.users",
            ("tables.fingerprints.differing",),
        )
        for n in range(4)
    ),
    (
        "other columns were hashed",
        with_table(0, columns=("id",)),
        What.FINGERPRINT,
        "public.images",
        ("tables.fingerprints.differing",),
    ),
    (
        "an index is gone",
        dataclasses.replace(RESTORED, objects=RESTORED.objects[1:]),
        What.MISSING_OBJECT,
        "public.images_pkey",
        ("objects.differing",),
    ),
    (
        "an object too many",
        dataclasses.replace(RESTORED, objects=(*RESTORED.objects, Object("view", "public.v", "SELECT 1"))),
        What.EXTRA_OBJECT,
        "public.v",
        ("objects.differing",),
    ),
    (
        "another definition",
        with_object(1, definition="id bigint"),
        What.DEFINITION,
        "public.images",
        ("objects.differing",),
    ),
    (
        "an index is not valid",
        with_object(0, state="invalid"),
        What.STATE,
        "public.images_pkey",
        ("objects.differing", "indexes.invalid"),
    ),
    (
        "a row lost its parent",
        dataclasses.replace(RESTORED, foreign_keys=(dataclasses.replace(RESTORED.foreign_keys[0], orphans=3),)),
        What.ORPHANS,
        "public.images.images_owner_fkey",
        ("foreign_keys.orphans",),
    ),
    (
        "a sequence is gone",
        dataclasses.replace(RESTORED, sequences=()),
        What.SEQUENCE,
        "public.images_id_seq",
        ("sequences.behind",),
    ),
    (
        "a setting is gone",
        dataclasses.replace(RESTORED, settings=()),
        What.SETTING,
        "database: work_mem",
        ("objects.differing",),
    ),
    (
        "a setting differs",
        dataclasses.replace(RESTORED, settings=(Setting("database", "work_mem", "4MB"),)),
        What.SETTING,
        "database: work_mem",
        ("objects.differing",),
    ),
    *(
        (f"a probe has {name}", dataclasses.replace(RESTORED, probes=probes), What.PROBE, "front", ("probe.equal",))
        for name, probes in {
            "another answer": (ProbeResult("front", 24, "b" * 64, "SELECT 1"),),
            "fewer rows": (ProbeResult("front", 23, "a" * 64, "SELECT 1"),),
            "another question": (ProbeResult("front", 24, "a" * 64, "SELECT 2"),),
        }.items()
    ),
]


@pytest.mark.parametrize(
    ("restored", "what", "subject", "facts"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE]
)
def test_each_damage_is_found_once_and_named(restored: Proof, what: What, subject: str, facts: tuple[str, ...]) -> None:
    found = compare(SOURCE, restored)
    assert [(difference.what, difference.subject) for difference in found.differences] == [(what.value, subject)]
    clean, damaged = facts_of(compare(SOURCE, RESTORED)), facts_of(found)
    opinions = {name for name, _ in clean if name.endswith((".differing", ".missing", ".extra", ".equal", ".behind"))}
    opinions |= {"foreign_keys.orphans", "indexes.invalid"}
    opinions -= {"rows.missing", "rows.extra"}  # they follow from damage to tables
    changed = {name for (name, subject) in clean if clean[name, subject] != damaged.get((name, subject))}
    assert changed & opinions >= set(facts)
    assert changed & opinions <= {*facts, "tables.fingerprints.differing"}


@pytest.mark.parametrize("side", ["source", "restored"])
def test_a_probe_asked_on_one_side_only_is_neither_a_difference_nor_a_fact(side: str) -> None:
    more = (*SOURCE.probes, ProbeResult("back", 7, "c" * 64, "SELECT 3", value=7))
    source = dataclasses.replace(SOURCE, probes=more if side == "source" else SOURCE.probes)
    restored = dataclasses.replace(RESTORED, probes=more if side == "restored" else RESTORED.probes)
    assert compare(source, restored) == compare(SOURCE, RESTORED)
    silent = facts_of(compare(SOURCE, dataclasses.replace(RESTORED, probes=())))
    assert (silent["probes.asked", ""], silent["probes.valued", ""]) == (0, 0)
    assert not [name for name, _ in silent if name.startswith("probe.")]


@pytest.mark.parametrize("changes", [{"method": "another"}, {"key_commitment": "1" * 64}], ids=["method", "key"])
def test_fingerprints_under_another_key_or_method_are_never_equal(changes: dict[str, Any]) -> None:
    other = dataclasses.replace(RESTORED, **changes)
    assert facts_of(compare(SOURCE, other))["tables.fingerprints.differing", ""] == 3


def test_fingerprints_that_were_taken_in_different_ways_are_never_equal() -> None:
    first, *others = RESTORED.tables
    other = dataclasses.replace(RESTORED, tables=(dataclasses.replace(first, wide="UTF8"), *others))
    assert facts_of(compare(SOURCE, other))["tables.fingerprints.differing", ""] == 1


def test_a_definition_that_reads_the_same_after_a_round_trip_is_equal() -> None:
    """`CHECK (a IN (…))` deparses differently after its first restore."""
    arrayed = "CHECK (a = ANY (ARRAY['x']))"
    restored = with_object(2, definition=arrayed)
    assert len(differences(SOURCE, restored)) == 1
    readings = tuple(
        Reading("constraint", "public.images.known", written, arrayed) for written in ("CHECK (a IN ('x'))", arrayed)
    )
    assert differences(SOURCE, dataclasses.replace(restored, readings=readings)) == ()


def test_a_reading_speaks_of_one_object_only() -> None:
    restored = with_object(2, definition="CHECK (true)")
    readings = (Reading("constraint", "public.other.known", "CHECK (a IN ('x'))", "CHECK (true)"),)
    assert len(differences(SOURCE, dataclasses.replace(restored, readings=readings))) == 1


@pytest.mark.parametrize(
    ("source", "restored", "behind"),
    [
        ((500, True, 1, 500), (500, True, 1, 500), 0),
        ((500, True, 1, 500), (600, True, 1, 500), 0),
        ((500, True, 1, 500), (499, True, 1, 400), 1),
        ((500, True, 1, 500), (500, True, 1, 501), 1),
        ((500, True, 1, None), (500, False, 1, None), 1),
        ((500, False, 1, None), (500, True, 1, None), 0),
        ((1, False, 1, None), (1, False, 1, None), 0),
        ((400, True, 1, 500), (400, True, 1, 500), 0),
        ((-5, True, -1, -5), (-5, True, -1, -5), 0),
        ((-5, True, -1, -5), (-6, True, -1, -5), 0),
        ((-5, True, -1, -5), (-4, True, -1, -5), 1),
    ],
)
def test_a_restored_sequence_may_be_ahead_but_never_behind(
    source: tuple[int, bool, int, int | None], restored: tuple[int, bool, int, int | None], behind: int
) -> None:
    def proof(reached: int, called: bool, increment: int, largest: int | None) -> Proof:  # noqa: FBT001
        sequence = Sequence("public", "s", reached, called, increment, "public.t.id", largest)
        return dataclasses.replace(SOURCE, sequences=(sequence,))

    assert facts_of(compare(proof(*source), proof(*restored)))["sequences.behind", ""] == behind


def test_orphans_under_a_key_that_was_never_validated_came_with_the_source() -> None:
    key = dataclasses.replace(RESTORED.foreign_keys[0], validated=False, orphans=3)
    found = compare(SOURCE, dataclasses.replace(RESTORED, foreign_keys=(key,)))
    assert facts_of(found)["foreign_keys.orphans", ""] == 0


@pytest.mark.parametrize("keys", [(), SOURCE.foreign_keys], ids=["gone", "not looked up"])
def test_a_foreign_key_that_nobody_looked_up_is_counted(keys: tuple[ForeignKey, ...]) -> None:
    """Otherwise no orphans would be found because nobody looked."""
    facts = facts_of(compare(SOURCE, dataclasses.replace(RESTORED, foreign_keys=keys)))
    assert facts["foreign_keys.unchecked", ""] == 1
    assert facts["foreign_keys.checked", ""] == 0


def test_what_a_dump_does_not_carry_is_not_compared() -> None:
    assert differences(SOURCE, dataclasses.replace(RESTORED, tables=RESTORED.tables[:3])) == ()
    assert differences(SOURCE, with_table(3, rows=0, uncovered="")) == ()


@given(PROOFS)
def test_every_proof_equals_itself_but_for_probes_asked_twice(proof: Proof) -> None:
    found = compare(proof, dataclasses.replace(proof, side="restored"))
    orphans = {difference for difference in found.differences if difference.what == What.ORPHANS.value}
    behind = {difference for difference in found.differences if difference.what == What.SEQUENCE.value}
    assert set(found.differences) == orphans | behind


def test_an_index_that_is_not_valid_at_the_source_is_no_loss_and_any_other_is() -> None:
    """pg_dump leaves it out; one of a partitioned table that misses a partition's is `incomplete` and is dumped."""
    for state, expected in (("invalid", 0), ("valid", 1), ("incomplete", 1)):
        index = Object("index", "public.extra", "CREATE INDEX extra …", state)
        source = dataclasses.replace(SOURCE, objects=(*SOURCE.objects, index))
        assert len(differences(source, dataclasses.replace(SOURCE, side="restored"))) == expected


def _streamed(**changes: Any) -> Proof:
    table = dataclasses.replace(SOURCE.tables[0], sums=(0, 0, 0, 0), text="a" * 64, member="1.dat")
    return dataclasses.replace(SOURCE, method=STREAM, tables=(dataclasses.replace(table, **changes),))


@pytest.mark.parametrize(
    ("restored", "equal"),
    [
        (_streamed(member=""), True),
        (_streamed(text="b" * 64), False),
        (_streamed(text=""), False),
        (_streamed(text="b" * 64, permutes="a" * 64), True),
        (_streamed(text="b" * 64, permutes="c" * 64), False),
        (dataclasses.replace(_streamed(), method=AUDIT), False),
    ],
    ids=["the same text", "another text", "no text", "another order", "another order of other rows", "another method"],
)
def test_by_method_stream_texts_are_equal_or_hold_the_same_lines(restored: Proof, *, equal: bool) -> None:
    other = dataclasses.replace(restored, side="restored")
    found = facts_of(compare(_streamed(), other))
    assert found["tables.fingerprints.differing", ""] == (not equal)
    assert found["proof.method", ""] == "stream"
    assert decode(encode(other)).tables == other.tables


def test_nothing_equals_nothing_by_method_stream() -> None:
    none = _streamed(text="")
    assert facts_of(compare(none, dataclasses.replace(none, side="restored")))["tables.fingerprints.differing", ""] == 1


def test_one_fingerprint_is_printed_for_texts_that_differ_in_order_only() -> None:
    turned = _streamed(text="b" * 64, permutes="a" * 64).tables[0]
    assert turned.fingerprint == _streamed().tables[0].fingerprint != _streamed(text="b" * 64).tables[0].fingerprint


def test_what_is_computed_and_what_probes_answer_survive_the_bytes() -> None:
    seen = Computed("generated column", "public", "t", "twice", 3, (1, -2, 3, 2**70), ("a", "twice"))
    whole = dataclasses.replace(
        SOURCE, computed=(seen,), probes=(ProbeResult("front", 24, "a" * 64, "SELECT 1", 24), *SOURCE.probes)
    )
    back = decode(encode(whole))
    assert (back.computed, set(back.probes)) == (whole.computed, set(whole.probes))
    with pytest.raises(TamperedError, match="nothing is computed as"):
        decode(encode(dataclasses.replace(whole, computed=(dataclasses.replace(seen, kind="x"),))))


def _difference(subject: str, kind: str, what: What) -> Difference:
    return Difference(subject, kind, what.value, "one", "other")


@pytest.mark.parametrize(
    ("difference", "accounted"),
    [
        (_difference("public.users", "table", What.FINGERPRINT), True),
        (_difference("front", "probe", What.PROBE), True),
        (_difference("public.likes.fk", "foreign key", What.ORPHANS), True),
        (_difference("public.users_id_seq", "sequence", What.SEQUENCE), True),
        (_difference("public.ix", "index", What.MISSING_OBJECT), True),
        (_difference("index public.ix", "comment", What.MISSING_OBJECT), True),
        (_difference("x.extra", "table", What.EXTRA_OBJECT), True),
        (_difference("schema x", "privilege", What.EXTRA_OBJECT), True),
        (_difference("public.likes", "table", What.ROWS), False),
        (_difference("public.iy", "index", What.MISSING_OBJECT), False),
        (_difference("public", "schema", What.STATE), False),
        (_difference("database: work_mem", "setting", What.SETTING), False),
    ],
)
def test_what_nobody_planted_is_told_apart_from_what_follows(difference: Difference, accounted: bool) -> None:  # noqa: FBT001
    added = _difference("x", "schema", What.EXTRA_OBJECT), _difference("x.extra", "table", What.EXTRA_OBJECT)
    found = dataclasses.replace(compare(SOURCE, SOURCE), differences=(*added, difference))
    assert unplanned(found, ["public.users", "public.ix", "x.extra"]) == (() if accounted else (difference,))
