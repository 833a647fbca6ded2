"""The site in a real browser: nothing leaves the folder, nothing that is data runs, and people can use it with keys and readers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

import sites
from bundles import GATE

WIDE, NARROW = 1280, 380
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGES = ("index", "runs", "gate", "systems", "forecast", "failed", "gone", "hostile", "decisions", "ledger")


class Site:
    """A built site, and a browser to look at it."""

    def __init__(self, folder: Path, runs: dict[str, str], browser: Browser) -> None:
        self.folder, self.runs, self.browser = folder, runs, browser
        self.said: list[str] = []
        self.asked: list[str] = []

    def path(self, name: str) -> Path:
        site = self.folder / "_site"
        match name:
            case "index":
                return self.folder / "index.html"
            case "runs":
                return site / "runs-2026.html"
            case "gate":
                return next((site / "gates").glob("shop-*.html"))
            case "forecast":
                return next((site / "gates").glob("shelf-*.html"))
            case "decisions" | "ledger" | "systems":
                return site / f"{name}.html"
            case _:
                return site / "runs" / f"{self.runs[name]}.html"

    def page(self, *, width: int = WIDE, scheme: str = "light") -> Page:
        page = self.browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: self.said.append(f"failed: {request.url}"))
        return page

    def open(self, page: Page, name: str) -> None:
        page.goto(self.path(name).as_uri())
        page.evaluate("document.fonts.ready")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    programme = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert programme, "no Chromium on this machine: tools/setup dev installs one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=programme,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def built(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Site:
    reports = tmp_path_factory.mktemp("site") / "reports"
    runs = sites.archive(reports, gate=GATE.replace(b"Backup restoration tested", sites.TITLE))
    sites.growing(reports, first=383, every=2)
    sites.build(reports)
    return Site(reports, runs, browser)


@pytest.fixture
def site(built: Site) -> Iterator[Site]:
    built.said.clear()
    built.asked.clear()
    yield built
    for context in built.browser.contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")])
def test_no_page_complains_asks_for_anything_outside_or_is_too_wide(site: Site, width: int, scheme: str) -> None:
    page = site.page(width=width, scheme=scheme)
    for name in PAGES:
        site.open(page, name)
        widest = page.evaluate("document.documentElement.scrollWidth")
        assert widest <= width, f"{name} is {widest} wide"
        assert page.evaluate("document.fonts.check('16px \"Site Sans\"')"), name
    assert site.said == []
    assert len(site.asked) > len(PAGES)
    for url in site.asked:
        told = urlsplit(url)
        assert told.scheme in {"file", "data"}, url
        assert told.scheme == "data" or Path(unquote(told.path)).is_relative_to(site.folder), url


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_axe_finds_nothing_serious(site: Site, width: int, scheme: str) -> None:
    page = site.page(width=width, scheme=scheme)
    axe = Axe()
    grave: list[str] = []
    judged = 0
    for name in PAGES:
        site.open(page, name)
        found = axe.run(page).response
        judged += len(found["passes"])
        grave += [
            f"{name}: {each['id']} {each['nodes'][0]['html'][:120]}"
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
    assert grave == []
    assert judged > 10 * len(PAGES)


def test_axe_would_find_a_grey_that_nobody_can_read(site: Site) -> None:
    """A guard of the test above: it can fail."""
    page = site.page()
    site.open(page, "index")
    page.evaluate("document.documentElement.style.setProperty('--quiet', '#cccccc')")
    found = Axe().run(page).response
    assert any(each["id"] == "color-contrast" and each["impact"] == "serious" for each in found["violations"])


def test_names_that_are_markup_stay_text(site: Site) -> None:
    page = site.page()
    for name in ("index", "hostile", "runs", "gate"):
        site.open(page, name)
        assert page.evaluate("window.forged") is None
        assert page.locator("main img").count() == 0
        assert page.locator("main script").count() == 0
    site.open(page, "index")
    row = page.locator("[data-rows=none-standings] tbody tr", has_text="window.forged")
    assert row.count() == 1
    assert row.locator("th, td").count() == page.locator("[data-rows=none-standings] thead th").count()
    assert "‹U+202E›SSAP" in row.inner_text()


def test_what_the_policy_does_not_name_does_not_run(site: Site, tmp_path: Path) -> None:
    """Even if escaping failed: the same page with markup planted raw, with the policy and, to see that it matters, without."""
    shutil.copytree(site.folder / "_site", tmp_path / "_site")
    text = site.path("index").read_text()
    planted = (
        '<script>window.forged = 1</script><img src="data:," onerror="window.forged = 2">'
        '<link rel="stylesheet" href="_site/evil.css"><iframe src="_site/evil.html"></iframe>'
    )
    (tmp_path / "_site" / "evil.css").write_text("main { color: rgb(1, 2, 3) }")
    (tmp_path / "_site" / "evil.html").write_text("<p>evil</p>")
    told = text.replace("<h1>", f"{planted}<h1>", 1)
    loose = told.replace('http-equiv="Content-Security-Policy"', 'name="nothing"', 1)
    assert text != told != loose
    seen = {}
    for name, page_text in (("strict", told), ("loose", loose)):
        (tmp_path / f"{name}.html").write_text(page_text)
        page = site.page()
        page.goto((tmp_path / f"{name}.html").as_uri())
        page.wait_for_load_state("load")
        colour = page.evaluate("getComputedStyle(document.querySelector('main')).color")
        frames = [frame.url for frame in page.frames if frame.url.endswith("evil.html")]
        seen[name] = (
            page.evaluate("window.forged ?? 0"),
            colour == "rgb(1, 2, 3)",
            len(frames),
            page.locator(".live").count(),
        )
    assert seen["strict"] == (0, False, 0, 1)
    assert seen["loose"][0] != 0
    assert seen["loose"][1:3] == (True, 1)


def test_words_and_choices_leave_the_rows_that_fit_and_say_how_many(site: Site) -> None:
    page = site.page()
    site.open(page, "runs")
    rows = page.locator("tbody tr:visible")
    whole = rows.count()
    assert page.get_by_role("status").inner_text() == f"Runs: {whole}"
    page.get_by_label("Find runs").fill("SHOP slow")
    expect(page.get_by_role("status")).to_contain_text(" of ")
    assert rows.count() == 1
    assert site.runs["slow"] in rows.inner_text()
    assert page.get_by_role("status").inner_text() == f"Runs: 1 of {whole}"
    page.get_by_label("Find runs").fill("")
    page.get_by_label("Outcome").select_option("MISSING")
    assert rows.count() == 1
    assert site.runs["gone"] in rows.inner_text()
    page.get_by_label("Find runs").fill("nothing like this")
    page.wait_for_selector("#none-runs:visible")
    assert rows.count() == 0


def test_everything_can_be_reached_and_used_with_keys_alone(site: Site) -> None:
    page = site.page()
    site.open(page, "index")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for fate in ("dead", "gone", "changed"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == site.runs[fate]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("billing")
    expect(page.get_by_role("status")).to_contain_text(" of ")
    assert page.locator("[data-rows=none-standings] tbody tr:visible").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("[data-rows=none-standings] tbody tr:visible").count() == 5
    page.keyboard.type("billing")
    expect(page.get_by_role("status")).to_contain_text(" of ")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/gates/billing-*")
    assert page.locator("h1").inner_text().startswith("S9-PROD-004")


def test_dark_can_be_switched_on_is_remembered_and_switched_off(site: Site) -> None:
    def paper(page: Page) -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    page = site.page()
    site.open(page, "index")
    light = paper(page)
    button = page.get_by_role("button", name="Dark")
    assert button.get_attribute("aria-pressed") == "false"
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    dark = paper(page)
    assert dark != light
    site.open(page, "ledger")
    assert paper(page) == dark
    page.get_by_role("button", name="Dark").press("Enter")
    assert paper(page) == light
    dusk = site.page(scheme="dark")
    site.open(dusk, "index")
    assert paper(dusk) == dark


def test_old_pages_say_how_old_they_are(site: Site) -> None:
    page = site.page()
    page.clock.set_fixed_time(sites.AT + timedelta(hours=30))
    site.open(page, "index")
    assert page.locator(".stale:visible").count() == 0
    page.clock.set_fixed_time(sites.AT + timedelta(days=40))
    site.open(page, "gate")
    assert "an instant 40 days ago" in page.locator(".stale:visible").inner_text()


def test_printed_pages_have_no_controls_and_no_colour_but_all_rows(site: Site) -> None:
    page = site.page(scheme="dark")
    site.open(page, "runs")
    whole = page.locator("tbody tr:visible").count()
    page.emulate_media(media="print")
    assert page.locator("form:visible, nav:visible, button:visible").count() == 0
    assert page.locator("tbody tr:visible").count() == whole
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


def test_without_scripts_everything_is_there(site: Site) -> None:
    context = site.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.path("runs").as_uri())
    assert page.locator("form:visible").count() == 0
    assert page.locator("tbody tr:visible").count() > 3
