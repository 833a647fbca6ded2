"""What a store holds: every backup with what its signed manifest says, what is wrong with it, and when it was last proved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from attestore import canon, instants
from attestore.amounts import amount
from attestore.archive import Contents, LedgerFile, read_bundle
from attestore.archive.opened import read_file
from attestore.config import Roster
from attestore.errors import ArchiveError, StoreError, TamperedError
from attestore.evidence import Manifest, journal, manifest, statement
from attestore.evidence.statement import Statement
from attestore.ports import Store, Verifier
from attestore.run.written import written

__all__ = ["Drilled", "Listed", "Listing", "list_backups"]

_LARGEST_MANIFEST: Final = 1 << 20
_LARGEST_SIGNATURE: Final = 1 << 16
_LARGEST_STATEMENT: Final = 1 << 26
_DECISIVE: Final = frozenset({"PASS", "FAIL"})
_DEPTH: Final = 3
"""system/backup/file"""


@dataclass(frozen=True, slots=True)
class Drilled:
    """The newest run that restored a backup to its end, and how its gates came out."""

    run: str
    at: str
    outcome: str
    """the worst of its gates: PASS, UNKNOWN or FAIL"""


@dataclass(frozen=True, slots=True)
class Listed:
    """One backup in a store."""

    backup: str
    system: str
    manifest: Manifest | None
    """None while it has none that can be read: then it is no backup"""
    digest: str
    """SHA-256 of the manifest as it is stored; empty where there is none"""
    stored: int
    """bytes of all its objects, as the store tells them"""
    signer: str
    """primary key fingerprint whose signature over the manifest holds; empty where none does"""
    flaws: tuple[str, ...]
    """what is wrong with it, in words"""
    drilled: Drilled | None
    proved: Drilled | None = None
    """the newest run that restored it and passed, if no later one failed"""

    def age_ms(self, now: datetime) -> int | None:
        """How long ago its snapshot was taken, by the source's clock; None where no manifest says so."""
        if self.manifest is None:
            return None
        return max(0, round((now - instants.parse(self.manifest.taken)).total_seconds() * 1000))


@dataclass(frozen=True, slots=True)
class Listing:
    """The doors that a listing needs: none of them leads to a private key."""

    store: Store
    verifier: Verifier
    roster: Roster
    reports: Path
    work: Path
    """a private folder"""
    held: dict[tuple[str, str], str] = field(default_factory=dict)
    """whose signatures held, by the digests of signature and manifest: several stores hold the same ones, and gpg is asked once"""


def list_backups(listing: Listing, *, system: str = "") -> tuple[Listed, ...]:
    """Every backup of the store, or of one system, newest first; incomplete ones too, and said so.

    Raises:
        StoreError: the store can't be listed.
        ArchiveError, TamperedError: the ledger can't be read, so nobody knows what was proved.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for key in listing.store.keys(f"{system}/" if system else ""):
        parts = key.split("/")
        if len(parts) == _DEPTH:
            found.setdefault((parts[0], parts[1]), []).append(parts[2])
    drills = _drills(listing.reports, stored=frozenset(backup for _, backup in found))
    listed = [_one(listing, whose, backup, names, drills) for (whose, backup), names in found.items()]
    return tuple(sorted(listed, key=lambda each: (each.backup, each.system), reverse=True))


def _one(
    listing: Listing, system: str, backup: str, names: list[str], drills: Mapping[tuple[str, str], list[Drilled]]
) -> Listed:
    prefix = f"{system}/{backup}"
    flaws: list[str] = []
    sizes = {name: listing.store.size(f"{prefix}/{name}") for name in names}
    known, data = _manifest(listing, prefix, names, flaws)
    signer = _signer(listing, prefix, data, names, flaws) if data else ""
    digest = canon.sha256_hex(data) if data else ""
    if known is not None:
        flaws += _parts(known, sizes)
        if f"{known.system}/{known.backup}" != prefix:
            flaws.append(f"its manifest is of backup {known.backup} of {known.system}")
    return Listed(
        backup=backup,
        system=system,
        manifest=known,
        digest=digest,
        stored=sum(size for size in sizes.values() if size is not None),
        signer=signer,
        flaws=tuple(flaws),
        drilled=told[-1] if (told := drills.get((backup, digest), [])) else None,
        proved=_proved(told),
    )


def _manifest(listing: Listing, prefix: str, names: list[str], flaws: list[str]) -> tuple[Manifest | None, bytes]:
    if "manifest.json" not in names:
        flaws.append(f"incomplete: {amount(len(names), 'object')} without a manifest, so it is no backup")
        return None, b""
    try:
        data = listing.store.read(f"{prefix}/manifest.json", limit=_LARGEST_MANIFEST)
        return manifest.decode(data, what=f"{prefix}/manifest.json"), data
    except (StoreError, TamperedError) as problem:
        flaws.append(problem.message)
        return None, b""


def _signer(listing: Listing, prefix: str, data: bytes, names: list[str], flaws: list[str]) -> str:
    """Who signed the manifest; empty, and a flaw, unless the signature holds and is an operator's."""
    if "manifest.json.asc" not in names:
        flaws.append("its manifest is not signed")
        return ""
    try:
        signature = listing.store.read(f"{prefix}/manifest.json.asc", limit=_LARGEST_SIGNATURE)
        asked = canon.sha256_hex(signature), canon.sha256_hex(data)
        fingerprint = listing.held.get(asked) or _verified(listing, signature, data)
    except (StoreError, TamperedError) as problem:
        flaws.append(problem.message)
        return ""
    listing.held[asked] = fingerprint
    if listing.roster.person_of(fingerprint, role="operator") is None:
        flaws.append(f"its manifest is signed by {fingerprint}, who is no operator of the roster")
        return ""
    return fingerprint


def _verified(listing: Listing, signature: bytes, data: bytes) -> str:
    path = listing.work / "manifest.listed.json"
    try:
        written(path, data)
        return listing.verifier.verify(signature, path)
    finally:
        path.unlink(missing_ok=True)


def _parts(known: Manifest, sizes: Mapping[str, int | None]) -> Iterator[str]:
    for part in known.parts:
        size = sizes.get(part.name)
        if size is None:
            yield f"{part.name} is missing"
        elif size != part.size:
            yield f"{part.name} has {size:,} bytes, the manifest says {part.size:,}"


def _drills(reports: Path, *, stored: Collection[str]) -> Mapping[tuple[str, str], list[Drilled]]:
    """The finished restores of each stored backup, by id and digest, oldest first, as far as the ledger vouches for their evidence.

    Asked from the newest on: what was restored before one that passed or failed changes nothing, and is not looked into. Of ten
    thousand runs a store holds the backups of a few dozen.
    """
    found: dict[tuple[str, str], list[Drilled]] = {}
    settled: set[tuple[str, str]] = set()
    for _, entry in reversed(LedgerFile(reports).read().ends()):
        folder = reports / entry.run
        about = _subject(folder, entry.statement)
        if about is None or about[0] not in stored or about in settled or not _restored(folder, entry.statement):
            continue
        worst = max((outcome for _, outcome in entry.outcomes), key=_badness, default="UNKNOWN")
        found.setdefault(about, []).insert(0, Drilled(run=entry.run, at=entry.at, outcome=worst))
        if worst in _DECISIVE:
            settled.add(about)
    return found


def _proved(drills: list[Drilled]) -> Drilled | None:
    """The newest that passed; one that came to no verdict takes nothing away, one that failed takes all before it away."""
    for each in reversed(drills):
        if each.outcome in _DECISIVE:
            return each if each.outcome == "PASS" else None
    return None


def _badness(outcome: str) -> int:
    return {"PASS": 0, "UNKNOWN": 1}.get(outcome, 2)


def _subject(folder: Path, recorded: str) -> tuple[str, str] | None:
    """Id and digest of the backup that a run's statement is of, by the statement that the ledger records; None where it is of none."""
    try:
        data = read_file(folder / "statement.json", limit=_LARGEST_STATEMENT)
    except (ArchiveError, TamperedError):
        return None
    if canon.sha256_hex(data) != recorded:
        return None
    told = canon.seems(data)
    try:
        name, digest = told["subject"][0]["name"], told["subject"][0]["digest"]["sha256"]  # type: ignore[index]
    except (KeyError, TypeError, IndexError):
        return None
    kind, _, backup = str(name).partition("/")
    return (backup, str(digest)) if kind == "backup" else None


def _restored(folder: Path, recorded: str) -> bool:
    """Whether a run restored the backup that its statement is of, to the end; False where its bundle does not show that.

    The ledger records the statement's digest, the statement the journal's: what was exchanged since counts for nothing.
    """
    try:
        bundle = read_bundle(folder)
        signed = _statement(bundle, recorded)
        if signed is None or not signed.subject.startswith("backup/"):
            return False
        listed = {record.path: record.digest for record in signed.files}
        if listed.get("journal.jsonl") != bundle.digest("journal.jsonl"):
            return False
        seen = journal.read(bundle.read("journal.jsonl")).observations
    except (ArchiveError, TamperedError):
        return False
    facts = {observation.fact: observation.value for observation in seen if not observation.subject}
    backup = signed.subject.removeprefix("backup/")
    whole = facts.get("run.completed") is True and "restore.rto" in facts
    return whole and (facts.get("backup.id"), facts.get("backup.digest")) == (backup, signed.subject_digest)


def _statement(bundle: Contents, recorded: str) -> Statement | None:
    if bundle.sizes.get("statement.json", _LARGEST_STATEMENT) >= _LARGEST_STATEMENT:
        return None
    data = bundle.read("statement.json")
    return statement.decode(data) if canon.sha256_hex(data) == recorded else None
