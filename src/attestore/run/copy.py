"""Backups brought into the stores that lack them: what a broken run sealed and could not store, and what one store has and another has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from attestore import instants
from attestore.archive import LedgerFile, using
from attestore.config import Roster
from attestore.errors import Error, StoreError, TamperedError
from attestore.evidence import Manifest, manifest
from attestore.evidence.ledger import BackupStored
from attestore.ports import Clock, FetchedPart, Outbox, SealedPart, Verifier, Watcher
from attestore.run.stores import Sealings, names_of, put_everywhere
from attestore.run.tools import NamedStore

__all__ = ["Copied", "Copying", "copy_missing", "finish_pending"]

_LARGEST_MANIFEST: Final = 1 << 20
_LARGEST_SIGNATURE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Copying:
    """The doors of a copy: none of them leads to a private key."""

    stores: tuple[NamedStore, ...]
    outbox: Outbox
    verifier: Verifier
    roster: Roster
    reports: Path
    work: Path
    """a private folder with room for one sealed backup"""
    clock: Clock
    watcher: Watcher


@dataclass(frozen=True, slots=True)
class Copied:
    """One backup, and the stores that have it now and lacked it before."""

    backup: str
    source: str
    """name of the store that it was copied from; empty: it waited on this machine"""
    into: tuple[str, ...]


def finish_pending(copying: Copying, *, system: str) -> tuple[Copied, ...]:
    """Bring what a broken run of the system sealed and signed into every store; what it had not finished is removed.

    Raises:
        StoreError, DiskError: a store refuses it; it waits on.
        TamperedError: what waits is not what an operator signed.
    """
    done = []
    for run in copying.outbox.pending():
        folder = copying.outbox.folder(run)
        if not (folder / "manifest.json.asc").exists():
            copying.outbox.clear(run)
            copying.watcher.say(f"Removed what {run} had sealed: it died before its backup was whole.")
            continue
        sealed = _waiting(copying, folder)
        if sealed.manifest.system != system:
            continue
        with using(copying.reports, system, sealed.manifest.backup):
            _put(copying, sealed, copying.stores)
            _enter(copying, sealed.manifest)
        copying.outbox.clear(run)
        done.append(Copied(sealed.manifest.backup, "", tuple(each.name for each in copying.stores)))
    return tuple(done)


def copy_missing(copying: Copying, *, system: str, wanted: str, source: str = "") -> tuple[Copied, ...]:
    """Bring backups of a system into every store that lacks them: the `latest`, `all`, or one by its id.

    Raises:
        StoreError: there is no such backup, or a store refuses it.
        TamperedError: no store has it as an operator signed it.
    """
    held = {named: _complete(named, system) for named in copying.stores}
    sources = [named for named in copying.stores if source in {"", named.name}]
    known = sorted({backup for named in sources for backup in held[named]})
    chosen = {"all": known, "latest": known[-1:]}.get(wanted, [each for each in known if each == wanted])
    if not chosen:
        what = f"backup {wanted!r}" if known else "backup"
        raise StoreError(f"{names_of(sources)}: no {what} of {system}", hint="attestore list shows what is there.")
    return tuple(each for backup in chosen for each in _spread(copying, f"{system}/{backup}", held, sources))


def _spread(
    copying: Copying, prefix: str, held: Mapping[NamedStore, Sequence[str]], sources: Sequence[NamedStore]
) -> Iterator[Copied]:
    backup = prefix.rpartition("/")[2]
    lacking = tuple(named for named in copying.stores if backup not in held[named])
    if not lacking:
        return
    problem: Error | None = None
    for named in (each for each in sources if backup in held[each]):
        try:
            with using(copying.reports, prefix.partition("/")[0], backup), _fetched(copying, named, prefix) as sealed:
                _put(copying, sealed, lacking)
                yield Copied(backup, named.name, tuple(each.name for each in lacking))
                return
        except TamperedError as damaged:
            problem = problem or damaged
            copying.watcher.say(f"Store {named.name} is left out: {damaged.message}")
    if problem is not None:
        raise problem


@contextmanager
def _fetched(copying: Copying, named: NamedStore, prefix: str) -> Iterator[Sealings]:
    """A stored backup on this machine, authenticated and whole, for as long as the block lasts."""
    folder = copying.work / "copied"
    folder.mkdir(mode=0o700)
    try:
        (folder / "manifest.json").write_bytes(named.store.read(f"{prefix}/manifest.json", limit=_LARGEST_MANIFEST))
        signature = named.store.read(f"{prefix}/manifest.json.asc", limit=_LARGEST_SIGNATURE)
        (folder / "manifest.json.asc").write_bytes(signature)
        listing = _authenticated(copying, folder)
        parts = [named.store.fetch(f"{prefix}/{record.name}", record, into=folder) for record in listing.parts]
        yield _sealed(listing, folder, parts=parts)
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def _sealed(listing: Manifest, folder: Path, *, parts: Sequence[FetchedPart]) -> Sealings:
    broken = [part.record.name for part in parts if not part.intact]
    if broken:
        raise TamperedError(
            f"{', '.join(broken)} of {listing.backup} came back with other bytes than its signed manifest lists"
        )
    sealed = [SealedPart(record=part.record, path=part.path) for part in parts]
    return Sealings(listing, sealed, folder / "manifest.json", folder / "manifest.json.asc")


def _waiting(copying: Copying, folder: Path) -> Sealings:
    """What waits in a folder of the outbox; each store's `put` compares its parts with their records."""
    listing = _authenticated(copying, folder)
    parts = [SealedPart(record=record, path=folder / record.name) for record in listing.parts]
    return Sealings(listing, parts, folder / "manifest.json", folder / "manifest.json.asc")


def _authenticated(copying: Copying, folder: Path) -> Manifest:
    path = folder / "manifest.json"
    fingerprint = copying.verifier.verify((folder / "manifest.json.asc").read_bytes(), path)
    if copying.roster.person_of(fingerprint, role="operator") is None:
        raise TamperedError(f"{path} is signed by {fingerprint}, who is no operator of the roster")
    return manifest.decode(path.read_bytes(), what=str(path))


def _complete(named: NamedStore, system: str) -> tuple[str, ...]:
    parts = [key.split("/") for key in named.store.keys(f"{system}/")]
    return tuple(each[1] for each in parts if len(each) == 3 and each[2] == "manifest.json")  # noqa: PLR2004  system/backup/file


def _put(copying: Copying, sealed: Sealings, stores: Sequence[NamedStore]) -> None:
    checked = put_everywhere(
        sealed, stores, watcher=copying.watcher, progress=partial(copying.watcher.progress, unit="parts")
    )
    problem = next((each.problem for each in checked if each.problem is not None), None)
    if problem is not None:
        raise problem


def _enter(copying: Copying, listing: Manifest) -> None:
    """The backup in the ledger, unless the run that took it came so far."""
    ledger = LedgerFile(copying.reports)
    told = (BackupStored, listing.backup, listing.digest)
    if all((type(e), getattr(e, "backup", ""), getattr(e, "digest", "")) != told for e in ledger.read().entries):
        at = instants.text(copying.clock.now())
        ledger.append(
            BackupStored(at=at, backup=listing.backup, system=listing.system, digest=listing.digest, run=listing.run)
        )
