"""What a signal does: once a run stops by it, then the evidence is written; only the printing can be stopped, too."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from attestore.cli.signals import Stop, stoppable
from attestore.errors import InterruptedRunError
from fakes import FakeClock


def stop(clock: FakeClock | None = None) -> Stop:
    return Stop("Look into the bundle.", clock=clock or FakeClock())


def test_the_first_signal_stops_the_run() -> None:
    with pytest.raises(InterruptedRunError, match="SIGTERM stopped the run") as told:
        stop()(signal.SIGTERM, None)
    assert told.value.hint == "Look into the bundle."


def test_a_run_that_has_settled_writes_its_evidence() -> None:
    asked = stop()
    asked.settle()
    asked(signal.SIGINT, None)


def test_printing_stops_at_a_signal_once() -> None:
    asked = stop()
    asked.settle()
    with asked.hearing():
        with pytest.raises(InterruptedRunError, match="SIGINT stopped the printing") as told:
            asked(signal.SIGINT, None)
        # whatever is put in order now is not interrupted again
        asked(signal.SIGINT, None)
    assert "next command" in told.value.hint
    asked(signal.SIGINT, None)


def test_what_came_while_evidence_was_written_stops_the_printing_that_follows() -> None:
    asked = stop()
    asked.settle()
    asked(signal.SIGINT, None)
    with pytest.raises(InterruptedRunError, match="printing"), asked.hearing():
        pytest.fail("nothing is printed")


def test_one_wish_that_is_told_twice_leaves_its_report() -> None:
    """As timeout(1) does it; who asks again a second later does not want to wait."""
    clock = FakeClock()
    asked = stop(clock)
    with pytest.raises(InterruptedRunError):
        asked(signal.SIGTERM, None)
    asked(signal.SIGTERM, None)
    with asked.hearing():
        asked(signal.SIGTERM, None)
    clock.ticks += 1_000
    with pytest.raises(InterruptedRunError, match="printing"), asked.hearing():
        asked(signal.SIGTERM, None)


class _Told:
    """Is told by its own end."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class _Begun(threading.Thread):
    """A signal comes while it is being started."""

    @property
    def _bootstrap(self) -> Callable[[], object]:
        signal.raise_signal(signal.SIGINT)
        told: Any = super()
        begin: Callable[[], object] = told._bootstrap
        return begin


def test_a_signal_while_something_is_finalized_is_not_lost() -> None:
    """What a finalizer raises nobody sees."""
    with pytest.raises(InterruptedRunError), stoppable():
        _let_go_and_wait()


def _let_go_and_wait() -> None:
    told = _Told()
    del told
    threading.Event().wait(30)


def test_a_thread_that_is_being_started_has_begun_before_a_signal_stops_the_run() -> None:
    ran = threading.Event()
    thread = _Begun(target=ran.set)
    with pytest.raises(InterruptedRunError), stoppable():
        _begin_and_wait(thread)
    assert ran.wait(30)
    thread.join()


def _begin_and_wait(thread: threading.Thread) -> None:
    thread.start()
    threading.Event().wait(30)


def test_whoever_waits_for_a_thread_is_interrupted() -> None:
    asleep = threading.get_ident()
    other = threading.Timer(0.1, signal.pthread_kill, (asleep, signal.SIGINT))
    other.start()
    with pytest.raises(InterruptedRunError), stoppable():
        threading.Event().wait(30)
    other.join()


def test_a_finalizer_that_never_ends_is_interrupted_after_a_while() -> None:
    with stoppable() as asked:
        frame = _frame_of(lambda: sys._getframe(1))
        for _ in range(200):
            asked(signal.SIGINT, frame)
        with pytest.raises(InterruptedRunError):
            asked(signal.SIGINT, frame)


def _frame_of(told: Callable[[], FrameType]) -> FrameType:
    def __del__() -> FrameType:  # noqa: N807
        return told()

    return __del__()


def test_a_library_that_is_being_imported_swallows_no_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As drivers do that look for the fastest of their parts; the run would go on, and hear no second signal either."""
    (tmp_path / "swallowing.py").write_text(
        "import signal, time\n"
        "try:\n    signal.raise_signal(signal.SIGTERM)\n    time.sleep(0.2)\nexcept Exception:\n    found = False\nelse:\n    found = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def run() -> None:
        with stoppable():
            assert importlib.import_module("swallowing").found
            time.sleep(30)
            pytest.fail("the signal is lost")

    with pytest.raises(InterruptedRunError, match="SIGTERM"):
        run()
