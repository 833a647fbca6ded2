"""Impossible combinations are refused before anything happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attestore import gate, plan, resources
from attestore.errors import PlanError
from attestore.facts import RTO_PHASES
from attestore.gate import Gate, Operator, Probe
from attestore.plan import Job, Plan

GATE = gate.read(resources.gates_folder() / "S9-PROD-004.yaml")


def made(job: Job = Job.RUN, *, gates: tuple[Gate, ...] = (GATE,), jobs: int = 2) -> Plan:
    return plan.make(job, run="r1", system="gallery", gates=gates, jobs=jobs)


def test_a_run_goes_through_the_recovery_phases_in_their_order() -> None:
    phases = [step.phase for step in made().steps]
    start = phases.index("retrieve")
    assert tuple(phases[start : start + len(RTO_PHASES)]) == RTO_PHASES
    assert phases.index("disaster") < start < phases.index("verify") < phases.index("control")


def test_a_plan_says_what_is_written_where() -> None:
    writes = {step.phase: step.writes for step in made().steps}
    assert writes["store"] == "store"
    assert writes["verify"] == "bundle"


def test_a_drill_touches_no_source() -> None:
    assert not {"snapshot", "dump", "seal", "store"} & {step.phase for step in made(Job.DRILL).steps}


@pytest.mark.parametrize("jobs", [0, -1, 65])
def test_a_number_of_jobs_out_of_range_is_refused(jobs: int) -> None:
    with pytest.raises(PlanError, match=f"--jobs {jobs}"):
        made(jobs=jobs)
    with pytest.raises(PlanError, match=f"--source-jobs {jobs}") as refused:
        plan.make(Job.BACKUP, run="r1", system="gallery", gates=(), jobs=2, source_jobs=jobs)
    assert refused.value.hint == "Give a number from 1 to 64."


def test_a_rest_of_more_than_a_minute_is_refused() -> None:
    with pytest.raises(PlanError, match="60001 ms") as refused:
        plan.make(Job.BACKUP, run="r1", system="gallery", gates=(), jobs=2, source_pause_ms=60_001)
    assert "such as 50ms" in refused.value.hint
    chosen = plan.make(Job.BACKUP, run="r1", system="gallery", gates=(), jobs=2, source_pause_ms=60_000)
    assert chosen.source_pause_ms == 60_000


def test_a_gate_is_named_once() -> None:
    with pytest.raises(PlanError, match="twice"):
        made(gates=(GATE, GATE))


@pytest.mark.parametrize("job", [Job.RUN, Job.DRILL])
def test_a_restore_that_nothing_judges_is_refused(job: Job) -> None:
    with pytest.raises(PlanError, match="no gate"):
        made(job, gates=())


def test_a_backup_alone_cannot_prove_a_gate() -> None:
    with pytest.raises(PlanError, match="S9-PROD-004"):
        made(Job.BACKUP)


def test_two_probes_of_one_id_must_ask_the_same() -> None:
    probe = Probe(id="users", title="Users", sql="SELECT 1", operator=Operator.AT_LEAST, bound=1)
    other = replace(probe, sql="SELECT 2")
    first = replace(GATE, id="A-1", probes=(probe,))
    with pytest.raises(PlanError, match="users"):
        made(gates=(first, replace(GATE, id="B-1", probes=(other,))))
    assert made(gates=(first, replace(GATE, id="B-1", probes=(probe,)))).probes == (probe,)


@pytest.mark.parametrize(("must", "method"), [("== audit", "stream"), ("== stream", "audit"), ("!= stream", "stream")])
def test_a_gate_that_asks_for_another_fingerprint_method_is_refused(must: str, method: str) -> None:
    asking = _asking(must)
    with pytest.raises(PlanError, match=f"proof.method {must}.*{method}") as refused:
        plan.make(Job.RUN, run="r1", system="gallery", gates=(asking,), jobs=2, method=method)
    other = "stream" if method == "audit" else "audit"
    assert refused.value.hint == f"Say --method {other}."
    assert plan.make(Job.RUN, run="r1", system="gallery", gates=(asking,), jobs=2, method=other).method == other
    # a stored backup says itself how it was fingerprinted, so a drill is judged, not refused
    assert plan.make(Job.DRILL, run="r1", system="gallery", gates=(asking,), jobs=2, method=method).job is Job.DRILL


def test_keys_that_the_method_cannot_find_are_not_promised() -> None:
    with pytest.raises(PlanError, match=r"--show-keys.*stream") as refused:
        plan.make(Job.RUN, run="r1", system="gallery", gates=(GATE,), jobs=2, method="stream", show_keys=True)
    assert "--method audit" in (refused.value.hint or "")
    assert plan.make(Job.RUN, run="r1", system="gallery", gates=(GATE,), jobs=2, show_keys=True).show_keys


def test_a_method_that_there_is_not_is_refused_on_either_side() -> None:
    with pytest.raises(PlanError, match="audit, stream"):
        plan.make(Job.BACKUP, run="r1", system="gallery", gates=(), jobs=2, method="md5")
    with pytest.raises(PlanError, match="md5") as refused:
        plan.make(Job.RUN, run="r1", system="gallery", gates=(_asking("== md5"),), jobs=2)
    assert "audit and stream" in (refused.value.hint or "")


def _asking(must: str) -> Gate:
    operator, _, written = must.partition(" ")
    check = replace(GATE.checks[0], fact="proof.method", operator=Operator(operator), bound=written, written=written)
    return replace(GATE, checks=(*GATE.checks, check))


def test_a_plan_for_an_existing_server_never_says_isolated() -> None:
    there = plan.make(Job.DRILL, run="r", system="s", gates=(GATE,), jobs=1, target=plan.EXISTING)
    told = [there.scenario, *(f"{step.does} {step.writes}" for step in there.steps)]
    assert not any("isolated" in sentence for sentence in told)
    assert "restored into an existing server" in there.scenario
