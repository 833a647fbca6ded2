"""In which language a document is written, and how its figures look: set once for a document, while it is made.

Sentences in this package are English and are looked up as a whole; what has no translation stays English. Figures have
two looks: our own, that no locale can change (Markdown, which auditors render again), and the reader's (print).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from string import Formatter
from types import MappingProxyType
from typing import Final, Protocol

__all__ = ["ENGLISH", "Figures", "Voice", "among", "figures", "later", "retold", "say", "speaking"]


class Figures(Protocol):
    """How whole numbers, fractions, shares and days are written."""

    def whole(self, number: int) -> str:
        """`7,305`."""
        ...

    def fraction(self, whole: int, digits: str) -> str:
        """`1.237` of 1 and `237`."""
        ...

    def percent(self, permille: int) -> str:
        """`77.3%` of 773."""
        ...

    def date(self, moment: datetime) -> str:
        """The day alone."""
        ...

    def time(self, moment: datetime) -> str:
        """Day and time, in UTC, without saying so."""
        ...


class _Own:
    """The looks that no locale changes."""

    def whole(self, number: int) -> str:
        return f"{number:,}"

    def fraction(self, whole: int, digits: str) -> str:
        return f"{whole:,}.{digits}"

    def percent(self, permille: int) -> str:
        return f"{permille // 10}.{permille % 10}%"

    def date(self, moment: datetime) -> str:
        return moment.strftime("%Y-%m-%d")

    def time(self, moment: datetime) -> str:
        return moment.strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True)
class Voice:
    """Words of one language, and the looks of its figures."""

    words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """English as the sections have it, to what is said instead"""
    figures: Figures = field(default_factory=_Own)


_NUMBER: Final = re.compile(r"\d[\d,]*|\b[a-z_]+(?:\.[a-z_]+)+\b")
"""numbers and names of facts: what a sentence of the evidence is known without"""
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}(,\d{3}){1,9}")
"""up to more than anything has been counted to; what is longer is no number of ours"""
ENGLISH: Final = Voice()
_voice: Final[ContextVar[Voice]] = ContextVar("voice", default=ENGLISH)


@contextmanager
def speaking(voice: Voice) -> Iterator[None]:
    """A block in which `say` and all figures are that voice's."""
    token = _voice.set(voice)
    try:
        yield
    finally:
        _voice.reset(token)


def say(sentence: str, /, **values: str | int) -> str:
    """A sentence of ours in the language of the document; `{name}` takes a value as it is."""
    said = _voice.get().words.get(sentence, sentence)
    return said.format(**values) if values else said


def retold(sentence: str) -> str:
    """A sentence that the evidence brought: in the language of the document, if it is known apart from its numbers and names of facts."""
    words = _voice.get().words
    if not words or sentence in words:
        return words.get(sentence, sentence)
    numbers = _NUMBER.findall(sentence)
    count = iter(range(1, len(numbers) + 1))
    known = words.get(_NUMBER.sub(lambda _: f"{{n{next(count)}}}", sentence.replace("{", "{{").replace("}", "}}")))
    return sentence if known is None else known.format(**{f"n{i}": _figure(n) for i, n in enumerate(numbers, start=1)})


def among(text: str, sentences: Iterable[str]) -> str:
    """A text that the evidence brought: as the first of these sentences that it is, whatever names and numbers it holds."""
    if not _voice.get().words:
        return text
    for sentence in sentences:
        values = _taken(text, _parts(sentence))
        if values is not None:
            return say(sentence, **{name: _figure(value) for name, value in values.items()})
    return text


@lru_cache(maxsize=512)
def _parts(sentence: str) -> tuple[tuple[str, str], ...]:
    """Words of a sentence, each with the value that follows; the last with none."""
    parts = [(words, name or "") for words, name, _, _ in Formatter().parse(sentence)]
    return (*parts, ("", "")) if parts[-1][1] else tuple(parts)


def _taken(text: str, parts: tuple[tuple[str, str], ...]) -> dict[str, str] | None:
    """The values that make the sentence this text: each as short as it can be, none of them empty."""
    first, name = parts[0]
    last = parts[-1][0]
    if len(parts) == 1:
        return {} if text == first else None
    if not (text.startswith(first) and text.endswith(last)):
        return None
    values: dict[str, str] = {}
    start, end = len(first), len(text) - len(last)
    for words, following in parts[1:-1]:
        found = text.find(words, start + 1, end)
        if found < 0:
            return None
        values[name] = text[start:found]
        start, name = found + len(words), following
    if start >= end:
        return None
    return {**values, name: text[start:end]}


def _figure(value: str) -> str:
    """A number with separators, as the document writes numbers; whatever else it is, as it is."""
    return _voice.get().figures.whole(int(value.replace(",", ""))) if _THOUSANDS.fullmatch(value) else value


def later(sentence: str) -> str:
    """The same sentence: it is said later, and this says that it has to be translated."""
    return sentence


def figures() -> Figures:
    """How figures of the document look."""
    return _voice.get().figures
