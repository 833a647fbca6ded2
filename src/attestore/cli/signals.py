"""Ctrl-C and SIGTERM stop a run where it stands; after that the run is left to write its evidence, but need not print it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
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
_SOON_S: Final = 0.005
_PUT_OFF_AT_MOST: Final = 200
"""times; a second in all"""
_OF_LOCKS: Final = frozenset(
    {"threading", "concurrent.futures._base", "concurrent.futures.thread", "queue", "weakref", "_weakrefset"}
)
_WAITING: Final = frozenset({"Thread.join", "Thread._wait_for_tstate_lock"})
"""code of locks that stays for long and expects to be interrupted"""
_IMPORTING: Final = "<frozen importlib._bootstrap>"
_WHOLE: Final = frozenset({"Thread.start", "Popen.__init__"})
"""what begins something and holds it only when it returns"""


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
        self._put_off: int | None = None
        """a signal that came where nothing may be raised"""
        self._times = 0
        """how often it was put off"""

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

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal handler; where nothing may be raised now it is called again a moment later, by SIGALRM.

        Raises:
            InterruptedRunError: the first signal, unless the run has settled; another one where it is heard all the same.
        """
        if _importing(frame) or (not _may_raise(frame) and self._times < _PUT_OFF_AT_MOST):
            self._put_off = number
            self._times += 1
            signal.setitimer(signal.ITIMER_REAL, _SOON_S)
            return
        self._times = 0
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

    def later(self, _alarm: int, frame: FrameType | None) -> None:
        """The handler of SIGALRM.

        Raises:
            InterruptedRunError: as the signal that was put off would have.
        """
        if self._put_off is not None:
            number, self._put_off = self._put_off, None
            self(number, frame)

    @staticmethod
    def _stopped(number: int) -> InterruptedRunError:
        return InterruptedRunError(f"{signal.Signals(number).name} stopped the printing of the reports", hint=_UNSEALED)


@contextmanager
def stoppable(
    hint: str = "Where a bundle had been begun, it says where the run stopped; its verdict is UNKNOWN.",
) -> Iterator[Stop]:
    """SIGINT and SIGTERM raise InterruptedRunError in the main thread, once, until the run settles."""
    stop = Stop(hint, clock=compose.clock())
    handlers: dict[signal.Signals, Callable[[int, FrameType | None], None]] = {
        signal.SIGINT: stop,
        signal.SIGTERM: stop,
        signal.SIGALRM: stop.later,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _importing(frame: FrameType | None) -> bool:
    """Libraries take whatever is raised there for a reason to go on without what they import, and the signal is lost."""
    while frame is not None and frame.f_code.co_filename != _IMPORTING:
        frame = frame.f_back
    return frame is not None


def _may_raise(frame: FrameType | None) -> bool:
    """Whether an exception there unwinds what it interrupts.

    A thread or process just begun, or a condition's lock just taken, would be left behind (CPython issue 74174); what a finalizer
    raises is printed and forgotten. Who waits for a condition may be interrupted as soon as its lock is free.
    """
    if frame is not None and frame.f_globals.get("__name__") in _OF_LOCKS:
        asleep = frame.f_code.co_qualname == "Condition.wait" and frame.f_locals.get("gotit") is False
        if not asleep and frame.f_code.co_qualname not in _WAITING:
            return False
    while frame is not None:
        if frame.f_code.co_qualname in _WHOLE or frame.f_code.co_name == "__del__":
            return False
        frame = frame.f_back
    return True
