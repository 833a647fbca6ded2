"""What monitoring is told: names, units and labels, and nothing that was not measured."""

from __future__ import annotations

import re
from dataclasses import replace

from attestore.forecast import Forecast, Outlook, Target, forecast
from attestore.report.metrics import Figures, GateFigure, Kept, Kind, StoreFigure, SystemFigure, families
from attestore.standing import Standing

AT = "2026-03-02T00:00:00.000Z"


def told(**changes: object) -> dict[str, dict[str, float]]:
    """Values by family and labels of figures that differ from a healthy system's."""
    gate = GateFigure(
        system="shop",
        gate="S9-PROD-004",
        standing=Standing.PASS,
        until="2026-03-30T00:00:00.000Z",
        finished="2026-03-01T03:00:00.000Z",
        cadence_ms=31 * 86_400_000,
        rto_target_ms=1_800_000,
    )
    system = SystemFigure(
        system="shop",
        databases=("goimg",),
        backup_stored="2026-03-01T02:30:00.000Z",
        drill_passed="2026-03-01T03:00:00.000Z",
        started=3,
        ended={"pass": 1, "stored": 2},
        phases_ms={"dump": 1500},
        rto_ms=2_473,
        rpo_ms=420,
        snapshot_held_ms=312,
        plain_bytes=1000,
        sealed_bytes=(100, 90, 110, 95),
    )
    store = StoreFigure("local", reachable=True, kept=(Kept("shop", 4, 1, 500, "2026-03-01T02:00:00.000Z"),))
    figures = {"gates": (gate,), "systems": (system,), "stores": (store,), **changes}
    made = families(Figures(at=AT, version="0.1.0", before_expiry_ms=604_800_000, **figures))  # type: ignore[arg-type]
    return {
        family.name: {",".join(f"{k}={v}" for k, v in sample.labels.items()): sample.value for sample in family.samples}
        for family in made
    }


def test_durations_are_in_seconds_and_sizes_in_bytes() -> None:
    """The base units of the Prometheus conventions."""
    seen = told()
    assert seen["attestore_restore_rto_seconds"] == {"system=shop": 2.473}
    assert seen["attestore_restore_rto_target_seconds"] == {"system=shop,gate=S9-PROD-004": 1800}
    assert seen["attestore_phase_duration_seconds"] == {"system=shop,phase=dump": 1.5}
    assert seen["attestore_backup_size_bytes"] == {"system=shop,kind=plain": 1000, "system=shop,kind=sealed": 100}
    assert seen["attestore_last_success_timestamp_seconds"]["system=shop,task=backup"] == 1_772_332_200


def test_a_gate_has_one_standing_and_says_zero_for_every_other() -> None:
    """So that an alarm that waited for one standing ends when another takes its place."""
    of = told()["attestore_gate_standing"]
    assert len(of) == len(Standing)
    assert [name for name, value in of.items() if value] == ["system=shop,gate=S9-PROD-004,standing=PASS"]


def test_what_was_never_measured_has_no_sample() -> None:
    """A zero would read as a measured one."""
    seen = told(systems=(SystemFigure(system="shop"),), gates=(), stores=())
    for absent in (
        "attestore_restore_rto_seconds",
        "attestore_backup_size_bytes",
        "attestore_last_success_timestamp_seconds",
        "attestore_gate_standing",
        "attestore_store_up",
        "postgres_backup_last_success_timestamp",
        "postgres_backup_count",
    ):
        assert absent not in seen


def test_a_store_that_is_away_tells_nothing_of_what_it_holds() -> None:
    """It holds what it held; nobody knows."""
    seen = told(stores=(StoreFigure("offsite", reachable=False),))
    assert seen["attestore_store_up"] == {"store=offsite": 0}
    assert "attestore_store_backups" not in seen
    assert "postgres_backup_count" not in seen


def test_the_three_names_of_hand_written_scripts_are_kept() -> None:
    """By database, as their dashboards ask for them."""
    seen = told()
    assert seen["postgres_backup_last_success_timestamp"] == {"database=goimg,system=shop": 1_772_332_200}
    assert seen["postgres_backup_size_bytes"] == {"database=goimg,system=shop": 100}
    assert seen["postgres_backup_count"] == {"database=goimg,system=shop": 4}


def test_the_usual_size_is_a_median_of_backups_before_the_newest() -> None:
    """One huge backup must not become usual by itself; of one or two nobody knows."""
    assert told()["attestore_backup_size_usual_bytes"] == {"system=shop": 95}
    assert SystemFigure(system="shop", sealed_bytes=(9, 1, 1)).usual_bytes is None


def test_names_follow_the_conventions_and_avoid_labels_of_the_scrape() -> None:
    """`job` and `instance` would be overwritten by whoever scrapes."""
    figures = Figures(AT, "1", (GateFigure("a", "b", Standing.FAIL),), (SystemFigure("a", started=1),), (), 1)
    for family in families(figures):
        assert re.fullmatch(r"(attestore|postgres_backup)_[a-z_]+", family.name)
        assert (family.kind is Kind.COUNTER) == family.name.endswith("_total")
        for sample in family.samples:
            assert not {"job", "instance", "le", "quantile"} & sample.labels.keys()


def ahead(**changes: object) -> Forecast:
    """A year of drills; the target comes in sight."""
    told = Forecast(
        Outlook.EXPECTED, Target(1_800_000, 1_799_999), newest_ms=900_000, runs=12, days=12, left_out=1, others=0,
        first="2025-03-02T00:00:00.000Z", last="2026-03-01T00:00:00.000Z", about="2026-09-02T00:00:00.000Z",
        early="2026-08-02T00:00:00.000Z", horizon="2027-02-28T00:00:00.000Z",
    )  # fmt: skip
    return replace(told, **changes)  # type: ignore[arg-type]


def test_a_breach_that_is_expected_has_its_dates_and_one_that_nobody_can_tell_has_none() -> None:
    gate = GateFigure("shop", "S9-PROD-004", Standing.PASS, forecast=ahead())
    seen = told(gates=(gate,))
    assert seen["attestore_restore_rto_breach_timestamp_seconds"] == {
        "system=shop,gate=S9-PROD-004,bound=about": 1_788_307_200,
        "system=shop,gate=S9-PROD-004,bound=earliest": 1_785_628_800,
    }
    assert seen["attestore_restore_rto_forecast_horizon_timestamp_seconds"] == {
        "system=shop,gate=S9-PROD-004": 1_803_772_800
    }
    few = replace(gate, forecast=forecast([], target=Target(5, 4)))
    seen = told(gates=(few,))
    assert seen["attestore_restore_rto_forecast_days"] == {"system=shop,gate=S9-PROD-004": 0}
    for absent in ("breach_timestamp_seconds", "forecast_horizon_timestamp_seconds"):
        assert f"attestore_restore_rto_{absent}" not in seen
        assert f"attestore_restore_rto_{absent}" not in told()
