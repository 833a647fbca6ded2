"""The Printer port by processes of its own: layout takes memory and cores, and a run should not.

A child is this Python with this module's other half, `attestore.adapters.typesetter`; what it is told and what it answers is
framed by lengths, so that nothing in a report can be taken for a message.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version as version_of
from pathlib import Path
from queue import SimpleQueue
from signal import Signals
from typing import Final, Self

from attestore.adapters import framing
from attestore.adapters.process import Runner, Running
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.errors import DiskError, PrintError, ProgramFailedError
from attestore.ports import Attachment, Page
from attestore.resources import templates_folder

__all__ = ["Press"]

_CHILD: Final = "attestore.adapters.typesetter"
_LONGEST_S: Final = 900.0
"""no report takes a tenth of it; where nobody is there to interrupt a layout, it must end by itself"""
_IDLE_S: Final = 60.0
"""a child that nobody needs for so long ends: a long run does not keep its memory, and a new one is there within a second"""
_PATIENCE_S: Final = 20.0
"""for a kept child to say that it is well; on a machine that can't within that time, a new one is no loss"""
_HANDED_ON: Final = (
    "HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "FONTCONFIG_FILE", "FONTCONFIG_PATH", "FONTCONFIG_SYSROOT",
)  # fmt: skip
"""what Python and fontconfig need to find their files; nothing else of ours is a child's business"""

_AT_ONCE: Final = ((Signals.SIGKILL, 5.0),)
"""a child has nothing to put in order: its folder is ours"""
_LEAVING_S: Final = 1.0
"""for a child that nobody needs any more to end by itself"""


class Press:
    """Prints several documents at a time; its child is kept for the length of a block, or ends with its documents."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        jobs: int = 2,
        idle_s: float = _IDLE_S,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """`folder` holds the report templates and their fonts; by default the shipped ones. `jobs`: documents at a time, at most."""
        self._fonts = (templates_folder() if folder is None else folder) / "fonts"
        self._jobs = max(1, min(jobs, os.cpu_count() or 1))
        self._idle_s = idle_s
        self._patience_s = patience_s
        self._runner = Runner()
        self._keeps = False
        self._child: _Child | None = None

    @property
    def version(self) -> str:
        """Programme and version."""
        return f"WeasyPrint {version_of('weasyprint')}"

    @contextmanager
    def kept(self) -> Iterator[Self]:
        """A child is begun, and inside the block it is kept: whatever printing takes to begin is done beside other work."""
        self._keeps = True
        try:
            self.prepare()
            yield self
        except BaseException:
            # whoever has something to tell does not wait for what begins still
            child, self._child = self._child, None
            if child is not None:
                child.close()
            raise
        finally:
            self._keeps = False
            self._let_go()

    def prepare(self) -> None:
        """Begin a child, where one is to be kept and none is there; returns at once."""
        if self._keeps and (self._child is None or self._child.ended):
            self._let_go()
            self._child = self._begun()

    def checked(self) -> Self:
        """Itself, once it is known that a child can print; a kept one that has ended meanwhile is begun anew.

        Raises:
            PrintError: a library that WeasyPrint loads is missing.
        """
        self.prepare()
        with self._at_hand(self._child) as child:
            child.look()
        return self

    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        """The PDF's bytes, equal for equal input on one machine.

        Raises:
            PrintError: the HTML refers to something outside, or cannot be laid out, or the printer's libraries are missing.
            DiskError: no space where temporary files go.
        """
        with self.printing([page], attachments=attachments) as printed:
            return next(printed)[1]

    @contextmanager
    def printing(
        self, pages: Sequence[Page], *, attachments: Sequence[Attachment]
    ) -> Iterator[Iterator[tuple[int, bytes]]]:
        """The number of each page and its bytes, as they are done: the longest is begun first, all before the block begins.

        Raises:
            PrintError, DiskError: as `print` does.
        """
        with self._at_hand(self._well()) as child, ThreadPoolExecutor(self._jobs, thread_name_prefix="press") as pool:
            longest = sorted(enumerate(pages), key=lambda each: len(each[1].html), reverse=True)
            asked = {pool.submit(child.print, page, attachments): number for number, page in longest}
            try:
                yield ((asked[each], each.result()) for each in as_completed(asked))
            except BaseException:
                # nothing new begins, the child ends, and only then the pool waits for its threads
                pool.shutdown(wait=False, cancel_futures=True)
                child.close()
                raise

    @contextmanager
    def _at_hand(self, kept: _Child | None) -> Iterator[_Child]:
        """The kept child; where there is none, a new one, which is kept from now on or ends with the block."""
        child = kept or self._begun()
        if self._keeps:
            self._child = child
            yield child
            return
        try:
            yield child
        finally:
            child.end()

    def _well(self) -> _Child | None:
        """The kept child, if it answers; one that is dead, hangs, or can't get the memory for a copy of itself is let go."""
        if self._child is None or self._child.ended:
            self._let_go()
            return None
        try:
            self._child.look(within_s=self._patience_s)
        except (PrintError, DiskError, TimeoutError):
            self._let_go()
        return self._child

    def _let_go(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _begun(self) -> _Child:
        with ExitStack() as stack:
            # WeasyPrint keeps fonts in a folder that only its own end would remove
            room = stack.enter_context(TemporaryWorkspace())
            chosen = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
            chosen["TMPDIR"] = str(room.private("layout"))
            ours, theirs = zip(*(socket.socketpair() for _ in range(self._jobs)), strict=True)
            stack.callback(_hang_up, ours)
            try:
                numbers = tuple(each.fileno() for each in theirs)
                # -P: a folder that somebody stands in is no place to import from
                argv = [sys.executable, "-P", "-m", _CHILD, str(self._fonts), str(self._idle_s), *map(str, numbers)]
                started = self._runner.start(
                    argv, deadline_s=_LONGEST_S, env=chosen, pass_fds=numbers, collect=True, stop=_AT_ONCE
                )
                running = stack.enter_context(started)
            finally:
                _hang_up(theirs)
            return _Child(running, ours, stack.pop_all())


def _hang_up(ends: Sequence[socket.socket]) -> None:
    for end in ends:
        end.close()


class _Child:
    """One child, and as many lines to it as it does jobs at a time."""

    def __init__(self, running: Running, lines: Sequence[socket.socket], stack: ExitStack) -> None:
        self._running = running
        self._lines = lines
        self._stack = stack
        self._free: SimpleQueue[socket.socket] = SimpleQueue()
        for line in lines:
            self._free.put(line)

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._running.ended

    def end(self) -> None:
        """Hang up, which ends it once what it does is done; one that does not end is ended. Its folder is removed."""
        _hang_up(self._lines)
        self._running.gone_within(_LEAVING_S)
        self.close()

    def close(self) -> None:
        """End it at once, whatever it does, and remove its folder."""
        self._stack.close()

    def look(self, *, within_s: float | None = None) -> None:
        """Return if it says that it can print.

        Raises:
            PrintError: it says that it can't, or it is gone.
            TimeoutError: it says nothing within that time, and is good for nothing now.
        """
        self._ask([framing.ready()], within_s=within_s)

    def print(self, page: Page, attachments: Sequence[Attachment]) -> bytes:
        """A page's bytes."""
        return self._ask([*framing.attached(attachments), *framing.document(page)], within_s=None)

    def _ask(self, words: Sequence[bytes], *, within_s: float | None) -> bytes:
        line = self._free.get()
        answer: bytes | None = None
        try:
            line.settimeout(within_s)
            with suppress(BrokenPipeError, ConnectionResetError), line.makefile("rb") as stream:
                for each in words:
                    line.sendall(each)
                answer = framing.answered(stream)
        finally:
            self._free.put(line)
        if answer is None:
            raise self._ended()
        return answer

    def _ended(self) -> PrintError:
        """It is gone before its work was done; how it ended is told.

        Raises:
            DiskError: it found no space.
        """
        told = "the printing process ended before its work was done"
        try:
            self._running.wait()
        except ProgramFailedError as problem:
            told = problem.message
        return PrintError(
            f"the report could not be printed: {told}",
            hint="Laying a report out takes some hundred MiB of memory. Once there is room, the next command closes the run.",
        )
