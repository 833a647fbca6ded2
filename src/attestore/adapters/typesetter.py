"""The process that lays reports out. It imports what that takes once; each page is made by a copy of it that ends with the page.

It listens on the sockets that it inherits. A copy reads its page from one of them, answers there, and is gone with all the memory
that a layout takes; what one page does to it, another never sees.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import mmap
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attestore.adapters import framing
from attestore.adapters.printer import WeasyPrinter
from attestore.errors import DiskError, PrintError

__all__: list[str] = []

_MOST: Final = 6 << 30
"""bytes of address space: a template that asks for more than any report needs ends here and not the machine"""
_ROOM: Final = 128 << 20
"""bytes that a long report takes beyond what was imported, and some more"""
_PDEATHSIG: Final = 1
"""PR_SET_PDEATHSIG of prctl(2)"""


def _listen(ends: Sequence[socket.socket], printer: WeasyPrinter | PrintError, *, idle_s: float) -> None:
    """Until everybody has hung up, or nobody has asked for anything for a while: then the memory is given back."""
    poll = select.poll()
    waiting = {end.fileno(): end for end in ends}
    working: dict[int, tuple[int, socket.socket]] = {}
    for number in waiting:
        poll.register(number, select.POLLIN)
    while waiting or working:
        heard = poll.poll(None if working else idle_s * 1000)
        if not heard:
            return
        for number, _ in heard:
            if number in working:
                poll.unregister(number)
                os.close(number)
                pid, end = working.pop(number)
                _end_like(pid)
                waiting[end.fileno()] = end
                poll.register(end, select.POLLIN)
                continue
            end = waiting.pop(number)
            poll.unregister(number)
            if end.recv(1, socket.MSG_PEEK):
                pid, alive = _copy(end, printer, others=[*(each for each in ends if each is not end)])
                working[alive] = pid, end
                poll.register(alive, select.POLLIN)


def _copy(
    end: socket.socket, printer: WeasyPrinter | PrintError, *, others: Sequence[socket.socket]
) -> tuple[int, int]:
    """A copy of this process that does one job; its id, and a descriptor that can be read once it has ended."""
    reading, writing = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    # whatever happens, nothing of the original's is unwound, flushed or cleaned up here
    try:
        os.close(reading)
        # whoever waits for another copy must notice its end, and not wait for ours
        for other in others:
            other.close()
        # the kernel ends the original with our common parent, and this with the original
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
        # where others want the processors, too, they are shared out by session: two pages have two shares
        os.setsid()
        if os.getppid() == parent:
            _work(end, printer)
        code = 0
    except BaseException:  # noqa: BLE001  told by the original's exit code and on its standard error
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _work(end: socket.socket, printer: WeasyPrinter | PrintError) -> None:
    with end.makefile("rb") as stream:
        job = framing.job(stream)
    with tempfile.TemporaryDirectory() as folder:
        # fonts lie there while a page is laid out
        tempfile.tempdir = folder
        for each in _answer(job, printer):
            end.sendall(each)


def _answer(job: framing.Job, printer: WeasyPrinter | PrintError) -> Sequence[bytes]:
    try:
        if isinstance(printer, PrintError):
            raise printer
        if isinstance(job, framing.Ready):
            # asked for, and never touched: room that a page will need
            mmap.mmap(-1, _ROOM).close()
            return framing.made(b"")
        return framing.made(printer.print(job[0], attachments=job[1]))
    except (PrintError, DiskError) as problem:
        return framing.failed(problem)
    except (MemoryError, OSError) as problem:
        if isinstance(problem, OSError) and problem.errno != errno.ENOMEM:
            raise
        return framing.failed(
            PrintError("the report could not be laid out in the memory that a process of ours may take")
        )


def _end_like(pid: int) -> None:
    """Return if that copy has done its work; else end as it did, which is how whoever waits for an answer learns of it."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        os.kill(os.getpid(), -code)
    if code:
        sys.exit(code)


def _printer(fonts: Path) -> WeasyPrinter | PrintError:
    try:
        return WeasyPrinter(fonts.parent)
    except PrintError as problem:
        return problem


def _main(fonts: str, idle_s: str, *numbers: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _MOST if hard == resource.RLIM_INFINITY else min(_MOST, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # what is imported stays, and what a layout makes is gone with its process: there is nothing to collect
    gc.disable()
    ends = [socket.socket(fileno=int(number)) for number in numbers]
    _listen(ends, _printer(Path(fonts)), idle_s=float(idle_s))
    # nothing is left to flush; taking all that apart that was imported takes longer than a page's start
    os._exit(0)


if __name__ == "__main__":
    _main(*sys.argv[1:])
