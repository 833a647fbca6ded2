"""Rows that compare: what was reached with its target, a mean with what it is the mean of, a pass with what was measured."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from typing import Final

from attestore.claims.document import Code, Document, Passage, Row, Table
from attestore.claims.figures import RTO, sentences
from attestore.claims.labels import is_good, is_mark, is_total
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, quantities, said, single

__all__ = ["check"]

_TARGET: Final = re.compile(
    r"^\W*(?:target|goal|limit|requirement|required|threshold|sla|slo|objective|maximum|max\.?|budget|allowed|ziel|soll|vorgabe|grenzwert)\w*\b",
    re.IGNORECASE,
)
_REACHED: Final = re.compile(
    r"^\W*(?:achieved|reached|actual|measured|result|observed|value|current|ist|gemessen|erreicht|tatsächlich)\w*\b",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(
    r"\b(?:status|result|verdict|met\??|ok\??|state|outcome|ergebnis|pass(?:ed)?|erfüllt)\b", re.IGNORECASE
)
_LESS: Final = re.compile(
    r"\b(?:time|duration|rpo|latency|lag|delay|loss|downtime|dauer|zeit|verlust|age)\b", re.IGNORECASE
)
_MORE: Final = re.compile(
    r"\b(?:retention|retained|interval|cadence|uptime|mtbf|between|coverage|validity)\b", re.IGNORECASE
)
_MEAN: Final = re.compile(r"^\W*(?:average|mean|avg\.?|ø|durchschnitt|mittelwert|mittel)\b\W*", re.IGNORECASE)
_EXPECTED: Final = re.compile(r"^\W*(?:expected|erwartet|soll)\w*\W*$", re.IGNORECASE)
_SIGN: Final = re.compile(r"^\W*(?:[<>≤≥]=?|(?:at least|at most|mindestens|höchstens|max\.?|min\.?)\b)", re.IGNORECASE)
_NEEDS: Final = "The measurement itself: start and end as the clock gave them, or the program's own output."


def check(document: Document, book: Book) -> None:
    """Compare row by row."""
    for block in document.blocks:
        match block:
            case Table() if block.rows:
                _targets(block, document, book)
                _means(block, document, book)
                _empty(block, book)
                _accounts(block, book)
                _derived(block, document, book)
            case Passage():
                for line, text in sentences(block):
                    _margin(text, line, document, book)
                    _called(text, line, document, book)
                    _met(text, line, document, book)
                for line, text in block.lines:
                    _redundancy(text, line, book)
            case Code():
                for line, text in block.lines:
                    _redundancy(text, line, book)
            case _:
                pass


def _place(heads: tuple[str, ...], pattern: re.Pattern[str], *taken: int | None) -> int | None:
    return next((i for i, head in enumerate(heads) if i and i not in taken and pattern.search(head)), None)


def _targets(table: Table, document: Document, book: Book) -> None:
    """Target 1 h, achieved 24 h, met; a recovery time is compared by its meaning elsewhere."""
    target = _place(table.head, _TARGET)
    signed = target is None
    target = _place(table.head, _EXPECTED) if signed else target
    reached = _place(table.head, _REACHED, target)
    status = _place(table.head, _STATUS, target, reached)
    if target is None or reached is None or status is None:
        return
    for row in table.rows:
        if signed and not _SIGN.match(row.cells[target]):
            continue
        if (RTO.search(row.cells[0]) and not signed) or not is_mark(row.cells[status]):
            continue
        aim = single(_SIGN.sub("", row.cells[target]).strip(), german=document.german)
        got = single(row.cells[reached], german=document.german)
        most = _most(row, target, aim)
        if aim is None or got is None or most is None or aim.measure != got.measure or not got.exact:
            continue
        if aim.measure not in {"duration", "size", "percent", "rate"} or abs(got.value - aim.value) <= got.half:
            continue
        if (got.value > aim.value) is most:
            book.found(
                Kind.CONTRADICTION, row.line,
                f"{got.text} is {'more' if most else 'less'} than the target of {row.cells[target].strip()}, yet the row is marked {row.cells[status].strip()}.",
                needs=_NEEDS,
            )  # fmt: skip
        else:
            book.holds(row.line, f"{got.text} is within the target of {row.cells[target].strip()}.")


def _most(row: Row, target: int, aim: Quantity | None) -> bool | None:
    """Whether a target is an upper limit; None where nobody says."""
    cell = row.cells[target]
    if re.search(r"[<≤]|\b(?:at most|max\.?|höchstens|under|below)\b", cell, re.IGNORECASE):
        return True
    if re.search(r"[>≥]|\b(?:at least|mindestens)\b|^\W*min\.|\d\+", cell, re.IGNORECASE):
        return False
    timed = aim is not None and aim.measure == "duration"
    return True if timed and _LESS.search(row.cells[0]) and not _MORE.search(row.cells[0]) else None


def _means(table: Table, document: Document, book: Book) -> None:
    """The last row is the average of those above."""
    last, above = table.rows[-1], table.rows[:-1]
    if not _MEAN.match(last.cells[0]) or not 2 <= len(above) <= 100:
        return
    for index in range(1, len(table.head)):
        mean = single(last.cells[index], german=document.german)
        parts = [single(row.cells[index], german=document.german) for row in above]
        known = [part for part in parts if part is not None and part.exact]
        if (
            mean is None
            or not mean.exact
            or len(known) != len(above)
            or {part.measure for part in known} != {mean.measure}
        ):
            continue
        if mean.measure not in {"duration", "size", "count", "percent"}:
            continue
        true = sum((part.value for part in known), Fraction(0)) / len(known)
        decimal = sum((part.other or part.value for part in known), Fraction(0)) / len(known)
        half = max(part.half for part in known)
        near = abs(true - mean.value) <= half + 2 * mean.half + abs(true) / 100
        if near or abs(decimal - (mean.other or mean.value)) <= half + 2 * mean.half + abs(decimal) / 100:
            book.holds(last.line, f"{mean.text} is the mean of the {len(known)} rows above.")
        elif not min(part.value for part in known) <= mean.value <= max(part.value for part in known):
            low, high = min(known, key=lambda part: part.value), max(known, key=lambda part: part.value)
            book.found(
                Kind.CONTRADICTION, last.line,
                f"The mean of {len(known)} figures between {low.text} and {high.text} cannot be {mean.text}.",
                needs="The figures it was computed from.",
            )  # fmt: skip


def _empty(table: Table, book: Book) -> None:
    """A row that passes with neither an expected nor a measured value, among rows that have both."""
    expected = _place(table.head, _EXPECTED)
    actual = _place(table.head, _REACHED, expected)
    status = _place(table.head, _STATUS, expected, actual)
    if expected is None or actual is None or status is None:
        return
    bare = [row for row in table.rows if not re.search(r"\w", row.cells[expected] + row.cells[actual])]
    if len(bare) * 2 >= len(table.rows):
        return
    for row in bare:
        if is_good(row.cells[status]):
            book.found(
                Kind.VACUOUS, row.line, f"It is marked {row.cells[status].strip()}, and neither an expected nor a measured value is given.",
                needs="What was expected, what was measured, and how.",
            )  # fmt: skip


_RUN: Final = re.compile(r"^\W*(?:tests?|total|run|executed|checks|cases|gesamt|geprüft)\W*$", re.IGNORECASE)
_PARTS: Final = re.compile(
    r"^\W*(?:pass(?:ed)?|fail(?:ed|ures?)?|skipped|errors?|errored|bestanden|fehlgeschlagen|übersprungen)\W*$",
    re.IGNORECASE,
)


def _accounts(table: Table, book: Book) -> None:
    """38 tests, of which 36 passed and 1 failed."""
    whole = _place(table.head, _RUN)
    parts = [index for index, head in enumerate(table.head) if index and _PARTS.match(head)]
    if whole is None or len(parts) < 2:
        return
    for row in table.rows:
        cells = [row.cells[whole], *(row.cells[index] for index in parts)]
        if is_total(row.cells[0]) or not all(re.fullmatch(r"\d{1,7}", cell.strip()) for cell in cells):
            continue
        stated, summed = int(cells[0]), sum(int(cell) for cell in cells[1:])
        if stated != summed:
            told = " + ".join(cell.strip() for cell in cells[1:])
            book.found(
                Kind.CONTRADICTION, row.line, f"{told} = {summed}, not {stated}: what became of the others is not said.",
                needs="The complete output of the run, with every test that did not pass.",
            )  # fmt: skip


_PER: Final = re.compile(r"\w/\w|\b(?:rate|speed|throughput|per)\b", re.IGNORECASE)
_TIMED: Final = re.compile(
    r"\b(?:duration|time|took|elapsed|minutes?|min|seconds?|s|sec|hours?|dauer|minuten|sekunden)\b", re.IGNORECASE
)
_CLOSE, _FAR = Fraction(3, 100), Fraction(1, 10)


def _derived(table: Table, document: Document, book: Book) -> None:
    """A column of rates: what is one column divided by another in most rows must be so in each."""
    rate = _place(table.head, _PER)
    rows = [row for row in table.rows if not is_total(row.cells[0])]
    if rate is None or not 3 <= len(rows) <= 200 or len(table.head) > 8:
        return
    values = [
        [
            None if cell is None or not cell.exact else cell.value
            for cell in (single(c, german=document.german) for c in row.cells)
        ]
        for row in rows
    ]
    others = [index for index in range(1, len(table.head)) if index != rate]
    for part in others:
        for by in (index for index in others if _TIMED.search(table.head[index])):
            odd = _odd([(row[part], row[by], row[rate]) for row in values]) if part != by else None
            if odd is None:
                continue
            row = rows[odd]
            book.found(
                Kind.CONTRADICTION, row.line,
                f"In the other rows “{table.head[rate].strip()}” follows from “{table.head[part].strip()}” and “{table.head[by].strip()}”; {row.cells[rate].strip()} does not.",
                needs=_NEEDS,
            )  # fmt: skip
            return


def _odd(rows: list[tuple[Fraction | None, Fraction | None, Fraction | None]]) -> int | None:
    """The one row whose third figure is not its first divided by its second, by the same factor as in all others."""
    factors = [c * b / a if a and b and c else None for a, b, c in rows]
    if any(factor is None for factor in factors) or len({a for a, _, _ in rows}) < 2:
        return None
    known = [factor for factor in factors if factor is not None]
    usual = sorted(known)[len(known) // 2]
    far = [place for place, factor in enumerate(known) if abs(factor - usual) > usual * _FAR]
    near = sum(abs(factor - usual) <= usual * _CLOSE for factor in known)
    distinct = len({rows[place][0] for place in range(len(rows)) if place not in far})
    return far[0] if len(far) == 1 and near == len(known) - 1 >= 2 and distinct >= 2 else None


_SAME: Final = re.compile(r"[\s,(:–—-]*(?:identical|equal|matching|match|the same|identisch|gleich)\b", re.IGNORECASE)
_FIRST: Final = re.compile(
    r"\s*(?:[\w-]+ ){0,2}(?:before|at the source|in the source|source|vorher|vor der sicherung)\b", re.IGNORECASE
)
_SECOND: Final = re.compile(
    r"\s*(?:[\w-]+ ){0,2}(?:after(?:wards)?|restored|in the copy|after restore|nachher|danach)\b", re.IGNORECASE
)


def _called(text: str, line: int, document: Document, book: Book) -> None:
    """8,120,443 orders before, 8,120,434 after: identical."""
    if len(text) > 400:
        return
    counts = [q for q in quantities(text, german=document.german) if q.measure == "count"]
    for one, two in pairwise(counts):
        first, second = _FIRST.match(text, one.end), _SECOND.match(text, two.end)
        if first is None or second is None or not (one.exact and two.exact) or not _SAME.match(text, second.end()):
            continue
        if one.value != two.value:
            book.found(
                Kind.CONTRADICTION, line + text.count("\n", 0, two.start), f"{one.text} and {two.text} differ by {said(abs(one.value - two.value))}.",
                needs="The counts as queried on both sides.",
            )  # fmt: skip


_AIM: Final = re.compile(r"\b(?:ziel|target|objective|goal|limit|vorgabe)\b[^.\d]{0,45}$", re.IGNORECASE)
_KEPT: Final = re.compile(r"\b(?:met|within|achieved|meets|satisfied|eingehalten|erreicht|erfüllt)\b", re.IGNORECASE)
_MISSED: Final = re.compile(
    r"\b(?:not|miss\w*|fail\w*|exceed\w*|nicht|verfehlt|over|above|late|instead|previous\w*|RPO)\b", re.IGNORECASE
)
_TAKEN: Final = re.compile(
    r"\b(?:with|took|in|mit|nach|of|was|needed|brauchte|dauerte)\s+(?:only |just |nur )?$", re.IGNORECASE
)


def _met(text: str, line: int, document: Document, book: Book) -> None:
    """The target was 45 minutes; with 50 minutes it was met."""
    if len(text) > 300 or not _KEPT.search(text) or _MISSED.search(text):
        return
    found = [q for q in quantities(text, german=document.german) if q.measure == "duration"]
    if len(found) != 2 or not all(q.exact for q in found):
        return
    aim, took = found if _AIM.search(text[: found[0].start]) else found[::-1]
    if (
        not _AIM.search(text[: aim.start])
        or not _TAKEN.search(text[: took.start])
        or took.value - took.half <= aim.value
    ):
        return
    book.found(
        Kind.CONTRADICTION, line + text.count("\n", 0, took.start), f"{took.text} is more than the target of {aim.text}, yet it is said to be met.",
        needs=_NEEDS,
    )  # fmt: skip


_GAP: Final = re.compile(r"\b(?:margin|headroom|reserve|buffer|puffer|abstand)\b", re.IGNORECASE)


def _margin(text: str, line: int, document: Document, book: Book) -> None:
    """Target 30 min: margin 5 min (20 %)."""
    if len(text) > 500 or not _GAP.search(text):
        return
    found = quantities(text, german=document.german)
    for target, gap, share in zip(found, found[1:], found[2:], strict=False):
        if (target.measure, gap.measure, share.measure) != ("duration", "duration", "percent"):
            continue
        aimed = re.search(
            r"\b(?:target|limit|goal|ziel|vorgabe|sla)\b[^\d]{0,12}$", text[: target.start], re.IGNORECASE
        )
        named = _GAP.search(text[target.end : gap.start])
        if not aimed or not named or not re.fullmatch(r"\s*\(\s*", text[gap.end : share.start]) or not target.value:
            continue
        true = gap.value * 100 / target.value
        if not share.agrees(true, half=gap.half * 100 / target.value) and gap.exact and share.exact:
            book.found(
                Kind.CONTRADICTION, line + text.count("\n", 0, share.start),
                f"{gap.text} of {target.text} is {said(true, places=2)}%, not {share.text}.", needs=_NEEDS,
            )  # fmt: skip


_HAVE: Final = re.compile(
    r"\b(?:have|found|has|got) (?P<n>\d{1,6})\b[^.;\n]{0,30}\b(?:expected at least|at least|minimum(?: of)?|requires?) (?P<m>\d{1,6})\b",
    re.IGNORECASE,
)
_OLDER: Final = re.compile(
    r"\binterval provided: (?P<limit>[^,)]{2,30}), latest backup age: (?P<age>[^)]{2,60})\)", re.IGNORECASE
)


def _redundancy(text: str, line: int, book: Book) -> None:
    """OK (have 3 backups, expected at least 4); OK (at most one day, and it is three days old)."""
    if not re.search(r"\bOK\b|✅|\bPASS(?:ED)?\b", text):
        return
    needs = "The check's own output, run again."
    if (found := _HAVE.search(text)) and int(found["n"]) < int(found["m"]):
        book.found(
            Kind.CONTRADICTION, line, f"{found['n']} is less than {found['m']}, yet it is marked OK.", needs=needs
        )
    if found := _OLDER.search(text):
        limit, age = quantities(found["limit"]), quantities(found["age"])
        if limit and age and limit[0].measure == age[0].measure == "duration" and age[0].value > limit[0].value:
            book.found(
                Kind.CONTRADICTION,
                line,
                f"{age[0].text} is more than {limit[0].text}, yet it is marked OK.",
                needs=needs,
            )
