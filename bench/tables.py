"""Thousands of small tables: the whole cycle beside pg_dump and pg_restore of the same, by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from turns import Spent, compared, timed, turns
from world import attestore, mebibytes, postmaster, serving, table

from attestore.adapters.postgres.cluster import Connection, scratch_settings
from attestore.adapters.postgres.programs import Installation

__all__ = ["measure"]

_COUNT = 5_000
_JOBS = 2
_BY_HAND = "by hand"


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """Both ways take turns; the target by hand is a running server with the same scratch settings."""
    count = max(10, int(_COUNT * scale))
    peaks: dict[str, int] = {}
    with serving(installation, folder) as source, serving(installation, folder, **_scratch()) as target:
        with source.connect() as session:
            for start in range(0, count, 200):
                session.execute(
                    ";".join(
                        f"CREATE TABLE t{n} (id int PRIMARY KEY, note text);"
                        f"INSERT INTO t{n} SELECT i, 'note ' || i FROM generate_series(1, 20) i"
                        for n in range(start, min(start + 200, count))
                    ).encode()
                )
        servers = tuple(postmaster(each) for each in (source, target))

        def cycle(method: str) -> Spent:
            def work() -> None:
                words = ("--source", source.conninfo, "--gate", "S9-PROD-004", "--method", method, "--system", "bench")
                done = attestore(folder, installation, "run", *words)
                peaks[method] = max(peaks.get(method, 0), done.peaks["attestore"])

            return timed(work, servers=servers)

        cycle("audit")  # makes keys and the configuration, which stay
        ways: dict[str, Callable[[], Spent]] = {
            _BY_HAND: partial(_by_hand, source, target, installation, folder, servers),
            "audit": partial(cycle, "audit"),
            "stream": partial(cycle, "stream"),
        }
        took = turns(ways, int(os.environ.get("BENCH_ROUNDS", "3")))
    rows = [(*row, mebibytes(peaks[row[0]]) if row[0] in peaks else "–") for row in compared(took, (_BY_HAND,))]
    head = (f"{count:,} tables", "wall", "processors", "by hand ×", "processors ×", "attestore's peak")
    return table(head, rows) + (
        "\n\nOwed are 1.3 × by the clock. Medians; ratios are medians of the pairs of one round, with the least and the greatest.\n"
        f"`{_BY_HAND}`: `pg_dump -Fd -Z0 --no-sync -j{_JOBS}` and `pg_restore -j{_JOBS}` into a server that runs already, with the same "
        "settings as the isolated one; no sealing, no store, no statistics, no proof, no report. The cycle is everything, its own "
        "initdb, the trials, the proof of the copy, the control's second look and the printing of the report included. Processors: seconds of all processes "
        "of either way, servers included."
    )


def _scratch() -> dict[str, str]:
    return {name: str(value) for name, value in scratch_settings(_JOBS).items()}


def _by_hand(
    source: Connection, target: Connection, installation: Installation, folder: Path, servers: tuple[int, ...]
) -> Spent:
    archive = folder / "dump"
    dump = [str(installation.program("pg_dump")), "-Fd", "-Z0", "--no-sync", f"-j{_JOBS}"]
    restore = [str(installation.program("pg_restore")), f"-j{_JOBS}", str(archive), "-d", target.on("copy").conninfo]

    def work() -> None:
        subprocess.run([*dump, "-d", source.conninfo, "-f", str(archive)], check=True)
        with target.on("postgres").connect() as session:
            session.execute(b"CREATE DATABASE copy TEMPLATE template0")
        subprocess.run(restore, check=True)

    try:
        return timed(work, servers=servers)
    finally:
        with target.on("postgres").connect() as session:
            session.execute(b"DROP DATABASE IF EXISTS copy")
        shutil.rmtree(archive, ignore_errors=True)
