"""Figures in one statement that must agree: conversions, margins, parts of a whole, comparisons, rates."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import RTO, Figure, sentences
from attestore.claims.labels import is_mark, keyed
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, clock, quantities, said

__all__ = ["check"]

_NEEDS: Final = "The measurement itself: start and end as the clock gave them, or the program's own output."
_BRACKET: Final = re.compile(r"\s*(?:\(\s*|=\s*|≙\s*|i\.e\.,?\s*|that is,?\s*)")
_BELOW: Final = re.compile(
    r"^\s*(?:below|under|better than|less than|faster than|beneath|unter|margin|within|headroom|remaining|ahead of|inside)\b",
    re.IGNORECASE,
)
_HUNDRED: Final = Fraction(100)


def check(document: Document, figures: tuple[Figure, ...], book: Book) -> None:
    """Look at every sentence and every cell."""
    for block in document.blocks:
        match block:
            case Passage():
                for line, text in sentences(block):
                    _statement(text, line, document, book)
            case Table():
                for row in block.rows:
                    for cell in row.cells:
                        _statement(cell, row.line, document, book)
            case _:
                pass
    _margins(document, figures, book)
    _targets(figures, document, book)


def _statement(text: str, line: int, document: Document, book: Book) -> None:
    if len(text) > 2_000:
        return
    found = quantities(text, german=document.german)
    for first, second in itertools.pairwise(found):
        between = text[first.end : second.start]
        at = line + text.count("\n", 0, second.start)
        _converted(first, second, between, text, at, book)
        _part(first, second, between, at, book)
        _compared(first, second, between, text, at, book)
    for each in found:
        if each.measure == "fraction" and each.of is not None:
            _over(each, text, line, document, book)
    _percent_over(found, text, line, book)


def _converted(first: Quantity, second: Quantity, between: str, text: str, line: int, book: Book) -> None:
    """18 minutes 42 seconds (1,122 seconds)."""
    pair = {first.measure, second.measure}
    alone = re.match(r"\s*\)|\s*$", text[second.end :]) is not None or "=" in between
    if re.search(r"[-+–−]\s*$", text[: first.start]) and "=" in between:
        return  # a sum that is written out
    if not _BRACKET.fullmatch(between) or not alone or pair not in ({"duration"}, {"size"}, {"clock", "duration"}):
        return
    alike = first.unit == second.unit and first.text.count(" ") == second.text.count(" ")
    if alike and "=" not in between and pair == {"duration"}:
        return  # twelve seconds (eight seconds): two values, no conversion
    if not (first.exact and second.exact) or "hm" in {first.unit, second.unit}:
        return  # 03:35 may be a time of day
    value = first.value if first.measure != "clock" else clock(first.text) or first.value
    same = Quantity(second.measure, value, first.half, 0, 0, first.text, first.unit, None, first.other).same(second)
    if same:
        book.holds(line, f"{first.text} is {second.text}.")
        return
    told = f"{said(first.value, places=3)} s" if "duration" in pair else f"{said(first.value)} B"
    book.found(Kind.CONTRADICTION, line, f"{first.text} is {told}, not {second.text}.", needs=_NEEDS)


def _part(first: Quantity, second: Quantity, between: str, line: int, book: Book) -> None:
    """100% (7,305/7,305 rows), or 8 of 10 (80%)."""
    pair = (first.measure, second.measure)
    if pair == ("percent", "fraction") and re.fullmatch(r"\s*(?:\(|[–—:,-]|of (?:the )?\w+ \()\s*", between):
        share, part = first, second
    elif pair == ("fraction", "percent") and re.fullmatch(
        r"\s*(?:[\w-]+ ){0,6}(?:[\w-]+)?\s*(?:\(|[–—:=,-]|is|are)\s*", between
    ):
        share, part = second, first
    else:
        return
    if not part.of or not share.exact:
        return
    true = part.value * 100 / part.of
    if share.agrees(true) and not (share.value == _HUNDRED and part.value != part.of):
        book.holds(line, f"{part.text} is {share.text}.")
    else:
        book.found(
            Kind.CONTRADICTION,
            line,
            f"{part.text} is {said(true, places=2)}%, not {share.text}.",
            needs="The two counts, as queried.",
        )


_ADMITTED: Final = re.compile(
    r"\b(?:differ\w*|fail\w*|extra|more than|too many|unexpected\w*|weicht|abweich\w*|mismatch\w*|surplus|duplicate\w*)\b|[❌✘✗]",
    re.IGNORECASE,
)


def _over(part: Quantity, text: str, line: int, document: Document, book: Book) -> None:
    if _ADMITTED.search(document.quoted(line + text.count("\n", 0, part.start))):
        return
    if (
        part.of is not None
        and part.value > part.of
        and re.search(
            r"row|table|key|datei|prüfsumme|checksum|database|datenbank|check|test|case|object|file|index|match|pass|restor|verif|trigger|constraint|function|view|sequence|"
            r"extension|schema|role|partition|relation|page|block|zeile|tabelle",
            text,
            re.IGNORECASE,
        )
    ):
        book.found(
            Kind.IMPOSSIBLE,
            line + text.count("\n", 0, part.start),
            f"{said(part.value)} of {said(part.of)}: a part cannot be more than the whole.",
            needs="Both counts, as queried, with the queries.",
        )


def _percent_over(found: tuple[Quantity, ...], text: str, line: int, book: Book) -> None:
    for each in found:
        if (
            each.measure == "percent"
            and each.value > _HUNDRED
            and re.search(
                r"\b(?:integrity|verified|coverage|complete|match|pass(?:ed)? rate|success|accuracy|restored|of (?:all )?(?:rows|tables))\b",
                text,
                re.IGNORECASE,
            )
            and not re.search(
                r"\b(?:more|increase|faster|growth|grew|of target|cpu|than|slower|larger|overhead|scaled?)\b",
                text,
                re.IGNORECASE,
            )
        ):
            book.found(
                Kind.IMPOSSIBLE,
                line + text.count("\n", 0, each.start),
                f"{each.text} of something cannot be verified or restored; all of it is 100%.",
                needs="The counts behind the percentage.",
            )


def _compared(first: Quantity, second: Quantity, between: str, text: str, line: int, book: Book) -> None:
    """18m 42s < 30m."""
    sign = re.fullmatch(r"\s*\(?\s*(<=?|>=?|≤|≥)\s*", between)
    if sign is None or {first.measure, second.measure} not in ({"duration"}, {"size"}, {"percent"}):
        return
    less = sign[1][0] in "<≤"
    if (first.value < second.value) == less or (first.value == second.value and sign[1] in {"<=", ">=", "≤", "≥"}):
        book.holds(line, f"{first.text} {sign[1]} {second.text}.")
        return
    if re.search(r"\b(?:fail|miss|exceed|not met|breach|violat)", text, re.IGNORECASE):
        return
    book.found(Kind.CONTRADICTION, line, f"{first.text} is not {sign[1]} {second.text}.", needs=_NEEDS)


def _one(figures: tuple[Figure, ...], concept: str, near: int) -> Quantity | None:
    """The document's only value of a concept; of several, the one in the same lines."""
    mine = [figure for figure in figures if figure.concept == concept and not figure.quantity.approximate]
    values = {figure.quantity.value for figure in mine}
    if len(values) == 1:
        return max((figure.quantity for figure in mine), key=lambda quantity: -quantity.half)
    close = [figure for figure in mine if abs(figure.line - near) <= 3]
    return close[0].quantity if len({figure.quantity.value for figure in close}) == 1 else None


_RELATIVE: Final = re.compile(
    r"\b(?:target|limit|goal|threshold|objective|SLA|SLO|requirement|ziel\w*|vorgabe|budget|margin|headroom|reserve|leaves|leaving)\b",
    re.IGNORECASE,
)


def _margins(document: Document, figures: tuple[Figure, ...], book: Book) -> None:
    """678 seconds (37.7% below target) must be what lies between the document's RTO and its target."""
    places: list[tuple[int, str]] = []
    for block in document.blocks:
        if isinstance(block, Passage):
            places += sentences(block)
        elif isinstance(block, Table):
            places += [(row.line, " ".join((row.cells[0] + ":", *row.cells[1:]))) for row in block.rows]
    took = [each for _, text in places if (each := _took(text, document)) is not None]
    anywhere = took[0] if len({each.value for each in took}) == 1 else None
    for line, text in places:
        if len(text) > 1_000 or not _RELATIVE.search(text) or re.search(r"\bRPO\b|per cent of tables|previous", text):
            continue
        label = keyed(text.replace("\n", " "))
        measured, target = _one(figures, "rto", line), _one(figures, "rto target", line)
        measured = _took(text, document) or measured or anywhere
        if measured is None or target is None or not target.value:
            continue
        for each in quantities(text, german=document.german):
            at = line + text.count("\n", 0, each.start)
            if each.exact:
                _margin(each, text, label[0] if label else "", measured, target, at, book)


_TOOK: Final = re.compile(
    r"\b(?:restore|recovery|restoration|wiederherstellung)\b[^.;]{0,60}\b(?:took|lasted|dauerte)\s+(?:only |just |nur )?$",
    re.IGNORECASE,
)


def _took(text: str, document: Document) -> Quantity | None:
    """The restore took 2 hours 30 minutes: what the same sentence compares with the target."""
    found = [
        q for q in quantities(text, german=document.german) if q.measure == "duration" and _TOOK.search(text[: q.start])
    ]
    return found[0] if len(found) == 1 and found[0].exact else None


def _margin(each: Quantity, text: str, head: str, measured: Quantity, target: Quantity, line: int, book: Book) -> None:  # noqa: PLR0913, PLR0917
    after, before = text[each.end :], text[: each.start]
    below = re.match(
        r"\s*\)?\s*(?:below|under|better than|beneath|less than|ahead of|unter|inside|margin|headroom|of headroom|of margin|spare|(?:in )?reserve|remaining|left)\b",
        after,
        re.IGNORECASE,
    )
    labelled = re.search(
        r"\b(?:margin|headroom|reserve|buffer|puffer|abstand)\b", head, re.IGNORECASE
    ) and not re.search(r"\bof\s*$", before)
    below = below or re.search(r"\b(?:leaves|leaving)(?: us)?\s*$", before, re.IGNORECASE)
    below = below or re.search(r"\b(?:margin|headroom|reserve|buffer|cushion) of\s*$", before, re.IGNORECASE)
    of = re.match(r"\s*of (?:the |its )?(?:rto )?(?:target|limit|budget|allowance|objective)\b", after, re.IGNORECASE)
    if not (below or labelled or of) or each.value in {measured.value, target.value}:
        return
    gap = target.value - measured.value
    if gap < 0 and re.search(r"\b(?:above|over|exceed\w*|more than|missed|über|late)\b", text, re.IGNORECASE):
        gap = -gap
    slack = measured.half
    if each.measure == "percent":
        true = (measured.value if of else gap) * 100 / target.value
        good = each.agrees(true, half=slack * 100 / target.value)
        told = (
            f"{said(measured.value, places=3)} s of {said(target.value, places=3)} s is {said(true, places=2)}%"
            if of
            else f"({said(target.value, places=3)} s - {said(measured.value, places=3)} s) / {said(target.value, places=3)} s = {said(true, places=2)}%"
        )
    elif each.measure == "duration" and not of:
        good = each.agrees(gap, half=slack)
        told = f"{said(target.value, places=3)} s - {said(measured.value, places=3)} s = {said(gap, places=3)} s"
    else:
        return
    if good:
        book.holds(line, f"{told}, as stated ({each.text}).")
    else:
        book.found(Kind.CONTRADICTION, line, f"{told}, not {each.text}.", needs=_NEEDS)


def _targets(figures: tuple[Figure, ...], document: Document, book: Book) -> None:
    """An RTO above the target that is called met."""
    for figure in figures:
        if figure.concept != "rto" or not figure.quantity.exact:
            continue
        target = _one(figures, "rto target", figure.line)
        if target is None:
            continue
        text = document.quoted(figure.line)
        if figure.quantity.value <= target.value:
            book.holds(figure.line, f"{figure.quantity.text} is within the target of {target.text}.")
        elif (
            is_mark(text)
            or (
                re.search(
                    r"\b(?:within|met|under|below|well under|meets|satisf|eingehalten|unter)\b", text, re.IGNORECASE
                )
                and not re.search(r"\b(?:not\b|fail|miss|exceed|above\b|over\b)", text, re.IGNORECASE)
            )
        ) and (RTO.search(text) or "|" in text):
            book.found(
                Kind.CONTRADICTION,
                figure.line,
                f"{figure.quantity.text} is more than the target of {target.text}, yet it is said to be met.",
                needs=_NEEDS,
            )
