"""Threads for requests: after a fault they are waited for, and whoever wants to be gone waits for nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from attestore.adapters.s3 import crew as crews
from attestore.adapters.s3.crew import Crew
from attestore.adapters.s3.digests import Piece, opened_piece
from attestore.adapters.s3.faults import Fault
from attestore.errors import InterruptedRunError

_LONG_S = 20.0
"""for what ends at once unless it never ends"""


@contextmanager
def stuck() -> Iterator[Callable[[], str]]:
    """Work that ends when the block does."""
    released = threading.Event()

    def work() -> str:
        released.wait(_LONG_S * 3)
        return "ended"

    try:
        yield work
    finally:
        released.set()


def ends(work: Callable[[], object]) -> bool:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_LONG_S)
    return not thread.is_alive()


def test_whoever_wants_to_be_gone_leaves_behind_what_is_under_way_and_drops_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crews, "_LEAVING_S", 0.01)
    begun: list[Future[str]] = []
    crew = Crew(1, "t")

    def interrupted(work: Callable[[], str]) -> None:
        with suppress(InterruptedRunError), crew:
            begun.extend((crew.submit(work), crew.submit(work)))
            while not begun[0].running():
                threading.Event().wait(0.001)
            raise InterruptedRunError("stopped")

    with stuck() as work:
        assert ends(lambda: interrupted(work))
        assert crew.over.is_set()
        assert not begun[0].done()
        assert begun[1].cancelled()
        assert not crew.leave()
    assert begun[0].result(_LONG_S) == "ended"


def test_after_a_fault_what_is_under_way_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives need not be sent again."""
    monkeypatch.setattr(crews, "_LEAVING_S", 0.01)
    came = threading.Event()
    begun: list[Future[str]] = []

    def work() -> str:
        came.wait(_LONG_S)
        return "arrived"

    def faulty() -> None:
        with suppress(Fault), Crew(1, "t") as crew:
            begun.append(crew.submit(work))
            threading.Timer(0.3, came.set).start()
            raise Fault("broken")

    assert ends(faulty)
    assert begun[0].done()
    assert begun[0].result() == "arrived"


def test_a_part_that_nobody_waits_for_is_read_no_further(tmp_path: Path) -> None:
    path, over = tmp_path / "x", threading.Event()
    path.write_bytes(b"0123456789")
    with opened_piece(path, Piece(1, 2, 6, b""), over) as file:
        assert file.read(2) == b"23"
        over.set()
        with pytest.raises(Fault, match="nobody waits"):
            file.read(2)
