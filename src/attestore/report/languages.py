"""The languages of reports: words from a catalogue beside the templates, figures for print from the locale's data.

A catalogue is one gettext file, `xx.po`. A bundle archives the one that it was written with, so that its Markdown can be
rendered again whatever becomes of the translation; and the Markdown's figures are our own, whatever becomes of locales.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.messages.pofile import PoFileError, read_po
from babel.numbers import format_decimal, format_percent, get_decimal_symbol

from attestore.errors import ArchiveError
from attestore.report.templates import Templates
from attestore.report.voice import Voice, say

__all__ = ["Localised", "catalogue", "printed", "written"]


@dataclass(frozen=True, slots=True)
class Localised:
    """Figures as readers of a language write them."""

    locale: Locale

    def whole(self, number: int) -> str:
        """With the locale's separator between thousands."""
        return _whole(number, self.locale)

    def fraction(self, whole: int, digits: str) -> str:
        """With the locale's decimal sign."""
        return f"{self.whole(whole)}{get_decimal_symbol(self.locale)}{digits}"

    def percent(self, permille: int) -> str:
        """One decimal, always."""
        pattern = str(self.locale.percent_formats[None].pattern).replace("##0", "##0.0")
        return format_percent(Decimal(permille) / 1000, format=pattern, locale=self.locale).replace("\xa0", " ")

    def date(self, moment: datetime) -> str:
        """By the pattern that the language's catalogue gives."""
        return format_datetime(moment, say("yyyy-MM-dd"), locale=self.locale)

    def time(self, moment: datetime) -> str:
        """The same with hours, minutes and seconds."""
        return format_datetime(moment, f"{say('yyyy-MM-dd')} HH:mm:ss", locale=self.locale)


@lru_cache(maxsize=4096)
def _whole(number: int, locale: Locale) -> str:
    return format_decimal(number, locale=locale)


def written(templates: Templates, language: str) -> Voice:
    """For Markdown: words of the language, figures of our own.

    Raises:
        ArchiveError: the templates lack the language's words, or they can't be read.
    """
    return Voice() if language == "en" else Voice(words=_words(templates, language))


def printed(templates: Templates, language: str) -> Voice:
    """For print: words and figures of the language.

    Raises:
        ArchiveError: the templates lack the language's words, they can't be read, or nobody knows its figures.
    """
    try:
        figures = Localised(Locale.parse(language))
    except (UnknownLocaleError, ValueError) as problem:
        raise ArchiveError(f"nobody knows how figures are written in {language!r}") from problem
    return Voice(figures=figures) if language == "en" else Voice(_words(templates, language), figures)


def _words(templates: Templates, language: str) -> Mapping[str, str]:
    name = f"{language}.po"
    if name not in templates.files():
        raise ArchiveError(f"the words of the language {language!r} are missing among the templates")
    return catalogue(templates.files()[name])


@lru_cache(maxsize=8)
def catalogue(data: bytes) -> Mapping[str, str]:
    """English as the reports have it, to the words of a language.

    Raises:
        ArchiveError: it is no catalogue, or a translation takes other values than its sentence.
    """
    try:
        read = read_po(io.BytesIO(data), abort_invalid=True)
    except (PoFileError, ValueError, UnicodeDecodeError) as problem:
        raise ArchiveError(f"a catalogue of words can't be read: {problem}") from problem
    words = {str(each.id): str(each.string) for each in read if each.id and each.string and not each.fuzzy}
    for sentence, said in words.items():
        if not _fields(said) <= _fields(sentence):
            raise ArchiveError(
                f"a catalogue of words says {said[:80]!r}, which takes other values than {sentence[:80]!r}"
            )
    return MappingProxyType(words)


def _fields(sentence: str) -> set[str]:
    """What a sentence takes, with whatever is done to it: a translation may do nothing else."""
    try:
        parsed = list(Formatter().parse(sentence))
    except ValueError:
        return {sentence}
    return {f"{name}!{conversion}:{form}" for _, name, form, conversion in parsed if name is not None}
