"""Figures become metric families: names and units by the Prometheus conventions (base units, `_total`, `_seconds`, `_bytes`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from attestore import instants
from attestore.report.metrics.figures import Figures, GateFigure, StoreFigure, SystemFigure
from attestore.standing import Standing

__all__ = ["Family", "Kind", "Sample", "families"]

_ENDS: Final = ("pass", "fail", "unknown", "stored", "died")


class Kind(Enum):
    """What a family's values do; the value is the exposition format's word."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value with its labels."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """All samples of one name."""

    name: str
    help: str
    kind: Kind
    samples: tuple[Sample, ...]


def families(told: Figures) -> tuple[Family, ...]:
    """Every family that has a sample, in a fixed order; what was never measured has none."""
    made = [
        _gauge(
            "attestore_build_info", "Version of Attestore that wrote these metrics.", [({"version": told.version}, 1)]
        ),
        _gauge("attestore_metrics_timestamp_seconds", "When these metrics were written.", [({}, _unix(told.at))]),
        *_gates(told.gates, before_ms=told.before_expiry_ms),
        *_forecasts(told.gates),
        *_runs(told.systems),
        *_sizes(told.systems),
        *_stores(told.stores),
        *_aliases(told.systems, told.stores),
    ]
    return tuple(family for family in made if family.samples)


_Values = list[tuple[dict[str, str], float]]


def _gauge(name: str, text: str, values: _Values, *, kind: Kind = Kind.GAUGE) -> Family:
    return Family(name, text, kind, tuple(Sample(labels, value) for labels, value in values))


def _gates(gates: tuple[GateFigure, ...], *, before_ms: int) -> Iterator[Family]:
    def of(gate: GateFigure) -> dict[str, str]:
        return {"system": gate.system, "gate": gate.gate}

    yield _gauge(
        "attestore_gate_standing",
        "1 for what the gate is worth now, 0 for everything else that it could be worth.",
        [({**of(gate), "standing": each.value}, float(gate.standing is each)) for gate in gates for each in Standing],
    )
    yield _gauge(
        "attestore_gate_ok",
        "Whether the gate lets a release through: PASS or WAIVED.",
        [(of(gate), float(gate.standing.exit_code == 0)) for gate in gates],
    )
    yield _gauge(
        "attestore_gate_expiry_timestamp_seconds",
        "When the gate is worth less without anybody doing anything: its evidence or its waiver ends.",
        [(of(gate), _unix(gate.until)) for gate in gates if gate.until],
    )
    yield _gauge(
        "attestore_gate_expiry_warning_seconds",
        "How long before that end somebody wants to be told.",
        [(of(gate), before_ms / 1000) for gate in gates if gate.until],
    )
    yield _gauge(
        "attestore_gate_run_timestamp_seconds",
        "When the newest run of the gate finished.",
        [(of(gate), _unix(gate.finished)) for gate in gates if gate.finished],
    )
    yield _gauge(
        "attestore_gate_cadence_seconds",
        "How long evidence proves the gate.",
        [(of(gate), gate.cadence_ms / 1000) for gate in gates if gate.cadence_ms is not None],
    )
    yield _gauge(
        "attestore_restore_rto_target_seconds",
        "Recovery time objective that the gate sets.",
        [(of(gate), gate.rto_target_ms / 1000) for gate in gates if gate.rto_target_ms is not None],
    )


def _forecasts(gates: tuple[GateFigure, ...]) -> Iterator[Family]:
    """A date that nobody can tell has no sample."""
    known = [({"system": each.system, "gate": each.gate}, each.forecast) for each in gates if each.forecast is not None]
    yield _gauge(
        "attestore_restore_rto_breach_timestamp_seconds",
        "When the trend of the recovery time reaches its target (about), and between when it does with 90% confidence (earliest, latest).",
        [
            ({**of, "bound": bound}, _unix(at))
            for of, told in known
            for bound, at in (("about", told.about), ("earliest", told.early), ("latest", told.late))
            if at
        ],
    )
    yield _gauge(
        "attestore_restore_rto_forecast_horizon_timestamp_seconds",
        "Until when that forecast looks ahead: a date it does not tell lies later, or nowhere.",
        [(of, _unix(told.horizon)) for of, told in known if told.trending],
    )
    yield _gauge(
        "attestore_restore_rto_forecast_days",
        "Different days with a run that counts for the forecast; of fewer than 6 there is none.",
        [(of, told.days) for of, told in known],
    )


def _runs(systems: tuple[SystemFigure, ...]) -> Iterator[Family]:
    yield _gauge(
        "attestore_last_success_timestamp_seconds",
        "When the newest backup was stored and read back; when the newest drill passed every gate.",
        [
            ({"system": each.system, "task": task}, _unix(at))
            for each in systems
            for task, at in (("backup", each.backup_stored), ("drill", each.drill_passed))
            if at
        ],
    )
    yield _gauge(
        "attestore_last_attempt_failed",
        "Whether the newest backup left none, whether the newest drill did anything but pass.",
        [
            ({"system": each.system, "task": task}, float(failed))
            for each in systems
            for task, failed in (("backup", each.backup_failed), ("drill", each.drill_failed))
        ],
    )
    yield _gauge(
        "attestore_runs_started_total",
        "Runs that the ledger saw start.",
        [({"system": each.system}, each.started) for each in systems],
        kind=Kind.COUNTER,
    )
    yield _gauge(
        "attestore_runs_ended_total",
        "Runs that ended, by outcome; stored: a backup alone, died: closed by a later command.",
        [({"system": each.system, "outcome": how}, each.ended.get(how, 0)) for each in systems for how in _ENDS],
        kind=Kind.COUNTER,
    )
    yield _gauge(
        "attestore_phase_duration_seconds",
        "Duration of each phase of the newest run.",
        [
            ({"system": each.system, "phase": phase}, took / 1000)
            for each in systems
            for phase, took in each.phases_ms.items()
        ],
    )
    for name, text, told in (
        ("attestore_restore_rto_seconds", "Recovery time measured by the newest drill.", [s.rto_ms for s in systems]),
        ("attestore_restore_rpo_seconds", "Age of the backup that the newest drill restored, when it was ordered.", [s.rpo_ms for s in systems]),
        ("attestore_snapshot_held_seconds", "How long the newest backup's snapshot held back vacuum.", [s.snapshot_held_ms for s in systems]),
    ):  # fmt: skip
        values = zip(systems, told, strict=True)
        yield _gauge(name, text, [({"system": each.system}, took / 1000) for each, took in values if took is not None])


def _sizes(systems: tuple[SystemFigure, ...]) -> Iterator[Family]:
    yield _gauge(
        "attestore_backup_size_bytes",
        "Size of the newest backup, plain and as stored.",
        [
            ({"system": each.system, "kind": kind}, size)
            for each in systems
            for kind, size in (
                ("plain", each.plain_bytes),
                ("sealed", each.sealed_bytes[0] if each.sealed_bytes else None),
            )
            if size is not None
        ],
    )
    yield _gauge(
        "attestore_backup_size_usual_bytes",
        "Median size, as stored, of up to seven backups before the newest.",
        [({"system": each.system}, each.usual_bytes) for each in systems if each.usual_bytes is not None],
    )


def _stores(stores: tuple[StoreFigure, ...]) -> Iterator[Family]:
    yield _gauge(
        "attestore_store_up",
        "Whether the store could be listed.",
        [({"store": each.store}, float(each.reachable)) for each in stores],
    )
    kept = [({"store": store.store, "system": each.system}, each) for store in stores for each in store.kept]
    yield _gauge("attestore_store_backups", "Whole backups in the store.", [(of, each.backups) for of, each in kept])
    yield _gauge(
        "attestore_store_backups_flawed",
        "Objects in the store that are no whole backup: cut, changed, unsigned or unfinished.",
        [(of, each.flawed) for of, each in kept],
    )
    yield _gauge("attestore_store_bytes", "Bytes in the store.", [(of, each.stored_bytes) for of, each in kept])
    yield _gauge(
        "attestore_store_newest_backup_timestamp_seconds",
        "Snapshot of the newest whole backup in the store.",
        [(of, _unix(each.newest)) for of, each in kept if each.newest],
    )


def _aliases(systems: tuple[SystemFigure, ...], stores: tuple[StoreFigure, ...]) -> Iterator[Family]:
    """Three names that dashboards of hand-written backup scripts already know, by database."""

    def named(each: SystemFigure) -> str:
        return each.databases[-1] if each.databases else each.system

    yield _gauge(
        "postgres_backup_last_success_timestamp",
        'Alias of attestore_last_success_timestamp_seconds{task="backup"}, by database.',
        [
            ({"database": named(each), "system": each.system}, _unix(each.backup_stored))
            for each in systems
            if each.backup_stored
        ],
    )
    yield _gauge(
        "postgres_backup_size_bytes",
        'Alias of attestore_backup_size_bytes{kind="sealed"}, by database.',
        [
            ({"database": named(each), "system": each.system}, each.sealed_bytes[0])
            for each in systems
            if each.sealed_bytes
        ],
    )
    counts = {each.system: 0 for each in systems}
    for store in stores:
        for kept in store.kept:
            counts[kept.system] = max(counts.get(kept.system, 0), kept.backups)
    yield _gauge(
        "postgres_backup_count",
        "Whole backups in the store that holds most of them, by database.",
        [
            ({"database": named(each), "system": each.system}, counts[each.system])
            for each in systems
            if any(store.reachable for store in stores)
        ],
    )


def _unix(at: str) -> float:
    """Seconds since 1970."""
    return instants.parse(at).timestamp()
