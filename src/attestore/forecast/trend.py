"""A straight line through noisy figures, and how sure it is: no distribution is assumed, and every number is whole.

The slope is the median of the slopes of all pairs (Theil 1950, Sen 1968); its interval comes from the exact distribution of
Kendall's statistic, the level's from the sign test (Thompson 1936), and both hold together by Bonferroni's inequality.
A single run however slow moves a median by one rank. Integers only, so that two machines never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Final

__all__ = ["FEWEST", "LEVEL", "Line", "Point", "Trend", "slope", "trend"]

FEWEST: Final = 6
"""points below which the level has no interval of that confidence: of five, all lie on one side in one case of sixteen"""
LEVEL: Final = 90
"""percent of confidence that the upper and the lower line hold the true one between them, at every later time"""
_FINE: Final = 1 << 48
"""parts of a unit in which slopes are counted"""
_HALF: Final = 20
"""one in so many is what each of the two intervals may miss"""


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time, both in whole units."""

    at: int
    value: int


@dataclass(frozen=True, slots=True)
class Line:
    """Its value at time 0, and by how much it grows with each unit of time; both in parts of `_FINE`."""

    level: int
    slope: int

    def value(self, at: int) -> int:
        """Where it is at a time, to the nearest unit."""
        return _rounded(self.level + self.slope * at)

    def change(self, units: int) -> int:
        """By how much it changes in so many units of time."""
        return _rounded(self.slope * units)

    def reaches(self, value: int) -> int | None:
        """The first whole time from 0 on at which it is not below a value; None where it never is."""
        if self.level >= value * _FINE:
            return 0
        return -((self.level - value * _FINE) // self.slope) if self.slope > 0 else None


@dataclass(frozen=True, slots=True)
class Trend:
    """The line, and the two between which the true one runs from time 0 on."""

    middle: Line
    lower: Line
    upper: Line


def trend(points: Sequence[Point]) -> Trend:
    """The line through points of different times, none of them after time 0.

    Raises:
        ValueError: fewer than `FEWEST` points.
    """
    if len(points) < FEWEST:
        raise ValueError(f"{len(points)} points say nothing of a trend")
    slopes = _slopes(points)
    at, count = _outer_slope(len(points)), len(slopes)
    middle, low, high = _median(slopes), slopes[at], slopes[count - 1 - at]
    edge = _outer_level(len(points))
    return Trend(
        middle=Line(_median(_levels(points, middle)), middle),
        lower=Line(_levels(points, low)[edge], low),
        upper=Line(_levels(points, high)[len(points) - 1 - edge], high),
    )


def slope(points: Sequence[Point], *, units: int) -> int:
    """By how much the line through points changes in so many units of time; 0 where there is none."""
    slopes = _slopes(points)
    return _rounded(_median(slopes) * units) if slopes else 0


def _rounded(fine: int) -> int:
    return (fine + _FINE // 2) // _FINE


def _slopes(points: Sequence[Point]) -> list[int]:
    """Of all pairs of different times, least first."""
    return sorted(
        ((b.value - a.value) * _FINE) // (b.at - a.at)
        for number, a in enumerate(points)
        for b in points[number + 1 :]
        if a.at != b.at
    )


def _levels(points: Sequence[Point], steep: int) -> list[int]:
    """Where each point would start from at time 0 if values grew like that, least first."""
    return sorted(point.value * _FINE - steep * point.at for point in points)


def _median(ordered: Sequence[int]) -> int:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2


@lru_cache(maxsize=256)
def _outer_slope(count: int) -> int:
    """How many slopes may be left out at either end.

    Of `count` points around a line as many pairs are steeper than it as a random order has inversions: those are counted.
    """
    ways = [1]
    for length in range(2, count + 1):
        # one more element is inverted with 0 to length - 1 of those before it
        sums = [0]
        for way in ways:
            sums.append(sums[-1] + way)
        size = len(ways) + length - 1
        ways = [sums[min(k + 1, len(ways))] - sums[max(k + 1 - length, 0)] for k in range(size)]
    return _left_out(ways)


@lru_cache(maxsize=256)
def _outer_level(count: int) -> int:
    """How many levels may be left out at either end: each point is above the line or below it, like a coin."""
    return _left_out([comb(count, above) for above in range(count + 1)])


def _left_out(ways: Sequence[int]) -> int:
    """The most that can go at each end of a symmetric distribution while both tails together stay below one in `_HALF`."""
    whole, tail = sum(ways), 0
    for number, each in enumerate(ways):
        tail += each
        if 2 * tail * _HALF > whole:
            return max(number - 1, 0)
    return 0
