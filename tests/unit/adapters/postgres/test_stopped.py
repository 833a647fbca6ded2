"""Work of another thread is told to stop until it has."""

from __future__ import annotations

from concurrent.futures import Future

from attestore.adapters.postgres.session import stopped


def test_what_was_between_two_statements_when_it_was_cancelled_is_cancelled_again() -> None:
    work: Future[None] = Future()
    heard: list[int] = []

    def cancel() -> None:
        heard.append(len(heard))
        if len(heard) == 3:
            work.set_exception(RuntimeError("canceling statement due to user request"))

    stopped(work, cancel)
    assert heard == [0, 1, 2]


def test_what_has_ended_is_left_alone() -> None:
    work: Future[None] = Future()
    work.set_result(None)
    heard: list[str] = []
    stopped(work, lambda: heard.append("cancelled"))
    assert heard == []
