"""A store in a folder: objects appear whole or not at all, are written once, and every byte is read back.

An object is written beside its place, synced, and linked to its name, which fails where the name is taken. Below the
root no symbolic link is followed, whoever made it: each folder is opened from the one above it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from attestore.adapters.durable import create, disk_errors
from attestore.adapters.stored import OURS, agree, parts_of, plain_name
from attestore.errors import DiskError, Error, StoreError
from attestore.evidence import PartRecord
from attestore.ports import FetchedPart, Hear, Kept, Look, SealedPart, Signed, StoredPart, Unfinished

__all__ = ["DirectoryStore"]

_CHUNK: Final = 1 << 20
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class DirectoryStore:
    """Keeps objects as files below `root`; a `/` in a key is a folder. The root is made when something is put."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @property
    def location(self) -> str:
        """The folder."""
        return str(self._root)

    def problems(self) -> tuple[Error, ...]:
        """Whatever stands in the way of a round trip: a nonce is written, linked, read back and removed."""
        nonce = secrets.token_bytes(64)
        name = OURS + secrets.token_hex(8)
        try:
            with (
                self._folder((), making=True) as folder,
                self._errors("write into"),
                _written(folder, name, iter((nonce,))) as written,
            ):
                os.link(name, f"{name}.linked", src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
                os.unlink(f"{name}.linked", dir_fd=folder)
                if _digested(folder, name) != written:
                    return (StoreError(f"the store {self.location} returns other bytes than were put"),)
        except Error as problem:
            return (problem,)
        return ()

    def put(self, key: str, item: SealedPart | Signed) -> StoredPart:
        """Store durably and atomically, then read every byte back.

        Raises:
            StoreError: the key holds other bytes or can't be one, the file is not what its record says, or the store
                refused or returned other bytes.
            DiskError: no space left.
        """
        *folders, name = parts_of(key)
        with self._folder(tuple(folders), making=True) as folder, self._errors(f"put {key} into"):
            unfinished = OURS + secrets.token_hex(8)
            with _written(folder, unfinished, _chunks(item.path)) as written:
                agree(item, written)
                try:
                    os.link(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
                except FileExistsError as problem:
                    # whoever goes on after a crash puts the same bytes again
                    if _digested(folder, name) != written:
                        raise StoreError(
                            f"{key} exists in the store {self.location}; nothing is ever written over",
                        ) from problem
            os.fsync(folder)
            size, digest = _digested(folder, name)
            if (size, digest) != written:
                raise StoreError(
                    f"the store {self.location} returned {key} as {size} B with SHA-256 {digest}; "
                    f"put were {written[0]} B with {written[1]}",
                    hint="Check the disk; the object is left for you to look at.",
                )
        return StoredPart(key=key, size=size, digest=digest)

    def ahead(self, key: str, path: Path, *, most: int) -> contextlib.AbstractContextManager[Hear | None]:  # noqa: ARG002
        """Nothing travels ahead: a disk is not waited for."""
        parts_of(key)
        return contextlib.nullcontext()

    def digest(self, key: str) -> StoredPart:
        """Every byte of an object read from the disk.

        Raises:
            StoreError: there is none, or it can't be read.
        """
        *folders, name = parts_of(key)
        with self._errors(f"read {key} from"), self._folder(tuple(folders), making=False) as folder:
            size, digest = _digested(folder, name)
        return StoredPart(key=key, size=size, digest=digest)

    def looks(self) -> tuple[Look, ...]:
        """A round trip of a nonce."""
        return (Look("store", "round trip of a nonce", self.location, self.problems()),)

    def keys(self, prefix: str) -> tuple[str, ...]:
        """All keys that begin with a prefix, sorted; none where nothing was ever put.

        Raises:
            StoreError: a folder can't be read.
        """
        if not self._root.exists():
            return ()
        with self._errors("list"), self._folder((), making=False) as root:
            return tuple(sorted(key for key in _walk(root, "") if key.startswith(prefix)))

    def size(self, key: str) -> int | None:
        """Bytes of an object as the file system tells them; None where there is none, or no plain file.

        Raises:
            StoreError: its folder can't be looked into.
        """
        *folders, name = parts_of(key)
        place = self._root.joinpath(*folders)
        if not place.is_dir():
            return None
        with self._errors(f"look at {key} in"), self._folder(tuple(folders), making=False) as folder:
            try:
                state = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                return None
        return state.st_size if stat.S_ISREG(state.st_mode) else None

    def read(self, key: str, *, limit: int) -> bytes:
        """A small object whole.

        Raises:
            StoreError: there is none, or it is larger than `limit` bytes.
        """
        with self._object(key) as file:
            data = _up_to(file, limit + 1)
        if len(data) > limit:
            raise StoreError(f"{key} in the store {self.location} has more than the {limit} B it may have")
        return data

    def fetch(self, key: str, record: PartRecord, *, into: Path, hear: Hear | None = None) -> FetchedPart:
        """An object into a new file below `into`, sized and digested on the way; the caller asks whether it is intact.

        Of one that has more bytes than the record says, nothing is kept. `hear` is told its bytes as they come.

        Raises:
            StoreError: there is none, or it can't be read.
            DiskError: it can't be written below `into`.
        """
        target = into / plain_name(record.name)
        size, state = 0, hashlib.sha256()
        with self._object(key) as source, create(target) as file:
            if (there := os.fstat(source.fileno()).st_size) > record.size:
                return FetchedPart(record=record, path=target, size=there, digest="")
            while chunk := self._read(source, key):
                size += len(chunk)
                state.update(chunk)
                file.write(chunk)
                if hear is not None:
                    hear(chunk)
        return FetchedPart(record=record, path=target, size=size, digest=state.hexdigest())

    def kept(self, key: str) -> Kept:
        """Nothing keeps a file: whoever may write into the folder may delete it."""
        parts_of(key)
        return Kept()

    def delete(self, key: str) -> bool:
        """Delete an object, and the folder of its own that it was the last one in; whether there was one.

        Raises:
            StoreError: it is no plain file, or can't be deleted.
        """
        if self.size(key) is None:
            return False
        *folders, name = parts_of(key)
        with self._errors(f"delete {key} from"):
            with self._folder(tuple(folders), making=False) as folder:
                os.unlink(name, dir_fd=folder)
                os.fsync(folder)
            if folders:
                with self._folder(tuple(folders[:-1]), making=False) as above, contextlib.suppress(OSError):
                    os.rmdir(folders[-1], dir_fd=above)
        return True

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Files that were being written when somebody died, or are being written now; oldest first.

        Raises:
            StoreError: a folder can't be read.
        """
        if not self._root.exists():
            return ()
        found = []
        with self._errors("list"), self._folder((), making=False) as root:
            for key in _walk(root, "", unfinished=True):
                with contextlib.suppress(FileNotFoundError):  # finished meanwhile
                    state = (self._root / key).lstat()
                    begun = datetime.fromtimestamp(int(state.st_mtime), tz=UTC)
                    found.append(Unfinished(key=key, name=key, begun=begun, size=state.st_size))
        return tuple(sorted(found, key=lambda each: (each.begun, each.key)))

    def sweep(self, leftover: Unfinished) -> None:
        """Remove an unfinished file.

        Raises:
            StoreError: it is none, or can't be removed.
        """
        *folders, name = leftover.name.split("/")
        if not name.startswith(OURS):
            raise StoreError(f"{leftover.name!r} is no unfinished object of the store {self.location}")
        if folders:
            parts_of("/".join(folders))
        with self._errors(f"sweep {leftover.name} from"), self._folder(tuple(folders), making=False) as folder:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    @contextlib.contextmanager
    def _folder(self, parts: tuple[str, ...], *, making: bool) -> Iterator[int]:
        """The descriptor of a folder below the root."""
        with contextlib.ExitStack() as stack:
            with self._errors("open" if not making else "make a folder in"):
                if making:
                    self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
                # the root itself may be a link: that is the operator's word, not a stranger's
                here = os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)
                stack.callback(os.close, here)
                for part in parts:
                    if making:
                        _make(here, part)
                    here = os.open(part, _FOLDER, dir_fd=here)
                    stack.callback(os.close, here)
            yield here

    @contextlib.contextmanager
    def _object(self, key: str) -> Iterator[IO[bytes]]:
        *folders, name = parts_of(key)
        with contextlib.ExitStack() as stack:
            with self._errors(f"read {key} from"):
                folder = stack.enter_context(self._folder(tuple(folders), making=False))
                file = stack.enter_context(_opened(folder, name))
            yield file

    def _read(self, file: IO[bytes], key: str) -> bytes:
        with self._errors(f"read {key} from"):
            return file.read(_CHUNK)

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            sentence = f"can't {what} the store {self.location}: {problem.strerror or problem}"
            if problem.errno in _FULL:
                raise DiskError(sentence, hint="Free space there, or name another store.") from problem
            if problem.errno in _DENIED:
                raise StoreError(sentence, hint="Give this user permission to write there.") from problem
            if problem.errno in {errno.ELOOP, errno.ENOTDIR}:
                raise StoreError(f"{sentence} (symbolic links are not followed)") from problem
            raise StoreError(sentence) from problem


def _make(here: int, part: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(part, 0o700, dir_fd=here)
        os.fsync(here)


@contextlib.contextmanager
def _written(folder: int, name: str, chunks: Iterator[bytes]) -> Iterator[tuple[int, str]]:
    """A new synced file for the block only: its size and digest."""
    size, state = 0, hashlib.sha256()
    descriptor = os.open(name, _WRITE, 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                state.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(descriptor)
        yield size, state.hexdigest()
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def _chunks(path: Path) -> Iterator[bytes]:
    with disk_errors(f"read {path}"), path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _digested(folder: int, name: str) -> tuple[int, str]:
    size, state = 0, hashlib.sha256()
    with _opened(folder, name) as file:
        # ask the disk, not the memory of what was just written; the kernel may still say no
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            state.update(chunk)
    return size, state.hexdigest()


@contextlib.contextmanager
def _opened(folder: int, name: str) -> Iterator[IO[bytes]]:
    descriptor = os.open(name, _READ, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file")
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        yield file


def _walk(folder: int, above: str, *, unfinished: bool = False) -> Iterator[str]:
    """Keys of the plain files below a folder: of objects, or of what never became one."""
    with os.scandir(folder) as entries:
        found = [
            (entry.name, entry.is_dir(follow_symlinks=False), entry.is_file(follow_symlinks=False)) for entry in entries
        ]
    for name, is_folder, is_file in found:
        if is_file and name.startswith(OURS) == unfinished:
            yield above + name
        elif is_folder and not name.startswith(OURS):
            below = os.open(name, _FOLDER, dir_fd=folder)
            try:
                yield from _walk(below, f"{above}{name}/", unfinished=unfinished)
            finally:
                os.close(below)


def _up_to(file: IO[bytes], size: int) -> bytes:
    parts = []
    while size > 0 and (chunk := file.read(min(size, _CHUNK))):
        size -= len(chunk)
        parts.append(chunk)
    return b"".join(parts)
