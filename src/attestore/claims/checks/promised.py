"""What is called done in one place and stands among what is still to be done in another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import sentences
from attestore.claims.labels import is_mark
from attestore.claims.model import Book, Kind

__all__ = ["check"]

_AHEAD: Final = re.compile(
    r"\b(?:next (?:steps?|actions?)|future (?:work|improvements?|enhancements?)|to[- ]?dos?|outstanding|open (?:items?|points?|tasks?|work)|follow[- ]?ups?"
    r"|roadmap|remaining (?:work|tasks?|items?|steps?)|still (?:open|missing|to do)|not (?:yet )?(?:done|implemented|covered)|backlog|known (?:limitations?|gaps?)"
    r"|limitations|gaps|planned|action items|nächste schritte|offene (?:punkte|aufgaben)|ausblick|geplant|noch zu tun)\b",
    re.IGNORECASE,
)
_MIXED: Final = re.compile(r"\b(?:limitations?|gaps?|einschränkungen)\b", re.IGNORECASE)
"""Headings under which only what is said to be missing is missing"""
_UNDONE: Final = re.compile(
    r"\b(?:(?:is|are|was|were|has|have|ist|sind|wurden?)\s+)?(?:(?:still|currently|noch)\s+)?"
    r"(?:(?:has|have)?\s*not (?:yet )?(?:been )?(?:implemented|done|tested|verified|configured|enabled|set up|available|supported|in place|deployed|built|written|automated)"
    r"|(?:planned|scheduled|deferred|postponed) (?:for|to|until)|(?:yet )?to be (?:implemented|done|tested|added|configured|written|built|set up)"
    r"|will be (?:implemented|added|tested|configured|built|written)|missing\b|noch nicht (?:umgesetzt|getestet|eingerichtet|geprüft)|geplant für)(?: yet)?",
    re.IGNORECASE,
)
_TODO: Final = re.compile(r"^\W*(?:TODO|TBD|FIXME|to do|noch offen|offen)\b[^\w\n]*", re.IGNORECASE)
_DOING: Final = re.compile(
    r"^\W*(?:(?:we |wir )?(?:need to|must|should|plan to|will|have to)\s+)?(?:implement|add|set ?up|enable|configure|build|create|write|introduce|test|verify|"
    r"validate|deploy|wire|integrate|encrypt|document|perform|run|execute|complete|finish|conduct|rehearse|rotate|schedule|train|migrate|establish|install|activate|define|carry out)\b",
    re.IGNORECASE,
)
_FURTHER: Final = re.compile(
    r"\b(?:more|further|additional|extend|improve|again|repeat|regular\w*|monthly|quarterly|weekly|annual\w*|yearly|other|another|larger|second|next|"
    r"remaining|rest of|also|instead|better|faster|automat\w*|re-?run|re-?test|future|per (?:month|quarter|year)|continue|periodic\w*|review|update|upgrade|"
    r"weitere\w*|erneut|regelmäßig\w*|production|staging)\b",
    re.IGNORECASE,
)
_DONE: Final = re.compile(
    r"[✅✔☑]|\b(?:implement(?:s|ed)|complete[ds]?|done|delivered|deliver[s]?|in place|verified|tested|validated|enabled|configured|deployed|comprehensive\w*|fully|"
    r"adds|added|built|integrated|established|introduced|provides|supports|works|active|operational|documented|wired|umgesetzt|eingerichtet|getestet|geprüft|"
    r"implementiert|abgeschlossen|vollständig|fertig\w*)\b",
    re.IGNORECASE,
)
_OPEN: Final = re.compile(
    r"[❌✘☐⬜⏳🚧]|\b(?:not|no|without|will|would|should|could|must|can|if|once|until|when|plann(?:ed|ing)|plans? to|todo|tbd|to be|pending|missing|partial\w*|partly|only|except|prototype|"
    r"proposed?|next|future|staging|later|never|nicht|noch|kein\w*|geplant|teilweise|previous\w*|how to|needs?|required?|requires?|outstanding|deferred|skipped)\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W_]+")
_SMALL: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "for",
        "in",
        "on",
        "at",
        "to",
        "and",
        "or",
        "is",
        "was",
        "were",
        "be",
        "been",
        "by",
        "with",
        "from",
        "as",
        "it",
        "its",
        "our",
        "this",
        "that",
        "all",
        "each",
        "every",
        "into",
        "via",
        "using",
        "der",
        "die",
        "das",
        "des",
        "dem",
        "den",
        "ein",
        "eine",
        "und",
        "oder",
        "von",
        "für",
        "im",
        "am",
        "zu",
        "ist",
        "war",
        "wird",
        "werden",
        "mit",
        "auf",
        "we",
        "i",
        "pr",
        "yet",
        "still",
        "currently",
        "up",
        "out",
        "implement",
        "implemented",
        "implements",
        "add",
        "adds",
        "added",
        "set",
        "setup",
        "enable",
        "enabled",
        "configure",
        "configured",
        "build",
        "built",
        "create",
        "created",
        "write",
        "introduce",
        "deploy",
        "deployed",
        "wire",
        "wired",
        "integrate",
        "integrated",
        "document",
        "documented",
        "perform",
        "run",
        "execute",
        "complete",
        "completed",
        "finish",
        "conduct",
        "establish",
        "install",
        "activate",
        "define",
        "carry",
        "need",
        "needs",
        "must",
        "should",
        "plan",
        "will",
        "have",
        "has",
        "not",
        "planned",
    ]
)
_GENERIC: Final = frozenset(
    [
        "backup",
        "restore",
        "restoration",
        "test",
        "database",
        "system",
        "data",
        "procedure",
        "documentation",
        "process",
        "script",
        "report",
        "check",
        "team",
        "production",
        "verification",
        "validation",
        "verify",
        "validate",
        "tested",
        "verified",
        "sicherung",
        "datenbank",
    ]
)
_LEAST, _MOST = 2, 9
_NEEDS: Final = "The thing itself, shown: configuration, log or measurement; else the claim is to be taken back."


@dataclass(frozen=True, slots=True)
class _Statement:
    """Words that something is about, and where."""

    words: frozenset[str]
    line: int
    text: str


def check(document: Document, book: Book) -> None:
    """Hold every claim of something done against what is listed as still to do."""
    ahead = list(_ahead(document))
    if not ahead:
        return
    lines = {each.line for each in ahead}
    done = [each for each in _done(document) if each.line not in lines]
    told: set[int] = set()
    for item in ahead:
        claim = next((each for each in done if item.words <= each.words), None)
        if claim is not None and item.line not in told:
            told.add(item.line)
            book.found(
                Kind.CONTRADICTION, claim.line, f"It is claimed as done here, and line {item.line} has it still to be done: “{item.text[:80]}”.",
                needs=_NEEDS,
            )  # fmt: skip


def _statement(text: str, line: int, shown: str = "") -> _Statement:
    return _Statement(_words(text), line, " ".join((shown or text).split()))


def _words(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in map(str.lower, _WORD.findall(text)) if word not in _SMALL)


def _stem(word: str) -> str:
    return re.sub(r"(?<=\w{4})(?:ions?|ing|ed|es|e|s)$", "", word)


_GENERIC_STEMS: Final = frozenset(_stem(word) for word in _GENERIC)


def _telling(words: frozenset[str]) -> bool:
    """Whether words are enough to say the same of two places."""
    return _LEAST <= len(words) <= _MOST and len(words - _GENERIC_STEMS) >= 1


def _ahead(document: Document) -> Iterator[_Statement]:
    announced = ""
    for block in document.blocks:
        if not isinstance(block, Passage) or block.heading:
            continue
        if not block.items:
            announced = block.text if block.text.rstrip().endswith(":") and len(block.text) < 60 else ""
        heading = announced or (block.section[-1] if block.section else "")
        listed = bool(_AHEAD.search(heading)) and not _MIXED.search(heading) and bool(block.items)
        for number, (line, text) in enumerate(sentences(block)):
            if _FURTHER.search(re.sub(r"\bfollow-?up\b.*", "", text)):
                continue
            undone = _UNDONE.search(text)
            if undone is not None:
                about = text[: undone.start()]
            elif _TODO.match(text):
                about = _TODO.sub("", text)
            elif number == 0 and block.items and (listed or block.ticked is False) and not block.ticked:
                about = text if _DOING.match(text) or block.ticked is False else ""
            else:
                continue
            each = _statement(about, line, text)
            if _telling(each.words):
                yield each


def _done(document: Document) -> Iterator[_Statement]:
    for block in document.blocks:
        if isinstance(block, Passage):
            if block.ticked is False or _AHEAD.search(" ".join(block.section[-1:])):
                continue
            for line, text in sentences(block):
                if len(text) < 600 and (block.ticked or _DONE.search(text)) and not _OPEN.search(text):
                    yield _statement(text, line)
        elif isinstance(block, Table) and not _AHEAD.search(" ".join(block.section[-1:])):
            for row in block.rows:
                text = " ".join(row.cells)
                if any(is_mark(cell) for cell in row.cells[1:]) and not _OPEN.search(text):
                    yield _statement(text, row.line)
