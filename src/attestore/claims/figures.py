"""Claims about known quantities: which, where, how much, and about what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from attestore.claims.document import Block, Document, Passage, Table
from attestore.claims.labels import is_total, keyed, noun_of
from attestore.claims.quantities import Quantity, clock, quantities, single

__all__ = ["Figure", "figures", "sentences"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A quantity with a meaning."""

    concept: str
    quantity: Quantity
    line: int
    section: tuple[str, ...]
    scope: str = ""
    """what tells it from others of its concept: a database, a scenario; empty: the document's subject"""
    block: int = 0
    """place of its block among the document's"""


RTO: Final = re.compile(
    r"\bRTO\b|\brecovery time\b|\b(?:total )?(?:restore|restoration|recovery) (?:time|duration)\b|\btime to (?:restore|recover)\b"
    r"|\bwiederherstellungs(?:zeit|dauer)\b",
    re.IGNORECASE,
)
_RPO: Final = re.compile(r"\bRPO\b|\brecovery point\b", re.IGNORECASE)
_TARGET: Final = re.compile(
    r"\b(?:target|goal|limit|requirement|required|require[sd]?|sla|slo|threshold|max(?:imum)?|allowed|must|ziel|soll|vorgabe|grenzwert|budget|"
    r"agreed|committed|promised|contractual|objective is|allowance|permitted|policy)\w*\b",
    re.IGNORECASE,
)
_MEASURED: Final = re.compile(
    r"\b(?:measured|actual(?:ly)?|achieved|observed|result|took|gemessen\w*|ist|tatsächlich\w*|erreicht\w*)\b",
    re.IGNORECASE,
)
OTHER: Final = re.compile(
    r"\b(?:previous(?:ly)?|prior|last|earlier|before|former(?:ly)?|old|baseline|average|mean|median|p\d\d|best|worst|fastest|slowest|expected|"
    r"estimated?|projected|would|could|should|if|per|each|every|vs\.?|versus|compared|instead|first|second|third|attempt|run \d|"
    r"another|other|margin|remaining|headroom|improv\w+|reduc\w+|faster|slower|without|except|excluding|excluded|skipped|plus|"
    r"vorherig\w*|letzt\w*|früher\w*|durchschnitt\w*|je|pro|erwartet\w*|example|sample[sd]?|largest|smallest|of which|staging|"
    r"breakdown|phase|step|from|between|rest|only|initial(?:ly)?|then|later|originally|since|ago|typical(?:ly)?|usually|planned|next)\b",
    re.IGNORECASE,
)
"""Words behind which a quantity may rightly differ from the document's own"""

LONGEST: Final = 4_000
"""No statement is longer"""
_SENTENCE: Final = re.compile(
    r"(?<=[a-z\d]{3}[.])(?<!incl[.])(?<!prox[.])(?<!resp[.])\s+(?=[a-z]{3})|(?<=[.!?;])\s+(?=[A-ZÄÖÜ\d`*])|\n(?=[^\n:]{1,60}: )"
)


def sentences(passage: Passage) -> Iterator[tuple[int, str]]:
    """Each sentence with the line it begins on; labelled lines stand alone, and what is too long for a sentence is left out."""
    line, position = passage.line, 0
    for found in (*_SENTENCE.finditer(passage.text), None):
        text = passage.text[position : found.start() if found else None]
        if len(text) <= LONGEST:
            yield line, text
        if found:
            line += passage.text.count("\n", position, found.end())
            position = found.end()


def figures(document: Document) -> tuple[Figure, ...]:
    """Every claim about a known quantity, in the order of the document."""
    found: list[Figure] = []
    for place, block in enumerate(document.blocks):
        match block:
            case Passage():
                found += _of_passage(block, document, place)
            case Table():
                found += _of_table(block, document, place)
            case _:
                pass
    if len({figure.scope for figure in found if figure.scope}) == 1:
        found = [replace(figure, scope="") for figure in found]  # one name: the document's subject
    return tuple(sorted((*found, *_bare_targets(document, found)), key=lambda figure: figure.line))


_BARE_TARGET: Final = re.compile(
    r"\W*(?:target|objective|goal|limit|requirement|sla|slo|maximum|vorgabe|ziel)\W*", re.IGNORECASE
)


def _bare_targets(document: Document, found: list[Figure]) -> Iterator[Figure]:
    """`Objective: 20 minutes` right beside a recovery time is its target."""
    measured = {figure.line for figure in found if figure.concept == "rto"}
    for place, block in enumerate(document.blocks):
        if not isinstance(block, Passage):
            continue
        for line, text in block.lines:
            label = keyed(text)
            if label is None or not _BARE_TARGET.fullmatch(label[0]) or not measured & set(range(line - 2, line + 3)):
                continue
            target = single(re.sub(r"^[<≤]=?\s*", "", label[1]), german=document.german)
            if target is not None and target.measure == "duration":
                yield Figure("rto target", target, line, block.section, "", place)


def _of_passage(passage: Passage, document: Document, place: int) -> Iterator[Figure]:
    for line, text in sentences(passage):
        found = quantities(text, german=document.german)
        if not found:
            continue
        label = keyed(text)
        scope = _scope(passage, text)
        for each in found:
            at = line + text.count("\n", 0, each.start)
            if concept := _concept(text, each, found, label):
                yield Figure(concept, each, at, passage.section, scope, place)


def _concept(text: str, each: Quantity, found: tuple[Quantity, ...], label: tuple[str, str] | None) -> str:
    head = label[0] if label else ""
    match each.measure:
        case "duration" | "clock":
            return _timed(text, each, found, head)
        case "fraction":
            noun = _counted(text, each) or noun_of(head)
            return f"{noun} of" if noun else ""
        case "count":
            return _total(text, each, found, head)
        case "size":
            return _sized(text, each, found)
        case _:
            return ""


_SAID_TARGET: Final = re.compile(
    r"[\s-]*(?:RTO )?(?:target|goal|limit|objective|threshold|SLA|SLO|requirement|budget|Ziel|maximum)", re.IGNORECASE
)
_PART_OF: Final = re.compile(r"\bmargin|headroom|below|phase|decrypt|download", re.IGNORECASE)
_RELATION: Final = re.compile(
    r"[\s)]*(?:below|under|less|better|more|above|over|margin|faster|slower|left|unter|über)\b"
)


def _timed(text: str, each: Quantity, found: tuple[Quantity, ...], head: str) -> str:
    """RTO, measured or target, by the words around; empty where it is neither for certain."""
    before, after = text[: each.start], text[each.end :]
    if not RTO.search(text):
        return ""
    if _SAID_TARGET.match(after):
        return "rto target"
    if not RTO.search(before) or _RPO.search(before[-30:]) or _PART_OF.search(before[-40:]):
        return ""
    last = max((q.end for q in found if q.end <= each.start and not _conversion(text, q, each)), default=0)
    nearest = re.split(r"[);✅✔|]", before[max(last, each.start - 45) :])[-1]
    aimed = _TARGET.search(head) is not None and _MEASURED.search(head) is None
    objective = re.search(r"\bobjective\b(?! \(RTO\))[^.:]*$", before, re.IGNORECASE)
    if each.bound or aimed or _last(nearest) == "target" or (objective and not _MEASURED.search(objective[0])):
        return "rto target"
    kinds = [q for q in found if q.measure in {"duration", "clock"}]
    return "" if _RELATION.match(after) or not _is_measured(text, each, kinds, head) else "rto"


def _is_measured(text: str, each: Quantity, kinds: list[Quantity], head: str) -> bool:
    """Whether a duration is said to be the recovery time itself, near its name and before any other."""
    before, after = text[: each.start], text[each.end :]
    earlier = [q for q in kinds if q.start < each.start and not q.bound]
    about = max(RTO.finditer(before), key=lambda found: found.end(), default=None)
    if about is None or len(before) - about.end() > 45:
        return False
    if earlier and about.end() < earlier[-1].end and not _conversion(text, earlier[-1], each):
        return False
    between = re.sub(RTO, "", before[about.start() :]).replace("Objective", "").replace("objective", "")
    joined = re.fullmatch(
        r"[\s(),\-–:=]*(?:of|was|is|at|war|beträgt|von|betrug)?\s*(?:only |just )?(?:\()?[\s~*]*", between
    )
    if not head and not joined and not _MEASURED.search(before[about.start() :]):
        return False
    around = f"{before[-60:]} {after[:30]}"
    if _MEASURED.search(before[-60:]):
        around = re.sub(r"\b(?:last|latest|letzten?)\b", " ", around, flags=re.IGNORECASE)
    return OTHER.search(around) is None


def _last(text: str) -> str:
    """Which word stands nearest before a figure: that of a target, or that of the recovery time itself."""
    text = re.sub(
        r"\b(target|required|maximum|agreed|allowed|contractual|promised|committed) (?:RTO|recovery time(?: objective)?)\b",
        r"\1",
        text,
        flags=re.IGNORECASE,
    )
    words = [(found.end(), "target") for found in _TARGET.finditer(text)]
    words += [(found.end(), "measured") for pattern in (_MEASURED, RTO) for found in pattern.finditer(text)]
    return max(words, default=(0, ""))[1]


def _conversion(text: str, first: Quantity, second: Quantity) -> bool:
    return re.fullmatch(r"\s*(?:\(|=|≈|/|i\.e\.,?)\s*", text[first.end : second.start]) is not None


def _counted(text: str, each: Quantity) -> str:
    """The noun right behind a number, with up to two words between."""
    tail = re.match(r"\s*((?:[a-zäöüA-Z][\w-]* ?){1,3})", text[each.end : each.end + 60])
    if tail is None:
        return ""
    words = tail[1].split()
    for end in range(1, len(words) + 1):
        if noun := noun_of(" ".join(words[:end])):
            # foreign key relationships: take the longer name
            longer = noun_of(" ".join(words[: end + 1]))
            return longer or noun
        if words[end - 1].lower() in {"of", "in", "and", "for", "to", "with", "from", "und", "von", "mit"}:
            return ""
    return ""


_ALL: Final = re.compile(r"\b(?:all|total|altogether|entire|overall|insgesamt|alle|gesamt)\b[^.]{0,12}$", re.IGNORECASE)
_CHECKED: Final = re.compile(
    r"^\W*(?:(?:were|was|are|have been|wurden|and \w+)\s+)?(?:(?:fully|successfully|all)\s+)?"
    r"(?:all\b|[\d.,']+ tables?\b|[\d.,']+ (?:rows|records|zeilen) (?=restored|verified|compared|checked|geprüft)|verified|validated|restored|recovered|imported|checked|compared|total|in total|in all|overall|altogether|geprüft|verglichen|wiederhergestellt|insgesamt)\b",
    re.IGNORECASE,
)


_DONE: Final = re.compile(
    r"\bes wurden (?:alle )?$|\b(?:restored|verified|compared|checked|validated|imported|loaded|recovered|wiederhergestellt|geprüft|verglichen)\s+"
    r"(?:all |alle )?(?:[\d.,]+ (?:[\w-]+ ){1,2}(?:and|und) )?(?:all |alle )?$",
    re.IGNORECASE,
)
_IN_TABLES: Final = re.compile(
    r"\b(?:rows|records|zeilen|datensätze) (?:in|across|from|over|of|aus) (?:all |alle )?$", re.IGNORECASE
)


_WHOLE: Final = re.compile(
    r"\b(?:every one|all|each) of (?:the|our|its)\s+$|\b(?:schema|database|cluster|application)\b[^.,;]{0,16}\b(?:has|contains?|holds?|comprises?|consists of)\s+$",
    re.IGNORECASE,
)
_FROM_TABLES: Final = re.compile(r"\b(?:from|of|per) (?:all |alle )?(?=[\d.,]+ (?:tables|tabellen))", re.IGNORECASE)


def _total(text: str, each: Quantity, found: tuple[Quantity, ...], head: str) -> str:
    """A number of things that is meant of the whole, not of a part."""
    if each.exact and (noun := _counted(text, each)) and _WHOLE.search(text[: each.start]):
        return noun
    if (
        not each.exact
        or OTHER.search(_FROM_TABLES.sub(" ", text))
        or re.search(
            r"\bwith(?:out)?\b(?! [\d.,']{2,} (?:million )?(?:rows|records))|\bof the\b|\bempty\b|\bnew\b|\badditional\b|\bdiffer|\bmissing",
            text,
        )
    ):
        return ""
    noun = _counted(text, each)
    if not noun:
        counts = [q for q in found if q.measure == "count"]
        if (
            head
            and len(counts) == 1
            and (named := noun_of(head))
            and re.fullmatch(r"\W*", text[: each.start].removeprefix(head))
        ) and _plain_label(head, named):
            return named
        return ""
    behind = text[each.end :]
    tail = behind[re.search(r"(?:[^\W\d][\w-]*)", behind).end() :] if re.search(r"[^\W\d]", behind) else ""  # type: ignore[union-attr]
    tail = re.sub(r"^\s*(?:keys?|key relationships?|relationships?|cases?|constraints?)\b", "", tail)
    before = text[: each.start]
    return (
        noun if _ALL.search(before) or _CHECKED.match(tail) or _DONE.search(before) or _IN_TABLES.search(before) else ""
    )


def _plain_label(head: str, noun: str) -> bool:
    """Whether a label counts all of a thing: rows, total rows, number of rows, row count, rows restored."""
    rest = re.sub(
        r"\b(?:total|number|count|counts|of|the|in|all|restored|verified|compared|checked|validated|source|database|data|accuracy|integrity|"
        r"anzahl|gesamt\w*|der|die|rows?|tables?|records?|zeilen?|tabellen?)\b|[\W\d_]",
        " ",
        head,
        flags=re.IGNORECASE,
    )
    return noun_of(rest) == noun or not rest.strip()


_BACKUP_SIZE: Final = re.compile(
    r"\b(?:backup|dump|archive|sicherung)\b.{0,25}\b(?:size|größe)\b|\bsize of (?:the )?(?:backup|dump)\b",
    re.IGNORECASE,
)
_DATABASE_SIZE: Final = re.compile(
    r"\b(?:database|db|datenbank)\W?.{0,10}(?:size|größe)\b|\bsize of (?:the )?database\b", re.IGNORECASE
)


def _size_label(label: str) -> str:
    if OTHER.search(label) or re.search(r"compress|encrypt|plain|raw|komprim|verschlüss", label, re.IGNORECASE):
        return ""
    if _BACKUP_SIZE.search(label):
        return "backup size"
    return "database size" if _DATABASE_SIZE.search(label) else ""


def _sized(text: str, each: Quantity, found: tuple[Quantity, ...]) -> str:
    before = text[max(0, each.start - 45) : each.start]
    if not each.exact or OTHER.search(text) or sum(q.measure == "size" for q in found) > 2:
        return ""
    if re.search(r"compress|encrypt|plain|raw|uncompress|komprim|verschlüss", text, re.IGNORECASE):
        return ""
    if _BACKUP_SIZE.search(before):
        return "backup size"
    return "database size" if _DATABASE_SIZE.search(before) else ""


def _scope(passage: Block, text: str) -> str:
    """Identifiers that a sentence is about; figures with different ones are not compared."""
    codes = passage.codes if isinstance(passage, Passage) else ()
    named = [
        code
        for code in codes
        if code in text
        and re.fullmatch(r"[\w.-]{1,63}", code)
        and not re.search(r"\d{4}|\.(?:sh|md|sql|py|log|txt)$", code)
    ]
    return " ".join(sorted(named))


_MANY: Final = 6
"""A wider row is of something else than one quantity"""


def _of_table(table: Table, document: Document, place: int) -> Iterator[Figure]:
    """Rows `label | value …` whose values all say the same; tables about several things are left to the tables' own checks."""
    heads = [head.lower() for head in table.head]
    if len(heads) < 2:
        return
    for row in table.rows:
        label = row.cells[0]
        if is_total(label):
            yield from _of_total(row.cells, row.line, table, document, place)
            continue
        values = [(head, cell) for head, cell in zip(heads[1:], row.cells[1:], strict=False) if cell.strip()]
        yield from _of_row(label, values, row.line, table, document, place)


def _of_total(cells: tuple[str, ...], line: int, table: Table, document: Document, place: int) -> Iterator[Figure]:
    """The number of rows that a list of tables ends with, if both sides say the same."""
    if noun_of(table.head[0]) != "tables" or OTHER.search(cells[0]):
        return
    totals: list[Quantity] = []
    for head, cell in zip(table.head[1:], cells[1:], strict=False):
        found = single(cell, german=document.german)
        counts = re.search(r"\b(?:rows?|records?|restored|zeilen|datensätze|wiederhergestellt)\b", head, re.IGNORECASE)
        if counts and not OTHER.search(head) and found is not None and found.measure == "count" and found.exact:
            totals.append(found)
    if len({each.value for each in totals}) == 1:
        yield Figure("rows", totals[0], line, table.section, "", place)


def _of_row(
    label: str, values: list[tuple[str, str]], line: int, table: Table, document: Document, place: int
) -> Iterator[Figure]:
    noun = noun_of(label)
    if RTO.search(label) and not _RPO.search(label):
        for concept, quantity in _times(label, values, document):
            yield Figure(concept, quantity, line, table.section, "", place)
    elif concept := _size_label(label):
        found = [
            q for _, cell in values if (q := single(cell, german=document.german)) is not None and q.measure == "size"
        ]
        if len(found) == 1 and found[0].exact:
            yield Figure(concept, found[0], line, table.section, "", place)
    elif noun and not OTHER.search(label) and _plain_label(label, noun):
        for concept, quantity in _numbers(noun, values, document):
            yield Figure(concept, quantity, line, table.section, "", place)


def _times(label: str, values: list[tuple[str, str]], document: Document) -> Iterator[tuple[str, Quantity]]:
    """Recovery times of a row: one measured, perhaps a target."""
    measured: list[Quantity] = []
    for head, cell in values:
        found = single(cell, german=document.german) or next(iter(quantities(cell, german=document.german)), None)
        if found is None or (found.measure != "duration" and clock(cell) is None) or OTHER.search(f"{label} {head}"):
            continue
        target = bool(_TARGET.search(f"{head} {label}")) and not _MEASURED.search(f"{head} {label}")
        if target or found.bound:
            yield "rto target", found
        elif not re.search(r"margin|diff|share|below|%|status|unit|remark", head):
            measured.append(found)
    if len({quantity.value for quantity in measured}) == 1:  # else several runs or scenarios side by side
        yield "rto", measured[0]


def _numbers(noun: str, values: list[tuple[str, str]], document: Document) -> Iterator[tuple[str, Quantity]]:
    """Counts of a row whose cells all say the same number."""
    numbers: list[Quantity] = []
    for _, cell in values:
        found = quantities(cell, german=document.german)
        for each in found:
            if each.measure == "fraction":
                yield f"{_counted(cell, each) or noun} of", each
        if len(found) == 1 and found[0].measure == "count" and not re.search(r"\w", cell.replace(found[0].text, "", 1)):
            numbers.append(found[0])
    if len({each.value for each in numbers}) == 1 and numbers[0].value and len(values) < _MANY:
        yield noun, numbers[0]
