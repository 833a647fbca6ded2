"""People who decide on the small bundles of `bundles`: with the doors of a real command, and behind its back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from attestore import canon, instants
from attestore.archive import LedgerFile, SignedRecord
from attestore.audit import Findings, audit
from attestore.config import Key, Person
from attestore.evidence import Person as Named
from attestore.evidence import decision
from attestore.evidence.decision import Decision, Meaning, Waiver
from attestore.evidence.ledger import DecisionEntered
from attestore.run import Deciding, Entered, Wish, draft, enter, read_sealed
from bundles import GATE as PLAIN
from bundles import MIRA, RUN, START, TOMAS, Draft, Glass, Pen, Press, issue, person, proof, roster
from fakes import FakeClock, FakeWatcher

__all__ = [
    "AFTER", "AUDITED", "EVE", "GATE", "GLASS", "KIM", "PEOPLE", "ROSTER", "SAM", "SPARE", "decided", "doors", "findings", "forged", "plant", "record", "sealed", "signed", "waiver",
]  # fmt: skip

APPROVAL: Final = b"approval: {roles: [release-manager, security], people: 2, not_the_operator: true}\n"
GATE: Final = PLAIN + APPROVAL
AFTER: Final = START + timedelta(hours=1)
"""When people begin to decide"""
AUDITED: Final = START + timedelta(days=1)

KIM: Final = Pen("kim")
SAM: Final = Pen("sam")
SPARE: Final = Pen("sam's other key")
EVE: Final = Pen("eve")

_SAM: Final = person(SAM, "security")
PEOPLE: Final = (
    person(MIRA, "operator", "security"),
    person(TOMAS, "operator"),
    person(KIM, "release-manager"),
    replace(_SAM, keys=(*_SAM.keys, *(replace(key, fingerprint=SPARE.fingerprint) for key in _SAM.keys))),
    person(EVE, "auditor"),
)
ROSTER: Final = roster(*PEOPLE)
GLASS: Final = Glass(MIRA, TOMAS, KIM, SAM, SPARE, EVE)


def sealed(reports: Path, *, fails: bool = False, run: str = RUN, start: datetime = START) -> Path:
    """A bundle whose gate asks for two people."""
    restored = proof("restored", rows=2) if fails else proof("restored")
    return issue(reports, Draft(run=run, start=start, gates=(GATE,), restored=restored))


def waiver(until: datetime) -> Waiver:
    """The usual terms, until an instant."""
    return Waiver("Two minutes over the target.", "A standby in the other building.", instants.text(until))


def record(
    folder: Path, pen: Pen, meaning: Meaning = Meaning.APPROVED, *, at: datetime = AFTER, terms: Waiver | None = None
) -> Decision:
    """What somebody would sign, as the roster names them."""
    who = ROSTER.person_of(pen.fingerprint) or Person("stranger", "Stranger", ("security",), (Key("0" * 40, b""),))
    return draft(
        Wish("S9-PROD-004", meaning, "Report read.", terms),
        sealed=read_sealed(folder, roster=ROSTER),
        person=Named(who.id, who.name, who.roles, pen.fingerprint),
        at=at,
    )


def signed(chosen: Decision, pen: Pen, folder: Path) -> SignedRecord:
    """The record with a signature, lying outside of the bundle."""
    data = decision.encode(chosen)
    path = folder / f"{chosen.name}.json"
    path.write_bytes(data)
    return SignedRecord(chosen.name, data, pen.at(instants.parse(chosen.at)).signature(data), path)


def doors(at: datetime) -> Deciding:
    """What whoever keeps the ledger has."""
    return Deciding(
        clock=FakeClock(at),
        signer=MIRA.at(at),
        verifier=GLASS,
        printer=Press(),
        watcher=FakeWatcher(),
        roster=ROSTER,
        operator=Named("mira", "Mira", ("operator", "security"), MIRA.fingerprint),
    )


def decided(folder: Path, chosen: Decision, pen: Pen) -> Entered:
    """Enter a decision by the door, a second after it was signed."""
    at = instants.parse(chosen.at) + timedelta(seconds=1)
    return enter(folder.parent, folder.name, signed=signed(chosen, pen, folder.parent.parent), tools=doors(at))


def plant(folder: Path, chosen: Decision, pen: Pen, *, entered: bool = True) -> Path:
    """A record put into the bundle, and into the ledger, by an operator who asks no rule."""
    place = folder / "decisions"
    place.mkdir(exist_ok=True)
    path = place / f"{chosen.name}.json"
    path.write_bytes(decision.encode(chosen))
    (place / f"{path.name}.asc").write_bytes(pen.at(instants.parse(chosen.at)).signature(path.read_bytes()))
    if entered:
        forged(folder, chosen, at=instants.parse(chosen.at) + timedelta(seconds=1))
    return path


def forged(folder: Path, chosen: Decision, *, at: datetime) -> None:
    """An entry of the ledger, under a good checkpoint, by an operator who asks no rule."""
    entry = DecisionEntered(
        at=instants.text(at),
        run=folder.name,
        gate=chosen.gate,
        act=chosen.act.value,
        person=chosen.person.id,
        record=canon.sha256_hex(decision.encode(chosen)),
    )
    LedgerFile(folder.parent).append(entry)
    LedgerFile(folder.parent).checkpoint(MIRA.at(at), at=entry.at)


def findings(path: Path, *, at: datetime = AUDITED, people: tuple[Person, ...] = PEOPLE) -> Findings:
    """What the audit says."""
    return audit(path, roster=roster(*people), verifier=GLASS, at=at)
