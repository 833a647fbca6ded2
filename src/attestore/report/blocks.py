"""A report as a value: a flat list of blocks that Markdown and HTML templates both walk.

Templates decide looks, never facts: whatever a reader will see is already here as text. A plain `str` is data and
is escaped wherever it goes; only `Prose`, made by `attestore.report.words`, may carry inline Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, TypeAlias

from attestore.report.voice import say

__all__ = [
    "Align",
    "Block",
    "Bullets",
    "Callout",
    "Cell",
    "Code",
    "Column",
    "Document",
    "Fact",
    "Facts",
    "Gauge",
    "Heading",
    "Mark",
    "Para",
    "Prose",
    "Prospect",
    "Span",
    "Table",
    "Text",
    "Tone",
    "Trend",
]


_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Prose:
    """A sentence of ours as inline Markdown; every value in it has been escaped."""

    markdown: str


Text: TypeAlias = str | Prose


class Tone(Enum):
    """What a mark means, beside the word it always carries; the value is the class name in HTML."""

    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    QUIET = "quiet"

    @property
    def sign(self) -> str:
        """A shape that survives black-and-white print."""
        return {Tone.GOOD: "✓", Tone.BAD: "✗", Tone.DOUBT: "?", Tone.QUIET: "–"}[self]


@dataclass(frozen=True, slots=True)
class Mark:
    """A word that judges, with its tone."""

    word: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a line, in thousandths of its length: one bar of a timeline."""

    start: int
    length: int


Cell: TypeAlias = str | Prose | Mark | Span


class Align(Enum):
    """How a column is set."""

    LEFT = "left"
    RIGHT = "right"
    CENTRE = "center"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `mono` columns hold identifiers and digests, `wide` ones take the room that is left, `whole` ones never break."""

    title: str
    align: Align = Align.LEFT
    mono: bool = False
    wide: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a section (level 2) or a part of one (level 3)."""

    kind: ClassVar[str] = "heading"
    level: int
    text: Text
    anchor: str
    fresh_page: bool = False


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph; `quiet` ones are notes to what stands above."""

    kind: ClassVar[str] = "para"
    text: Text
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A label, its value, and a note that qualifies it."""

    label: str
    value: Cell
    note: Text = ""
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with values; `tiles` are set large, for a first page."""

    kind: ClassVar[str] = "facts"
    items: tuple[Fact, ...]
    tiles: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head that repeats on every page; `note` says what was folded away or how it was counted."""

    kind: ClassVar[str] = "table"
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: Text = ""
    total: tuple[Cell, ...] = ()
    note: Text = ""

    def __post_init__(self) -> None:
        for row in (*self.rows, *((self.total,) if self.total else ())):
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells under {len(self.columns)} columns: {row!r}")


@dataclass(frozen=True, slots=True)
class Code:
    """Text that is printed as it is: statements, commands, program output."""

    kind: ClassVar[str] = "code"
    text: str
    language: str = ""
    caption: Text = ""


@dataclass(frozen=True, slots=True)
class Callout:
    """Something nobody may overlook: the verdict, a warning; `large` for the one on the first page."""

    kind: ClassVar[str] = "callout"
    tone: Tone
    title: Text
    lines: tuple[Text, ...] = ()
    large: bool = False


@dataclass(frozen=True, slots=True)
class Gauge:
    """A measured value drawn against its target, both in thousandths of the drawn length."""

    kind: ClassVar[str] = "gauge"
    label: str
    measured: str
    target: str
    words: str
    """the whole picture in one sentence, for those who do not see it"""
    filled: int
    target_at: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class Trend:
    """One quantity over the runs, oldest first; None where a run did not measure it."""

    kind: ClassVar[str] = "trend"
    label: str
    words: str
    """the whole picture in one sentence, for those who do not see it"""
    first: str
    """under the oldest"""
    last: str
    values: tuple[int | None, ...]
    tones: tuple[Tone, ...]
    bound: int | None = None
    """drawn as a line across, where there is one"""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.tones):
            raise ValueError(f"{len(self.values)} values with {len(self.tones)} tones")


@dataclass(frozen=True, slots=True)
class Prospect:
    """A quantity by date and where it goes: all measures in thousandths of the picture, its right half being ahead."""

    kind: ClassVar[str] = "prospect"
    label: str
    words: str
    """what is drawn how, for those who do not see it, too"""
    first: str
    """under the left edge"""
    now: str
    """under the middle"""
    last: str
    points: tuple[tuple[int, int], ...]
    line: tuple[int, int, int]
    """height at the left edge, in the middle, at the right; may leave the picture"""
    low: tuple[int, int]
    """lower end of the range, in the middle and at the right edge"""
    upper: tuple[int, int]
    target_at: int


Block: TypeAlias = Heading | Para | Bullets | Facts | Table | Code | Callout | Gauge | Trend | Prospect


@dataclass(frozen=True, slots=True)
class Document:
    """Everything a template needs to set one report."""

    kind: str
    """what sort of document, as a reader says it: `Gate report`"""
    title: Text
    plain_title: str
    """the title for metadata and bookmarks"""
    subtitle: Text
    running: str
    """run id, on each page"""
    ledger: str
    """position and short head of the ledger, on each page"""
    watermark: str
    """FAIL, UNKNOWN or nothing"""
    language: str
    paper: str
    blocks: tuple[Block, ...]
    contents: bool = False
    """whether a table of contents is worth its room"""
    sort: str = "gate"
    """gate, summary or plan: decides how tightly it is set"""
    organisation: str = ""
    """whose report it is; empty: nobody's but ours"""
    accent: str = ""
    """`#1f4e8c`; empty: the colour of the style sheet"""
    logo: str = ""
    """file name of the logo beside the templates; empty: none"""

    @property
    def hue(self) -> str:
        """The accent where it is a colour and nothing else, so that a style sheet may take it."""
        return self.accent if _COLOUR.fullmatch(self.accent) else ""

    @property
    def said(self) -> Mapping[str, str]:
        """The words of the page itself, in the language of the document."""
        before, _, rest = say("page {page} of {pages}").partition("{page}")
        between, _, after = rest.partition("{pages}")
        return {
            "contents": say("Contents"),
            "before": before.strip(),
            "between": between.strip(),
            "after": after.rstrip(),
            "run": say("run"),
            "figures": say("Numbers and dates in this text are written the English way; the PDF has the reader’s."),
        }

    @property
    def sections(self) -> tuple[Heading, ...]:
        """The headings of level 2, for a table of contents."""
        return tuple(block for block in self.blocks if isinstance(block, Heading) and block.level == 2)  # noqa: PLR2004
