"""What monitoring needs: standing from an audit, figures from the ledger, an answer from each store. No private key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from attestore import __version__, forecast, instants
from attestore.archive.figures import system_figures
from attestore.audit import Row, status
from attestore.compose.check import Trust
from attestore.compose.foreseen import Foresight
from attestore.errors import StoreError, UnreachableError
from attestore.gate import Gate
from attestore.report.metrics import Family, Figures, GateFigure, Kept, StoreFigure
from attestore.run.listing import Listed
from attestore.standing import Standing

__all__ = ["Watch", "exposition", "figures", "gate_figures", "push_metrics", "write_metrics"]


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched."""

    reports: Path
    wanted: Mapping[tuple[str, str], Gate]
    """gates by system that must have run, whether or not they did"""
    stores: Mapping[str, Callable[[], tuple[Listed, ...]]]
    """what each store holds, asked when it is wanted"""
    before_expiry_ms: int


def figures(watch: Watch, *, trust: Trust, at: datetime) -> Figures:
    """Everything that is told at an instant.

    Raises:
        ArchiveError, TamperedError: the ledger can't be read.
    """
    gates = gate_figures(watch, trust=trust, at=at)
    return Figures(
        at=instants.text(at),
        version=__version__,
        gates=gates,
        systems=system_figures(watch.reports, systems={each.system for each in gates if each.system}, at=at),
        stores=tuple(_store(name, ask) for name, ask in watch.stores.items()),
        before_expiry_ms=watch.before_expiry_ms,
    )


def gate_figures(watch: Watch, *, trust: Trust, at: datetime) -> tuple[GateFigure, ...]:
    """What each gate of each system is worth: the rows of `attestore status`, and gates that nobody ever ran."""
    rows = status(
        watch.reports,
        roster=trust.roster,
        verifier=trust.verifier,
        at=at,
        now=trust.clock.now(),
        own={gate_id: each.digest for (_, gate_id), each in watch.wanted.items()},
    )
    foresight = Foresight(watch.reports, trust=trust, at=at)
    told = {(row.system, row.gate): _figure(watch, row, foresight) for row in rows}
    for (system, gate_id), wanted in watch.wanted.items():
        told.setdefault((system, gate_id), _of(wanted, system=system, standing=Standing.NEVER_RUN))
    return tuple(each for _, each in sorted(told.items()))


def _figure(watch: Watch, row: Row, foresight: Foresight) -> GateFigure:
    judged = watch.wanted.get((row.system, row.gate)) or foresight.judged(row)
    if judged is None:
        return GateFigure(system=row.system, gate=row.gate, standing=row.held.standing, finished=row.held.finished)
    told = _of(judged, system=row.system, standing=row.held.standing, until=row.held.until, finished=row.held.finished)
    return replace(told, forecast=foresight.of(row, judged))


def _of(judged: Gate, *, system: str, standing: Standing, until: str = "", finished: str = "") -> GateFigure:
    target = forecast.target(judged)
    return GateFigure(
        system=system,
        gate=judged.id,
        standing=standing,
        until=until,
        finished=finished,
        cadence_ms=judged.cadence_ms,
        rto_target_ms=None if target is None else target.ms,
    )


def _store(name: str, ask: Callable[[], tuple[Listed, ...]]) -> StoreFigure:
    try:
        listed = ask()
    except (StoreError, UnreachableError):
        return StoreFigure(store=name, reachable=False)
    return StoreFigure(store=name, reachable=True, kept=tuple(_kept(system, listed) for system in _systems(listed)))


def _systems(listed: Iterable[Listed]) -> Sequence[str]:
    return sorted({each.system for each in listed})


def _kept(system: str, listed: Iterable[Listed]) -> Kept:
    ours = [each for each in listed if each.system == system]
    whole = [each for each in ours if each.manifest is not None and not each.flaws]
    return Kept(
        system=system,
        backups=len(whole),
        flawed=len(ours) - len(whole),
        stored_bytes=sum(each.stored for each in ours),
        newest=max((each.manifest.taken for each in whole if each.manifest is not None), default=""),
    )


def exposition(families: Iterable[Family]) -> bytes:
    """The families as a scrape would answer them."""
    from attestore.adapters import prometheus

    return prometheus.exposition(families)


def write_metrics(path: Path, families: Iterable[Family]) -> None:
    """The file of a textfile collector, replaced as a whole.

    Raises:
        UsageError: the collector would not read a file of that name.
        DiskError: it can't be written.
    """
    from attestore.adapters import prometheus

    prometheus.write(path, families)


def push_metrics(url: str, families: Iterable[Family], *, instance: str) -> None:
    """Replace what a Pushgateway holds of this instance.

    Raises:
        UsageError: the address can't be meant.
        UnreachableError: nobody answers there, or refuses.
    """
    from attestore.adapters import prometheus

    prometheus.push(url, families, instance=instance)
