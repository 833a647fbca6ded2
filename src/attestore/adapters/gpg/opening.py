"""A part that is opened while it is still being fetched: nothing of it is anybody's before it is known to be whole."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from attestore.errors import Error
from attestore.evidence import PartRecord

__all__ = ["Begun", "Opening"]

Begun: TypeAlias = Callable[[Callable[[], None]], None]
"""Told how whatever does the work can be stopped at once, as soon as it does it."""

_AHEAD: Final = 4
"""chunks that wait for gpg"""
_LOOK_S: Final = 0.1


class Opening:
    """Feeds what it hears to `open_` in a thread of its own, which leaves a file or a folder at `target` and can be stopped.

    What goes wrong is nobody's yet: whoever unseals the part meets it again.
    """

    def __init__(self, record: PartRecord, target: Path, open_: Callable[[Iterator[bytes], Path, Begun], None]) -> None:
        self.target = target
        self._record = record
        self._open = open_
        self._heard = 0
        self._whole = False
        self._over = threading.Event()
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] | None = None

    def hear(self, chunk: bytes) -> None:
        """The next bytes of the part; more than it has, as when it is read again, are the end of this."""
        self._heard += len(chunk)
        if self._heard > self._record.size:
            self._over.set()
        if self._thread is None and chunk:
            self._thread = threading.Thread(target=self._work, name="opening ahead", daemon=True)
            self._thread.start()
        self._tell(chunk)

    def whole(self) -> bool:
        """Whether what was heard opened to what was sealed; it lies at `target` then."""
        if self._thread is None:
            return False
        self._tell(None)
        self._thread.join()
        return self._whole

    def give_up(self) -> None:
        """End whatever goes on, however long it would go on; the thread takes away what it made."""
        self._over.set()
        if self._stop is not None:
            self._stop()
        if self._thread is not None:
            self._thread.join()

    def _tell(self, chunk: bytes | None) -> None:
        while not self._over.is_set():
            try:
                self._waiting.put(chunk, timeout=_LOOK_S)
            except queue.Full:
                continue
            return

    def _chunks(self) -> Iterator[bytes]:
        """What was heard; gpg takes an early end for what it is."""
        while not self._over.is_set():
            try:
                chunk = self._waiting.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if chunk is None:
                return
            yield chunk

    def _begun(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        # whoever gave up a moment ago had nothing to stop
        if self._over.is_set():
            stop()

    def _work(self) -> None:
        try:
            self._open(self._chunks(), self.target, self._begun)
            self._whole = True
        except Error:
            pass
        finally:
            self._over.set()
