"""Ctrl-C and SIGTERM stop a run where it stands; after that the run is left to write its evidence, but need not print it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from attestore import compose
from attestore.errors import InterruptedRunError
from attestore.ports import Clock

__all__ = ["Stop", "stoppable"]

_ONE_WISH_MS: Final = 1_000
"""timeout(1) tells its child and then the whole group, a terminal does so too: what comes within that time was said once"""
_UNSEALED: Final = (
    "What the run saw is in its journal; the next command prints the reports, signs them and closes the bundle."
)


class Stop:
    """Whether a signal still stops the run."""

    def __init__(self, hint: str, *, clock: Clock) -> None:
        self._hint = hint
        self._clock = clock
        self._settled = False
        self._said: int | None = None
        """tick of the signal that stopped the run"""
        self._noted: int | None = None
        """a signal that was not obeyed"""
        self._hearing = False

    def settle(self) -> None:
        """From here on signals are noted and not obeyed: what is left is writing the evidence."""
        self._settled = True

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Inside the block signals are obeyed by a run that has settled, too: it takes long, and can be done later.

        Raises:
            InterruptedRunError: a signal, be it one that was noted before the block.
        """
        if self._noted is not None:
            raise self._stopped(self._noted)
        self._hearing = True
        try:
            yield
        finally:
            self._hearing = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler.

        Raises:
            InterruptedRunError: the first signal, unless the run has settled; another one where it is heard all the same.
        """
        if not self._settled:
            self._settled = True
            self._said = self._clock.tick()
            raise InterruptedRunError(f"{signal.Signals(number).name} stopped the run", hint=self._hint)
        if self._said is not None and self._clock.tick() < self._said + _ONE_WISH_MS:
            return
        if self._hearing:
            self._hearing = False
            raise self._stopped(number)
        self._noted = number

    @staticmethod
    def _stopped(number: int) -> InterruptedRunError:
        return InterruptedRunError(f"{signal.Signals(number).name} stopped the printing of the reports", hint=_UNSEALED)


@contextmanager
def stoppable(hint: str = "The bundle says where it stopped; its verdict is UNKNOWN.") -> Iterator[Stop]:
    """SIGINT and SIGTERM raise InterruptedRunError in the main thread, once, until the run settles."""
    stop = Stop(hint, clock=compose.clock())
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
