"""A revision: the reports of a run rendered again after decisions, with what each gate was worth then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from attestore import canon
from attestore.errors import TamperedError
from attestore.evidence.context import Person
from attestore.evidence.statement import TYPE, FileRecord

__all__ = ["FORMAT", "PREDICATE", "Revision", "Worth", "decode", "encode", "statement"]

FORMAT: Final = "attestore/revision/v1"
PREDICATE: Final = "urn:attestore:revision:v1"


@dataclass(frozen=True, slots=True)
class Worth:
    """What one gate of the run was worth when the revision was made; told once, rendered everywhere."""

    gate: str
    standing: str
    """in the words of `standing.Standing`"""
    until: str
    """UTC instant, exclusive; empty where nothing ends by itself"""
    people: tuple[str, ...]
    """names of those who count for it, in the order of their decisions"""
    missing: tuple[str, ...]
    """roles that nobody of them covers"""
    more: int
    """how many more people it takes at least"""


@dataclass(frozen=True, slots=True)
class Revision:
    """What a revision tells besides the sealed bundle: its `context.json`."""

    run: str
    number: int
    """from 1; each has all decisions of the ones before"""
    statement: canon.Digest
    """SHA-256 of the run's own `statement.json`"""
    at: str
    """UTC instant at which the standing was computed"""
    by: Person
    """the operator who keeps the ledger and had it rendered; the deciders sign their own records"""
    roster_digest: canon.Digest
    ledger_count: int
    """entries in the ledger up to and with the last of the decisions"""
    ledger_head: canon.Digest
    finished: str
    """UTC instant at which the ledger says that the run ended: cadence counts from here"""
    decisions: tuple[canon.Digest, ...]
    """SHA-256 of each record, in the order of the ledger"""
    worth: tuple[Worth, ...]
    """by gate id"""
    attestore: str
    renderer: str


def encode(revision: Revision) -> bytes:
    """The exact bytes of a revision's `context.json`."""
    who = revision.by
    return canon.encode(
        {
            "format": FORMAT,
            "run": revision.run,
            "number": revision.number,
            "statement": revision.statement,
            "at": revision.at,
            "by": {"id": who.id, "name": who.name, "roles": list(who.roles), "fingerprint": who.fingerprint},
            "roster_digest": revision.roster_digest,
            "ledger": [revision.ledger_count, revision.ledger_head],
            "finished": revision.finished,
            "decisions": list(revision.decisions),
            "worth": [
                {
                    "gate": each.gate,
                    "standing": each.standing,
                    "until": each.until,
                    "people": list(each.people),
                    "missing": list(each.missing),
                    "more": each.more,
                }
                for each in revision.worth
            ],
            "attestore": revision.attestore,
            "renderer": revision.renderer,
        }
    )


def decode(data: bytes, *, what: str = "revision") -> Revision:
    """Read a revision's context that somebody else may have written.

    Raises:
        TamperedError: not canonical, another format, or a field missing, extra or of the wrong type.
    """
    raw = canon.decode(data, what=what)
    try:
        revision = _read(cast("dict[str, object]", raw))
        exact = encode(revision) == data
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise TamperedError(f"{what} is not a revision of format {FORMAT}: {problem}") from problem
    if not exact:
        raise TamperedError(f"{what} is not in canonical form, or is not of format {FORMAT}")
    return revision


def statement(revision: Revision, files: Iterable[FileRecord]) -> bytes:
    """The exact bytes of a revision's `statement.json`: it speaks of the run's statement, and lists every file of its folder.

    An audit makes it again from what lies there and compares.
    """
    return canon.encode(
        {
            "_type": TYPE,
            "subject": [{"name": "statement.json", "digest": {"sha256": revision.statement}}],
            "predicateType": PREDICATE,
            "predicate": {
                "run": revision.run,
                "number": revision.number,
                "at": revision.at,
                "by": revision.by.fingerprint,
                "files": [{"path": f.path, "size": f.size, "sha256": f.digest} for f in sorted(files)],
            },
        }
    )


def _read(raw: dict[str, object]) -> Revision:
    who = cast("dict[str, object]", raw["by"])
    count, head = canon.as_list(raw["ledger"])
    return Revision(
        run=canon.as_text(raw["run"]),
        number=canon.as_count(raw["number"]),
        statement=canon.as_text(raw["statement"]),
        at=canon.as_text(raw["at"]),
        by=Person(
            id=canon.as_text(who["id"]),
            name=canon.as_text(who["name"]),
            roles=tuple(canon.as_text(role) for role in canon.as_list(who["roles"])),
            fingerprint=canon.as_text(who["fingerprint"]),
        ),
        roster_digest=canon.as_text(raw["roster_digest"]),
        ledger_count=canon.as_count(count),
        ledger_head=canon.as_text(head),
        finished=canon.as_text(raw["finished"]),
        decisions=tuple(canon.as_text(each) for each in canon.as_list(raw["decisions"])),
        worth=tuple(
            Worth(
                gate=canon.as_text(each["gate"]),
                standing=canon.as_text(each["standing"]),
                until=canon.as_text(each["until"]),
                people=tuple(canon.as_text(name) for name in canon.as_list(each["people"])),
                missing=tuple(canon.as_text(role) for role in canon.as_list(each["missing"])),
                more=canon.as_count(each["more"]),
            )
            for each in cast("list[dict[str, object]]", raw["worth"])
        ),
        attestore=canon.as_text(raw["attestore"]),
        renderer=canon.as_text(raw["renderer"]),
    )
