from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.facts import FACTS, Value
from attestore.gate import Operator
from attestore.gate.bound import bound, split
from attestore.instants import duration_ms


def parsed(fact: str, must: str) -> Value:
    operator, written = split(must)
    return bound(FACTS[fact], operator, written)


@pytest.mark.parametrize(
    ("fact", "must", "value"),
    [
        ("restore.rto", "< 30m", 30 * 60 * 1000),
        ("restore.rto", "<30m", 30 * 60 * 1000),
        ("restore.rto", "<= 1500ms", 1500),
        ("restore.rto", "< 90s", 90_000),
        ("restore.rpo", "< 25h", 90_000_000),
        ("restore.rpo", "< 2d", 172_800_000),
        ("backup.size.sealed", "<= 10GiB", 10 * 2**30),
        ("backup.size.sealed", "<= 10 GB".replace(" G", "G"), 10 * 10**9),
        ("backup.size.sealed", "> 1kB", 1000),
        ("backup.size.sealed", "> 1KiB", 1024),
        ("backup.size.sealed", "> 1B", 1),
        ("backup.size.sealed", "< 2TiB", 2**41),
        ("tables.rows.differing", "== 0", 0),
        ("seal.key.bits", ">= 4096", 4096),
        ("target.empty", "== true", True),
        ("target.empty", "!= false", False),
        ("seal.cipher", "== AES256", "AES256"),
        ("seal.integrity", "!= none", "none"),
        ("source.version", "== 15.18 (Debian 15.18-1)", "15.18 (Debian 15.18-1)"),
    ],
)
def test_a_bound_is_read_in_the_unit_of_its_fact(fact: str, must: str, value: Value) -> None:
    assert parsed(fact, must) == value
    assert type(parsed(fact, must)) is type(value)


@pytest.mark.parametrize(
    ("fact", "must"),
    [
        ("restore.rto", "< 30"),
        ("restore.rto", "< 30 m"),
        ("restore.rto", "< 1h30m"),
        ("restore.rto", "< 30min"),
        ("restore.rto", "< 30M"),
        ("restore.rto", "< -1m"),
        ("restore.rto", "< 0.5h"),
        ("restore.rto", "< 30GiB"),
        ("restore.rto", "< 030m"),
        ("backup.size.sealed", "< 10"),
        ("backup.size.sealed", "< 10g"),
        ("backup.size.sealed", "< 10m"),
        ("backup.size.sealed", "< 999999999999TiB"),
        ("tables.compared", "== 0s"),
        ("tables.compared", "== many"),
        ("tables.compared", "== 00"),
        ("tables.compared", "== 1e3"),
        ("tables.compared", ">= 0"),
        ("tables.compared", "< 0"),
        ("target.empty", "== yes"),
        ("target.empty", "== 1"),
        ("target.empty", "< true"),
        ("seal.cipher", ">= AES256"),
        ("seal.cipher", "=="),
        ("snapshot.taken", "== 2026-11-22T10:00:00.000Z"),
        ("tables.compared", "= 0"),
        ("tables.compared", "=> 0"),
        ("tables.compared", "0"),
        ("tables.compared", "=== 0"),
        ("tables.compared", "<> 0"),
    ],
)
def test_a_bound_that_cannot_be_meant_is_refused(fact: str, must: str) -> None:
    with pytest.raises(ValueError, match=r".{20}"):
        parsed(fact, must)


@pytest.mark.parametrize(
    ("written", "milliseconds"), [("31d", 2_678_400_000), ("12h", 43_200_000), ("1ms", 1), ("30s", 30_000)]
)
def test_a_duration_is_one_number_and_one_unit(written: str, milliseconds: int) -> None:
    assert duration_ms(written) == milliseconds


@pytest.mark.parametrize(
    "written", ["0d", "31", "d", "1.5d", "31 d", "P31D", "1d12h", "-1d", "31D", "999999999999d", ""]
)
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        duration_ms(written)


@given(st.sampled_from(list(Operator)), st.integers(-5, 5), st.integers(-5, 5))
def test_operators_mean_what_they_look_like(operator: Operator, value: int, limit: int) -> None:
    assert operator.holds(value, limit) is eval(f"{value} {operator.value} {limit}")  # noqa: S307 - the oracle is Python


@given(st.sampled_from([Operator.EQUAL, Operator.UNEQUAL]), st.text(max_size=3), st.text(max_size=3))
def test_text_is_compared_for_equality_only(operator: Operator, value: str, limit: str) -> None:
    assert operator.holds(value, limit) is ((value == limit) == (operator is Operator.EQUAL))
