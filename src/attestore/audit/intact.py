"""One bundle looked at without any key: whether it is whole, and what it says. Who signed it, nobody can tell from it."""

from __future__ import annotations

from pathlib import Path

from attestore.archive import inspect, split
from attestore.archive.layout import STATEMENT
from attestore.audit import content
from attestore.audit.bundle import Files, digested, stated, summed
from attestore.audit.content import Evidence
from attestore.audit.findings import Findings, Notebook
from attestore.evidence.statement import decode

__all__ = ["look"]


def look(folder: Path) -> tuple[Evidence, Findings]:
    """The evidence of a bundle, and whether its bytes are those that its own lists name; never raises for what it finds there."""
    book = Notebook("")
    whole = book.attempt("structure", lambda: inspect(folder))
    if whole is None:
        return Evidence(None, None, None, None, None, (), ()), Findings(tuple(book.lines))
    contents, flaws = whole
    for flaw in flaws:
        book.problem("structure", f"{flaw.name} {flaw.why}.", of=flaw.name)
    sealed, _ = split(contents)
    files = Files(contents=sealed, digests=digested(sealed, book=book))
    summed(files, book=book)
    statement = book.attempt("statement", lambda: decode(files.read(STATEMENT)), of=STATEMENT)
    if statement is not None:
        stated(statement, files=files, run=folder.resolve().name, book=book)
    evidence = content.read(files, book=book)
    content.agree(evidence, statement=statement, files=files, book=book)
    return evidence, Findings(tuple(book.lines))
