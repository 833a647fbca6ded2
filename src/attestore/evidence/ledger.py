"""The ledger: every run started, finished or closed, every backup stored or deleted, every decision and change of keys, each entry bound to the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

from attestore import canon, instants
from attestore.errors import TamperedError
from attestore.evidence.journal import GENESIS

__all__ = [
    "CHECKPOINT_FORMAT",
    "BackupDeleted",
    "BackupStored",
    "Checkpoint",
    "DecisionEntered",
    "Entry",
    "Head",
    "KeyChanged",
    "Ledger",
    "ReportsRevised",
    "RunClosed",
    "RunFinished",
    "RunStarted",
    "concerns",
    "decode_checkpoint",
    "encode_checkpoint",
    "line",
    "link",
    "read",
    "written",
]

CHECKPOINT_FORMAT: Final = "attestore/checkpoint/v1"

_LONGEST_LINE = 1 << 20
_MOST_LINES = 1_000_000


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run is about to take its first step; written before it, so that a deleted failure leaves a gap."""

    at: str
    """UTC instant, RFC 3339 with milliseconds"""
    run: str
    system: str
    operator: str
    """primary key fingerprint"""
    gates: tuple[tuple[str, canon.Digest], ...]
    """gate id and the SHA-256 of its bytes"""


@dataclass(frozen=True, slots=True)
class BackupStored:
    """A backup was stored and read back."""

    at: str
    backup: str
    system: str
    digest: canon.Digest
    """SHA-256 of its manifest"""
    run: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run sealed its bundle; its outcomes count from here."""

    at: str
    run: str
    statement: canon.Digest
    """SHA-256 of `statement.json`"""
    outcomes: tuple[tuple[str, str], ...]
    """gate id and PASS, FAIL or UNKNOWN"""


@dataclass(frozen=True, slots=True)
class RunClosed:
    """A run that had died was sealed by a later command."""

    at: str
    run: str
    by: str
    """primary key fingerprint of who closed it"""
    statement: canon.Digest
    outcomes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BackupDeleted:
    """A stored backup was deleted; written before its first byte is, so that none is missed without a word."""

    at: str
    backup: str
    system: str
    digest: canon.Digest
    """SHA-256 of its manifest"""
    by: str
    """primary key fingerprint of who had it deleted"""
    reason: str
    """the rule or the words by which it had to go"""


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """From here on other people or keys are in force than before; the first one says what was in force at all."""

    at: str
    by: str
    """primary key fingerprint of the operator under whom it was noticed"""
    roster: canon.Digest
    """SHA-256 of the roster file"""
    recipients: tuple[str, ...]
    """primary key fingerprints that backups are sealed to, sorted"""


@dataclass(frozen=True, slots=True)
class DecisionEntered:
    """A signed decision was put into the bundle of its run; it counts from here."""

    at: str
    run: str
    gate: str
    act: str
    """approve, reject or waive"""
    person: str
    """id in the roster"""
    record: canon.Digest
    """SHA-256 of the record"""


@dataclass(frozen=True, slots=True)
class ReportsRevised:
    """The reports of a run were rendered again after decisions, into `revisions/<number>`."""

    at: str
    run: str
    number: int
    statement: canon.Digest
    """SHA-256 of the revision's `statement.json`"""


Entry: TypeAlias = (
    RunStarted | BackupStored | RunFinished | RunClosed | BackupDeleted | KeyChanged | DecisionEntered | ReportsRevised
)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a ledger: number of entries and link of the last one."""

    count: int
    digest: canon.Digest


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger that was read and whose chain holds."""

    entries: tuple[Entry, ...]
    links: tuple[canon.Digest, ...]
    """link of each entry"""
    torn: bool
    """whether a last line without its newline was left out: a writer died there, and the next one takes its place"""
    _sorted: dict[str, list[tuple[int, Entry]]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """the entries by what they are about, once somebody has asked for some"""

    def about(self, name: str) -> Sequence[tuple[int, Entry]]:
        """Entries about a run or a backup, each with its number; an audit asks for those of every run."""
        if not self._sorted:
            for number, entry in enumerate(self.entries, start=1):
                self._sorted.setdefault(concerns(entry), []).append((number, entry))
        return self._sorted.get(name, ())

    def ends(self) -> Sequence[tuple[int, RunFinished | RunClosed]]:
        """The end of each run with its number, in their order; of several of one run the first: no run ends again."""
        found: dict[str, tuple[int, RunFinished | RunClosed]] = {}
        for number, entry in enumerate(self.entries, start=1):
            if isinstance(entry, RunFinished | RunClosed):
                found.setdefault(entry.run, (number, entry))
        return tuple(found.values())

    @property
    def count(self) -> int:
        """Number of entries."""
        return len(self.entries)

    @property
    def head(self) -> canon.Digest:
        """Link of the last entry."""
        return self.head_at(self.count)

    def head_at(self, count: int) -> canon.Digest:
        """What the head was when the ledger had `count` entries.

        Raises:
            IndexError: it never had so many.
        """
        return self.links[count - 1] if count else GENESIS


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Count and head of a ledger at an instant, to be signed and put where the operator cannot take it back."""

    count: int
    head: canon.Digest
    at: str
    """UTC instant"""


def line(entry: Entry, *, number: int, previous: canon.Digest) -> bytes:
    """The exact bytes of one ledger line, newline included."""
    return canon.encode({"n": number, "previous": previous, "at": entry.at, **_body(entry)}) + b"\n"


def link(data: bytes) -> canon.Digest:
    """What the next line is bound to: the digest of a line's bytes, newline included."""
    return canon.domain_digest("ledger/link", data)


def concerns(entry: Entry) -> str:
    """The run or backup that an entry is about; empty where it is about the whole ledger."""
    match entry:
        case BackupDeleted():
            return entry.backup
        case KeyChanged():
            return ""
        case _:
            return entry.run


def read(data: bytes, *, what: str = "ledger.jsonl", after: Ledger | None = None) -> Ledger:
    """Read a ledger that somebody else may have written; `after`: one of which `data` are the lines that follow.

    Raises:
        TamperedError: a whole line that is not canonical, not in order, not bound to the one before it, or of an
            unknown kind. Only a last line without its newline is forgiven.
    """
    entries: list[Entry] = []
    links: list[canon.Digest] = []
    known = Ledger((), (), torn=False) if after is None else after
    previous = known.head
    lines = data.split(b"\n")
    if known.count + len(lines) > _MOST_LINES:
        raise TamperedError(f"{what} has more than {_MOST_LINES} lines")
    for number, body in enumerate(lines[:-1], start=known.count + 1):
        if len(body) > _LONGEST_LINE:
            raise TamperedError(f"{what} line {number} is longer than {_LONGEST_LINE} bytes")
        entries.append(_entry(body, number=number, previous=previous, what=what))
        previous = link(body + b"\n")
        links.append(previous)
    return Ledger(entries=(*known.entries, *entries), links=(*known.links, *links), torn=bool(lines[-1]))


def written(entries: Iterable[Entry]) -> bytes:
    """The bytes of a ledger that holds `entries`."""
    lines: list[bytes] = []
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        lines.append(line(entry, number=number, previous=previous))
        previous = link(lines[-1])
    return b"".join(lines)


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The exact bytes of `checkpoint`, newline included."""
    return canon.encode(
        {"format": CHECKPOINT_FORMAT, "count": checkpoint.count, "head": checkpoint.head, "at": checkpoint.at}
    ) + b"\n"  # fmt: skip


def decode_checkpoint(data: bytes, *, what: str = "checkpoint") -> Checkpoint:
    """Read a checkpoint that somebody else may have written.

    Raises:
        TamperedError: not canonical, another format, or a field missing, extra or of the wrong type.
    """
    raw = canon.decode(data, what=what)
    try:
        told = cast("dict[str, object]", raw)
        checkpoint = Checkpoint(
            count=canon.as_count(told["count"]), head=canon.as_text(told["head"]), at=canon.as_text(told["at"])
        )
        instants.parse(checkpoint.at)
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"{what} is not a checkpoint of format {CHECKPOINT_FORMAT}: {problem}") from problem
    if encode_checkpoint(checkpoint) != data:
        raise TamperedError(f"{what} is not in canonical form, or is not of format {CHECKPOINT_FORMAT}")
    return checkpoint


def _body(entry: Entry) -> dict[str, canon.JSON]:  # noqa: PLR0911  one per kind
    match entry:
        case RunStarted():
            return {
                "kind": "run.started",
                "run": entry.run,
                "system": entry.system,
                "operator": entry.operator,
                "gates": _pairs_out(entry.gates),
            }
        case BackupStored():
            return {
                "kind": "backup.stored",
                "backup": entry.backup,
                "system": entry.system,
                "digest": entry.digest,
                "run": entry.run,
            }
        case RunFinished():
            return {
                "kind": "run.finished",
                "run": entry.run,
                "statement": entry.statement,
                "outcomes": _pairs_out(entry.outcomes),
            }
        case RunClosed():
            return {
                "kind": "run.closed",
                "run": entry.run,
                "by": entry.by,
                "statement": entry.statement,
                "outcomes": _pairs_out(entry.outcomes),
            }
        case DecisionEntered():
            return {
                "kind": "decision",
                "run": entry.run,
                "gate": entry.gate,
                "act": entry.act,
                "person": entry.person,
                "record": entry.record,
            }
        case ReportsRevised():
            return {"kind": "revision", "run": entry.run, "number": entry.number, "statement": entry.statement}
        case BackupDeleted():
            return {
                "kind": "backup.deleted",
                "backup": entry.backup,
                "system": entry.system,
                "digest": entry.digest,
                "by": entry.by,
                "reason": entry.reason,
            }
        case KeyChanged():
            return {
                "kind": "key.changed",
                "by": entry.by,
                "roster": entry.roster,
                "recipients": list(entry.recipients),
            }


def _entry(body: bytes, *, number: int, previous: canon.Digest, what: str) -> Entry:
    """The entry of a line; what is wrong with one that is not exact is told by the slow way."""
    raw = canon.seems(body)
    try:
        entry = _read(raw)  # type: ignore[arg-type]
        instants.parse(entry.at)
        exact = line(entry, number=number, previous=previous) == body + b"\n"
    except (KeyError, TypeError, ValueError, IndexError, RecursionError):
        return _told(body, number=number, previous=previous, what=what)
    return entry if exact else _told(body, number=number, previous=previous, what=what)


def _told(body: bytes, *, number: int, previous: canon.Digest, what: str) -> Entry:
    where = f"{what} line {number}"
    raw = canon.decode(body, what=where)
    if not isinstance(raw, dict):
        raise TamperedError(f"{where} is not an object")
    told = cast("dict[str, object]", raw)
    try:
        entry = _read(told)
        instants.parse(entry.at)
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"{where} lacks a field or has one of the wrong type: {problem}") from problem
    if told.get("previous") != previous:
        raise TamperedError(f"{where} is not bound to the line before it: a line was changed, removed or added")
    if line(entry, number=number, previous=previous) != body + b"\n":
        raise TamperedError(f"{where} is not in canonical form, or its number is wrong")
    return entry


def _read(told: dict[str, object]) -> Entry:  # noqa: PLR0911  one per kind
    def text(name: str) -> str:
        return canon.as_text(told[name])

    at, kind = text("at"), text("kind")
    match kind:
        case "run.started":
            return RunStarted(
                at=at, run=text("run"), system=text("system"), operator=text("operator"), gates=_pairs(told["gates"])
            )
        case "backup.stored":
            return BackupStored(
                at=at, backup=text("backup"), system=text("system"), digest=text("digest"), run=text("run")
            )
        case "run.finished":
            return RunFinished(at=at, run=text("run"), statement=text("statement"), outcomes=_pairs(told["outcomes"]))
        case "run.closed":
            return RunClosed(
                at=at,
                run=text("run"),
                by=text("by"),
                statement=text("statement"),
                outcomes=_pairs(told["outcomes"]),
            )
        case "backup.deleted":
            return BackupDeleted(
                at=at,
                backup=text("backup"),
                system=text("system"),
                digest=text("digest"),
                by=text("by"),
                reason=text("reason"),
            )
        case "key.changed":
            recipients = tuple(map(canon.as_text, canon.as_list(told["recipients"])))
            return KeyChanged(at=at, by=text("by"), roster=text("roster"), recipients=recipients)
        case "decision":
            return DecisionEntered(
                at=at,
                run=text("run"),
                gate=text("gate"),
                act=text("act"),
                person=text("person"),
                record=text("record"),
            )
        case "revision":
            return ReportsRevised(
                at=at, run=text("run"), number=canon.as_count(told["number"]), statement=text("statement")
            )
        case _:
            raise ValueError(f"kind {kind!r} is unknown")


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple(
        (canon.as_text(first), canon.as_text(second)) for first, second in map(canon.as_list, canon.as_list(value))
    )


def _pairs_out(pairs: tuple[tuple[str, str], ...]) -> list[canon.JSON]:
    return [[first, second] for first, second in pairs]
