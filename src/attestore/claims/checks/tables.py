"""Tables whose rows do not sum to their totals, or whose shares are not what they are shares of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from attestore.amounts import amount
from attestore.claims.document import Document, Passage, Row, Table
from attestore.claims.labels import is_good, is_share, is_total
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, clock, said, single

__all__ = ["check"]

_NOT_ADDITIVE: Final = re.compile(
    r"\b(?:avg|average|mean|median|p\d\d|max|min|rate|ratio|speed|throughput|per|ø|durchschnitt|mittel|version|port|id|no|nr|#|year|start\w*|end\w*|"
    r"began|begin\w*|begun|utc|finish\w*|from|until|time of day|at|cumulative|running|elapsed|since|rank|priority|limit|target|threshold|beginn|ende|kumul\w*|"
    r"peak|distinct|unique|score|level|offset|line|step|day|date|age|rto|rpo)\b|/s\b|^#$",
    re.IGNORECASE,
)
_SUBTOTAL: Final = re.compile(r"\bsub-?total|zwischensumme|of which|davon|thereof|including|incl\.", re.IGNORECASE)
_OVERLAP: Final = re.compile(
    r"\b(?:overlap\w*|parallel\w*|concurrent\w*|wall[ -]?clock|simultaneous\w*|elapsed|not (?:add|sum)\w*|do(?:es)? not sum|excerpt|largest|top \d+|"
    r"selected|sample\w*|only the|remaining|smaller tables|gleichzeitig|auszug|überlapp\w*|rest of|others? (?:omitted|not shown)|omitted|"
    r"more than once|counted twice|double[- ]count\w*|deduplicat\w*|shared)\b|[…]|\.\.\.",
    re.IGNORECASE,
)
_NEEDS: Final = "The raw figures (log lines, query output) that the table was made from."
_LEAST: Final = 2
_MOST_COLUMNS: Final = 60


@dataclass(frozen=True, slots=True)
class _Column:
    """One column's figures: those of the rows, and that of the total."""

    index: int
    head: str
    parts: tuple[tuple[int, Quantity], ...]
    total: tuple[int, Quantity] | None


def check(document: Document, book: Book) -> None:
    """Add up every table again."""
    for place, block in enumerate(document.blocks):
        if isinstance(block, Table) and block.rows and len(block.head) <= _MOST_COLUMNS:
            near = " ".join(_near(document, place, step) for step in (-1, 1))
            _table(block, near=near, german=document.german, book=book)


def _near(document: Document, place: int, step: int) -> str:
    there = place + step
    if not 0 <= there < len(document.blocks):
        return ""
    block = document.blocks[there]
    return block.text if isinstance(block, Passage) else ""


def _table(table: Table, *, near: str, german: bool, book: Book) -> None:
    totals = [row for row in table.rows if is_total(row.cells[0])]
    parts = [row for row in table.rows if row not in totals]
    around = " ".join((*table.head, *(row.cells[0] for row in table.rows), near))
    partial = _OVERLAP.search(around) is not None
    if any(_SUBTOTAL.search(row.cells[0]) for row in table.rows) or len(totals) > 1:
        return
    total = totals[0] if totals and totals[0] is table.rows[-1] else None
    if totals and total is None and totals[0] is table.rows[0]:
        total = totals[0]
    parts = _alike(parts, total)
    columns = [
        column
        for index in range(1, len(table.head))
        if (column := _column(table, parts, total, index, german=german)) is not None
    ]
    for column in columns:
        if column.total is not None and not _skipped(column) and column.parts[0][1].measure != "percent":
            _sum(column, partial=partial, rows=len(parts), book=book)
    _shares(columns, partial=partial, rows=len(parts), book=book)
    _sides(table, parts, german=german, book=book)


def _alike(parts: list[Row], total: Row | None) -> list[Row]:
    """The rows that a total with a second label sums: `All | stored` sums those that are stored."""
    if total is None or len(total.cells) < 3:
        return parts
    second = total.cells[1].strip().lower()
    same = [row for row in parts if row.cells[1].strip().lower() == second]
    return same if re.fullmatch(r"[^\W\d_][^\d]*", second) and same and len(same) < len(parts) else parts


def _skipped(column: _Column) -> bool:
    return _NOT_ADDITIVE.search(column.head) is not None


def _column(table: Table, parts: list[Row], total: Row | None, index: int, *, german: bool) -> _Column | None:
    """The figures of one kind that a column holds; None where a cell is something else."""
    figures: list[tuple[int, Quantity]] = []
    for row in parts:
        cell = row.cells[index]
        if re.fullmatch(r"[\s–—-]*(?:n/?a)?[\s–—-]*", cell, re.IGNORECASE):
            continue
        figure = _figure(cell, german=german)
        if figure is None:
            return None
        figures.append((row.line, figure))
    measures = {figure.measure for _, figure in figures}
    if len(figures) < _LEAST or len(measures) != 1 or not all(figure.exact for _, figure in figures):
        return None
    summed = None
    if total is not None:
        figure = _figure(total.cells[index], german=german)
        if figure is not None and figure.measure in measures:
            summed = total.line, figure
    return _Column(index, table.head[index], tuple(figures), summed)


def _figure(cell: str, *, german: bool) -> Quantity | None:
    found = single(cell, german=german)
    if found is not None and found.measure == "clock":
        seconds = clock(found.text)
        return None if seconds is None else found
    return found


def _sum(column: _Column, *, partial: bool, rows: int, book: Book) -> None:
    assert_total = column.total
    if assert_total is None:
        return
    line, total = assert_total
    first = column.parts[0][0]
    values = [figure for _, figure in column.parts]
    summed = sum((figure.value for figure in values), Fraction(0))
    half = sum((figure.half for figure in values), Fraction(0))
    of = {figure.of is not None for figure in values}
    told = _written(values, total)
    if _fits(values, total, summed, half) and of != {True, False}:
        if summed:
            book.holds(line, f"{told} = {_amount(summed, total)}, the total of “{_clean(column.head)}”.")
        _fraction_sum(column, line, total, book=book)
        return
    if partial or len(values) < rows or all(figure.value == total.value for figure in values):
        return
    if total.measure == "clock" and total.unit == "hm":
        return
    book.found(
        Kind.CONTRADICTION,
        line,
        f"The {len(values)} rows of “{_clean(column.head)}” (from line {first}) sum to {_amount(summed, total)}: {told}; the total says "
        f"{total.text}, a difference of {_amount(abs(summed - total.value), total)}.",
        needs=_NEEDS,
    )


def _fits(values: list[Quantity], total: Quantity, summed: Fraction, half: Fraction) -> bool:
    if total.measure == "size":
        decimal = sum((figure.other or figure.value for figure in values), Fraction(0))
        return any(
            abs(value - whole) <= half + 2 * total.half
            for value, whole in ((summed, total.value), (decimal, total.other or total.value))
        )
    return abs(summed - total.value) <= half + 2 * total.half


def _fraction_sum(column: _Column, line: int, total: Quantity, *, book: Book) -> None:
    if total.measure != "fraction":
        return
    whole = sum((figure.of or Fraction(0) for _, figure in column.parts), Fraction(0))
    if total.of is not None and whole != total.of:
        book.found(
            Kind.CONTRADICTION,
            line,
            f"The second figures of “{_clean(column.head)}” sum to {said(whole)}, not {said(total.of)}.",
            needs=_NEEDS,
        )


def _written(values: list[Quantity], total: Quantity) -> str:
    if len(values) > 12:
        return f"{len(values)} figures"
    del total
    return " + ".join(figure.text for figure in values)


def _amount(value: Fraction, like: Quantity) -> str:
    match like.measure:
        case "duration" | "clock":
            return f"{said(value, places=3)} s"
        case "size":
            return (
                f"{said(value)} B"
                if like.half == 0
                else f"{said(value / (like.value / _number(like)), places=2)} {like.unit}"
                if like.value
                else "0 B"
            )
        case "percent":
            return f"{said(value, places=2)}%"
        case _:
            return said(value, places=2)


def _number(quantity: Quantity) -> Fraction:
    factor = quantity.half and quantity.value
    del factor
    digits = re.match(r"[\d.,]+", quantity.text)
    try:
        return Fraction(digits[0].replace(",", "")) if digits else Fraction(1)
    except ValueError:
        return Fraction(1)


def _clean(head: str) -> str:
    return " ".join(head.split())[:40] or "the column"


def _shares(columns: list[_Column], *, partial: bool, rows: int, book: Book) -> None:
    """A column of percentages: each must be its part of the total, all of them the whole."""
    for column in columns:
        if column.parts[0][1].measure != "percent":
            continue
        base = _base(column, columns)
        if base is not None and _against(column, base, book=book):
            continue  # the one that is wrong explains their sum
        named = is_share(column.head)
        if column.total is None and not (named and base is None):
            continue
        if column.total is not None and column.total[1].value != 100 and base is None:
            continue
        _whole(column, named=named or base is not None, complete=not partial and len(column.parts) == rows, book=book)


def _base(shares: _Column, columns: list[_Column]) -> _Column | None:
    """The column that the percentages are parts of: most of them must be."""
    best: tuple[int, _Column] | None = None
    for column in columns:
        if column.parts[0][1].measure in {"percent", "clock", "rate", "fraction"} or column is shares:
            continue
        fitting = _fitting(shares, column)
        if fitting is None:
            continue
        good, most = fitting
        if most >= 3 and good * 10 >= most * 6 and (best is None or good > best[0]):
            best = good, column
    return None if best is None else best[1]


def _fitting(shares: _Column, base: _Column) -> tuple[int, int] | None:
    whole = _sum_of(base)
    if not whole:
        return None
    parts = dict(base.parts)
    both = [(parts[line], share) for line, share in shares.parts if line in parts]
    return sum(share.agrees(part.value * 100 / whole) for part, share in both), len(both)


def _sum_of(column: _Column) -> Fraction:
    return column.total[1].value if column.total else sum((figure.value for _, figure in column.parts), Fraction(0))


def _against(shares: _Column, base: _Column, *, book: Book) -> bool:
    """Whether a share is not its part of the total."""
    whole, parts, good, bad = _sum_of(base), dict(base.parts), 0, False
    for line, share in shares.parts:
        part = parts.get(line)
        if part is None:
            continue
        true = part.value * 100 / whole
        if share.agrees(true, half=part.half * 100 / whole):
            good += 1
            continue
        bad = True
        book.found(
            Kind.CONTRADICTION,
            line,
            f"{part.text} of {_amount(whole, part)} is {said(true, places=2)}%, not {share.text}.",
            needs=_NEEDS,
        )
    if good:
        first, last = shares.parts[0][0], shares.parts[-1][0]
        book.holds(
            first,
            f"{good} of {len(shares.parts)} shares are their part of {_amount(whole, base.parts[0][1])}.",
            end=last,
        )
    return bad


def _whole(column: _Column, *, named: bool, complete: bool, book: Book) -> None:
    values = [figure for _, figure in column.parts]
    summed = sum((figure.value for figure in values), Fraction(0))
    slack = sum((2 * figure.half for figure in values), Fraction(0))
    line = column.total[0] if column.total else column.parts[-1][0]
    stated = column.total[1].value if column.total else Fraction(100)
    if not named or all(figure.value == 100 for figure in values):
        return
    if abs(summed - stated) <= slack:
        book.holds(line, f"The {len(values)} shares sum to {said(summed, places=2)}%, as far as they are rounded.")
        return
    if (summed > stated and not column.total and len(values) >= 3) or (complete and (column.total or len(values) >= 3)):
        book.found(
            Kind.CONTRADICTION,
            line,
            f"The {len(values)} shares sum to {said(summed, places=2)}%, not {said(stated)}%; rounding explains at most "
            f"{said(slack, places=2)}.",
            needs=_NEEDS,
        )


_LEFT: Final = re.compile(
    r"\b(?:source|objects|quantity|before|expected|original|count|in backup|backup|production|prod|quelle|vorher|soll|primary|pre|total|backed up|dumped)\b",
    re.IGNORECASE,
)
_RIGHT: Final = re.compile(
    r"\b(?:restored?|after|actual|observed|measured|counted|target|found|ziel|nachher|ist|wiederhergestellt|standby|post|in restore)\b",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(
    r"\b(?:status|result|verdict|match(?:es|ed)?\??|ok\??|state|check|outcome|ergebnis|passed|equal)\b", re.IGNORECASE
)
_GAP: Final = re.compile(r"^\W*(?:diff(?:erence)?|delta|Δ|missing|lost|abweichung|differenz)\W*$", re.IGNORECASE)


def _sides(table: Table, parts: list[Row], *, german: bool, book: Book) -> None:
    """Source beside restored: a row called equal must be, and a difference is one less the other."""
    heads = table.head
    right = next(
        (
            i
            for i, head in enumerate(heads)
            if i and _RIGHT.search(head) and not re.search(r"\btime|size|duration\b", head, re.IGNORECASE)
        ),
        None,
    )
    left = next(
        (i for i, head in enumerate(heads) if i and i != right and _LEFT.search(head) and not _RIGHT.search(head)), None
    )
    marked = [i for i, head in enumerate(heads) if _STATUS.search(head) and i not in {left, right}]
    status = next((i for i in marked if any(is_good(row.cells[i]) for row in parts)), None)
    gap = next((i for i, head in enumerate(heads) if _GAP.search(head) and i not in {left, right}), None)
    if left is None or right is None:
        return
    expected = re.search(r"expected|erwartet", heads[left], re.IGNORECASE) is not None
    equal = 0
    for row in (*parts, *(row for row in table.rows if is_total(row.cells[0]))):
        a, b = single(row.cells[left], german=german), single(row.cells[right], german=german)
        if expected and re.search(r"[<>≤≥~≈]|\b(?:min|max|least|most)\b", row.cells[left]):
            continue
        if a is None or b is None or a.measure != "count" or b.measure != "count" or not (a.exact and b.exact):
            continue
        told = (
            status is not None
            and is_good(row.cells[status])
            and not re.search(r"target|soll|limit|max|min", heads[left], re.IGNORECASE)
        )
        missing = single(row.cells[gap], german=german) if gap is not None else None
        if missing is not None and abs(a.value - b.value) != abs(missing.value):
            _gap(row, a, b, missing, book=book)
        elif a.value != b.value and told:
            book.found(
                Kind.CONTRADICTION,
                row.line,
                f"{a.text} in “{_clean(heads[left])}” and {b.text} in “{_clean(heads[right])}” differ by {said(abs(a.value - b.value))}, yet the "
                f"row is marked {row.cells[status or 0].strip()}.",
                needs="The counts as queried on both sides, and the row's true result.",
            )
        equal += a.value == b.value and told
    if equal:
        book.holds(
            table.rows[0].line, f"In {amount(equal, 'row')} both sides state the same count, as marked.", end=table.end
        )


def _gap(row: Row, a: Quantity, b: Quantity, missing: Quantity, *, book: Book) -> None:
    book.found(
        Kind.CONTRADICTION,
        row.line,
        f"{a.text} less {b.text} is {said(abs(a.value - b.value))}, not {missing.text}.",
        needs=_NEEDS,
    )
