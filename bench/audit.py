"""`attestore audit` of one bundle, and of reports folders with ever more runs; `status` and `metrics` of the same."""

from __future__ import annotations

import shutil
from pathlib import Path

from alone import Used, attestore
from moulds import begun
from signed import sealed
from world import table

from attestore.adapters.postgres.programs import Installation

__all__ = ["measure"]

_RUNS = (10, 100, 1_000, 10_000)
_ALWAYS = 100
"""runs that scale 1 covers: each is signed by a real gpg a dozen times, and every signature is looked at"""


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """So many runs as the scale allows; about two minutes at 1."""
    del installation
    counts = [count for count in _RUNS if count <= max(_RUNS[0], _ALWAYS * scale)]
    rows: list[tuple[str, ...]] = []
    for count in counts:
        rows += _rows(count, folder / str(count), alone=count == counts[-1])
    return table(("what", "runs", "time", "processor", "a run", "peak memory"), rows) + (
        "\n\nEvery run has one gate, one page of PDF per report, and real signatures of gpg; all of them hold. `audit` looks at every signature of every "
        "bundle, judges and renders again; `status` at those of the newest run of each gate of ten systems; `metrics` as `status`, and the journals of the newest. "
        f"Run here: {', '.join(f'{count:,}' for count in counts)} (1,000 at scale 10, 10,000 at 100)."
    )


def _rows(count: int, folder: Path, *, alone: bool) -> list[tuple[str, ...]]:
    with begun(folder) as (reports, pen):
        bundles = sealed(reports, count, pen=pen)
    home = ("--home", folder / ".attestore")
    rows = []
    if alone:
        rows.append(_told("audit of one bundle", 1, attestore("audit", bundles[0], *home, folder=folder)))
    rows.append(_told("audit", count, attestore("audit", reports, *home, folder=folder)))
    for word in ("status", "metrics"):
        used = attestore(word, "--reports", reports, *home, folder=folder)
        rows.append(_told(word, count, used))
    shutil.rmtree(folder)
    return rows


def _told(what: str, count: int, used: Used) -> tuple[str, ...]:
    each = f"{used.processor / count * 1000:.0f} ms"
    return what, f"{count:,}", f"{used.wall:.1f} s", f"{used.processor:.1f} s", each, f"{used.peak_kib / 1024:.0f} MiB"
