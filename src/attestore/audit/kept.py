"""Checkpoints that stores have kept: each shows what the ledger's head was, and lies where whoever wrote the ledger may not delete."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from attestore import canon
from attestore.archive.layout import LARGEST_SIGNATURE
from attestore.archive.opened import read_file
from attestore.audit.findings import Notebook
from attestore.audit.plausible import instant
from attestore.audit.signed import Signatures
from attestore.audit.times import NOTHING
from attestore.evidence.ledger import Ledger, decode_checkpoint
from attestore.report import numbers

__all__ = ["compare_checkpoints"]

_NAME = "checkpoint"


def compare_checkpoints(folder: Path, *, known: Ledger, signatures: Signatures, book: Notebook) -> None:
    """Every checkpoint below `folder/<ledger>/…` that is of this ledger lies in it; nothing to compare is a problem.

    A ledger is called by the digest of its first entry, so that one which was written anew is another one.
    """
    ours = known.head_at(1)[:16] if known.count else ""
    ledgers = sorted(path.name for path in folder.iterdir() if path.is_dir())
    for other in ledgers:
        if other != ours:
            book.note("kept", "Checkpoints of a ledger with another beginning: of other reports, or of these before they were written anew.", of=other)  # fmt: skip
    kept = sorted(path for path in (folder / ours).iterdir() if path.is_dir()) if ours in ledgers else []
    longest = 0
    for path in kept:
        longest = max(longest, _compared(path, known=known, signatures=signatures, book=book))
    book.expect(
        "kept",
        longest > 0,
        f"{numbers.counted(len(kept), 'kept checkpoint')}; the longest that this ledger holds is after entry {longest} of {known.count}.",
        otherwise="No kept checkpoint is of this ledger, so nothing outside shows that it is whole.",
    )


def _compared(path: Path, *, known: Ledger, signatures: Signatures, book: Notebook) -> int:
    """How many entries a checkpoint vouches for; 0, and a line, where it doesn't."""
    look = partial(read_file, limit=LARGEST_SIGNATURE)
    data = book.attempt("kept", lambda: look(path / _NAME), of=path.name)
    seal = book.attempt("kept", lambda: look(path / f"{_NAME}.asc"), of=path.name)
    point = None if data is None else book.attempt("kept", lambda: decode_checkpoint(data), of=path.name)
    at = None if point is None else book.attempt("kept", lambda: instant(point.at), of=path.name)
    if data is None or seal is None or point is None or at is None:
        return 0
    seen = signatures.look(
        seal,
        path / _NAME,
        name=path.name,
        at=at,
        digest=canon.sha256_hex(data),
        witness=NOTHING,
        book=book,
    )
    if seen is None:
        return 0
    if point.count > known.count:
        book.problem(
            "kept",
            f"It shows a ledger of {numbers.counted(point.count, 'entry', 'entries')} on {point.at}; this one has "
            f"{known.count}: its tail was cut.",
            of=path.name,
        )
        return 0
    here = known.head_at(point.count)
    if here != point.head:
        book.problem(
            "kept",
            f"It shows the head {point.head[:16]}… after entry {point.count}; here it is {here[:16]}…: the ledger was written anew from there.",
            of=path.name,
        )
        return 0
    return point.count
