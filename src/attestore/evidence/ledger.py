"""The ledger: every run that was started, finished or closed and every backup, each entry bound to the one before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from attestore import canon
from attestore.errors import TamperedError
from attestore.evidence.journal import GENESIS

__all__ = [
    "CHECKPOINT_FORMAT",
    "BackupStored",
    "Checkpoint",
    "Entry",
    "Head",
    "Ledger",
    "RunClosed",
    "RunFinished",
    "RunStarted",
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


Entry: TypeAlias = RunStarted | BackupStored | RunFinished | RunClosed


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


def read(data: bytes, *, what: str = "ledger.jsonl") -> Ledger:
    """Read a ledger that somebody else may have written.

    Raises:
        TamperedError: a whole line that is not canonical, not in order, not bound to the one before it, or of an
            unknown kind. Only a last line without its newline is forgiven.
    """
    entries: list[Entry] = []
    links: list[canon.Digest] = []
    previous = GENESIS
    lines = data.split(b"\n")
    if len(lines) > _MOST_LINES:
        raise TamperedError(f"{what} has more than {_MOST_LINES} lines")
    for number, body in enumerate(lines[:-1], start=1):
        if len(body) > _LONGEST_LINE:
            raise TamperedError(f"{what} line {number} is longer than {_LONGEST_LINE} bytes")
        entries.append(_entry(body, number=number, previous=previous, what=what))
        previous = link(body + b"\n")
        links.append(previous)
    return Ledger(entries=tuple(entries), links=tuple(links), torn=bool(lines[-1]))


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
    except (KeyError, TypeError) as problem:
        raise TamperedError(f"{what} is not a checkpoint of format {CHECKPOINT_FORMAT}: {problem}") from problem
    if encode_checkpoint(checkpoint) != data:
        raise TamperedError(f"{what} is not in canonical form, or is not of format {CHECKPOINT_FORMAT}")
    return checkpoint


def _body(entry: Entry) -> dict[str, canon.JSON]:
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


def _entry(body: bytes, *, number: int, previous: canon.Digest, what: str) -> Entry:
    where = f"{what} line {number}"
    raw = canon.decode(body, what=where)
    if not isinstance(raw, dict):
        raise TamperedError(f"{where} is not an object")
    told = cast("dict[str, object]", raw)
    try:
        entry = _read(told)
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"{where} lacks a field or has one of the wrong type: {problem}") from problem
    if told.get("previous") != previous:
        raise TamperedError(f"{where} is not bound to the line before it: a line was changed, removed or added")
    if line(entry, number=number, previous=previous) != body + b"\n":
        raise TamperedError(f"{where} is not in canonical form, or its number is wrong")
    return entry


def _read(told: dict[str, object]) -> Entry:
    at, run, kind = canon.as_text(told["at"]), canon.as_text(told["run"]), canon.as_text(told["kind"])
    match kind:
        case "run.started":
            return RunStarted(
                at=at,
                run=run,
                system=canon.as_text(told["system"]),
                operator=canon.as_text(told["operator"]),
                gates=_pairs(told["gates"]),
            )
        case "backup.stored":
            return BackupStored(
                at=at,
                backup=canon.as_text(told["backup"]),
                system=canon.as_text(told["system"]),
                digest=canon.as_text(told["digest"]),
                run=run,
            )
        case "run.finished":
            return RunFinished(
                at=at, run=run, statement=canon.as_text(told["statement"]), outcomes=_pairs(told["outcomes"])
            )  # fmt: skip
        case "run.closed":
            return RunClosed(
                at=at,
                run=run,
                by=canon.as_text(told["by"]),
                statement=canon.as_text(told["statement"]),
                outcomes=_pairs(told["outcomes"]),
            )
        case _:
            raise ValueError(f"kind {kind!r} is unknown")


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple(
        (canon.as_text(first), canon.as_text(second)) for first, second in map(canon.as_list, canon.as_list(value))
    )


def _pairs_out(pairs: tuple[tuple[str, str], ...]) -> list[canon.JSON]:
    return [[first, second] for first, second in pairs]
