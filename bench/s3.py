"""Whole cycles through S3 beside the same into a folder: time of the phases that touch the store, and the programme's peak memory.

The endpoint is tests/plainserver.py, which keeps objects on the disk: what is measured is our side, not a service's. `far` is the
same behind narrow.py, 50 ms away and 50 MB/s for each stream.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from world import Cycle, attestore, mebibytes, serving, table

from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.programs import Installation

__all__ = ["measure"]

_SIZES_MB = (100, 1024)
_ROW = 700
_PHASES = ("seal", "store", "retrieve", "unseal")
_LATENCY_MS = 50
_RATE = 50_000_000
_NARROW = Path(__file__).with_name("narrow.py")
_SERVER = Path(__file__).parents[1] / "tests" / "plainserver.py"


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """The same cycle into a folder and into a bucket, at several sizes."""
    rows = []
    os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
    for size in _SIZES_MB:
        with serving(installation, folder) as server, _endpoint(folder) as url, _far(url) as far:
            held = _fill(server, size=int(size * 1e6 * scale))
            words = ("run", "--source", server.conninfo, "--gate", "S9-PROD-004", "--system", "bench")
            for where, store in _stores(folder, url, far):
                done = attestore(folder, installation, *words, "--store", store)
                rows.append(_row(held, where, done, folder=folder))
                for part in (folder / "kept").rglob("*.gpg"):
                    part.unlink()
    return table(("database", "store", "sealed", "time", *_PHASES, "attestore"), rows) + (
        "\n\nWhole cycle: `attestore run --gate S9-PROD-004`. Into a bucket, parts of 16 MiB go while the backup is sealed, four at a time, "
        f"each request signed with its own SHA-256; `store` is what is left of that, and every byte read back. `unseal` is what is left when all was fetched. S3, far: {_LATENCY_MS} ms of latency and "
        f"{_RATE / 1e6:.0f} MB/s for each stream, each way. Peak resident memory of `attestore` (VmHWM)."
    )


def _fill(server: Connection, *, size: int) -> str:
    """Rows of hexadecimal digests: they seal to half of their size, not to nearly nothing."""
    digests = " || ".join(f"md5((i * {factor})::text)" for factor in range(1, 20))
    with server.connect() as session:
        session.execute(b"CREATE TABLE t (id bigint PRIMARY KEY, payload text)")
        session.execute(f"INSERT INTO t SELECT i, {digests} FROM generate_series(1, {size // _ROW}) i".encode())
        row = session.execute(b"SELECT pg_database_size(current_database())").fetchone()
    return mebibytes(row[0] if row else 0)


def _row(held: str, where: str, done: Cycle, *, folder: Path) -> tuple[str, ...]:
    if done.result["outcome"] != "PASS":
        raise RuntimeError(f"the cycle did not pass: {done.result}")
    bundle = max(path for path in (folder / "reports").iterdir() if path.is_dir())
    lines = [json.loads(line) for line in (bundle / "journal.jsonl").read_text().splitlines()]
    took = {line["subject"]: line["value"] for line in lines if line["fact"] == "phase.elapsed"}
    sealed = next(line["value"] for line in lines if line["fact"] == "backup.size.sealed")
    phases = (f"{took[name] / 1000:.1f} s" for name in _PHASES)
    return (held, where, mebibytes(sealed), f"{done.seconds:.0f} s", *phases, mebibytes(done.peaks["attestore"]))


def _stores(folder: Path, near: str, far: str) -> tuple[tuple[str, str], ...]:
    return (
        ("folder", str(folder / "kept")),
        ("S3", f"s3://bucket/?endpoint={near}"),
        ("S3, far", f"s3://distant/?endpoint={far}"),
    )


@contextmanager
def _far(near: str) -> Iterator[str]:
    with _listening(str(_NARROW), near.rpartition(":")[2], str(_LATENCY_MS), str(_RATE)) as url:
        yield url


@contextmanager
def _listening(*words: str) -> Iterator[str]:
    """A programme that tells its port, for a block."""
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
        finally:
            process.terminate()


@contextmanager
def _endpoint(folder: Path) -> Iterator[str]:
    objects = folder / "objects"
    objects.mkdir(exist_ok=True)
    with _listening(str(_SERVER), str(objects)) as url:
        try:
            yield url
        finally:
            for path in objects.iterdir():
                path.unlink()
