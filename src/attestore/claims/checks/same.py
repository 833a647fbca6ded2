"""The same quantity stated with different values, found by its meaning or by its label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import OTHER, Figure, sentences
from attestore.claims.labels import keyed, normal
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import Quantity, single

__all__ = ["check", "subject"]

_NAMES: Final = {
    "rto": "recovery time", "rto target": "recovery time target", "rows": "number of rows", "tables": "number of tables",
    "foreign keys": "number of foreign keys", "backup size": "size of the backup", "database size": "size of the database",
}  # fmt: skip
_PARTICULAR: Final = re.compile(
    r"\b(?:scenarios?|runs?|drills?|attempts?|databases?|db|clusters?|systems?|sites?|regions?|environments?|servers?|instances?|tenants?|iteration|"
    r"round|before|after|previous|baseline|earlier|history|historical|trend|appendix|annex|anhang|option|variant|method|szenario|lauf|vorher|nachher|"
    r"datenbank|staging|production|q[1-4]|january|february|march|april|may|june|july|august|september|october|november|december|incident|day|shard|"
    r"replica|standby|example|partial|full|table|single|point[- ]in[- ]time|pitr)\b",
    re.IGNORECASE,
)
_GENERIC: Final = re.compile(
    r"\b(?:summary|conclusion|overview|result|results|measurement|verification|integrity|checklist|gate|gates|status|performance|metrics|key figures|"
    r"zusammenfassung|ergebnis\w*|fazit|objects|objective|sign-?off|approval|evidence|recommendations?)\b",
    re.IGNORECASE,
)
_NEEDS: Final = "The one measurement, with its source; the other statement is to be corrected."
_COUNTED: Final = frozenset(
    {
        "rows",
        "tables",
        "foreign keys",
        "indexes",
        "constraints",
        "triggers",
        "functions",
        "sequences",
        "views",
        "edge cases",
        "extensions",
    }
)
_OFTEN: Final = 3


@dataclass(frozen=True, slots=True)
class _Labelled:
    """`label: quantity`, or a row of two cells."""

    label: str
    written: str
    quantity: Quantity
    line: int
    section: tuple[str, ...]


def subject(section: tuple[str, ...]) -> tuple[str, ...]:
    """The headings that are about one particular thing among several."""
    return tuple(
        heading
        for heading in section[1:]
        if (_PARTICULAR.search(heading) or "`" in heading) and not _GENERIC.search(heading)
    )


def check(document: Document, figures: tuple[Figure, ...], book: Book) -> None:
    """Compare what means the same, then what is called the same."""
    whole = list(_whole(figures))
    labelled = list(_labelled(document))
    for concept in sorted({figure.concept for figure in whole}):
        mine = [figure for figure in whole if figure.concept == concept]
        groups: dict[tuple[object, ...], list[Figure]] = {}
        for figure in mine:
            groups.setdefault((figure.scope, subject(figure.section)), []).append(figure)
        for group in groups.values():
            _concept(concept, group, labelled, document, book)
    _labels(labelled, book)
    _periods(document, book)


def _whole(figures: tuple[Figure, ...]) -> Iterator[Figure]:
    """Figures that are meant of the whole: n of n counts as n."""
    for figure in figures:
        quantity = figure.quantity
        if not quantity.exact and figure.concept != "rto target":
            continue
        noun, _, of = figure.concept.rpartition(" ") if figure.concept.endswith(" of") else (figure.concept, "", "")
        if of and quantity.of is not None:
            if noun in _COUNTED:
                yield replace(
                    figure, concept=noun, quantity=replace(quantity, measure="count", value=quantity.of, of=None)
                )
        elif noun in _COUNTED or noun in _NAMES:
            yield figure


def _concept(concept: str, group: list[Figure], labelled: list[_Labelled], document: Document, book: Book) -> None:
    if concept == "rto target":
        group = [figure for figure in group if not figure.quantity.approximate]
    if concept == "rto":
        group = _without_targets(group, document)
    values = _distinct([figure.quantity for figure in group])
    if len(values) < 2:
        if len(group) > 1 and len({figure.line for figure in group}) > 1:
            lines = sorted({figure.line for figure in group})
            told = ", ".join(str(line) for line in lines[:8])
            book.holds(lines[0], f"The {_NAMES.get(concept, f'number of {concept}')} is the same on lines {told}.")
        return
    if len(values) > _OFTEN:
        return  # so many values are of several things
    usual = _usual(group)
    for figure in group:
        if (
            figure is usual
            or figure.quantity.same(usual.quantity)
            or (figure.line == usual.line and concept not in _COUNTED)
        ):
            continue
        if _parallel(figure.section, usual.section, labelled):
            continue
        book.found(
            Kind.CONTRADICTION,
            figure.line,
            f"The {_NAMES.get(concept, f'number of {concept}')} is {figure.quantity.text} here and {usual.quantity.text} on line {usual.line}.",
            needs=_NEEDS,
            topic=f"{figure.quantity.value} {usual.line}",
        )


def _without_targets(group: list[Figure], document: Document) -> list[Figure]:
    """`RTO: 4 hours` may state the target: a round time that is longer than one said to be measured is left out."""
    said = [
        figure
        for figure in group
        if re.search(r"measured|actual|achieved|took|gemessen|tatsächlich", document.quoted(figure.line), re.IGNORECASE)
    ]
    least = min((figure.quantity.value for figure in said), default=None)
    return [
        figure
        for figure in group
        if least is None or figure in said or figure.quantity.value <= least or figure.quantity.value % 300
    ]


def _distinct(quantities_: list[Quantity]) -> list[Quantity]:
    found: list[Quantity] = []
    for each in sorted(quantities_, key=lambda q: q.half):
        if not any(each.same(other) for other in found):
            found.append(each)
    return found


def _usual(group: list[Figure]) -> Figure:
    """The value that is stated most often, of several the first."""
    often = Counter({id(figure): sum(figure.quantity.same(other.quantity) for other in group) for figure in group})
    return max(group, key=lambda figure: (often[id(figure)], -figure.line))


def _parallel(first: tuple[str, ...], second: tuple[str, ...], labelled: list[_Labelled]) -> bool:
    """Whether two sections state the same labels of two different things: most of what both state differs."""
    if first == second:
        return False
    mine = {each.label: each.quantity for each in labelled if each.section == first}
    theirs = {each.label: each.quantity for each in labelled if each.section == second}
    both = mine.keys() & theirs.keys()
    differing = sum(not mine[label].same(theirs[label]) for label in both)
    return len(both) >= 2 and differing * 2 > len(both)


def _labelled(document: Document) -> Iterator[_Labelled]:
    for block in document.blocks:
        pairs: list[tuple[int, str, str]] = []
        if isinstance(block, Passage) and not block.heading:
            pairs = [(line, *pair) for line, text in sentences(block) if (pair := keyed(text) or _is(text)) is not None]
        elif isinstance(block, Table) and len(block.head) == 2:
            pairs = [(row.line, row.cells[0], row.cells[1]) for row in block.rows]
        for line, label, value in pairs:
            found = single(value, german=document.german)
            if found is not None and found.exact and found.measure in {"duration", "size", "count", "percent"}:
                yield _Labelled(normal(label), label, found, line, block.section)


_COPULA: Final = re.compile(
    r"\W*([A-ZÄÖÜ][\w-]+(?: [\w-]+){1,3}) (?:is|was|are|were|ist|war|beträgt|betrug) (\d.{0,30}?)(?: overall| in total)?\.?"
)


def _is(text: str) -> tuple[str, str] | None:
    """Test coverage is 87 %."""
    found = _COPULA.fullmatch(text.strip()) if len(text) < 120 else None
    return None if found is None else (found[1], found[2])


def _labels(labelled: list[_Labelled], book: Book) -> None:
    groups: dict[tuple[str, str, tuple[str, ...]], list[_Labelled]] = {}
    for each in labelled:
        if len(each.label.split()) >= 2 and not re.search(r"\d", each.label):
            groups.setdefault((each.label, each.quantity.measure, subject(each.section)), []).append(each)
    for group in groups.values():
        first, *others = group
        if len(group) > _OFTEN or len({each.section for each in group}) < len(group):
            continue
        for each in others:
            if not each.quantity.same(first.quantity) and not _parallel(first.section, each.section, labelled):
                book.found(
                    Kind.CONTRADICTION,
                    each.line,
                    f"“{each.written[:40]}” is {each.quantity.text} here and {first.quantity.text} on line {first.line}.",
                    needs=_NEEDS,
                    topic=f"{each.quantity.value} {first.line}",
                )


_KEPT: Final = re.compile(
    r"\b(?P<a>hourly|daily|weekly|monthly|yearly|täglich|wöchentlich|monatlich)\b\W{1,4}(?:for |kept |retained )?(?P<n>\d{1,3})\s*(?:days?|weeks?|months?|years?|hours?|tage|wochen|monate)\b"
    r"|\b(?P<m>\d{1,3}) (?P<b>hourly|daily|weekly|monthly|yearly|tägliche|wöchentliche|monatliche)\b(?= |,|$|\.)(?! (?:at|backup runs))",
    re.IGNORECASE,
)
_SPANS: Final = re.compile(
    r"\b(\d{1,3}) days?\s*[/,]\s*(\d{1,3}) weeks?\s*[/,]\s*(?:and )?(\d{1,3}) months?\b", re.IGNORECASE
)
_RETAINED: Final = re.compile(
    r"\b(?:retention|retained|kept|keep|aufbewahr\w*)\b[^.\n]{0,40}?\b(?P<n>\d{1,4}) (?P<u>days?|weeks?|months?|years?|tage|wochen|monate|jahre)\b",
    re.IGNORECASE,
)
_NIGHTLY: Final = re.compile(
    r"\b(?:daily|nightly|every night|backups?)\b[^.\n]{0,30}?\bat (?P<h>\d{1,2}):(?P<m>\d{2}) ?(?P<p>AM|PM)?",
    re.IGNORECASE,
)


def _periods(document: Document, book: Book) -> None:
    """Retention by period, the hour of the backup, keys and ciphers."""
    stated: dict[str, tuple[str, int]] = {}
    places: list[tuple[int, str, tuple[str, ...]]] = []
    for block in document.blocks:
        if isinstance(block, Passage):
            places += [(line, text, block.section) for line, text in sentences(block)]
        elif isinstance(block, Table):
            places += [(row.line, " : ".join(row.cells), block.section) for row in block.rows]
    for line, text, section in places:
        if len(text) > 1_000 or subject(section) or (OTHER.search(text) and not re.search(r"\bif\b", text)):
            continue
        for name, value in (*_kept(text), *(() if " : " in text else _sealed(text))):
            key, other = name, stated.get(name)
            if other is None:
                stated[key] = value, line
            elif other[0] != value:
                book.found(
                    Kind.CONTRADICTION, line, f"{name}: {value} here and {other[0]} on line {other[1]}.",
                    needs="The configuration as it was in force, and the list of backups kept.",
                )  # fmt: skip


_KEY: Final = re.compile(r"\bRSA[ -]?(\d{4})\b|\b(\d{4})[- ]bits? RSA\b", re.IGNORECASE)
_CIPHER: Final = re.compile(r"\bAES[ -]?(128|192|256)\b", re.IGNORECASE)


def _sealed(text: str) -> Iterator[tuple[str, str]]:
    """Key and cipher, where a sentence names one of each."""
    keys = {found[1] or found[2] for found in _KEY.finditer(text)}
    ciphers = {found[1] for found in _CIPHER.finditer(text)}
    if len(keys) == 1:
        yield "Size of the RSA key", f"{keys.pop()} bits"
    if len(ciphers) == 1:
        yield "Cipher", f"AES-{ciphers.pop()}"


def _kept(text: str) -> Iterator[tuple[str, str]]:
    found_any = False
    for found in _KEPT.finditer(text):
        period = (found["a"] or found["b"]).lower()
        period = {
            "tägliche": "daily",
            "täglich": "daily",
            "wöchentliche": "weekly",
            "wöchentlich": "weekly",
            "monatliche": "monthly",
            "monatlich": "monthly",
        }.get(period, period)
        found_any = True
        yield f"Backups kept {period}", found["n"] or found["m"]
    for found in _SPANS.finditer(text):
        found_any = True
        for period, number in zip(("daily", "weekly", "monthly"), found.groups(), strict=True):
            yield f"Backups kept {period}", number
    aside = re.search(r"\b(?:wal|logs?|evidence|report|record|audit|archiv\w+ of)\b", text, re.IGNORECASE)
    for span in () if found_any or aside else _RETAINED.finditer(text):
        clause = re.split(r"[.;,]\s", text[: span.start()])[-1] + span[0] + re.split(r"[.;,]", text[span.end() :])[0]
        of = re.findall(
            r"\b(hourly|daily|nightly|weekly|monthly|yearly|full|incremental|differential)\b", clause, re.IGNORECASE
        )
        kind = f" of {' '.join(sorted({each.lower() for each in of}))} backups" if of else ""
        yield f"Retention{kind}", f"{span['n']} {span['u'].lower().rstrip('s')}s"
    for found in _NIGHTLY.finditer(text):
        hour = (
            int(found["h"]) % 12 + 12
            if (found["p"] or "").upper() == "PM"
            else int(found["h"]) % 12
            if found["p"]
            else int(found["h"])
        )
        yield "Hour of the backup", f"{hour:02}:{found['m']}"
