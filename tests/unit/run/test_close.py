"""A run that was killed leaves a journal; the next command judges, signs and closes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from attestore import gate, plan, resources
from attestore.archive import LedgerFile, unfinished
from attestore.evidence.ledger import RunClosed
from attestore.plan import Job
from attestore.report.case import Reading
from attestore.run import close_died, execute
from attestore.verdict import Outcome
from fakes import FINGERPRINT, KilledError, Killing, World

RUN = "20260301T020000Z-gallery-000001"


def killed_in(phase: str, folder: Path) -> World:
    world = World()
    gates = (gate.read(resources.gates_folder() / "S9-PROD-004.yaml"),)
    chosen = plan.make(Job.RUN, run=RUN, system="gallery", gates=gates, jobs=1)
    tools = replace(world.tools(folder), watcher=Killing(phase))
    with pytest.raises(KilledError):
        execute(chosen, tools=tools, reports=folder / "reports")
    return world


@pytest.mark.parametrize("phase", ["preflight", "dump", "store", "data", "verify", "teardown", "report"])
def test_a_run_killed_in_any_phase_is_closed_by_the_next_command(tmp_path: Path, phase: str) -> None:
    world = killed_in(phase, tmp_path)
    tools = world.tools(tmp_path)
    (closed,) = close_died(tmp_path / "reports", tools=tools.issuing, closer=tools.operator)
    assert closed.case.context.closed_by == "Olga Operator"
    assert closed.verdicts[0].outcome is (Outcome.PASS if phase == "report" else Outcome.UNKNOWN)
    assert (closed.folder / "SHA256SUMS.asc").is_file()
    last = LedgerFile(tmp_path / "reports").read().entries[-1]
    assert isinstance(last, RunClosed)
    assert last.by == FINGERPRINT


def test_a_closed_run_is_closed_once(tmp_path: Path) -> None:
    world = killed_in("data", tmp_path)
    tools = world.tools(tmp_path)
    assert len(close_died(tmp_path / "reports", tools=tools.issuing, closer=tools.operator)) == 1
    assert close_died(tmp_path / "reports", tools=tools.issuing, closer=tools.operator) == ()


def test_what_was_measured_before_the_end_is_in_the_report(tmp_path: Path) -> None:
    world = killed_in("verify", tmp_path)
    tools = world.tools(tmp_path)
    (closed,) = close_died(tmp_path / "reports", tools=tools.issuing, closer=tools.operator)
    assert Reading(closed.case.observations).number("restore.rto") is not None
    assert Reading(closed.case.observations).flag("run.completed") is None


def test_a_run_whose_bundle_is_gone_stays_open_for_the_audit_to_find(tmp_path: Path) -> None:
    world = killed_in("data", tmp_path)
    bundle = tmp_path / "reports" / RUN
    for path in sorted(bundle.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    bundle.rmdir()
    tools = world.tools(tmp_path)
    assert close_died(tmp_path / "reports", tools=tools.issuing, closer=tools.operator) == ()
    assert unfinished(tmp_path / "reports") == ()
