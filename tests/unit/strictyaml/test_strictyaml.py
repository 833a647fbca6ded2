from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from attestore import canon, strictyaml
from attestore.errors import GateError


class Lamp(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    name: str
    watts: int = 5


class Room(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    title: str
    lamps: tuple[Lamp, ...] = ()
    dark: bool = False


def refusal(text: bytes) -> GateError:
    with pytest.raises(GateError) as caught:
        strictyaml.load(text, where="gate.yaml")
    return caught.value


def test_only_text_whole_numbers_truth_and_null_come_out() -> None:
    document = strictyaml.load(
        b'a: word\nb: 12\nc: true\nd: null\ne: ["1:30", -7, false, {f: "no"}]\n', where="gate.yaml"
    )
    assert document.value == {"a": "word", "b": 12, "c": True, "d": None, "e": ["1:30", -7, False, {"f": "no"}]}


AMBIGUOUS = (
    *("1:30", "012", "no", "Yes", "ON", "y", "~", "Null", "TRUE", "1_000", "0x1F", "0o17", "+5", "-012", "1.5", ".5"),
    *("1e3", ".inf", ".NaN", "2026-11-22", "2026-11-22T10:00:00Z", "12:30:45", "=", "99999999999999999999", "9" * 5000),
)


@pytest.mark.parametrize("scalar", AMBIGUOUS, ids=lambda scalar: scalar[:20])
def test_what_two_readers_could_take_for_different_things_must_be_quoted(scalar: str) -> None:
    refused = refusal(f"cadence: {scalar}\n".encode())
    assert (refused.line, refused.column) == (1, 10)
    assert strictyaml.load(f'cadence: "{scalar}"\n'.encode(), where="gate.yaml").value == {"cadence": scalar}


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        (b"a: 1\nb: 2\na: 3\n", 3, 1, "appears twice"),
        (b"x:\n  a: 1\n  'a': 2\n", 3, 3, "appears twice"),
        (b"a: &anchor 1\n", 1, 4, "anchor &anchor"),
        (b"a: *nobody\n", 1, 4, "alias *nobody"),
        (b"a: 1\nb: {<<: {c: 1}}\n", 2, 5, "merge keys"),
        (b"a: !!int 1\n", 1, 4, "tag"),
        (b"a: !python/object:os.system x\n", 1, 4, "tag"),
        (b"&k a: 1\n", 1, 1, "anchor &k"),
        (b"a: 1\n---\nb: 2\n", 2, 1, "second document"),
        (b"%YAML 1.1\n---\na: 1\n", 1, 1, "directives"),
        (b"", 1, 1, "empty"),
        (b"# nothing but a remark\n", 1, 1, "empty"),
        (b"a:\n", 1, 3, "no value"),
        (b"{title: one, two}\n", 1, 17, "no value"),
        (b"7: a\n", 1, 1, "the key 7 is not text"),
        (b"true: a\n", 1, 1, "the key true is not text"),
        (b"? [a, b]\n: c\n", 1, 3, "a key must be a plain word"),
        (b"\xef\xbb\xbfa: 1\n", 1, 1, "byte order mark"),
        (b"a: 1\nb: caf\xe9\n", 2, 7, "not UTF-8"),
        (b"a: 1\nb: x\x07y\n", 2, 5, "U+0007"),
        (b'a: "\\u0000"\n', 1, 4, "U+0000"),
        (b'a: "\\ud800"\n', 1, 4, "U+D800"),
        (b'a: "\\e[31m"\n', 1, 4, "U+001B"),
        (b"a: [1, 2\n", 2, 1, "not YAML"),
        (b"must: > 30m\n", 1, 9, "not YAML"),
        (b"a: " + b"[" * 20 + b"]" * 20 + b"\n", 1, 20, "nested deeper"),
    ],
)
def test_a_refusal_names_file_line_and_column(text: bytes, line: int, column: int, words: str) -> None:
    refused = refusal(text)
    assert words in refused.message
    assert refused.message.startswith(f"gate.yaml:{line}:{column}: ")
    assert (refused.where, refused.line, refused.column) == ("gate.yaml", line, column)


def test_a_file_larger_than_the_limit_is_refused_before_it_is_parsed() -> None:
    assert "bytes, more than" in refusal(b"#" * (strictyaml.LARGEST + 1)).message
    assert strictyaml.load(b"a: 1\n".ljust(strictyaml.LARGEST, b"#"), where="x").value == {"a": 1}


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    bomb = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in b"bcdefgh")
    assert refusal(bomb).line == 1


def test_each_value_and_each_key_keeps_its_place() -> None:
    document = strictyaml.load("title: Зал\nlamps:\n  - {name: ä, watts: 7}\n".encode(), where="room.yaml")
    assert document.position(()) == (1, 1)
    assert document.position(("title",)) == (1, 8)
    assert document.position(("lamps", 0, "watts")) == (3, 22)
    assert document.position(("lamps", 0, "watts"), key=True) == (3, 15)
    assert document.position(("lamps", 0, "colour")) == (3, 5)


@pytest.mark.parametrize(
    ("text", "place", "words", "hint"),
    [
        (b"title: a\nlamps:\n  - {name: b, wats: 3}\n", (3, 15), "unknown key 'wats'", "Did you mean watts?"),
        (b"title: a\nfloor: 3\n", (2, 1), "unknown key 'floor'", "Known: dark, lamps, title."),
        (b"lamps: []\n", (1, 1), "'title' is missing here", "Add title: …"),
        (b"title: a\nlamps:\n  - {watts: 3}\n", (3, 5), "'name' is missing here", "Add name: …"),
        (b"title: 7\n", (1, 8), "title: 7 is not text", 'Write it in quotes: "7".'),
        (b"title: true\n", (1, 8), "title: True is not text", 'Write it in quotes: "true".'),
        (b"title: a\nlamps: b\n", (2, 8), "lamps: 'b' is not a list", "Write lamps: [ … ]."),
        (b"title: a\nlamps: [b]\n", (2, 9), "is not a mapping", ""),
        (b"title: a\nlamps: [{name: c, watts: d}]\n", (2, 26), "watts: 'd' is not a whole number", ""),
        (b"title: a\ndark: 1\n", (2, 7), "dark: 1 is neither true nor false", ""),
        (b"- 1\n", (1, 1), "is not a mapping", ""),
    ],
)
def test_what_a_model_refuses_is_told_in_words_at_its_place(
    text: bytes, place: tuple[int, int], words: str, hint: str
) -> None:
    with pytest.raises(GateError) as caught:
        strictyaml.load_as(text, Room, where="room.yaml")
    assert words in caught.value.message
    assert (caught.value.line, caught.value.column) == place
    assert caught.value.hint == hint


def test_of_several_refusals_an_unknown_key_is_told_first_then_the_first_in_the_file() -> None:
    """A misspelt key explains why the right one is missing."""
    with pytest.raises(GateError, match="unknown key 'titel'"):
        strictyaml.load_as(b"dark: 3\ntitel: a\nsize: 3\n", Room, where="room.yaml")
    with pytest.raises(GateError, match=r"room\.yaml:1:7"):
        strictyaml.load_as(b"dark: 3\ntitle: 7\n", Room, where="room.yaml")


def test_a_model_gets_tuples_and_the_document_tells_places() -> None:
    room, document = strictyaml.load_as(b"title: a\nlamps: [{name: b}]\n", Room, where="room.yaml")
    assert room == Room(title="a", lamps=(Lamp(name="b"),))
    assert document.error("too bright", at=("lamps", 0), hint="dim it").message == "room.yaml:2:9: too bright"


WRITTEN = st.text(st.characters(exclude_categories=["C"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WRITTEN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WRITTEN, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_whatever_a_safe_writer_quotes_comes_back_unchanged(value: canon.JSON) -> None:
    """JSON is YAML: every string quoted, so nothing is left to guess."""
    assert strictyaml.load(canon.encode(value), where="x").value == value


@given(st.binary(max_size=200))
@example(b"a: \xc2\x85b")
@example(b"\xe2\x80\xa8")
@example(b"a: |\n  x\n\ty")
def test_no_bytes_bring_it_down(data: bytes) -> None:
    """A value or a refusal in the family, never another exception."""
    with contextlib.suppress(GateError):
        strictyaml.load(data, where="x")


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_plain_scalar_is_never_read_otherwise_than_by_yaml_1_1(text: str) -> None:
    """What is not refused reads the same in PyYAML, so an editor's preview and Attestore agree."""
    try:
        value = strictyaml.load(f"a: {text}\n".encode(), where="x").value
    except GateError:
        return
    assert value == yaml.safe_load(f"a: {text}\n")


def test_a_hint_names_the_nearest_word_whatever_its_case() -> None:
    known = ["restore.rto", "restore.rpo", "tables.compared"]
    assert strictyaml.did_you_mean("Restore.RTO", known) == "Did you mean restore.rto?"
    assert strictyaml.did_you_mean("xyz", known) == "Known: restore.rpo, restore.rto, tables.compared."
    assert strictyaml.did_you_mean("xyz", []) == ""
