"""What a restored copy does when it is tried, inside transactions that are always rolled back.

Constraints are offered rows that they forbid, triggers get their events, indexes are read through. Sequences stand
outside transactions and may advance, so the proof is taken before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from attestore.adapters.postgres import commits
from attestore.adapters.postgres.exercise import amcheck, constraints, triggers
from attestore.adapters.postgres.exercise.ground import Budget, Ground
from attestore.adapters.postgres.session import Connect, stopped, worded
from attestore.proof import Behaviour, IndexCheck

__all__ = ["BUDGET_MS", "exercise", "listed"]

BUDGET_MS: Final = 20_000
"""for all constraints, and again for all triggers; what is not reached is said to be compared only"""


_ELSEWHERE: Final = "nothing is tried on a server that was there before the run"


def listed(connect: Connect) -> Behaviour:
    """Everything that could be tried, and none of it tried: no trigger, check or index of the copy is run.

    Raises:
        UnreachableError, ProgramFailedError: the copy can't be asked at all.
    """
    with worded("list what the restored copy could do"), Ground(connect) as ground:
        declared = constraints.read(ground)
        found = constraints.exercise(ground, Budget(0, barred=_ELSEWHERE), declared)
        found += triggers.exercise(ground, Budget(0, barred=_ELSEWHERE), declared.tables)
    return Behaviour(depth=f"none: {_ELSEWHERE}", exercises=tuple(sorted(found, key=lambda e: (e.kind, e.subject))))


def exercise(
    connect: Connect,
    *,
    depth: IndexCheck,
    committed: Callable[[commits.Own], None] = lambda _: None,
    budget_ms: int = BUDGET_MS,
    jobs: int = 1,
) -> Behaviour:
    """How a scratch copy behaves; never call it on anything else, since it runs what the copy defines.

    `connect` opens autocommit sessions as superuser; constraints and indexes are tried over `jobs` of them. The few
    transactions that are `committed` on the way are told.

    Raises:
        UnreachableError, ProgramFailedError: the copy can't be asked at all.
    """
    with worded("exercise the restored copy"), Ground(connect) as ground:
        # reading what there is to try takes one session and changes nothing: indexes are looked through beside it
        with _being_read(connect) as declared:
            words, indexes = amcheck.exercise(ground, depth, committed=committed, jobs=jobs)
            known = declared()
        found = constraints.exercise(ground, Budget(budget_ms), known, jobs=jobs)
        found += triggers.exercise(ground, Budget(budget_ms), known.tables)
    return Behaviour(depth=words, exercises=tuple(sorted([*found, *indexes], key=lambda e: (e.kind, e.subject))))


@contextmanager
def _being_read(connect: Connect) -> Iterator[Callable[[], constraints.Declared]]:
    """What the copy declares, being read by a session of its own beside the block."""
    with Ground(connect) as ground, ThreadPoolExecutor(1, thread_name_prefix="declared") as pool:
        reading = pool.submit(constraints.read, ground)
        try:
            yield reading.result
        except BaseException:
            stopped(reading, ground.interrupt)
            raise
