"""`attestore site` of 10, 1,000 and 10,000 runs: from nothing, and again over what is there."""

from __future__ import annotations

import shutil
from pathlib import Path

from alone import attestore
from moulds import SYSTEMS, Mould, begun
from world import table

from attestore.adapters.postgres.programs import Installation

__all__ = ["measure"]

_RUNS = (10, 1_000, 10_000)
_ALWAYS = 1_000
"""runs that scale 1 covers; 10,000 take ten times as long"""


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """So many runs as the scale allows; about two minutes at 1, a quarter of an hour at 10."""
    del installation
    counts = [count for count in _RUNS if count <= max(_RUNS[0], _ALWAYS * scale)]
    rows = [_row(count, folder / str(count)) for count in counts]
    head = ("runs", "pages", "from nothing", "processor", "a run", "again", "processor", "index", "largest list", "all pages", "peak memory")  # fmt: skip
    return table(head, rows) + (
        f"\n\nA run is as large as one of the demo (242 observations, two gates with 63 criteria, 700 kB of PDFs and reports; files "
        f"that all runs have alike lie on the disk once, so their bytes come from memory), of {SYSTEMS} systems; the newest of each is "
        "signed by a real gpg and audited in full, as `attestore status` does. Every build computes every digest again and judges every "
        "verdict again. Processor time is that of all its processes, memory that of the largest. Owed: 1,000 runs within 30 s, an index of 300 kB. "
        f"Run here: {', '.join(f'{count:,}' for count in counts)} (10,000 at scale 10)."
    )


def _row(count: int, folder: Path) -> tuple[str, ...]:
    with begun(folder) as (reports, pen):
        mould = Mould(folder)
        systems = min(SYSTEMS, count)
        mould.fill(reports, count - systems, by=pen.fingerprint)
        for number in range(systems):
            mould.newest(reports, pen=pen, system=f"system-{number:02d}")
    words = ("site", "--reports", reports, "--home", folder / ".attestore")
    first = attestore(*words, folder=folder)
    again = attestore(*words, folder=folder)
    pages = [reports / "index.html", *(reports / "_site").rglob("*.html")]
    lists = [page for page in pages if page.parent.name != "runs"]
    row = (
        f"{count:,}",
        f"{len(pages):,}",
        f"{first.wall:.1f} s",
        f"{first.processor:.1f} s",
        f"{first.processor / count * 1000:.0f} ms",
        f"{again.wall:.1f} s",
        f"{again.processor:.1f} s",
        f"{pages[0].stat().st_size / 1000:,.0f} kB",
        f"{max(page.stat().st_size for page in lists[1:]) / 1000:,.0f} kB",
        f"{sum(page.stat().st_size for page in pages) / 1e6:,.0f} MB",
        f"{max(first.peak_kib, again.peak_kib) / 1024:.0f} MiB",
    )
    shutil.rmtree(folder)
    return row
