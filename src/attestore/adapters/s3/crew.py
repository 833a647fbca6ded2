"""Threads for the requests of one object. Whoever wants to be gone does not wait for an endpoint that never answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from attestore.adapters.s3 import faults

__all__ = ["Crew"]

T = TypeVar("T")

_LEAVING_S: Final = 2.0
"""for requests that are under way to end, once nobody wants what they bring"""


class Crew:
    """A few threads that do work in its order, inside a block.

    When the block ends, what has not begun is dropped, and what is under way is waited for: to its end after a fault of the way, as
    what arrives need not be sent again; but a moment only where somebody wants to be gone. Whoever is left behind then finds
    it `over` as soon as the request returns, and keeps nobody from ending: the threads are daemons, as those of a pool are not.
    """

    def __init__(self, most: int, name: str, *, over: threading.Event | None = None) -> None:
        self.over = over or threading.Event()
        """nobody waits for it any more"""
        self._most = most
        self._name = name
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._tasks: list[Future[Any]] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, problem: BaseException | None, __: TracebackType | None) -> None:
        if problem is None or isinstance(problem, faults.FAULTS):
            self.end()
        else:
            self.leave()

    def submit(self, work: Callable[..., T], *arguments: Any, **named: Any) -> Future[T]:
        """Have it done when a thread is free; what comes of it."""
        task: Future[T] = Future()

        def do() -> None:
            if not task.set_running_or_notify_cancel():
                return
            try:
                result = work(*arguments, **named)
            except BaseException as problem:  # noqa: BLE001  raised again by whoever asks for the result
                task.set_exception(problem)
            else:
                task.set_result(result)

        self._tasks.append(task)
        self._waiting.put(do)
        if len(self._threads) < self._most:
            name = f"{self._name} {len(self._threads) + 1}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()
        return task

    def end(self) -> None:
        """Drop what has not begun, and wait for the rest."""
        self._dismiss()
        for thread in self._threads:
            thread.join()

    def leave(self) -> bool:
        """It is over. Drop what has not begun, and give the rest a moment; whether nothing is under way any more."""
        self.over.set()
        self._dismiss()
        for thread in self._threads:
            thread.join(_LEAVING_S / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def _dismiss(self) -> None:
        for task in self._tasks:
            task.cancel()
        for _ in self._threads:
            self._waiting.put(None)

    def _work(self) -> None:
        while (do := self._waiting.get()) is not None:
            do()
