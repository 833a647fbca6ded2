"""Rows that a restore may bring back in another partition: they are compared as the rows of their common table.

A hash of an enum's value is one of its OID, which every database gives anew. So pg_dump loads the rows of partitions by such a
hash through the table that is partitioned, and each row goes where the new OID sends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from attestore import canon
from attestore.proof.computed import Computed
from attestore.proof.model import Proof, Table

__all__ = ["together"]

_Name: TypeAlias = tuple[str, str]


def together(source: Proof, restored: Proof) -> tuple[Proof, Proof]:
    """Both proofs with one table in place of the partitions that rows may have moved between.

    Counts and sums of parts add up to those of the whole. Texts don't: they stay a list, which is equal where each text is,
    or is of the same lines as its partner once all partitions were looked at together. A partition that only one side has,
    or that belongs elsewhere there, stands by itself. Proofs of earlier versions never say where they belong.
    """
    there = {(table.schema, table.name): table.through for table in source.tables}
    older = not source.asked
    whole = {
        name: table.through
        for table in restored.tables
        if table.through and not table.uncovered and (name := (table.schema, table.name)) in there
        if there[name] == table.through or (older and there[name] is None)
    }
    return (_gathered(source, whole), _gathered(restored, whole)) if whole else (source, restored)


def _gathered(proof: Proof, whole: Mapping[_Name, _Name]) -> Proof:
    apart: list[Table] = []
    parts: defaultdict[_Name, list[Table]] = defaultdict(list)
    for table in proof.tables:
        root = None if table.uncovered else whole.get((table.schema, table.name))
        (apart if root is None else parts[root]).append(table)
    values: list[Computed] = []
    computed: defaultdict[tuple[_Name, str, str], list[Computed]] = defaultdict(list)
    for each in proof.computed:
        root = whole.get((each.schema, each.name))
        (values if root is None else computed[root, each.kind, each.column]).append(each)
    return replace(
        proof,
        tables=tuple(sorted([*apart, *(_table(root, several) for root, several in parts.items())])),
        computed=tuple(sorted([*values, *(_values(root, several) for (root, *_), several in computed.items())])),
    )


def _table(root: _Name, parts: Sequence[Table]) -> Table:
    texts = [(each.label, each.permutes or each.text) for each in sorted(parts)]
    return Table(
        schema=root[0],
        name=root[1],
        kind="table",
        rows=sum(each.rows for each in parts),
        sums=_sums(each.sums for each in parts),
        columns=tuple(sorted({column for each in parts for column in each.columns})),
        size=sum(each.size for each in parts),
        text=canon.domain_digest("table-texts", *(part.encode() for pair in texts for part in pair))
        if all(text for _, text in texts)
        else "",
        wide=", ".join(sorted({each.wide for each in parts} - {""})),
    )


def _values(root: _Name, parts: Sequence[Computed]) -> Computed:
    return replace(
        parts[0],
        schema=root[0],
        name=root[1],
        rows=sum(each.rows for each in parts),
        sums=_sums(each.sums for each in parts),
        unread=next((each.unread for each in parts if each.unread), ""),
    )


def _sums(several: Iterable[tuple[int, int, int, int]]) -> tuple[int, int, int, int]:
    first, second, third, fourth = (sum(words) for words in zip(*several, strict=True))
    return first, second, third, fourth
