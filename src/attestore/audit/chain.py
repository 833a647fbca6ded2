"""What the ledger's entries say about each other and about the bundles: every run that was started has an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, TypeAlias

from attestore import canon
from attestore.amounts import amount
from attestore.archive.ledger import CHECKPOINT, LEDGER
from attestore.audit.bundle import Audited
from attestore.audit.findings import Notebook
from attestore.audit.plausible import instant
from attestore.audit.times import SLACK
from attestore.evidence.ledger import (
    BackupDeleted,
    BackupStored,
    Checkpoint,
    DecisionEntered,
    Entry,
    KeyChanged,
    Ledger,
    ReportsRevised,
    RunClosed,
    RunFinished,
    RunStarted,
    concerns,
)
from attestore.report import numbers

__all__ = ["Entries", "agrees", "check", "endless", "reach", "started", "times"]

Entries: TypeAlias = Sequence[Entry]
Running: TypeAlias = Callable[[str], bool]

_ORDER: Final = (
    "passed", "failed", "unknown", "stopped", "judged by no gate", "in progress", "unfinished", "missing",
)  # fmt: skip


def started(entries: Entries) -> dict[str, RunStarted]:
    """Start of each run, the first if there are several."""
    starts: dict[str, RunStarted] = {}
    for entry in entries:
        if isinstance(entry, RunStarted):
            starts.setdefault(entry.run, entry)
    return starts


def endless(entries: Entries) -> frozenset[str]:
    """Runs that were started and have no end."""
    ended = {entry.run for entry in entries if isinstance(entry, RunFinished | RunClosed)}
    return frozenset(started(entries)) - ended


def times(known: Ledger, point: Checkpoint | None, *, at: datetime, book: Notebook) -> None:
    """The entries lie in order of time, and none of them after the audit."""
    with book.guarded("time", of=LEDGER):
        instants = [instant(entry.at) for entry in known.entries]
        back = sum(later < earlier - SLACK for earlier, later in pairwise(instants))
        if back:
            book.problem(
                "time", f"{numbers.counted(back, 'entry is', 'entries are')} older than the one before.", of=LEDGER
            )
        if instants and max(instants) > at + SLACK:
            book.problem("time", "An entry is dated after this audit.", of=LEDGER)
        if point is not None and instants and 0 < point.count <= known.count:
            behind = instant(point.at) < instants[point.count - 1] - SLACK
            if behind:
                book.problem("time", "The checkpoint is older than the entries it covers.", of=CHECKPOINT)
        if not back:
            book.ok("time", "The entries lie in order of time.", of=LEDGER)


def reach(known: Ledger, point: Checkpoint | None, *, running: Running, book: Notebook) -> bool:
    """The signed checkpoint covers the ledger, up to entries that no run has ended in; whether the ledger holds it."""
    if point is None:
        if known.count:
            book.problem("checkpoint", "No good signature says where the ledger ends: its tail may be cut.", of=LEDGER)
        return False
    if point.count > known.count:
        book.problem(
            "checkpoint",
            f"The ledger has {numbers.counted(known.count, 'entry', 'entries')}, its signed checkpoint {point.count}: the tail was cut.",
            of=LEDGER,
        )
        return False
    if known.head_at(point.count) != point.head:
        book.problem(
            "checkpoint",
            f"After {numbers.counted(point.count, 'entry', 'entries')} the head is {known.head_at(point.count)[:16]}…, the signed checkpoint says "
            f"{point.head[:16]}…: this is another ledger.",
            of=LEDGER,
        )
        return False
    book.ok(
        "checkpoint",
        f"The ledger holds the signed checkpoint of {numbers.counted(point.count, 'entry', 'entries')}, head {point.head}.",
    )
    for number, entry in enumerate(known.entries[point.count :], start=point.count + 1):
        if isinstance(entry, RunFinished | RunClosed) and not running(entry.run):
            book.problem(
                "checkpoint", f"Entry {number}, the end of {entry.run}, is not under the signed checkpoint.", of=LEDGER
            )
        else:
            book.note(
                "checkpoint",
                f"Entry {number}, of {concerns(entry) or 'keys'}, is not yet under a signed checkpoint.",
                of=LEDGER,
            )
    return True


def check(known: Ledger, *, bundles: Mapping[str, Audited], running: Running, book: Notebook) -> Mapping[str, str]:
    """Every run has one start, one end and a bundle that agrees with both; every backup belongs to a run.

    One word for each run is returned: passed, failed, missing …
    """
    starts = started(known.entries)
    places, ends = _places(known.entries, book=book)
    words: dict[str, str] = {}
    for run, start in starts.items():
        bundle, end = bundles.get(run), ends.get(run)
        if bundle is not None and end is not None:
            agrees(bundle, start=start, end=end, ledger=known, place=places[run], book=book)
            words[run] = _word(end, bundle=bundle)
            if words[run] == "stopped":
                book.note("completeness", f"The run was stopped: {_why(bundle)}", of=run)
        else:
            words[run] = _open(start, end=end, held=bundle is not None, alive=running(run), book=book)
    counts = Counter(words.values())
    told = ", ".join(f"{counts[word]} {word}" for word in _ORDER if counts[word]) or "none"
    sentence = f"{numbers.counted(len(starts), 'run')}: {told}."
    book.expect(
        "completeness", not counts["missing"] and not counts["unfinished"], sentence, otherwise=sentence, of=LEDGER
    )
    _backups(known.entries, starts=starts, ends=ends, bundles=bundles, book=book)
    _deletions(known.entries, book=book)
    _keys(known.entries, bundles=bundles, book=book)
    return words


def _why(bundle: Audited) -> str:
    """The run's own word for why it did not come to its end."""
    told = () if bundle.evidence.journal is None else bundle.evidence.journal.observations
    reasons = [str(o.value) for o in told if o.fact == "run.stopped"]
    return reasons[-1] if reasons else f"it died after {amount(len(told), 'line')} of its journal."


def _deletions(entries: Entries, *, book: Notebook) -> None:
    """What was deleted had been stored, once, and was the same backup."""
    kept: dict[str, canon.Digest] = {}
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, BackupStored):
            kept[entry.backup] = entry.digest
        elif isinstance(entry, BackupDeleted):
            stored = kept.pop(entry.backup, None)
            if stored is None:
                book.problem("ledger", f"Entry {number} deletes backup {entry.backup}, which is not stored before it.")
            elif stored != entry.digest:
                book.problem("ledger", f"Entry {number} deletes backup {entry.backup} by another digest than it had.")
            else:
                book.note("ledger", f"Backup {entry.backup} was deleted {entry.at}: {entry.reason}")


def _keys(entries: Entries, *, bundles: Mapping[str, Audited], book: Notebook) -> None:
    """Each change of people and keys is told, and a run was made under those in force at its start."""
    known: KeyChanged | None = None
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, KeyChanged):
            if known is not None:
                what = "roster" if known.roster != entry.roster else "recipients"
                book.note(
                    "ledger", f"Entry {number}, {entry.at}: another {what} than before, noticed under {entry.by}."
                )
            known = entry
        elif isinstance(entry, RunStarted) and known is not None and entry.run in bundles:
            about = bundles[entry.run].evidence.context
            if about is not None and not about.closed_by and about.roster_digest != known.roster:
                book.problem(
                    "ledger",
                    f"The run says roster {about.roster_digest[:16]}…; by the ledger {known.roster[:16]}… was in force.",
                    of=entry.run,
                )


def _places(entries: Entries, *, book: Notebook) -> tuple[dict[str, int], dict[str, RunFinished | RunClosed]]:
    """Number of the entry that starts each run, and the entry that ends it."""
    places: dict[str, int] = {}
    ends: dict[str, RunFinished | RunClosed] = {}
    for number, entry in enumerate(entries, start=1):
        match entry:
            case RunStarted():
                if places.setdefault(entry.run, number) != number:
                    book.problem(
                        "ledger", f"{entry.run} is started twice, by entries {places[entry.run]} and {number}."
                    )
            case RunFinished() | RunClosed():
                if entry.run not in places:
                    book.problem("ledger", f"{entry.run} ends by entry {number}, but was never started before it.")
                if entry.run in ends:
                    book.problem("ledger", f"{entry.run} ends twice, the second time by entry {number}.")
                ends.setdefault(entry.run, entry)
            case BackupStored() | BackupDeleted() | KeyChanged() | DecisionEntered() | ReportsRevised():
                pass
    return places, ends


def _open(start: RunStarted, *, end: RunFinished | RunClosed | None, held: bool, alive: bool, book: Notebook) -> str:
    """The word for a run that lacks its bundle or its end."""
    if held:
        book.problem(
            "completeness",
            "The run was started, and neither finished nor closed. The next run closes it.",
            of=start.run,
        )
        return "unfinished"
    if end is None and alive:
        return "in progress"
    ended = "" if end is None else f", ended {end.at} with {_outcomes(end)}"
    book.problem("completeness", f"The run was started {start.at}{ended}; its bundle is missing.", of=start.run)
    return "missing"


def _backups(
    entries: Entries,
    *,
    starts: Mapping[str, RunStarted],
    ends: Mapping[str, object],
    bundles: Mapping[str, Audited],
    book: Notebook,
) -> None:
    """Each backup of the ledger is the one in its run's bundle, and the other way round."""
    kept: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, BackupStored):
            kept.add(entry.run)
            _stored(entry, starts=starts, bundles=bundles, number=number, book=book)
    for run, bundle in bundles.items():
        listing = bundle.evidence.manifest
        if listing is not None and listing.run == run and run not in kept and run in ends:
            book.problem("ledger", f"{run} made backup {listing.backup}, which the ledger does not name.", of=run)


def agrees(
    bundle: Audited, *, start: RunStarted, end: RunFinished | RunClosed, ledger: Ledger, place: int, book: Notebook
) -> None:
    """A bundle and the ledger tell the same of a run."""
    sealed, run = bundle.statement, bundle.run
    if sealed is None:
        return
    signer = end.by if isinstance(end, RunClosed) else start.operator
    comparisons = (
        (
            end.statement == bundle.statement_digest,
            f"its statement is {bundle.statement_digest[:16]}…, the ledger says {end.statement[:16]}…",
        ),
        (
            sorted(end.outcomes) == [(gate.gate, gate.outcome) for gate in sealed.gates],
            f"the ledger says {_outcomes(end)}",
        ),
        (
            sorted(start.gates) == [(gate.gate, gate.digest) for gate in sealed.gates],
            "it was started with other gates than it was judged by",
        ),
        (
            (start.system, start.operator, start.at) == (sealed.system, sealed.operator, sealed.started),
            "system, operator or start are others than in the ledger",
        ),
        (
            (sealed.ledger_count, sealed.ledger_head) == (place, ledger.head_at(place)),
            "the ledger it was started in, as its statement says, is another",
        ),
        (
            isinstance(end, RunClosed) == bool(sealed.closed_by),
            "ledger and statement do not agree whether somebody closed it",
        ),
        (
            bundle.signer in {"", signer},
            f"it is signed by {bundle.signer}, by the ledger it should be {signer}",
        ),
        (
            all(made <= instant(end.at) + SLACK for made in bundle.signed.values()),
            f"it was signed after its end of {end.at}, by the signatures' own clocks",
        ),
        (
            instant(end.at) >= instant(sealed.ended) - SLACK,
            f"the ledger says that it ended {end.at}, before its journal did, {sealed.ended}",
        ),
    )
    wrong = [told for holds, told in comparisons if not holds]
    for told in wrong:
        book.problem("ledger", f"The bundle does not agree with the ledger: {told}.", of=run)
    if not wrong:
        closed = " It had died and was closed later." if sealed.closed_by else ""
        book.ok(
            "ledger", f"Started, ended ({_outcomes(end)}), and its statement is the one in the ledger.{closed}", of=run
        )


def _stored(
    entry: BackupStored,
    *,
    starts: Mapping[str, RunStarted],
    bundles: Mapping[str, Audited],
    number: int,
    book: Notebook,
) -> None:
    if entry.run not in starts:
        book.problem("ledger", f"Entry {number} names a backup of {entry.run}, which was never started.")
    bundle = bundles.get(entry.run)
    listing = None if bundle is None else bundle.evidence.manifest
    if listing is not None and (listing.backup, listing.digest, listing.system) != (
        entry.backup,
        entry.digest,
        entry.system,
    ):
        book.problem(
            "ledger",
            f"Entry {number} names backup {entry.backup} by another digest than its manifest has.",
            of=entry.run,
        )


def _outcomes(end: RunFinished | RunClosed) -> str:
    return ", ".join(f"{gate} {outcome}" for gate, outcome in end.outcomes) or "no gate"


def _word(end: RunFinished | RunClosed, *, bundle: Audited) -> str:
    """One word for a run that has its bundle: its worst outcome, and whether it came to its end."""
    outcomes = {outcome for _, outcome in end.outcomes}
    told = () if bundle.evidence.journal is None else bundle.evidence.journal.observations
    if "FAIL" in outcomes:
        return "failed"
    if not any(o.fact == "run.completed" and o.value is True for o in told):
        return "stopped"
    if not outcomes:
        return "judged by no gate"
    return "passed" if outcomes == {"PASS"} else "unknown"
