"""`attestore report` of a sealed run: of few and of very many tables, and after ever more runs of the same system."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from alone import attestore
from moulds import Mould, begun
from turns import timed
from world import table

import bundles
from attestore.adapters.postgres.programs import Installation
from attestore.archive import history
from attestore.compose import auditing
from attestore.proof import Object, Proof, Table

__all__ = ["measure", "sealed"]

_TABLES = (10, 5_000)
_PREVIOUS = (10, 1_000, 10_000)
_BEFORE = {
    (10, 0): "3.1 s, 4.8 s",
    (5_000, 0): "3.6 s, 5.4 s",
    (10, 10): "3.4 s, 5.2 s",
    (10, 1_000): "3.4 s, 5.4 s",
    (10, 10_000): "3.5 s, 5.4 s",
}
"""by the clock and by processors, on the same machine, idle, on 2026-11-27"""
_READ = 50
"""newest runs whose journals a report's history is read from"""


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """Tables by scale, down to 100; previous runs up to as many as the scale allows. Under two minutes at scale 1."""
    del installation
    rows = []
    for wanted in _TABLES:
        count = wanted if wanted <= _TABLES[0] else max(100, int(wanted * scale))
        rows.append(_row(folder / f"tables-{count}", tables=count, previous=0))
    several = [count for count in _PREVIOUS if count <= max(_PREVIOUS[0], _PREVIOUS[-1] * scale)]
    rows += [_row(folder / f"runs-{count}", tables=_TABLES[0], previous=count) for count in several]
    head = (
        "tables",
        "previous runs",
        "`attestore report`",
        "processor",
        "before one child was kept",
        "peak memory",
        "history read",
        "its processor",
    )
    return table(head, rows) + (
        "\n\nTwo gates and a summary, each as Markdown and PDF with its evidence attached, from the bundle alone; an index per table, all alike. "
        "History is what a new run of the system reads of the previous ones before it is sealed: the whole ledger, and the journals of the newest "
        f"{_READ}, by the signature of the last. Previous runs are of ten systems in turn, as large as one of the demo."
    )


def _row(folder: Path, *, tables: int, previous: int) -> tuple[str, ...]:
    with begun(folder) as (reports, pen):
        mould = Mould(folder)
        if previous:
            mould.fill(reports, previous - 1, by=pen.fingerprint, bundles=_READ * 10)
            # signed by a real gpg, it vouches for those before it
            mould.newest(reports, pen=pen, system="system-00", name="last")
        with auditing(folder / ".attestore" / "roster.yaml") as trust:
            read = timed(lambda: history(reports, "system-00", roster=trust.roster, verifier=trust.verifier))
        run = mould.newest(reports, pen=pen, system="system-00", like=_draft(tables))
    used = attestore("report", run, "--into", folder / "again", folder=folder)
    shutil.rmtree(folder)
    return (
        f"{tables:,}",
        f"{previous:,}",
        f"{used.wall:.1f} s",
        f"{used.processor:.1f} s",
        _BEFORE.get((tables, previous), "–"),
        f"{used.peak_kib / 1024:.0f} MiB",
        f"{read.wall:.2f} s",
        f"{read.processor:.2f} s",
    )


def sealed(folder: Path, *, tables: int) -> Path:
    """A run of so many tables, and nothing else."""
    with begun(folder) as (reports, pen):
        return Mould(folder).newest(reports, pen=pen, system="system-00", like=_draft(tables))


def _draft(tables: int) -> bundles.Draft:
    return bundles.Draft(source=_proof("source", tables), restored=_proof("restored", tables))


def _proof(side: str, count: int) -> Proof:
    """As many tables, each with rows and an index."""
    names = [f"t{number:05d}" for number in range(count)]
    held = tuple(
        Table("public", name, "table", number, (number * 7919, number, 5, 7), ("id",), size=8192)
        for number, name in enumerate(names, 1)
    )
    indexes = tuple(
        Object("index", f"public.{name}_pkey", f"CREATE UNIQUE INDEX {name}_pkey ON public.{name} (id)", "valid")
        for name in names
    )
    return replace(bundles.proof(side), tables=held, objects=indexes, foreign_keys=())
