"""Pages stay small whatever the archive holds, and what one page can't hold is on another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from attestore import instants
from attestore.report.site import (
    Chain,
    Dress,
    Line,
    Outcome,
    Overview,
    Row,
    Source,
    Trust,
    gate_pages,
    index_page,
    list_pages,
    load_dress,
)
from attestore.report.site.pictures import Point, curve, scale
from attestore.resources import templates_folder
from attestore.standing import Held, Quorum, Standing
from sites import Reader

START = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = Quorum(people=(), roles=(), more=0)


@cache
def dress() -> Dress:
    return load_dress(templates_folder())


def line(number: int, *, system: str = "shop", word: str = "PASS", trust: Trust = Trust.HOLDS) -> Line:
    at = instants.text(START + timedelta(hours=9 * number))
    return Line(
        run=f"{instants.compact(instants.parse(at))}-{number:06x}",
        system=system,
        started=at,
        ended=at,
        operator="Mira",
        outcomes=tuple(Outcome(f"S9-PROD-{gate:03d}", word) for gate in (3, 4)),
        trust=trust,
        rto_ms=1000 + number,
        sealed_bytes=400_000,
    )


def row(system: str, gate: str, standing: Standing = Standing.FAIL, *, reason: str = "It failed. " * 30) -> Row:
    held = Held(
        standing, run="r", outcome="FAIL", finished=instants.text(START), until="", reason=reason, quorum=NOBODY
    )
    return Row(system=system, gate=gate, held=held)


def seen(rows: Sequence[Row], lines: Sequence[Line]) -> Overview:
    chain = Chain(count=0, head="", checkpoint=None, broken=(), notes=(), newest=())
    return Overview(
        at=instants.text(START + timedelta(days=400)),
        rows=tuple(rows),
        lines=tuple(lines),
        decisions=(),
        chain=chain,
        source=Source("."),
        attestore="0",
        roster="0" * 64,
    )


def read(data: bytes) -> Reader:
    reader = Reader()
    reader.feed(data.decode())
    return reader


@pytest.mark.parametrize(("systems", "gates"), [(10, 2), (1000, 2), (40, 40)])
def test_the_index_of_a_thousand_runs_is_below_300_kilobytes(systems: int, gates: int) -> None:
    lines = [line(number, system=f"system-{number % systems:04d}-of-a-long-name") for number in range(1000)]
    rows = [row(f"system-{s:04d}-of-a-long-name", f"S9-PROD-{g:03d}") for s in range(systems) for g in range(gates)]
    page = index_page(seen(rows, lines), dress())
    assert len(page.data) < 300_000
    assert "All runs, 1,000:" in read(page.data).text


def test_systems_that_the_index_has_no_room_for_are_the_better_ones_and_one_page_further() -> None:
    good = [row(f"good-{n:03d}", "S9", Standing.PASS, reason="") for n in range(600)]
    overview = seen([*good, row("zz-bad", "S9")], [])
    index = read(index_page(overview, dress()).data).text
    assert "zz-bad" in index
    assert "201 more systems, none of them worse than these" in index
    systems = next(page for page in list_pages(overview, dress()) if page.path == "_site/systems.html")
    text = read(systems.data).text
    assert all(f"good-{n:03d}" in text for n in range(600))


def test_every_run_of_many_years_is_on_one_page_of_runs() -> None:
    lines = [line(number) for number in range(3000)]
    pages = [page for page in list_pages(seen([], lines), dress()) if page.path.startswith("_site/runs-")]
    listed = [
        run for page in pages for run in read(page.data).words if run.endswith(tuple(f"-{n:06x}" for n in (0, 2999)))
    ]
    assert sorted(listed) == sorted((lines[0].run, lines[-1].run))
    assert [page.path for page in pages] == [f"_site/runs-{year}.html" for year in (2029, 2028, 2027, 2026)]


def test_a_year_with_more_runs_than_a_browser_sifts_is_cut_in_parts() -> None:
    lines = [line(number % 900) for number in range(1700)]
    pages = [page for page in list_pages(seen([], lines), dress()) if page.path.startswith("_site/runs-2026")]
    assert [page.path for page in pages] == ["_site/runs-2026.html", "_site/runs-2026-2.html"]
    assert [read(page.data).tags.count("tr") - 1 for page in pages] == [1500, 200]


def test_a_gate_with_a_long_history_has_its_years_on_pages_of_their_own() -> None:
    lines = [line(number) for number in range(1200)]
    one = row("shop", "S9-PROD-004")
    first, *years = gate_pages(one, seen([one], lines), dress(), lines=lines)
    assert first.path.startswith("_site/gates/shop-s9-prod-004-")
    assert read(first.data).tags.count("tr") - 1 == 100
    assert [page.path.rsplit("-", 1)[1] for page in years] == ["2027.html", "2026.html"]
    assert sum(read(page.data).tags.count("tr") - 1 for page in years) == 1200


def test_a_gate_that_ran_every_hour_has_no_page_that_a_browser_cannot_sift() -> None:
    lines = [line(number % 900) for number in range(1700)]
    one = row("shop", "S9-PROD-004")
    first, *years = gate_pages(one, seen([one], lines), dress(), lines=lines)
    assert [read(page.data).tags.count("tr") - 1 for page in years] == [1500, 200]
    assert [page.path.rpartition("-2026")[2] for page in years] == [".html", "-2.html"]
    for page in (first, *years):
        assert "2026 (1/2)" in read(page.data).text
        for other in years:
            assert other.path.rpartition("/")[2].encode() in page.data


def test_a_run_that_does_not_hold_is_in_no_trend() -> None:
    lines = [line(0), line(1, trust=Trust.BROKEN), line(2, trust=Trust.MISSING), line(3, word="FAIL")]
    one = row("shop", "S9-PROD-004")
    page = next(gate_pages(one, seen([one], lines), dress(), lines=lines)).data.decode()
    assert page.count('class="dot') == 2 * 2
    assert page.count('class="dot bad"') == 2
    assert "2 runs from 2026-01-01 to 2026-01-02" in page


def test_a_target_that_fits_in_is_drawn_and_one_far_above_is_only_told() -> None:
    points = [Point(instants.text(START), 1000, "PASS"), Point(instants.text(START + timedelta(days=1)), 1500, "FAIL")]
    assert curve(points, target=2000).target_at == 1000
    assert curve(points, target=1_800_000).target_at is None
    assert 'class="target"' not in curve(points, target=1_800_000).svg


def test_a_picture_lies_within_its_frame_whatever_the_values() -> None:
    for values in ([0], [0, 0], [1, 10**15], [5, 5, 5], [7, 0, 3]):
        points = [Point(instants.text(START + timedelta(days=n)), value, "PASS") for n, value in enumerate(values)]
        for number in curve(points, target=None).svg.split('class="dot good" d="M')[1:]:
            x, y = number.split("h", 1)[0].split()
            assert 0 <= int(x) <= 1000
            assert 0 <= int(y) <= 200


@pytest.mark.parametrize(
    ("largest", "unit", "top"),
    [(0, 1, 1), (1, 1, 1), (999, 1, 1000), (1001, 1, 2000), (4_999, 1, 5_000), (400_000, 1024, 500 * 1024), (1024, 1024, 1024)],
)  # fmt: skip
def test_the_upper_edge_is_a_round_value_above(largest: int, unit: int, top: int) -> None:
    assert scale(largest, unit=unit) == top
