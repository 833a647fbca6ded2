"""The published schema and the reader are one: what the one takes the other takes, and a slip is refused by both."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

import vocabulary
from attestore.config import read_installation
from attestore.config.sections import examine, schema
from attestore.errors import GateError

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = re.findall(r"```yaml\n(attestore: 1 .*?)```", (DOCS / "configuration.md").read_text(), flags=re.DOTALL)
WHOLE: Any = yaml.safe_load(EXAMPLES[0])


def refuses(document: Any) -> bool:
    try:
        examine(read_installation(json.dumps(document).encode(), file=Path("attestore.yaml")))
    except GateError:
        return True
    return False


def objects(value: Any) -> bool:
    return bool(list(jsonschema.Draft202012Validator(schema()).iter_errors(value)))


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*path, key)
            yield from places(below, (*path, key))


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


PLACES = list(places(WHOLE))
_WRONG: tuple[Any, ...] = (None, True, "x", 7, {}, [])


def test_the_published_schema_is_the_one_of_the_reader() -> None:
    assert vocabulary.CONFIGURATION.read_text() == vocabulary.configuration_text(), "run tools/vocabulary"
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_of_the_guide_is_read_and_fits_the_schema(text: str) -> None:
    examine(read_installation(text.encode(), file=Path("attestore.yaml")))
    assert not objects(yaml.safe_load(text))


def test_the_whole_example_says_every_key_that_there_is() -> None:
    """What is not in it would be tested by nothing here."""
    told = {str(step) for path in places(WHOLE) for step in path}
    known = {name for part in (schema(), *schema()["$defs"].values()) for name in part.get("properties", {})}
    rare = {
        "style",
        "session_token",
        "storage_class",
        "encryption",
        "kms_key",
        "ca_bundle",
        "part_mib",
        "parallel",
        "hold",
    }
    assert known - told - rare == set()


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_key_that_nobody_knows_is_refused_by_both(path: tuple[str | int, ...]) -> None:
    document = copy.deepcopy(WHOLE)
    above = at(document, path[:-1])
    if path[:-1] in {("systems",), ("stores",)}:
        above = above[path[-1]]
        above["unheard-of"] = 1
    else:
        above[f"{path[-1]}-x"] = above[path[-1]]
    assert (objects(document), refuses(document)) == (True, True)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_value_of_another_kind_is_refused_by_both(path: tuple[str | int, ...]) -> None:
    for wrong in ([[1]], 1.5 if not isinstance(at(WHOLE, path), float) else "x"):
        document = copy.deepcopy(WHOLE)
        at(document, path[:-1])[path[-1]] = wrong
        assert (objects(document), refuses(document)) == (True, True), wrong


def test_nothing_that_the_schema_objects_to_is_read() -> None:
    for path in PLACES:
        for wrong in _WRONG:
            document = copy.deepcopy(WHOLE)
            at(document, path[:-1])[path[-1]] = wrong
            assert not objects(document) or refuses(document), (path, wrong)
