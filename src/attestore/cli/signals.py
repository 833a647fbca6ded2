"""Ctrl-C and SIGTERM stop a run where it stands, once; after that the run is left to write its evidence."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from attestore.errors import InterruptedRunError

__all__ = ["Stop", "stoppable"]


class Stop:
    """Whether a signal still stops the run."""

    def __init__(self, hint: str) -> None:
        self._hint = hint
        self._settled = False

    def settle(self) -> None:
        """From here on signals are noted and not obeyed: what is left is writing the evidence."""
        self._settled = True

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler.

        Raises:
            InterruptedRunError: the first signal, unless the run has settled.
        """
        if not self._settled:
            self._settled = True
            raise InterruptedRunError(
                f"{signal.Signals(number).name} stopped the run",
                hint=self._hint,
            )


@contextmanager
def stoppable(hint: str = "The bundle says where it stopped; its verdict is UNKNOWN.") -> Iterator[Stop]:
    """SIGINT and SIGTERM raise InterruptedRunError in the main thread, once, until the run settles."""
    stop = Stop(hint)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
