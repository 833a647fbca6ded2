"""A part is opened while it is fetched: whatever becomes of that, whoever fetches it goes on, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from attestore.adapters.gpg.opening import Begun, Opening
from attestore.errors import TamperedError
from attestore.evidence import PartRecord

_LONG_S = 20.0
"""for what ends at once unless it never ends"""


def opening(open_: Callable[[Iterator[bytes], Path, Begun], None], *, size: int = 100) -> Opening:
    record = PartRecord(
        role="r", name="r.zst.gpg", size=size, digest="0" * 64, plain_size=size, plain_digest="0" * 64
    )  # fmt: skip
    return Opening(record, Path("nowhere"), open_)


def ends(work: Callable[[], object]) -> bool:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_LONG_S)
    return not thread.is_alive()


def heard(part: Opening, chunks: int) -> Callable[[], None]:
    def work() -> None:
        for _ in range(chunks):
            part.hear(b"0123456789")

    return work


def test_what_was_heard_whole_and_opened_is_whole() -> None:
    took: list[bytes] = []
    part = opening(lambda chunks, *_: took.extend(chunks))
    heard(part, 10)()
    assert part.whole()
    assert b"".join(took) == b"0123456789" * 10


def test_a_part_that_is_fetched_again_is_not_waited_for_by_whoever_fetches_it() -> None:
    """All of it comes a second time, and what opened it takes nothing more."""
    waiting = threading.Event()

    def idle(*_: object) -> None:
        waiting.wait(_LONG_S * 2)

    part = opening(idle, size=30)
    try:
        assert ends(heard(part, 20))
    finally:
        waiting.set()


def test_a_part_that_does_not_open_is_fetched_to_its_end_all_the_same() -> None:
    def refuse(chunks: Iterator[bytes], *_: object) -> None:
        next(chunks)
        raise TamperedError("it is not what was sealed")

    part = opening(refuse, size=1000)
    assert ends(heard(part, 50))
    assert not part.whole()


def test_what_begins_only_when_it_was_given_up_already_is_stopped_as_it_begins() -> None:
    given_up, stopped = threading.Event(), threading.Event()

    def slowly(_: Iterator[bytes], __: Path, begun: Begun) -> None:
        given_up.wait(_LONG_S)
        begun(stopped.set)
        assert stopped.wait(_LONG_S)

    part = opening(slowly)
    part.hear(b"0")
    leaving = threading.Thread(target=part.give_up, daemon=True)
    leaving.start()
    while not part._over.is_set():
        given_up.wait(0.01)
    given_up.set()
    leaving.join(_LONG_S)
    assert stopped.is_set()
    assert not leaving.is_alive()
