"""What a report tells besides the run's own observations: people, plan, history, renderer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

from attestore import canon
from attestore.errors import TamperedError

__all__ = ["FORMAT", "Branding", "Context", "Doubt", "Measured", "Past", "Person", "Step", "decode", "encode"]

FORMAT: Final = "attestore/context/v1"


@dataclass(frozen=True, slots=True)
class Person:
    """Who ran it, as the roster names them."""

    id: str
    name: str
    roles: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the test plan: phase, what is done, and what is written where."""

    phase: str
    does: str
    writes: str


@dataclass(frozen=True, slots=True)
class Measured:
    """How a whole restore went: what a forecast has to know besides its recovery time."""

    taken: str
    """UTC instant at which the restored data was taken"""
    phases: tuple[int, ...]
    """milliseconds of each phase of the recovery time, in their order"""
    settings: tuple[tuple[str, str], ...]
    """what the recovery time depends on besides the data: name and value"""


class Doubt(Enum):
    """Why the figures of an earlier run were left out when the report was made."""

    MISSING = "missing"
    """its bundle was not there"""
    CHANGED = "changed"
    """its bundle is not the one that the ledger names, or was changed after it was sealed"""
    UNSIGNED = "unsigned"
    """neither its own signature holds, by an operator's key in force, nor names a later one that does the ledger up to its end"""


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier finished run of the same system and gate."""

    run: str
    gate: str
    finished: str
    """UTC instant"""
    outcome: str
    """PASS, FAIL or UNKNOWN"""
    rto_ms: int | None
    sealed_bytes: int | None
    measured: Measured | None = None
    """written only where the restore was whole"""
    doubt: Doubt | None = None
    """written only where its figures were left out"""


@dataclass(frozen=True, slots=True)
class Branding:
    """Whose report it looks like; a logo lies with the templates."""

    organisation: str = ""
    accent: str = ""
    """`#1f4e8c`; empty: the shipped colour"""
    logo: str = ""
    """name of its file among the templates; empty: none"""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything beside journal, proofs, manifest, gates and verdict that a report is rendered from."""

    run: str
    system: str
    scenario: str
    """in one sentence: what disaster was rehearsed and on what"""
    started: str
    """UTC instant"""
    ended: str
    """UTC instant at which the journal was closed"""
    operator: Person
    closed_by: str
    """person who closed the run when it had died; empty when it closed itself"""
    roster_digest: canon.Digest
    """SHA-256 of the roster file in force"""
    ledger_count: int
    """entries in the ledger up to and with this run's own `run.started`"""
    ledger_head: canon.Digest
    plan: tuple[Step, ...]
    history: tuple[Past, ...]
    """newest first"""
    attestore: str
    """version of the program that wrote the bundle"""
    renderer: str
    """version of the report renderer: an old one stays callable when a new one comes"""
    language: str
    """language of the words of the report"""
    paper: str
    """A4 or Letter"""
    branding: Branding = Branding()
    """written only where there is any"""


def encode(context: Context) -> bytes:
    """The exact bytes of `context.json`."""
    who, looks = context.operator, context.branding
    return canon.encode(
        {
            "format": FORMAT,
            "run": context.run,
            "system": context.system,
            "scenario": context.scenario,
            "started": context.started,
            "ended": context.ended,
            "operator": {"id": who.id, "name": who.name, "roles": list(who.roles), "fingerprint": who.fingerprint},
            "closed_by": context.closed_by,
            "roster_digest": context.roster_digest,
            "ledger": [context.ledger_count, context.ledger_head],
            "plan": [[step.phase, step.does, step.writes] for step in context.plan],
            "history": [
                [
                    past.run,
                    past.gate,
                    past.finished,
                    past.outcome,
                    past.rto_ms,
                    past.sealed_bytes,
                    *_told(past),
                ]
                for past in context.history
            ],
            "attestore": context.attestore,
            "renderer": context.renderer,
            "language": context.language,
            "paper": context.paper,
            **(
                {}
                if looks == Branding()
                else {"branding": {"organisation": looks.organisation, "accent": looks.accent, "logo": looks.logo}}
            ),
        }
    )


def _told(past: Past) -> list[canon.JSON]:
    measured = past.measured
    if past.doubt is not None:
        return [{"left_out": past.doubt.value}]
    if measured is None:
        return []
    return [
        {
            "taken": measured.taken,
            "phases": list(measured.phases),
            "settings": [[name, value] for name, value in measured.settings],
        }
    ]


def decode(data: bytes, *, what: str = "context.json") -> Context:
    """Read a context that somebody else may have written.

    Raises:
        TamperedError: not canonical, another format, or a field missing, extra or of the wrong type.
    """
    raw = cast("dict[str, object]", canon.decode(data, what=what))
    try:
        context = _read(raw)
        exact = encode(context) == data
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"{what} is not a context of format {FORMAT}: {problem}") from problem
    if not exact:
        raise TamperedError(f"{what} is not in canonical form, or is not of format {FORMAT}")
    return context


def _read(raw: dict[str, object]) -> Context:
    def text(name: str, where: dict[str, object] = raw) -> str:
        return canon.as_text(where[name])

    who = cast("dict[str, object]", raw["operator"])
    count, head = cast("list[object]", raw["ledger"])
    return Context(
        run=text("run"),
        system=text("system"),
        scenario=text("scenario"),
        started=text("started"),
        ended=text("ended"),
        operator=Person(
            id=text("id", who),
            name=text("name", who),
            roles=tuple(map(str, cast("list[str]", who["roles"]))),
            fingerprint=text("fingerprint", who),
        ),
        closed_by=text("closed_by"),
        roster_digest=text("roster_digest"),
        ledger_count=canon.as_whole(count),
        ledger_head=canon.as_text(head),
        plan=tuple(Step(*map(str, step)) for step in cast("list[list[str]]", raw["plan"])),
        history=tuple(_past(past) for past in cast("list[list[object]]", raw["history"])),
        attestore=text("attestore"),
        renderer=text("renderer"),
        language=text("language"),
        paper=text("paper"),
        branding=_branding(cast("dict[str, object] | None", raw.get("branding"))),
    )


def _branding(raw: dict[str, object] | None) -> Branding:
    if raw is None:
        return Branding()
    return Branding(**{name: canon.as_text(raw[name]) for name in ("organisation", "accent", "logo")})


def _past(raw: list[object]) -> Past:
    run, gate, finished, outcome, rto, sealed, *more = raw
    last = cast("dict[str, object]", more[0]) if more else {}
    doubt = Doubt(last["left_out"]) if "left_out" in last else None
    if doubt is not None and (rto, sealed) != (None, None):
        raise ValueError(f"figures of {run} are left out and told")
    return Past(
        run=str(run),
        gate=str(gate),
        finished=str(finished),
        outcome=str(outcome),
        rto_ms=None if rto is None else canon.as_whole(rto),
        sealed_bytes=None if sealed is None else canon.as_whole(sealed),
        measured=_measured(last) if more and doubt is None else None,
        doubt=doubt,
    )


def _measured(raw: dict[str, object]) -> Measured:
    return Measured(
        taken=canon.as_text(raw["taken"]),
        phases=tuple(canon.as_whole(each) for each in cast("list[object]", raw["phases"])),
        settings=tuple((str(name), str(value)) for name, value in cast("list[list[object]]", raw["settings"])),
    )
