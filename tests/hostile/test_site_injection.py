"""No name changes the shape of a page: the same archive with harmless and with hostile names, taken apart and counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import sites
from attestore.report.site import Place, gate_page, run_page
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
