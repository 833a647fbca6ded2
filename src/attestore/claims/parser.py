"""The one room that knows PostgreSQL's own parser: SQL text to trees of plain mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import postgast
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

__all__ = ["Parsed", "Refused", "Tree", "parse", "within"]

Tree: TypeAlias = Mapping[str, Any]

_LONGEST: Final = 50_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement's tree, and the offset at which it begins."""

    tree: Tree
    start: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why PostgreSQL does not accept a text, and the offset it points at; `judged` is False where that says nothing."""

    why: str
    offset: int
    judged: bool = True


def parse(sql: str) -> tuple[Parsed, ...] | Refused:
    """The statements of a text, or what PostgreSQL's parser says against it."""
    if len(sql) > _LONGEST or "\x00" in sql:
        return Refused("longer than this reader looks at", 0, judged=False)
    try:
        result = postgast.parse(sql)
    except postgast.PgQueryError as problem:
        return Refused(problem.message, max(problem.cursorpos - 1, 0), judged="memory exhausted" not in problem.message)
    except (DecodeError, UnicodeError, ValueError):
        return Refused("nested deeper than this reader looks", 0, judged=False)
    encoded = sql.encode("utf-8", "surrogatepass")
    found: list[Parsed] = []
    for each in result.stmts:
        tree: Tree = MessageToDict(each.stmt)
        found.append(Parsed(tree, len(encoded[: each.stmt_location].decode("utf-8", "ignore"))))
    return tuple(found)


def within(tree: object) -> Iterator[tuple[str, Tree]]:
    """Every node below, with its name, in no promised order."""
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            for name, value in each.items():
                if isinstance(value, Mapping):
                    yield name, value
                waiting.append(value)
        elif isinstance(each, list):
            waiting.extend(each)
