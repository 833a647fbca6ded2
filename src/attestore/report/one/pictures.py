"""Pictures of numbers: inline SVG for HTML, block characters for Markdown; words always stand beside them."""

from __future__ import annotations

from typing import Final

from attestore.report.one.blocks import Gauge, Span, Tone

__all__ = ["gauge_svg", "gauge_text", "span_svg", "span_text"]

_WHOLE = 1000
_THINNEST = 4
"""thousandths of the length below which a bar would not be seen"""
_CHARACTERS = 30
_GAUGE_CHARACTERS = 48
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
