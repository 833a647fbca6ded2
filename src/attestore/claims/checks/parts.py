"""Figures of one clause that are computed from each other: rates, ratios, and parts said in other words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import sentences
from attestore.claims.labels import is_share, is_total, normal
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, quantities, said, single

__all__ = ["check"]

_NEEDS: Final = "The raw figures, as the programs printed them."
_CLAUSE: Final = re.compile(r",\s+(?:and|but|while|whereas|und|aber)\b|;\s|\s[–—]\s", re.IGNORECASE)


def check(document: Document, book: Book) -> None:
    """Look at every clause and every row."""
    shares = list(_stated_shares(document))
    for line, text in _statements(document):
        if len(text) > 1_000:
            continue
        start = 0
        for end in (*(found.start() for found in _CLAUSE.finditer(text)), len(text)):
            clause, at = text[start:end], line + text.count("\n", 0, start)
            found = quantities(clause, german=document.german)
            _speed(found, clause, at, book)
            _ratio(found, clause, at, book)
            start = end
        found = quantities(text, german=document.german)
        _portion(found, text, line, book)
        _of_which(found, text, line, book)
        _repeated(found, text, line, shares, book)


def _statements(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        if isinstance(block, Passage):
            yield from sentences(block)
        elif isinstance(block, Table):
            for row in block.rows:
                for cell in row.cells:
                    yield row.line, cell
                if any(re.search(r"ratio|compress", head, re.IGNORECASE) for head in block.head):
                    yield row.line, "compressed " + ", ".join(row.cells[1:])


_NOT_RATE: Final = re.compile(r"\b(?:instead|previous|expected|should|up to|peak|max|if|would|per)\b", re.IGNORECASE)


def _speed(found: tuple[Quantity, ...], text: str, line: int, book: Book) -> None:
    """7,305 rows in 867 s (8.4 rows/s)."""
    rates = [q for q in found if q.measure == "rate"]
    took = [q for q in found if q.measure == "duration"]
    if len(rates) != 1 or len(took) != 1 or not took[0].value or _NOT_RATE.search(text.replace("per second", "")):
        return
    rate, kind = rates[0], rates[0].unit
    wanted = [
        q
        for q in found
        if (
            q.measure == "size"
            if kind == "bytes"
            else q.measure == "count" and re.match(r"\s*(?:rows|records|tuples|Zeilen)\b", text[q.end :])
        )
    ]
    if len(wanted) != 1 or not rate.exact or not wanted[0].exact or not took[0].exact:
        return
    true = wanted[0].value / took[0].value
    other = (wanted[0].other or wanted[0].value) / took[0].value
    slack = true * (took[0].half / took[0].value + Fraction(3, 100)) + 2 * rate.half
    decimal = rate.value * (other / true) if true else rate.value
    if min(abs(true - rate.value), abs(other - rate.value), abs(true - decimal), abs(other - decimal)) <= slack:
        book.holds(line, f"{wanted[0].text} in {took[0].text} is {rate.text}.")
    elif abs(true - rate.value) > rate.value / 10:
        shown = f"{said(true, places=1)} rows" if kind == "rows" else f"{said(true / 2**20, places=2)} MiB"
        book.found(
            Kind.CONTRADICTION, line,
            f"{wanted[0].text} in {took[0].text} is {shown}/s, not {rate.text}.",
            needs=_NEEDS,
        )  # fmt: skip


def _ratio(found: tuple[Quantity, ...], text: str, line: int, book: Book) -> None:
    """From 2.4 GB to 410 MB (5.9 : 1)."""
    sizes = [q for q in found if q.measure == "size" and q.exact]
    told = re.findall(
        r"(?<![\w.:])(\d+(?:[.,]\d+)?) ?(?:: ?1\b(?![:.\d])|x\b|×)|\bfactor (?:of )?(\d+(?:[.,]\d+)?)(?![\w%]|[.,]\d)",
        text,
    )
    told = [one or other for one, other in told]
    if len(sizes) != 2 or len(told) != 1 or not re.search(r"compress|ratio|komprim", text, re.IGNORECASE):
        return
    large, small = max(sizes, key=lambda q: q.value), min(sizes, key=lambda q: q.value)
    stated = Fraction(told[0].replace(",", "."))
    if not small.value:
        return
    values = (large.value / small.value, (large.other or large.value) / (small.other or small.value))
    slack = stated * Fraction(6, 100) + Fraction(1, 10)
    if min(abs(value - stated) for value in values) <= slack:
        book.holds(line, f"{large.text} to {small.text} is {told[0]} : 1.")
    elif min(abs(value - stated) for value in values) > stated / 5:
        book.found(
            Kind.CONTRADICTION, line + text.count("\n", 0, sizes[0].start),
            f"{large.text} to {small.text} is {said(values[0])} : 1, not {told[0]} : 1.", needs=_NEEDS,
        )  # fmt: skip


_RELATION: Final = re.compile(
    r"\b(?:below|less|faster|slower|more|under|above|over|reduc\w+|shrank|grew|saved|improv\w+|target|margin|than|down|up|growth|increase\w*|unter)\b",
    re.IGNORECASE,
)


def _portion(found: tuple[Quantity, ...], text: str, line: int, book: Book) -> None:
    """96% of the time was restore (4,620 s of 5,340 s)."""
    shares = [q for q in found if q.measure == "percent"]
    if len(found) != 3 or len(shares) != 1 or _RELATION.search(text):
        return
    part, whole = (q for q in found if q is not shares[0])
    joined = re.fullmatch(r"\s*(?:of|out of|von|/)\s*(?:the |a total of )?", text[part.end : whole.start])
    if part.measure != whole.measure or part.measure not in {"duration", "size"} or joined is None or not whole.value:
        return
    true = part.value * 100 / whole.value
    if shares[0].agrees(true, half=part.half * 100 / whole.value):
        book.holds(line, f"{part.text} of {whole.text} is {shares[0].text}.")
    else:
        book.found(
            Kind.CONTRADICTION, line + text.count("\n", 0, shares[0].start),
            f"{part.text} of {whole.text} is {said(true, places=2)}%, not {shares[0].text}.", needs=_NEEDS,
        )  # fmt: skip


def _of_which(found: tuple[Quantity, ...], text: str, line: int, book: Book) -> None:
    """12,000,000 rows, of which 3,000,000 are archived (25%)."""
    for whole, part, share in zip(found, found[1:], found[2:], strict=False):
        if whole.measure != "count" or part.measure != "count" or share.measure != "percent" or not whole.value:
            continue
        between, after = text[whole.end : part.start], text[part.end : share.start]
        if not re.search(r"\b(?:of which|of these|of them|davon)\s*$", between, re.IGNORECASE) or len(between) > 40:
            continue
        if not re.fullmatch(r"[^.;,()]{0,50}\(\s*", after) or not share.exact:
            continue
        true = part.value * 100 / whole.value
        if share.agrees(true):
            book.holds(line, f"{part.text} of {whole.text} is {share.text}.")
        else:
            book.found(
                Kind.CONTRADICTION, line + text.count("\n", 0, part.start),
                f"{part.text} of {whole.text} is {said(true, places=2)}%, not {share.text}.", needs=_NEEDS,
            )  # fmt: skip


def _stated_shares(document: Document) -> Iterator[tuple[frozenset[str], Quantity, int]]:
    """The words of a table's rows with their share of the whole; of all such tables only if there is one."""
    tables = [table for table in document.tables if any(is_share(head) for head in table.head)]
    if len(tables) != 1:
        return
    table = tables[0]
    column = next(index for index, head in enumerate(table.head) if is_share(head))
    for row in table.rows:
        found = single(row.cells[column], german=document.german)
        words = frozenset(normal(row.cells[0]).split())
        if found is not None and found.measure == "percent" and words and column and not is_total(row.cells[0]):
            yield words, found, row.line


_OF_ALL: Final = re.compile(
    r"\s*of (?:the |our |all )?(?:RTO|total|time|recovery(?: time)?|restore(?: time)?|whole|duration|elapsed)\b",
    re.IGNORECASE,
)


def _repeated(
    found: tuple[Quantity, ...], text: str, line: int, shares: list[tuple[frozenset[str], Quantity, int]], book: Book
) -> None:
    """Data restoration is the bottleneck (77% of RTO), beside a table that says 77.3%."""
    mine = [q for q in found if q.measure == "percent"]
    if len(mine) != 1 or not mine[0].exact or not _OF_ALL.match(text[mine[0].end :]):
        return
    words = set(normal(text.replace("(", " ").replace(")", " ")).split())
    named = [(share, at) for label, share, at in shares if label <= words]
    if len(named) != 1 or named[0][1] == line:
        return
    share, at = named[0]
    if mine[0].same(share):
        book.holds(line, f"{mine[0].text}, as line {at} says.")
    else:
        book.found(
            Kind.CONTRADICTION,
            line + text.count("\n", 0, mine[0].start),
            f"{mine[0].text} here and {share.text} on line {at}.",
            needs=_NEEDS,
        )
