"""Rows that lie in another partition than the server would put them into, where a comparison can't tell one from another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from attestore.adapters.postgres.crew import Crew, Question, batches
from attestore.adapters.postgres.relations import Relation
from attestore.adapters.postgres.session import Session, ask, worded
from attestore.proof import Object

__all__ = ["MISPLACED", "marked", "misplaced"]

MISPLACED: Final = "holds rows that belong into another partition"
"""the state of such a partition"""

_BOUNDS: Final = """
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_get_partition_constraintdef(c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[])
"""


def misplaced(crew: Crew, leader: Session, stored: Sequence[Relation]) -> frozenset[str]:
    """Partitions, by quoted name, of those that are compared together, which hold rows that their own bounds forbid.

    A query that knows the key looks for such a row in another partition, and does not find it. Every other partition is compared
    by itself, so its rows lie where they lay.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; its name is in the message.
    """
    dealt = {each.oid: each for each in stored if each.through is not None and not each.uncovered}
    if not dealt:
        return frozenset()
    with worded("ask for the bounds of partitions"):
        bounds = ask(leader, _BOUNDS, (list(dealt),))
    names = {
        Question(
            subject=dealt[oid].label,
            sql=f"SELECT count(*) FROM ONLY {name} WHERE ({constraint}) IS NOT TRUE",
            weight=dealt[oid].size,
            form="misplaced",
        ): str(name)
        for oid, name, constraint in bounds
    }
    answers = crew.answers(batches(tuple(names)), doing="look at the bounds of")
    return frozenset(names[question] for question, answer in answers if int(answer[0][0]))


def marked(objects: Iterable[Object], names: Collection[str]) -> tuple[Object, ...]:
    """The objects, the partitions of those names with the state that says so."""
    return tuple(
        replace(each, state=MISPLACED) if each.klass == "partition" and each.identity in names else each
        for each in objects
    )
