"""Independent work over several processes: each is this one's copy, takes its share, and hands back what it made, in order."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import BinaryIO, Final, TypeVar

__all__ = ["spread"]

_Task = TypeVar("_Task")
_Made = TypeVar("_Made")

_MOST: Final = 8
"""processes; each needs its own memory"""
_WORTH: Final = 24
"""tasks for a process to be worth its start"""


def spread(work: Callable[[_Task], _Made], tasks: Sequence[_Task], *, jobs: int | None = None) -> Iterator[_Made]:
    """What `work` makes of each task, in the order of the tasks; memory does not grow with their number.

    A child that fails, is killed, or whose work raises leaves the rest of its share to this process: so every exception is
    raised here, by the task that raises it, and nothing that was not made is handed out. What `work` changes in memory is lost;
    what it writes on the disk stays, and may be written again. `jobs`: so many processes, whatever there is to do; None: as many as
    there are processors and enough work for.
    """
    count = min(_processors(), _MOST, len(tasks) // _WORTH) if jobs is None else jobs
    # a copy of a process with threads may hold a lock that nobody will ever let go
    if count < 2 or threading.active_count() > 1:  # noqa: PLR2004
        yield from map(work, tasks)
        return
    with ExitStack() as stack:
        ends: list[BinaryIO | None] = []
        for number in range(count):
            end, pid = _child(work, tasks[number::count], others=[each for each in ends if each is not None])
            stack.callback(_end, pid, end)
            ends.append(end)
        for number, task in enumerate(tasks):
            made: tuple[_Made] | None = _next(ends, number % count)
            yield work(task) if made is None else made[0]


def _processors() -> int:
    """How many of them this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _child(
    work: Callable[[_Task], _Made], share: Sequence[_Task], *, others: Sequence[BinaryIO]
) -> tuple[BinaryIO, int]:
    """A process that does its share; its answers, and its id."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return os.fdopen(reading, "rb"), pid
    # whatever happens, nothing of the parent's is unwound, flushed or cleaned up here
    try:
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(end, signal.SIG_DFL)
        os.close(reading)
        for other in others:
            os.close(other.fileno())
        with os.fdopen(writing, "wb") as answers:
            for task in share:
                # one to a tuple: None is an answer, too
                pickle.dump((work(task),), answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()
    finally:
        os._exit(0)


def _next(ends: list[BinaryIO | None], number: int) -> tuple[_Made] | None:
    """The next answer of a child; None where it gives no more."""
    end = ends[number]
    if end is None:
        return None
    try:
        made: tuple[_Made] = pickle.load(end)  # noqa: S301 - from our own child, by a pipe that nobody else holds
    except (EOFError, pickle.UnpicklingError):
        ends[number] = None
        return None
    return made


def _end(pid: int, end: BinaryIO) -> None:
    end.close()
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
