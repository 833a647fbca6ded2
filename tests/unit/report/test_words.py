"""Data becomes text that reads as itself, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from attestore.report.blocks import Prose
from attestore.report.words import code, escape, plain, prose, visible, visible_lines
from report_cases import HOSTILE

_READERS = (
    MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]),
    MarkdownIt("js-default"),
)
_PLACES = (
    "- {}",
    "- **Label:** {}",
    "| a | b |\n| - | - |\n| x | {} |",
    "## {}",
    "> {}",
    "Words of ours: {}",
    "a {} b",
)
_TRICKY = st.text(alphabet=st.sampled_from("\\`*_{}[]<>()#+-.!|~&:@/=$%^'\"?, 1aW\n\t\r\u202e\u00a0é🦊"), max_size=24)


def _reads_as(markdown: str, reader: MarkdownIt) -> str:
    """The text of the last inline token, and nothing but text in it."""
    inline = [token for token in reader.parse(markdown) if token.type == "inline"][-1]
    assert inline.children is not None
    kinds = {child.type for child in inline.children}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}, (kinds, markdown)
    return "".join(child.content for child in inline.children)


@given(st.one_of(_TRICKY, st.text(max_size=40), st.sampled_from(HOSTILE)).filter(bool))
@example("1.")
@example("1. a")
@example("www.x")
@example("a_b_")
@example("http://x")
@example("&amp;")
@example("<b>")
def test_escaped_data_reads_as_itself_in_every_place(text: str) -> None:
    for reader in _READERS:
        for place in _PLACES:
            shown = _reads_as(place.format(escape(text)), reader)
            assert visible(text) in shown
            assert len(shown) <= len(place) + len(visible(text))


@given(st.text())
def test_visible_text_is_one_line_and_hides_nothing(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable() or all(not char.isspace() or char == " " for char in shown)
    assert "\n" not in shown
    assert "\r" not in shown
    assert "\u202e" not in shown
    assert shown == shown.strip(" ")
    assert "  " not in shown


@given(st.text(), st.text())
def test_two_texts_that_differ_are_shown_differently(a: str, b: str) -> None:
    # spelling is ambiguous only for texts that contain the spelling itself
    if a != b and "‹U+" not in a + b:
        assert visible(a) != visible(b)


def test_ordinary_names_stay_as_they_are() -> None:
    for name in (
        "public.image_variants",
        "S9-PROD-004",
        "7,305",
        "1.234 s",
        "2026-11-22 19:42:00 UTC",
        "pg_dump 15.18",
        "By key, of each table:",
    ):
        assert escape(name) == name


def test_values_in_a_sentence_are_escaped_and_prose_is_not() -> None:
    made = prose("Table **{name}** has {count} rows, {more}.", name="a|b", count=3, more=Prose("*much*"))
    assert made.markdown == "Table **a\\|b** has 3 rows, *much*."


@pytest.mark.parametrize("text", ["a`b", "a|b", "a\nb", " a", "a\\b", "", "ab\u202e"])
def test_text_that_could_leave_a_code_span_is_not_put_into_one(text: str) -> None:
    assert not code(text).markdown.startswith("`")


def test_markup_is_gone_from_plain_text() -> None:
    assert plain(prose("A **{b}** and `c`", b="x*y")) == "A x*y and c"


def test_listings_keep_their_lines_but_nothing_hidden() -> None:
    assert visible_lines("SELECT\n\t1\r\n\x1b[31m") == "SELECT\n    1‹U+000D›\n‹U+001B›[31m"
