"""Rates that no healthy server shows: improbable, never impossible, with the range that is usual."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from attestore.claims.checks.same import subject
from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import Figure, sentences
from attestore.claims.labels import is_total
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, clock, quantities, said, single

__all__ = ["check"]

_NEEDS: Final = "The log of the step with its times, the machine's description, and what else ran on it."
_DATA: Final = re.compile(
    r"\b(?:data|rows|table data|copy|load\w*)\b.{0,20}\b(?:restor\w*|load\w*|copy|copied|import\w*|phase)\b|\bdata$|\bdaten\w*",
    re.IGNORECASE,
)
_SCHEMA: Final = re.compile(r"\b(?:schema|pre-data|ddl)\b", re.IGNORECASE)
_INDEX: Final = re.compile(r"\bindex(?:es)?\b|\bindizes\b|\breindex|\bpost-data", re.IGNORECASE)
_CPU: Final = re.compile(
    r"\b(?:decrypt\w*|encrypt\w*|gpg|unseal\w*|decompress\w*|compress\w*|checksum\w*|hash\w*|entschlüssel\w*|verschlüssel\w*)\b",
    re.IGNORECASE,
)
_NET: Final = re.compile(
    r"\b(?:egress|ingress|download\w*|fetch\w*|upload\w*|transfer\w*|copied from|s3|network|retriev\w*)\b",
    re.IGNORECASE,
)
_DISK: Final = re.compile(
    r"\b(?:restor\w*|dump\w*|pg_restore|pg_dump|backup|base ?backup|load\w*|import\w*|read|written|copied|wiederhergestellt)\b",
    re.IGNORECASE,
)
_NOT_WORK: Final = re.compile(
    r"\b(?:wait\w*|delay|retention|every|interval|timeout|older|age|sla|schedule\w*|per day|window|target|lag|rpo|cadence|growth)\b",
    re.IGNORECASE,
)
_MB: Final = Fraction(2**20)
_ROWS_LOW: Final = 100
_ROWS_HIGH: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that took a while, where the document says how long."""

    label: str
    took: Fraction
    line: int
    section: tuple[str, ...]


def check(document: Document, figures: tuple[Figure, ...], book: Book) -> None:
    """Divide what was done by how long it took."""
    steps = list(_steps(document))
    rows, tables = _only(figures, "rows"), _only(figures, "tables")
    size = _only(figures, "database size")
    for step in steps:
        if step.took <= 0 or subject(step.section):
            continue
        _rows(step, rows, size, book)
        _schema(step, tables, book)
        _indexes(step, rows, _only(figures, "indexes"), size, book)
    for block in document.blocks:
        if isinstance(block, Passage):
            for line, text in sentences(block):
                _sentence(text, line, document, book)
        elif isinstance(block, Table):
            _per_row(block, document, book)


def _only(figures: tuple[Figure, ...], concept: str) -> Fraction | None:
    """The document's one value of a concept."""
    values = {
        figure.quantity.of if figure.quantity.of is not None else figure.quantity.value
        for figure in figures
        if figure.concept in {concept, f"{concept} of"}
        and figure.quantity.exact
        and not figure.scope
        and not subject(figure.section)
    }
    return next(iter(values)) if len(values) == 1 else None


def _steps(document: Document) -> Iterator[_Step]:
    for block in document.blocks:
        match block:
            case Table():
                yield from _steps_of_table(block, document)
            case Passage(heading=0):
                yield from _took(block, document)
                for line, text in block.lines:
                    label = re.match(r"\W*([^:]{3,50}):\s*", text)
                    found = single(text[label.end() :], german=document.german) if label else None
                    if label and found is not None and found.measure == "duration" and found.exact:
                        yield _Step(label[1], found.value, line, block.section)
            case _:
                pass


_SAID: Final = re.compile(
    r"\b((?:data|schema|index(?:es)?)(?: (?:load|copy|restore|restoration|creation|rebuild|build|import|phase))?) (?:took|lasted|needed)\s+$",
    re.IGNORECASE,
)


def _took(passage: Passage, document: Document) -> Iterator[_Step]:
    """Data load took 14 minutes."""
    for line, text in sentences(passage):
        for each in quantities(text, german=document.german):
            named = _SAID.search(text[: each.start]) if each.measure == "duration" and each.exact else None
            if named:
                yield _Step(named[1] if " " in named[1] else f"{named[1]} load", each.value, line, passage.section)


_TOOK: Final = re.compile(r"\b(?:duration|time|took|elapsed|seconds|dauer)\b", re.IGNORECASE)


def _steps_of_table(table: Table, document: Document) -> Iterator[_Step]:
    column = next((i for i, head in enumerate(table.head) if i and _TOOK.search(head)), None)
    if column is None:
        return
    for row in table.rows:
        found = single(row.cells[column], german=document.german)
        if found is not None and found.exact and not is_total(row.cells[0]):
            took = _seconds(found, table.head[column])
            if took is not None:
                yield _Step(row.cells[0], took, row.line, table.section)


def _seconds(found: Quantity, head: str) -> Fraction | None:
    if found.measure == "duration":
        return found.value
    if found.measure == "clock":
        return clock(found.text)
    if found.measure == "count" and re.search(r"\((?:s|sec|secs|seconds)\)|\bseconds\b", head, re.IGNORECASE):
        return found.value
    return None


def _rows(step: _Step, rows: Fraction | None, size: Fraction | None, book: Book) -> None:
    if rows is None or not _DATA.search(step.label) or _NOT_WORK.search(step.label):
        return
    rate = rows / step.took
    if rate < _ROWS_LOW and step.took >= 30 and (size is None or size / step.took < _MB):
        book.found(
            Kind.IMPLAUSIBLE, step.line,
            f"{said(rows)} rows in {said(step.took)} s are {said(rate)} rows per second. One session's COPY loads 10,000 to 1,000,000 rows "
            f"per second on ordinary machines; {said(rows)} rows take about a second.",
            needs=_NEEDS,
        )  # fmt: skip
    elif rate > _ROWS_HIGH and rows > _ROWS_HIGH:
        book.found(
            Kind.IMPLAUSIBLE, step.line,
            f"{said(rows)} rows in {said(step.took)} s are {said(rate)} rows per second; a server loads 10,000 to 1,000,000 per second and session.",
            needs=_NEEDS,
        )  # fmt: skip


def _schema(step: _Step, tables: Fraction | None, book: Book) -> None:
    if (
        tables is None
        or not tables
        or not _SCHEMA.search(step.label)
        or _DATA.search(step.label)
        or re.search(r"and data|&", step.label)
    ):
        return
    each = step.took / tables
    if each > 2 and step.took >= 20:
        book.found(
            Kind.IMPLAUSIBLE, step.line,
            f"{said(step.took)} s for the definitions of {said(tables)} tables are {said(each)} s per table; PostgreSQL makes hundreds of "
            "tables per second.",
            needs=_NEEDS,
        )  # fmt: skip


def _indexes(step: _Step, rows: Fraction | None, indexes: Fraction | None, size: Fraction | None, book: Book) -> None:
    if (
        rows is None
        or not _INDEX.search(step.label)
        or step.took < 20
        or not re.search(r"build|creat|restor|index|post-data", step.label, re.IGNORECASE)
    ):
        return
    entries = rows * (indexes or 1)
    rate = entries / step.took
    if rate < 20_000 and rows < 200_000 and (size is None or size / step.took < _MB):
        count = f" in {said(indexes)} indexes" if indexes else ""
        book.found(
            Kind.IMPLAUSIBLE, step.line,
            f"{said(step.took)} s to index {said(rows)} rows{count} are at most {said(rate)} entries per second; B-trees of so few rows are "
            "built at 100,000 to some millions of entries per second, each index in milliseconds.",
            needs=_NEEDS,
        )  # fmt: skip


_CLAUSE: Final = re.compile(
    r",\s+(?:and|but|while|whereas|of which|with|und|aber|davon)\b|,\s+(?=\w+ed (?:it )?(?:with \w+ )?(?:in|within|for) )|;\s|\s[–—]\s",
    re.IGNORECASE,
)


def _sentence(text: str, line: int, document: Document, book: Book) -> None:
    """Each clause for itself: what it says was done belongs to its own figures."""
    start = 0
    for found in _CLAUSE.finditer(text):
        _clause(text[start : found.start()], line + text.count("\n", 0, start), document, book)
        start = found.end()
    _clause(text[start:], line + text.count("\n", 0, start), document, book)
    labelled = _LABELLED.search(text) if len(text) <= 500 else None
    sizes = [q for q in quantities(text, german=document.german) if q.measure == "size" and q.exact]
    if labelled is not None and len(sizes) == 1:
        count = single(labelled["n"], german=document.german)
        if count is not None and count.measure == "count":
            _width(text, sizes[0], count, line, book)


_LABELLED: Final = re.compile(
    r"^\W*(?:number of )?(?:rows|records|zeilen|datensätze)\b[^:\d]{0,40}: ?(?P<n>[\d.,']+)(?=[;,\s])", re.IGNORECASE
)


def _clause(text: str, line: int, document: Document, book: Book) -> None:
    """A size and a duration in one statement, joined by what was done."""
    if len(text) > 500 or _NOT_WORK.search(text):
        return
    found = quantities(text, german=document.german)
    sizes = [q for q in found if q.measure == "size" and q.exact]
    took = [q for q in found if q.measure == "duration" and q.exact]
    rows = [
        q
        for q in found
        if q.measure == "count"
        and q.exact
        and re.match(r"\s*(?:rows|records|tuples|zeilen|datensätze)\b", text[q.end :], re.IGNORECASE)
    ]
    if len(took) == 1 and took[0].value > 0:
        at = line + text.count("\n", 0, took[0].start)
        if len(sizes) == 1:
            _through(text, sizes[0], took[0], at, book)
        if (
            len(rows) == 1
            and not sizes
            and (_DISK.search(text) or _DATA.search(text))
            and not re.search(r"\brto\b|total|end to end|whole", text, re.IGNORECASE)
        ):
            _rows(_Step("data load", took[0].value, at, ()), rows[0].value, None, book)
    if len(sizes) == 1 and len(rows) == 1:
        _width(text, sizes[0], rows[0], line + text.count("\n", 0, sizes[0].start), book)
    if len(sizes) == 2:
        _ratio(text, sizes[0], sizes[1], line + text.count("\n", 0, sizes[0].start), book)


_LINE: Final = re.compile(r"(?<![\w.,])(?P<n>\d+(?:\.\d+)?) ?(?P<u>[GM])(?:bit/s|bits/s|bps|b/s)\b")
_BEYOND: Final = 100


def _through(text: str, size: Quantity, took: Quantity, line: int, book: Book) -> None:
    rate = size.value / took.value
    shown = f"{size.text} in {took.text} are {_rate(rate)}"
    if too_fast := _beyond(text, size, rate, took):
        book.found(Kind.IMPLAUSIBLE, line, f"{shown}; {too_fast}", needs=_NEEDS)
        return
    if _CPU.search(text) and not _NET.search(text):
        if (rate < _MB and took.value >= 5) or rate > 10 * 1024 * _MB:
            book.found(
                Kind.IMPLAUSIBLE,
                line,
                f"{shown}; gpg, gzip and SHA-256 work at some 20 to 1,000 MB per second on one core.",
                needs=_NEEDS,
            )
    elif _NET.search(text):
        if rate > 12 * 1024 * _MB:
            book.found(Kind.IMPLAUSIBLE, line, f"{shown}; a 100 Gbit/s line carries 12 GB per second.", needs=_NEEDS)
    elif _DISK.search(text):
        if rate < _MB / 20 and took.value >= 60:
            book.found(
                Kind.IMPLAUSIBLE, line, f"{shown}; dumps and restores move some 5 to 500 MB per second.", needs=_NEEDS
            )
        elif rate > 5 * 1024 * _MB:
            book.found(
                Kind.IMPLAUSIBLE,
                line,
                f"{shown}; dumps and restores move some 5 to 500 MB per second, and seldom more than 5 GB.",
                needs=_NEEDS,
            )


def _beyond(text: str, size: Quantity, rate: Fraction, took: Quantity) -> str:
    """Why nothing could be as fast, whatever was done."""
    lines = [*_LINE.finditer(text)]
    if len(lines) == 1 and not re.search(r"compress|dedup|incremental|without|instead|local", text, re.IGNORECASE):
        most = Fraction(lines[0]["n"]) * (1000**3 if lines[0]["u"] == "G" else 1000**2) / 8
        if min(rate, (size.other or size.value) / took.value) > most * 11 / 10:
            return f"a line of {lines[0][0]} carries {_rate(most)}."
    if rate > _BEYOND * 1024 * _MB and not re.search(r"snapshot|clone|reflink|metadata", text, re.IGNORECASE):
        return f"no machine moves {_BEYOND} GB per second from one place to another."
    return ""


def _rate(rate: Fraction) -> str:
    if rate >= 1024 * _MB:
        return f"{said(rate / 1024 / _MB)} GB per second"
    return f"{said(rate / _MB, places=2)} MB per second" if rate >= _MB / 10 else f"{said(rate / 1024)} kB per second"


def _width(text: str, size: Quantity, rows: Quantity, line: int, book: Book) -> None:
    if not rows.value or re.search(
        r"\b(?:wal|index|delta|diff|incremental|memory|ram|work_mem|buffer|sample)\b", text, re.IGNORECASE
    ):
        return
    width = size.value / rows.value
    packed = (
        re.search(r"\b(?:dump|backup|archive|compress\w*|encrypt\w*|gz|zst|sicherung)\b", text, re.IGNORECASE)
        is not None
    )
    least = Fraction(1, 2) if packed else Fraction(24)
    if width < least and rows.value > 1_000:
        what = (
            "even well compressed rows take some bytes each"
            if packed
            else "PostgreSQL's row header alone takes 23 bytes"
        )
        book.found(
            Kind.IMPLAUSIBLE, line, f"{size.text} for {said(rows.value)} rows are {said(width, places=2)} bytes per row; {what}.",
            needs="pg_table_size and count(*) of the tables, or the listing of the archive.",
        )  # fmt: skip


def _ratio(text: str, first: Quantity, second: Quantity, line: int, book: Book) -> None:
    if (
        not re.search(r"\bcompress\w*|\bgzip\w*|\bzstd|\bkomprim\w*", text, re.IGNORECASE)
        or not second.value
        or re.search(r"\bdedup|incremental|sparse|empty\b", text, re.IGNORECASE)
    ):
        return
    large, small = max(first.value, second.value), min(first.value, second.value)
    if small and large / small > 100:
        book.found(
            Kind.IMPLAUSIBLE, line, f"{first.text} and {second.text} are a ratio of {said(large / small)} : 1; dumps compress 3 to 15 : 1.",
            needs="The sizes in bytes as listed beside the files, and the compression's settings.",
        )  # fmt: skip


def _per_row(table: Table, document: Document, book: Book) -> None:
    """Tables with rows or sizes beside durations or each other."""
    heads = [head.lower() for head in table.head]

    def column(pattern: str) -> int | None:
        return next((i for i, head in enumerate(heads) if i and re.search(pattern, head)), None)

    rows, took = (
        column(r"\brows?\b|\brecords\b|\bzeilen\b"),
        column(r"\b(?:duration|time|took|elapsed|seconds|dauer)\b"),
    )
    size = column(r"\bsize\b|\bbytes\b|\bgröße\b")
    for row in table.rows:
        count = single(row.cells[rows], german=document.german) if rows is not None else None
        spent = single(row.cells[took], german=document.german) if took is not None else None
        weight = single(row.cells[size], german=document.german) if size is not None else None
        heavy = weight.value if weight is not None and weight.measure == "size" else None
        if count is not None and count.measure == "count" and count.exact and spent is not None:
            seconds = _seconds(spent, heads[took or 0])
            if seconds:
                _rows(_Step("data load", seconds, row.line, ()), count.value, heavy, book)
        if weight is not None and heavy and weight.exact and spent is not None and rows is None:
            seconds, about = _seconds(spent, heads[took or 0]), " ".join((*heads, row.cells[0]))
            if seconds and spent.exact and not _NOT_WORK.search(about) and not is_total(row.cells[0]):
                _through(about, weight, replace(spent, value=seconds), row.line, book)
        if (
            count is not None
            and weight is not None
            and weight.measure == "size"
            and count.measure == "count"
            and weight.exact
        ):
            head = heads[size or 0]
            if not re.search(r"index|compress", head):
                tables = _lists_tables(table) and not re.search(r"dump|backup", head)
                _width("table size" if tables else "dump size", weight, count, row.line, book)


def _lists_tables(table: Table) -> bool:
    """Whether a table lists database tables."""
    return re.match(r"\W*(?:table|tabelle)\b", table.head[0], re.IGNORECASE) is not None
