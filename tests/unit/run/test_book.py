"""What is seen goes into the journal: what is seen together at once, and all of it or none."""

from __future__ import annotations

import pytest

from attestore.errors import DiskError
from attestore.evidence import Observation
from attestore.run.book import Book
from fakes import FakeClock, FakeWatcher


class Sheets:
    """Keeps what is written, by how it came; may be full."""

    def __init__(self, *, room: int = 99) -> None:
        self.written: list[list[str]] = []
        self._room = room

    def observe(self, *observations: Observation) -> None:
        if len(observations) > self._room:
            raise DiskError("no space left")
        self.written.append([each.subject for each in observations])


FACTS = [("target.setting", name, "on") for name in ("fsync", "jit")]


def test_what_is_seen_together_is_written_once() -> None:
    pages = Sheets()
    book = Book(pages, clock=FakeClock(), watcher=FakeWatcher())
    book.write_all(FACTS, source="a server")
    assert pages.written == [["fsync", "jit"]]
    assert [each.subject for each in book.observations] == ["fsync", "jit"]


def test_what_could_not_be_written_was_not_seen() -> None:
    book = Book(Sheets(room=1), clock=FakeClock(), watcher=FakeWatcher())
    with pytest.raises(DiskError):
        book.write_all(FACTS, source="a server")
    assert book.observations == ()
