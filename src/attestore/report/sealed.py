"""The backup: what it is, where it lies, and that nobody without the key can read it."""

from __future__ import annotations

from typing import Final

from attestore.report import numbers
from attestore.report.blocks import (
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
from attestore.report.case import NOT_MEASURED, View, server
from attestore.report.voice import later, say
from attestore.report.words import code, joined, prose

__all__ = ["backup", "encryption"]


def backup(view: View) -> tuple[Block, ...]:
    """Identity, origin, sizes, and every part by digest."""
    reading, manifest = view.reading, view.case.manifest
    plain, sealed = reading.number("backup.size.plain"), reading.number("backup.size.sealed")
    facts = [
        Fact(say("Backup"), reading.shown("backup.id"), mono=True),
        Fact(say("Digest"), reading.shown("backup.digest"), note=say("SHA-256 of its signed manifest"), mono=True),
        Fact(say("Manifest signed by"), reading.shown("backup.manifest.signer"), mono=True),
        Fact(say("Kept in"), reading.shown("store.location")),
        Fact(say("Source"), _origin(view)),
        Fact(
            say("Snapshot"), reading.shown("snapshot.taken"), note=prose("at {lsn}", lsn=reading.shown("snapshot.lsn"))
        ),
        Fact(say("Snapshot held for"), reading.shown("snapshot.held")),
        Fact(say("Size before sealing"), reading.shown("backup.size.plain")),
        Fact(
            say("Size as stored"),
            reading.shown("backup.size.sealed"),
            note=numbers.times(plain, sealed) if plain is not None and sealed else "",
        ),
        Fact(
            say("Roles and settings"),
            say(
                "{roles} and {settings}", roles=reading.shown("backup.roles"), settings=reading.shown("backup.settings")
            ),
        ),
        Fact(say("Read back after storing"), _compared(view, "stored.parts")),
        Fact(say("Fetched for the restore"), _compared(view, "fetched.parts")),
        Fact(say("Local copy destroyed"), reading.shown("local.destroyed"), note=say("before the restore was ordered")),
    ]
    blocks: list[Block] = [Heading(2, say("The backup"), "backup"), Facts(tuple(facts)), *_stores(view)]
    if manifest is None:
        blocks.append(Para(say("There is no manifest: the run stopped before the backup was complete.")))
        return tuple(blocks)
    rows: list[tuple[Cell, ...]] = []
    for part in manifest.parts:
        rows.append((part.role, say("stored"), numbers.count(part.size), part.digest))
        rows.append(("", say("plain"), numbers.count(part.plain_size), part.plain_digest))
    blocks.append(
        Table(
            (
                Column(say("Part")),
                Column(say("As")),
                Column(say("Bytes"), Align.RIGHT),
                Column(say("SHA-256"), mono=True, wide=True),
            ),
            tuple(rows),
            caption=say("Parts of the backup"),
            total=(say("All"), say("stored"), numbers.count(sum(part.size for part in manifest.parts)), ""),
        )
    )
    return tuple(blocks)


_WHOLE: Final = {
    True: Mark("whole", Tone.GOOD),
    False: Mark("NOT whole", Tone.BAD),
    None: Mark(NOT_MEASURED, Tone.DOUBT),
}


def _stores(view: View) -> tuple[Block, ...]:
    """Every store that was asked: what it gave back, and what it lets nobody delete."""
    reading = view.reading
    names = reading.subjects("store.place")
    if not names:
        return ()
    fetched = reading.text("fetched.from")
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            reading.shown("store.place", name),
            _WHOLE[reading.flag("store.verified", name)],
            reading.text("store.lock", name) or say("none"),
            say("yes") if name == fetched else "–",
        )
        for name in names
    ]
    versions = len(reading.subjects("store.version"))
    return (
        Table(
            (
                Column(say("Store")),
                Column(say("Where"), wide=True),
                Column(say("Read back")),
                Column(say("Lock")),
                Column(say("Restored from")),
            ),
            tuple(rows),
            caption=say("Stores"),
        ),
        Para(
            say(
                "Whole: this run read every byte back, and it is what the signed manifest lists. A lock is what the store says of "
                "every object. Off-site is the operator's word."
            )
            + (" " + say("{n} told.", n=numbers.counted(versions, "object version")) if versions else "")
        ),
    )


def _origin(view: View) -> str:
    reading = view.reading
    return say(
        "database {name}, {server}",
        name=reading.shown("source.database"),
        server=server(reading.shown("source.version")),
    )


def _compared(view: View, fact: str) -> str:
    number, differing = view.reading.number(fact), view.reading.number(f"{fact}.differing")
    if number is None or differing is None:
        return say(NOT_MEASURED)
    return say("{parts}, {n} differing", parts=numbers.counted(number, "part"), n=numbers.count(differing))


def encryption(view: View) -> tuple[Block, ...]:
    """What the packets of each stored part say, and how each behaved with and without the key."""
    reading = view.reading
    parts = tuple(dict.fromkeys(part for fact in _ASKED for part in reading.subjects(fact)))
    blocks: list[Block] = [
        Heading(2, say("Encryption, proved by behaviour"), "encryption"),
        Para(
            say(
                "Nothing here is taken from a configuration: recipients, algorithm, cipher and integrity protection are read from "
                "the packets of the stored bytes; each part was opened with the private key and offered to a keyring without it."
            )
        ),
    ]
    if not parts:
        blocks.append(Para(prose("**{what}:** no part was inspected.", what=say(NOT_MEASURED).capitalize())))
        return tuple(blocks)
    rows: list[tuple[Cell, ...]] = [
        (say(label), *(_cell(view, fact, part) for part in parts)) for fact, label in _ASKED.items()
    ]
    blocks.append(
        Table(
            (Column(say("What"), wide=True), *(Column(part) for part in parts)),
            tuple(rows),
            caption=prose("{n} sealed parts", n=reading.shown("seal.parts")),
        )
    )
    if (alone := reading.text("unseal.alone")) is not None:
        blocks.append(Para(prose("Opened with one private key, and no other at hand: {key}.", key=code(alone))))
    manifest = view.case.manifest
    if manifest is not None:
        blocks.append(Para(say("Allowed recipients (primary key fingerprints):")))
        blocks.append(Bullets(tuple(joined((code(key),)) for key in manifest.recipients) or (say("none"),)))
    return tuple(blocks)


_ASKED = {
    "seal.key.algorithm": later("Public-key algorithm"),
    "seal.key.bits": later("Smallest recipient key, bits"),
    "seal.cipher": later("Symmetric cipher"),
    "seal.integrity": later("Integrity protection"),
    "seal.recipients": later("Recipients"),
    "seal.recipients.unexpected": later("Recipients that are not allowed"),
    "seal.decrypts": later("Opens with the private key, to its recorded digest"),
    "seal.refused": later("Refused without the private key"),
    "seal.magic": later("Plaintext or archive signatures in the stored bytes"),
}


def _cell(view: View, fact: str, part: str) -> Cell:
    match view.reading.flag(fact, part):
        case True:
            return Mark("yes", Tone.GOOD)
        case False:
            return Mark("no", Tone.BAD)
        case None:
            return view.reading.shown(fact, part)
