"""Start-up: what a word on the command line costs before anything is done, beside an interpreter that does nothing."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from world import table

from attestore.adapters.postgres.programs import Installation
from attestore.resources import gates_folder

__all__ = ["measure"]

_TURNS = 21
_OWED_MS = 150


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """All take turns; half a minute at any scale."""
    del installation, scale
    programme = str(Path(sys.executable).with_name("attestore"))
    commands: dict[str, Sequence[str]] = {
        "`python -c pass`": (sys.executable, "-c", "pass"),
        "`attestore --version`": (programme, "--version"),
        "`attestore --help`": (programme, "--help"),
        "`attestore gates check` of one gate": (programme, "gates", "check", str(gates_folder() / "S9-PROD-004.yaml")),
    }
    walls: dict[str, list[float]] = {name: [] for name in commands}
    works: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(_TURNS + 1):
        for name, command in commands.items():
            wall, work = _once(command, folder)
            if turn:  # the first turn writes byte code and fills caches
                walls[name].append(wall)
                works[name].append(work)
    nothing, *_ = walls
    rows = []
    for name in commands:
        more = [a - b for a, b in zip(walls[name], walls[nothing], strict=True)]
        rows.append(
            (
                name,
                f"{statistics.median(walls[name]):.0f} ms",
                "–" if name == nothing else f"+{statistics.median(more):.0f} ms",
                "–" if name == nothing else f"{min(more):.0f}–{max(more):.0f} ms",
                f"{statistics.median(works[name]):.0f} ms",
            )
        )
    return table(("what", "median", "against nothing", "spread", "processor"), rows) + (
        f"\n\n{_TURNS} turns of each, one after another, byte code written before. Owed: `attestore --help` within "
        f"{_OWED_MS} ms of an interpreter that does nothing. What `--help` may import is held by a test, not by a clock."
    )


def _once(command: Sequence[str], folder: Path) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
    )
    wall = (time.perf_counter() - began) * 1000
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, work * 1000
