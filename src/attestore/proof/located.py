"""Which rows of a restored table differ from the backup's: how many of each kind, and some of them by key digest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from attestore import canon

__all__ = ["MOST_KEYS", "Change", "Located", "RowKey", "raw", "read", "row_digest"]

MOST_KEYS: Final = 20
"""rows of one table that are told by key; the counts are always those of all"""


class Change(Enum):
    """What became of a row; the value is what proofs and reports say."""

    CHANGED = "changed"
    """its key is there on both sides, its other values are not"""
    MISSING = "missing"
    EXTRA = "extra"
    """only in the restored copy"""


@dataclass(frozen=True, slots=True)
class RowKey:
    """One differing row: `digest` is a keyed digest of its key; `shown` the key itself, where the operator asked for it."""

    change: Change
    digest: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Located:
    """The differing rows of one table.

    `whole` says that the counts are exact; otherwise there are at least so many of each kind. Without `keyed_by` the
    table has no key, so that a changed row shows as one that is missing and one that is extra.
    """

    schema: str
    name: str
    changed: int
    missing: int
    extra: int
    whole: bool
    keyed_by: tuple[str, ...] = ()
    keys: tuple[RowKey, ...] = ()

    @property
    def label(self) -> str:
        """The identity as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def net(self) -> int:
        """How many rows fewer the restored table has, going by these counts."""
        return self.missing - self.extra

    def words(self) -> str:
        """The counts in a few words: `2 rows changed, 1 missing, 1 extra`."""
        counted = ((self.changed, "changed"), (self.missing, "missing"), (self.extra, "extra"))
        told = [f"{number:,} {what}" for number, what in counted if number]
        if not told:
            return "no differing row was found"
        first, *rest = told
        number, what = first.split(" ", 1)
        head = f"{number} row{'s' if number != '1' else ''} {what}"
        return ("" if self.whole else "at least ") + ", ".join((head, *rest))


def row_digest(key: bytes, *, schema: str, name: str, row: bytes) -> str:
    """The keyed digest by which a row is told: says nothing to who lacks the fingerprint key, and differs per table."""
    return canon.domain_digest("row-key", key, schema.encode(), name.encode(), row)[:32]


def raw(located: Located) -> canon.JSON:
    """As it stands in a proof."""
    return {
        "schema": located.schema,
        "name": located.name,
        "changed": located.changed,
        "missing": located.missing,
        "extra": located.extra,
        "whole": located.whole,
        "keyed_by": list(located.keyed_by),
        "keys": [[key.change.value, key.digest, key.shown] for key in located.keys],
    }


def read(value: object) -> Located:
    """What `raw` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is not of that form, or tells more keys than may be told, or than counted.
    """
    if not isinstance(value, dict):
        raise TypeError(f"a located difference is {type(value).__name__}")
    found = Located(
        schema=canon.as_text(value["schema"]),
        name=canon.as_text(value["name"]),
        changed=canon.as_count(value["changed"]),
        missing=canon.as_count(value["missing"]),
        extra=canon.as_count(value["extra"]),
        whole=canon.as_flag(value["whole"]),
        keyed_by=tuple(map(canon.as_text, canon.as_list(value["keyed_by"]))),
        keys=tuple(
            RowKey(Change(canon.as_text(change)), canon.as_text(digest), canon.as_text(shown))
            for change, digest, shown in map(canon.as_list, canon.as_list(value["keys"]))
        ),
    )
    counts = {Change.CHANGED: found.changed, Change.MISSING: found.missing, Change.EXTRA: found.extra}
    if len(found.keys) > MOST_KEYS or any(
        sum(key.change is change for key in found.keys) > count for change, count in counts.items()
    ):
        raise ValueError(f"{found.label} tells more keys than {MOST_KEYS}, or than rows")
    return found
