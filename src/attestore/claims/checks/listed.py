"""Counts against what is listed: "10/10 tables" beside nine, "the following seven" before six, lines that sum."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from attestore.claims.checks.same import subject
from attestore.claims.document import Block, Document, Passage, Table
from attestore.claims.figures import Figure
from attestore.claims.labels import is_total, noun_of
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, quantities, said, single

__all__ = ["check"]

_PARTLY: Final = re.compile(
    r"\b(?:excerpt|sample\w*|largest|top \d+|top|selected|some|examples?|e\.g\.|such as|including|includes|among|for instance|spot|only|auszug|stichprobe\w*|"
    r"größte\w*|ausgewählt\w*|z\. ?b\.|critical|main|key|notable|remaining|rest|others?|more than|changed|differ\w*|fail\w*|skipped|excluded|empty|open|"
    r"slowest|biggest|representative|at least|important)\b|[…]|\.\.\.",
    re.IGNORECASE,
)
_EXAMPLES: Final = re.compile(
    r"\b(?:e\.g\.|such as|includ\w+|among|for instance|examples?|some|at least|more than|top|largest|z\. ?b\.|of the(?! following)|other|main|key|important)\b|[…]|\.\.\.",
    re.IGNORECASE,
)
_NEEDS: Final = "The complete list, as the server's catalogue gives it."
_WORDS: Final = {
    word: number
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
} | {
    word: number
    for number, word in enumerate(
        ["eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"], 1
    )
}


def check(document: Document, figures: tuple[Figure, ...], book: Book) -> None:
    """Count what is listed again."""
    _tables(document, figures, book)
    _introduced(document, book)
    _summed_up(document, book)


_SUM: Final = re.compile(
    r"^\W*(?:(?:grand )?total|all in all|in total|altogether|sum|overall|together|taken together|insgesamt|zusammen|summe|gesamt)\b",
    re.IGNORECASE,
)


def _summed_up(document: Document, book: Book) -> None:
    """A list of durations or sizes, and the total behind it or in its last item."""
    blocks = document.blocks
    for place, block in enumerate(blocks):
        if (
            not isinstance(block, Passage)
            or not block.items
            or (place and getattr(blocks[place - 1], "items", 0) == block.items)
        ):
            continue
        items = [
            block,
            *(
                each
                for each in blocks[place + 1 : place + 60]
                if isinstance(each, Passage) and each.items == block.items
            ),
        ]
        behind = blocks[place + len(items)] if place + len(items) < len(blocks) else None
        last = items[-1]
        if _SUM.match(last.text):
            items = items[:-1]
        elif isinstance(behind, Passage) and not behind.heading and _SUM.match(behind.text):
            last = behind
        else:
            continue
        _total_of(items, last, document, book)


def _total_of(items: list[Passage], last: Passage, document: Document, book: Book) -> None:
    first = re.split(r"[.;]\s", last.text.split("\n")[0])[0]
    totals = [q for q in quantities(first, german=document.german) if q.measure in {"duration", "size"}]
    parts: list[Quantity] = []
    for item in items:
        mine = [q for q in quantities(item.text, german=document.german) if totals and q.measure == totals[0].measure]
        parts += mine if len(mine) == 1 and mine[0].exact else []
    if len(items) < 3 or len(parts) != len(items) or not totals or not totals[0].exact or _PARTLY.search(first):
        return
    summed = sum((q.value for q in parts), Fraction(0))
    slack = sum((q.half for q in parts), Fraction(0)) + 2 * totals[0].half
    told = " + ".join(q.text for q in parts[:12])
    if abs(summed - totals[0].value) <= slack:
        book.holds(last.line, f"{told} = {totals[0].text}.")
    elif not re.search(r"parallel|overlap|concurrent", " ".join(item.text for item in items), re.IGNORECASE):
        unit = "s" if totals[0].measure == "duration" else "B"
        book.found(
            Kind.CONTRADICTION, last.line, f"The {len(parts)} items above sum to {said(summed)} {unit} ({told}), not {totals[0].text}.",
            needs="The figures of each item, measured again.",
        )  # fmt: skip


def _tables(document: Document, figures: tuple[Figure, ...], book: Book) -> None:
    """A table that lists things of one kind, against how many there are said to be."""
    by_noun: dict[str, list[tuple[int, Table]]] = {}
    for place, block in enumerate(document.blocks):
        if isinstance(block, Table) and block.rows and (noun := _listed(block)):
            by_noun.setdefault(noun, []).append((place, block))
    for noun, listings in by_noun.items():
        if len(listings) != 1:
            continue
        place, table = listings[0]
        rows = [
            row for row in table.rows if not is_total(row.cells[0]) and not re.match(rf"\d[\d,.]* {noun}", row.cells[0])
        ]
        if (
            _partial(document, place)
            or subject(table.section)
            or _PARTLY.search(
                " ".join(
                    row.cells[0]
                    for row in table.rows
                    if len(row.cells[0]) < 30
                    and noun == "tables"
                    and re.search(r"[…]|\.\.\.|other|rest|remaining", row.cells[0], re.IGNORECASE)
                )
            )
        ):
            continue
        _counted(noun, len(rows), table, figures, book)
        if noun == "tables":
            _summed(document, table, figures, book)


def _listed(table: Table) -> str:
    """What each row of a table is: the noun that is its first head and nothing else."""
    head = re.sub(r"^#$|\bname\b", "", table.head[0], flags=re.IGNORECASE).strip()
    noun = noun_of(head)
    if not noun or len(head.split()) > 3 or len(table.rows) < 2:
        return ""
    if re.search(r"\btype|class|kind|group|child|parent|art\b", head, re.IGNORECASE) or any(
        noun_of(row.cells[0]) == noun for row in table.rows[:1] if row.cells[0].lower() == noun
    ):
        return ""
    return noun


def _partial(document: Document, place: int) -> bool:
    table = document.blocks[place]
    words = [" ".join(table.section[-1:])]
    for step in (-1, 1):
        block = document.blocks[place + step] if 0 <= place + step < len(document.blocks) else None
        if isinstance(block, Passage) and not block.heading:
            words.append(block.text)
    return _PARTLY.search(" ".join(words)) is not None


def _claims(noun: str, figures: tuple[Figure, ...]) -> list[tuple[Figure, Fraction]]:
    found: list[tuple[Figure, Fraction]] = []
    for figure in figures:
        if figure.scope or subject(figure.section) or not figure.quantity.exact:
            continue
        if figure.concept == noun:
            found.append((figure, figure.quantity.value))
        elif figure.concept == f"{noun} of" and figure.quantity.of is not None:
            found.append((figure, figure.quantity.of))
    return found


def _counted(noun: str, count: int, table: Table, figures: tuple[Figure, ...], book: Book) -> None:
    claims = [(figure, value) for figure, value in _claims(noun, figures) if not table.line <= figure.line <= table.end]
    if not claims:
        return
    if any(value == count for _, value in claims):
        book.holds(
            table.line,
            f"{count} {noun} are listed, as line {next(f.line for f, v in claims if v == count)} says.",
            end=table.end,
        )
    elif len({value for _, value in claims}) == 1:
        figure, value = claims[0]
        book.found(
            Kind.CONTRADICTION,
            figure.line,
            f"{said(value)} {noun} are claimed, but lines {table.line}-{table.end} list {count}.",
            needs=_NEEDS,
        )


def _summed(document: Document, table: Table, figures: tuple[Figure, ...], book: Book) -> None:
    """Rows of all tables listed, where no row gives their total, against the number of rows claimed."""
    claims = [
        (figure, value) for figure, value in _claims("rows", figures) if not table.line <= figure.line <= table.end
    ]
    if not claims or len({value for _, value in claims}) != 1 or any(is_total(row.cells[0]) for row in table.rows):
        return
    columns = [
        index
        for index, head in enumerate(table.head)
        if index and re.search(r"\b(?:rows?|records?|count|zeilen|datensätze)\b", head, re.IGNORECASE)
    ]
    sums: list[Fraction] = []
    for index in columns:
        cells: list[Quantity | None] = [single(row.cells[index], german=document.german) for row in table.rows]
        whole = [cell.value for cell in cells if cell is not None and cell.measure == "count"]
        parts = [cell.value for cell in cells if cell is not None and cell.measure == "fraction"]
        if len(whole) == len(table.rows):
            sums.append(sum(whole, Fraction(0)))
        elif len(parts) == len(table.rows):
            sums.append(sum(parts, Fraction(0)))
    if not sums:
        return
    figure, value = claims[0]
    if value in sums:
        book.holds(
            table.line,
            f"The rows of the {len(table.rows)} tables listed sum to {said(value)}, as line {figure.line} says.",
            end=table.end,
        )
    else:
        book.found(
            Kind.CONTRADICTION, figure.line,
            f"{said(value)} rows are claimed, but those of the tables on lines {table.line}-{table.end} sum to {said(sums[0])}.",
            needs="count(*) of each table on both sides.",
        )  # fmt: skip


_BEFORE: Final = re.compile(r"\b(?:the following|these|all|our|are|were|lists?|folgenden?|alle)\b|:\s*$", re.IGNORECASE)


def _introduced(document: Document, book: Book) -> None:
    """`N things:` right before a list or table, and a total before items that each carry a part of it."""
    blocks = document.blocks
    for place, block in enumerate(blocks[:-1]):
        if not isinstance(block, Passage):
            continue
        last = block.text.split("\n")[-1]
        line = block.line_at(len(block.text))
        if len(last) > 300 or (not last.rstrip().endswith(":") and not re.search(r"\([^()]*\d[^()]*\)\s*:?\s*$", last)):
            continue
        items = _items(blocks, place)
        following = blocks[place + 1]
        if len(items) < 2:
            if last.rstrip().endswith(":") and isinstance(following, Table):
                _following(last, line, len([r for r in following.rows if not is_total(r.cells[0])]), document, book)
            continue
        if not _parts(last, line, items, document, book) and last.rstrip().endswith(":"):
            _following(last, line, len(items), document, book)


def _items(blocks: tuple[Block, ...], place: int) -> list[Passage]:
    """The items of the list right behind a passage, each by its first paragraph."""
    block = blocks[place + 1]
    if not isinstance(block, Passage) or not block.items:
        return []
    if isinstance(blocks[place], Passage) and blocks[place].items == block.items:  # type: ignore[union-attr]
        return []
    found: list[Passage] = []
    for each in blocks[place + 1 :]:
        if not isinstance(each, Passage) or (each.items != block.items and each.depth <= block.depth):
            break
        if each.items == block.items:
            found.append(each)
    return found


_CLOSING: Final = re.compile(r"\(\d{1,3}\)\s*:\s*$")


def _following(text: str, line: int, count: int, document: Document, book: Book) -> None:
    text = re.split(r"[.;]\s", text)[-1]
    if _EXAMPLES.search(text):
        return
    found = [q for q in quantities(text, german=document.german) if q.measure == "count" and q.exact]
    spelled = [
        Fraction(_WORDS[word.lower()])
        for word in re.findall(r"\b[^\W\d_]+\b", text)
        if word.lower() in _WORDS and word.lower() not in {"one", "eins"}
    ]
    values = [q.value for q in found] + spelled
    if len(values) != 1 or not (
        noun_of(text)
        or re.search(
            rf"(?<![\w.,])(?:\d{{1,2}}|{'|'.join(_WORDS)}) (?:[\w-]+ )?[a-zäöü-]{{3,}}(?:s|en|er)\W*:\s*$",
            text,
            re.IGNORECASE,
        )
        or re.search(r"\b(?:following|these|folgende\w*)\b", text, re.IGNORECASE)
    ):
        return
    if found and _CLOSING.search(text) and noun_of(text[: found[0].start]):
        found = []
    if found and not re.match(r"\s*(?:[\w-]+\s+){0,3}[\w-]+s\b|\s*\w+(?:en|er|e)\b", text[found[0].end :]):
        return
    if quantities(text, german=document.german)[:1] and any(
        q.measure != "count" for q in quantities(text, german=document.german)
    ):
        return
    value = values[0]
    if value == count:
        book.holds(line, f"{count} are listed, as announced.")
    elif 1 < value <= 60 and count > 1:
        book.found(Kind.CONTRADICTION, line, f"{said(value)} are announced, but {count} are listed.", needs=_NEEDS)


def _parts(text: str, line: int, items: list[Passage], document: Document, book: Book) -> bool:
    """A total before items that each carry one figure of the same kind: 2,256 lines before files with their lines."""
    total = [
        q for q in quantities(text, german=document.german) if q.measure in {"count", "size", "duration"} and q.exact
    ]
    if len(total) != 1:
        return False
    unit = _unit(text, total[0])
    if not unit or _PARTLY.search(text):
        return False
    parts: list[Quantity] = []
    for item in items:
        first = item.text.split("\n")[0]
        mine = [
            q
            for q in quantities(first, german=document.german)
            if q.measure == total[0].measure and q.exact and _unit(first, q) == unit
        ]
        if len(mine) != 1:
            return False
        parts.append(mine[0])
    summed = sum((q.value for q in parts), Fraction(0))
    slack = sum((q.half for q in parts), Fraction(0)) + 2 * total[0].half
    told = " + ".join(q.text for q in parts[:12])
    if abs(summed - total[0].value) <= slack:
        book.holds(line, f"{told} = {said(summed)} {unit}.", end=items[-1].line)
    elif total[0].value == len(items):
        return False
    else:
        book.found(
            Kind.CONTRADICTION, line, f"The {len(parts)} items sum to {said(summed, places=2)} {unit} ({told}), not {said(total[0].value, places=2)}.",
            needs="The figures of each item, counted again.", end=items[-1].line,
        )  # fmt: skip
    return True


def _unit(text: str, quantity: Quantity) -> str:
    if quantity.measure in {"size", "duration"}:
        return {"size": "B", "duration": "s"}[quantity.measure]
    found = re.match(r"\s*([^\W\d_]+)", text[quantity.end :])
    return re.sub(r"s$", "", found[1].lower()) if found else ""
