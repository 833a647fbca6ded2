"""`attestore audit` of one bundle, and of reports folders with ever more runs; `status`, `metrics` and `list` of the same."""

from __future__ import annotations

import shutil
from pathlib import Path

from alone import Used, attestore
from moulds import begun
from signed import sealed
from world import table

from attestore.adapters.postgres.programs import Installation
from attestore.evidence import manifest

__all__ = ["measure"]

_RUNS = (10, 1_000, 10_000)
_ALWAYS = 1_000
"""runs that scale 1 covers: each is signed by a real gpg seven times, and every signature is looked at"""
_STORED = 60
"""backups that the store holds: what daily, weekly and monthly rules leave of ten systems, or of one"""


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """So many runs as the scale allows; three minutes at 1, twenty at 10."""
    del installation
    counts = [count for count in _RUNS if count <= max(_RUNS[0], _ALWAYS * scale)]
    rows: list[tuple[str, ...]] = []
    for count in counts:
        rows += _rows(count, folder / str(count), alone=count == counts[-1])
    return table(("what", "runs", "time", "processor", "a run", "peak memory"), rows) + (
        "\n\nEvery run has one gate, one page of PDF per report, and real signatures of gpg; all of them hold. `audit` looks at every signature of every "
        "bundle, judges and renders again, on all processors; `status` at those of the newest run of each gate of ten systems; `metrics` as `status`, and the "
        f"journals of the newest; `list` at the signed manifests of {_STORED} backups in a folder, and at who restored them. Reports show fifty earlier runs, "
        "once there are as many. Processor time is that of all processes, memory that of the largest. "
        f"Run here: {', '.join(f'{count:,}' for count in counts)} (10,000 at scale 10)."
    )


def _rows(count: int, folder: Path, *, alone: bool) -> list[tuple[str, ...]]:
    with begun(folder) as (reports, pen):
        bundles = sealed(reports, count, pen=pen)
    _store(bundles[-_STORED:], folder / ".attestore" / "store")
    home = ("--home", folder / ".attestore")
    rows = []
    if alone:
        rows.append(_told("audit of one bundle", 1, attestore("audit", bundles[0], *home, folder=folder)))
    rows.append(_told("audit", count, attestore("audit", reports, *home, folder=folder)))
    for word in ("status", "metrics", "list"):
        used = attestore(word, "--reports", reports, *home, folder=folder)
        rows.append(_told(word, count, used))
    shutil.rmtree(folder)
    return rows


def _store(bundles: list[Path], store: Path) -> None:
    """The backups of these runs, as much of them as a listing looks at: their manifests, and parts of the right size."""
    for bundle in bundles:
        told = manifest.decode((bundle / "manifest.json").read_bytes())
        place = store / told.system / told.backup
        place.mkdir(parents=True)
        for name in ("manifest.json", "manifest.json.asc"):
            shutil.copy(bundle / name, place / name)
        for part in told.parts:
            (place / part.name).write_bytes(bytes(part.size))


def _told(what: str, count: int, used: Used) -> tuple[str, ...]:
    each = f"{used.processor / count * 1000:.0f} ms"
    return what, f"{count:,}", f"{used.wall:.1f} s", f"{used.processor:.1f} s", each, f"{used.peak_kib / 1024:.0f} MiB"
