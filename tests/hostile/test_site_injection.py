"""No name changes the shape of a page: the same archive with harmless and with hostile names, taken apart and counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import report_cases as cases
import sites
from attestore.evidence import Person
from attestore.evidence.decision import Decision, Meaning, Waiver
from attestore.evidence.ledger import RunStarted
from attestore.report.site import (
    Chain,
    Decided,
    Line,
    Outcome,
    Overview,
    Place,
    Row,
    Source,
    Trust,
    gate_page,
    gate_pages,
    index_page,
    list_pages,
    load_dress,
    run_document,
    run_page,
)
from attestore.resources import templates_folder
from attestore.standing import Held, Quorum, Standing
from bundles import GATE
from report_cases import HOSTILE
from sites import read

HARMLESS = "harmless"


def shapes(folder: Path) -> Counter[tuple[str, ...]]:
    """The tags of every page, in their order; names of pages follow names of systems, so they are not compared."""
    pages = [folder / "index.html", *(folder / "_site").rglob("*.html")]
    return Counter(tuple(read(page).tags) for page in pages)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[str, ...]]:
    return _shapes(tmp_path_factory.mktemp("harmless"), HARMLESS)


def _shapes(folder: Path, word: str) -> Counter[tuple[str, ...]]:
    title = b"Backup restoration tested" if word == HARMLESS else sites.TITLE
    sites.archive(folder / "reports", system=word, gate=GATE.replace(b"Backup restoration tested", title))
    sites.build(folder / "reports")
    return shapes(folder / "reports")


def test_names_that_are_markup_change_no_page(harmless: Counter[tuple[str, ...]], tmp_path: Path) -> None:
    assert _shapes(tmp_path, sites.HOSTILE) == harmless


@pytest.mark.parametrize("name", [*HOSTILE, "../../etc", "a/b", "", ".", "..", "x" * 300, "%2e%2e", "#top", "?q"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    for path in (run_page(name), gate_page(name, name)):
        first, second, file = path.split("/")
        assert (first, second in {"runs", "gates"}) == ("_site", True)
        assert file.removesuffix(".html").replace("-", "").replace("_", "").isalnum()
        assert file.isascii()
        assert len(file) < 150


def test_two_names_that_look_alike_have_pages_of_their_own() -> None:
    names = ("shop", "Shop", "shop ", "sh\u200bop", "shop-", "s|h|o|p")
    assert len({gate_page(name, "S9") for name in names}) == len(names)
    assert gate_page("a-b", "c") != gate_page("a", "b-c")


def test_ways_are_escaped() -> None:
    place = Place("_site/runs/x.html")
    assert place.file("a b&c", 'r"un', "x.pdf") == "../../a%20b%26c/r%22un/x.pdf"
    assert place.to("index.html") == "../../index.html"
    assert Place("index.html").file(".", "javascript:alert(1)") == "./javascript%3Aalert%281%29"


# ── pages as pure functions of any names

DRESS = load_dress(templates_folder())
FRIENDS = tuple(f"name{number}" for number in range(len(HOSTILE)))
_ALPHABET = st.one_of(st.characters(codec="utf-8"), st.sampled_from("|`*_<>&\"'#[]()!\\\n\r\t{}%\u202e"))
_NAMES = st.lists(
    st.one_of(st.text(_ALPHABET, min_size=1, max_size=30), st.sampled_from(HOSTILE)),
    min_size=len(FRIENDS), max_size=len(FRIENDS), unique=True,
)  # fmt: skip


def overview(names: tuple[str, ...]) -> Overview:
    """Whatever others may choose is one of the names: systems, gates, people, reasons, terms, folders."""
    at = "2026-11-23T08:00:00.000Z"
    nobody = Quorum(people=(), roles=(), more=0)
    rows = tuple(
        Row(
            system=name, gate="S9", title=other, problems=(name, other), running=(other,),
            held=Held(Standing.FAIL, run=other, outcome="FAIL", finished=at, until="", reason=name, quorum=nobody),
        )
        for name, other in zip(names, reversed(names), strict=True)
    )  # fmt: skip
    lines = tuple(
        Line(run=name, system=other, started=at, ended=at, operator=name, outcomes=(Outcome("S9", "FAIL"),), trust=trust, why=other)
        for trust in (Trust.HOLDS, Trust.BROKEN)
        for name, other in zip(names, reversed(names), strict=True)
    )  # fmt: skip
    decisions = tuple(
        Decided(
            Decision(
                run=name, statement=name, gate="S9", gate_digest=name, verdict=other, meaning=Meaning.WAIVED, comment=name, at=at,
                person=Person(name, other, (name, other), name), waiver=Waiver(reason=name, control=other, until=at),
            ),
            at,
        )
        for name, other in zip(names, reversed(names), strict=True)
    )  # fmt: skip
    entries = tuple(
        (number, RunStarted(at=at, run=name, system=name, operator=name, gates=((name, name),)))
        for number, name in enumerate(names)
    )
    chain = Chain(
        count=1, head=names[0], checkpoint=None, broken=names, notes=names, newest=entries, unnamed=names, gone=tuple((n, n) for n in names)
    )  # fmt: skip
    return Overview(at, rows, lines, decisions, chain, Source("."), names[0], names[1])


def whole(names: tuple[str, ...]) -> list[Counter[str]]:
    """The tags of every kind of page."""
    seen = overview(names)
    pages = [
        index_page(seen, DRESS),
        *list_pages(seen, DRESS),
        *gate_pages(seen.rows[0], seen, DRESS, lines=seen.lines),
    ]
    case = cases.hostile(names)
    judged = replace(seen.lines[0], outcomes=tuple(Outcome(gate.id, "FAIL") for gate in case.gates))
    source = Source(names[0], ("S9-PROD-004.md", "S9-PROD-004.pdf", "summary.pdf", "statement.json"))
    pages.append(
        run_document(judged, case, DRESS, decisions=seen.decisions, source=source, around=(names[0], names[1]))
    )
    return [_tags(page.data) for page in pages]


def _tags(data: bytes) -> Counter[str]:
    reader = sites.Reader()
    reader.feed(data.decode())
    # code spans of reports may give way to escaped text
    return Counter(tag for tag in reader.tags if tag != "code")


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_NAMES)
def test_no_name_whatsoever_changes_the_shape_of_any_page(names: list[str]) -> None:
    assert whole(tuple(names)) == whole(FRIENDS)
