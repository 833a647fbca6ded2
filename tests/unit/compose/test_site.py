"""The site shows what is there: every run, standings as `status` computes them, nothing green that does not hold."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

import sites
from attestore import forecast, gate, instants
from attestore.audit import status
from attestore.compose.check import Trust
from attestore.compose.watching import Watch, gate_figures
from attestore.errors import DiskError, UsageError
from attestore.forecast import Outlook
from attestore.report import outlook
from bundles import GLASS as PENS
from bundles import START, Draft, issue, past_of
from decided import GLASS, ROSTER, findings
from fakes import FakeClock
from sites import AT, build, read


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A reports folder with a run of every fate, and its site; not to be changed."""
    reports = tmp_path_factory.mktemp("site") / "reports"
    runs = sites.archive(reports)
    build(reports)
    return reports, runs


@pytest.fixture
def own(made: tuple[Path, dict[str, str]], tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy that a test may change."""
    reports, runs = made
    shutil.copytree(reports, tmp_path / "reports")
    return tmp_path / "reports", runs


def pages(reports: Path) -> list[Path]:
    return [reports / "index.html", *sorted((reports / "_site").rglob("*.html"))]


def test_every_run_has_a_page_and_a_row_whatever_became_of_it(made: tuple[Path, dict[str, str]]) -> None:
    reports, runs = made
    listed = " ".join(read(page).text for page in (reports / "_site").glob("runs-*.html"))
    for run in runs.values():
        assert run in listed
        assert (reports / "_site" / "runs" / f"{run}.html").is_file()


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        ("first", "PASS"),
        ("failed", "FAIL"),
        ("changed", "does not verify journal.jsonl is not the file that statement.json lists"),
        ("gone", "bundle missing"),
        ("dead", "died It was started, has no end, and no process is writing it."),
    ],
)
def test_a_run_is_shown_as_what_became_of_it(made: tuple[Path, dict[str, str]], fate: str, words: str) -> None:
    reports, runs = made
    page = reports / "_site" / "runs" / f"{runs[fate]}.html"
    assert words in read(page).text


def test_the_index_names_the_runs_that_do_not_hold_although_no_standing_rests_on_them(
    made: tuple[Path, dict[str, str]],
) -> None:
    reports, runs = made
    text = read(reports / "index.html").text
    assert "Runs that died, are missing or do not verify: 3" in text
    told = text.split("Runs that died", 1)[1].split("Find systems", 1)[0]
    assert all(runs[fate] in told for fate in ("changed", "gone", "dead"))


@pytest.mark.parametrize("fate", ["changed", "gone", "dead"])
def test_nothing_is_green_on_the_page_of_a_run_that_does_not_hold(made: tuple[Path, dict[str, str]], fate: str) -> None:
    reports, runs = made
    page = (reports / "_site" / "runs" / f"{runs[fate]}.html").read_text()
    assert 'class="mark good"' not in page
    assert "callout good" not in page
    assert "restore.rto" not in page


def test_standings_are_those_of_status(made: tuple[Path, dict[str, str]]) -> None:
    reports, _ = made
    rows = status(reports, roster=ROSTER, verifier=GLASS, at=AT, now=AT)
    shown = build(reports).rows
    assert [(row.system, row.gate, row.held) for row in shown] == [(row.system, row.gate, row.held) for row in rows]
    matrix = read(reports / "index.html").text
    for row in rows:
        assert f"{row.held.standing.value}" in matrix


def test_the_audit_finds_the_same_with_the_site_as_without(own: tuple[Path, dict[str, str]]) -> None:
    reports, _ = own
    with_site = findings(reports, at=AT)
    (reports / "index.html").unlink()
    shutil.rmtree(reports / "_site")
    assert findings(reports, at=AT) == with_site


def test_a_second_build_writes_nothing(own: tuple[Path, dict[str, str]]) -> None:
    reports, _ = own
    again = build(reports)
    assert (again.written, again.removed) == (0, 0)
    assert again.unchanged


def test_a_day_later_the_pages_of_runs_are_the_same(own: tuple[Path, dict[str, str]]) -> None:
    reports, _ = own
    before = {page: page.stat().st_mtime_ns for page in (reports / "_site" / "runs").iterdir()}
    later = build(reports, at=AT - timedelta(days=1))
    assert later.written
    assert {page: page.stat().st_mtime_ns for page in (reports / "_site" / "runs").iterdir()} == before


def test_at_an_earlier_day_later_runs_are_not_there(own: tuple[Path, dict[str, str]]) -> None:
    reports, runs = own
    built = build(reports, at=START + timedelta(days=40))
    assert built.runs == 2
    assert not (reports / "_site" / "runs" / f"{runs['newest']}.html").exists()
    assert runs["newest"] not in read(reports / "index.html").text


def test_a_run_that_was_under_way_at_the_instant_asked_for_had_not_died(own: tuple[Path, dict[str, str]]) -> None:
    reports, runs = own
    build(reports, at=START + timedelta(days=30, milliseconds=100))
    assert "in progress" in read(reports / "_site" / "runs" / f"{runs['slow']}.html").text


def test_a_ledger_that_does_not_hold_leaves_nothing_green(own: tuple[Path, dict[str, str]]) -> None:
    reports, _ = own
    (reports / "checkpoint.asc").unlink()
    built = build(reports)
    assert built.broken
    for page in pages(reports):
        text = page.read_text()
        assert 'class="mark good"' not in text, page
        assert "callout good" not in text, page
        assert "callout large good" not in text, page
    assert "The ledger does not hold" in read(reports / "index.html").text


def test_a_flaw_that_only_the_audit_sees_is_shown_on_the_run_that_decides(own: tuple[Path, dict[str, str]]) -> None:
    """No digest speaks of the last signature: that it is gone is found for standings, and told on the run's page."""
    reports, runs = own
    (reports / runs["newest"] / "SHA256SUMS.asc").unlink()
    text = read(reports / "_site" / "runs" / f"{runs['newest']}.html").text
    assert "does not verify" not in text
    build(reports)
    text = read(reports / "_site" / "runs" / f"{runs['newest']}.html").text
    assert "does not verify" in text
    assert "SHA256SUMS" in text.split("does not verify", 1)[1][:200]


def test_a_bundle_under_another_statement_than_the_ledgers_does_not_hold(own: tuple[Path, dict[str, str]]) -> None:
    """Whole in itself, by the operator's own key: only the ledger knows better."""
    reports, runs = own
    other = reports.parent / "other"
    issue(other, Draft(run=runs["first"], system="shop", told=sites.slower(7)))
    shutil.rmtree(reports / runs["first"])
    shutil.copytree(other / runs["first"], reports / runs["first"])
    build(reports)
    text = read(reports / "_site" / "runs" / f"{runs['first']}.html").text
    assert "its statement is not the one that the ledger names" in text


def test_a_folder_that_the_ledger_does_not_name_is_told(own: tuple[Path, dict[str, str]]) -> None:
    reports, runs = own
    shutil.copytree(reports / runs["first"], reports / "20260101T000000Z-stranger")
    built = build(reports)
    assert built.unnamed == ("20260101T000000Z-stranger",)
    assert "20260101T000000Z-stranger" in read(reports / "index.html").text


def test_a_decision_whose_record_is_gone_is_told(own: tuple[Path, dict[str, str]]) -> None:
    reports, runs = own
    for path in (reports / runs["decided"] / "decisions").glob("*kim*"):
        path.unlink()
    build(reports)
    assert "In the ledger, and not to be shown" in read(reports / "_site" / "decisions.html").text


def test_every_way_leads_somewhere(made: tuple[Path, dict[str, str]]) -> None:
    reports, runs = made
    for page in pages(reports):
        reader = read(page)
        assert len(reader.ids) == len(set(reader.ids)), page
        for link in reader.links:
            if link.startswith("data:"):
                continue
            way, _, anchor = link.partition("#")
            assert ":" not in way, link
            target = (page.parent / unquote(way)).resolve() if way else page
            assert target.is_file(), f"{page}: {link}"
            assert not anchor or anchor in read(target).ids, f"{page}: {link}"
    assert runs


def test_elsewhere_it_links_back_to_the_bundles(made: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    reports, runs = made
    into = tmp_path / "a public folder"
    build(reports, into)
    reader = read(into / "_site" / "runs" / f"{runs['first']}.html")
    papers = [link for link in reader.links if link.endswith(".pdf")]
    assert papers
    for link in papers:
        assert (into / "_site" / "runs" / unquote(link)).resolve().is_file()


def test_a_build_that_cannot_go_on_leaves_the_old_index(own: tuple[Path, dict[str, str]]) -> None:
    reports, _ = own
    before = (reports / "index.html").read_bytes()
    (reports / "_site" / "ledger.html").unlink()
    (reports / "_site" / "ledger.html").mkdir()
    with pytest.raises(DiskError):
        build(reports, at=AT - timedelta(days=1))
    assert (reports / "index.html").read_bytes() == before
    for link in read(reports / "index.html").links:
        if not link.startswith(("data:", "#")) and "ledger" not in link:
            assert (reports / unquote(link)).is_file()


def test_a_first_build_that_was_killed_before_its_index_is_no_hindrance(own: tuple[Path, dict[str, str]]) -> None:
    reports, _ = own
    (reports / "index.html").unlink()
    (reports / "_site" / ".ledger.html.unfinished").write_text("<!DOC")
    assert build(reports).written == 1
    assert (reports / "index.html").is_file()


def test_pages_that_are_no_longer_made_go(own: tuple[Path, dict[str, str]]) -> None:
    reports, _ = own
    (reports / "_site" / "runs" / "old.html").write_text("old")
    assert build(reports).removed == 1
    assert not (reports / "_site" / "runs" / "old.html").exists()


def test_an_index_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>mine</h1>")
    with pytest.raises(UsageError, match="no page of ours"):
        build(tmp_path)
    assert (tmp_path / "index.html").read_text() == "<h1>mine</h1>"


def test_a_folder_of_somebody_else_is_not_swept(tmp_path: Path) -> None:
    (tmp_path / "_site").mkdir()
    (tmp_path / "_site" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no folder of ours"):
        build(tmp_path)
    assert (tmp_path / "_site" / "thesis.txt").exists()


def test_pages_do_not_go_into_a_bundle(own: tuple[Path, dict[str, str]]) -> None:
    reports, runs = own
    with pytest.raises(UsageError, match="lies inside"):
        build(reports, reports / runs["first"] / "site")


def test_an_archive_without_a_run_has_a_site_that_says_so(tmp_path: Path) -> None:
    build(tmp_path)
    assert "No gate was ever run here." in read(tmp_path / "index.html").text


def test_the_pens_of_the_archive_are_those_of_the_roster() -> None:
    """A guard of the fixture itself: the operator of `bundles` signs for the roster of `decided`."""
    assert set(PENS.pens) & set(GLASS.pens)


def test_a_gate_s_page_and_the_list_of_systems_say_when_the_target_will_be_broken(tmp_path: Path) -> None:
    """By the runs that a report's history would tell: the killed one is left out and named."""
    reports = tmp_path / "reports"
    sites.growing(reports)
    built = build(reports, at=START + timedelta(days=290))
    (row,) = built.rows
    expected = forecast.of_history(past_of(reports, "shelf"), gate_of(reports))
    assert row.forecast == expected
    watch = Watch(reports, wanted={}, stores={}, before_expiry_ms=1)
    trust = Trust(roster=ROSTER, verifier=GLASS, clock=FakeClock(AT), aside=lambda _: Path())
    (figure,) = gate_figures(watch, trust=trust, at=START + timedelta(days=290))
    assert figure.forecast == expected
    assert expected is not None
    assert (expected.outlook, expected.runs, expected.left_out) == (Outlook.EXPECTED, 8, 1)
    page = next((reports / "_site" / "gates").glob("*.html")).read_text("utf-8")
    told = read(next((reports / "_site" / "gates").glob("*.html"))).text
    assert outlook.sentence(expected) in told
    assert "Left out, having measured no whole restore: 1 run." in told
    assert page.count('class="curve prospect"') == 1
    listed = read(reports / "_site" / "systems.html").text
    assert outlook.range_words(expected) in listed


def test_somebody_is_told_on_the_first_page_only_when_the_breach_is_near(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    sites.growing(reports)
    (row,) = build(reports, at=START + timedelta(days=290)).rows
    assert row.forecast is not None
    said = outlook.sentence(row.forecast)
    assert (row.soon, said in read(reports / "index.html").text) == (False, False)
    near = instants.parse(row.forecast.about) - timedelta(days=20)
    (row,) = build(reports, at=near).rows
    assert (row.soon, said in read(reports / "index.html").text) == (True, True)


def gate_of(reports: Path) -> gate.Gate:
    return gate.read(next(reports.glob("*-shelf/gates/*.yaml")))


def test_several_processes_make_the_same_pages_as_one(own: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    """Each looks at its share of the runs; what they found comes together in the order of the ledger."""
    reports, _ = own
    alone, several = tmp_path / "alone", tmp_path / "several"
    one, three = build(reports, alone, jobs=1), build(reports, several, jobs=3)
    assert (three.runs, three.pages, three.written) == (one.runs, one.pages, one.written)
    assert [each.run for each in three.troubled] == [each.run for each in one.troubled]
    for page in [path for path in alone.rglob("*") if path.is_file()]:
        assert (several / page.relative_to(alone)).read_bytes() == page.read_bytes()
    again = build(reports, several, jobs=3)
    assert (again.written, again.unchanged) == (0, one.written)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("name", ["S9-PROD-004.pdf", "proof.source.json", "journal.jsonl", "statement.json"])
def test_a_run_that_was_changed_since_the_last_build_is_noticed_by_the_next(
    own: tuple[Path, dict[str, str]], name: str, jobs: int
) -> None:
    """A rebuild takes nothing on trust from the pages or the build before; the length and the times of the file are as they were."""
    reports, runs = own
    assert build(reports, jobs=jobs).written == 0
    changed = reports / runs["slow"] / name
    before = changed.stat()
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert runs["slow"] in {line.run for line in build(reports, jobs=jobs).troubled}
    assert "does not verify" in read(reports / "_site" / "runs" / f"{runs['slow']}.html").text


def test_a_page_that_somebody_changed_is_made_again(own: tuple[Path, dict[str, str]]) -> None:
    reports, runs = own
    page = reports / "_site" / "runs" / f"{runs['failed']}.html"
    honest = page.read_bytes()
    page.write_bytes(honest.replace(b"FAIL", b"PASS"))
    assert build(reports).written == 1
    assert page.read_bytes() == honest
