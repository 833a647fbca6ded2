"""What a run seals, however it ends, the audit accepts; doubles stand for the world, the run is the real one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from attestore import gate, plan, resources
from attestore.audit import Findings
from attestore.errors import InterruptedRunError, ProgramFailedError, UnreachableError
from attestore.gate import Gate
from attestore.plan import Job
from attestore.run import Tools, close_died, execute
from bundles import GLASS, MIRA, ROSTER, TOMAS, Pen, Press, audited
from fakes import KilledError, Killing, World

RUN = "20260301T020000Z-gallery-000001"
GATES = tuple(gate.read(resources.gates_folder() / f"S9-PROD-{number}.yaml") for number in ("003", "004"))


def tools(world: World, folder: Path, *, pen: Pen = MIRA, backup: str = "latest", making: bool = True) -> Tools:
    made = world.tools(folder, backup=backup, making=making)
    who = replace(made.operator, id=pen.name, name=pen.name.title(), fingerprint=pen.fingerprint)
    return replace(made, signer=pen.at(world.clock.start), verifier=GLASS, printer=Press(), operator=who, roster=ROSTER)


def ran(world: World, folder: Path, job: Job = Job.RUN, *, run: str = RUN, gates: tuple[Gate, ...] = GATES) -> Findings:
    chosen = plan.make(job, run=run, system="gallery", gates=() if job is Job.BACKUP else gates, jobs=1)
    execute(chosen, tools=tools(world, folder, making=job is not Job.DRILL), reports=folder / "reports")
    return audited(folder / "reports")


def summary(findings: Findings) -> str:
    return next(
        line.sentence
        for line in findings.lines
        if line.check == "completeness" and (" runs: " in line.sentence or " run: " in line.sentence)
    )


def test_a_run_that_passes_is_clean(tmp_path: Path) -> None:
    findings = ran(World(), tmp_path)
    assert findings.problems == ()
    assert summary(findings) == "1 run: 1 passed."


def test_the_order_in_which_gates_are_named_changes_nothing(tmp_path: Path) -> None:
    assert ran(World(), tmp_path, gates=GATES[::-1]).problems == ()


@pytest.mark.parametrize("flaw", ["loses_row", "dump_rots", "sleeps"])
def test_a_run_that_fails_is_clean(flaw: str, tmp_path: Path) -> None:
    findings = ran(World(**{flaw: True}), tmp_path)  # type: ignore[arg-type]
    assert findings.problems == ()
    assert summary(findings) == "1 run: 1 failed."


@pytest.mark.parametrize("phase", ["preflight", "snapshot", "dump", "store", "retrieve", "data", "verify", "control"])
def test_a_run_that_stops_in_any_phase_is_clean(phase: str, tmp_path: Path) -> None:
    world = World(breaks_in=phase, error=ProgramFailedError("pg_restore ended with code 1"))
    findings = ran(world, tmp_path)
    assert findings.problems == ()
    assert summary(findings) == "1 run: 1 stopped."


@pytest.mark.parametrize("flaw", ["stored_rots", "store_lies"])
def test_a_store_that_rots_or_lies_leaves_a_clean_bundle(flaw: str, tmp_path: Path) -> None:
    assert ran(World(**{flaw: True}), tmp_path).problems == ()  # type: ignore[arg-type]


def test_an_unreachable_source_leaves_a_clean_bundle(tmp_path: Path) -> None:
    assert ran(World(unreachable=UnreachableError("no answer")), tmp_path).problems == ()


def test_a_backup_alone_and_a_later_drill_are_clean(tmp_path: Path) -> None:
    world = World()
    assert summary(ran(world, tmp_path, Job.BACKUP)) == "1 run: 1 judged by no gate."
    world.clock.start += timedelta(hours=1)
    findings = ran(world, tmp_path, Job.DRILL, run="20260302T020000Z-gallery-000002")
    assert findings.problems == ()
    assert summary(findings) == "2 runs: 1 passed, 1 judged by no gate."


@pytest.mark.parametrize("phase", ["preflight", "dump", "store", "data", "verify", "teardown", "report"])
def test_a_run_that_was_killed_is_named_once_and_clean_when_it_is_closed(phase: str, tmp_path: Path) -> None:
    world, reports = World(), tmp_path / "reports"
    chosen = plan.make(Job.RUN, run=RUN, system="gallery", gates=GATES, jobs=1)
    killed = replace(tools(world, tmp_path), watcher=Killing(phase))
    with pytest.raises(KilledError):
        execute(chosen, tools=killed, reports=reports)
    before = audited(reports)
    assert {(line.check, line.subject) for line in before.problems} <= {
        ("completeness", RUN),
        ("completeness", "ledger.jsonl"),
        ("ledger", "ledger.jsonl"),
        ("checkpoint", "checkpoint"),
        ("checkpoint", "checkpoint.asc"),
        ("checkpoint", "ledger.jsonl"),
    }
    assert summary(before) == "1 run: 1 unfinished."
    closer = tools(world, tmp_path, pen=TOMAS)
    close_died(reports, tools=closer.issuing, closer=closer.operator)
    after = audited(reports)
    assert after.problems == ()
    assert summary(after) == f"1 run: 1 {'passed' if phase == 'report' else 'stopped'}."


def test_an_interrupted_run_is_stopped(tmp_path: Path) -> None:
    findings = ran(World(breaks_in="data", error=InterruptedRunError("SIGINT")), tmp_path)
    assert findings.problems == ()
    assert summary(findings) == "1 run: 1 stopped."
