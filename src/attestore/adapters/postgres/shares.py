"""An archive's contents, dealt out to sessions that need not know of one another.

Only what an archive says about itself decides: its entries, in the order in which they can be restored, and which needs
which. Whatever depends on one another, however far around, is one share's, and so is in the right order there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Shares", "dealt"]

_ENTRY: Final = re.compile(r"(?P<id>\d+); \d+ \d+ (?P<what>.*)")
_NEEDS: Final = ";\tdepends on:"
_ALWAYS: Final = ("ENCODING ", "STDSTRINGS ", "SEARCHPATH ", "DATABASE ")
"""what every restore does, or none that we make"""
_MANY: Final = 500
"""entries that keep a session busy for longer than it takes to begin"""
_LAST: Final = "EVENT TRIGGER "
"""what acts on every definition that comes after it, whoever makes it"""


@dataclass(frozen=True, slots=True)
class Shares:
    """Entries by number: those that come before any table, which everything may need, and what each session gets."""

    first: tuple[int, ...]
    each: tuple[tuple[int, ...], ...]
    """none where dealing is not worth it"""
    last: tuple[int, ...] = ()
    """what comes after all that, once it is there: event triggers, and what is said of them"""


def dealt(listing: str, *, most: int) -> Shares:
    """The contents as `pg_restore --list --verbose` tells them, in up to `most` shares of about the same size."""
    entries, needs = _read(listing)
    start = next((place for place, (_, what) in enumerate(entries) if what.startswith("TABLE ")), len(entries))
    first = tuple(number for number, _ in entries[:start])
    last = _last(entries, needs)
    places = {number: place for place, (number, _) in enumerate(entries) if place >= start and number not in last}
    wanted = min(most, len(places) // _MANY)
    if wanted < 2:  # noqa: PLR2004  one session gets everything
        return Shares(first, ())
    shares: list[list[int]] = [[] for _ in range(wanted)]
    for bound in sorted(_bound(places, needs), key=len, reverse=True):
        min(shares, key=len).extend(bound)
    if min(map(len, shares)) < _MANY // 2:
        return Shares(first, ())
    return Shares(first, tuple(tuple(sorted(share, key=places.__getitem__)) for share in shares), tuple(last))


def _read(listing: str) -> tuple[list[tuple[int, str]], Mapping[int, Sequence[int]]]:
    """Names of objects are in it, too, but never a line of their own: pg_restore writes spaces for their line breaks."""
    entries: list[tuple[int, str]] = []
    needs: dict[int, list[int]] = defaultdict(list)
    for line in listing.split("\n"):
        entry = _ENTRY.match(line)
        if entry is not None and not entry["what"].startswith(_ALWAYS):
            entries.append((int(entry["id"]), entry["what"]))
        elif line.startswith(_NEEDS) and entries:
            needs[entries[-1][0]] += (int(number) for number in line.removeprefix(_NEEDS).split())
    return entries, needs


def _last(entries: Sequence[tuple[int, str]], needs: Mapping[int, Sequence[int]]) -> dict[int, None]:
    """Event triggers and whatever needs one, in their order."""
    found: dict[int, None] = {}
    for number, what in entries:
        if what.startswith(_LAST) or any(other in found for other in needs.get(number, ())):
            found[number] = None
    return found


def _bound(places: Mapping[int, int], needs: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """The entries in groups, none of which needs anything of another."""
    above = {number: number for number in places}

    def head(number: int) -> int:
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number

    for number in places:
        for other in needs.get(number, ()):
            if other in above:
                above[head(number)] = head(other)
    groups: dict[int, list[int]] = defaultdict(list)
    for number in places:
        groups[head(number)].append(number)
    return list(groups.values())
