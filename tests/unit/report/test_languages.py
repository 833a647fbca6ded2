"""Reports in other languages: nothing stays English by accident, and figures are the reader's in print alone."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import report_cases as cases
import wording
from attestore import report
from attestore.errors import ArchiveError, UsageError
from attestore.report import languages
from attestore.resources import templates_folder

LANGUAGES = sorted(path.stem for path in templates_folder().glob("*.po"))
GERMAN = report.load_templates(templates_folder(), language="de")
TWO = report.renderer(report.RENDERER)


def german(case: report.Case) -> report.Case:
    return replace(case, context=replace(case.context, language="de"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_sources_is_translated_with_the_values_it_takes(language: str) -> None:
    data = (templates_folder() / f"{language}.po").read_bytes()
    assert data == wording.catalogue(language), "run tools/words, then translate what is empty"
    for message in read_po(io.BytesIO(data)):
        if message.id:
            assert message.string, f"{message.id!r} has no translation"
            fields = [sorted(re.findall(r"{\w+}", str(text))) for text in (message.id, message.string)]
            assert fields[0] == fields[1], message.id


def test_a_sentence_that_is_new_in_the_sources_is_missed(tmp_path: Path) -> None:
    """Without a translation of its own it would be printed in English."""
    assert "Previous runs" in wording.sentences()
    (tmp_path / "de.po").write_bytes(b'msgid "Previous runs"\nmsgstr "Fr"\n')
    assert b'msgid "Executive summary"\nmsgstr ""\n' in wording.catalogue("de", folder=tmp_path)


def test_the_markdown_of_a_german_report_has_german_words_and_figures_that_no_locale_changes() -> None:
    told = TWO.markdown(german(cases.failed()), "S9-PROD-004", GERMAN).decode()
    assert "## Unterschiede" in told
    assert "| **WEICHT AB** |" in told
    assert "7,305" in told
    assert "1.234 s" in told
    assert "2026-11-22" in told
    for english in (
        "Differences",
        "Recovery time by",
        "not measured",
        "Restored",
        "What this report",
        "Environment",
        " rows ",
    ):
        assert english not in told.replace("restore.", ""), english


def test_the_print_of_a_german_report_has_german_figures() -> None:
    case = german(cases.passed())
    page = TWO.sheet(case, "S9-PROD-004", GERMAN).html
    assert '<html lang="de">' in page
    for figure in ("7.305", "1,234 s", "22.11.2026 19:42:00 UTC", "41,5 %", "2,5 MiB (2.636.388 B)", "Seite"):
        assert figure in page, figure
    assert "7,305" not in page
    assert "1.234 s" not in page


def test_english_print_has_the_figures_of_its_markdown() -> None:
    case = cases.failed()
    shipped = report.load_templates(templates_folder())
    page = TWO.sheet(case, "S9-PROD-004", shipped).html
    for figure in ("7,305", "1.234 s", "2026-11-22 19:42:00 UTC", "41.5%"):
        assert figure in page, figure


def test_two_documents_at_once_keep_their_languages() -> None:
    case = cases.passed()
    shipped = report.load_templates(templates_folder())
    before = TWO.markdown(case, "summary", shipped)
    TWO.markdown(german(case), "summary", GERMAN)
    assert TWO.markdown(case, "summary", shipped) == before


def test_a_language_that_nobody_has_words_for_is_refused() -> None:
    with pytest.raises(UsageError, match="'xx'"):
        report.load_templates(templates_folder(), language="xx")
    with pytest.raises(ArchiveError, match="missing"):
        TWO.markdown(german(cases.passed()), "summary", report.load_templates(templates_folder()))


def test_a_third_language_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "fr.po").write_text('msgid "Differences"\nmsgstr "Différences"\n', encoding="utf-8")
    french = report.load_templates(templates_folder(), own=tmp_path, language="fr")
    case = cases.passed()
    told = TWO.markdown(replace(case, context=replace(case.context, language="fr")), "S9-PROD-004", french).decode()
    assert "## Différences" in told
    assert "fr.po" in french.files()


@pytest.mark.parametrize("said", ["{run.__class__}", "{run!r}", "{run:>99999999}", "{other}", "{"])
def test_a_translation_can_do_nothing_with_a_value_but_place_it(said: str) -> None:
    with pytest.raises(ArchiveError):
        languages.catalogue(f'msgid "{{run}} (this run)"\nmsgstr "{said}"\n'.encode())
