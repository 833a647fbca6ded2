"""The backup: what it is, where it lies, and that nobody without the key can read it."""

from __future__ import annotations

from attestore.report.one import numbers
from attestore.report.one.blocks import (
    Align,
    Block,
    Bullets,
    Cell,
    Column,
    Fact,
    Facts,
    Heading,
    Mark,
    Para,
    Table,
    Tone,
)
from attestore.report.one.case import NOT_MEASURED, View, server
from attestore.report.one.words import code, joined, prose

__all__ = ["backup", "encryption"]


def backup(view: View) -> tuple[Block, ...]:
    """Identity, origin, sizes, and every part by digest."""
    reading, manifest = view.reading, view.case.manifest
    plain, sealed = reading.number("backup.size.plain"), reading.number("backup.size.sealed")
    facts = [
        Fact("Backup", reading.shown("backup.id"), mono=True),
        Fact("Digest", reading.shown("backup.digest"), note="SHA-256 of its signed manifest", mono=True),
        Fact("Manifest signed by", reading.shown("backup.manifest.signer"), mono=True),
        Fact("Kept in", reading.shown("store.location")),
        Fact("Source", _origin(view)),
        Fact("Snapshot", reading.shown("snapshot.taken"), note=prose("at {lsn}", lsn=reading.shown("snapshot.lsn"))),
        Fact("Snapshot held for", reading.shown("snapshot.held")),
        Fact("Size before sealing", reading.shown("backup.size.plain")),
        Fact(
            "Size as stored",
            reading.shown("backup.size.sealed"),
            note=f"{numbers.times(plain, sealed)}" if plain is not None and sealed else "",
        ),
        Fact("Roles and settings", f"{reading.shown('backup.roles')} and {reading.shown('backup.settings')}"),
        Fact("Read back after storing", _compared(view, "stored.parts")),
        Fact("Fetched for the restore", _compared(view, "fetched.parts")),
        Fact("Local copy destroyed", reading.shown("local.destroyed"), note="before the restore was ordered"),
    ]
    blocks: list[Block] = [Heading(2, "The backup", "backup"), Facts(tuple(facts))]
    if manifest is None:
        blocks.append(Para("There is no manifest: the run stopped before the backup was complete."))
        return tuple(blocks)
    rows: list[tuple[Cell, ...]] = []
    for part in manifest.parts:
        rows.append((part.role, "stored", numbers.count(part.size), part.digest))
        rows.append(("", "plain", numbers.count(part.plain_size), part.plain_digest))
    blocks.append(
        Table(
            (Column("Part"), Column("As"), Column("Bytes", Align.RIGHT), Column("SHA-256", mono=True, wide=True)),
            tuple(rows),
            caption="Parts of the backup",
            total=("All", "stored", numbers.count(sum(part.size for part in manifest.parts)), ""),
        )
    )
    return tuple(blocks)


def _origin(view: View) -> str:
    reading = view.reading
    return f"database {reading.shown('source.database')}, {server(reading.shown('source.version'))}"


def _compared(view: View, fact: str) -> str:
    number, differing = view.reading.number(fact), view.reading.number(f"{fact}.differing")
    if number is None or differing is None:
        return NOT_MEASURED
    return f"{numbers.count(number)} parts, {numbers.count(differing)} differing"


def encryption(view: View) -> tuple[Block, ...]:
    """What the packets of each stored part say, and how each behaved with and without the key."""
    reading = view.reading
    parts = tuple(dict.fromkeys(part for fact in _ASKED for part in reading.subjects(fact)))
    blocks: list[Block] = [
        Heading(2, "Encryption, proved by behaviour", "encryption"),
        Para(
            "Nothing here is taken from a configuration: recipients, algorithm, cipher and integrity protection are read from "
            "the packets of the stored bytes; each part was opened with the private key and offered to a keyring without it."
        ),
    ]
    if not parts:
        blocks.append(Para(prose("**{what}:** no part was inspected.", what=NOT_MEASURED.capitalize())))
        return tuple(blocks)
    rows: list[tuple[Cell, ...]] = [
        (label, *(_cell(view, fact, part) for part in parts)) for fact, label in _ASKED.items()
    ]
    blocks.append(
        Table(
            (Column("What", wide=True), *(Column(part) for part in parts)),
            tuple(rows),
            caption=prose("{n} sealed parts", n=reading.shown("seal.parts")),
        )
    )
    manifest = view.case.manifest
    if manifest is not None:
        blocks.append(Para("Allowed recipients (primary key fingerprints):"))
        blocks.append(Bullets(tuple(joined((code(key),)) for key in manifest.recipients) or ("none",)))
    return tuple(blocks)


_ASKED = {
    "seal.key.algorithm": "Public-key algorithm",
    "seal.key.bits": "Smallest recipient key, bits",
    "seal.cipher": "Symmetric cipher",
    "seal.integrity": "Integrity protection",
    "seal.recipients": "Recipients",
    "seal.recipients.unexpected": "Recipients that are not allowed",
    "seal.decrypts": "Opens with the private key, to its recorded digest",
    "seal.refused": "Refused without the private key",
    "seal.magic": "Plaintext or archive signatures in the stored bytes",
}


def _cell(view: View, fact: str, part: str) -> Cell:
    match view.reading.flag(fact, part):
        case True:
            return Mark("yes", Tone.GOOD)
        case False:
            return Mark("no", Tone.BAD)
        case None:
            return view.reading.shown(fact, part)
