"""`attestore report`: from the bundle alone, into a new folder, in whatever looks; what is sealed stays."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pikepdf
import pypdf
import pytest
from typer.testing import CliRunner

from attestore.cli.app import app
from attestore.config.branding import read_branding
from attestore.errors import Error, GateError, PrintError, UsageError
from attestore.report.logos import check_logo
from attestore.strictyaml import Node, load

ARCHIVE = Path(__file__).parents[1] / "archives/0.1.0/reports"
RUN = next(ARCHIVE.glob("*/statement.json")).parent
LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="40" height="20" fill="#1f4e8c"/></svg>'
)


def digests(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_an_old_bundle_is_rendered_as_it_was_sealed_and_decided(tmp_path: Path) -> None:
    before = digests(RUN)
    into = tmp_path / "again"
    done = CliRunner().invoke(app, ["report", str(RUN), "--into", str(into), "--only", "summary"])
    assert done.exit_code == 0, done.output
    newest = max(RUN.glob("revisions/*"))
    assert (into / "summary.md").read_bytes() == (newest / "summary.md").read_bytes()
    carried = pypdf.PdfReader(into / "summary.pdf").attachments
    assert carried["journal.jsonl"] == [(RUN / "journal.jsonl").read_bytes()]
    assert "revision.json" in carried
    assert digests(RUN) == before
    again = CliRunner().invoke(app, ["report", str(RUN), "--into", str(into)])
    assert isinstance(again.exception, UsageError)
    nowhere = CliRunner().invoke(app, ["report", str(RUN), "--into", str(tmp_path / "none/again")])
    assert "there is no folder" in str(nowhere.exception)


def test_it_takes_the_language_the_paper_and_the_house_that_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_bytes(LOGO)
    (tmp_path / "own").mkdir()
    shipped = Path(__file__).parents[2] / "templates/report.md.j2"
    (tmp_path / "own/report.md.j2").write_text("{{ nothing }}", encoding="utf-8")
    config = tmp_path / "attestore.yaml"
    config.write_text(
        "attestore: 1\nreport:\n  organisation: Beispiel AG | PASS\n  logo: logo.svg\n  accent: '#1f4e8c'\n"
        "  paper: Letter\n  language: de\n  templates: own\n",
        encoding="utf-8",
    )
    into = tmp_path / "bericht"
    command = [
        "report",
        str(RUN),
        "--into",
        str(into),
        "--only",
        "summary",
        "--dressed",
        "--config",
        str(config),
        "--json",
    ]
    broken = CliRunner().invoke(app, command)
    assert isinstance(broken.exception, PrintError)
    assert not into.exists()
    (tmp_path / "own/report.md.j2").write_text(shipped.read_text() + "\nInternal use only\n", encoding="utf-8")
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["files"] == [str(into / "summary.md"), str(into / "summary.pdf")]
    told = (into / "summary.md").read_text(encoding="utf-8")
    assert "Beispiel AG \\| PASS · Übersicht" in told
    assert told.endswith("Internal use only\n")
    printed = (into / "summary.pdf").read_bytes()
    page = pypdf.PdfReader(io.BytesIO(printed)).pages[0]
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (612, 792)
    assert "Beispiel AG | PASS" in page.extract_text()
    with pikepdf.open(io.BytesIO(printed)) as pdf:
        assert str(pdf.Root.Lang) == "de"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.svg", LOGO.replace(b"<rect", b"<script>1</script><rect")),
        ("a.svg", LOGO.replace(b"<rect", b'<image href="http://x/y.png"/><rect')),
        ("a.svg", LOGO.replace(b"<rect", b'<rect onload="x()"')),
        ("a.svg", LOGO.replace(b'fill="#1f4e8c"', b'fill="url(http://x/y)"')),
        ("a.svg", LOGO.replace(b"<rect", b'<rect style="background: url(file:///etc/passwd)"')),
        ("a.svg", LOGO.replace(b"<rect", b'<rect style="fill: u\\72l(http://x/y)"')),
        ("a.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + LOGO),
        ("a.svg", LOGO.replace(b"<rect", b"<style>@import url(http://x)</style><rect")),
        ("a.svg", LOGO + b" " * (256 << 10)),
        ("a.svg", b"<svg"),
        ("a.png", LOGO),
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\0\0\0\1" + b"\0" * 9),
    ],
)
def test_a_logo_that_could_act_refer_elsewhere_or_fill_the_memory_is_refused(name: str, data: bytes) -> None:
    check_logo("a.svg", LOGO)
    with pytest.raises(Error, match="the logo"):
        check_logo(name, data)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("accent: '#eeeeee'", "too pale"),
        ("accent: red", "no colour"),
        ("logo: a.gif", "neither"),
        ("paper: A3", "paper"),
        ("language: ../x", "no language code"),
        ("organisation: ''", "1 to 80"),
        ("organization: x", "organisation"),
    ],
)
def test_a_section_report_that_cannot_be_meant_is_refused_where_it_stands(said: str, place: str) -> None:
    with pytest.raises(GateError) as told:
        read_branding(Node(load(said.encode(), where="attestore.yaml")))
    assert place in f"{told.value.message} {told.value.hint}"
    assert "attestore.yaml:1" in told.value.message
