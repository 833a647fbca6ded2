"""The book of one run: what was seen goes into the journal at once, durably, with its time and its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from attestore import canon, instants
from attestore.evidence import Observation
from attestore.facts import Value
from attestore.ports import Clock, Watcher
from attestore.proof import Comparison, Proof

__all__ = ["Book", "Pages", "Proved", "Recovery"]


class Pages(Protocol):
    """Where observations are kept: a bundle's journal, or nowhere but in the book."""

    def observe(self, *observations: Observation) -> None:
        """Keep some more: all of them, or none."""
        ...


@dataclass(frozen=True, slots=True)
class Proved:
    """Both proofs and what came of comparing them, for whoever has made sure that the bundle's are these: reading them is dear."""

    source: Proof
    restored: Proof
    comparison: Comparison
    digests: tuple[canon.Digest, canon.Digest]
    """of their bytes, as they lie in the bundle"""


class Book:
    """Writes observations and phases; knows where the run stands."""

    def __init__(self, pages: Pages, *, clock: Clock, watcher: Watcher) -> None:
        self._pages = pages
        self._clock = clock
        self._watcher = watcher
        self._start = clock.tick()
        self._seen: list[Observation] = []
        self._entered = 0
        self._used: set[str] = set()
        self._recovery: Recovery | None = None
        self.proved: Proved | None = None
        """what the bundle holds of both sides, once both were seen"""
        self.phase = "start"
        """the phase the run is in, or was in when it stopped"""

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Everything written so far."""
        return tuple(self._seen)

    def write(self, fact: str, value: Value, *, source: str, subject: str = "") -> None:
        """Observe one fact now."""
        self.write_all([(fact, subject, value)], source=source)

    def know(self, fact: str, value: Value, *, source: str) -> None:
        """Observe one fact unless this run has observed it already, nearer to where it comes from."""
        if all(seen.fact != fact for seen in self._seen):
            self.write(fact, value, source=source)

    def write_all(self, facts: Iterable[tuple[str, str, Value]], *, source: str) -> None:
        """Observe several facts at once, given as (fact, subject, value)."""
        observations = [
            Observation(
                at=instants.text(self._clock.now()),
                tick=self._clock.tick() - self._start,
                fact=fact,
                subject=subject,
                value=value,
                source=source,
            )
            for fact, subject, value in facts
        ]
        self._pages.observe(*observations)
        self._seen += observations

    @contextmanager
    def entering(self, phase: str) -> Iterator[None]:
        """A phase of the cycle; its elapsed time is written when it ends, whether it succeeds or not."""
        self.enter(phase)
        begun = self._clock.tick()
        try:
            yield
        finally:
            self.write("phase.elapsed", self._clock.tick() - begun, source="monotonic clock", subject=phase)

    def ordered(self) -> Recovery:
        """The order to restore: the RTO clock begins."""
        self.write("restore.ordered", instants.text(self._clock.now()), source="system clock")
        self._recovery = Recovery(self, clock=self._clock)
        return self._recovery

    def use(self, programme: str, version: str) -> None:
        """A programme or library takes part."""
        if programme not in self._used:
            self._used.add(programme)
            self.write("tool.version", version, source="the programme itself", subject=programme)

    def close(self) -> None:
        """Nothing is left to see; phases that were entered are counted, so that a missing one is noticed."""
        if self._recovery is not None:
            self._recovery.tell()
        self.write("tools.recorded", len(self._used), source="journal")
        self.write("phases.entered", self._entered, source="journal")

    def enter(self, phase: str) -> None:
        """The run is in another phase from now on."""
        self.phase = phase
        self._entered += 1
        self._watcher.phase(phase)


class Recovery:
    """Consecutive intervals of one monotonic clock; they sum to the RTO by construction."""

    def __init__(self, book: Book, *, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._last = clock.tick()
        self._current = ""
        self._took: list[tuple[str, int]] = []
        self._told = False

    def phase(self, name: str) -> None:
        """The phase before ends and `name` begins at one and the same tick."""
        if self._current:
            self._mark()
        self._current = name
        self._book.enter(name)

    def answered(self) -> None:
        """The restored database has answered its first query: the clock stops."""
        self._mark()
        self._book.write("restore.rto", sum(took for _, took in self._took), source="monotonic clock")
        self.tell()

    def tell(self) -> None:
        """Write the phases that have ended, once; after a broken restore they are all there is."""
        if self._told:
            return
        self._told = True
        facts = (
            told
            for phase, took in self._took
            for told in ((f"restore.{phase}", "", took), ("phase.elapsed", phase, took))
        )
        self._book.write_all(facts, source="monotonic clock")

    def _mark(self) -> None:
        now = self._clock.tick()
        self._took.append((self._current, now - self._last))
        self._last = now
