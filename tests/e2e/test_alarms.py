"""Each alarm fires on its fault, on no other, and on none where all is well: Prometheus' own promtool says so.

The series are what `attestore metrics` would tell of each fault, on a clock that starts with the epoch, as promtool's does.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which

import pytest
import yaml

from attestore import instants, resources
from attestore.forecast import Forecast, Outlook, Target
from attestore.report.metrics import Figures, GateFigure, Kept, StoreFigure, SystemFigure, families
from attestore.standing import Standing

HOURS = 24 * 8
"""after the epoch: now"""
RULES = resources.templates_folder() / "monitoring" / "alerts.yaml"
DASHBOARD = resources.templates_folder() / "monitoring" / "dashboard.json"


def ago(hours: float) -> str:
    return instants.text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=HOURS - hours))


AHEAD = Forecast(
    Outlook.EXPECTED, Target(1_800_000, 1_799_999), newest_ms=600_000, runs=9, days=9, left_out=0, others=0,
    first=ago(24 * 200), last=ago(24 * 2), about=ago(-24 * 90), early=ago(-24 * 25), late=ago(-24 * 150), horizon=ago(-24 * 198),
)  # fmt: skip
GATE = GateFigure(
    "shop", "S9-PROD-004", Standing.PASS, until=ago(-24 * 20), finished=ago(24 * 2), cadence_ms=5 * 86_400_000,
    rto_target_ms=1_800_000, forecast=AHEAD,
)  # fmt: skip
SYSTEM = SystemFigure(
    "shop", ("goimg",), backup_stored=ago(4), drill_passed=ago(24 * 2), started=9, ended={"pass": 9},
    phases_ms={"dump": 9000}, rto_ms=600_000, snapshot_held_ms=60_000, plain_bytes=5000, sealed_bytes=(100, 99, 101, 98),
)  # fmt: skip
STORE = StoreFigure("offsite", reachable=True, kept=(Kept("shop", 9, 0, 900, ago(4)),))
HEALTHY = Figures(ago(1), "0.1.0", (GATE,), (SYSTEM,), (STORE,), 7 * 86_400_000)


def of(*, gate: Mapping[str, object] | None = None, system: Mapping[str, object] | None = None) -> Figures:
    return replace(
        HEALTHY,
        gates=(replace(GATE, **(gate or {})),),  # type: ignore[arg-type]
        systems=(replace(SYSTEM, **(system or {})),),  # type: ignore[arg-type]
    )


FAULTS: dict[str, tuple[Figures | None, set[str]]] = {
    "all is well": (HEALTHY, set()),
    "the newest backup is two days old": (of(system={"backup_stored": ago(48)}), {"AttestoreBackupTooOld"}),
    "no backup was ever stored": (of(system={"backup_stored": "", "sealed_bytes": ()}), {"AttestoreBackupNeverTaken"}),
    "a backup failed": (of(system={"backup_failed": True}), {"AttestoreBackupFailed"}),
    "a backup is half as large": (of(system={"sealed_bytes": (40, 99, 101, 98)}), {"AttestoreBackupSizeAnomalous"}),
    "a backup is twice as large": (of(system={"sealed_bytes": (199, 99, 101, 98)}), {"AttestoreBackupSizeAnomalous"}),
    "a backup grew a little": (of(system={"sealed_bytes": (120, 99, 101, 98)}), set()),
    "a restore failed": (
        of(gate={"standing": Standing.FAIL, "until": ""}, system={"drill_failed": True}),
        {"AttestoreDrillFailed", "AttestoreGateNotPassed"},
    ),
    "the monthly drill was missed": (
        of(gate={"standing": Standing.EXPIRED, "finished": ago(24 * 6), "until": ago(24)}), {"AttestoreDrillMissed"},
    ),
    "the RTO is over its target": (of(system={"rto_ms": 1_900_000}), {"AttestoreRtoOverTarget"}),
    "the RTO is near its target": (of(system={"rto_ms": 1_500_000}), {"AttestoreRtoNearTarget"}),
    "the RTO comes to its target in three weeks": (
        of(gate={"forecast": replace(AHEAD, about=ago(-24 * 21))}), {"AttestoreRtoBreachExpected"},
    ),
    "the RTO came to its target, and is over it": (
        of(gate={"forecast": replace(AHEAD, about=ago(24))}, system={"rto_ms": 1_900_000}), {"AttestoreRtoOverTarget"},
    ),
    "nobody knows when the RTO comes to its target": (of(gate={"forecast": replace(AHEAD, about="", early="", late="")}), set()),
    "a gate was rejected": (of(gate={"standing": Standing.REJECTED}), {"AttestoreGateNotPassed"}),
    "a gate is not trustworthy": (of(gate={"standing": Standing.UNTRUSTED, "until": ""}), {"AttestoreGateNotPassed"}),
    "a gate is waived": (of(gate={"standing": Standing.WAIVED}), set()),
    "nobody approved for days": (of(gate={"standing": Standing.AWAITING}), {"AttestoreGateAwaitingApproval"}),
    "a gate expires in three days": (of(gate={"until": ago(-72)}), {"AttestoreGateExpiring"}),
    "a gate was never run": (
        of(gate={"standing": Standing.NEVER_RUN, "until": "", "finished": ""}), {"AttestoreGateNeverRun"},
    ),
    "a store is away": (replace(HEALTHY, stores=(StoreFigure("offsite", reachable=False),)), {"AttestoreStoreUnreachable"}),
    "a store holds half a backup": (
        replace(HEALTHY, stores=(replace(STORE, kept=(replace(STORE.kept[0], flawed=1),)),)), {"AttestoreStoreFlawed"},
    ),
    "a snapshot was held for hours": (of(system={"snapshot_held_ms": 5 * 3_600_000}), {"AttestoreSnapshotHeldLong"}),
    "the metrics are two days old": (replace(HEALTHY, at=ago(48)), {"AttestoreMetricsStale"}),
    "there are no metrics": (None, {"AttestoreMetricsAbsent"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def promtool() -> str:
    """Of the system, or where the set-up put it."""
    beside = Path(__file__).parents[2] / ".venv" / "bin" / "promtool"
    found = which("promtool") or (str(beside) if beside.exists() else None)
    assert found is not None, "promtool is not here: run make dev"
    return found


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def series(figures: Figures | None, *, grown: str = "") -> list[dict[str, str]]:
    """What was scraped every hour from the epoch until now; the last day of it for what is `grown`."""
    if figures is None:
        return []
    told: list[dict[str, str]] = []
    for family in families(figures):
        for sample in family.samples:
            labels = ",".join(f"{name}={json.dumps(value)}" for name, value in sample.labels.items())
            value = f"{sample.value:.3f}"
            values = f"{value}x{HOURS}"
            if grown and f'outcome="{grown}"' in labels:
                values = f"{value}x{HOURS - 5} {sample.value + 1:.3f}x5"
            told.append({"series": f"{family.name}{{{labels}}}", "values": values})
    return told


def case(figures: Figures | None, expected: set[str], *, grown: str = "") -> dict[str, object]:
    return {
        "interval": "1h",
        "input_series": series(figures, grown=grown),
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{HOURS}h",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(expected)],
            }
        ],
    }


def test_the_rules_are_rules(promtool: str) -> None:
    assert f"SUCCESS: {len(names())} rules found" in run(promtool, "check", "rules", str(RULES))


def names() -> set[str]:
    return {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}


def test_each_alarm_fires_on_its_fault_and_on_no_other(promtool: str, tmp_path: Path) -> None:
    cases = [case(figures, expected) for figures, expected in FAULTS.values()]
    cases.append(case(HEALTHY, {"AttestoreRunDied"}, grown="died"))
    path = tmp_path / "test.yaml"
    path.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1h", "tests": cases}), encoding="utf-8"
    )
    run(promtool, "test", "rules", str(path))
    assert {name for _, expected in FAULTS.values() for name in expected} | {"AttestoreRunDied"} == names()


def test_a_summary_names_the_system(promtool: str, tmp_path: Path) -> None:
    """Somebody reads it at three in the morning."""
    figures = of(system={"backup_stored": ago(48)})
    labels = {"severity": "critical", "system": "shop", "task": "backup"}
    annotations = {
        "summary": "shop: the newest backup is 2d 0h 0m 0s old",
        "description": next(
            rule["annotations"]["description"]
            for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
            if rule["alert"] == "AttestoreBackupTooOld"
        ),
    }
    test = {
        "interval": "1h",
        "input_series": series(figures),
        "alert_rule_test": [
            {
                "eval_time": f"{HOURS}h",
                "alertname": "AttestoreBackupTooOld",
                "exp_alerts": [{"exp_labels": labels, "exp_annotations": annotations}],
            }
        ],
    }
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1h", "tests": [test]}))
    run(promtool, "test", "rules", str(path))


def test_the_dashboard_asks_for_metrics_that_there_are(promtool: str, tmp_path: Path) -> None:
    """Each question is one that Prometheus can parse, about a name that is told."""
    board = json.loads(DASHBOARD.read_text("utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) >= len(board["panels"]) > 10
    rules = [{"record": f"r{number}", "expr": expr} for number, expr in enumerate(asked)]
    path = tmp_path / "asked.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(asked)} rules found" in run(promtool, "check", "rules", str(path))
    told = {family.name for family in families(HEALTHY)}
    for expr in asked:
        assert any(name in expr for name in told), expr
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)
