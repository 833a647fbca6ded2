"""What a restore computes anew instead of bringing it back: values of generated columns, content of materialized views."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, cast

from attestore import canon

__all__ = ["COLUMN", "VIEW", "Computed", "Recomputed", "compared", "raw", "read"]

COLUMN: Final = "generated column"
VIEW: Final = "materialized view"


@dataclass(frozen=True, slots=True, order=True)
class Computed:
    """Values that one side computed, counted and fingerprinted as the rows of a table are.

    Those of a generated column are each bound to the stored columns of its row; those of a materialized view are its
    rows. `columns` are the columns that the fingerprint covers. What could not be read says why, and is not compared.
    """

    kind: str
    schema: str
    name: str
    column: str
    """empty for a materialized view"""
    rows: int
    sums: tuple[int, int, int, int]
    columns: tuple[str, ...] = ()
    unread: str = ""

    @property
    def table(self) -> str:
        """The relation, as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def label(self) -> str:
        """The identity as people write it."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def fingerprint(self) -> str:
        """SHA-256 over count and sums: one short value to print."""
        return canon.domain_digest("table-fingerprint", str(self.rows).encode(), *(str(s).encode() for s in self.sums))


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The two sides of one thing that the restore computed anew; `equal` is None where they were not compared."""

    source: Computed
    restored: Computed | None
    equal: bool | None
    why: str = ""
    """why they were not compared"""

    def words(self) -> str:
        """What came of it, as a sentence without its subject."""
        if self.restored is None or self.equal is None:
            return f"not compared: {self.why}"
        if self.source.kind == COLUMN:
            return "computed alike" if self.equal else "generated values differ although the stored columns are equal"
        if self.equal:
            return "computed alike"
        return (
            f"content re-computed by the restore: {self.source.rows} rows at the source, {self.restored.rows} restored"
            " (stale at the source, or computed from more than its tables)"
        )


def compared(
    source: Sequence[Computed], restored: Sequence[Computed], *, alike: Collection[str], one_key: bool
) -> tuple[Recomputed, ...]:
    """Everything that the source had computed, beside what the restore computed.

    `alike` are the tables whose stored rows are equal: elsewhere a generated value says nothing of its own. Sides that
    were not fingerprinted under one key are never equal.
    """
    theirs = {(each.kind, each.schema, each.name, each.column): each for each in restored}
    told = []
    for a in sorted(source):
        b = theirs.get((a.kind, a.schema, a.name, a.column))
        why = ""
        if b is None:
            why = "the restore does not compute it"
        elif a.unread or b.unread:
            why = a.unread or f"in the restore: {b.unread}"
        elif a.kind == COLUMN and a.table not in alike:
            why = "the stored rows differ"
        same = b is not None and one_key and (a.rows, a.sums, a.columns) == (b.rows, b.sums, b.columns)
        told.append(Recomputed(a, b, None if why else same, why))
    return tuple(told)


def raw(item: Computed) -> canon.JSON:
    """Its exact form in a proof."""
    return {
        "kind": item.kind,
        "schema": item.schema,
        "name": item.name,
        "column": item.column,
        "rows": item.rows,
        "sums": [str(s) for s in item.sums],
        "columns": list(item.columns),
        "unread": item.unread,
    }


def read(value: object) -> Computed:
    """Read what somebody else may have written.

    Raises:
        KeyError, TypeError, ValueError: it is not of that form.
    """
    told = cast("dict[str, object]", value)
    kind = canon.as_text(told["kind"])
    if kind not in {COLUMN, VIEW}:
        raise ValueError(f"nothing is computed as {kind!r}")
    first, second, third, fourth = (int(canon.as_text(s)) for s in canon.as_list(told["sums"]))
    return Computed(
        kind=kind,
        schema=canon.as_text(told["schema"]),
        name=canon.as_text(told["name"]),
        column=canon.as_text(told["column"]),
        rows=canon.as_count(told["rows"]),
        sums=(first, second, third, fourth),
        columns=tuple(map(canon.as_text, canon.as_list(told["columns"]))),
        unread=canon.as_text(told["unread"]),
    )
