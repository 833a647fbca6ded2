"""What a backup costs the server under care, beside what pg_dump alone costs it: processor time, and what it reads."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cycle import shop
from turns import of_server, ratio
from world import attestore, mebibytes, postmaster, serving, table

from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.programs import Installation

__all__ = ["measure"]

_JOBS = 2
_ALONE = "pg_dump"
_STATISTICS_S = 1.0
"""after which the server has told what ended sessions read"""
_WAYS: Mapping[str, tuple[str, ...]] = {
    "audit": (),
    "stream": ("--method", "stream"),
    "audit, --source-jobs 1": ("--source-jobs", "1"),
    "audit, --source-jobs 1 --source-pause 50ms": ("--source-jobs", "1", "--source-pause", "50ms"),
}


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of one backup: seconds of the source's processors, bytes of pages, and seconds that the snapshot was held."""

    processor: float
    asked: int
    read: int
    """of those asked for, what its shared memory lacked"""
    temporary: int
    held: float


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """All ways take turns on one shop; only the server under care is looked at."""
    with serving(installation, folder, autovacuum="off") as source:
        told = shop(source, scale)
        with source.connect() as session:
            session.execute(b"CHECKPOINT")
        ways: dict[str, Callable[[], float]] = {_ALONE: partial(_dump, source, installation, folder)}
        ways |= {name: partial(_backup, source, installation, folder, words) for name, words in _WAYS.items()}
        pid = postmaster(source)
        _dump(source, installation, folder)  # whatever comes first reads from the disk
        costs: dict[str, list[_Cost]] = {name: [] for name in ways}
        order = list(ways)
        for number in range(int(os.environ.get("BENCH_ROUNDS", "3"))):
            for name in order[number % len(order) :] + order[: number % len(order)]:
                costs[name].append(_cost(source, pid, ways[name]))
                print(f"{name}: {costs[name][-1]}, load {os.getloadavg()[0]:.1f}", flush=True)
    head = ("backup", "source's processors", "× pg_dump", "read", "× pg_dump", "beyond its memory", "temporary", "held")
    rows = table(head, [_row(name, costs) for name in costs])
    return (
        f"{told}\n\n{rows}\n\nOf the source server alone, all its processes; medians, and ratios of the pairs of one round with the least "
        f"and the greatest. `{_ALONE}`: `pg_dump -Fd -j{_JOBS}` and nothing else. The others: `attestore backup` with its checks "
        "beforehand, two jobs where nothing else is said. Read: pages asked for (`blks_read + blks_hit` of `pg_stat_database`), be they "
        "in the server's memory or not; beyond it: `blks_read` alone. Held: how long the snapshot kept vacuum back; of `pg_dump`, how "
        "long it took. `--source-jobs` and `--source-pause` stretch the cost over a longer time; they save none."
    )


def _row(name: str, costs: Mapping[str, Sequence[_Cost]]) -> tuple[str, ...]:
    own, alone = costs[name], costs[_ALONE]
    busy = ratio([each.processor for each in own], [each.processor for each in alone])
    asked = ratio([each.asked for each in own], [each.asked for each in alone])
    return (
        name,
        f"{statistics.median(each.processor for each in own):.2f} s",
        f"{busy[0]:.2f} × ({busy[1]:.2f}–{busy[2]:.2f})",
        mebibytes(statistics.median(each.asked for each in own)),
        f"{asked[0]:.2f} ×",
        mebibytes(statistics.median(each.read for each in own)),
        mebibytes(statistics.median(each.temporary for each in own)),
        f"{statistics.median(each.held for each in own):.1f} s",
    )


def _cost(source: Connection, pid: int, work: Callable[[], float]) -> _Cost:
    before, busy = _told(source), of_server(pid)
    held = work()
    spent = of_server(pid) - busy
    time.sleep(_STATISTICS_S)
    after = _told(source)
    asked, read, temporary = (late - early for early, late in zip(before, after, strict=True))
    return _Cost(spent, asked, read, temporary, held)


def _told(source: Connection) -> tuple[int, ...]:
    """Bytes of pages that the database was asked for so far, of those not in shared memory, and of temporary files."""
    with source.connect() as session:
        row = session.execute(
            b"SELECT (blks_read + blks_hit) * 8192, blks_read * 8192, temp_bytes FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    if row is None:
        raise RuntimeError("the server has no statistics of its database")
    return tuple(int(each) for each in row)


def _dump(source: Connection, installation: Installation, folder: Path) -> float:
    archive = folder / "dump"
    began = time.monotonic()
    subprocess.run(
        [installation.program("pg_dump"), "-Fd", f"-j{_JOBS}", "-d", source.conninfo, "-f", archive], check=True
    )
    took = time.monotonic() - began
    shutil.rmtree(archive)
    return took


def _backup(source: Connection, installation: Installation, folder: Path, words: Sequence[str]) -> float:
    """The seconds for which the snapshot was held, as the evidence says."""
    done = attestore(folder, installation, "backup", "--source", source.conninfo, "--system", "bench", *words)
    for part in (folder / ".attestore" / "store").rglob("*.gpg"):
        part.unlink()
    journal = (folder / str(done.result["bundle"]) / "journal.jsonl").read_text()
    told = (json.loads(line) for line in journal.splitlines())
    return next(int(each["value"]) for each in told if each.get("fact") == "snapshot.held") / 1_000
