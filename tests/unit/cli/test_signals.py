"""What a signal does: once a run stops by it, then the evidence is written; only the printing can be stopped, too."""

from __future__ import annotations

import signal

import pytest

from attestore.cli.signals import Stop
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
