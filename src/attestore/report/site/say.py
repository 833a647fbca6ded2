"""The words of the site: every sentence of ours goes through here once, data never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attestore.report.words import visible

__all__ = ["Say", "english"]

Say: TypeAlias = Callable[..., str]
"""`say("{n} runs", n=…)`: the sentence in the site's language, its values as visible text"""


def english(sentence: str, /, **values: object) -> str:
    """The sentence as it is written; control and bidi characters of its values are made visible."""
    return sentence.format(**{name: visible(str(value)) for name, value in values.items()}) if values else sentence
