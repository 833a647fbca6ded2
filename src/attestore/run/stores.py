"""One backup in several stores: put into all, each proved by reading it back; what is told of each is told in one way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from attestore.amounts import amount
from attestore.errors import DiskError, Error, StoreError
from attestore.evidence import Manifest, PartRecord
from attestore.ports import FetchedPart, Hear, Kept, SealedPart, Sealer, Signed, Store, StoredPart, Towards, Watcher
from attestore.report import numbers
from attestore.run.book import Book
from attestore.run.tools import NamedStore

__all__ = ["Checked", "Opened", "Sealings", "names_of", "opening", "put_everywhere", "tell_stores", "travelling"]

_SOURCE = "store"


@dataclass(frozen=True, slots=True)
class Sealings:
    """A sealed and signed backup on this machine, ready to be stored."""

    manifest: Manifest
    parts: Sequence[SealedPart]
    path: Path
    """the manifest's file"""
    signature: Path

    @property
    def prefix(self) -> str:
        """Where in every store its objects are."""
        return f"{self.manifest.system}/{self.manifest.backup}"


@dataclass(frozen=True, slots=True)
class Checked:
    """One store that a run asked for a backup, and what came of it."""

    named: NamedStore
    objects: tuple[StoredPart, ...] = ()
    """as they were read back, whole; none where it failed"""
    problem: Error | None = None
    differing: int = 0
    """parts that came back with other bytes"""


@contextmanager
def travelling(stores: Sequence[NamedStore], *, prefix: str) -> Iterator[Towards]:
    """For the block, whatever is sealed is on its way into every store before it is whole, under the keys that it will be put by.

    What was not put when the block ends is given up.
    """
    with ExitStack() as stack:

        def towards(path: Path, most: int) -> Hear:
            key = f"{prefix}/{path.name}"
            asked = [stack.enter_context(each.store.ahead(key, path, most=most)) for each in stores]
            hearers = [each for each in asked if each is not None]

            def hear(chunk: bytes) -> None:
                for each in hearers:
                    each(chunk)

            return hear

        yield towards


Opened: TypeAlias = Callable[[PartRecord], Hear]
"""Says who hears a part that is about to be fetched."""


@contextmanager
def opening(sealer: Sealer, *, into: Path) -> Iterator[Opened]:
    """For the block, whatever is fetched is being opened before it is whole; what was not unsealed when the block ends is gone."""
    with ExitStack() as stack:
        yield lambda record: stack.enter_context(sealer.ahead(record, into=into))


def put_everywhere(
    sealed: Sealings,
    stores: Sequence[NamedStore],
    *,
    watcher: Watcher,
    progress: Callable[[int, int], None],
    barred: Mapping[str, Error] | None = None,
) -> tuple[Checked, ...]:
    """Put a backup into each store and read every byte back; a store that fails keeps none of the others from having it.

    `barred` are stores that are not tried, by name, because something was found to be wrong with them.
    """
    done, total = 0, len(stores) * len(sealed.parts)
    checked = []
    for named in stores:

        def one_more() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        known = (barred or {}).get(named.name)
        checked.append(_put(sealed, named, one_more) if known is None else Checked(named, problem=known))
        if checked[-1].problem is not None and len(stores) > 1:
            watcher.say(f"Store {named.name} failed: {checked[-1].problem.message}")
    return tuple(checked)


def _put(sealed: Sealings, named: NamedStore, one_more: Callable[[], None]) -> Checked:
    """The manifest comes last: until it is there, there is no backup."""
    store, objects, differing = named.store, [], 0
    try:
        for part in sealed.parts:
            stored = store.put(f"{sealed.prefix}/{part.record.name}", part)
            same = FetchedPart(record=part.record, path=part.path, size=stored.size, digest=stored.digest).intact
            differing += not same
            objects.append(stored)
            one_more()
        _refuse(differing, sealed, store)
        objects.append(store.put(f"{sealed.prefix}/manifest.json.asc", Signed(sealed.signature)))
        objects.append(store.put(f"{sealed.prefix}/manifest.json", Signed(sealed.path)))
    except (StoreError, DiskError) as problem:
        return Checked(named, problem=problem, differing=differing)
    return Checked(named, objects=tuple(objects))


def _refuse(differing: int, sealed: Sealings, store: Store) -> None:
    """Return if no part differs: where one does, there must be no manifest.

    Raises:
        StoreError: some do.
    """
    if differing:
        raise StoreError(
            f"{store.location} gave back {differing} of {amount(len(sealed.parts), 'part')} with other bytes than were put",
            hint="The backup is not usable; look at the store before you run again.",
        )


def names_of(stores: Iterable[NamedStore]) -> str:
    """Their names, for people."""
    return ", ".join(each.name for each in stores) or "none"


def tell_stores(checked: Sequence[Checked], *, book: Book, now: datetime) -> None:
    """What this run found in each store that it asked for the backup.

    Raises:
        StoreError: a store does not say how it keeps what it has.
    """
    whole = [each for each in checked if each.problem is None]
    locks = [(each, lock) for each in whole if (lock := _lock(each, now)) is not None]
    versions = [
        (f"{each.named.name}: {stored.key.rsplit('/', 1)[-1]}", stored.version)
        for each in whole
        for stored in each.objects
        if stored.version
    ]
    book.write("stores.asked", len(checked), source=_SOURCE)
    for each in checked:
        place = f"{each.named.store.location}{', off-site' if each.named.off_site else ''}"
        book.write("store.place", place, source="configuration", subject=each.named.name)
        book.write("store.verified", each.problem is None, source="read back", subject=each.named.name)
    book.write("stores.verified", len(whole), source="read back")
    book.write("stores.off_site", sum(each.named.off_site for each in whole), source="configuration")
    book.write("stores.immutable", len(locks), source=_SOURCE)
    book.write_all((("store.lock", each.named.name, lock) for each, lock in locks), source=_SOURCE)
    book.write("store.versions", len(versions), source=_SOURCE)
    book.write_all((("store.version", what, version) for what, version in versions), source=_SOURCE)


def _lock(each: Checked, now: datetime) -> str | None:
    """In words, under which lock the store says that every object of the backup is; None where one is under none."""
    kept = [each.named.store.kept(stored.key) for stored in each.objects]
    return _weakest(kept) if kept and all(one.locked(now) for one in kept) else None


def _weakest(kept: Sequence[Kept]) -> str:
    ends = [one.until for one in kept if one.until is not None and not one.held]
    if not ends:
        return "legal hold"
    mode = "governance" if any(one.mode != "compliance" for one in kept if not one.held) else "compliance"
    return f"{mode} until {numbers.instant(min(ends).strftime('%Y-%m-%dT%H:%M:%S.000Z'))}"
