"""What is added to a bundle after it was sealed: signed decisions, and revisions of its reports. Nothing sealed changes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from attestore import canon
from attestore.archive import disk, layout
from attestore.archive.opened import Contents, read_file
from attestore.errors import ArchiveError
from attestore.evidence import sums
from attestore.evidence.statement import FileRecord

__all__ = ["Additions", "SignedRecord", "split"]

_UNDER_WAY: Final = f".next{disk.UNFINISHED}"
"""A revision's folder while it is made; it gets its number when it is whole"""


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A decision's record and the detached signature beside it, as bytes."""

    name: str
    """of its file, without `.json`"""
    record: bytes
    signature: bytes
    source: Path | None = None
    """where the record lies as long as it is not in the bundle"""


def split(contents: Contents) -> tuple[Contents, Contents]:
    """What was sealed, and what was added since."""
    return _part(contents, added=False), _part(contents, added=True)


def _part(contents: Contents, *, added: bool) -> Contents:
    chosen = {name: size for name, size in contents.sizes.items() if layout.is_added(name) is added}
    return Contents(folder=contents.folder, sizes=chosen)


class Additions(disk.Held):
    """The decisions and revisions of one sealed bundle, held by one process at a time."""

    def __init__(self, folder: Path, *, descriptor: int) -> None:
        self._folder = folder
        super().__init__(descriptor)

    @classmethod
    def open(cls, reports: Path, run: str) -> Self:
        """Hold the bundle until the block ends; waits for whoever else adds to it.

        Raises:
            ArchiveError: there is no such bundle, or it was not sealed yet.
        """
        folder = reports / run
        try:
            if not layout.is_run(run) or not (folder / layout.STATEMENT).is_file():
                raise ArchiveError(
                    f"{folder} is no sealed bundle", hint="Name a finished run; its name is its folder's."
                )
            descriptor = os.open(folder / layout.JOURNAL, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as problem:
            raise ArchiveError(f"the bundle of run {run} can't be opened: {problem.strerror}") from problem
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return cls(folder, descriptor=descriptor)

    @property
    def folder(self) -> Path:
        """The bundle's folder."""
        return self._folder

    def decisions(self) -> tuple[SignedRecord, ...]:
        """Every decision that lies there with its signature, by name.

        Raises:
            ArchiveError, TamperedError: one of them can't be read.
        """
        place = self._folder / layout.DECISIONS
        found = sorted(path.name.removesuffix(".json") for path in place.glob("*.json")) if place.is_dir() else []
        return tuple(
            SignedRecord(
                name=name,
                record=read_file(place / f"{name}.json", limit=layout.LARGEST_SIGNATURE),
                signature=read_file(place / f"{name}.json.asc", limit=layout.LARGEST_SIGNATURE),
            )
            for name in found
            if (place / f"{name}.json.asc").is_file()
        )

    def put(self, signed: SignedRecord) -> None:
        """One more decision; record and signature are on the disk when this returns.

        Raises:
            ArchiveError: there is one of that name.
            DiskError: no space left, or not allowed to write.
            ValueError: a bundle has no decision of that name.
        """
        name = f"{layout.DECISIONS}/{signed.name}.json"
        if not layout.is_allowed(name):
            raise ValueError(f"a bundle has no file called {name!r}")
        disk.make_folder(self._folder / layout.DECISIONS, exist_ok=True)
        # the signature first: a record without one would say what nobody signed
        disk.write_new(self._folder / f"{name}.asc", signed.signature)
        disk.write_new(self._folder / name, signed.record)
        disk.sync_folder(self._folder)

    def sweep(self, *, records: Collection[canon.Digest], revisions: int) -> tuple[str, ...]:
        """Remove what a command that died left half made: names of what is gone.

        A decision is half made without its other half, while the ledger does not name its digest in `records`; a
        revision is as long as it has no number, or one above those of the ledger: it is rendered again.
        """
        gone: list[str] = []
        place = self._folder / layout.DECISIONS
        for path in sorted(place.iterdir()) if place.is_dir() else []:
            record = path.name.removesuffix(".asc")
            whole = (place / record).is_file() and (place / f"{record}.asc").is_file()
            named = (place / record).is_file() and canon.sha256_hex((place / record).read_bytes()) in records
            if path.name.endswith(disk.UNFINISHED) or not (whole or named):
                path.unlink()
                gone.append(f"{layout.DECISIONS}/{path.name}")
        place = self._folder / layout.REVISIONS
        for path in sorted(place.iterdir()) if place.is_dir() else []:
            if path.name == _UNDER_WAY or (path.name.isdecimal() and int(path.name) > revisions):
                shutil.rmtree(path)
                gone.append(f"{layout.REVISIONS}/{path.name}")
        return tuple(gone)

    def begin_revision(self) -> Path:
        """An empty folder for the next revision.

        Raises:
            ArchiveError, DiskError: it can't be made.
        """
        path = self._folder / layout.REVISIONS / _UNDER_WAY
        disk.make_folder(path.parent, exist_ok=True)
        disk.make_folder(path, exist_ok=False)
        return path

    def write(self, name: str, data: bytes) -> Path:
        """A new file of the revision that was begun, on the disk when this returns.

        Raises:
            DiskError: no space left, or not allowed to write.
            ValueError: a revision has no file of that name.
        """
        if not layout.is_allowed(f"{layout.REVISIONS}/1/{name}"):
            raise ValueError(f"a revision has no file called {name!r}")
        path = self._folder / layout.REVISIONS / _UNDER_WAY / name
        disk.write_new(path, data)
        return path

    def files(self) -> tuple[FileRecord, ...]:
        """Every file of the revision that was begun, as its statement lists them: not itself, nor what is made after it."""
        return _records(self._folder / layout.REVISIONS / _UNDER_WAY, without=layout.UNSTATED)

    def sums(self) -> bytes:
        """The bytes of SHA256SUMS over every file of the revision that was begun."""
        listed = _records(self._folder / layout.REVISIONS / _UNDER_WAY, without=layout.UNSUMMED)
        return sums.build({record.path: record.digest for record in listed})

    def finish_revision(self, number: int) -> Path:
        """The revision that was begun gets its number, whole or not at all.

        Raises:
            ArchiveError: there is one of that number.
            DiskError: it can't be written.
        """
        path = self._folder / layout.REVISIONS / str(number)
        if path.exists():
            raise ArchiveError(f"{path} is there already, and nothing in an archive is replaced")
        with disk.translated(path):
            (self._folder / layout.REVISIONS / _UNDER_WAY).rename(path)
        disk.sync_folder(path.parent)
        return path


def _records(folder: Path, *, without: Collection[str]) -> tuple[FileRecord, ...]:
    names = sorted(path.name for path in folder.iterdir() if path.name not in without)
    contents = Contents(folder=folder, sizes={name: (folder / name).stat().st_size for name in names})
    return tuple(FileRecord(path=name, size=contents.size(name), digest=contents.digest(name)) for name in names)
