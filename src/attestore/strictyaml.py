"""The one YAML loader: text, whole numbers, true, false and null, each with its line and column; the rest is refused.

YAML 1.1 turns `1:30` into 90, `012` into 10 and `no` into false, lets the second of two equal keys win and expands
aliases without end. Whatever a reader of YAML 1.1 or 1.2 could take for something else than it looks must be quoted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from attestore import canon
from attestore.errors import GateError

__all__ = ["LARGEST", "Document", "Node", "Path", "did_you_mean", "load", "load_as"]

Path: TypeAlias = Sequence[str | int]
"""Keys and indexes from the top of a document to a value in it; the same as a `loc` of pydantic."""

LARGEST: Final = 256 * 1024
"""Most bytes of a document."""

_DEEPEST = 16
_LARGEST_NUMBER = 2**53 - 1
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_WORDS_1_1 = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"})
_LITERALS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None}
_NUMBER_1_2 = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_Model = TypeVar("_Model", bound=BaseModel)
_Place: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded document: plain values, and where in the file each of them stands."""

    where: str
    """what errors call the file"""
    value: canon.JSON
    values: Mapping[tuple[str | int, ...], _Place]
    keys: Mapping[tuple[str | int, ...], _Place]

    def position(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of the value at `path`, or of its key; of the nearest value above it if it is absent."""
        steps = tuple(path)
        if key and steps in self.keys:
            return self.keys[steps]
        while steps not in self.values:
            steps = steps[:-1]
        return self.values[steps]

    def error(self, message: str, *, at: Path, key: bool = False, hint: str = "") -> GateError:
        """An error that points at the value at `at`, or at its key; the caller raises it."""
        line, column = self.position(at, key=key)
        return GateError(message, where=self.where, line=line, column=column, hint=hint)


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document, which knows where it stands: what the reader of a section is handed."""

    document: Document
    path: tuple[str | int, ...] = ()

    @property
    def value(self) -> canon.JSON:
        """Plain values: text, whole numbers, true, false, null, lists and mappings of them."""
        found: Any = self.document.value
        for step in self.path:
            found = found[step]
        return cast("canon.JSON", found)

    def below(self, *steps: str | int) -> Node:
        """A value inside this one."""
        return Node(self.document, (*self.path, *steps))

    def items(self) -> Iterator[tuple[str, Node]]:
        """Keys and values of a mapping, in the order of the file.

        Raises:
            GateError: it is no mapping.
        """
        if not isinstance(self.value, dict):
            name = str(self.path[-1]) if self.path else "the document"
            raise self.error(f"{name}: {_shown(self.value)} is not a mapping of keys to values")
        for key in self.value:
            yield key, self.below(key)

    def error(self, message: str, *, at: Path = (), key: bool = False, hint: str = "") -> GateError:
        """An error that points at this value, at the one at `at` inside it, or at that one's key."""
        return self.document.error(message, at=(*self.path, *at), key=key, hint=hint)

    def read_as(self, model: type[_Model]) -> _Model:
        """The value as a strict model: arrays become tuples and strings enum members where it says so, nothing else.

        Raises:
            GateError: the model refuses the value; points at the first unknown key, else at the first refused value.
        """
        try:
            return model.model_validate_json(canon.encode(self.value), strict=True)
        except ValidationError as problem:
            # an unknown key explains the one that is missing beside it
            errors = problem.errors(include_url=False)
            unknown = [error for error in errors if error["type"] == "extra_forbidden"]
            told = [_translated(error, model, self) for error in unknown or errors]
            raise min(told, key=lambda error: (error.line, error.column)) from problem


def load(text: bytes, *, where: str) -> Document:
    """Read one YAML document.

    Raises:
        GateError: not UTF-8, larger than 256 KiB, deeper than 16 levels, not YAML, empty, several documents; a
            duplicate key, alias, anchor, merge key, tag or directive; or a plain scalar that is neither text nor a
            whole number, `true`, `false` or `null`.
    """
    reader = _Reader(where)
    if len(text) > LARGEST:
        reader.refuse(
            f"the file has {len(text)} bytes, more than {LARGEST}", hint="Split it; a gate or roster is a page of text."
        )
    try:
        words = text.decode("utf-8")
    except UnicodeDecodeError as problem:
        reader.refuse("the file is not UTF-8", at=_end(text[: problem.start].decode("utf-8")), hint="Save it as UTF-8.")
    if words.startswith("\ufeff"):
        reader.refuse("the file begins with a byte order mark", hint="Save it as UTF-8 without a byte order mark.")
    return reader.document(words)


def load_as(text: bytes, model: type[_Model], *, where: str) -> tuple[_Model, Document]:
    """Read one YAML document as a strict model; the document tells where each value stands, for further checks.

    Arrays become tuples and strings become enum members where the model says so; nothing else is converted.

    Raises:
        GateError: as `load`, or the model refuses the values; points at the first unknown key, else at the
            first refused value of the file.
    """
    document = load(text, where=where)
    return Node(document).read_as(model), document


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or a few known words when none is near."""
    several = sorted(known)
    lowered = {name.lower(): name for name in several}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {lowered[near[0]]}?"
    if not several:
        return ""
    shown = ", ".join(several[:12])
    return f"Known: {shown}{', …' if len(several) > 12 else ''}."  # noqa: PLR2004 - as many as fit on a line


class _Reader:
    """Turns parser events into values; aliases are seen before anything could expand them."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._values: dict[tuple[str | int, ...], _Place] = {}
        self._keys: dict[tuple[str | int, ...], _Place] = {}

    def refuse(self, message: str, *, at: _Place = (1, 1), hint: str = "") -> NoReturn:
        raise GateError(message, where=self._where, line=at[0], column=at[1], hint=hint)

    def document(self, text: str) -> Document:
        try:
            events = iter(list(yaml.parse(text, Loader=yaml.SafeLoader)))
        except yaml.MarkedYAMLError as problem:
            said = " ".join(part for part in (problem.context, problem.problem) if part)
            hint = "Quote text that begins with one of > | & * ! % @ ` or that holds ': '."
            self.refuse(f"this is not YAML: {said}", at=_place(problem.problem_mark or problem.context_mark), hint=hint)
        except yaml.reader.ReaderError as problem:
            self.refuse(
                f"the character U+{ord(text[problem.position]):04X} is not allowed in YAML",
                at=_end(text[: problem.position]),
                hint="Remove it, or write it as an escape in double quotes.",
            )
        next(events)  # the stream's own start
        start = next(events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self.refuse("the file is empty")
        if start.version or start.tags:
            self.refuse(
                "directives are not allowed", at=_place(start.start_mark), hint="Remove the line that begins with %."
            )
        value = self._value(events, next(events), path=())
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self.refuse(
                "a second document begins here",
                at=_place(after.start_mark),
                hint="One file holds one document; remove ---.",
            )
        return Document(where=self._where, value=value, values=self._values, keys=self._keys)

    def _value(self, events: Iterator[yaml.Event], event: yaml.Event, *, path: tuple[str | int, ...]) -> canon.JSON:
        here = self._values[path] = _place(event.start_mark)
        if len(path) > _DEEPEST:
            self.refuse(f"nested deeper than {_DEEPEST} levels", at=here)
        if isinstance(event, yaml.AliasEvent):
            self.refuse(f"the alias *{event.anchor} is not allowed", at=here, hint="Write the value out again.")
        self._undecorated(event)
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.SequenceStartEvent():
                items: list[canon.JSON] = []
                while not isinstance(following := next(events), yaml.SequenceEndEvent):
                    items.append(self._value(events, following, path=(*path, len(items))))
                return items
            case _:
                return self._mapping(events, path=path)

    def _mapping(self, events: Iterator[yaml.Event], *, path: tuple[str | int, ...]) -> dict[str, canon.JSON]:
        pairs: dict[str, canon.JSON] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            here = _place(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse("a key must be a plain word", at=here)
            self._undecorated(event)
            if event.style is None and event.value == "<<":
                self.refuse("merge keys (<<) are not allowed", at=here, hint="Write the keys out.")
            key = self._scalar(event)
            if not isinstance(key, str):
                self.refuse(f"the key {event.value} is not text", at=here, hint=f'Write "{event.value}" in quotes.')
            if key in pairs:
                first = self._keys[*path, key][0]
                self.refuse(f"the key {key!r} appears twice", at=here, hint=f"It is already on line {first}.")
            self._keys[*path, key] = here
            pairs[key] = self._value(events, next(events), path=(*path, key))
        return pairs

    def _undecorated(self, event: yaml.Event) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            self.refuse(f"the anchor &{anchor} is not allowed", at=_place(event.start_mark), hint="Remove it.")
        if tag is not None:
            hint = "Remove it; quote a value that is text."
            self.refuse(f"the tag {tag} is not allowed", at=_place(event.start_mark), hint=hint)

    def _scalar(self, event: yaml.ScalarEvent) -> canon.JSON:
        text: str = event.value
        here = _place(event.start_mark)
        if control := _CONTROL.search(text):
            self.refuse(f"the text holds the control character U+{ord(control.group()):04X}", at=here)
        return text if event.style is not None else self._plain(text, here)

    def _plain(self, text: str, here: _Place) -> canon.JSON:
        if text in _LITERALS:
            return _LITERALS[text]
        if not text:
            self.refuse(
                "there is no value",
                at=here,
                hint='Write one, null, or "" for empty text; quote text with a comma in { }.',
            )
        if _WHOLE.fullmatch(text):
            if len(text) > len(str(-_LARGEST_NUMBER)) or abs(int(text)) > _LARGEST_NUMBER:
                self.refuse(f"{text[:40]} is larger than a whole number may be (2^53 - 1)", at=here)
            return int(text)
        if text.lower() in _WORDS_1_1:
            hint = f'Write true, false or null, or quote it: "{text}".'
            self.refuse(f"{text} can be read as true, false or null, or as text", at=here, hint=hint)
        if _NUMBER_1_2.fullmatch(text) or _implicit(text) != _TEXT:
            hint = f'Quote it: "{text}". Numbers here are whole and decimal.'
            self.refuse(f"{text} can be read as a number or a date, or as text", at=here, hint=hint)
        return text


_TEXT = "tag:yaml.org,2002:str"
_RESOLVERS: Mapping[str, Sequence[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers


def _implicit(text: str) -> str:
    """The tag that YAML 1.1 gives a plain scalar."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return tag
    return _TEXT


def _place(mark: Any) -> _Place:
    """Line and column from 1 of one of PyYAML's marks, which count from 0 and may be absent."""
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _end(before: str) -> _Place:
    """Line and column of what follows `before`."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _translated(error: ErrorDetails, model: type[BaseModel], node: Node) -> GateError:
    """A refusal of pydantic, in words of the file's author, at the place that must change."""
    path = error["loc"]
    whole = (*node.path, *path)
    name = str(whole[-1]) if whole else "the document"
    given = error["input"]
    shown = _shown(given)
    sentence, hint, at = f"{name}: {error['msg'].removeprefix('Value error, ')}", "", path
    match error["type"]:
        case "missing":
            sentence, hint, at = f"{name!r} is missing here", f"Add {name}: …", path[:-1]
        case "extra_forbidden":
            sentence, hint = f"unknown key {name!r}", did_you_mean(name, _fields(model, path[:-1]))
        case "literal_error" | "enum":
            known = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
            sentence, hint = f"{name}: {shown} is not one of {', '.join(known)}", did_you_mean(str(given), known)
        case "string_type":
            quoted = f'Write it in quotes: "{str(given).lower()}".'
            sentence, hint = f"{name}: {shown} is not text", quoted if isinstance(given, int) else ""
        case "int_type":
            sentence = f"{name}: {shown} is not a whole number"
        case "bool_type":
            sentence = f"{name}: {shown} is neither true nor false"
        case "list_type" | "tuple_type":
            sentence, hint = f"{name}: {shown} is not a list", f"Write {name}: [ … ]."
        case "model_type" | "model_attributes_type" | "dict_type":
            sentence = f"{name}: {shown} is not a mapping of keys to values"
        case _:
            pass
    return node.error(sentence, at=at, key=error["type"] == "extra_forbidden", hint=hint)


def _shown(value: object) -> str:
    if isinstance(value, str | int | bool) or value is None:
        return repr(value)
    return "a list" if isinstance(value, list | tuple) else "a mapping"


def _fields(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """Keys that the mapping at `path` may have."""
    here: Any = model
    for step in path:
        models = tuple(_models(here))
        if not models:
            return ()
        if isinstance(step, str) and step in models[0].model_fields:
            here = models[0].model_fields[step].annotation
    return tuple(name for found in _models(here) for name in _names(found))


def _names(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
