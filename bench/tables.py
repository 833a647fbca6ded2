"""Thousands of small tables: the whole cycle beside pg_dump and pg_restore of the same, by hand."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path

from world import attestore, mebibytes, serving, table

from attestore.adapters.postgres.cluster import Connection, scratch_settings
from attestore.adapters.postgres.programs import Installation

__all__ = ["measure"]

_COUNT = 5_000
_JOBS = 2


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """Both ways take turns; the target by hand is a running server with the same scratch settings."""
    count = max(10, int(_COUNT * scale))
    took: dict[str, list[float]] = {"by hand": [], "audit": [], "stream": []}
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
        for number in range(int(os.environ.get("BENCH_ROUNDS", "3"))):
            took["by hand"].append(_by_hand(source, target, installation, folder, number))
            for method in ("audit", "stream"):
                words = ("--source", source.conninfo, "--gate", "S9-PROD-004", "--method", method, "--system", "bench")
                done = attestore(folder, installation, "run", *words)
                took[method].append(done.seconds)
                peaks[method] = max(peaks.get(method, 0), done.peaks["attestore"])
            print({way: f"{times[-1]:.1f} s" for way, times in took.items()}, flush=True)
    rows = []
    for way, times in took.items():
        ratios = [a / b for a, b in zip(times, took["by hand"], strict=True)]
        rows.append(
            (f"{count:,} tables", way, f"{statistics.median(times):.1f} s", f"{statistics.median(ratios):.2f} ×",
             f"{min(ratios):.2f}–{max(ratios):.2f}", mebibytes(peaks[way]) if way in peaks else "–")
        )  # fmt: skip
    return table(("database", "what", "median", "against by hand", "spread", "attestore's peak"), rows) + (
        f"\n\nBy hand: `pg_dump -Fd -Z0 --no-sync -j{_JOBS}` and `pg_restore -j{_JOBS}` into a server that runs already, with the same "
        "settings as the isolated one; no sealing, no store, no proof, no report. The cycle is everything, its own "
        "initdb and the printing of the report included."
    )


def _scratch() -> dict[str, str]:
    return {name: str(value) for name, value in scratch_settings(_JOBS).items()}


def _by_hand(source: Connection, target: Connection, installation: Installation, folder: Path, number: int) -> float:
    archive = folder / f"dump{number}"
    dump = [
        str(installation.program("pg_dump")),
        "-Fd",
        "-Z0",
        "--no-sync",
        f"-j{_JOBS}",
        "-d",
        source.conninfo,
        "-f",
        str(archive),
    ]
    restore = [str(installation.program("pg_restore")), f"-j{_JOBS}", str(archive)]
    began = time.monotonic()
    subprocess.run(dump, check=True)
    with target.on("postgres").connect() as session:
        session.execute(f"CREATE DATABASE copy{number} TEMPLATE template0".encode())
    subprocess.run([*restore, "-d", target.on(f"copy{number}").conninfo], check=True)
    seconds = time.monotonic() - began
    with target.on("postgres").connect() as session:
        session.execute(f"DROP DATABASE copy{number}".encode())
    return seconds
