"""Manifest and context: what is written is read back, and any change of the bytes is noticed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import canon
from attestore.errors import TamperedError
from attestore.evidence import (
    Branding,
    Context,
    Doubt,
    Locale,
    Manifest,
    Measured,
    PartRecord,
    Past,
    Person,
    Step,
    context,
    manifest,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
DIGEST = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
SIZE = st.integers(0, 2**50)
NAME = st.from_regex(r"[a-z]{1,8}\.[a-z]{1,3}", fullmatch=True)

PARTS = st.builds(PartRecord, TEXT, NAME, SIZE, DIGEST, SIZE, DIGEST)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)
MANIFESTS = st.builds(
    Manifest,
    *[TEXT] * 8,
    st.integers(9, 30),
    TEXT,
    SIZE,
    st.builds(Locale, *[TEXT] * 5),
    PAIRS,
    TEXT,
    st.integers(9, 30),
    PAIRS,
    st.lists(TEXT, max_size=2).map(tuple),
    DIGEST,
    DIGEST,
    st.lists(PARTS, max_size=3).map(tuple),
)
PASTS = st.builds(Past, TEXT, TEXT, TEXT, TEXT, st.none() | SIZE, st.none() | SIZE)
CONTEXTS = st.builds(
    Context,
    *[TEXT] * 5,
    st.builds(Person, TEXT, TEXT, st.lists(TEXT, max_size=2).map(tuple), TEXT),
    TEXT,
    DIGEST,
    st.integers(0, 1000),
    DIGEST,
    st.lists(st.builds(Step, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    st.lists(PASTS, max_size=2).map(tuple),
    *[TEXT] * 4,
)

MANIFEST = Manifest(
    backup="20261122T200000Z-gallery-1f2e",
    system="gallery",
    run="20261122T195959Z-gallery-ab12",
    taken="2026-11-22T20:00:00.000Z",
    snapshot="00000003-0000001B-1",
    lsn="0/1A2B3C4",
    database="gallery",
    source_version="15.18",
    source_major=15,
    source_identifier="7300000000000000001",
    source_size=9_000_000,
    locale=Locale("UTF8", "libc", "C.UTF-8", "C.UTF-8", ""),
    extensions=(("plpgsql", "1.0"),),
    engine="pg_dump 15.18",
    engine_major=15,
    settings=(("jobs", "2"),),
    recipients=("A" * 40,),
    key_commitment="0" * 64,
    proof_digest="9" * 64,
    parts=(
        PartRecord("archive", "archive.tar.zst.gpg", 10, "1" * 64, 20, "2" * 64),
        PartRecord("proof", "proof.json.zst.gpg", 3, "3" * 64, 4, "4" * 64),
    ),
)
CONTEXT = Context(
    run="20261122T195959Z-gallery-ab12",
    system="gallery",
    scenario="The local copy is lost.",
    started="2026-11-22T19:59:59.000Z",
    ended="2026-11-22T20:01:00.000Z",
    operator=Person("op", "Olga Perator", ("operator",), "A" * 40),
    closed_by="",
    roster_digest="5" * 64,
    ledger_count=7,
    ledger_head="6" * 64,
    plan=(Step("dump", "pg_dump", "workspace"),),
    history=(
        Past("r", "S9-PROD-004", "2026-10-22T20:00:00.000Z", "PASS", 900, None),
        Past("p", "S9-PROD-004", "2026-10-22T19:00:00.000Z", "PASS", None, None, doubt=Doubt.UNSIGNED),
        Past(
            "q",
            "S9-PROD-004",
            "2026-10-21T20:00:00.000Z",
            "PASS",
            900,
            7,
            Measured("2026-10-21T19:00:00.000Z", (1, 2, 3, 4, 5, 6, 7), (("jobs", "4"),)),
        ),
    ),
    attestore="0.1.0",
    renderer="1",
    language="en",
    paper="A4",
)


@given(MANIFESTS)
def test_a_manifest_is_read_back_as_it_was_written(value: Manifest) -> None:
    data = manifest.encode(value)
    assert manifest.decode(data) == value
    assert canon.sha256_hex(data) == value.digest


@given(CONTEXTS)
def test_a_context_is_read_back_as_it_was_written(value: Context) -> None:
    assert context.decode(context.encode(value)) == value


@pytest.mark.parametrize("figures", ["1,null", "null,1"])
def test_figures_that_are_left_out_are_not_told_all_the_same(figures: str) -> None:
    data = context.encode(CONTEXT)
    lie = data.replace(b'null,null,{"left_out"', f'{figures},{{"left_out"'.encode())
    assert lie != data
    with pytest.raises(TamperedError):
        context.decode(lie)


def test_a_reason_to_leave_figures_out_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TamperedError):
        context.decode(context.encode(CONTEXT).replace(b'"left_out":"unsigned"', b'"left_out":"slow"'))


@given(st.tuples(MANIFESTS, MANIFESTS))
def test_two_manifests_share_bytes_only_if_they_are_equal(pair: tuple[Manifest, Manifest]) -> None:
    one, other = pair
    assert (manifest.encode(one) == manifest.encode(other)) is (one == other)


Case = tuple[Any, Callable[[Any], bytes], Callable[[bytes], Any]]
CASES: list[Case] = [(MANIFEST, manifest.encode, manifest.decode), (CONTEXT, context.encode, context.decode)]
BOTH = pytest.mark.parametrize("case", CASES, ids=["manifest", "context"])


@BOTH
def test_every_field_is_in_the_bytes(case: Case) -> None:
    value, encode, decode = case
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        other: object = content + 1 if isinstance(content, int) else f"{content}x"
        if isinstance(content, tuple):
            other = (*content, content[0]) if content else content
        if isinstance(content, Locale):
            other = dataclasses.replace(content, ctype="C")
        if isinstance(content, Person):
            other = dataclasses.replace(content, name="Somebody Else")
        if isinstance(content, Branding):
            other = dataclasses.replace(content, accent="#1f4e8c")
        changed = dataclasses.replace(value, **{field.name: other})
        assert encode(changed) != encode(value), field.name
        assert decode(encode(changed)) == changed, field.name


@BOTH
@pytest.mark.parametrize("bit", [0, 1, 4, 5, 7])
def test_a_flipped_bit_is_another_value_or_refused(case: Case, bit: int) -> None:
    value, encode, decode = case
    data = encode(value)
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << bit
        try:
            found = decode(bytes(damaged))
        except TamperedError:
            continue
        assert found != value


def _paths(value: object) -> list[tuple[str | int, ...]]:
    """Every place below a JSON value."""
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [path for key, item in items for path in [(key,), *((key, *rest) for rest in _paths(item))]]


@BOTH
@pytest.mark.parametrize("wrong", [None, 1, -1, True, "1", [], {}, [[]], ["a"], {"a": 1}], ids=repr)
def test_a_value_of_another_type_anywhere_is_refused_or_read_as_another(case: Case, wrong: canon.JSON) -> None:
    """Whatever JSON stands where something else should: TamperedError, never another exception."""
    value, encode, decode = case
    whole = encode(value)
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
            assert decode(damaged) != value, path
        except TamperedError:
            continue


@BOTH
@pytest.mark.parametrize("damage", [b" ", b"\n"])
def test_the_same_value_in_other_bytes_is_refused(case: Case, damage: bytes) -> None:
    value, encode, decode = case
    with pytest.raises(TamperedError):
        decode(encode(value) + damage)
    with pytest.raises(TamperedError):
        decode(encode(value).replace(b":", b": ", 1))


@BOTH
def test_extra_and_missing_fields_and_other_formats_are_refused(case: Case) -> None:
    value, encode, decode = case
    raw = canon.decode(encode(value), what="x")
    assert isinstance(raw, dict)
    others: list[canon.JSON] = [{**raw, "extra": 1}, {**raw, "format": "attestore/other/v1"}, [], 7, None]
    for damaged in others:
        with pytest.raises(TamperedError):
            decode(canon.encode(damaged))
    for name in raw:
        with pytest.raises(TamperedError):
            decode(canon.encode({key: item for key, item in raw.items() if key != name}))


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", "a\0b"])
def test_a_part_whose_name_is_a_path_is_refused(name: str) -> None:
    part = dataclasses.replace(MANIFEST.parts[0], name=name)
    with pytest.raises(TamperedError, match="not a plain file name"):
        manifest.decode(manifest.encode(dataclasses.replace(MANIFEST, parts=(part,))))


def test_a_part_is_found_by_its_role_if_there_is_exactly_one() -> None:
    assert MANIFEST.part("proof").name == "proof.json.zst.gpg"
    with pytest.raises(TamperedError, match="0 parts of role 'globals'"):
        MANIFEST.part("globals")
    doubled = dataclasses.replace(MANIFEST, parts=MANIFEST.parts * 2)
    with pytest.raises(TamperedError, match="2 parts of role 'proof'"):
        doubled.part("proof")
