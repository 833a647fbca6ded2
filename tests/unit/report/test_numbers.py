"""Numbers as reports write them: nothing is rounded away, and shares sum to a hundred."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.report import numbers

_SECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000}


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (0, "0.000 s"),
        (1_234, "1.234 s"),
        (59_999, "59.999 s"),
        (60_000, "1 m"),
        (1_122_000, "18 m 42 s"),
        (1_122_512, "18 m 42.512 s"),
        (7_503_120, "2 h 5 m 3.120 s"),
        (31 * 86_400_000, "31 d"),
        (-1_500, "−1.500 s"),
    ],
)
def test_durations_read_as_people_say_them(ms: int, written: str) -> None:
    assert numbers.duration(ms) == written


@given(st.integers(0, 10**12))
def test_a_printed_duration_adds_up_to_the_millisecond(ms: int) -> None:
    total = Decimal(0)
    for amount, unit in re.findall(r"([0-9.]+) ([dhms])", numbers.duration(ms)):
        total += Decimal(amount) * _SECONDS.get(unit, 1000)
    assert total == ms


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0 B"),
        (1_023, "1023 B"),
        (1_024, "1.0 KiB"),
        (2_516_582, "2.4 MiB"),
        (1_048_575, "1.0 MiB"),
        (5 * 2**60, "5,120.0 PiB"),
    ],
)
def test_sizes_are_binary_and_say_so(size: int, written: str) -> None:
    assert numbers.size(size) == written


def test_an_exact_size_keeps_every_byte() -> None:
    assert numbers.size_exact(2_516_582) == "2.4 MiB (2,516,582 B)"


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_a_share_is_what_a_reader_divides_himself(parts: list[int]) -> None:
    for part in parts:
        shown = numbers.share(part, sum(parts))
        if shown not in {"<0.1%", ">99.9%"}:
            assert abs(Decimal(shown.removesuffix("%")) - Decimal(100 * part) / sum(parts)) <= Decimal("0.05001")


def test_the_shares_of_the_seed_are_the_seed_s() -> None:
    spent = [8, 6, 196, 867, 33, 12]
    told = [numbers.share(ms, sum(spent)) for ms in spent]
    assert told == ["0.7%", "0.5%", "17.5%", "77.3%", "2.9%", "1.1%"]


@pytest.mark.parametrize(("number", "told"), [(0, "0 runs"), (1, "1 run"), (7_305, "7,305 runs")])
def test_one_thing_is_not_several(number: int, told: str) -> None:
    assert numbers.counted(number, "run") == told
    assert numbers.counted(1, "person", "people") == "1 person"
    assert numbers.counted(2, "person", "people") == "2 people"
    assert numbers.share(0, 0) == "–"


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_share_never_claims_all_or_nothing_falsely(part: int, whole: int) -> None:
    written = numbers.share(part, whole)
    assert (written == "100.0%") == (part == whole) or part > whole
    assert (written == "0.0%") == (part == 0)


def test_instants_are_utc_and_strangers_come_back_as_they_are() -> None:
    assert numbers.instant("2026-11-22T19:49:39.123Z") == "2026-11-22 19:49:39 UTC"
    assert numbers.day("2026-11-22T19:49:39.123Z") == "2026-11-22"
    assert numbers.instant("yesterday") == "yesterday"


def test_an_instant_moves_by_milliseconds() -> None:
    assert numbers.after("2026-11-22T19:42:14.502Z", 31 * 86_400_000) == "2026-12-23T19:42:14Z"
    assert numbers.after("yesterday", 1) is None
    assert numbers.after("9999-12-31T23:59:59Z", 86_400_000) is None
    assert numbers.after("2026-02-30T00:00:00Z", 1) is None


def test_a_rate_over_no_time_is_not_measured() -> None:
    assert numbers.rate(7_305, 221, unit="rows") == "33,054 rows/s"
    assert numbers.rate(7_305, 0, unit="rows") == "not measured"
