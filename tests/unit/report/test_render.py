"""Templates decide looks and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

import report_cases as cases
from attestore import report
from attestore.errors import ArchiveError, PrintError
from attestore.report import render
from attestore.report.blocks import Column, Table
from attestore.report.widths import column_widths
from attestore.resources import templates_folder

TEMPLATES = report.load_templates(templates_folder())
DOCUMENT = report.summary_document(cases.passed())


def with_template(name: str, text: str) -> report.Templates:
    return report.templates({**TEMPLATES.files(), name: text.encode()})


def test_markdown_is_the_same_bytes_from_archived_templates() -> None:
    again = report.templates(dict(TEMPLATES.files()))
    case = cases.passed()
    for gate in case.gates:
        document = report.gate_document(case, gate.id)
        assert report.markdown(document, again) == report.markdown(document, TEMPLATES)
        assert report.html(document, again) == report.html(document, TEMPLATES)


def test_fonts_are_archived_by_digest_only() -> None:
    assert set(TEMPLATES.files()) == {"fonts.sha256", "report.css", "report.html.j2", "report.md.j2"}
    assert b"  fonts/Inter-Regular.otf\n" in TEMPLATES.files()["fonts.sha256"]


@pytest.mark.parametrize(
    "attack",
    [
        "{{ document.__class__.__mro__ }}",
        "{{ document.nothing }}",
        "{{ nothing }}",
        "{% include '/etc/passwd' %}",
        "{{ document.blocks }}",
        "{{ range(10) }}",
        "{% for x in %}",
        "{{ 'x' * 1000000000 }}",
        "{{ [1] * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 1 / 0 }}",
        "{{ 'x' + 1 }}",
    ],
)
def test_a_template_that_reaches_beyond_its_document_is_refused(attack: str) -> None:
    with pytest.raises(PrintError):
        report.markdown(DOCUMENT, with_template("report.md.j2", attack))
    with pytest.raises(PrintError):
        report.html(DOCUMENT, with_template("report.html.j2", attack))


def test_a_missing_foreign_or_huge_template_is_refused(tmp_path: Path) -> None:
    files = dict(TEMPLATES.files())
    with pytest.raises(ArchiveError, match=r"report\.css is missing"):
        report.templates({name: data for name, data in files.items() if name != "report.css"})
    with pytest.raises(ArchiveError, match="not UTF-8"):
        report.templates({**files, "report.md.j2": b"\xff"})
    with pytest.raises(ArchiveError, match="more than"):
        report.templates({**files, "report.md.j2": b"x" * (1 << 21)})
    with pytest.raises(ArchiveError, match="cannot be read"):
        report.load_templates(tmp_path)


def test_html_refers_to_bundled_fonts_and_to_nothing_else() -> None:
    page = report.html(report.gate_document(cases.passed(), "S9-PROD-004"), TEMPLATES)
    references = re.findall(
        r"""(?:src|href|data|action)\s*=\s*["']?([^"'\s>]*)|url\(["']?([^"')]*)|@import\s*(\S+)""", page
    )
    named = {next(filter(None, groups), "") for groups in references}
    assert all(reference.startswith(("#", "attestore:fonts/")) for reference in named)
    assert "attestore:fonts/Inter-Regular.otf" in named


@given(st.lists(st.lists(st.text(max_size=80), min_size=4, max_size=4), max_size=6))
def test_column_widths_always_fill_the_line(rows: list[list[str]]) -> None:
    columns = (Column("A"), Column("B", wide=True), Column("", mono=True), Column("D", whole=True))
    widths = column_widths(Table(columns, tuple(tuple(row) for row in rows)))
    assert sum(widths) == 1000
    assert min(widths) > 0


def test_a_row_of_another_length_than_its_head_is_a_defect() -> None:
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        Table((Column("A"), Column("B")), (("x",),))


@pytest.mark.parametrize("kind", sorted(render._OURS, key=str))
def test_a_template_reaches_of_blocks_what_the_sandbox_lets_it_reach_and_no_more(kind: type) -> None:
    """The short way gives the answer of the long one, for everything that a block has."""
    ours, theirs = render._Bounded(), ImmutableSandboxedEnvironment()
    block: object = object.__new__(kind)
    for name in (*dir(kind), "__globals__", "_private", "append", "gi_frame", "mro"):
        assert ours.is_safe_attribute(block, name, None) == theirs.is_safe_attribute(block, name, None), name


def test_a_name_in_a_wide_column_is_not_broken_where_the_table_is_full() -> None:
    name = "public.image_variants_id_seq"
    columns = (Column("Which", mono=True, wide=True), *(Column(f"Restored {n}", wide=True) for n in range(3)))
    widths = column_widths(Table(columns, ((name, "words " * 12, "words " * 12, "words " * 12),)))
    assert widths[0] * 114 // 1000 >= len(name)
    digest = column_widths(Table(columns, (("0" * 64, "words " * 12, "words " * 12, "words " * 12),)))
    assert digest[0] * 114 // 1000 < 64


def test_dates_and_times_of_decisions_are_not_broken_in_the_middle() -> None:
    columns = (
        *(Column(title) for title in ("Meaning", "Printed name", "Role", "Time")),
        *(Column(title, wide=True) for title in ("Comment", "Key")),
    )
    row = ("approved", "Kim Example-Longname", "release-manager", "2026-11-27 10:57:26 UTC", "word " * 12, "A" * 40)
    widths = column_widths(Table(columns, (row,)))
    lines = [round(width * 114 / 1000) for width in widths]
    # ten characters and thirteen, and four between two columns
    assert lines[3] >= len("10:57:26 UTC") + 4
    assert lines[2] >= len("release-manager") + 4
    assert min(lines[4:]) >= 16
