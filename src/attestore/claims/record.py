"""What a bundle of evidence says, in the words that reports use; and a report held against it, figure by figure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from attestore.claims.document import Document, Passage, Row, Table
from attestore.claims.figures import OTHER, Figure, figures
from attestore.claims.labels import is_total
from attestore.claims.model import Finding, Kind
from attestore.claims.quantities import Quantity, clock, quantities, said, single

__all__ = ["Held", "Match", "Record", "hold_against"]


@dataclass(frozen=True, slots=True)
class Record:
    """What a run saw, by the names that figures have here."""

    run: str
    figures: Mapping[str, tuple[Fraction, ...]]
    """concept to the values that the evidence has for it: seconds, bytes, counts"""
    rows: Mapping[str, int] = field(default_factory=dict)
    """rows of each restored table, by `schema.table` and by `table` where that is one"""
    digests: frozenset[str] = frozenset()
    """every digest that stands in the evidence"""
    backup: str = ""
    """the backup's digest"""
    values: Mapping[str, int] = field(default_factory=dict)
    """every whole number of the evidence by the fact that says it"""


@dataclass(frozen=True, slots=True)
class Match:
    """A figure of the document and what the evidence says of it."""

    line: int
    figure: str
    by: str


@dataclass(frozen=True, slots=True)
class Held:
    """A document held against a record."""

    confirmed: tuple[Match, ...]
    contradicted: tuple[Finding, ...]
    uncovered: tuple[Match, ...]


_PHASES: Final = (
    ("restore.retrieve", re.compile(r"\bdownload\b(?!.*decrypt)|\bfetch|\bretriev", re.IGNORECASE)),
    ("restore.unseal", re.compile(r"\bdecrypt\w*\b(?!.*download)|\bunpack|\bunseal", re.IGNORECASE)),
    ("restore.prepare", re.compile(r"\bprepar", re.IGNORECASE)),
    ("restore.schema", re.compile(r"\bschema\b", re.IGNORECASE)),
    ("restore.data", re.compile(r"\bdata\b(?!base)", re.IGNORECASE)),
    ("restore.indexes", re.compile(r"\bindex", re.IGNORECASE)),
    ("restore.finalize", re.compile(r"\bfinali[sz]", re.IGNORECASE)),
)
_RESTORATION: Final = re.compile(
    r"\b(?:restor\w*|rebuild\w*|load\w*|download\w*|decrypt\w*|unpack\w*|prepar\w*|finali[sz]\w*|fetch\w*|unseal\w*|retriev\w*)\b",
    re.IGNORECASE,
)
_HEX: Final = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{64}(?![0-9a-zA-Z])")
_BACKUP: Final = re.compile(r"\bbackup(?:['’]s)?[ -]digest|\bdigest of the backup|\bmanifest\b", re.IGNORECASE)
_LEAST: Final = 100
"""Smaller numbers stand in any evidence by chance"""


def hold_against(document: Document, record: Record) -> Held:
    """Every figure: confirmed by the evidence, contradicted by it, or not covered."""
    book = _Matches(document, record)
    for figure in figures(document):
        book.figure(figure)
    for table in document.tables:
        for row in table.rows:
            book.row(row, table)
    for line, text in enumerate(document.source, 1):
        for found in _HEX.finditer(text):
            book.digest(found[0], line, text)
    book.others()
    return Held(
        tuple(sorted(book.confirmed.values(), key=lambda m: m.line)),
        tuple(sorted(book.contradicted.values(), key=lambda f: f.line)),
        tuple(sorted(book.uncovered.values(), key=lambda m: m.line)),
    )


class _Matches:
    """What became of each figure so far."""

    def __init__(self, document: Document, record: Record) -> None:
        self._document = document
        self._record = record
        self._seen: set[tuple[int, str]] = set()
        self.confirmed: dict[tuple[int, str], Match] = {}
        self.contradicted: dict[tuple[int, str], Finding] = {}
        self.uncovered: dict[tuple[int, str], Match] = {}

    def figure(self, figure: Figure) -> None:
        """A figure whose meaning is known."""
        quantity, concept = figure.quantity, figure.concept.removesuffix(" of")
        known = self._record.figures.get(concept)
        if not known or figure.scope or not quantity.exact:
            return
        if quantity.of is not None:
            quantity = Quantity("count", quantity.of, Fraction(0), 0, 0, quantity.text)
        self._decide(figure.line, figure.quantity.text, quantity, known, concept)

    def row(self, row: Row, table: Table) -> None:
        """A phase with its duration, or a table with its rows."""
        if is_total(row.cells[0]):
            return
        name = re.sub(r"[`\s]", "", row.cells[0])
        for head, cell in zip(table.head[1:], row.cells[1:], strict=False):
            found = single(cell, german=self._document.german)
            if found is None or not found.exact or OTHER.search(head):
                continue
            if (
                found.measure == "count"
                and name in self._record.rows
                and re.search(r"\brows?\b|\brestored\b|\bcount\b|\bzeilen\b", head, re.IGNORECASE)
            ):
                self._decide(row.line, found.text, found, (Fraction(self._record.rows[name]),), f"rows of {name}")
            elif found.measure in {"duration", "clock"} and re.search(
                r"\b(?:duration|time|took|dauer|elapsed)\b", head, re.IGNORECASE
            ):
                self._phase(row, found)

    def _phase(self, row: Row, found: Quantity) -> None:
        named = [fact for fact, pattern in _PHASES if pattern.search(row.cells[0])]
        if len(named) == 1 and _RESTORATION.search(row.cells[0]) and named[0] in self._record.figures:
            seconds = clock(found.text) if found.measure == "clock" else found.value
            if seconds is not None:
                self._decide(row.line, found.text, found, self._record.figures[named[0]], named[0])

    def digest(self, text: str, line: int, around: str) -> None:
        """A SHA-256."""
        if text in self._record.digests:
            self.confirmed[line, text] = Match(line, text, "a digest of the evidence")
        elif _BACKUP.search(around) and self._record.backup:
            self._contradict(line, text, f"The backup's digest is {self._record.backup}, not {text}.")
        else:
            self.uncovered[line, text] = Match(line, text, "no digest of the evidence")

    def others(self) -> None:
        """Figures without a known meaning: the same value in the evidence confirms them, any other says nothing."""
        by_value: dict[int, str] = {}
        for fact, number in self._record.values.items():
            by_value.setdefault(number, fact)
        for line, text in _texts(self._document):
            for found in quantities(text, german=self._document.german):
                key = (line, found.text)
                if key in self.confirmed or key in self.contradicted or key in self.uncovered:
                    continue
                value = found.value * 1000 if found.measure in {"duration", "clock"} else found.value
                same = by_value.get(int(value), "") if value.denominator == 1 and value >= _LEAST else ""
                if same and found.measure in {"duration", "clock", "count", "size", "fraction"}:
                    self.confirmed[key] = Match(line, found.text, f"the value of {same}")
                else:
                    self.uncovered[key] = Match(line, found.text, "")

    def _decide(self, line: int, text: str, quantity: Quantity, known: tuple[Fraction, ...], concept: str) -> None:
        if any(quantity.agrees(value) or quantity.value == value for value in known):
            self.confirmed[line, text] = Match(line, text, concept)
            self.contradicted.pop((line, text), None)
        elif (line, text) not in self.confirmed:
            told = " or ".join(dict.fromkeys(_written(value, quantity) for value in known))
            self._contradict(
                line, text, f"{text} here; the evidence of run {self._record.run} says {told} ({concept})."
            )

    def _contradict(self, line: int, text: str, why: str) -> None:
        quote = self._document.quoted(line)[:240]
        needs = "A report made from this bundle, or the bundle that the report was made from."
        self.contradicted[line, text] = Finding(line, Kind.CONTRADICTION, quote, why, needs)


def _written(value: Fraction, like: Quantity) -> str:
    unit = {"duration": " s", "clock": " s", "size": " B"}.get(like.measure, "")
    return f"{said(value, places=3)}{unit}"


def _texts(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        match block:
            case Passage(heading=0):
                yield from block.lines
            case Table():
                for row in block.rows:
                    for cell in row.cells:
                        yield row.line, cell
            case _:
                pass
