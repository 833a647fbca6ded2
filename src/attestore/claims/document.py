"""A Markdown document as a forensic reader sees it: passages, tables and code, each with its line in the source.

Nothing of the document is interpreted beyond its shape: HTML stays text, links are not followed, images not opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["Block", "Code", "Document", "Passage", "Row", "Table", "read"]

_LONGEST_INLINE: Final = 4_000
"""Beyond it inline marks stay as they are: no text that long is a claim, and emphasis is not linear"""

_LONGEST_LINE: Final = 4_000
"""A longer line is no statement; the same bound as for sentences keeps every document quick"""

_LEAST_ROWS: Final = 2
_BARRED: Final = re.compile(r"\|[^\n]+\|")
_TASK: Final = re.compile(r"\[([ xX])\]\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """A heading, paragraph or list item without its marks; a line end in `text` is one in the source."""

    text: str
    line: int
    section: tuple[str, ...]
    heading: int = 0
    """1 to 6 of a heading; 0: none"""
    items: int = 0
    """which list it belongs to; 0: none"""
    depth: int = 0
    ticked: bool | None = None
    """of a task list's item: whether it is ticked"""
    codes: tuple[str, ...] = ()
    """what stands in code spans"""

    def line_at(self, offset: int) -> int:
        """Line of the source that a place of the text stands on."""
        return self.line + self.text.count("\n", 0, offset)

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line of the source, without marks, but those too long for a statement."""
        yield from (
            (line, text) for line, text in enumerate(self.text.split("\n"), self.line) if len(text) <= _LONGEST_LINE
        )


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a table's row without their marks."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Head and rows; every row has as many cells as the head."""

    line: int
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    section: tuple[str, ...]

    @property
    def end(self) -> int:
        """Line of the last row."""
        return self.rows[-1].line if self.rows else self.line


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code; `line` is that of its first line of content."""

    text: str
    line: int
    language: str
    section: tuple[str, ...]

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line of the source, but those too long to be read by anybody."""
        yield from (
            (line, text) for line, text in enumerate(self.text.split("\n"), self.line) if len(text) <= _LONGEST_LINE
        )

    @property
    def end(self) -> int:
        """Line of the last line of content."""
        return self.line + max(self.text.rstrip("\n").count("\n"), 0)


Block: TypeAlias = Passage | Table | Code


@dataclass(frozen=True, slots=True)
class Document:
    """The blocks in their order, and the lines as they stand in the source."""

    source: tuple[str, ...]
    blocks: tuple[Block, ...]
    text: str = field(default="", repr=False)
    german: bool = False
    """numbers are written the German way: 7.305 is seven thousand"""

    def quoted(self, line: int) -> str:
        """A line of the source, stripped."""
        return self.source[line - 1].strip() if 0 < line <= len(self.source) else ""

    @property
    def passages(self) -> Iterator[Passage]:
        """Headings, paragraphs and items."""
        return (block for block in self.blocks if isinstance(block, Passage))

    @property
    def tables(self) -> Iterator[Table]:
        """Tables."""
        return (block for block in self.blocks if isinstance(block, Table))

    @property
    def codes(self) -> Iterator[Code]:
        """Blocks of code."""
        return (block for block in self.blocks if isinstance(block, Code))


def read(text: str) -> Document:
    """The document's blocks, each with the line it begins on."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "\ufffd")
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table").disable("inline")
    tokens = parser.parse(text)
    parser.enable("inline")
    reader = _Reader(parser)
    for token in tokens:
        reader.take(token)
    return Document(tuple(text.split("\n")), tuple(reader.blocks), text, _is_german(text))


_GERMAN_NUMBER: Final = re.compile(r"(?<![\w.,])\d{1,3}(?:\.\d{3})+,\d|(?<![\w.,])\d+,\d{1,2} ?(?:%|s\b|min|MB|GB|Sek)")
_ENGLISH_NUMBER: Final = re.compile(
    r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d])|(?<![\w.,])\d+\.\d{1,2} ?(?:%|s\b|min|MB|GB|sec)"
)
_GERMAN_WORD: Final = re.compile(r"\b(?:und|der|die|das|wurde|wurden|mit|nach|von|Zeilen|Tabellen|Datum|nicht)\b")
_ENGLISH_WORD: Final = re.compile(r"\b(?:and|the|was|were|with|after|of|rows|tables|date|not)\b", re.IGNORECASE)


def _is_german(text: str) -> bool:
    sample = text[:200_000]
    german, english = len(_GERMAN_NUMBER.findall(sample)), len(_ENGLISH_NUMBER.findall(sample))
    if german != english:
        return german > english
    return len(_GERMAN_WORD.findall(sample)) > len(_ENGLISH_WORD.findall(sample))


class _Reader:
    """Takes tokens in their order; the open ones are remembered on the way."""

    def __init__(self, parser: MarkdownIt) -> None:
        self.blocks: list[Block] = []
        self._parser = parser
        self._headings: list[tuple[int, str]] = []
        self._heading = 0
        self._lists: list[int] = []
        self._count = 0
        self._rows: list[Row] = []
        self._cells: list[str] | None = None
        self._table = 0
        self._row = 0

    @property
    def _section(self) -> tuple[str, ...]:
        return tuple(text for _, text in self._headings)

    def take(self, token: Token) -> None:
        """One token."""
        line = (token.map[0] if token.map else 0) + 1
        match token.type:
            case "heading_open":
                self._heading = int(token.tag[1:])
            case "heading_close":
                self._heading = 0
            case "bullet_list_open" | "ordered_list_open":
                self._count += 1
                self._lists.append(self._count)
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "inline" if self._cells is None:
                self._passage(token, line)
            case "fence" | "code_block":
                self._code(token, line)
            case _:
                self._tabular(token, line)

    def _tabular(self, token: Token, line: int) -> None:
        match token.type:
            case "table_open":
                self._table, self._rows = line, []
            case "tr_open":
                self._row, self._cells = line, []
            case "th_open" | "td_open" if self._cells is not None:
                self._cells.append("")
            case "inline" if self._cells:
                self._cells[-1] = self._plain(token.content)[0].replace("\n", " ").strip()
            case "tr_close" if self._cells is not None:
                self._rows.append(Row(self._row, tuple(self._cells)))
                self._cells = None
            case "table_close" if self._rows:
                head, *rows = self._rows
                self.blocks.append(Table(self._table, head.cells, tuple(rows), self._section))
            case _:
                pass

    def _passage(self, token: Token, line: int) -> None:
        text, codes = self._plain(token.content)
        if self._heading:
            while self._headings and self._headings[-1][0] >= self._heading:
                self._headings.pop()
            self._headings.append((self._heading, text.replace("\n", " ")))
        ticked = None
        if self._lists and (task := _TASK.match(text)):
            ticked = task[1] != " "
            text = text[task.end() :]
        if not self._heading and (table := self._wiki(token.content, line)) is not None:
            self.blocks.append(table)
            return
        items = self._lists[-1] if self._lists else 0
        self.blocks.append(Passage(text, line, self._section, self._heading, items, len(self._lists), ticked, codes))

    def _wiki(self, content: str, line: int) -> Table | None:
        """A table as wikis export it: lines of cells between bars, without a rule below the head."""
        lines = [each.strip() for each in content.split("\n")]
        if len(lines) < _LEAST_ROWS or not all(_BARRED.fullmatch(each) for each in lines):
            return None
        rows = [
            Row(line + number, tuple(self._plain(cell.strip())[0] for cell in re.split(r"\|\|?", each.strip("|"))))
            for number, each in enumerate(lines)
        ]
        width = max(len(row.cells) for row in rows)
        if width < 2:
            return None
        rows = [Row(row.line, row.cells + ("",) * (width - len(row.cells))) for row in rows]
        if lines[0].startswith("||") or width > 2:
            return Table(line, rows[0].cells, tuple(rows[1:]), self._section)
        return Table(line, ("", ""), tuple(rows), self._section)

    def _code(self, token: Token, line: int) -> None:
        first = line + (token.type == "fence")
        language = token.info.split()[0].lower() if token.info.split() else ""
        self.blocks.append(Code(token.content, first, language, self._section))

    def _plain(self, content: str) -> tuple[str, tuple[str, ...]]:
        """The text without marks, and what stands in code spans."""
        if len(content) > _LONGEST_INLINE:
            return content, ()
        children: list[Token] = []
        self._parser.inline.parse(content, self._parser, {}, children)
        parts: list[str] = []
        for child in children:
            match child.type:
                case "softbreak" | "hardbreak":
                    parts.append("\n")
                case _:
                    parts.append(child.content)
        return "".join(parts), tuple(child.content for child in children if child.type == "code_inline")
