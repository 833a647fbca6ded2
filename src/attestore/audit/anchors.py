"""Reports that the auditor has kept himself: each shows what the ledger's head was, so nothing before it can have been removed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from attestore import canon, instants
from attestore.archive.layout import LARGEST_SIGNATURE, is_run
from attestore.archive.opened import read_file
from attestore.audit import pdf
from attestore.audit.bundle import Witnesses
from attestore.audit.findings import Notebook
from attestore.audit.signed import Signatures
from attestore.audit.times import NOTHING, Proven, Witness
from attestore.errors import TamperedError
from attestore.evidence import Context, context
from attestore.evidence.ledger import (
    Checkpoint,
    DecisionEntered,
    Ledger,
    ReportsRevised,
    RunClosed,
    RunFinished,
    RunStarted,
)
from attestore.report import numbers

__all__ = ["Anchor", "Held", "between", "hold", "proven_head", "witnesses"]

_LARGEST: Final = 1 << 28
_CONTEXT: Final = "context.json"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A PDF report that the auditor has kept."""

    path: Path
    since: datetime | None = None
    """the auditor's word for when it came into his hands; None where he does not say"""


@dataclass(frozen=True, slots=True)
class Held:
    """An anchor whose head the ledger holds."""

    name: str
    count: int
    since: datetime | None


def hold(
    anchors: Iterable[Anchor], *, known: Ledger, reports: Path, signatures: Signatures, book: Notebook
) -> tuple[Held, ...]:
    """The anchors whose heads lie in the ledger; each gets a line."""
    kept: list[Held] = []
    for anchor in anchors:
        about = _context(anchor, reports=reports, signatures=signatures, book=book)
        if about is not None and _lies_in(known, about, name=anchor.path.name, book=book):
            kept.append(Held(name=anchor.path.name, count=about.ledger_count, since=anchor.since))
    return tuple(sorted(kept, key=lambda each: each.count))


def _context(anchor: Anchor, *, reports: Path, signatures: Signatures, book: Notebook) -> Context | None:
    """What a kept report carries about its run; None, and a line, where no operator signed it."""
    path, name = anchor.path, anchor.path.name
    data = book.attempt("anchor", lambda: read_file(path, limit=_LARGEST), of=name)
    if data is None:
        return None
    seal = book.attempt("anchor", lambda: _seal(path, data, reports=reports), of=name)
    if seal is None:
        return None
    seen = signatures.look(
        seal,
        path,
        name=name,
        at=None,
        digest=canon.sha256_hex(data),
        witness=NOTHING if anchor.since is None else Witness(_kept(name, anchor.since)),
        book=book,
    )
    if seen is None:
        return None
    return book.attempt("anchor", lambda: context.decode(_carried(data)), of=name)


def _carried(data: bytes) -> bytes:
    """The context that a report's PDF carries.

    Raises:
        TamperedError: it is no PDF that can be read, carries none, or nothing here can read it.
    """
    try:
        carried = pdf.attachments(data)
    except ImportError as problem:
        raise TamperedError("it can't be opened: pikepdf is not installed here") from problem
    if _CONTEXT not in carried:
        raise TamperedError(f"it carries no {_CONTEXT}, so it shows no ledger")
    return carried[_CONTEXT]


def _seal(path: Path, data: bytes, *, reports: Path) -> bytes:
    """The signature beside a kept report, or beside its equal in the archive.

    Raises:
        TamperedError: neither is there.
    """
    beside = path.with_name(f"{path.name}.asc")
    if beside.exists():
        return read_file(beside, limit=LARGEST_SIGNATURE)
    digest = canon.sha256_hex(data)
    for twin in sorted(reports.glob("*/*.pdf")):
        signature = twin.with_name(f"{twin.name}.asc")
        if (
            is_run(twin.parent.name)
            and twin.stat(follow_symlinks=False).st_size == len(data)
            and canon.sha256_hex(read_file(twin, limit=_LARGEST)) == digest
            and signature.exists()
        ):
            return read_file(signature, limit=LARGEST_SIGNATURE)
    raise TamperedError(f"nobody signed it: there is no {beside.name} beside it, and the archive holds no equal report")


def _lies_in(known: Ledger, about: Context, *, name: str, book: Notebook) -> bool:
    count, shown = about.ledger_count, about.ledger_head
    if not 0 < count <= known.count:
        book.problem(
            "anchor",
            f"It shows a ledger of {numbers.counted(count, 'entry', 'entries')} at the start of {about.run}; this one has {known.count}: its tail was cut.",
            of=name,
        )
        return False
    here = known.head_at(count)
    if here != shown:
        book.problem(
            "anchor",
            f"It shows the head {shown[:16]}… after entry {count}; here it is {here[:16]}…: this is another ledger, or "
            "one that was written anew.",
            of=name,
        )
        return False
    entry = known.entries[count - 1]
    if not (isinstance(entry, RunStarted) and entry.run == about.run):
        book.problem("anchor", f"Entry {count} is not the start of {about.run}, whose report it is.", of=name)
        return False
    book.ok(
        "anchor",
        f"It shows the head {shown} after entry {count}, the start of {about.run}: here it is the same.",
        of=name,
    )
    return True


def between(kept: Sequence[Held], *, known: Ledger, words: Mapping[str, str], book: Notebook) -> None:
    """What the ledger holds between two kept reports: nothing was removed there, and what became of each run.

    `words` has one word for each run.
    """
    for earlier, later in pairwise(kept):
        entries = known.entries[earlier.count : later.count]
        runs = [entry.run for entry in entries if isinstance(entry, RunStarted)]
        counted = Counter(words.get(run, "missing") for run in runs)
        told = ", ".join(f"{number} {word}" for word, number in sorted(counted.items())) or "none"
        these = numbers.counted(len(runs), "run")
        span = f"between {earlier.name} (entry {earlier.count}) and {later.name} (entry {later.count})"
        book.expect(
            "anchor",
            not counted["missing"],
            f"Nothing {span} was removed from the ledger: {numbers.counted(len(entries), 'entry', 'entries')}, {these}: {told}.",
            otherwise=f"The ledger is whole {span}, but bundles are missing: {these}: {told}.",
        )


def witnesses(known: Ledger, kept: Sequence[Held], *, covered: Checkpoint | None) -> Witnesses:
    """What is known about the age of each statement and each decision that the ledger names.

    A kept report proves that what lies before its head is older than the day on which the auditor got it; `covered` is the
    checkpoint, if a key in force signed it.
    """
    places = {
        entry.statement: number
        for number, entry in enumerate(known.entries, start=1)
        if isinstance(entry, RunFinished | RunClosed | ReportsRevised)
    }
    places |= {
        entry.record: number
        for number, entry in enumerate(known.entries, start=1)
        if isinstance(entry, DecisionEntered)
    }

    def witness(statement: canon.Digest) -> Witness:
        place = places.get(statement)
        if place is None:
            return NOTHING
        by = f"the checkpoint of {covered.at}, by a key in force," if covered and place <= covered.count else ""
        return Witness(proven=_earliest(kept, place), covered=by)

    return witness


def proven_head(kept: Sequence[Held], count: int) -> Witness:
    """What is known about the age of a checkpoint after `count` entries that the ledger holds."""
    return Witness(proven=_earliest(kept, count))


def _earliest(kept: Sequence[Held], place: int) -> Proven | None:
    dated = [(each.since, each.name) for each in kept if each.since is not None and each.count >= place]
    if not dated:
        return None
    since, name = min(dated)
    return _kept(name, since)


def _kept(name: str, since: datetime) -> Proven:
    return Proven(at=since, by=f"your copy {name}, kept since {instants.text(since)},")
