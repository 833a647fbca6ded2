"""Objectives called met that were not: a limit in brackets, data lost beyond the recovery point, a window that was left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import OTHER, sentences
from attestore.claims.model import Book, Kind
from attestore.claims.moments import instant
from attestore.claims.quantities import Quantity, quantities

__all__ = ["check"]

_GOOD: Final = re.compile(
    r"^\W*\[[xX]\]|[✅✔]|\b(?:OK|PASS(?:ED)?|met|kept|within|inside|satisfied|fulfilled|achieved|eingehalten|erfüllt)\b(?! by\b)"
)
_BAD: Final = re.compile(
    r"\b(?:not|n't|miss\w*|fail\w*|exceed\w*|violat\w*|breach\w*|nicht|verfehlt|over|above|late|however|but|aber|would|should|must|will|if|can|could|nearly|previous\w*|"
    r"last (?:time|year|quarter))\b|[❌✘]",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    r"\s*\((?:max(?:imum|\.)?|limit|allowed|at most|höchstens|maximal|<|≤|<=|objective|target|ziel)\s*:?\s*(?P<limit>[^()]{1,30})\)",
    re.IGNORECASE,
)
_RPO: Final = re.compile(r"\bRPO\b|\brecovery point(?: objective)?\b", re.IGNORECASE)
_LOSS: Final = re.compile(
    r"\b(?:lost|loss of(?: \w+)?|data loss|losing|verlor\w*|datenverlust)\b[^.;\n\d]{0,40}$", re.IGNORECASE
)
_LOST_BEHIND: Final = re.compile(
    r"\s*(?:of|worth of) (?:\w+ )?(?:data|writes|transactions|orders|changes)\b[^.;]{0,20}\b(?:lost|missing|gone)\b|\s*(?:of data )?(?:were|was|are|is) lost\b",
    re.IGNORECASE,
)
_DEMANDED: Final = re.compile(
    r"\bRPO\W{1,3}(?P<aim>[^,;.]{2,30}?) (?:demanded|required|allowed|agreed|gefordert|verlangt)[,;] (?:reached|achieved|actual(?:ly)?|measured|erreicht|gemessen) (?P<got>[^,;:.]{2,30})",
    re.IGNORECASE,
)
_WINDOW: Final = re.compile(
    r"\bwindow\b[^.;\d]{0,20}(?P<a>\d{1,2}:\d\d)\s*(?:–|-|to|until|bis)\s*(?P<b>\d{1,2}:\d\d)(?P<mid>[^\d]{0,20}.{0,80}?)\b(?:from|started at|began at) (?P<c>\d{1,2}:\d\d)"
    r"(?: UTC)?\s*(?:–|-|to|until|and ended at|and finished at)\s*(?P<d>\d{1,2}:\d\d)",
    re.IGNORECASE,
)
_RTO_KEPT: Final = re.compile(
    r"\b(?:within|inside|met|kept)\b[^.\n]{0,20}\b(?:RTO|recovery time objective)\b\W{0,3}(?P<limit>[^().\n]{2,30})",
    re.IGNORECASE,
)
_RESTORE_TOOK: Final = re.compile(
    r"\b(?:the )?(?:restore|restoration|recovery)(?: itself)?(?: (?:took|ran|lasted|needed|duration|time|was done in))?(?: for)?(?: about)?:? (?=\d)",
    re.IGNORECASE,
)
_WITHIN: Final = re.compile(
    r"\b(?:all|every|each|both)\b[^.\n]{0,60}\bwithin (?:the |our |its )?(?:(?:agreed|allowed|required|promised|target(?:ed)?|objective|RTO|limit)(?: of)? )+(?=\d|[a-z]+ (?:hours?|minutes?))",
    re.IGNORECASE,
)
_TOOK: Final = re.compile(r"\b(?:took|needed|lasted|required|after|in)\s+$", re.IGNORECASE)
_NEEDS: Final = "The measurement itself, and the objective as it was agreed."


def check(document: Document, book: Book) -> None:
    """Compare what was reached with what was asked, wherever it is called met."""
    _bracketed(document, book)
    _demanded(document, book)
    _lost(document, book)
    _window(document, book)
    _within(document, book)
    _restored(document, book)


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    """Lines as they stand, so that a tick before them is seen."""
    for block in document.blocks:
        if isinstance(block, Passage):
            for line, text in block.lines:
                mark = "[x] " if block.ticked and line == block.line else ""
                yield line, f"{mark}{text}"
        elif isinstance(block, Table):
            yield from ((row.line, " | ".join(row.cells)) for row in block.rows)


def _only(text: str, document: Document) -> Quantity | None:
    found = [q for q in quantities(text, german=document.german) if q.measure == "duration"]
    return found[0] if len(found) == 1 and not found[0].approximate else None


def _beyond(got: Quantity, aim: Quantity) -> bool:
    return got.measure == aim.measure and got.value - got.half > aim.value + aim.half and not got.bound


def _tell(line: int, got: Quantity, aim: Quantity, book: Book) -> None:
    book.found(
        Kind.CONTRADICTION, line, f"{got.text} is more than the {aim.text} that were allowed, yet it is called met.", needs=_NEEDS, topic="objective"
    )  # fmt: skip


def _bracketed(document: Document, book: Book) -> None:
    """26 h (max. 24 h), ticked."""
    for line, text in _lines(document):
        if len(text) > 500 or not _GOOD.search(text) or _BAD.search(text):
            continue
        for got in quantities(text, german=document.german):
            limit = _LIMIT.match(text, got.end) if got.measure in {"duration", "size"} and got.exact else None
            aims = quantities(limit["limit"], german=document.german) if limit else ()
            if len(aims) == 1 and _beyond(got, aims[0]):
                _tell(line, got, aims[0], book)


def _demanded(document: Document, book: Book) -> None:
    """RPO: 24 h demanded, reached 31 h: kept."""
    for line, text in _lines(document):
        found = _DEMANDED.search(text) if len(text) < 500 else None
        if found is None or not _GOOD.search(text[found.end() :]) or _BAD.search(text):
            continue
        aim, got = _only(found["aim"], document), _only(found["got"], document)
        if aim is not None and got is not None and _beyond(got, aim):
            _tell(line, got, aim, book)


def _losses(document: Document) -> Iterator[Quantity]:
    for passage in document.passages:
        for _, text in sentences(passage):
            if (
                len(text) > 500
                or _RPO.search(text[:20])
                or re.search(r"\b(?:would|could|up to|at most|maximum|if|max|worst|previous\w*|per)\b", text)
            ):
                continue
            for each in quantities(text, german=document.german):
                if (
                    each.measure == "duration"
                    and each.exact
                    and (_LOSS.search(text[: each.start]) or _LOST_BEHIND.match(text, each.end))
                ):
                    yield each


def _lost(document: Document, book: Book) -> None:
    """30 minutes were lost, and the RPO of 15 minutes was kept."""
    losses = list(_losses(document))
    if len({each.value for each in losses}) != 1:
        return
    for passage in document.passages:
        for line, text in sentences(passage):
            for found in _RPO.finditer(text) if len(text) < 500 else ():
                clause = re.split(r"[;.]\s", text[found.start() :])[0]
                aim = next((q for q in quantities(clause, german=document.german) if q.measure == "duration"), None)
                if aim is None or not _GOOD.search(clause) or _BAD.search(clause) or aim.start > _CLOSE:
                    continue
                if _beyond(losses[0], aim):
                    _tell(line + text.count("\n", 0, found.start()), losses[0], aim, book)


_CLOSE: Final = 45


def _within(document: Document, book: Book) -> None:
    """All within the agreed four hours; the slowest took 4 h 50 min."""
    for passage in document.passages:
        for line, text in sentences(passage):
            found = _WITHIN.search(text) if len(text) < 500 else None
            if found is None or re.search(
                r"\b(?:but|except|apart|not|however|other than|save for|although|though)\b", text, re.IGNORECASE
            ):
                continue
            known = [q for q in quantities(text, german=document.german) if q.measure == "duration"]
            aim = next((q for q in known if q.start == found.end()), None)
            for got in known:
                if (
                    aim is not None
                    and got.start > aim.end
                    and got.exact
                    and _TOOK.search(text[: got.start])
                    and _beyond(got, aim)
                ):
                    _tell(line + text.count("\n", 0, found.start()), got, aim, book)


def _window(document: Document, book: Book) -> None:
    """A window of 01:00–05:00, and a run from 01:00 to 05:45 inside it."""
    for line, text in _lines(document):
        found = _WINDOW.search(text) if len(text) < 1_000 else None
        if (
            found is None
            or not re.search(r"\b(?:inside|within|in) (?:the|this|its) window\b", text[found.start("mid") :])
            or _BAD.search(text)
        ):
            continue
        times = [instant(found[name]) for name in "abcd"]
        if any(time is None for time in times):
            continue
        a, b, c, d = (time[0] for time in times if time is not None)
        if a < b and c < d and (d > b or c < a):
            book.found(
                Kind.CONTRADICTION, line, f"From {found['c']} to {found['d']} is not inside {found['a']} to {found['b']}.", needs=_NEEDS
            )  # fmt: skip


def _restored(document: Document, book: Book) -> None:
    """Within the RTO of 60 minutes, where the restore alone took 82."""
    took: list[Quantity] = []
    for passage in document.passages:
        for _, text in sentences(passage):
            for found in _RESTORE_TOOK.finditer(text) if len(text) < 500 else ():
                got = next((q for q in quantities(text, german=document.german) if q.start == found.end()), None)
                if got is not None and got.measure == "duration" and got.exact and not OTHER.search(text[: got.start]):
                    took.append(got)
    if len({each.value for each in took}) != 1:
        return
    for line, text in _lines(document):
        kept = _RTO_KEPT.search(text)
        aim = _only(kept["limit"], document) if kept and not _BAD.search(text) and _GOOD.search(text) else None
        if aim is not None and _beyond(took[0], aim):
            _tell(line, took[0], aim, book)
