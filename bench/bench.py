"""Measures what is owed: `make bench`, or `make bench BENCH=memory SCALE=0.1`; results go to RESULTS.md.

Each row runs unattended and writes its own section. On two processors that do nothing else, scale 1 takes about: cycle 8 minutes,
memory 50 (40 GB of disk), fingerprint 5, tables 5, s3 10, source 5, start 1, report 2, parts 1. `--quick` shows all rows in a quarter of an hour, and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import audit
import cycle
import fingerprints
import memory
import parts
import report
import s3
import site_of_runs
import source
import start
import tables

from attestore import __version__
from attestore.adapters.postgres.programs import Installation, find
from attestore.adapters.process import Runner
from attestore.errors import Error

_RESULTS = Path(__file__).parent / "RESULTS.md"
_QUICK = 0.05
_INTRO = """\
# Measured

By `make bench`, on one machine at a time; each section says when, on what, and at which scale. Ratios are of runs that
took turns in one session; a figure without its spread says nothing.
"""
_ALL: Mapping[str, Callable[[Installation, float, Path], str]] = {
    "cycle": cycle.measure,
    "memory": memory.measure,
    "fingerprint": fingerprints.measure,
    "tables": tables.measure,
    "s3": s3.measure,
    "source": source.measure,
    "start": start.measure,
    "report": report.measure,
    "parts": parts.measure,
    "site": site_of_runs.measure,
    "audit": audit.measure,
}

_HEADINGS = {"parts": "parts of a report"}
"""where the name of a row says too little"""


def main() -> None:
    """Measure what was asked for; each result replaces its own section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", choices=[*_ALL, "all"], default="all")
    parser.add_argument("--scale", type=float, default=1.0, help="1: as much data as the figures are owed for")
    parser.add_argument("--major", type=int, default=0, help="PostgreSQL of this major; default: the first found")
    parser.add_argument(
        "--only",
        default="",
        help="memory: which of the sizes, such as 1,2 (4: one large table); cycle: gallery or shop; default: all",
    )
    parser.add_argument("--methods", default="audit,stream", help="memory: by which methods")
    parser.add_argument(
        "--folder",
        default="/tmp",  # noqa: S108  an unprivileged server must be able to enter, and socket paths are short
        help="where servers and their files lie: on the disk that is to be measured, or in memory",
    )
    parser.add_argument("--rounds", default="3", help="cycle, tables, source: how many turns")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="every row at scale 0.05 in one round, to see it work; RESULTS.md stays as it is",
    )
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.scale, chosen.rounds = _QUICK, "1"
    installation = _installation(chosen.major)
    os.environ["BENCH_ONLY"] = chosen.only
    os.environ["BENCH_METHODS"] = chosen.methods
    os.environ["BENCH_ROUNDS"] = chosen.rounds
    broken = []
    for name in _ALL if chosen.bench == "all" else (chosen.bench,):
        try:
            told = _measured(name, installation, chosen.scale, below=chosen.folder)
        except Error as problem:
            print(f"{name}: {problem.message}. {problem.hint}".rstrip(), file=sys.stderr)
            broken.append(name)
            continue
        except Exception:  # noqa: BLE001  nobody is there to begin the other rows again
            traceback.print_exc()
            broken.append(name)
            continue
        if not chosen.quick:
            _write(name, f"{_about(installation, chosen.scale)}\n\n{told}")
        print(f"\n## {name}\n\n{told}\n", flush=True)
    if broken:
        raise SystemExit(f"rows that could not be measured: {', '.join(broken)}")


def _installation(major: int) -> Installation:
    """The PostgreSQL that is measured; ends the programme where something that every row needs is missing."""
    missing = [name for name in ("gpg", "tar", "cp") if shutil.which(name) is None]
    found = [each for each in find(Runner()) if each.has("postgres", "initdb", "pg_dump", "pg_restore", "psql")]
    fitting = [each for each in found if major in {0, each.major}]
    if missing or not fitting:
        known = ", ".join(each.version for each in found) or "none"
        what = missing or [
            f"a PostgreSQL {major or ''}".rstrip() + f" with server and client programmes (found: {known})"
        ]
        raise SystemExit(
            f"bench: missing here: {', '.join(what)}. On Debian and Ubuntu: sudo apt-get install --yes postgresql gnupg"
        )
    return fitting[0]


def _measured(name: str, installation: Installation, scale: float, *, below: str) -> str:
    with tempfile.TemporaryDirectory(prefix="attestore-bench-", dir=below) as folder:
        Path(folder).chmod(0o711)
        began = time.monotonic()
        told = _ALL[name](installation, scale, Path(folder))
        return f"{told}\n\nMeasuring took {(time.monotonic() - began) / 60:.0f} minutes."


def _about(installation: Installation, scale: float) -> str:
    with Path("/proc/meminfo").open() as file:
        total = next(int(line.split()[1]) for line in file if line.startswith("MemTotal"))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · scale {scale:g} · Attestore {__version__}, "
        f"Python {platform.python_version()}, PostgreSQL {installation.version} · {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} processors, {total / 2**20:.0f} GiB memory · "
        f"load when it ended {load} (other work on the machine makes every time longer)"
    )


def _write(name: str, text: str) -> None:
    old = _RESULTS.read_text() if _RESULTS.exists() else _INTRO
    heading = _HEADINGS.get(name, name)
    section = f"## {heading}\n\n{text.rstrip()}\n"
    pattern = re.compile(rf"^## {heading}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    new = pattern.sub(lambda _: section + "\n", old) if pattern.search(old) else f"{old.rstrip()}\n\n{section}"
    _RESULTS.write_text(new.rstrip() + "\n")


if __name__ == "__main__":
    main()
