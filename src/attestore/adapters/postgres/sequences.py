"""Sequences: what each has handed out, and the largest key it feeds.

Sequences stand outside snapshots, so the source's are read the moment after the snapshot was taken and before
pg_dump reads them: what is restored may then be ahead of the proof, never behind.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass, replace
from typing import Final

from attestore.adapters.postgres.crew import Crew, Question, batches
from attestore.adapters.postgres.quoting import identifier, label, qualified
from attestore.adapters.postgres.relations import OURS
from attestore.adapters.postgres.session import Session, ask, worded
from attestore.proof import Sequence

__all__ = ["LISTING", "Reached", "behind", "feed", "read"]


@dataclass(frozen=True, slots=True)
class Reached:
    """A sequence's state, and where its values go; `column` is empty when they go nowhere that we know."""

    sequence: Sequence
    schema: str = ""
    table: str = ""
    column: str = ""


LISTING: Final = f"""
SELECT n.nspname, c.relname, s.seqincrement, o.schema, o.name, o.attname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN LATERAL (
  SELECT tn.nspname AS schema, t.relname AS name, a.attname
  FROM (SELECT d.refobjid AS relation, d.refobjsubid AS attribute, 0 AS rank FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
          AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
        UNION ALL
        SELECT f.adrelid, f.adnum, 1 FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
        WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid) x
  JOIN pg_class t ON t.oid = x.relation AND t.relkind IN ('r', 'p')
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.attribute
    AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  ORDER BY x.rank, tn.nspname, t.relname, a.attname LIMIT 1) o ON true
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
LEFT JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND {OURS}
  AND (e.oid IS NULL OR coalesce(c.oid = ANY (e.extconfig), false))
  AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery())
ORDER BY n.nspname, c.relname
""".strip()

_BATCH: Final = 100


def read(connection: Session) -> tuple[Reached, ...]:
    """Every sequence that a dump carries, with its state at this moment.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: one cannot be read; its name is in the message.
    """
    with worded("list the sequences"):
        rows = ask(connection, LISTING)
    states: list[tuple[int, bool]] = []
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        selects = [
            f"SELECT {place}, last_value, is_called FROM {qualified(row[0], row[1])}" for place, row in enumerate(part)
        ]
        with worded(f"read the sequences {', '.join(label(row[0], row[1]) for row in part[:3])} …"):
            answered = sorted(ask(connection, " UNION ALL ".join(selects)))
        states += [(value, called) for _, value, called in answered]
    return tuple(
        Reached(
            sequence=Sequence(
                schema=schema,
                name=name,
                reached=value,
                called=called,
                increment=increment,
                feeds="" if column is None else f"{label(table_schema, table)}.{column}",
            ),
            schema=table_schema or "",
            table=table or "",
            column=column or "",
        )
        for (schema, name, increment, table_schema, table, column), (value, called) in zip(rows, states, strict=True)
    )


def feed(crew: Crew, reached: Several[Reached]) -> tuple[Sequence, ...]:
    """The sequences with the largest key that each feeds (the smallest, if it counts down), at the crew's snapshot.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; its name is in the message.
    """
    asked: dict[Question, Reached] = {}
    for item in reached:
        if item.column:
            extreme = "max" if item.sequence.increment > 0 else "min"
            # children of a parent table take their keys from its sequence too: no ONLY
            sql = f"SELECT {extreme}(t.{identifier(item.column)}) FROM {qualified(item.schema, item.table)} t"
            asked[Question(subject=f"{item.sequence.feeds} (sequence {item.sequence.label})", sql=sql)] = item
    largest = {
        asked[question].sequence: answer[0][0]
        for question, answer in crew.answers(batches(tuple(asked)), doing="find the largest key in")
    }
    return tuple(replace(item.sequence, largest=largest.get(item.sequence)) for item in reached)


def behind(several: Several[Sequence]) -> tuple[str, ...]:
    """Sentences about sequences whose next value may be a key that is taken."""
    return tuple(
        f"Sequence {each.label} stands at {each.reached}, behind {each.largest}, the last key in {each.feeds}: its next"
        " values are taken."
        for each in several
        if each.largest is not None and (each.largest - each.reached) * each.increment > 0
    )
