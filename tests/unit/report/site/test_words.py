"""The words of the site in other languages: none is forgotten, and none does more with a value than to place it."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import attestore
from attestore.resources import templates_folder

LANGUAGES = sorted(path.stem for path in (templates_folder() / "site").glob("*.po"))
_SAID = re.compile(r"""\bsay\((["'])(.*?)\1[,)]""")


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp():
            yield from _texts(node.body)
            yield from _texts(node.orelse)
        case _:
            return


def sentences() -> set[str]:
    """Every sentence of ours that a page can say."""
    source = Path(attestore.__file__).parent
    found: set[str] = set()
    for path in [*(source / "report/site").glob("*.py"), source / "compose/site.py", source / "compose/looked.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") in {"say", "prose"}:
                found.update(_texts(node.args[0]))
    for path in (templates_folder() / "site").glob("*.j2"):
        found.update(match[2] for match in _SAID.finditer(path.read_text("utf-8")))
    return found


def catalogue(path: Path) -> dict[str, str]:
    read = read_po(io.BytesIO(path.read_bytes()), abort_invalid=True)
    return {str(each.id): str(each.string) for each in read if each.id}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_with_the_values_it_takes(language: str) -> None:
    """By the reports where they say the same, else by the site's own catalogue, which says nothing twice or in vain."""
    words = catalogue(templates_folder() / "site" / f"{language}.po")
    theirs = catalogue(templates_folder() / f"{language}.po")
    assert sorted(sentences() - words.keys() - theirs.keys()) == []
    assert sorted(words.keys() - (sentences() - theirs.keys())) == []
    for sentence, said in words.items():
        assert said, sentence
        assert sorted(re.findall(r"{\w+}", said)) == sorted(re.findall(r"{\w+}", sentence)), sentence


def test_there_is_a_second_language_and_sentences_are_found() -> None:
    """A guard of the test above: it compares something."""
    assert LANGUAGES == ["de"]
    assert {"Security gates", "bundle missing", "It was started; its bundle is missing."} <= sentences()
