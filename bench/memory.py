"""Time, peak memory and peak disk of whole cycles, as databases grow; and a table of more than 1 GiB of text."""

from __future__ import annotations

import os
from pathlib import Path

from disk import Held, watching
from world import Cycle, attestore, mebibytes, serving, table

from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.programs import Installation

__all__ = ["measure"]

_SIZES_MB = (100, 1024, 10_240)
_LARGE = 1.25 * 2**30
_TABLES = 4
_ROW = 400
_SHOWN = {
    "python": "layout",
    "gpg": "gpg",
    "postgres": "postgres",
    "pg_dump": "pg_dump",
    "pg_restore": "pg_restore",
    "psql": "psql",
}


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """Whole cycles by both methods at several sizes, then one large table."""
    only = [int(each) for each in os.environ.get("BENCH_ONLY", "").split(",") if each]
    methods = [each for each in ("audit", "stream") if each in os.environ.get("BENCH_METHODS", "audit,stream")]
    wanted = [(size * 1e6, _TABLES, f"in {_TABLES} tables") for size in _SIZES_MB] + [(_LARGE, 1, "in one table")]
    rows = []
    for number, (size, tables, where) in enumerate(wanted, 1):
        if only and number not in only:
            continue
        with serving(installation, folder) as server:
            held = _fill(server, size=int(size * scale), tables=tables)
            for each in methods:
                done, disk = _cycle(server, installation, folder, each)
                rows.append(_row(f"{held} {where}", each, done, disk))
    return table(
        ("database", "method", "time", "attestore", *_SHOWN.values(), "work folder", "store", "disk"), rows
    ) + (
        "\n\nPeak resident memory of one process of each programme: VmHWM of `attestore` and of what it starts (layout: a process that prints reports); of "
        "`postgres` (the isolated server) the private part, RssAnon. Disk: most bytes seen in the work folder (dump, parts, the isolated server), "
        "in the store with what waits for it, and in both at one time. Whole cycle: `attestore run --gate S9-PROD-004`."
    )


def _fill(server: Connection, *, size: int, tables: int) -> str:
    with server.connect() as session:
        for number in range(tables):
            session.execute(
                f"CREATE TABLE t{number} (id bigint PRIMARY KEY, at timestamptz, note text, payload text)".encode()
            )
            count = size // tables // _ROW
            session.execute(
                f"INSERT INTO t{number} SELECT i, '2020-01-01'::timestamptz + i * interval '1 second', 'note ' || i,"
                f" repeat(md5(i::text), 9) FROM generate_series(1, {count}) i".encode()
            )
        row = session.execute(b"SELECT pg_database_size(current_database())").fetchone()
    return mebibytes(row[0] if row else 0)


def _cycle(server: Connection, installation: Installation, folder: Path, method: str) -> tuple[Cycle, Held]:
    words = ("--source", server.conninfo, "--method", method, "--gate", "S9-PROD-004", "--system", "bench")
    with watching({"work": folder / "tmp", "store": folder / ".attestore"}) as disk:
        done = attestore(folder, installation, "run", *words)
    # the store would fill the disk
    for part in (folder / ".attestore" / "store").rglob("*.gpg"):
        part.unlink()
    if done.result["outcome"] != "PASS":
        raise RuntimeError(f"the cycle did not pass: {done.result}")
    return done, disk


def _row(what: str, method: str, done: Cycle, disk: Held) -> tuple[str, ...]:
    peaks = {name: mebibytes(size) for name, size in done.peaks.items()}
    print(what, method, f"{done.seconds:.1f} s", peaks, disk.peaks, flush=True)
    shown = (mebibytes(done.peaks[name]) if name in done.peaks else "–" for name in _SHOWN)
    held = (disk.peaks["work"], disk.peaks["store"], disk.together)
    return (what, method, f"{done.seconds:.0f} s", mebibytes(done.peaks["attestore"]), *shown, *map(mebibytes, held))
