"""Where data becomes text: control characters made visible, Markdown disarmed, sentences put together.

Data is hostile until it went through here. `escape` turns any string into Markdown that reads as exactly that
string, on one line, wherever a line or a cell allows inline text; a property test parses it back to prove that.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Final

from attestore.report.blocks import Cell, Mark, Prose, Span, Text
from attestore.report.voice import say

__all__ = ["bold", "code", "escape", "joined", "plain", "prose", "visible", "visible_lines"]

# Named ranges, not unicodedata: the same bytes must come out of every Python for ever.
_HIDDEN: Final = (
    "\x00-\x1f\x7f-\xa0\xad"
    "\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164"
    "\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HIDDEN_ANYWHERE: Final = re.compile(f"[{_HIDDEN}]")
_HIDDEN_OR_EDGE: Final = re.compile(rf"[{_HIDDEN}]|(?<= ) |^ | \Z")

# Inert inside a line: , . ) ( ' " % ; ? / = + - > and intraword _ ; a colon or < before a space, a colon at the end. Lines begin
# with words of ours or behind `- `, `| `, `> `, `# `, so that only a list, a quote or a rule could begin with data.
_ACTIVE: Final = re.compile(
    r"""[\\`*\[\]|~&$\#@!{}^]
    | (?<![0-9A-Za-z_])_+ | _+(?![0-9A-Za-z_])
    | :(?![ 0-9]|\Z) | \A:
    | <(?![ ])
    | (?<=[wW]{3})\.
    | \A[-+>]
    """,
    re.VERBOSE,
)
_NUMBERED: Final = re.compile(r"\A([0-9]{1,9})([.)])(?= |\Z)")
_SAFE_CODE: Final = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z_.:/@+=,()*<>%$' -]*[0-9A-Za-z_.:/@+=,()*<>%$'-])?")


def visible(text: str) -> str:
    """One line in which nothing hides: line ends, control, bidi and odd space characters as `‹U+202E›`."""
    # most of what is printed: only ASCII that shows, and no space at an edge or beside another
    if text.isascii() and text.isprintable() and "  " not in text and text == text.strip(" "):
        return text
    return _HIDDEN_OR_EDGE.sub(_named, text)


def visible_lines(text: str) -> str:
    """The same for text of several lines, whose line ends and indentation stay."""
    return "\n".join(_HIDDEN_ANYWHERE.sub(_named, line.replace("\t", "    ")) for line in text.split("\n"))


def escape(text: str) -> str:
    """Markdown that reads as `visible(text)`, never as anything else, at any place that takes inline text."""
    shown = _ACTIVE.sub(lambda found: "".join(f"\\{char}" for char in found[0]), visible(text))
    return _NUMBERED.sub(r"\1\\\2", shown)


def prose(sentence: str, /, **values: Text | int) -> Prose:
    """A sentence of ours with inline Markdown, in the language of the document; `{name}` takes a value, escaped unless it is `Prose` itself."""
    parts: list[str] = []
    for literal, name, _, _ in Formatter().parse(say(sentence)):
        parts.append(literal)
        if name is not None:
            value = values[name]
            parts.append(value.markdown if isinstance(value, Prose) else escape(str(value)))
    return Prose("".join(parts))


def code(text: str) -> Prose:
    """Set in the fixed font where the text is harmless inside a code span, else escaped as it is."""
    return Prose(f"`{text}`") if _SAFE_CODE.fullmatch(text) and "  " not in text else Prose(escape(text))


def bold(text: str) -> Prose:
    """Set bold."""
    shown = escape(text)
    return Prose(f"**{shown}**") if shown and shown[0].isalnum() and shown[-1].isalnum() else Prose(shown)


def joined(items: tuple[Text, ...] | list[Text], *, by: str = ", ") -> Prose:
    """Several texts as one."""
    return Prose(by.join(item.markdown if isinstance(item, Prose) else escape(item) for item in items))


def plain(cell: Cell) -> str:
    """What a cell says, without any markup: for titles and tests."""
    match cell:
        case str():
            return visible(cell)
        case Prose():
            return re.sub(r"\\([!-/:-@\[-`{-~])|[*`]", lambda found: found[1] or "", cell.markdown)
        case Mark():
            return say(cell.word)
        case Span():
            return ""


def _named(found: re.Match[str]) -> str:
    return f"‹U+{ord(found[0]):04X}›"
