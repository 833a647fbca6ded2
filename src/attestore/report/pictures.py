"""Pictures of numbers: inline SVG for HTML, block characters for Markdown; words always stand beside them."""

from __future__ import annotations

from typing import Final

from attestore.report.blocks import Gauge, Prospect, Span, Tone, Trend

__all__ = [
    "band",
    "gauge_svg",
    "gauge_text",
    "prospect_svg",
    "ruled",
    "span_svg",
    "span_text",
    "trend_svg",
    "trend_text",
]

_WHOLE = 1000
_THINNEST = 4
"""thousandths of the length below which a bar would not be seen"""
_CHARACTERS = 30
_GAUGE_CHARACTERS = 48
_HEIGHT = 200
_FEWEST = 12
"""bars that the width of a trend holds at least: two runs are no wall"""
_STEPS: Final = "▁▂▃▄▅▆▇█"
# Attributes, not classes: printers draw inline SVG without the page's style sheet.
_INK: Final = "#16191d"
_TRACK: Final = "#c9ced6"
_BAR: Final = "#33475b"
_TONES: Final = {Tone.GOOD: "#1b6b42", Tone.BAD: "#a51d24", Tone.DOUBT: "#8a5a00", Tone.QUIET: _BAR}


def span_svg(span: Span) -> str:
    """One bar on its hairline."""
    length = max(span.length, _THINNEST)
    start = min(span.start, _WHOLE - length)
    return (
        '<svg class="span" viewBox="0 0 1000 60" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect x="0" y="28" width="1000" height="4" fill="{_TRACK}"/>'
        f'<rect x="{start}" y="8" width="{length}" height="44" fill="{_BAR}"/></svg>'
    )


def span_text(span: Span) -> str:
    """One bar of 30 characters."""
    first = min(span.start * _CHARACTERS // _WHOLE, _CHARACTERS - 1)
    last = max(-(-(span.start + span.length) * _CHARACTERS // _WHOLE), first + 1)
    last = min(last, _CHARACTERS)
    return "·" * first + "█" * (last - first) + "·" * (_CHARACTERS - last)


def gauge_svg(gauge: Gauge) -> str:
    """The measured bar, the target as a line across it, the room between in grey."""
    filled = max(gauge.filled, _THINNEST)
    target = min(gauge.target_at, 997)
    return (
        '<svg class="gauge" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect x="0" y="8" width="{target}" height="24" fill="#eceef1"/>'
        f'<rect x="0" y="8" width="{filled}" height="24" fill="{_TONES[gauge.tone]}"/>'
        f'<rect x="{target}" y="0" width="3" height="40" fill="{_INK}"/></svg>'
    )


def gauge_text(gauge: Gauge) -> str:
    """The same as one line of characters: filled, room, and the target as a stroke."""
    filled = max(1, gauge.filled * _GAUGE_CHARACTERS // _WHOLE)
    target = min(gauge.target_at * _GAUGE_CHARACTERS // _WHOLE, _GAUGE_CHARACTERS)
    line = ["█" if i < filled else "·" if i < target else " " for i in range(_GAUGE_CHARACTERS)]
    line.insert(target, "┃")
    return "".join(line).rstrip()


def trend_svg(trend: Trend) -> str:
    """A bar for each run; one that did not pass is hollow, one that was not measured a cross on the ground line."""
    highest = max((value for value in (*trend.values, trend.bound) if value is not None), default=0) or 1
    step = _WHOLE // max(len(trend.values), _FEWEST)
    parts = [f'<rect x="0" y="{_HEIGHT}" width="1000" height="2" fill="{_INK}"/>']
    for place, (value, tone) in enumerate(zip(trend.values, trend.tones, strict=True)):
        left, wide = place * step + step // 8, step * 3 // 4
        if value is None:
            middle = left + wide // 2
            parts.append(
                f'<path d="M{middle - 8} {_HEIGHT - 20}l16 16m0 -16l-16 16" stroke="{_INK}" stroke-width="3" fill="none"/>'
            )
            continue
        tall = max(value * _HEIGHT // highest, _THINNEST)
        look = (
            f'fill="{_BAR}"'
            if tone is Tone.GOOD
            else f'fill="#ffffff" stroke="{_TONES[tone]}" stroke-width="4" stroke-dasharray="8 5"'
        )
        parts.append(f'<rect x="{left}" y="{_HEIGHT - tall}" width="{wide}" height="{tall}" {look}/>')
    if trend.bound is not None:
        at = _HEIGHT - trend.bound * _HEIGHT // highest
        parts.append(f'<rect x="0" y="{at}" width="1000" height="2" fill="{_TONES[Tone.BAD]}"/>')
    return (
        f'<svg class="trend" viewBox="0 -4 1000 {_HEIGHT + 8}" preserveAspectRatio="none" aria-hidden="true" '
        f'focusable="false">{"".join(parts)}</svg>'
    )


def trend_text(trend: Trend) -> str:
    """The same as one character for each run."""
    highest = max((value for value in trend.values if value is not None), default=0) or 1
    return "".join("✕" if value is None else _STEPS[value * (len(_STEPS) - 1) // highest] for value in trend.values)


def prospect_svg(prospect: Prospect) -> str:
    """Dots, the line through them, the range ahead in grey, the target across; the target's crossing is for the eye to find."""
    shape = " ".join(f"{x},{_down(y)}" for x, y in band(prospect))
    left, middle, right = prospect.line
    line = "L".join(f"{x} {_down(y)}" for x, y in ruled((0, left), (500, middle)))
    ahead = "L".join(f"{x} {_down(y)}" for x, y in ruled((500, middle), (_WHOLE, right)))
    target = _down(prospect.target_at)
    parts = [
        f'<polygon points="{shape}" fill="#dfe3e8"/>' if shape else "",
        f'<rect x="0" y="{_HEIGHT}" width="1000" height="1.5" fill="{_INK}"/>',
        f'<path d="M500 0V{_HEIGHT}" stroke="{_TRACK}" stroke-width="2" fill="none"/>',
        f'<path d="M{line}" stroke="{_BAR}" stroke-width="3" fill="none"/>' if line else "",
        f'<path d="M{ahead}" stroke="{_BAR}" stroke-width="3" stroke-dasharray="12 7" fill="none"/>' if ahead else "",
        f'<rect x="0" y="{target - 1}" width="1000" height="2.5" fill="{_TONES[Tone.BAD]}"/>',
        *(f'<circle cx="{x}" cy="{_down(y)}" r="5" fill="{_BAR}"/>' for x, y in prospect.points),
    ]
    return f'<svg class="prospect" viewBox="-6 -4 1012 {_HEIGHT + 10}" aria-hidden="true" focusable="false">{"".join(parts)}</svg>'


def band(prospect: Prospect) -> list[tuple[int, int]]:
    """The corners of the range ahead, as far as it lies within the picture; in thousandths from below."""
    upper = ruled((500, prospect.upper[0]), (_WHOLE, prospect.upper[1]), fill=True)
    lower = ruled((500, prospect.low[0]), (_WHOLE, prospect.low[1]), fill=True)
    return [*upper, *reversed(lower)]


def ruled(start: tuple[int, int], end: tuple[int, int], *, fill: bool = False) -> list[tuple[int, int]]:
    """A straight line within the picture: where it leaves it, it ends, or follows the edge if it is one of a filled shape's."""
    (x0, y0), (x1, y1) = start, end
    cuts = sorted(
        {
            x0,
            x1,
            *(x for edge in (0, _WHOLE) if y0 != y1 and x0 < (x := x0 + (edge - y0) * (x1 - x0) // (y1 - y0)) < x1),
        }
    )
    spots = [(x, y0 + (y1 - y0) * (x - x0) // (x1 - x0)) for x in cuts]
    if fill:
        return [(x, min(max(y, 0), _WHOLE)) for x, y in spots]
    return [(x, y) for x, y in spots if -_THINNEST <= y <= _WHOLE + _THINNEST]


def _down(height: int) -> int:
    """From thousandths of the picture above its ground to the coordinate of its drawing."""
    return _HEIGHT - height * _HEIGHT // _WHOLE
