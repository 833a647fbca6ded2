from __future__ import annotations

import hashlib

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from attestore import canon
from attestore.errors import TamperedError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LARGEST = 2**53 - 1
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
@example({"\ufb33": 1, "\U0001f600": 2, "\r": 3, "1": 4, "\x80": 5, "ö": 6, "€": 7})
@example({"a": '\u2028\u2029\x7f\x00\b\f\n\r\t"\\/'})
def test_its_bytes_are_those_of_rfc_8785(value: canon.JSON) -> None:
    assert canon.encode(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_is_written_is_read_back_unchanged(value: canon.JSON) -> None:
    assert canon.decode(canon.encode(value), what="x") == value


@given(VALUES, VALUES)
def test_different_values_have_different_bytes(one: canon.JSON, other: canon.JSON) -> None:
    assert (canon.encode(one) == canon.encode(other)) is (repr(_ordered(one)) == repr(_ordered(other)))


def _ordered(value: canon.JSON) -> object:
    """The value with the order of keys taken out; repr tells True from 1."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), {1: "a"}, 2**53, -(2**53), "\ud800", {"\ud800": 1}, b"x", {1, 2}, (1, 2), object()]
)
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        canon.encode(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"1.0",
        b"1e2",
        b"-0.0",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b'{"verdict":"FAIL","verdict":"PASS"}',
        b'{"a":{"b":1,"b":1}}',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b"1 2",
        b"'a'",
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
        b"9" * 5000,
        b'{"a":' * 5000,
        b'"\\ud800"',
    ],
    ids=range(20),
)
def test_what_could_be_read_in_two_ways_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(TamperedError, match=r"^ledger\.jsonl is not canonical JSON"):
        canon.decode(data, what="ledger.jsonl")


@given(st.binary(max_size=60))
def test_no_bytes_bring_the_reader_down(data: bytes) -> None:
    try:
        value = canon.decode(data, what="x")
    except TamperedError:
        return
    assert canon.decode(canon.encode(value), what="x") == value


def test_a_plain_digest_is_what_sha256sum_prints() -> None:
    assert canon.sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_domain_digest_is_fixed_for_ever() -> None:
    expected = hashlib.sha256(
        b"attestore/evidence/link/v1\n" + (3).to_bytes(8, "big") + b"abc" + (0).to_bytes(8, "big")
    ).hexdigest()
    assert canon.domain_digest("evidence/link", b"abc", b"") == expected


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_two_lists_of_parts_share_a_domain_digest_only_if_they_are_equal(one: list[bytes], other: list[bytes]) -> None:
    assert (canon.domain_digest("x", *one) == canon.domain_digest("x", *other)) is (one == other)
    assert canon.domain_digest("x", *one) != canon.domain_digest("y", *one)
