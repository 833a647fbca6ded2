"""Rows as text through a pipe that the server itself writes: `COPY … TO` a FIFO, read and told on without a client between.

A client is sent one message for each row, and hands each on. A server on this machine that lets us write files takes the
same text straight to the reader: the cost of COPY itself and a fifth more, where psql takes as much again.
"""

from __future__ import annotations

import fcntl
import os
import select
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from psycopg import errors, pq

from attestore.adapters.postgres.quoting import literal
from attestore.adapters.postgres.session import Connect, Session, abandon, held, worded

__all__ = ["Hearer", "Pipes", "Text", "read"]

_CHUNK: Final = 1 << 20
_LISTEN_MS: Final = 200

Pipes = Callable[[], AbstractContextManager[Path]]
"""makes a FIFO that the server may write, gone when its block ends"""


class Hearer(Protocol):
    """Somebody who hears the text of one table."""

    def add(self, chunk: bytes) -> None:
        """The next bytes of it."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """One table's text: whose it is in words, the COPY without its target, what it is written with, and who hears it."""

    label: str
    copy: str
    options: str
    hearer: Hearer


def read(
    texts: Sequence[Text],
    *,
    connect: Connect,
    pipes: Pipes,
    opening: Sequence[str],
    jobs: int,
    told: Callable[[int], None],
) -> None:
    """Every text, told to its hearer; over several sessions, each begun by the statements of `opening`. The first ones first.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; its name is in the message.
    """
    waiting: SimpleQueue[Text] = SimpleQueue()
    for text in texts:
        waiting.put(text)
    count, lock, over = [0], threading.Lock(), threading.Event()
    with ExitStack() as stack:
        sessions = [stack.enter_context(held(connect())) for _ in range(max(1, min(jobs, len(texts))))]
        places = [stack.enter_context(pipes()) for _ in sessions]

        def work(session: Session, pipe: Path) -> None:
            with worded("begin to read the rows"):
                for statement in opening:
                    session.execute(statement.encode())
            with suppress(Empty):
                while not over.is_set():
                    text = waiting.get_nowait()
                    _carry(session, pipe, text, over=over)
                    with lock:
                        count[0] += 1
                        told(count[0])

        with ThreadPoolExecutor(len(sessions), thread_name_prefix="text") as pool:
            futures = [pool.submit(work, session, pipe) for session, pipe in zip(sessions, places, strict=True)]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                over.set()
                for session in sessions:
                    abandon(session)
                raise


def _carry(session: Session, pipe: Path, text: Text, *, over: threading.Event) -> None:
    """One COPY, heard to its end: the pipe's, once the server has closed it, and the statement's own."""
    statement = f"{text.copy} TO {literal(str(pipe))} {text.options}"
    with worded(f"read the rows of {text.label}"), _opened(pipe) as reading:
        session.pgconn.send_query(statement.encode())
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        poll.register(session.pgconn.socket, select.POLLIN)
        open_still = answering = True
        while open_still and not over.is_set():
            for ready, event in poll.poll(_LISTEN_MS):
                if ready == reading:
                    # hung up is a pipe that somebody has written and closed, not one that nobody has opened yet
                    if event & select.POLLIN:
                        text.hearer.add(os.read(reading, _CHUNK))
                    else:
                        open_still = False
                elif answering:
                    answering = _goes_on(session)
                    if not answering:
                        poll.unregister(session.pgconn.socket)
        if over.is_set():
            return
        while result := session.pgconn.get_result():
            if result.status not in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}:
                raise errors.error_from_result(result, session.info.encoding)


def _goes_on(session: Session) -> bool:
    """Whether the statement still runs.

    Raises:
        psycopg.Error: it failed.
    """
    session.pgconn.consume_input()
    if session.pgconn.is_busy():
        return True
    result = session.pgconn.get_result()
    if result is not None and result.status not in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}:
        while session.pgconn.get_result() is not None:
            pass
        raise errors.error_from_result(result, session.info.encoding)
    return False


@contextmanager
def _opened(pipe: Path) -> Iterator[int]:
    """The reading end; opened anew for each text, since a pipe that was closed once stays hung up for its reader."""
    # the writer is not there yet, and a read waits for nobody
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a user has only so much
            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, _CHUNK)
        yield reading
    finally:
        os.close(reading)
