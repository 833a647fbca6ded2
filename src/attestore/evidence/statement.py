"""The statement: one signed list of everything a run leaves, as an in-toto Statement v1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from attestore import canon
from attestore.errors import TamperedError
from attestore.evidence.context import Context
from attestore.evidence.journal import Journal

__all__ = ["PREDICATE", "TYPE", "FileRecord", "GateOutcome", "Statement", "build", "decode", "encode"]

TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "urn:attestore:evidence:v1"

_JOURNAL: Final = "journal.jsonl"


@dataclass(frozen=True, slots=True, order=True)
class FileRecord:
    """One file of a bundle: path below the bundle's folder (with `/`), size in bytes, SHA-256."""

    path: str
    size: int
    digest: canon.Digest


@dataclass(frozen=True, slots=True, order=True)
class GateOutcome:
    """How one gate came out: its id, the SHA-256 of the bytes that were judged, PASS, FAIL or UNKNOWN."""

    gate: str
    digest: canon.Digest
    outcome: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What the operator signs: run, outcome, journal and ledger by count and head, every file by digest."""

    subject: str
    """`backup/<id>`; `journal.jsonl` where the run stopped before there was a backup"""
    subject_digest: canon.Digest
    """SHA-256 of the backup's manifest, or of the journal"""
    run: str
    system: str
    gates: tuple[GateOutcome, ...]
    journal_count: int
    journal_head: canon.Digest
    ledger_count: int
    """entries in the ledger up to and with this run's own `run.started`"""
    ledger_head: canon.Digest
    started: str
    """UTC instant"""
    ended: str
    """UTC instant at which the journal was closed"""
    operator: str
    """primary key fingerprint of who ran it"""
    closed_by: str
    """person who closed the run when it had died; empty when it closed itself"""
    attestore: str
    """version of the program that wrote the bundle"""
    files: tuple[FileRecord, ...]

    @property
    def digest(self) -> canon.Digest:
        """SHA-256 of the statement's exact bytes, as the ledger records it."""
        return canon.sha256_hex(encode(self))


def build(
    context: Context,
    journal: Journal,
    *,
    gates: Iterable[GateOutcome],
    backup: tuple[str, canon.Digest] | None,
    files: Iterable[FileRecord],
) -> Statement:
    """The statement of a run; `backup` is its id and manifest digest, None where the run stopped before there was one.

    Raises:
        ValueError: `files` does not list the journal.
    """
    records = tuple(sorted(files))
    digests = [record.digest for record in records if record.path == _JOURNAL]
    if len(digests) != 1:
        raise ValueError(f"the files to be sealed list {_JOURNAL} {len(digests)} times, not once")
    subject, subject_digest = (_JOURNAL, digests[0]) if backup is None else (f"backup/{backup[0]}", backup[1])
    return Statement(
        subject=subject,
        subject_digest=subject_digest,
        run=context.run,
        system=context.system,
        gates=tuple(sorted(gates)),
        journal_count=len(journal),
        journal_head=journal.head,
        ledger_count=context.ledger_count,
        ledger_head=context.ledger_head,
        started=context.started,
        ended=context.ended,
        operator=context.operator.fingerprint,
        closed_by=context.closed_by,
        attestore=context.attestore,
        files=records,
    )


def encode(statement: Statement) -> bytes:
    """The exact bytes of `statement.json`."""
    return canon.encode(
        {
            "_type": TYPE,
            "subject": [{"name": statement.subject, "digest": {"sha256": statement.subject_digest}}],
            "predicateType": PREDICATE,
            "predicate": {
                "run": statement.run,
                "system": statement.system,
                "gates": [{"gate": g.gate, "digest": g.digest, "outcome": g.outcome} for g in statement.gates],
                "journal": {"count": statement.journal_count, "head": statement.journal_head},
                "ledger": {"count": statement.ledger_count, "head": statement.ledger_head},
                "started": statement.started,
                "ended": statement.ended,
                "operator": statement.operator,
                "closed_by": statement.closed_by,
                "attestore": statement.attestore,
                "files": [{"path": f.path, "size": f.size, "sha256": f.digest} for f in statement.files],
            },
        }
    )


def decode(data: bytes, *, what: str = "statement.json") -> Statement:
    """Read a statement that somebody else may have written.

    Raises:
        TamperedError: not canonical, of another type, a field missing, extra or of the wrong type, a path listed
            twice, not in order, or one that leaves the bundle's folder.
    """
    raw = cast("dict[str, object]", canon.decode(data, what=what))
    try:
        statement = _read(raw)
        exact = encode(statement) == data
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise TamperedError(f"{what} is not a statement of type {PREDICATE}: {problem}") from problem
    if not exact:
        raise TamperedError(f"{what} is not in canonical form, or is not a statement of type {PREDICATE}")
    _check_paths([record.path for record in statement.files], what=what)
    return statement


def _check_paths(paths: list[str], *, what: str) -> None:
    for path in paths:
        parts = path.split("/")
        if any(part in {"", ".", ".."} or "\0" in part or "\\" in part for part in parts):
            raise TamperedError(f"{what} lists {path!r}, which is not a path inside a bundle")
    if len(set(paths)) != len(paths):
        raise TamperedError(f"{what} lists a file twice")


def _read(raw: dict[str, object]) -> Statement:
    (subject,) = cast("list[dict[str, object]]", raw["subject"])
    digest = cast("dict[str, object]", subject["digest"])
    told = cast("dict[str, object]", raw["predicate"])
    journal = cast("dict[str, object]", told["journal"])
    ledger = cast("dict[str, object]", told["ledger"])
    return Statement(
        subject=canon.as_text(subject["name"]),
        subject_digest=canon.as_text(digest["sha256"]),
        run=canon.as_text(told["run"]),
        system=canon.as_text(told["system"]),
        gates=tuple(
            GateOutcome(canon.as_text(g["gate"]), canon.as_text(g["digest"]), canon.as_text(g["outcome"]))
            for g in cast("list[dict[str, object]]", told["gates"])
        ),
        journal_count=canon.as_count(journal["count"]),
        journal_head=canon.as_text(journal["head"]),
        ledger_count=canon.as_count(ledger["count"]),
        ledger_head=canon.as_text(ledger["head"]),
        started=canon.as_text(told["started"]),
        ended=canon.as_text(told["ended"]),
        operator=canon.as_text(told["operator"]),
        closed_by=canon.as_text(told["closed_by"]),
        attestore=canon.as_text(told["attestore"]),
        files=tuple(
            FileRecord(canon.as_text(f["path"]), canon.as_count(f["size"]), canon.as_text(f["sha256"]))
            for f in cast("list[dict[str, object]]", told["files"])
        ),
    )
