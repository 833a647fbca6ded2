"""The ledger on disk: appended under a lock, durable entry by entry, continued after a crash."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from attestore.amounts import amount
from attestore.archive import disk, layout
from attestore.archive.opened import read_file
from attestore.errors import ArchiveError, TamperedError
from attestore.evidence import ledger
from attestore.evidence.ledger import Checkpoint, Entry, Head, KeyChanged, Ledger, RunClosed, RunFinished, RunStarted
from attestore.ports import Signer

__all__ = [
    "CHECKPOINT",
    "DRAFT",
    "LARGEST",
    "LEDGER",
    "LedgerFile",
    "is_running",
    "standing_still",
    "unfinished",
]

LEDGER: Final = "ledger.jsonl"
CHECKPOINT: Final = "checkpoint"
DRAFT: Final = f".{CHECKPOINT}{disk.UNFINISHED}"
"""A checkpoint before it has its name: left behind only by a writer that died, perhaps after its signature took its place"""
LARGEST: Final = 1 << 28
"""bytes of a ledger"""


class LedgerFile:
    """`ledger.jsonl` and its checkpoint in a reports folder."""

    def __init__(self, reports: Path) -> None:
        self._reports = reports
        self._path = reports / LEDGER

    @property
    def reports(self) -> Path:
        """The folder that it lies in."""
        return self._reports

    def read(self) -> Ledger:
        """All entries; none where there is no ledger yet.

        Raises:
            ArchiveError: it cannot be read.
            TamperedError: its chain does not hold.
        """
        if not self._path.exists() and not self._path.is_symlink():
            return ledger.read(b"")
        with standing_still(self._reports):
            return _told(self._path, read_file(self._path, limit=LARGEST))

    def append(self, entry: Entry) -> Head:
        """One more entry; it is on the disk when this returns, after whatever other runs have written meanwhile.

        Raises:
            ArchiveError: the ledger's chain does not hold, or it is shorter than its checkpoint says; nothing is added.
            DiskError: no space left, or not allowed to write.
        """
        return self._extend(lambda _: (entry,))

    def begin(self, started: RunStarted, *, keys: KeyChanged) -> Head:
        """The start of a run, and before it the people and keys in force, where they are others than the ledger says.

        Both are decided and written while no other run can come between.

        Raises:
            ArchiveError, DiskError: as `append`.
        """

        def entries(known: Ledger) -> Sequence[Entry]:
            told = next((each for each in reversed(known.entries) if isinstance(each, KeyChanged)), None)
            if told is not None and (told.roster, told.recipients) == (keys.roster, keys.recipients):
                return (started,)
            return keys, started

        return self._extend(entries)

    def _extend(self, entries: Callable[[Ledger], Sequence[Entry]]) -> Head:
        disk.make_folder(self._reports, exist_ok=True)
        with self._locked() as descriptor:
            known = self._continued(descriptor)
            head = Head(count=known.count, digest=known.head)
            for entry in entries(known):
                data = ledger.line(entry, number=head.count + 1, previous=head.digest)
                with disk.translated(self._path):
                    disk.append(descriptor, data)
                head = Head(count=head.count + 1, digest=ledger.link(data))
            disk.sync_folder(self._reports)
            return head

    def checkpoint(self, signer: Signer, *, at: str) -> Head:
        """Sign count and head of the ledger as they are; `checkpoint` and `checkpoint.asc` replace the ones before.

        A writer that dies between the two leaves the new signature and, as `DRAFT`, what it signs.

        Raises:
            ArchiveError: the ledger's chain does not hold.
            KeyringError: the signer cannot sign.
            DiskError: no space left, or not allowed to write.
        """
        target = self._reports / CHECKPOINT
        draft = self._reports / DRAFT
        with self._locked() as descriptor:
            known = self._continued(descriptor)
            for stale in (draft, draft.with_name(f"{draft.name}.asc")):
                stale.unlink(missing_ok=True)
            disk.write_new(draft, ledger.encode_checkpoint(Checkpoint(count=known.count, head=known.head, at=at)))
            signature = signer.sign(draft)
            with disk.translated(target):
                signature.replace(target.with_name(f"{CHECKPOINT}.asc"))
                draft.replace(target)
            disk.sync_folder(self._reports)
            return Head(count=known.count, digest=known.head)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        with disk.translated(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _continued(self, descriptor: int) -> Ledger:
        """The ledger behind a locked descriptor, its torn last line cut off."""
        try:
            data = read_file(self._path, limit=LARGEST)
            known = _told(self._path, data)
            self._compare(known)
        except TamperedError as problem:
            raise ArchiveError(
                f"the ledger cannot be continued: {problem.message}",
                hint="Run `attestore audit`; put the ledger back from a copy, or begin a new reports folder.",
            ) from problem
        if known.torn:
            with disk.translated(self._path):
                os.ftruncate(descriptor, data.rfind(b"\n") + 1)
        return known

    def _compare(self, known: Ledger) -> None:
        """A ledger that is behind its own checkpoint was cut: to continue it would hide that."""
        path = self._reports / CHECKPOINT
        if not path.exists():
            return
        told = ledger.decode_checkpoint(read_file(path, limit=layout.LARGEST_SIGNATURE), what=str(path))
        if told.count > known.count or known.head_at(told.count) != told.head:
            raise TamperedError(
                f"{self._path} does not reach its checkpoint of {amount(told.count, 'entry', 'entries')}, or is another ledger"
            )


@dataclass(frozen=True, slots=True)
class _Held:
    """Whole lines of a ledger that this process has read, and what they say."""

    size: int
    digest: bytes
    ledger: Ledger


_LAST: Final[dict[Path, _Held]] = {}
"""the ledger that was read last: a run asks for it a dozen times"""


def _told(path: Path, data: bytes) -> Ledger:
    """What the bytes of a ledger say; lines that this process has read before, each byte the same, it need not read again.

    Raises:
        TamperedError: its chain does not hold.
    """
    last, view = _LAST.get(path), memoryview(data)
    whole = data.rfind(b"\n") + 1
    same = sha256(view[: last.size]) if last is not None and last.size <= whole else None
    if last is None or same is None or same.digest() != last.digest:
        known, state = ledger.read(data, what=str(path)), sha256(view[:whole])
    else:
        known, state = ledger.read(data[last.size :], what=str(path), after=last.ledger), same
        state.update(view[last.size : whole])
    _LAST.clear()
    _LAST[path] = _Held(whole, state.digest(), known)
    return known


@contextmanager
def standing_still(reports: Path) -> Iterator[None]:
    """A block in which no run appends to the ledger or signs its end; readers don't keep each other out.

    Raises:
        ArchiveError: there is no ledger, or it can't be opened.
    """
    path = reports / LEDGER
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as problem:
        raise ArchiveError(f"{path} cannot be read: {problem.strerror}") from problem
    try:
        # a copy on a disk without locks has no writers either
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_running(reports: Path, run: str) -> bool:
    """Whether a live process holds the run's journal."""
    try:
        descriptor = os.open(reports / run / layout.JOURNAL, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def unfinished(reports: Path) -> tuple[tuple[RunStarted, Head], ...]:
    """Runs that died, each with the ledger's head after its own start.

    They were started, neither finished nor closed, and no live process holds their bundle. A started run whose folder is gone can't be closed by anybody; the audit names it.

    Raises:
        ArchiveError, TamperedError: the ledger cannot be read.
    """
    known = LedgerFile(reports).read()
    ended = {entry.run for entry in known.entries if isinstance(entry, RunFinished | RunClosed)}
    return tuple(
        (entry, Head(count=count, digest=known.head_at(count)))
        for count, entry in enumerate(known.entries, start=1)
        if isinstance(entry, RunStarted)
        and entry.run not in ended
        and layout.is_run(entry.run)
        and (reports / entry.run / layout.JOURNAL).is_file()
        and not is_running(reports, entry.run)
    )
