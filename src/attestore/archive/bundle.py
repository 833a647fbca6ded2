"""A bundle while it is written: every line and file is on the disk before the call returns, and nothing is overwritten."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from attestore import canon
from attestore.archive import disk, layout
from attestore.archive.opened import read_bundle, read_file
from attestore.errors import ArchiveError
from attestore.evidence import Journal, Observation, journal, sums
from attestore.evidence.statement import FileRecord

__all__ = ["Bundle"]


@dataclass(frozen=True, slots=True)
class _Position:
    """Where the journal ends: replaced as one, so that an interrupt finds the old one or the new one."""

    number: int
    head: canon.Digest
    size: int


class Bundle(disk.Held):
    """The folder of one run, from its first observation to its last signature.

    The journal stays open and locked while the run lives; the kernel lets the lock go when the process dies, which is
    how a run in progress is told from a dead one.
    """

    def __init__(self, folder: Path, *, descriptor: int, seen: Journal) -> None:
        self._folder = folder
        super().__init__(descriptor)
        self._at = _Position(len(seen), seen.head, os.fstat(descriptor).st_size)
        self._going = b""
        """the lines that were written last, or are being written"""

    @classmethod
    def create(cls, reports: Path, run: str) -> Self:
        """A new bundle `reports/<run>/` with an empty journal, locked.

        Create it before `run.started` goes to the ledger: a started run without a folder was tampered with.

        Raises:
            ArchiveError: there is a bundle of that name already.
            DiskError: the reports folder cannot be made or written.
        """
        folder = reports / _named(run)
        disk.make_folder(reports, exist_ok=True)
        disk.make_folder(folder, exist_ok=False)
        for name in ("gates", "templates", "logs"):
            disk.make_folder(folder / name, exist_ok=False)
        path = folder / layout.JOURNAL
        with disk.translated(path):
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        disk.sync_folder(folder)
        disk.sync_folder(reports)
        return cls(folder, descriptor=descriptor, seen=journal.read(b""))

    @classmethod
    def reopen(cls, reports: Path, run: str) -> Self:
        """The bundle of a run that died, so that it can be closed: its journal continues, a torn last line is cut off.

        Whatever a sealing that did not end has derived from the journal is removed, to be derived again; what the run
        saw stays.

        Raises:
            ArchiveError: there is no such bundle, or the run is still in progress.
            TamperedError: the journal's chain does not hold.
        """
        folder = reports / _named(run)
        path = folder / layout.JOURNAL
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
        except OSError as problem:
            raise ArchiveError(f"the bundle of run {run} is gone: {problem.strerror}") from problem
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            os.close(descriptor)
            raise ArchiveError(f"run {run} is still in progress", hint="Wait for it to end.") from problem
        try:
            data = path.read_bytes()
            seen = journal.read(data, what=str(path))
            os.ftruncate(descriptor, data.rfind(b"\n") + 1)
            os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        for name in sorted(disk.names(folder)):
            if layout.is_derived(name) or name.endswith(disk.UNFINISHED):
                (folder / name).unlink()
        return cls(folder, descriptor=descriptor, seen=seen)

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder

    def observe(self, *observations: Observation) -> None:
        """Append a line for each to the journal; they are on the disk when this returns.

        Raises:
            DiskError: no space left, or the disk failed; none of them is there.
        """
        self._catch_up()
        number, head, lines = self._at.number, self._at.head, list[bytes]()
        for observation in observations:
            number += 1
            lines.append(journal.line(observation, number=number, previous=head))
            head = journal.link(lines[-1])
        data = self._going = b"".join(lines)
        with disk.translated(self._folder / layout.JOURNAL):
            disk.append(self._descriptor, data)
        self._at = _Position(number, head, self._at.size + len(data))

    def journal(self) -> Journal:
        """The journal as it stands on the disk.

        Raises:
            ArchiveError, TamperedError: somebody else wrote to it.
        """
        self._catch_up()
        path = self._folder / layout.JOURNAL
        seen = journal.read(path.read_bytes(), what=str(path))
        if (len(seen), seen.head) != (self._at.number, self._at.head):
            raise ArchiveError(f"{path} was changed by somebody else while the run went on")
        return seen

    def _catch_up(self) -> None:
        """A signal between the write of lines and our note of them leaves the note behind: the disk is right.

        What is ahead of the note is what was being written; where not all of it is there, none of it stays.

        Raises:
            ArchiveError, TamperedError: somebody else wrote to the journal.
        """
        at, path = self._at, self._folder / layout.JOURNAL
        size = os.fstat(self._descriptor).st_size
        if size == at.size:
            return
        data = os.pread(self._descriptor, size, 0)
        seen, ahead = journal.read(data, what=str(path)), data[at.size :]
        known = journal.read(data[: at.size], what=str(path))
        if (len(known), known.head) != (at.number, at.head) or not self._going.startswith(ahead):
            raise ArchiveError(f"{path} was changed by somebody else while the run went on")
        if ahead == self._going:
            self._at = _Position(len(seen), seen.head, size)
        with disk.translated(path):
            os.ftruncate(self._descriptor, self._at.size)
            os.fsync(self._descriptor)

    def path(self, name: str) -> Path:
        """Where a file of that name is, or will be.

        Raises:
            ValueError: a bundle has no file of that name.
        """
        if not layout.is_allowed(name):
            raise ValueError(f"a bundle has no file called {name!r}")
        return self._folder / name

    def has(self, name: str) -> bool:
        """Whether the file is there already."""
        return self.path(name).is_file()

    def read(self, name: str) -> bytes:
        """A file whole, through no link.

        Raises:
            ArchiveError, TamperedError: it is missing, a link, or too large.
            ValueError: a bundle has no file of that name.
        """
        return read_file(self.path(name), limit=layout.LARGEST)

    def write(self, name: str, data: bytes) -> Path:
        """A new file, whole and on the disk when this returns, or not there at all.

        Raises:
            ArchiveError: the file is there already: nothing in a bundle is ever replaced.
            DiskError: no space left, or not allowed to write.
            ValueError: a bundle has no file of that name.
        """
        path = self.path(name)
        disk.make_folder(path.parent, exist_ok=True)
        disk.write_new(path, data)
        return path

    def files(self) -> tuple[str, ...]:
        """Names of all files, sorted."""
        return tuple(sorted(read_bundle(self._folder).names))

    def statement_files(self) -> tuple[FileRecord, ...]:
        """Every file as it is now, by size and digest: what the statement lists, when all but itself is written."""
        contents = read_bundle(self._folder)
        return tuple(
            FileRecord(path=name, size=contents.size(name), digest=contents.digest(name))
            for name in sorted(contents.names)
            if name not in layout.UNSTATED
        )

    def sums(self) -> bytes:
        """The bytes of SHA256SUMS over every file but itself and its signature."""
        contents = read_bundle(self._folder)
        return sums.build({name: contents.digest(name) for name in contents.names if name not in layout.UNSUMMED})


def _named(run: str) -> str:
    if not layout.is_run(run):
        raise ValueError(f"{run!r} cannot name a run")
    return run
