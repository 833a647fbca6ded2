"""Names chosen by an enemy in every export: parsed back, each is one value in its place, and nothing else moved."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from markdown_it import MarkdownIt

import report_cases as cases
from attestore.report.exports import What, junit, oscal, table
from attestore.report.exports.tables import cell
from attestore.report.words import visible
from records import record_of

HARMLESS = tuple(f"name{number}" for number in range(len(cases.HOSTILE)))
FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "'=1",
    "＝1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("x")',
)
XML = ("]]>", "</testcase>", "<!--", "&#0;", "\x00", "\ufffe", "\U0001ffff", '" name="x', "<![CDATA[")
CORPUS = (*cases.HOSTILE, *FORMULAS, *XML)
_NAMES = st.lists(
    st.one_of(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), st.sampled_from(CORPUS)),
    min_size=len(HARMLESS), max_size=len(HARMLESS), unique=True,
)  # fmt: skip


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def skeleton(value: Any) -> Any:
    """A JSON document without its words."""
    match value:
        case dict():
            return {name: skeleton(each) for name, each in value.items()}
        case list():
            return [skeleton(each) for each in value]
        case _:
            return type(value).__name__


def elements(data: bytes) -> Counter[tuple[str, ...]]:
    return Counter((each.tag, *sorted(each.attrib)) for each in etree.fromstring(data).iter())


def corpus() -> list[tuple[str, ...]]:
    """The corpus in packs as large as the case wants them."""
    size = len(HARMLESS)
    filled = CORPUS + tuple(f"{name}!" for name in CORPUS)
    return [filled[at : at + size] for at in range(0, len(CORPUS), size)]


@pytest.mark.parametrize("names", corpus())
def test_csv_rows_and_cells_are_those_of_harmless_names(names: tuple[str, ...]) -> None:
    enemy, friend = record_of(cases.hostile(names), words=names), record_of(cases.hostile(HARMLESS), words=HARMLESS)
    for what in What:
        ours, theirs = rows(table(enemy, what)), rows(table(friend, what))
        assert len(ours) == len(theirs)
        assert {len(row) for row in ours} == {len(theirs[0])}


@pytest.mark.parametrize("names", corpus())
def test_no_cell_begins_a_formula_and_every_name_can_be_had_back(names: tuple[str, ...]) -> None:
    _, *lines = rows(table(record_of(cases.hostile(names)), What.OBSERVATIONS))
    cells = [cell for line in lines for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝", "\t", "\r", "\n"))]
    told = {(line[5].removeprefix("'"), line[6].removeprefix("'")) for line in lines if line[4] == "tool.version"}
    assert {(visible(name), visible(name)) for name in names} <= told


def test_a_name_that_begins_with_an_apostrophe_is_told_from_a_defused_one() -> None:
    assert len({cell(name) for name in ("=1", "'=1", "''=1")}) == 3
    assert cell(-1) == -1


@pytest.mark.parametrize("names", corpus())
def test_junit_keeps_its_elements_and_counts(names: tuple[str, ...]) -> None:
    enemy, friend = (
        junit(record_of(cases.hostile(names), words=names)),
        junit(record_of(cases.hostile(HARMLESS), words=HARMLESS)),
    )
    assert elements(enemy) == elements(friend)
    assert {n: etree.fromstring(enemy).get(n) for n in ("tests", "failures", "errors")} == {
        n: etree.fromstring(friend).get(n) for n in ("tests", "failures", "errors")
    }


@pytest.mark.parametrize("names", corpus())
def test_oscal_keeps_its_skeleton(names: tuple[str, ...]) -> None:
    enemy, friend = (json.loads(oscal(record_of(cases.hostile(each), words=each))) for each in (names, HARMLESS))
    assert skeleton(enemy) == skeleton(friend)


def test_markdown_in_oscal_is_text() -> None:
    """Titles and descriptions are Markdown by OSCAL's model."""
    # the last name becomes the statement of the gate
    names = (*cases.HOSTILE, "[l](javascript:alert(1)) **PASS** <b>")
    (result,) = json.loads(oscal(record_of(cases.hostile(names))))["assessment-results"]["results"]
    for field in (result["title"], result["description"], *(each["title"] for each in result["observations"])):
        (_, inline, _) = MarkdownIt("commonmark", {"html": True}).parse(field)
        assert {child.type for child in inline.children or ()} <= {"text", "text_special"}


@settings(max_examples=15)
@given(_NAMES)
def test_no_name_whatsoever_moves_anything(names: list[str]) -> None:
    enemy, friend = record_of(cases.hostile(tuple(names))), record_of(cases.hostile(HARMLESS))
    assert elements(junit(enemy)) == elements(junit(friend))
    assert skeleton(json.loads(oscal(enemy))) == skeleton(json.loads(oscal(friend)))
    for what in What:
        assert [len(row) for row in rows(table(enemy, what))] == [len(row) for row in rows(table(friend, what))]
