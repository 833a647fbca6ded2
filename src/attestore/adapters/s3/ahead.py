"""Parts of a file that is still being written, on their way into a bucket as soon as each of them is whole."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attestore.adapters.s3 import faults
from attestore.adapters.s3.calls import Calls
from attestore.adapters.s3.crew import Crew
from attestore.adapters.s3.digests import Piece, Sums, part_size_for
from attestore.adapters.s3.upload import Begun, Manners, begin, send_part
from attestore.ports import SealedPart, Signed

__all__ = ["Ahead", "Arrived"]

_FORGET_S: Final = 5.0
"""for a bucket to say that it has forgotten an upload; `attestore prune` sweeps what it has not"""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file as it was heard while it was written, and what of it is in the bucket already."""

    sums: Sums
    begun: Begun


class Ahead:
    """An upload of a file of `most` bytes at most, whose bytes are heard in their order once they are in the file.

    A fault ends it, and is nobody's yet: whoever puts the file sends what has not arrived, and meets the fault again if it is still there.
    """

    def __init__(self, calls: Calls, name: str, path: Path, *, most: int, manners: Manners) -> None:
        self._calls = calls
        self._name = name
        self._path = path
        self._manners = manners
        self._part_size = part_size_for(most, calls.place.part_size)
        self._pieces: list[Piece] = []
        self._at = 0
        self._size = 0
        """of the part that is being heard"""
        self._state = hashlib.sha256()
        self._crew = Crew(calls.place.parallel, "upload ahead")
        self._upload: Future[str] | None = None
        self._sent: dict[int, Future[str]] = {}

    def hear(self, chunk: bytes) -> None:
        """The next bytes, which are in the file by now."""
        left = memoryview(chunk)
        while left:
            if self._size == self._part_size:
                self._whole()
            heard, left = left[: self._part_size - self._size], left[self._part_size - self._size :]
            self._state.update(heard)
            self._size += len(heard)

    def arrived(self, item: SealedPart | Signed) -> Arrived | None:
        """What has arrived of that file, once all that was on its way has; None where it is another file, or nothing was sent.

        What was begun is the caller's from now on.
        """
        with self._crew:
            if self._upload is None or not isinstance(item, SealedPart) or not self._is(item):
                self._crew.over.set()
                return None
            self._whole()
            tags = dict(self._tags())
            if not tags:
                return None
            sums = Sums(self._path, self._at, item.record.digest, tuple(self._pieces))
            return Arrived(sums, Begun(self._upload.result(), tags))

    def give_up(self) -> None:
        """End what is on its way, and have the bucket forget what arrived; for a moment only, since somebody may be waiting to be gone."""
        ended = self._crew.leave()
        if self._upload is None or self._upload.cancelled() or not ended:
            return
        with contextlib.suppress(*faults.FAULTS, TimeoutError), Crew(1, "forget what travelled ahead") as crew:
            crew.submit(self._forget, self._upload.result()).result(_FORGET_S)

    def _forget(self, number: str) -> None:
        self._calls.client.abort_multipart_upload(Bucket=self._calls.place.bucket, Key=self._name, UploadId=number)

    def _is(self, item: SealedPart) -> bool:
        return (item.path, item.record.size) == (self._path, self._at + self._size)

    def _tags(self) -> Iterator[tuple[int, str]]:
        for number, sent in self._sent.items():
            with contextlib.suppress(*faults.FAULTS):
                yield number, sent.result()

    def _whole(self) -> None:
        """A part is whole, and others may follow: it is sent, unless something went wrong before."""
        piece = Piece(len(self._pieces) + 1, self._at, self._size, self._state.digest())
        self._pieces.append(piece)
        self._at, self._size, self._state = self._at + self._size, 0, hashlib.sha256()
        if self._upload is None:
            self._upload = self._crew.submit(
                begin, self._calls, self._name, manners=self._manners, over=self._crew.over
            )
        if not self._crew.over.is_set():
            self._sent[piece.number] = self._crew.submit(self._send, piece, self._upload)

    def _send(self, piece: Piece, upload: Future[str]) -> str:
        over = self._crew.over
        try:
            return send_part(
                self._calls, self._name, upload.result(), piece, path=self._path, manners=self._manners, over=over
            )
        except faults.FAULTS:
            over.set()
            raise
