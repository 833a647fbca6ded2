"""Output that PostgreSQL and psql do not print: sizes in other units, row counts that are not those of the rows shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attestore.amounts import amount
from attestore.claims.checks.queries import queries
from attestore.claims.document import Code, Document, Passage, Table
from attestore.claims.model import Book, Kind

__all__ = ["check"]

_PRETTY: Final = re.compile(r"pg_size_pretty|\\(?:l|dt|di|d|dm|dp)[S]?\+")
_SIZE: Final = re.compile(r"(?<![\w.,])(\d[\d.,]*) ?(bytes|kilobytes|megabytes|[kKmMgGtTpP]i?[bB])(?![\w/])")
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB", "PB")
_FOOTER: Final = re.compile(r"^\s*\((\d+) (rows?)\)\s*$")
_RULE: Final = re.compile(r"^[\s-]*-{2,}[-+\s]*$")
_TIMING: Final = re.compile(r"^Time: (\d+[.,]\d{3}) ms(?: \((?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})\))?")
_NEEDS: Final = "The output as psql wrote it, with the command."


def check(document: Document, book: Book) -> None:
    """Look at what is said to be the server's own output."""
    for line, text in _said_pretty(document):
        _sizes(line, text, book)
    for block in document.codes:
        if block.language not in {"python", "yaml", "json"}:
            _session(block, book)


def _said_pretty(document: Document) -> Iterator[tuple[int, str]]:
    """Lines that show what pg_size_pretty gave."""
    asked = {query.block for query in queries(document) if _PRETTY.search(query.text)}
    for place, block in enumerate(document.blocks):
        match block:
            case Passage(heading=0):
                for line, text in block.lines:
                    found = re.search(r"pg_size_pretty(?:\([^\n]*?\)+)?", text)
                    if found:
                        yield line, text[found.end() :]
            case Table():
                for row in block.rows:
                    for head, cell in zip(block.head, row.cells, strict=False):
                        if "pg_size_pretty" in head or "pg_size_pretty" in row.cells[0]:
                            yield row.line, cell
            case Code():
                yield from _of_code(document, block, place, asked)
            case _:
                pass


def _of_code(document: Document, block: Code, place: int, asked: set[int]) -> Iterator[tuple[int, str]]:
    lines = list(block.lines)
    if place in asked or _PRETTY.search(block.text):
        started = False
        for line, text in lines:
            comment = re.search(r"--(.*)$", text) if "pg_size_pretty" in text or started else None
            if _PRETTY.search(text) or re.search(r"\bSELECT\b|\bFROM\b|\bpsql\b", text):
                started = True
                if comment:
                    yield line, comment[1]
            elif started:
                yield line, text
    elif (
        (place and place - 1 in asked)
        or (place > 1 and place - 2 in asked and isinstance(document.blocks[place - 1], Passage))
    ) and block.language not in {"sql", "psql", "postgresql"}:
        yield from lines


def _sizes(line: int, text: str, book: Book) -> None:
    for found in _SIZE.finditer(text):
        written, unit = found[1], found[2]
        if unit not in _UNITS:
            book.found(
                Kind.IMPOSSIBLE,
                line,
                f"pg_size_pretty prints bytes, kB, MB, GB, TB and PB; “{found[0]}” is not among its forms.",
                needs=_NEEDS,
            )
        elif re.search(r"[.,]\d", written):
            book.found(
                Kind.IMPOSSIBLE, line, f"pg_size_pretty prints whole numbers; “{found[0]}” is not one.", needs=_NEEDS
            )
        elif unit != "PB" and int(re.sub(r"\D", "", written) or "0") > 10_240 - (unit == "bytes"):
            book.found(
                Kind.IMPOSSIBLE,
                line,
                f"pg_size_pretty goes to the next unit from 10,240 on; it would not print “{found[0]}”.",
                needs=_NEEDS,
            )
        elif unit not in {"bytes", "kB"} and int(re.sub(r"\D", "", written) or "0") < 10:
            smaller = _UNITS[_UNITS.index(unit) - 1]
            book.found(
                Kind.IMPOSSIBLE, line,
                f"pg_size_pretty stays with {smaller} below 10 {unit}: it would not print “{found[0]}” but some thousand {smaller}.",
                needs=_NEEDS,
            )  # fmt: skip


def _session(block: Code, book: Book) -> None:
    """Psql's tables: the footer counts the rows above it."""
    rule = -1
    lines = block.text.split("\n")
    for number, text in enumerate(lines):
        if _RULE.match(text) and number and ("|" in lines[number - 1] or lines[number - 1].strip()):
            rule = number
        footer = _FOOTER.match(text)
        if footer:
            line, count = block.line + number, int(footer[1])
            if (count == 1) == (footer[2] == "rows"):
                book.found(
                    Kind.IMPOSSIBLE, line, f"psql prints (1 row) and (n rows), never “{text.strip()}”.", needs=_NEEDS
                )
            if rule >= 0:
                _footer(lines[rule + 1 : number], count, line, book)
            rule = -1
        timing = _TIMING.match(text)
        if timing and timing[3]:
            _timing(timing, block.line + number, book)


def _footer(rows: list[str], count: int, line: int, book: Book) -> None:
    shown = [row for row in rows if row.strip()]
    if any(
        re.fullmatch(r"\s*(?:\.{2,}|…|\[.*\]|\(.*\)|:)\s*\|?.*", row)
        or re.search(r"\+\s*(?:\||$)", row)
        or "..." in row
        or "…" in row
        for row in shown
    ):
        return
    if len(shown) == count:
        book.holds(line, f"{amount(count, 'row is', 'rows are')} shown, as psql counts.")
    else:
        book.found(
            Kind.CONTRADICTION,
            line,
            f"psql's footer counts {amount(count, 'row')}, but {amount(len(shown), 'is', 'are')} shown above it.",
            needs=_NEEDS,
        )


def _timing(found: re.Match[str], line: int, book: Book) -> None:
    ms = float(found[1].replace(",", "."))
    written = ((int(found[2] or 0) * 60 + int(found[3])) * 60 + int(found[4])) * 1000 + int(found[5])
    if found[2] is None:
        written = (int(found[3]) * 60 + int(found[4])) * 1000 + int(found[5])
    if abs(ms - written) > 1:
        book.found(
            Kind.CONTRADICTION,
            line,
            f"{found[1]} ms are not the time in brackets, {written / 1000:,.3f} s.",
            needs=_NEEDS,
        )
