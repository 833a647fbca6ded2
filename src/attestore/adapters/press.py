"""The Printer port by processes of its own: layout takes memory and a core each, and a run should not.

Each child is this Python with this module's other half, `attestore.adapters.typesetter`; what it is told and what it answers is
framed by lengths, so that nothing in a report can be taken for a message.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version as version_of
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Self

from attestore.adapters import framing
from attestore.adapters.process import PIPE, Runner, Running
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.errors import PrintError, ProgramFailedError
from attestore.ports import Attachment, Page
from attestore.resources import templates_folder

__all__ = ["Press"]

_CHILD: Final = "attestore.adapters.typesetter"
_LONGEST_S: Final = 900.0
"""no report takes a tenth of it; nobody can interrupt the end of a run, so that its printing must end by itself"""
_HANDED_ON: Final = (
    "HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "FONTCONFIG_FILE", "FONTCONFIG_PATH", "FONTCONFIG_SYSROOT",
)  # fmt: skip
"""what Python and fontconfig need to find their files; nothing else of ours is a child's business"""


class Press:
    """Prints several documents at a time, each child for as long as its documents take."""

    def __init__(self, folder: Path | None = None, *, jobs: int = 2) -> None:
        """`folder` holds the report templates and their fonts; by default the shipped ones. `jobs`: children at most."""
        self._fonts = (templates_folder() if folder is None else folder) / "fonts"
        self._jobs = max(1, min(jobs, os.cpu_count() or 1))
        self._runner = Runner()

    @property
    def version(self) -> str:
        """Programme and version."""
        return f"WeasyPrint {version_of('weasyprint')}"

    @contextmanager
    def looked_at(self) -> Iterator[Self]:
        """Whether a child can print at all is found out beside the block, and told at its end.

        Raises:
            PrintError: a library that WeasyPrint loads is missing.
        """
        with self._child() as child:
            yield self
            child.look()

    def checked(self) -> Self:
        """Itself, once it is known that it can print.

        Raises:
            PrintError: a library that WeasyPrint loads is missing.
        """
        with self.looked_at():
            return self

    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        """The PDF's bytes, equal for equal input on one machine.

        Raises:
            PrintError: the HTML refers to something outside, or cannot be laid out, or the printer's libraries are missing.
            DiskError: no space where temporary files go.
        """
        with self._child() as child:
            return child.print(page, attachments)

    def print_all(
        self, pages: Iterable[Page], *, attachments: Sequence[Attachment], told: Callable[[int], None] = lambda _: None
    ) -> list[bytes]:
        """Each page's bytes, in order; pages may still be made while others are printed. `told` hears how many are done.

        Raises:
            PrintError, DiskError: as `print` does.
        """
        idle: SimpleQueue[_Child] = SimpleQueue()

        def work(page: Page) -> bytes:
            child = idle.get()
            try:
                return child.print(page, attachments)
            finally:
                idle.put(child)

        with ThreadPoolExecutor(self._jobs, thread_name_prefix="press") as pool, ExitStack() as stack:
            for _ in range(self._jobs):
                idle.put(stack.enter_context(self._child()))
            # whatever ends the block: nothing new begins, children end, and only then the pool waits for its threads
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            printed = []
            for each in [pool.submit(work, page) for page in pages]:
                printed.append(each.result())
                told(len(printed))
            return printed

    @contextmanager
    def _child(self) -> Iterator[_Child]:
        # -P: a folder that somebody stands in is no place to import from
        argv = (sys.executable, "-P", "-m", _CHILD, self._fonts)
        chosen = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        # WeasyPrint keeps fonts in a folder that only its own end would remove
        with TemporaryWorkspace() as room:
            chosen["TMPDIR"] = str(room.private("layout"))
            with self._runner.start(argv, deadline_s=_LONGEST_S, env=chosen, stdin=PIPE) as running:
                yield _Child(running)


class _Child:
    """One child; it keeps the attachments that it was given last."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._carried: Sequence[Attachment] | None = None

    def look(self) -> None:
        """Whether it can print."""
        self._ask([framing.ready()])

    def print(self, page: Page, attachments: Sequence[Attachment]) -> bytes:
        """A page's bytes."""
        carried = () if attachments is self._carried else framing.attached(attachments)
        self._carried = attachments
        return self._ask([*carried, *framing.document(page)])

    def _ask(self, words: Sequence[bytes]) -> bytes:
        with suppress(BrokenPipeError):
            self._running.stdin.writelines(words)
            self._running.stdin.flush()
        answer = framing.answered(self._running.stdout)
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
