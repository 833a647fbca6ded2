"""All checks over one document."""

from __future__ import annotations

from datetime import datetime

from attestore.claims.checks import (
    approvals,
    arithmetic,
    clocks,
    compared,
    dates,
    digests,
    enumerated,
    lengths,
    listed,
    objectives,
    parts,
    printed,
    promised,
    queries,
    rates,
    same,
    shares,
    shown,
    statements,
    suites,
    sums,
    tables,
    told,
    unsupported,
    vacuous,
    zones,
)
from attestore.claims.document import Document
from attestore.claims.figures import figures
from attestore.claims.model import Book, Report

__all__ = ["examine"]


def examine(document: Document, *, at: datetime | None = None) -> Report:
    """What does not stand, and what holds; `at` is the day against which dates lie in the future, None: they are not looked at."""
    book = Book(document.quoted)
    known = figures(document)
    digests.check(document, book)
    tables.check(document, book)
    sums.check(document, book)
    shares.check(document, book)
    statements.check(document, known, book)
    parts.check(document, book)
    same.check(document, known, book)
    listed.check(document, known, book)
    enumerated.check(document, book)
    rates.check(document, known, book)
    vacuous.check(document, book)
    printed.check(document, book)
    lengths.check(document, book)
    dates.check(document, book, at=at)
    objectives.check(document, book)
    shown.check(document, book)
    told.check(document, book)
    zones.check(document, book)
    queries.check(document, book)
    approvals.check(document, book)
    unsupported.check(document, book)
    compared.check(document, book)
    promised.check(document, book)
    clocks.check(document, book)
    arithmetic.check(document, book)
    suites.check(document, book)
    return book.closed()
