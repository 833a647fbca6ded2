"""Pictures of numbers as inline SVG: shapes carry the meaning, colours come from the page's style sheet, words stand beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from attestore import instants
from attestore.report.blocks import Gauge, Prospect, Span
from attestore.report.pictures import band, ruled

__all__ = ["Curve", "Point", "bar", "curve", "gauge", "prospect", "scale"]

_WIDE: Final = 1000
_HIGH: Final = 200
_EDGE: Final = 10
"""room for the marks at both ends"""
_THINNEST: Final = 4
_STEPS: Final = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Point:
    """One measured value of a run."""

    at: str
    """UTC instant"""
    value: int
    word: str
    """PASS, FAIL, UNKNOWN, or what else is known of the run"""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values over time, as a picture and the numbers that label it."""

    svg: Markup
    top: int
    """value of the upper edge"""
    target_at: int | None
    """height of the target's line, in thousandths from below; None where there is none or it lies above the picture"""


def scale(largest: int, *, unit: int = 1) -> int:
    """The next round value above, the picture's upper edge; in a unit whose thousands are 1,024 where that is the `unit`."""
    if largest <= 0:
        return 1
    factor = 1
    while unit > 1 and factor * unit <= largest:
        factor *= unit
    power = factor
    while power * 10 < largest:
        power *= 10
    return next(step * power for step in _STEPS if step * power >= largest)


def curve(points: Sequence[Point], *, target: int | None, unit: int = 1) -> Curve:
    """A line through the values, from 0, a mark at each; the target as a line across where it fits in."""
    largest = max(point.value for point in points)
    # a target far above flattens what it is compared with
    drawn = target if target is not None and target <= largest * 4 else None
    top = scale(max(largest, drawn or 0), unit=unit)
    spots = [
        (x, _HIGH - _EDGE - point.value * (_HIGH - 2 * _EDGE) // top)
        for x, point in zip(_places(points), points, strict=True)
    ]
    parts = ["".join(f'<path class="grid" d="M0 {y}H{_WIDE}"/>' for y in (_EDGE, _HIGH // 2, _HIGH - _EDGE))]
    if drawn is not None:
        y = _HIGH - _EDGE - drawn * (_HIGH - 2 * _EDGE) // top
        parts.append(f'<path class="target" d="M0 {y}H{_WIDE}"/>')
    parts.append(f'<path class="line" d="M{"L".join(f"{x} {y}" for x, y in spots)}"/>')
    # a line of no length is a round or square dot, whatever the picture is stretched to
    for (x, y), point in zip(spots, points, strict=True):
        kind = {"PASS": "good", "FAIL": "bad"}.get(point.word, "doubt")
        parts.append(f'<path class="dot {kind}" d="M{x} {y}h0.01"/>')
    svg = (
        f'<svg class="curve" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )
    at = None if drawn is None else drawn * 1000 // top
    return Curve(Markup(svg), top, at)  # noqa: S704 - numbers and words of ours


def bar(span: Span) -> Markup:
    """A stretch of a line on its hairline."""
    length = max(span.length, _THINNEST)
    start = min(span.start, _WIDE - length)
    return Markup(  # noqa: S704 - numbers only
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<path class="track" d="M0 5H1000"/><rect x="{start}" y="0" width="{length}" height="10"/></svg>'
    )


def gauge(drawn: Gauge) -> Markup:
    """The measured bar, the target as a line across it, the room between."""
    filled, target = max(drawn.filled, _THINNEST), min(drawn.target_at, 997)
    return Markup(  # noqa: S704 - numbers and an enum only
        '<svg class="gauge" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="room" x="0" y="10" width="{target}" height="20"/>'
        f'<rect class="fill {drawn.tone.value}" x="0" y="10" width="{filled}" height="20"/>'
        f'<rect class="limit" x="{target}" y="0" width="3" height="40"/></svg>'
    )


def prospect(drawn: Prospect) -> Markup:
    """Days as dots, their line, the range ahead, the target across."""
    left, middle, right = drawn.line
    shape = "L".join(f"{x} {_down(y)}" for x, y in band(drawn))
    line, ahead = (
        "L".join(f"{x} {_down(y)}" for x, y in ruled(start, end))
        for start, end in (((0, left), (_WIDE // 2, middle)), ((_WIDE // 2, middle), (_WIDE, right)))
    )
    target = _down(drawn.target_at)
    parts = [
        f'<path class="band" d="M{shape}Z"/>' if shape else "",
        f'<path class="grid" d="M0 {_HIGH}H{_WIDE}M{_WIDE // 2} 0V{_HIGH}"/>',
        f'<path class="target" d="M0 {target}H{_WIDE}"/>',
        f'<path class="line" d="M{line}"/>' if line else "",
        f'<path class="line ahead" d="M{ahead}"/>' if ahead else "",
        *(f'<path class="dot" d="M{x} {_down(y)}h0.01"/>' for x, y in drawn.points),
    ]
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="curve prospect" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


def _down(height: int) -> int:
    return _HIGH - height * _HIGH // _WIDE


def _places(points: Sequence[Point]) -> list[int]:
    """Where each point lies, by its time; in equal steps where the times do not go on."""
    times = [_seconds(point.at) for point in points]
    first, last = times[0], times[-1]
    room = _WIDE - 2 * _EDGE
    if len(points) == 1:
        return [_WIDE // 2]
    if times != sorted(times) or first == last:
        return [_EDGE + number * room // (len(points) - 1) for number in range(len(points))]
    return [_EDGE + (time - first) * room // (last - first) for time in times]


def _seconds(at: str) -> int:
    try:
        return int(instants.parse(at).timestamp())
    except (ValueError, OverflowError):
        return 0
