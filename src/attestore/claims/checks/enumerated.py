"""Counts in a sentence against what the same sentence lists: names, parts with their fates, extremes, a mean of what stands in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, quantities, said

__all__ = ["check"]

_WORDS: Final = {
    word: number
    for names in (
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
        "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn",
    )
    for number, word in enumerate(names.split(), 2)
}
_N: Final = rf"(?P<n>\d{{1,2}}|{'|'.join(_WORDS)})"
_PLURAL: Final = r"(?:[\w-]+ ){0,2}?(?P<what>[^\W\d_]{3,}(?:s|ses|ies|en|er|ndizes|ices|chemata|ata|enzen))"
_ANNOUNCED: Final = re.compile(
    rf"(?:^|(?<=[.;!?] )|(?<=\] )|\b(?:the following|these|the|all|our|alle|die folgenden|folgende|diese) )(?:all )?{_N} (?:following )?{_PLURAL}"
    r"(?: (?P<mid>[^:()\d,;.]{0,60}))?: (?P<list>[^:;]{3,600})$",
    re.IGNORECASE,
)
_BRACKETED: Final = re.compile(
    rf"(?<![\w.,/-]){_N} (?:[\w-]+ )?(?P<what>extensions|schemas|schemata|databases|roles|sequences|views|tablespaces|publications|partitions|clusters|systems|"
    r"Datenbanken|Schemata|Erweiterungen|Rollen|Systeme) \((?P<list>[^()\d:;]{5,400})\)",
    re.IGNORECASE,
)
_OPEN_LIST: Final = re.compile(
    r"\b(?:e\.g|such as|includ\w+|among|for instance|examples?|etc|and so on|others?|more|rest|remaining|z\. ?b|usw|unter anderem|at least|mostly|mainly|"
    r"of which|both|each|either|or|oder|of (?:the|them)|less|than|wir)\b|…|\.\.\.|[–—]|\d ?[-–] ?\d|\bto\b|\bbis\b|[→/+&]",
    re.IGNORECASE,
)
_ITEM: Final = re.compile(r"[`\"'“”*_]*[^\W_][\w.@\"`'“”* -]{0,40}")
_NEARLY: Final = 2
_NEEDS: Final = "The complete list, as the server's catalogue gives it."
_MOST: Final = 600

_NUM: Final = r"(?<![\w.,/:#@+-])(?P<{}>\d[\d,.']*\d|\d)(?![\w%/:]|[.,]\d)"
_FATES: Final = (
    ("valid", "invalid"),
    ("passed|succeeded|successful|erfolgreich", "failed|fehlgeschlagen", "skipped|übersprungen"),
    ("ok|in time|on time", "late|too late|missed"),
    ("right|correct|richtig", "wrong|incorrect|falsch"),
    (
        "match|matched|equal|identical|agreed|agree|gleich|identisch",
        "differ|differed|different|unequal|differing|mismatched|abweichend",
    ),
    (
        "restored|recovered|wiederhergestellt",
        "postponed|failed|missing|skipped|excluded|omitted|cancelled|lost|aborted|fehlgeschlagen",
    ),
    ("with (?:content|rows|data)|filled|non-empty|populated|mit Inhalt", "empty|without (?:content|rows|data)|leer"),
)
_SOURCE: Final = re.compile(
    r"\bsource\W{0,3}(?P<a>\d[\d,.]*)\D{1,12}?\b(?:restored|copy|target)\W{0,3}(?P<b>\d[\d,.]*)\D{1,12}?\b(?:difference|diff|delta|missing)\W{0,3}(?P<c>\d[\d,.]*)",
    re.IGNORECASE,
)
_NEWER: Final = re.compile(
    r"(?P<a>\d[\d,.]*) (?:in|on|at) (?:the )?(?:production|source|primary|original)\W{1,3}(?P<b>\d[\d,.]*) (?:in|on|at) (?:the )?(?:copy|restored? \w+|target|clone)\W{1,3}"
    r"(?P<c>\d[\d,.]*) (?:newer|missing|fewer|less|more|lost|later)\b",
    re.IGNORECASE,
)
_NONE_BUT: Final = re.compile(
    r"(?<![\w.,])(?:0|no|zero|keine) (?P<what>[a-zäöü]{4,20}),? (?P<n>[1-9]\d*) (?:of (?:them|which|these)|davon)\b",
    re.IGNORECASE,
)
_LOW: Final = r"(?:fastest|quickest|shortest|smallest|minimum|min\.|schnellste\w*|kürzeste\w*|kleinste\w*)"
_HIGH: Final = r"(?:slowest|longest|largest|biggest|maximum|max\.|langsamste\w*|längste\w*|größte\w*)"
_EXTREMES: Final = re.compile(
    rf"\b{_LOW}\b(?P<a>[^.;|]{{1,60}}?(?:\([^()]*\))?)[.,;|]\s*(?:and |the |und |die )?{_HIGH}\b(?P<b>[^.;|]{{1,60}})",
    re.IGNORECASE,
)
_MEAN: Final = re.compile(
    r"\b(?:average|mean|avg\.?|durchschnitt\w*|mittel\w*)\b(?P<said>[^().;\n]{1,60})\((?P<parts>[^()\n]{5,200})\)",
    re.IGNORECASE,
)
_WHOLES: Final = re.compile(
    _NUM.format("n")
    + r" (?:[a-z-]+ )?(?P<what>relations|objects|items|files|systems|checks|tests|databases|schemas|records|tables|indexes)\b",
    re.IGNORECASE,
)


def check(document: Document, book: Book) -> None:
    """Look at every line that states one."""
    for line, text in _lines(document):
        if len(text) > _MOST:
            continue
        _named(text, line, book)
        _fates(text, line, document, book)
        _broken_down(text, line, document, book)
        _pairs(text, line, document, book)
        _mean(text, line, document, book)
        _between(text, line, document, book)
        _faster(text, line, document, book)
    for passage in document.passages:
        for line, text in passage.lines:
            if len(text) <= _MOST:
                _extremes(text, line, document, book)
    _rated(document, book)
    _largest(document, book)
    _none(document, book)


_SCOPE: Final = re.compile(
    r"(?<![\w.,/-])(?P<n>\d{1,5}) (?P<what>systems|databases|clusters|backups|tests|checks|tables|restores|servers)\b[^.;\d]{0,30}[,:;] (?P<k>\d{1,5}) "
    r"(?:were |was |have been )?(?:successfully )?(?:restored|passed|recovered|succeeded|successful|verified)\b",
    re.IGNORECASE,
)
_SUCCESS: Final = re.compile(
    r"^\W*(?:the )?(?:overall )?(?:success|pass|restore|completion) rate\b[^\d\n]{0,10}(?P<p>\d{1,3}(?:[.,]\d+)?) ?%",
    re.IGNORECASE,
)


def _rated(document: Document, book: Book) -> None:
    """14 systems, 12 restored: a success rate of 93 %."""
    counted = [found for _, text in _lines(document) if len(text) <= _MOST and (found := _SCOPE.search(text))]
    if len(counted) != 1 or not int(counted[0]["n"]):
        return
    part, whole = int(counted[0]["k"]), int(counted[0]["n"])
    for passage in document.passages:
        for line, text in passage.lines:
            found = _SUCCESS.search(text) if len(text) <= _MOST else None
            shares = quantities(f"{found['p']} %", german=document.german) if found else ()
            if len(shares) == 1 and part <= whole and not shares[0].agrees(Fraction(part * 100, whole)):
                book.found(
                    Kind.CONTRADICTION, line, f"{part} of {whole} is {said(Fraction(part * 100, whole))}%, not {shares[0].text}.",
                    needs="The two counts, with the list behind them.",
                )  # fmt: skip


_LARGEST: Final = re.compile(r"\blargest table\b[^.\d\n]{0,40}(?P<n>\d[\d,.']*\d) rows\b", re.IGNORECASE)
_ROWS: Final = re.compile(
    r"^\W*(?:\d{1,2}[.)] )?(?:total |all )?(?:rows?|row count|number of rows|records)(?: in (?:all|total))?\s*:\s*(?P<n>\d[\d,.']*\d)",
    re.IGNORECASE,
)


def _largest(document: Document, book: Book) -> None:
    """The largest table cannot have more rows than all of them."""
    lines = [(line, text) for passage in document.passages for line, text in passage.lines if len(text) <= _MOST]
    totals = {_number(found["n"], document) for _, text in lines if (found := _ROWS.search(text))}
    if len(totals) != 1 or (total := totals.pop()) is None:
        return
    for line, text in lines:
        found = _LARGEST.search(text)
        most = _number(found["n"], document) if found else None
        if most is not None and most > total:
            book.found(
                Kind.CONTRADICTION, line, f"{said(most)} rows in one table are more than the {said(total)} of all.", needs="count(*) of each table."
            )  # fmt: skip


_MOST_CLAIMS: Final = 20
_CLAIMED: Final = re.compile(
    r"\b(?:no|keine) (?P<how>invalid|orphaned|missing|corrupt|failed|broken|disabled) (?P<what>[a-z]{4,20})\b",
    re.IGNORECASE,
)


def _none(document: Document, book: Book) -> None:
    """No invalid indexes, ticked; and two that are invalid."""
    claims = (
        (passage, found)
        for passage in document.passages
        if passage.ticked and len(passage.text) <= _MOST and (found := _CLAIMED.search(passage.text))
    )
    for passage, found in islice(claims, _MOST_CLAIMS):
        stem = re.sub(r"(?:es|s)$", "", found["what"].lower())
        for line, text in _lines(document):
            told = re.search(rf"(?<![\w.,/-])(?P<n>[1-9]\d*) {found['how']}\b", text, re.IGNORECASE)
            if (
                told
                and stem in text.lower()
                and not re.search(
                    r"\b(?:source|before|old|previous\w*|dropped|fixed|repaired|rebuilt|since|also|both)\b", text
                )
            ):
                book.found(
                    Kind.CONTRADICTION, passage.line, f"Line {line} says {told[0]}.", needs="The query on the catalogue, and its output."
                )  # fmt: skip
                break


_BREAK: Final = re.compile(
    r"(?<=[.!?])\s+(?=[A-ZÄÖÜ])|\n(?=\[[ xX]\] |\W{0,3}\d{1,2}[.)] |[^\n]{0,60}(?:: | {3,}|\.{3,}))"
)


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    """Sentences, joined over line ends, and lines of a form, with the line they begin on."""
    for block in document.blocks:
        if isinstance(block, Passage):
            if len(block.text) > 5_000:
                continue
            place = 0
            for found in (*_BREAK.finditer(block.text), None):
                end = found.start() if found else len(block.text)
                yield block.line_at(place), re.sub(r"\s*\n\s*", " ", block.text[place:end])
                place = found.end() if found else end
        elif isinstance(block, Table):
            for row in block.rows:
                yield from ((row.line, cell) for cell in row.cells)


def _value(word: str) -> int:
    return _WORDS.get(word.lower(), 0) or (int(word) if word.isdigit() else 0)


_COUNTED_LIST: Final = re.compile(
    rf"(?<![\w.,/-]){_N} (?P<what>[a-zäöü]{{4,}}(?:s|en)) \((?P<list>[^()\d:;]{{5,400}})\)", re.IGNORECASE
)
"""Where fewer are named than said, they may be examples; where nearly all are, they are not"""


def _items(text: str) -> list[str] | None:
    """The names of a list in a sentence; None where it may not be all of them, or no list of names."""
    if _OPEN_LIST.search(text):
        return None
    parts = [part.strip(' .*_`"“”') for part in re.split(r",\s+(?:and |und )?", text.strip().rstrip("."))]
    if len(parts) < 2:
        return None
    last = re.split(r"\s(?:and|und)\s", parts[-1])
    if len(last) > 2 or any(re.search(r"\s(?:and|und)\s", part) for part in parts[:-1]):
        return None
    parts = [*parts[:-1], *(part.strip(' .*_`"“”') for part in last)]
    several = any(re.match(r"[^\W_]+", part) and _value(part.split()[0]) and len(part.split()) > 1 for part in parts)
    sound = not several and all(_ITEM.fullmatch(part) and len(part.split()) <= 3 for part in parts)
    return parts if sound and len(set(parts)) == len(parts) else None


def _named(text: str, line: int, book: Book) -> None:
    """The following seven schemas: a, b, c."""
    bracketed = [*_BRACKETED.finditer(text), *_COUNTED_LIST.finditer(text)]
    announced = _ANNOUNCED.search(re.sub(r"\.\s*$", "", re.sub(r"^\W*\d{1,2}[.)]\s+", "", text)))
    for found in (*bracketed, *([announced] if announced else [])):
        count, items = _value(found["n"]), _items(found["list"])
        before = text[max(0, text.find(found[0]) - 30) : text.find(found[0])] + str(found.groupdict().get("mid") or "")
        if items is None or count < 2 or len(items) < 2 or _OPEN_LIST.search(before):
            continue
        if found.re is _COUNTED_LIST and (abs(len(items) - count) > _NEARLY or len(items) < 3):
            continue
        if len(items) == count:
            book.holds(line, f"{count} {found['what']} are named, as announced.")
        else:
            book.found(
                Kind.CONTRADICTION, line, f"{count} {found['what']} are announced, but {len(items)} are named: {', '.join(items)[:160]}.",
                needs=_NEEDS, topic="announced",
            )  # fmt: skip


def _number(text: str, document: Document) -> Fraction | None:
    found = [q for q in quantities(text, german=document.german) if q.measure == "count"]
    return found[0].value if len(found) == 1 and found[0].half == 0 else None


def _fates(text: str, line: int, document: Document, book: Book) -> None:
    """Of 212 tables, 209 matched and 2 differed."""
    text = re.sub(r"\([^()]*\)", "", text)
    if _OPEN_LIST.search(re.sub(r"\bof\b|/", " ", text)) and not re.search(r"^\W*\w* ?\d+ of (?:the )?\d+ ", text):
        return
    for kinds in _FATES:
        parts: list[tuple[int, Fraction, str]] = []
        for kind in kinds:
            for found in re.finditer(
                rf"{_NUM.format('x')} (?:(?!of|von)[a-z]+ ){{0,2}}?(?P<fate>{kind})\b", text, re.IGNORECASE
            ):
                value = _number(found["x"], document)
                if value is not None:
                    parts.append((found.start(), value, found["fate"]))
        if len(parts) < 2 or len({fate.lower() for _, _, fate in parts}) != len(parts):
            continue
        parts.sort()
        head = text[: parts[0][0]]
        whole = re.search(
            rf"(?:{_NUM.format('part')} of (?:the )?)?{_NUM.format('n')},? (?:[\w-]+ ){{0,2}}?(?:of which|total|in total|planned|scheduled|attempted|executed|geplant|[a-zäöü]{{3,}}(?:s|en|es|ies))\b[^.;\d]{{0,40}}$",
            head,
            re.IGNORECASE,
        )
        if whole is None or (whole["part"] and whole["part"] != whole["n"]):
            continue
        count = _number(whole["n"], document)
        summed = sum((value for _, value, _ in parts), Fraction(0))
        rest = text[parts[-1][0] :]
        if (
            count is None
            or re.search(r"\b(?:both|also)\b", text[whole.end() : parts[-1][0]])
            or len(re.findall(r"\d[\d,.]*", rest)) > 1 + text[parts[-1][0] :].count("(")
        ):
            continue
        told = " and ".join(f"{said(value)} {fate}" for _, value, fate in parts)
        if summed == count:
            book.holds(line, f"{told} are the {said(count)}.")
        else:
            book.found(
                Kind.CONTRADICTION,
                line,
                f"{told} are {said(summed)}, not {said(count)}.",
                needs="The figures of each part, counted again.",
                topic="fates",
            )
        return


def _broken_down(text: str, line: int, document: Document, book: Book) -> None:
    """1,204 relations: 1,204 tables and 861 indexes."""
    for found in _WHOLES.finditer(text):
        behind = re.match(r"[^:.;\d]{0,20}: (?P<list>[^:;.]{5,200})(?:\.|$)", text[found.end() :])
        if behind is None or _OPEN_LIST.search(behind["list"]):
            continue
        parts = re.split(r",\s+(?:and |und )?|\s(?:and|und)\s", behind["list"].strip())
        known = [
            re.match(r"(?P<n>\d[\d,.]*) (?P<what>[a-zäöü][\w -]{2,40})(?:$|\s(?:without|with)\b)", part, re.IGNORECASE)
            for part in parts
        ]
        shares = [each for each in known if each is not None]
        count = _number(found["n"], document)
        values = [_number(each["n"], document) for each in shares]
        if count is None or len(shares) != len(parts) or len(parts) < 2 or any(value is None for value in values):
            continue
        summed = sum((value for value in values if value is not None), Fraction(0))
        if summed == count:
            book.holds(line, f"The {len(parts)} parts are the {said(count)} {found['what']}.")
        else:
            told = " + ".join(each["n"] for each in shares)
            book.found(
                Kind.CONTRADICTION, line, f"{told} = {said(summed)}, not the {said(count)} {found['what']} before the colon.",
                needs="The figures of each part, counted again.",
            )  # fmt: skip


def _pairs(text: str, line: int, document: Document, book: Book) -> None:
    if found := _SOURCE.search(text) or _NEWER.search(text):
        a, b, c = (_number(found[name].rstrip(".,"), document) for name in "abc")
        if a is not None and b is not None and c is not None and abs(a - b) != c:
            book.found(
                Kind.CONTRADICTION,
                line,
                f"{said(a)} less {said(b)} is {said(abs(a - b))}, not {said(c)}.",
                needs="The counts as queried on both sides.",
            )
    if found := _NONE_BUT.search(text):
        book.found(
            Kind.CONTRADICTION,
            line,
            f"No {found['what']}, and {found['n']} of them: both can't be.",
            needs="The complete log.",
        )


def _extremes(text: str, line: int, document: Document, book: Book) -> None:
    """Fastest 4 min, slowest 3 min."""
    if found := _EXTREMES.search(text):
        low, high = (_first(found[name], document) for name in "ab")
        if (
            low
            and high
            and low.measure == high.measure
            and low.exact
            and high.exact
            and low.value - low.half >= high.value + high.half
            and low.value > high.value
        ):
            book.found(
                Kind.CONTRADICTION, line, f"The least is {low.text} and the most {high.text}: it is the other way round, or neither.",
                needs="The figures of each, measured again.",
            )  # fmt: skip


_AVERAGE: Final = re.compile(
    r"[,;] (?:and )?(?:on average|an average of|the mean is|im mittel|durchschnittlich)\s+$", re.IGNORECASE
)


def _between(text: str, line: int, document: Document, book: Book) -> None:
    """212 GB in December, 231 GB in January, on average 242 GB."""
    known = [q for q in quantities(text, german=document.german) if q.measure in {"size", "duration", "rate"}]
    if len(known) < 3 or len({q.measure for q in known}) != 1 or not all(q.exact for q in known):
        return
    *parts, mean = known
    least, most = min(parts, key=lambda q: q.value), max(parts, key=lambda q: q.value)
    if _AVERAGE.search(text[: mean.start]) and not least.value - least.half <= mean.value <= most.value + most.half:
        book.found(
            Kind.CONTRADICTION, line, f"The mean of figures between {least.text} and {most.text} cannot be {mean.text}.",
            needs="The figures it was computed from.",
        )  # fmt: skip


_FASTER: Final = re.compile(
    r"(?<![\w.,])(?P<n>\d+(?:[.,]\d+)?) ?(?:×|x|times) (?:faster|as fast|quicker)\b[^.;\d]{0,40}", re.IGNORECASE
)


def _faster(text: str, line: int, document: Document, book: Book) -> None:
    """3.1 × faster (41 min instead of 127 min)."""
    for found in _FASTER.finditer(text):
        known = [
            q
            for q in quantities(text, german=document.german)
            if q.measure == "duration" and q.start >= found.end() - 1
        ]
        if (
            len(known) < 2
            or not re.fullmatch(r"\s*(?:instead of|rather than|statt)\s*", text[known[0].end : known[1].start])
            or not known[0].value
        ):
            continue
        true, stated = known[1].value / known[0].value, Fraction(found["n"].replace(",", "."))
        if abs(true - stated) > true / 5 and abs(true - 1 - stated) > true / 5:
            book.found(
                Kind.CONTRADICTION, line, f"{known[1].text} to {known[0].text} is {said(true)} times, not {found['n']}.", needs="The two measurements."
            )  # fmt: skip


def _first(text: str, document: Document) -> Quantity | None:
    found = [q for q in quantities(text, german=document.german) if q.measure in {"duration", "size", "rate"}]
    return found[0] if len(found) == 1 else None


def _mean(text: str, line: int, document: Document, book: Book) -> None:
    """Average 19 min (crm 4, erp 31, dwh 52)."""
    for found in _MEAN.finditer(text):
        stated = [
            q for q in quantities(found["said"], german=document.german) if q.measure in {"duration", "size", "count"}
        ]
        parts = [
            each
            for part in re.split(r"[,;]\s|\s(?:and|und)\s", found["parts"])
            for each in quantities(part, german=document.german)
        ]
        if (
            len(stated) != 1
            or not stated[0].exact
            or len(parts) < 3
            or len(parts) != len(re.findall(r"\d[\d.,]*", found["parts"]))
        ):
            continue
        if (
            not all(each.exact and each.measure in {"count", stated[0].measure} for each in parts)
            or len({each.measure for each in parts}) != 1
        ):
            continue
        written = quantities(re.sub(r"[^\d.,]+$", "", stated[0].text), german=document.german)
        if len(written) != 1:
            continue
        mean = stated[0] if parts[0].measure == stated[0].measure else written[0]
        true = sum((each.value for each in parts), Fraction(0)) / len(parts)
        half = max(each.half for each in parts) + 2 * mean.half + abs(true) / 50
        if mean.measure == "count":
            half += Fraction(1)
        if abs(true - mean.value) <= half:
            book.holds(line, f"{stated[0].text} is the mean of the {len(parts)} in brackets.")
        else:
            book.found(
                Kind.CONTRADICTION, line, f"The mean of the {len(parts)} figures in brackets is {said(true)}, not {said(mean.value)}.",
                needs="The figures it was computed from.",
            )  # fmt: skip
