"""What pages are put together from, beside the blocks of reports: links, lines of a cell, tables that can be filtered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from attestore.report.blocks import Cell, Column, Mark, Text
from attestore.report.site.pictures import Curve

__all__ = ["Entry", "Figure", "Grid", "Link", "Row", "Stack"]


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page or file; its address was made by `names`."""

    text: str | Mark
    href: str
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """Lines of one cell; the first is the value, the rest are notes to it."""

    first: Cell | Link
    notes: tuple[Text | Link, ...]


Entry: TypeAlias = Cell | Link | Stack


@dataclass(frozen=True, slots=True)
class Row:
    """Cells, and what a filter may ask of them: a few words of ours by name."""

    cells: tuple[Entry, ...]
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; its first column names the row. `name` makes it one that the page's filter sifts."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    name: str = ""
    note: Text = ""
    quiet: bool = False
    """whether the caption is for those only who do not see the heading above it"""


@dataclass(frozen=True, slots=True)
class Figure:
    """A curve with its labels, and the same in words."""

    title: str
    newest: str
    curve: Curve
    top: str
    first: str
    last: str
    target: str
    """the target in words; empty where there is none"""
    words: str
