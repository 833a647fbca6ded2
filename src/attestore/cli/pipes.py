"""Standard output and standard error whose reader may go away: `attestore audit reports | head` ends quietly.

A run goes on: nobody's verdict depends on whether somebody still reads its progress.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from typing_extensions import override

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["CUT", "patient"]

CUT: Final = 141
"""exit code of a success that nobody read to its end: 128 + SIGPIPE, as shells have it"""


class _Patient(io.FileIO):
    """A file whose reader may go away; what is written afterwards is lost, and nobody is told."""

    cut = False

    @override
    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            self.cut = True
            return memoryview(data).nbytes


@contextmanager
def patient() -> Iterator[None]:
    """A block in which a closed pipe is no error; a success that was cut short exits with `CUT`, a failure as ever."""
    if sys.stdout is None or sys.stderr is None or (sys.stdout, sys.stderr) != (sys.__stdout__, sys.__stderr__):
        # nobody listens, or somebody else does and knows what to do
        yield
        return
    out = _patient(sys.stdout)
    sys.stdout, sys.stderr = out, _patient(sys.stderr)
    code: object = 0
    try:
        yield
    except SystemExit as ended:
        code = ended.code
        raise
    finally:
        out.flush()
        if _was_cut(out) and not code:
            sys.exit(CUT)


def _patient(stream: TextIO) -> TextIO:
    stream.flush()
    raw = _Patient(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors=stream.errors, line_buffering=stream.isatty()
    )


def _was_cut(stream: TextIO) -> bool:
    raw = stream.buffer.raw if isinstance(stream.buffer, io.BufferedWriter) else None
    return isinstance(raw, _Patient) and raw.cut
