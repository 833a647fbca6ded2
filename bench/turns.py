"""Ways that take turns: wall and processor time of each, and how they compare, pair by pair."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Spent", "compared", "of_server", "ratio", "timed", "turns"]

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that something took, by the clock on the wall and by all processors of all that worked for it."""

    wall: float
    processor: float


def timed(work: Callable[[], object], *, servers: Sequence[int] = ()) -> Spent:
    """What `work` spends: this process, all that it starts and waits for, and the servers of those process ids."""
    before, began = _spent(servers), time.monotonic()
    work()
    return Spent(wall=time.monotonic() - began, processor=_spent(servers) - before)


def turns(ways: Mapping[str, Callable[[], Spent]], rounds: int) -> dict[str, list[Spent]]:
    """Every way as often as there are rounds, one after the other; each round begins with another of them."""
    took: dict[str, list[Spent]] = {way: [] for way in ways}
    order = list(ways)
    for number in range(rounds):
        for way in order[number % len(order) :] + order[: number % len(order)]:
            took[way].append(ways[way]())
            print(
                f"{way}: {took[way][-1].wall:.1f} s, processors {took[way][-1].processor:.1f} s, "
                f"load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    return took


def ratio(these: Sequence[float], those: Sequence[float]) -> tuple[float, float, float]:
    """Median, least and greatest ratio of pairs that took turns."""
    pairs = [this / that for this, that in zip(these, those, strict=True)]
    return statistics.median(pairs), min(pairs), max(pairs)


def compared(took: Mapping[str, Sequence[Spent]], against: Sequence[str]) -> list[tuple[str, ...]]:
    """A row for each way: its medians, and its ratios to each way of `against` by the clock and by processor time."""
    rows = []
    for way, spent in took.items():
        walls, processors = [each.wall for each in spent], [each.processor for each in spent]
        cells = [way, f"{statistics.median(walls):.1f} s", f"{statistics.median(processors):.1f} s"]
        for other in against:
            wall = ratio(walls, [each.wall for each in took[other]])
            busy = ratio(processors, [each.processor for each in took[other]])
            cells += [f"{wall[0]:.2f} × ({wall[1]:.2f}–{wall[2]:.2f})", f"{busy[0]:.2f} ×"]
        rows.append(tuple(cells))
    return rows


def _spent(servers: Sequence[int]) -> float:
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses) + sum(map(of_server, servers))


def of_server(pid: int) -> float:
    """Seconds of a server: of its first process, of those that it has waited for, and of those that live."""
    alive = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (sum(_ticks(pid)) + sum(sum(_ticks(int(each))[:2]) for each in alive)) / _TICK


def _ticks(pid: int) -> list[int]:
    """User and system time of a process, then of its children that it has waited for."""
    try:
        # its name may hold spaces and parentheses
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [0, 0, 0, 0]
    return [int(each) for each in fields[11:15]]
