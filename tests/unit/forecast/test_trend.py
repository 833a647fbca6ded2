"""The line and its interval: right as often as promised, whatever the noise looks like, and the same in any units."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.forecast import FEWEST, LEVEL
from attestore.forecast.trend import _FINE, Point, _outer_level, _outer_slope, slope, trend

DAY = 86_400
Noise = Callable[[random.Random], float]
SERIES = st.lists(
    st.tuples(st.integers(-(10**9), 0), st.integers(0, 10**8)),
    min_size=FEWEST,
    max_size=30,
    unique_by=lambda each: each[0],
)


def points(told: list[tuple[int, int]]) -> list[Point]:
    return [Point(at, value) for at, value in told]


def covered(count: int, noise: Noise, *, times: int, gap: Callable[[random.Random], float]) -> float:
    """In which share of random series the true line runs between the two at the horizon, and at the last point."""
    hits = 0
    for seed in range(times):
        chance = random.Random(f"{count} {seed}")  # noqa: S311  noise, the same each time
        ages = [0.0]
        while len(ages) < count:
            ages.append(ages[-1] + gap(chance))
        level, growth = chance.uniform(10_000, 2_000_000), chance.uniform(-0.2, 0.5)
        seen = [
            Point(-int(age * DAY), round(level * (1 - growth * age / ages[-1]) + noise(chance) * level / 20))
            for age in ages
        ]
        found, ahead = trend(seen), int(ages[-1] * DAY)
        hits += all(
            found.lower.value(at) <= level * (1 + growth * at / ahead) <= found.upper.value(at) + 1 for at in (0, ahead)
        )
    return hits / times


def slow_now_and_then(chance: random.Random) -> float:
    """One drill in ten is many times slower: a cold cache, a busy disk."""
    return chance.expovariate(0.1) if chance.random() < 0.1 else chance.gauss(0, 1)


@pytest.mark.parametrize(
    "noise",
    [lambda c: c.gauss(0, 1), lambda c: c.expovariate(1) - 0.6931, slow_now_and_then],
    ids=["even", "skewed", "outliers"],
)
@pytest.mark.parametrize(("count", "times"), [(6, 300), (12, 300), (30, 120)])
def test_the_true_line_lies_between_as_often_as_promised(count: int, times: int, noise: Noise) -> None:
    """Drills come by the month, now and then sooner or later; the seeds are fixed, so chance fails no suite."""
    assert covered(count, noise, times=times, gap=lambda chance: chance.uniform(5, 60)) >= LEVEL / 100


@pytest.mark.parametrize("count", range(FEWEST, 8))
def test_what_is_left_out_at_the_ends_is_counted_and_not_approximated(count: int) -> None:
    """All orders of so few values, one by one."""
    inversions = [
        sum(a > b for place, a in enumerate(order) for b in order[place + 1 :]) for order in permutations(range(count))
    ]
    at = _outer_slope(count)
    assert (
        2 * sum(each <= at for each in inversions) * 20
        <= len(inversions)
        < 2 * sum(each <= at + 1 for each in inversions) * 20
    )
    assert [_outer_level(each) for each in (6, 8, 9, 12, 50)] == [0, 0, 1, 2, 17]


@pytest.mark.parametrize("count", [6, 9, 20, 50])
def test_as_many_slopes_and_points_lie_outside_as_the_tails_allow(count: int) -> None:
    """No more and no less: the level's share of the range is easily forgotten, since the slope's is so wide."""
    chance = random.Random(count)  # noqa: S311  noise, the same each time
    seen = [Point(-DAY * 7 * age, 1_000_000 + chance.randrange(10**8)) for age in range(count)]
    found = trend(seen)
    steep = [(a.value - b.value) * _FINE / (a.at - b.at) for place, a in enumerate(seen) for b in seen[place + 1 :]]
    assert sum(each > found.upper.slope + 1 for each in steep) == _outer_slope(count)
    assert sum(each < found.lower.slope for each in steep) == _outer_slope(count)
    assert sum(each.value > found.upper.value(each.at) for each in seen) == _outer_level(count)
    assert sum(each.value < found.lower.value(each.at) for each in seen) == _outer_level(count)


def test_one_slow_drill_moves_nothing_but_a_rank() -> None:
    calm = [Point(-DAY * 30 * age, 1_000_000 - 10_000 * age) for age in range(12)]
    slow = [Point(each.at, each.value * 40 if each.at == -DAY * 90 else each.value) for each in calm]
    assert abs(trend(slow).middle.value(DAY * 300) - trend(calm).middle.value(DAY * 300)) < 10_000


@given(SERIES, st.integers(1, 1000), st.integers(-(10**9), 10**9))
def test_other_units_and_another_zero_draw_the_same_line(told: list[tuple[int, int]], scale: int, more: int) -> None:
    here, there = trend(points(told)), trend([Point(at, value * scale + more) for at, value in told])
    for mine, other in ((here.lower, there.lower), (here.middle, there.middle), (here.upper, there.upper)):
        assert abs(other.value(10**6) - (mine.value(10**6) * scale + more)) <= scale


@given(SERIES, st.integers(0, 10**9))
def test_the_line_runs_between_the_other_two_at_every_later_time(told: list[tuple[int, int]], at: int) -> None:
    found = trend(points(told))
    assert found.lower.value(at) <= found.middle.value(at) <= found.upper.value(at)


@given(SERIES, st.integers(-(10**8), 10**8))
def test_a_line_reaches_a_value_at_the_first_whole_time_from_now(told: list[tuple[int, int]], value: int) -> None:
    line = trend(points(told)).middle
    at = line.reaches(value)
    wanted = value * _FINE
    if at is None:
        assert line.slope <= 0
        assert line.level < wanted
    else:
        assert line.level + line.slope * at >= wanted
        assert at == 0 or line.level + line.slope * (at - 1) < wanted


@given(SERIES, st.randoms(use_true_random=False))
def test_the_order_in_which_points_are_told_does_not_matter(told: list[tuple[int, int]], chance: random.Random) -> None:
    mixed = list(told)
    chance.shuffle(mixed)
    assert trend(points(mixed)) == trend(points(told))


def test_too_few_points_have_no_trend_and_equal_times_no_slope() -> None:
    with pytest.raises(ValueError, match="5 points say nothing"):
        trend([Point(-age, age) for age in range(5)])
    assert slope([Point(0, 3), Point(0, 9)], units=10) == 0
