"""Verification that rests on nothing one could look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attestore.claims.document import Code, Document, Passage, Table
from attestore.claims.figures import sentences
from attestore.claims.labels import is_good, noun_of
from attestore.claims.model import Book, Kind
from attestore.claims.quantities import quantities

__all__ = ["check"]

_CHECKSUMS: Final = re.compile(
    r"\b(?:checksums?|hash(?:es)?|digests?|md5|sha-?\d+|fingerprints?|prüfsummen?)\b", re.IGNORECASE
)
_MATCH: Final = re.compile(
    r"\b(?:match\w*|identical|equal|verified|validated|agree\w*|confirmed|stimmen|übereinstimm\w*|identisch)\b|\b100 ?%|(\d+) ?/ ?\1\b",
    re.IGNORECASE,
)
_HEX: Final = re.compile(r"(?<!\w)[0-9a-fA-F]{16,128}(?!\w)|(?<!\w)[0-9a-fA-F]{6,32}(?:…|\.{2,3})")
_ELSEWHERE: Final = re.compile(
    r"\b(?:attach\w*|appendix|annex|anhang|siehe|see|listed in|stored (?:in|with|as)|recorded in|manifest|artifact\w*|artefact\w*|ticket|output below|below|"
    r"above|log(?:s|file)?|https?\S*|enclosed|sidecar|beside|report \d|journal|evidence folder|SHA256SUMS|pg_verifybackup|data_checksums|page checksums?|"
    r"pg_checksums|check(?:sum)?-page|page-level|block checksums?|bundle)\b|\.(?:log|txt|csv|json|sha256|md5)\b|\]\(",
    re.IGNORECASE,
)
_NOT_CLAIM: Final = re.compile(
    r"\b(?:not|without|no|should|must|will|would|could|can|if|plan\w*|next|todo|to be|approach|never|instead|compute[sd]?|how|recommend\w*|nicht|require[sd]?|proposed?|future|skipped|failed)\b",
    re.IGNORECASE,
)
_PUFFED: Final = re.compile(
    r"\b(?:formally|fully|thoroughly|comprehensively|rigorously|extensively|independently|completely|exhaustively|successfully|vollständig|umfassend)\b"
    r"(?:\s+(?:tested|verified|and|,)){0,3}\s+(?:verified|validated|tested|audited|certified|proven|geprüft|getestet|verifiziert)\b"
    r"|\bmathematically (?:certain|proven|guaranteed)\b|\babsolutely certain\b"
    r"|\b(?:verified|validated|tested|audited|proven)\b[^.\n]{0,20}\b(?:thoroughly|comprehensively|rigorously|extensively|exhaustively|in every respect|beyond doubt)\b",
    re.IGNORECASE,
)
_FORMAL: Final = re.compile(
    r"\b(?:automated|automatic|independent|external|third[- ]party|comprehensive|internal)\s+(?:\w+\s+)?(?:validation|verification|test(?:ing|s)?|audits?|checks?|suites?|scans?)\b",
    re.IGNORECASE,
)
_PATH: Final = re.compile(
    r"(?<![\w:/.])(?:/(?:home|opt|srv|tmp|root|Users|mnt|data|var|usr/local|app|workspace)/[\w./-]+|~/[\w./-]+|[A-Z]:\\[\w\\.-]+)"
)
_PROVES: Final = re.compile(
    r"\b(?:verif\w*|validat\w*|evidence|proof|proven|confirmed|nachweis\w*|test results?|results? (?:are|documented))\b",
    re.IGNORECASE,
)
_BARE: Final = re.compile(
    r"\b(?:verified|validated|tested|confirmed|enforced|functional|working(?: correctly)?|successful(?:ly)?|intact|proven|geprüft|getestet|funktionsfähig)\b",
    re.IGNORECASE,
)
_PLAN: Final = re.compile(
    r"\b(?:definition of done|next|plan|todo|recommend\w*|future|pre-?requisites?|preparation|agenda|scope|lessons|action)\b",
    re.IGNORECASE,
)


def check(document: Document, book: Book) -> None:
    """Look for words of proof with nothing behind them."""
    _checksums(document, book)
    known = _measured_nouns(document)
    for block in document.blocks:
        if isinstance(block, Passage) and not block.heading:
            for line, text in sentences(block):
                _puffed(line, text, document, book)
                _named(block, line, text, document, book)
            _bare(block, known, document, book)
    _ticked(document, known, book)


def _checksums(document: Document, book: Book) -> None:
    """Checksums that match, where no checksum stands anywhere and none is said to be kept."""
    if _HEX.search(re.sub(r"\bcommit `?[0-9a-f]+", "", document.text)):
        return
    lines = list(_about_checksums(document))
    if any(_ELSEWHERE.search(text) for _, text in lines):
        return
    for line, text in lines:
        if _MATCH.search(text) and not _NOT_CLAIM.search(text) and len(text) < 400:
            book.found(
                Kind.UNSUPPORTED,
                line,
                "Checksums are said to match, but not one is printed, and nothing says where they are kept.",
                needs="The checksums of both sides, with algorithm and command, or the file that holds them with its own digest.",
            )


def _about_checksums(document: Document) -> Iterator[tuple[int, str]]:
    for block in document.blocks:
        match block:
            case Passage(heading=0):
                for line, text in sentences(block):
                    if found := _CHECKSUMS.search(text):
                        yield line + text.count("\n", 0, found.start()), text
            case Table():
                yield from ((row.line, " | ".join(row.cells)) for row in block.rows if _CHECKSUMS.search(row.cells[0]))
                columns = [index for index, head in enumerate(block.head) if index and _CHECKSUMS.search(head)]
                marked = [row for row in block.rows if any(is_good(row.cells[index]) for index in columns)]
                if marked and len(marked) * 2 >= len(block.rows):
                    yield marked[0].line, "checksums match"
            case _:
                pass


def _puffed(line: int, text: str, document: Document, book: Book) -> None:
    found = _PUFFED.search(text)
    if not found or len(text) > 400 or _NOT_CLAIM.search(text) or _ELSEWHERE.search(text):
        return
    if [
        q for q in quantities(text, german=document.german) if q.measure != "count" or noun_of(text[q.end : q.end + 30])
    ]:
        return
    book.found(
        Kind.UNSUPPORTED, line + text.count("\n", 0, found.start()),
        f"“{' '.join(found[0].split())}” is asserted without a figure, a log or a record that one could look at.", topic="asserted",
        needs="The record of the check: what was compared, with which result, when and by whom.",
    )  # fmt: skip


_SHORT: Final = re.compile(
    r"\W*(?:all |the |every |each )?(?:[\w-]+ ){1,4}?(?:(?:was|were|is|are|has been|have been) )?(?:fully |all |successfully )?(?:verified|validated|checked|confirmed|tested|geprüft|verifiziert)\W*",
    re.IGNORECASE,
)


_CLEAN: Final = re.compile(
    r"\W*no (?:\w+ ){0,2}(?:exceptions?|errors?|deviations?|issues?|problems?|findings?)(?: (?:was|were) (?:noted|found|observed|identified|detected))?\W*",
    re.IGNORECASE,
)


def _bare(block: Passage, known: frozenset[str], document: Document, book: Book) -> None:
    """Row counts verified. Foreign keys verified. Sequences verified."""
    text = " ".join(block.text.split())
    if len(text) > 600 or block.codes or quantities(text, german=document.german) or _ELSEWHERE.search(text):
        return
    told = [piece for piece in re.split(r"(?<=[.!;])\s+", text) if piece.strip()]
    told = [piece for piece in told if not _CLEAN.fullmatch(piece)]
    bare = [piece for piece in told if _SHORT.fullmatch(piece) and not _NOT_CLAIM.search(piece)]
    if len(bare) < 2 or len(bare) < len(told) or {noun_of(piece) for piece in bare} & known:
        return
    if _PLAN.search(" ".join(block.section[-1:])):
        return
    book.found(
        Kind.UNSUPPORTED, block.line, f"{len(bare)} things are said to be verified, and nothing is said of how, against what, and with which result.", topic="asserted",
        needs="For each the query, its result on both sides, and the comparison.",
    )  # fmt: skip


def _named(block: Passage, line: int, text: str, document: Document, book: Book) -> None:
    """A file on somebody's machine as the evidence; neither its content nor its digest is here."""
    found = _PATH.search(text)
    about = f"{' '.join(block.section[-1:])} {text[: found.start()] if found else ''}"
    if found and len(text) < 400 and not _HEX.search(text) and (_PROVES.search(about) or _FORMAL.search(text)):
        if re.search(
            r"\b(?:attach\w*|output below|follow\w*|excerpt|enclosed|anhang)\b", text, re.IGNORECASE
        ) or _output_near(document, block):
            return
        if not re.search(r"\.(?:sh|py|log|txt|sql|md|csv|json|pdf|html)\b", found[0]) or re.search(
            r"\b(?:data director\w*|restored to|target|socket|mount|repository|repo|stored)\b", text, re.IGNORECASE
        ):
            return
        book.found(
            Kind.UNSUPPORTED, line + text.count("\n", 0, found.start()),
            f"The verification rests on {found[0][:80]}, a file on somebody's machine: neither what it does nor what it printed is here, nor its digest.",
            needs="The file itself with its SHA-256, and its output of that day.",
        )  # fmt: skip
    elif (
        (formal := _FORMAL.search(text))
        and not found
        and re.search(r"\b(?:confirm\w*|passed|verified|validated|prove[sdn]?|shows?|showed)\b", text, re.IGNORECASE)
    ):
        if (
            len(text) > 300
            or _NOT_CLAIM.search(text)
            or _ELSEWHERE.search(text)
            or block.codes
            or quantities(text, german=document.german)
        ):
            return
        book.found(
            Kind.UNSUPPORTED, line + text.count("\n", 0, formal.start()),
            f"“{' '.join(formal[0].split())}” is named as the proof; which one, and what it printed, is not said.", topic="asserted",
            needs="Its name and version, its configuration and its output of that day.",
        )  # fmt: skip


def _output_near(document: Document, block: Passage) -> bool:
    """Whether output of a program stands in the same section."""
    return any(
        code.section == block.section and code.language not in {"sql", "psql", "postgresql"} and code.line > block.line
        for code in document.blocks
        if isinstance(code, Code)
    )


def _ticked(document: Document, known: frozenset[str], book: Book) -> None:
    """Ticked items that say verified, about things for which the document has no figure at all."""
    bare: list[Passage] = []
    for passage in document.passages:
        if not passage.ticked or _PLAN.search(" ".join(passage.section[-1:])):
            continue
        text = passage.text
        if (
            not _BARE.search(text)
            or quantities(text, german=document.german)
            or _ELSEWHERE.search(text)
            or passage.codes
            or _NOT_CLAIM.search(text)
        ):
            continue
        if (
            noun_of(text) in known
            or len(text) > 160
            or re.search(r"\b(?:by [A-Z]\w+ [A-Z]|documented|reviewed|installed|present)\b", text)
        ):
            continue
        bare.append(passage)
    if [p for p in document.passages if p.ticked] and len(bare) >= 2:
        for passage in bare:
            book.found(
                Kind.UNSUPPORTED, passage.line, "Ticked as verified; what was done, and what came of it, stands nowhere in the document.", topic="asserted",
                needs="The record of that check: command, output, date.",
            )  # fmt: skip


def _measured_nouns(document: Document) -> frozenset[str]:
    """What the document states a figure for."""
    found: set[str] = set()
    for block in document.blocks:
        if isinstance(block, Passage):
            for q in quantities(block.text, german=document.german):
                found.add(noun_of(block.text[q.end : q.end + 30]))
        elif isinstance(block, Table):
            for row in block.rows:
                if any(quantities(cell, german=document.german) for cell in row.cells[1:]):
                    found.add(noun_of(row.cells[0]))
    return frozenset(found - {""})
