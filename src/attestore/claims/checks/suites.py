"""Test runs: how many were collected, how many passed, and how many are said to have."""

from __future__ import annotations

import re
from typing import Final

from attestore.claims.document import Code, Document, Passage
from attestore.claims.figures import sentences
from attestore.claims.model import Book, Kind

__all__ = ["check"]

_COLLECTED: Final = re.compile(r"\bcollected (\d{1,7}) items?\b(?: / (\d{1,7}) deselected)?")
_SUMMARY: Final = re.compile(
    r"(?<![\w.,])(\d{1,7}) (passed|failed|skipped|xfailed|xpassed|errors?|deselected)\b", re.IGNORECASE
)
_PASSED: Final = re.compile(
    r"\b(?:all|alle) (\d{1,7}) (?:\w+ )?tests? (?:pass|passed|succeed|succeeded|are green|bestanden)\b", re.IGNORECASE
)
_ENDED: Final = re.compile(r"\b(?:succeed\w*|successful\w*|passed|erfolgreich)\b", re.IGNORECASE)
_WHOLE: Final = re.compile(
    r"(?<![\d.,])100 ?% (?:of |der )?(?:the |all )?(?P<what>[a-zäöü]{4,20})(?: \w+){0,2}? (?:succeeded|passed|were successful|erfolgreich|successful)",
    re.IGNORECASE,
)
_FAILING: Final = re.compile(
    r"(?<![\w.,])(?P<n>[1-9]\d{0,6}|one|two|three|four|five) (?:\w+ ){0,2}?(?:was |were |has |have )?(?:failed|aborted|unsuccessful|cancelled|fehlgeschlagen)\b",
    re.IGNORECASE,
)
_NEEDS: Final = "The complete output of the run, with every test that did not pass."


def check(document: Document, book: Book) -> None:
    """Count a test run's own figures, then hold the text against them."""
    runs: list[tuple[int, dict[str, int]]] = []
    for block in document.blocks:
        if not isinstance(block, Code):
            continue
        collected = 0
        for line, text in block.lines:
            if found := _COLLECTED.search(text):
                collected = int(found[1])
            counts = {name.lower().rstrip("s"): int(number) for number, name in _SUMMARY.findall(text)}
            if "passed" not in counts or " in " not in text:
                continue
            runs.append((line, counts))
            if collected and sum(counts.values()) < collected and not re.search(r"\bwarning|interrupted", text):
                book.found(
                    Kind.CONTRADICTION, line, f"{collected} tests were collected; the {sum(counts.values())} of this line are not all of them.", needs=_NEEDS
                )  # fmt: skip
    if len(runs) == 1:
        _said(document, *runs[0], book)
    _succeeded(document, book)


def _said(document: Document, run: int, counts: dict[str, int], book: Book) -> None:
    for passage in document.passages:
        for line, text in sentences(passage):
            found = _PASSED.search(text)
            if found and int(found[1]) != counts["passed"]:
                book.found(
                    Kind.CONTRADICTION, line, f"{found[1]} tests are said to pass; the run on line {run} has {counts['passed']}.", needs=_NEEDS
                )  # fmt: skip


def _succeeded(document: Document, book: Book) -> None:
    """100 % of restores succeeded, and one was aborted."""
    for block in document.blocks:
        if not isinstance(block, Passage):
            continue
        for line, text in sentences(block):
            whole = _WHOLE.search(text)
            if whole is None or not _ENDED.search(text):
                continue
            stem = whole["what"].lower().rstrip("s")
            for other, failing in sentences(block):
                if stem in failing.lower() and _FAILING.search(failing) and not re.search(r"\bretr|\bagain\b", failing):
                    book.found(
                        Kind.CONTRADICTION, line, f"Line {other} says that not all did: “{' '.join(failing.split())[:80]}”.", needs=_NEEDS
                    )  # fmt: skip
                    break
