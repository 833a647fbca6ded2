"""No value changes the shape of a document: names chosen by an enemy, counted after parsing what we wrote."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typing_extensions import override

import report_cases as cases
from attestore import report
from attestore.evidence import Branding
from attestore.report.words import visible
from attestore.resources import templates_folder

TEMPLATES = report.load_templates(templates_folder())
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HARMLESS = tuple(f"name{number}" for number in range(len(cases.HOSTILE)))
_ALPHABET = st.one_of(st.characters(codec="utf-8"), st.sampled_from("|`*_<>#[]()!\\\n\r\t-+=~&:\u202e{}%"))
_TAKEN = {seen.subject for seen in cases.hostile(HARMLESS).observations}
"""what has a row of its own already: a second one of that name would be the same thing, and no enemy's"""
_NAMES = st.lists(
    st.one_of(st.text(_ALPHABET, min_size=1, max_size=30), st.sampled_from(cases.HOSTILE)).filter(
        lambda name: name not in _TAKEN
    ),
    min_size=len(HARMLESS), max_size=len(HARMLESS), unique=True,
)  # fmt: skip


def shape(markdown: bytes) -> Counter[str]:
    """How many of each structural element, table cells per row included."""
    seen: Counter[str] = Counter()
    cells = 0
    for token in READER.parse(markdown.decode()):
        if token.type in {"td_open", "th_open"}:
            cells += 1
        if token.type == "tr_close":
            seen[f"row of {cells}"] += 1
            cells = 0
        if token.type != "inline":
            seen[f"{token.type} {token.tag}"] += 1
        for child in token.children or ():
            # code spans may give way to escaped text; nothing else may appear or vanish
            if child.type not in {"text", "text_special", "code_inline"}:
                seen[child.type] += 1
    return seen


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag != "code":
            self.tags[tag] += 1


def tags(html: str) -> Counter[str]:
    reader = _Tags()
    reader.feed(html)
    return reader.tags


GERMAN = report.load_templates(templates_folder(), language="de")


def dressed(names: tuple[str, ...]) -> report.Case:
    """An enemy's house, accent and logo beside an enemy's names, in German."""
    case = cases.hostile(names)
    looks = Branding(organisation=names[0], accent=names[1], logo=names[2])
    return replace(case, context=replace(case.context, language="de", paper="Letter", branding=looks))


def documents(case: report.Case) -> list[report.Document]:
    return [report.gate_document(case, cases.shape_gate(case)), report.summary_document(case)]


def test_hostile_names_leave_the_shape_of_markdown_and_html_as_it_is() -> None:
    for enemy, friend in zip(documents(cases.hostile()), documents(cases.hostile(HARMLESS)), strict=True):
        assert shape(report.markdown(enemy, TEMPLATES)) == shape(report.markdown(friend, TEMPLATES))
        assert tags(report.html(enemy, TEMPLATES)) == tags(report.html(friend, TEMPLATES))
    enemy_page, friend_page = (
        report.verify_page(cases.hostile(names), TEMPLATES) for names in (cases.HOSTILE, HARMLESS)
    )
    assert shape(enemy_page) == shape(friend_page)


def test_and_in_another_language_with_a_house_of_the_enemy_s_as_well() -> None:
    renderer = report.renderer(report.RENDERER)
    for name in (cases.shape_gate(cases.hostile()), "summary"):
        enemy, friend = dressed(cases.HOSTILE), dressed(HARMLESS)
        assert shape(renderer.markdown(enemy, name, GERMAN)) == shape(renderer.markdown(friend, name, GERMAN))
        page = renderer.sheet(enemy, name, GERMAN)
        assert tags(page.html) == tags(renderer.sheet(friend, name, GERMAN).html)
        assert page.images == ()
        assert "--accent: " not in page.html.partition("</head>")[0].partition("<style>")[0]
        for forbidden in ("<script", "<img", 'javascript:alert(1)"', '<a href="h'):
            assert forbidden not in page.html


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_NAMES)
def test_no_name_whatsoever_changes_the_shape(names: list[str]) -> None:
    friend = documents(cases.hostile(HARMLESS))[0]
    enemy = documents(cases.hostile(tuple(names)))[0]
    assert shape(report.markdown(enemy, TEMPLATES)) == shape(report.markdown(friend, TEMPLATES))
    assert tags(report.html(enemy, TEMPLATES)) == tags(report.html(friend, TEMPLATES))


def test_a_forged_pass_stays_a_name() -> None:
    told = report.markdown(documents(cases.hostile())[0], TEMPLATES).decode()
    assert "| public.users \\| PASS |" in told
    judged = [line for line in told.splitlines() if line.startswith("| public.users ")]
    assert len(judged) == 3
    ours = (
        "| another number of rows: at least 1 row extra | 1 row | 2 rows |",
        "| **AT LEAST** | the whole row |",
        "| **DIFFERS** |",
    )
    assert all(line.endswith(end) for line, end in zip(judged, ours, strict=True))


def test_every_hostile_name_can_be_read_on_the_page() -> None:
    parsed = READER.parse(report.markdown(documents(cases.hostile())[0], TEMPLATES).decode())
    words = {"".join(child.content for child in token.children or ()) for token in parsed if token.type == "inline"}
    for name in cases.HOSTILE:
        assert visible(name) in words


def test_no_script_link_or_image_can_be_made() -> None:
    for document in documents(cases.hostile()):
        page = report.html(document, TEMPLATES)
        for forbidden in ("<script", "<img", 'javascript:alert(1)"', '<a href="h'):
            assert forbidden not in page
