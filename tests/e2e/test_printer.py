"""Real PDFs: reproducible, carrying the evidence, saying what the Markdown says, and closed to the world."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pypdf
import pytest
import weasyprint
from markdown_it import MarkdownIt

import report_cases as cases
from attestore import report
from attestore.adapters.printer import WeasyPrinter
from attestore.errors import DiskError, PrintError
from attestore.ports import Attachment, Page
from attestore.report.words import visible
from attestore.resources import templates_folder

TEMPLATES = report.load_templates(templates_folder())
JOURNAL = Attachment("journal.jsonl", b"\x00\xff{}\r\n" * 100, "application/jsonl", "the journal")
PROOF = Attachment("proof.source.json", b"{}", "application/json", "what the backup holds", "Source")
MOMENT = datetime(2026, 11, 22, 19, 42, 14, tzinfo=UTC)


def page_of(document: report.Document) -> Page:
    return Page(
        html=report.html(document, TEMPLATES), title=document.plain_title, language="en", identifier="run/gate", created=MOMENT
    )  # fmt: skip


@pytest.fixture(scope="module")
def printer() -> WeasyPrinter:
    return WeasyPrinter()


@pytest.fixture(scope="module")
def failed(printer: WeasyPrinter) -> bytes:
    return printer.print(page_of(report.gate_document(cases.failed(), "S9-PROD-004")), attachments=[JOURNAL, PROOF])


def words(data: bytes) -> str:
    return "".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages).split())


def test_attachments_come_out_byte_for_byte_with_their_relationships(failed: bytes) -> None:
    carried = pypdf.PdfReader(io.BytesIO(failed)).attachments
    assert dict(carried) == {
        "journal.jsonl": [JOURNAL.data],
        "proof.source.json": [PROOF.data],
    }
    with pikepdf.open(io.BytesIO(failed)) as pdf:
        listed = {str(item.UF): (str(item.AFRelationship), str(item.EF.F.Subtype)) for item in pdf.Root.AF}
        told = {str(item.UF): (int(item.EF.F.Params.Size), bytes(item.EF.F.Params.CheckSum)) for item in pdf.Root.AF}
        held = {str(item.UF): item.EF.UF.read_bytes() for item in pdf.Root.AF}
        assert len(pdf.Root.AF) == 2
    assert listed == {
        "journal.jsonl": ("/Data", "/application/jsonl"),
        "proof.source.json": ("/Source", "/application/json"),
    }
    assert held == {each.name: each.data for each in (JOURNAL, PROOF)}
    # readers show these without reading the file
    assert told == {
        each.name: (len(each.data), hashlib.md5(each.data, usedforsecurity=False).digest()) for each in (JOURNAL, PROOF)
    }


def test_the_pdf_is_an_archive_pdf_with_tags_language_title_and_fixed_instants(failed: bytes) -> None:
    with pikepdf.open(io.BytesIO(failed)) as pdf:
        record = pdf.open_metadata()
        assert (record["pdfaid:part"], record["pdfaid:conformance"]) == ("3", "A")
        assert record["dc:title"] == "S9-PROD-004 · Backup restoration tested"
        assert record["xmp:CreateDate"].startswith("2026-11-22T19:42:14")
        assert str(pdf.Root.Lang) == "en"
        assert bool(pdf.Root.MarkInfo.Marked)
        assert "/StructTreeRoot" in pdf.Root
        assert "/OutputIntents" in pdf.Root
        fonts = [font for page in pdf.pages for font in page.Resources.get("/Font", {}).values()]
        embedded = [font.DescendantFonts[0].FontDescriptor for font in fonts if "/DescendantFonts" in font]
        assert embedded
        assert all("/FontFile2" in one or "/FontFile3" in one for one in embedded)


def test_every_figure_of_the_markdown_is_on_the_paper(failed: bytes) -> None:
    told = report.markdown(report.gate_document(cases.failed(), "S9-PROD-004"), TEMPLATES).decode()
    printed = words(failed)
    inline = [token for token in MarkdownIt("js-default").parse(told) if token.type == "inline"]
    figures = {
        figure.rstrip(".,:")
        for token in inline
        for child in token.children or ()
        for figure in re.findall(r"[0-9A-Za-z][0-9A-Za-z.,:/%-]*", child.content)
        if any(char.isdigit() for char in figure)
    }
    assert len(figures) > 150
    assert sorted(figure for figure in figures if figure not in printed) == []


def test_every_page_carries_run_ledger_and_number(failed: bytes) -> None:
    pages = pypdf.PdfReader(io.BytesIO(failed)).pages
    for number, page in enumerate(pages, start=1):
        said = " ".join(page.extract_text().split())
        assert cases.context().run in said
        assert f"page {number} of {len(pages)}" in said
        assert cases.context().ledger_head[:12] in said
        assert "FAIL" in said


def test_the_summary_is_one_page(printer: WeasyPrinter) -> None:
    for case in (cases.passed(), cases.failed(), cases.stopped()):
        data = printer.print(page_of(report.summary_document(case)), attachments=[])
        assert len(pypdf.PdfReader(io.BytesIO(data)).pages) == 1


def test_paper_is_the_reader_s() -> None:
    letter = replace(report.summary_document(cases.passed()), paper="Letter")
    data = WeasyPrinter().print(page_of(letter), attachments=[])
    box = pypdf.PdfReader(io.BytesIO(data)).pages[0].mediabox
    assert (round(box.width), round(box.height)) == (612, 792)


def test_two_processes_print_the_same_bytes(tmp_path: Path) -> None:
    """Another hash seed, another day, another folder: the same PDF."""
    script = tmp_path / "once.py"
    document = report.summary_document(cases.failed())
    (tmp_path / "page.html").write_text(report.html(document, TEMPLATES), encoding="utf-8")
    script.write_text(
        "import hashlib, pathlib, sys\n"
        "from datetime import UTC, datetime\n"
        "from attestore.adapters.printer import WeasyPrinter\n"
        "from attestore.ports import Attachment, Page\n"
        "html = pathlib.Path(sys.argv[1]).read_text(encoding='utf-8')\n"
        "page = Page(html, 'title', 'en', 'run/summary', datetime(2026, 11, 22, tzinfo=UTC))\n"
        "carried = [Attachment('a.json', b'{}', 'application/json', 'a')]\n"
        "print(hashlib.sha256(WeasyPrinter().print(page, attachments=carried)).hexdigest())\n",
        encoding="utf-8",
    )
    digests = set()
    for seed, place in (("1", tmp_path), ("2", Path.cwd())):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        environment.pop("SOURCE_DATE_EPOCH", None)
        command = [sys.executable, str(script), str(tmp_path / "page.html")]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=place, env=environment, timeout=120
        )
        digests.add(done.stdout.strip())
        assert done.stderr == ""
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2


def test_five_thousand_tables_are_a_report_that_people_can_hold(printer: WeasyPrinter) -> None:
    """Equal tables fold; bench/report.py says how long it takes."""
    rows = {f"t{number:05d}": number for number in range(1, 5001)}
    source, back = cases.proof(rows=rows), cases.proof("restored", rows=rows)
    case = cases.case_of(source, back, cases.facts(source, back), (cases.gate_004(),))
    data = printer.print(page_of(report.gate_document(case, "S9-PROD-004")), attachments=[])
    assert len(pypdf.PdfReader(io.BytesIO(data)).pages) < 100
    assert "Allequal:4,980tablesmore" in words(data)


def test_a_reader_of_the_screen_finds_tables_heads_and_bookmarks(failed: bytes) -> None:
    """No validator for PDF/A or PDF/UA can be had from the registries: this is structure, as pikepdf reads it."""
    with pikepdf.open(io.BytesIO(failed)) as pdf:
        kinds = {
            str(item.S)
            for item in pdf.objects
            if isinstance(item, pikepdf.Dictionary) and "/S" in item and "/P" in item
        }
        assert {"/Document", "/H1", "/H2", "/Table", "/TR", "/TH", "/TD", "/L", "/LI", "/P"} <= kinds
        with pdf.open_outline() as outline:
            titles = [item.title for item in outline.root]
            below = [item.title for item in outline.root[0].children]
        assert titles[0].startswith("S9-PROD-004")
        assert {"Differences", "Recovery time", "What this report does not prove"} <= {*titles, *below}
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        assert all("/Tabs" not in page or str(page.Tabs) == "/S" for page in pdf.pages)


def test_the_environment_is_left_as_it_was(printer: WeasyPrinter) -> None:
    before = dict(os.environ)
    printer.print(page_of(report.summary_document(cases.stopped())), attachments=[])
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "reference",
    [
        '<img src="http://localhost:1/x.png">',
        '<img src="file:///etc/passwd">',
        '<link rel="stylesheet" href="https://example.invalid/x.css">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<style>@import "attestore:fonts/../report.css";</style>',
        '<p style="background: url(attestore:fonts/../../pyproject.toml)">x</p>',
    ],
)
def test_a_page_that_refers_outside_is_refused(printer: WeasyPrinter, reference: str) -> None:
    page = Page(f"<html lang=en><title>t</title>{reference}<p>x</p>", "t", "en", "i", MOMENT)
    with pytest.raises(PrintError, match="outside"):
        printer.print(page, attachments=[])


def test_a_full_disk_is_not_told_as_a_report_that_cannot_be_printed(
    printer: WeasyPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(weasyprint.HTML, "write_pdf", full)
    with pytest.raises(DiskError, match="could not be laid out: No space left on device") as told:
        printer.print(Page("<html lang=en><title>t</title><p>x</p>", "t", "en", "i", MOMENT), attachments=[])
    assert "TMPDIR" in told.value.hint


def test_a_report_that_came_out_without_its_evidence_is_none(
    printer: WeasyPrinter, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out = weasyprint.HTML.write_pdf

    def bare(page: weasyprint.HTML, **settings: object) -> object:
        return lay_out(page, **(settings | {"attachments": []}))

    monkeypatch.setattr(weasyprint.HTML, "write_pdf", bare)
    page = Page("<html lang=en><title>t</title><p>x</p>", "t", "en", "i", MOMENT)
    with pytest.raises(PrintError, match=r"without journal\.jsonl"):
        printer.print(page, attachments=[JOURNAL])


def test_what_no_font_can_draw_is_spelled_instead_of_boxed(printer: WeasyPrinter) -> None:
    """U+10FFFD is for private use: no font of any system draws it, and PDF/A forbids the box."""
    page = Page("<html lang=en><title>t</title><p>before\U0010fffdafter</p>", "t", "en", "i", MOMENT)
    assert "before‹U+10FFFD›after" in words(printer.print(page, attachments=[]))


def test_hostile_names_are_printed_as_names(printer: WeasyPrinter) -> None:
    data = printer.print(page_of(report.gate_document(cases.hostile(), "S9-PROD-004")), attachments=[])
    printed = words(data)
    for name in (
        "users | PASS",
        "<script>alert(1)</script>",
        "\u202egnp.exe",
        "{{ 7*7 }} {% if x %}",
        "back\\slash | \\| end\\",
    ):
        assert "".join(visible(name).split()) in printed
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert "/JavaScript" not in pdf.Root.get("/Names", {})
        links = [note for page in pdf.pages for note in page.get("/Annots", []) if note.get("/Subtype") == "/Link"]
        assert all("/URI" not in note.get("/A", {}) for note in links)


def test_nothing_is_started_to_find_the_libraries_of_the_printer() -> None:
    """ctypes would ask gcc and ld where they are, and hand them our environment with whatever is in it."""
    look = (
        "import sys; from attestore.adapters.printer import _library\n"
        "sys.addaudithook(lambda event, _: sys.exit(event) if event in {'subprocess.Popen', 'os.posix_spawn'} else None)\n"
        "_library()"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
