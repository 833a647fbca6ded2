"""What a program printed in the document, against what the text around says that it gave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import Final

from attestore.claims.document import Code, Document, Passage
from attestore.claims.figures import OTHER, sentences
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import quantities, said

__all__ = ["check"]

_COUNTED: Final = re.compile(
    r"\bSELECT\s+count\(\*\)(?:\s+AS\s+\w+)?\s+FROM\s+(?P<of>[\w.\"]{1,80})(?P<where>\s+WHERE\b[^;]{1,300}?)?\s*;?[\"']?[ \t]*\n"
    r"(?:[ \t]*\w+[ \t]*\n[ \t]*-{3,}[ \t]*\n)?[ \t]*(?P<n>\d{1,15})[ \t]*(?:\n|\Z)",
    re.IGNORECASE,
)
_CATALOGUE: Final = {
    "pg_tables": "tables?", "information_schema.tables": "tables?", "pg_trigger": "triggers?", "pg_indexes": "index(?:es)?|indices", "pg_index": "index(?:es)?|indices",
    "pg_views": "views?", "pg_extension": "extensions?", "pg_sequences": "sequences?", "pg_proc": "functions?", "pg_roles": "roles?", "pg_matviews": "materialized views?",
    "pg_constraint": "constraints?|foreign keys?", "pg_policies": "policies", "pg_database": "databases?",
}  # fmt: skip
_REAL: Final = re.compile(r"^real\s+(?P<m>\d{1,5})m(?P<s>\d{1,2})[.,]\d+s\s*$", re.MULTILINE)
_TIMING: Final = re.compile(r"\btime\b[^\n]*\b(?:pg_restore|psql)\b")
_LONGEST: Final = 100_000
_RAN: Final = re.compile(
    r"\b(?:restore|restoring|restoration|pg_restore|recovery|load|wiederherstellung)(?: itself| it)? (?:ran|took|lasted|needed|dauerte)(?: for)? (?=\d)",
    re.IGNORECASE,
)
_CELL: Final = re.compile(
    r"\b(?:rows?|records|count|before|after|source|restored|copy|zeilen|anzahl|target)\b", re.IGNORECASE
)
_MOST_NAMES: Final = 50
_NEEDS: Final = "The command and its output, once, as the program wrote it."


def check(document: Document, book: Book) -> None:
    """Hold the text against the output."""
    shown: dict[str, set[tuple[int, int]]] = {}
    for place, block in enumerate(document.blocks):
        if not isinstance(block, Code) or len(block.text) > _LONGEST:
            continue
        for found in _COUNTED.finditer(block.text):
            name = found["of"].replace('"', "").lower()
            line = block.line + block.text.count("\n", 0, found.start("n"))
            if name in _CATALOGUE:
                _beside(document, place, _CATALOGUE[name], int(found["n"]), line, book)
            elif found["where"] is None:
                shown.setdefault(name.rpartition(".")[2], set()).add((int(found["n"]), line))
    _timed(document, book)
    _sized(document, book)
    for name, values in islice(shown.items(), _MOST_NAMES):
        if len({value for value, _ in values}) == 1 and len(name) > 3:
            value, line = min(values, key=lambda each: each[1])
            _stated(document, name, value, line, book)


def _beside(document: Document, place: int, nouns: str, value: int, line: int, book: Book) -> None:
    """The sentence right behind a block: 29 triggers were found, where the query printed 31."""
    behind = document.blocks[place + 1] if place + 1 < len(document.blocks) else None
    if not isinstance(behind, Passage) or behind.heading:
        return
    at, text = next(iter(sentences(behind)), (0, ""))
    found = [*re.finditer(rf"(?<![\w.,/-])(?P<n>\d[\d,.]*) (?:{nouns})\b(?! (?:more|less|fewer))", text, re.IGNORECASE)]
    if (
        len(found) != 1
        or len(text) > 300
        or re.search(r"\b(?:expect\w*|should|planned|missing)\b", text)
        or re.search(
            r"\b(?:source|before|expected|instead|not|but|previous\w*|only|more|less|fewer)\b(?! as)",
            text[: found[0].end()],
        )
    ):
        return
    stated = quantities(found[0]["n"].rstrip(".,"), german=document.german)
    if len(stated) == 1 and stated[0].value != value:
        book.found(
            Kind.CONTRADICTION, at + text.count("\n", 0, found[0].start()), f"The query above printed {said(Fraction(value))} (line {line}), not {stated[0].text}.", needs=_NEEDS
        )  # fmt: skip


def _texts(document: Document, name: str) -> Iterator[tuple[int, int | None]]:
    """Where a text gives a number of rows of a table, and which."""
    behind = re.compile(
        rf"(?<![\w.])[`\"]?{re.escape(name)}[`\"]?(?: table)?(?:\s*[:=]\s*|\s+(?:has|had|holds?|contains?|counts?)\s+)(?P<n>\d[\d,.']*\d)(?: rows| records|$|[;,.]\s)",
        re.IGNORECASE,
    )
    before = re.compile(
        rf"(?<![\w.,/-])(?P<n>\d[\d,.']*\d) (?:(?:rows|records) in )[`\"]?{re.escape(name)}\b", re.IGNORECASE
    )
    for passage in document.passages:
        for line, text in passage.lines:
            for pattern in (behind, before):
                for found in pattern.finditer(text) if not _ASIDE.search(text) else ():
                    stated = quantities(found["n"], german=document.german)
                    yield line, int(stated[0].value) if len(stated) == 1 else None


_ASIDE: Final = re.compile(
    r"\b(?:deleted|inserted|changed|new|missing|lost|before|expected|instead|not|differ\w*|previous\w*|yesterday|earlier|on the source had|production|about|limit|per)\b|[~≈]",
    re.IGNORECASE,
)


def _stated(document: Document, name: str, value: int, line: int, book: Book) -> None:
    wrong = "The query on line {} printed {} for `{}`, not {}."
    for at, stated in _texts(document, name):
        if stated == value:
            book.holds(at, f"{said(Fraction(value))} is what the query on line {line} printed.")
        elif stated is not None:
            book.found(Kind.CONTRADICTION, at, wrong.format(line, f"{value:,}", name, f"{stated:,}"), needs=_NEEDS)
    for table in document.tables:
        columns = [index for index, head in enumerate(table.head) if index and _CELL.search(head)]
        for row in table.rows:
            if row.cells[0].strip("` ").lower().rpartition(".")[2] != name:
                continue
            cells = [each for index in columns for each in quantities(row.cells[index], german=document.german)]
            counts = [int(each.value) for each in cells if each.measure == "count" and each.exact]
            if counts and value not in counts and not any(each.measure == "fraction" for each in cells):
                book.found(
                    Kind.CONTRADICTION, row.line, wrong.format(line, f"{value:,}", name, f"{counts[0]:,}"), needs=_NEEDS
                )


def _timed(document: Document, book: Book) -> None:
    """`time pg_restore` printed 21 minutes, and the text says 14."""
    blocks = [
        (block, found)
        for block in document.codes
        if len(block.text) <= _LONGEST
        and len(found := _REAL.findall(block.text)) == 1
        and len(_TIMING.findall(block.text)) == 1
    ]
    if len(blocks) != 1:
        return
    block, found = blocks[0]
    real = int(found[0][0]) * 60 + int(found[0][1])
    for passage in document.passages:
        if passage.section != block.section and passage.section[:-1] != block.section[:-1]:
            continue
        for line, text in sentences(passage):
            ran = _RAN.search(text) if len(text) < 400 else None
            took = next((q for q in quantities(text, german=document.german) if ran and q.start == ran.end()), None)
            if took is None or took.measure != "duration" or not took.exact or OTHER.search(text[: took.start]):
                continue
            if took.value + 2 * took.half < real - 1:
                book.found(
                    Kind.CONTRADICTION, line, f"`time` printed {real // 60} min {real % 60} s for it; {took.text} is less.", needs=_NEEDS
                )  # fmt: skip


_INFO_SIZE: Final = re.compile(r"^\s*database size: (?P<n>[\d.]+ ?[KMGT]?B)\b", re.MULTILINE)
_SAID_SIZE: Final = re.compile(
    r"\bdatabase (?:size )?(?:is|was|size:|has a size of) (?P<n>\d[\d.,]* ?[KMGT]?B)\b", re.IGNORECASE
)


def _sized(document: Document, book: Book) -> None:
    """`database size: 84.1GB`, and 48.1 GB in the text."""
    printed = {found["n"] for block in document.codes for found in _INFO_SIZE.finditer(block.text)}
    if len(printed) != 1:
        return
    shown = quantities(next(iter(printed)))
    for passage in document.passages:
        for line, text in sentences(passage):
            found = _SAID_SIZE.search(text) if len(text) < 400 and not OTHER.search(text) else None
            stated = quantities(found["n"], german=document.german) if found else ()
            if found and len(shown) == len(stated) == 1 and not stated[0].same(shown[0]):
                book.found(
                    Kind.CONTRADICTION, line + text.count("\n", 0, found.start()), f"The listing prints {shown[0].text}, not {stated[0].text}.", needs=_NEEDS
                )  # fmt: skip
