"""Checks that assert nothing: marks without a measured value, zeros without a base, queries without an expectation."""

from __future__ import annotations

import re
from typing import Final

from attestore.claims.catalogue import catalogue
from attestore.claims.checks.queries import Query, queries
from attestore.claims.document import Code, Document, Passage, Row, Table
from attestore.claims.figures import sentences
from attestore.claims.labels import is_good, is_mark, is_total, noun_of
from attestore.claims.model import Book, Kind
from attestore.claims.parser import Refused, parse
from attestore.claims.quantities import quantities
from attestore.claims.scopes import troubles

__all__ = ["check"]

_STATUS: Final = re.compile(
    r"^\W*(?:status|result|results|outcome|verdict|passed\??|pass/fail|ok\??|state|pass|check|ergebnis|resultat)\W*$",
    re.IGNORECASE,
)
_TESTED: Final = re.compile(
    r"\b(?:edge|cases?|tests?|checks?|validat\w*|verif\w*|integrity|scenario|restored|control|criteri\w+|acceptance|object|component|grenzf\w+|prüf\w*|"
    r"testf\w+|feature|item|assertion|behaviou?r|property|aspect)\b",
    re.IGNORECASE,
)
_NOT_TESTS: Final = re.compile(
    r"\b(?:deliverables?|documents?|tasks?|tickets?|next steps|actions?|owner|approval\w*|sign-?off|gates?|milestones?|phase|roadmap|team|requirements? "
    r"traceability|service|servers?|hosts?|backups? (?:list|inventory|taken)|runs?|history|job)\b",
    re.IGNORECASE,
)
_BADNESS: Final = re.compile(
    r"\b(?:orphan\w*|errors?|mismatch\w*|corrupt\w*|differences?|discrepanc\w*|violations?|failures?|lost|missing|duplicates?|anomal\w*|invalid|"
    r"broken|waisen|fehler|abweichung\w*|verwaist\w*|inconsistenc\w*|dangling)\b",
    re.IGNORECASE,
)
_ZERO: Final = re.compile(r"^\W*(?:0|zero|none|no|keine)\b(?:\s+(?:[a-zäöü-]+\s*){0,3})?\W*$", re.IGNORECASE)
_EXPECTED: Final = re.compile(
    r"\b(?:expect\w*|must(?: be)?|target|should|criteri\w+|required|of|checked|compared|examined|scanned|method|query|how|evidence|threshold|limit|allowed|"
    r"rows|sample|base|soll|erwart\w*|geprüft|source|detail\w*|remarks?|notes?|command|log|description|beschreibung|comment|before|after|comparison)\b",
    re.IGNORECASE,
)
_REFERS: Final = re.compile(
    r"\b(?:see|section|table|below|above|appendix|annex|attached|log|ticket|report|query|siehe|anhang|abschnitt|annex|http\S*|line|output|listing)\b|\.\w{2,4}\b|#\d|`",
    re.IGNORECASE,
)


def check(document: Document, book: Book) -> None:
    """Look for what could not have failed."""
    for block in document.blocks:
        match block:
            case Table():
                _marks(block, book)
                _zeros(block, book)
                _hundreds(block, document, book)
            case Passage(heading=0):
                _spoken(block, document, book)
            case _:
                pass
    _expectations(document, book)
    _rates_of_nothing(document, book)


def _marks(table: Table, book: Book) -> None:
    """Rows of a name and a mark, and nothing that was measured."""
    status = [index for index, head in enumerate(table.head) if index and _STATUS.match(head)]
    if (
        len(status) != 1
        or len(table.head)
        - len([h for h in table.head if re.fullmatch(r"\W*(?:#|no\.?|nr\.?|id)\W*", h, re.IGNORECASE)])
        != 2
    ):
        return
    place = status[0]
    rows = [row for row in table.rows if not is_total(row.cells[0])]
    bare = [
        row
        for row in rows
        if is_good(row.cells[place]) and not _BUILT.search(row.cells[place]) and not _measured(row, place)
    ]
    about = " ".join((*table.section[-1:], *table.head))
    if len(bare) < 2 or len(bare) * 2 < len(rows) or not _TESTED.search(about):
        return
    if _NOT_TESTS.search(" ".join((*table.section[-1:], table.head[0]))) and not re.search(
        r"\bedge|\btest cases?|\bchecks?\b|\bvalidation", about, re.IGNORECASE
    ):
        return
    book.found(
        Kind.VACUOUS,
        bare[0].line,
        f"{len(bare)} rows carry “{bare[0].cells[place].strip()}” and no measured value: how many rows were looked at, what was compared with what, "
        "and what would have failed is not said.",
        needs="For each row the query, the number of rows it found on both sides, and the comparison.",
        end=bare[-1].line,
    )


_BUILT: Final = re.compile(r"\b(?:done|completed?|ready|fertig)\b", re.IGNORECASE)
"""Said of work, not of a test"""


def _measured(row: Row, place: int) -> bool:
    """Whether a row states a figure, or points somewhere."""
    others = " ".join(cell for index, cell in enumerate(row.cells) if index != place)
    words = re.sub(r"^\W*(?:[A-Z]{1,4}-?)?\d+[.)]?(?=\s|$)", " ", others)
    counts = [q for q in quantities(words) if not q.bound and q.measure in {"count", "fraction", "duration", "size"}]
    return bool(counts) or bool(re.search(r"https?:|`[^`]+`|\bsee\b|\.(?:log|txt|sql|csv)\b", others))


_INTEGRITY: Final = re.compile(
    r"\b(?:integrity|accuracy|consistency|completeness|correctness|integrität|vollständigkeit)\b", re.IGNORECASE
)


def _hundreds(table: Table, document: Document, book: Book) -> None:
    """Data integrity: 100%, PASS; of what, nobody says."""
    place = max((index for index, head in enumerate(table.head) if index and _STATUS.match(head)), default=None)
    if place is None or any(_lists_counts(other) for other in document.tables):
        return
    for row in table.rows:
        values = [cell for index, cell in enumerate(row.cells) if index not in {0, place} and cell.strip()]
        if len(values) != 1 or not re.fullmatch(r"\W*100(?:[.,]0+)? ?%\W*", values[0]) or not is_good(row.cells[place]):
            continue
        if _INTEGRITY.search(row.cells[0]) and not _measured(row, place):
            book.found(
                Kind.VACUOUS, row.line, "100% of an unstated number: what was compared, and how many of it, is not said.",
                needs="How many rows, tables or keys were compared, by which method, and how many were equal.",
            )  # fmt: skip


def _lists_counts(table: Table) -> bool:
    """Whether a table gives counts of database tables, one by one."""
    return noun_of(table.head[0]) == "tables" and any(quantities(cell) for row in table.rows for cell in row.cells[1:])


def _zeros(table: Table, book: Book) -> None:
    """Orphaned records: 0, PASS; of how many, nobody says."""
    place = max((index for index, head in enumerate(table.head) if index and _STATUS.match(head)), default=None)
    if place is None or _EXPECTED.search(" ".join(head for i, head in enumerate(table.head) if i and i != place)):
        return
    for row in table.rows:
        values = [cell for index, cell in enumerate(row.cells) if index not in {0, place} and cell.strip()]
        counted = re.fullmatch(r"\W*(\d[\d,.]*)\W*", values[0]) if len(values) == 1 else None
        if counted and counted[1].strip("0.,") and _BADNESS.search(row.cells[0]) and is_good(row.cells[place]):
            book.found(
                Kind.CONTRADICTION,
                row.line,
                f"{row.cells[0].strip()[:40]}: {counted[1]}, and the row is marked {row.cells[place].strip()}.",
                needs="The expected number, and why so many are acceptable.",
            )
            continue
        if (
            len(values) != 1
            or not _ZERO.match(values[0])
            or not _BADNESS.search(f"{row.cells[0]} {values[0]}")
            or not is_good(row.cells[place])
        ):
            continue
        if [q for q in quantities(row.cells[0]) if q.measure in {"count", "fraction"}]:
            continue
        book.found(
            Kind.VACUOUS, row.line,
            "0 is called a pass, but neither how many were looked at nor by which query is said: a check that looks at nothing finds 0, too.",
            needs="How many records or keys were examined, the query, and its result where a known fault was planted.",
        )  # fmt: skip


_SPOKEN_ZERO: Final = re.compile(
    r"(?<![\w.,/])(?:0|zero|no|keine)\s+(?:[a-zäöü-]+\s+){0,2}?(?=[a-zäöü])", re.IGNORECASE
)


_NOTHING: Final = re.compile(r"(?<![\w.,])0 ?(?:of|out of|/|von) ?0(?![\w.,]\d|\d|/)", re.IGNORECASE)
_NO_ROWS: Final = re.compile(
    r"^\W*(?:(?:result|output|query result|ergebnis|status)\s*:?\s*)?(?:0|zero|no|keine) (?:rows?|records?|results?|zeilen|datensätze)(?: (?:returned|found))?"
    r"\W{1,4}(?:✅|✔|PASS(?:ED)?|OK|bestanden)\W*$",
    re.IGNORECASE,
)


def _spoken(passage: Passage, document: Document, book: Book) -> None:
    """The same in a ticked or marked statement."""
    for line, text in sentences(passage):
        nothing = _NOTHING.search(text) if is_mark(text) and len(text) <= 300 else None
        if nothing is not None:
            book.found(
                Kind.VACUOUS, line + text.count("\n", 0, nothing.start()),
                f"“{nothing[0]}” is called a pass: nothing was looked at.",
                needs="How many were examined, and the result where a known fault was planted.",
            )  # fmt: skip
            continue
        if len(text) <= 300 and _NO_ROWS.search(text):
            book.found(
                Kind.VACUOUS, line,
                "No rows is called a pass, but neither what was expected nor how many were looked at is said: a check that looks at nothing finds none, too.",
                needs="The query, how many records it examined, and its result where a known fault was planted.",
            )  # fmt: skip
            continue
        marked = passage.ticked or re.match(r"\W*[✅✔✓]", text) or re.search(r"[✅✔]|\bPASS(?:ED)?\b", text)
        if not marked or len(text) > 300:
            continue
        found = _SPOKEN_ZERO.search(text)
        if not found or not re.match(_BADNESS.pattern, text[found.end() :], re.IGNORECASE) or _REFERS.search(text):
            continue
        others = [q for q in quantities(text, german=document.german) if q.value]
        if others or re.search(
            r"\bexpect\w*|\bshould\b|\bmust\b|\bacross\b|\ball\b|\bboth\b|\bevery\b|\balle", text, re.IGNORECASE
        ):
            continue
        book.found(
            Kind.VACUOUS, line + text.count("\n", 0, found.start()),
            "None found is called a pass, but neither how many were looked at nor by which query is said: a check that looks at nothing finds none, too.",
            needs="How many records or keys were examined, the query, and its result where a known fault was planted.",
        )  # fmt: skip


_VERIFIES: Final = re.compile(
    r"\b(?:validat\w*|verif\w*|spot[- ]checks?|integrity|sanity|check(?:s|ing)?)\b", re.IGNORECASE
)
_STATED: Final = re.compile(
    r"\b(?:expect\w*|should|must|returns?|returned|result\w*|output|gives?|gave|yield\w*|shows?|showed|both sides|before and after|compared?|same on|equal\w*|"
    r"identical|diff\w*|match\w*|erwart\w*|ergebnis\w*|liefert\w*|soll\w*|\d+ rows?|0 rows|none|no rows|empty|found|produced|reported|counted|printed)\b|→|=>|--\s*\d",
    re.IGNORECASE,
)
_ANNEX: Final = re.compile(r"\b(?:annex|appendix|anhang|executed statements|method\w*|how)\b", re.IGNORECASE)


def _expectations(document: Document, book: Book) -> None:
    """A query listed as a validation, whose expected result is stated nowhere near and whose result isn't shown."""
    blocks = document.blocks
    for query in queries(document):
        label = _before(document, query)
        block = blocks[query.block]
        comments = " ".join(re.findall(r"--([^\n]*)", query.text))
        if (
            not isinstance(block, Code)
            or not _VERIFIES.search(f"{label} {comments}")
            or _ANNEX.search(f"{label} {' '.join(block.section[1:])}")
        ):
            continue
        if query.answered or _shown(document, query.block):
            continue
        for start, text in _selects(query):
            own = " ".join(re.findall(r"--([^\n]*)", text))
            if _STATED.search(own) or (start == 0 and _STATED.search(label)):
                continue
            lead = len(text) - len(re.sub(r"\A(?:\s+|--[^\n]*\n?)+", "", text))
            line = query.line_at(start + lead)
            book.found(
                Kind.VACUOUS, line,
                "The query is listed as a validation, but neither the result it must give nor the result it gave is stated: it could not have failed.",
                needs="The expected result and the output on the source and on the restored database.",
                end=query.line_at(start + len(text.rstrip()) - 1),
            )  # fmt: skip


def _selects(query: Query) -> list[tuple[int, str]]:
    """Each reading statement with the comments around it, and its offset."""
    pieces: list[tuple[int, str]] = []
    start = 0
    for found in re.finditer(r";[^\n]*(?:\n[ \t]*--[^\n]*(?=\n\s*\n|\s*\Z))?", query.text):
        pieces.append((start, query.text[start : found.end()]))
        start = found.end()
    if query.text[start:].strip():
        pieces.append((start, query.text[start:]))
    kept: list[tuple[int, str]] = []
    for at, text in pieces:
        parsed = parse(text)
        if isinstance(parsed, Refused) or any(troubles(each.tree, catalogue()) for each in parsed):
            continue  # what cannot run has its finding
        if any("SelectStmt" in each.tree for each in parsed):
            bare = re.sub(r"--[^\n]*", "", text).strip()
            if re.match(r"(?:SELECT|WITH|\()", bare, re.IGNORECASE):
                kept.append((at, text))
    return kept


def _before(document: Document, query: Query) -> str:
    """What stands right before a block, and the heading it stands under."""
    words: list[str] = []
    block = document.blocks[query.block - 1] if query.block else None
    if isinstance(block, Passage):
        words.append(block.text)
    return " ".join(words)


def _shown(document: Document, place: int) -> bool:
    """Whether a result follows before the next heading: output, a table with figures, or words that say it."""
    for block in document.blocks[place + 1 : place + 4]:
        match block:
            case Code():
                return block.language not in {"sql", "psql", "postgresql", "pgsql"}
            case Table():
                return True
            case Passage(heading=0) if _STATED.search(block.text):
                return True
            case Passage(heading=0) if quantities(block.text):
                return re.fullmatch(r"\W*[\w -]{0,60}\W*", block.text) is None
            case Passage(heading=0) if not block.items:
                continue
            case _:
                return False
    return False


def _rates_of_nothing(document: Document, book: Book) -> None:
    """A pass rate of 100% whose number of tests is stated nowhere."""
    for passage in document.passages:
        for line, text in passage.lines:
            found = re.search(
                r"\b(?:overall |total )?(?:pass|success|erfolgs)[ -]?(?:rate|quote)\b[^\n]{0,12}?\b100 ?%",
                text,
                re.IGNORECASE,
            )
            if not found or any(q.measure in {"fraction", "count"} for q in quantities(text)):
                continue
            if _numbered(document, passage.section):
                continue
            book.found(
                Kind.VACUOUS, line, "100% of an unstated number: how many tests there were, and what each measured, is not said.",
                needs="The number of tests run, passed, failed and skipped, with each one's result.",
            )  # fmt: skip


def _numbered(document: Document, section: tuple[str, ...]) -> bool:
    """Whether the same section counts its tests."""
    for block in document.blocks:
        if isinstance(block, Passage) and block.section == section:
            for q in quantities(block.text, german=document.german):
                if q.measure in {"fraction", "count"} and noun_of(block.text[q.end : q.end + 25]) in {
                    "tests",
                    "edge cases",
                }:
                    return True
        elif (
            isinstance(block, Table)
            and block.section == section
            and any(_measured(row, len(row.cells) - 1) for row in block.rows)
        ):
            return True
    return False
