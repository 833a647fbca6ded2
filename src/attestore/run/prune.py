"""Prune: what the stores hold of one system, what is to become of each backup, and the deletion of what goes.

A deletion is in the ledger before its first byte goes; then manifests go, in every store, so that what is left over by a
crash is no backup anywhere; then the rest. Whoever prunes next ends what was begun. See docs/adr/0041.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attestore import instants
from attestore.archive import LedgerFile, in_use, is_running, withdrawing
from attestore.config import Roster
from attestore.config.retention import Policy
from attestore.errors import BusyError, StoreError
from attestore.evidence.ledger import BackupDeleted, BackupStored, Entry, RunClosed, RunFinished, RunStarted
from attestore.ports import Clock, Signer, Store, Unfinished, Verifier
from attestore.ports import Kept as Lock
from attestore.retention import GRACE, Candidate, Dropped, Fate, Kept, Reason, Rule, State, decide
from attestore.run.listing import Listed, Listing, list_backups

__all__ = ["Copy", "Examined", "Failed", "Pruned", "Pruning", "Removed", "examine", "prune"]

_ID: Final = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([A-Za-z0-9_]{1,64})")
_MANIFEST: Final = "manifest.json"
_SIGNATURE: Final = f"{_MANIFEST}.asc"


@dataclass(frozen=True, slots=True)
class Pruning:
    """The doors that a prune needs, and what it goes by."""

    stores: Mapping[str, Store]
    """every store of the system, by name"""
    verifier: Verifier
    roster: Roster
    reports: Path
    work: Path
    """a private folder"""
    clock: Clock
    system: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Copy:
    """What one store holds of a backup."""

    store: str
    listed: Listed
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and what is to become of it; nothing was touched."""

    now: datetime
    fates: tuple[Fate, ...]
    copies: Mapping[str, tuple[Copy, ...]]
    """of each backup, by its id"""
    entries: int
    """how long the ledger was"""
    leftovers: tuple[tuple[str, Unfinished], ...]
    """uploads that never became objects and are old enough to be swept, with the name of their store"""

    def size(self, backup: str) -> int:
        """Bytes of all copies of a backup."""
        return sum(copy.listed.stored for copy in self.copies[backup])


@dataclass(frozen=True, slots=True)
class Removed:
    """A backup that is gone from these stores, or what was left of one."""

    backup: str
    stores: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Failed:
    """What could not be deleted: told, and tried again by the next prune."""

    backup: str
    store: str
    reason: str
    locked: bool
    """whether the store's own lock keeps it: then nothing is wrong"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What became of it."""

    examined: Examined
    removed: tuple[Removed, ...]
    failed: tuple[Failed, ...]
    swept: int
    """uploads that never became objects"""


def examine(pruning: Pruning) -> Examined:
    """Ask every store and the ledger, and decide; nothing is touched.

    Raises:
        StoreError: a store can't be asked: then nobody knows what would be the last copy, and nothing may be deleted.
        ArchiveError, TamperedError: the ledger can't be read.
    """
    now = pruning.clock.now()
    entries = LedgerFile(pruning.reports).read().entries
    told = _told(pruning, entries)
    found: dict[str, list[Copy]] = {}
    leftovers: list[tuple[str, Unfinished]] = []
    held: dict[tuple[str, str], str] = {}
    for name, store in pruning.stores.items():
        for copy in _copies(pruning, name=name, store=store, held=held):
            found.setdefault(copy.listed.backup, []).append(copy)
        leftovers += [(name, each) for each in store.unfinished() if _stale(each, told=told, pruning=pruning, now=now)]
    copies = {backup: tuple(each) for backup, each in found.items()}
    candidates = [_candidate(backup, each, told=told, pruning=pruning, now=now) for backup, each in copies.items()]
    return Examined(
        now=now,
        fates=decide(candidates, pruning.policy, now=now),
        copies=copies,
        entries=len(entries),
        leftovers=tuple(leftovers),
    )


def prune(pruning: Pruning, *, signer: Signer, by: str) -> Pruned:
    """Delete what no rule keeps, from every store, and sweep what never became an object; `by` is who has it done.

    A store that refuses on the way is told and keeps what it has; the others go on, and the next prune tries again.

    Raises:
        StoreError: a store can't be asked before the first deletion; nothing was touched.
        ArchiveError, DiskError: the ledger can't be continued; of the backup that it was about nothing was touched.
        KeyringError: the end of the ledger can't be signed; the deletions stand.
    """
    examined = examine(pruning)
    ledger = LedgerFile(pruning.reports)
    removed: list[Removed] = []
    failed: list[Failed] = []
    fates: list[Fate] = []
    # oldest first: if it is cut short, the newer half is whole
    for fate in reversed(examined.fates):
        if isinstance(fate, Kept):
            fates.append(fate)
            continue
        try:
            with withdrawing(pruning.reports, pruning.system, fate.backup.backup):
                _unchanged(examined, ledger=ledger)
                _enter(fate, examined, pruning=pruning, ledger=ledger, by=by)
                gone = _delete(fate.backup.backup, examined, pruning=pruning, failed=failed)
        except BusyError as problem:
            fates.append(Kept(fate.backup, (Reason(Rule.IN_USE, problem.message),)))
            continue
        fates.append(fate)
        removed += [gone] if gone.stores else []
    if any(isinstance(fate, Dropped) and fate.backup.state is State.COMPLETE for fate in fates):
        ledger.checkpoint(signer, at=instants.text(pruning.clock.now()))
    return Pruned(
        examined=replace(examined, fates=tuple(reversed(fates))),
        removed=tuple(removed),
        failed=tuple(failed),
        swept=_sweep(examined, pruning=pruning, failed=failed),
    )


def _copies(pruning: Pruning, *, name: str, store: Store, held: dict[tuple[str, str], str]) -> Iterator[Copy]:
    listing = Listing(store, pruning.verifier, pruning.roster, pruning.reports, pruning.work, held)
    for listed in list_backups(listing, system=pruning.system):
        yield Copy(store=name, listed=listed, keys=store.keys(f"{pruning.system}/{listed.backup}/"))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the ledger tells of the system's backups."""

    stored: Mapping[str, str]
    """digest of each that was stored"""
    deleted: Mapping[str, str]
    """when the deletion of each was begun"""
    living: frozenset[str]
    """the last word of the names of runs that are under way: that of the backups they make"""


def _told(pruning: Pruning, entries: Sequence[Entry]) -> _Told:
    ended = {entry.run for entry in entries if isinstance(entry, RunFinished | RunClosed)}
    return _Told(
        stored={e.backup: e.digest for e in entries if isinstance(e, BackupStored) and e.system == pruning.system},
        deleted={e.backup: e.at for e in entries if isinstance(e, BackupDeleted) and e.system == pruning.system},
        living=frozenset(
            entry.run.rpartition("-")[2]
            for entry in entries
            if isinstance(entry, RunStarted)
            and entry.system == pruning.system
            and entry.run not in ended
            and is_running(pruning.reports, entry.run)
        ),
    )


def _candidate(backup: str, copies: tuple[Copy, ...], *, told: _Told, pruning: Pruning, now: datetime) -> Candidate:
    state, about = _state(backup, copies, told)
    named = _ID.fullmatch(backup)
    used = []
    if named and named[2] in told.living:
        used.append("the run that made it, which is under way")
    elif in_use(pruning.reports, pruning.system, backup):
        used.append("a process of this machine")
    whole = next((copy.listed.manifest for copy in copies if copy.listed.manifest is not None), None)
    proved = next((copy.listed.proved.run for copy in copies if copy.listed.proved is not None), "")
    return Candidate(
        backup=backup,
        taken=instants.parse(whole.taken) if whole is not None else _instant(named),
        state=state,
        about=about,
        proved=proved,
        locks=tuple(_locks(copies, pruning=pruning, now=now)),
        used=tuple(used),
    )


def _state(backup: str, copies: tuple[Copy, ...], told: _Told) -> tuple[State, str]:
    """What a backup is by its copies and the ledger, and what there is to say about it."""
    digests = {copy.listed.digest for copy in copies if copy.listed.digest}
    good = [copy for copy in copies if copy.listed.manifest is not None and not copy.listed.flaws]
    if backup in told.deleted:
        return State.BEGUN, told.deleted[backup]
    if not digests and backup not in told.stored:
        known = _ID.fullmatch(backup) is not None
        return (State.INCOMPLETE, "") if known else (State.STRANGE, "no name that a backup of ours has")
    if not good:
        flaws = [f"{copy.store}: {flaw}" for copy in copies for flaw in copy.listed.flaws]
        return State.DAMAGED, "; ".join(flaws)
    if backup not in told.stored:
        return State.STRANGE, ""
    if digests != {told.stored[backup]}:
        return State.DAMAGED, "a store holds another manifest than the ledger says"
    return State.COMPLETE, ""


def _instant(named: re.Match[str] | None) -> datetime | None:
    """The instant in a backup's name."""
    if named is None:
        return None
    try:
        return datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _locks(copies: Iterable[Copy], *, pruning: Pruning, now: datetime) -> Iterator[str]:
    """The stores whose own lock keeps a copy, and until when."""
    for copy in copies:
        store = pruning.stores[copy.store]
        try:
            locks = [lock for key in copy.keys if (lock := store.kept(key)).locked(now)]
        except StoreError as problem:
            yield f"{copy.store} does not say whether it is: {problem.message}"
            continue
        if locks:
            yield f"{copy.store}, {_lock_words(locks)}"


def _lock_words(locks: list[Lock]) -> str:
    ends = [lock.until for lock in locks if lock.until is not None]
    words = ["legal hold"] if any(lock.held for lock in locks) else []
    if ends:
        words.append(f"until {max(ends):%Y-%m-%d %H:%M} UTC")
    return ", ".join(words)


def _stale(leftover: Unfinished, *, told: _Told, pruning: Pruning, now: datetime) -> bool:
    """Whether an upload of this system never became an object, and nobody can still be at it."""
    parts = leftover.key.split("/")
    return (
        parts[0] == pruning.system
        and len(parts) > 2  # noqa: PLR2004  system/backup/object
        and now - leftover.begun >= GRACE
        and parts[1].rpartition("-")[2] not in told.living
        and not in_use(pruning.reports, pruning.system, parts[1])
    )


def _unchanged(examined: Examined, *, ledger: LedgerFile) -> None:
    """Nobody has proved anything since it was decided what was proved last.

    Raises:
        BusyError: a run has ended meanwhile.
    """
    since = ledger.read().entries[examined.entries :]
    if any(isinstance(entry, RunFinished | RunClosed) for entry in since):
        raise BusyError("a run ended after this was decided; the next prune decides anew")


def _enter(fate: Dropped, examined: Examined, *, pruning: Pruning, ledger: LedgerFile, by: str) -> None:
    """The deletion of a backup is in the ledger before it begins; one that was begun is, and an upload never was a backup."""
    if fate.backup.state is not State.COMPLETE:
        return
    digest = next(copy.listed.digest for copy in examined.copies[fate.backup.backup] if copy.listed.digest)
    why = "; ".join(reason.words for reason in fate.reasons)
    ledger.append(
        BackupDeleted(
            at=instants.text(pruning.clock.now()),
            backup=fate.backup.backup,
            system=pruning.system,
            digest=digest,
            by=by,
            reason=f"by the policy {pruning.policy.words}: {why}",
        )
    )


def _delete(backup: str, examined: Examined, *, pruning: Pruning, failed: list[Failed]) -> Removed:
    """Manifests first, in every store; a store that refuses one keeps its whole copy."""
    going = {copy.store: copy for copy in examined.copies[backup]}
    for wanted in (_is_manifest, _is_signature, _is_part):
        for name, copy in list(going.items()):
            store = pruning.stores[name]
            for key in filter(wanted, copy.keys):
                try:
                    store.delete(key)
                except StoreError as problem:
                    locked = _is_locked(store, key, pruning.clock.now())
                    failed.append(Failed(backup=backup, store=name, reason=problem.message, locked=locked))
                    del going[name]
                    break
    return Removed(backup=backup, stores=tuple(going), size=sum(copy.listed.stored for copy in going.values()))


def _is_manifest(key: str) -> bool:
    return key.endswith(f"/{_MANIFEST}")


def _is_signature(key: str) -> bool:
    return key.endswith(f"/{_SIGNATURE}")


def _is_part(key: str) -> bool:
    return not _is_manifest(key) and not _is_signature(key)


def _is_locked(store: Store, key: str, now: datetime) -> bool:
    try:
        return store.kept(key).locked(now)
    except StoreError:
        return False


def _sweep(examined: Examined, *, pruning: Pruning, failed: list[Failed]) -> int:
    swept = 0
    for name, leftover in examined.leftovers:
        try:
            pruning.stores[name].sweep(leftover)
            swept += 1
        except StoreError as problem:
            failed.append(Failed(backup=leftover.key, store=name, reason=problem.message, locked=False))
    return swept
