"""The order of real steps, in a world in memory: what breaks is an argument."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from attestore import gate, plan, proof, resources
from attestore.archive import LedgerFile
from attestore.archive.record import read_record
from attestore.errors import (
    ContendedError,
    DiskError,
    Error,
    InterruptedRunError,
    PreflightError,
    PrivilegeError,
    StoreError,
    TamperedError,
    UnreachableError,
)
from attestore.evidence.ledger import BackupStored, KeyChanged, RunFinished, RunStarted
from attestore.facts import RTO_PHASES
from attestore.plan import Job, Plan
from attestore.report.case import Reading
from attestore.run import Outcome, execute
from attestore.verdict import Outcome as Verdict
from fakes import SEALS, STRANGER, FakeWatcher, World

GATES = tuple(gate.read(resources.gates_folder() / f"{name}.yaml") for name in ("S9-PROD-003", "S9-PROD-004"))
ALL_PHASES = [step.phase for step in plan.make(Job.RUN, run="r", system="s", gates=GATES, jobs=1).steps]


def planned(job: Job = Job.RUN, run: str = "20260301T020000Z-gallery-000001") -> Plan:
    gates = () if job is Job.BACKUP else GATES
    return plan.make(job, run=run, system="gallery", gates=gates, jobs=2)


def ran(world: World, folder: Path, job: Job = Job.RUN, *, run: str = "20260301T020000Z-gallery-000001") -> Outcome:
    tools = world.tools(folder, making=job is not Job.DRILL, drilling=job is not Job.BACKUP)
    return execute(planned(job, run), tools=tools, reports=folder / "reports")


def verdicts(outcome: Outcome) -> dict[str, Verdict]:
    return {each.gate: each.outcome for each in outcome.finished.verdicts}


def failing(outcome: Outcome) -> set[str]:
    return {c.id for v in outcome.finished.verdicts for c in v.checks if c.outcome is Verdict.FAIL}


def reading(outcome: Outcome) -> Reading:
    return Reading(outcome.finished.case.observations)


def test_a_healthy_cycle_passes_both_gates(tmp_path: Path) -> None:
    outcome = ran(World(), tmp_path)
    assert outcome.stopped is None
    assert verdicts(outcome) == {"S9-PROD-003": Verdict.PASS, "S9-PROD-004": Verdict.PASS}


def test_the_bundle_holds_the_files_that_other_people_rely_on(tmp_path: Path) -> None:
    folder = ran(World(), tmp_path).finished.folder
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {
        "journal.jsonl",
        "proof.source.json",
        "proof.restored.json",
        "gates/S9-PROD-003.yaml",
        "gates/S9-PROD-004.yaml",
        "verdict.json",
        "context.json",
        "manifest.json",
        "S9-PROD-003.md",
        "S9-PROD-003.md.asc",
        "S9-PROD-003.pdf",
        "S9-PROD-003.pdf.asc",
        "S9-PROD-004.md",
        "S9-PROD-004.pdf",
        "summary.md",
        "summary.pdf",
        "statement.json",
        "statement.json.asc",
        "SHA256SUMS",
        "SHA256SUMS.asc",
        "VERIFY.md",
        "logs/01-pg_dump.log",
    } <= names


def test_phases_come_in_the_order_of_the_plan(tmp_path: Path) -> None:
    world = World()
    ran(world, tmp_path)
    assert world.watcher.phases == [*ALL_PHASES, "report"]


def test_few_sessions_at_the_source_dump_first_and_prove_then(tmp_path: Path) -> None:
    world = World()
    chosen = plan.make(
        Job.RUN, run="r", system="gallery", gates=GATES, jobs=4, method="stream", source_jobs=2, source_pause_ms=50
    )
    outcome = execute(chosen, tools=world.tools(tmp_path), reports=tmp_path / "reports")
    assert set(verdicts(outcome).values()) == {Verdict.PASS}
    assert world.watcher.phases == [*(step.phase for step in chosen.steps), "report"]
    assert world.watcher.phases.index("dump") < world.watcher.phases.index("proof")
    told = reading(outcome)
    assert (told.number("source.jobs"), told.number("source.pause")) == (2, 50)
    assert (told.number("dump.jobs"), told.number("restore.jobs")) == (2, 4)


def test_a_pace_that_nobody_chose_is_not_in_the_evidence(tmp_path: Path) -> None:
    told = reading(ran(World(), tmp_path))
    assert (told.number("source.jobs"), told.number("source.pause")) == (None, None)


def test_the_phases_of_the_recovery_sum_to_the_rto(tmp_path: Path) -> None:
    seen = reading(ran(World(), tmp_path))
    phases = [seen.number(f"restore.{phase}") for phase in RTO_PHASES]
    assert None not in phases
    assert sum(phase or 0 for phase in phases) == seen.number("restore.rto")


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (World(dump_rots=True), {"fingerprints"}),
        (World(loses_row=True), {"rows", "fingerprints"}),
        (World(loses_index=True), {"objects"}),
        (World(same_server=True), {"segregated"}),
        (World(lax=True), {"constraints"}),
        (World(sleeps=True), {"control"}),
        (World(nearsighted=True), {"control"}),
        (World(untidy=True), {"trials"}),
        (World(restore_errors=("relation does not exist",)), {"errors"}),
        (World(seals=replace(SEALS, bits=2048)), {"key-size"}),
        (World(seals=replace(SEALS, cipher="CAST5")), {"cipher"}),
        (World(seals=replace(SEALS, unexpected=1)), {"strangers"}),
        (World(seals=replace(SEALS, magic=1)), {"plaintext"}),
    ],
    ids=lambda value: ",".join(sorted(value)) if isinstance(value, set) else "",
)
def test_what_is_wrong_fails_under_its_own_name(tmp_path: Path, world: World, expected: set[str]) -> None:
    """The restore itself succeeds; only looking closely can notice."""
    outcome = ran(world, tmp_path)
    assert outcome.stopped is None
    assert failing(outcome) == expected


def test_a_copy_that_could_not_be_tried_is_still_compared_and_never_passed(tmp_path: Path) -> None:
    """Restored code may end the server while it is tried: what was proved until then is evidence."""
    outcome = ran(World(unexercised=UnreachableError("the session was ended")), tmp_path)
    assert isinstance(outcome.stopped, UnreachableError)
    assert verdicts(outcome)["S9-PROD-004"] is Verdict.UNKNOWN
    assert (outcome.finished.folder / "proof.restored.json").is_file()
    assert reading(outcome).number("tables.compared") == 3
    assert reading(outcome).number("constraints.accepting") is None


def test_a_flipped_bit_in_the_store_fails_the_gate_and_says_what_differs(tmp_path: Path) -> None:
    outcome = ran(World(stored_rots=True), tmp_path)
    assert isinstance(outcome.stopped, TamperedError)
    assert "archive" in outcome.stopped.message
    assert verdicts(outcome)["S9-PROD-004"] is Verdict.FAIL
    assert failing(outcome) == {"fetched", "parts"}


def test_a_store_that_reads_back_other_bytes_stops_the_run_before_the_manifest(tmp_path: Path) -> None:
    world = World(store_lies=True)
    outcome = ran(world, tmp_path)
    assert isinstance(outcome.stopped, StoreError)
    assert not [key for key in world.store.objects if key.endswith("manifest.json")]


@pytest.mark.parametrize("when", ["first", "late"])
@pytest.mark.parametrize("times", [1, 3])
def test_who_waits_for_an_exclusive_lock_goes_first_and_a_new_snapshot_is_taken(
    tmp_path: Path, times: int, when: str
) -> None:
    outcome = ran(World(contended=times, contended_late=when == "late"), tmp_path)
    assert set(verdicts(outcome).values()) == {Verdict.PASS}
    assert reading(outcome).number("snapshot.attempts") == times + 1
    assert reading(outcome).number("dump.jobs") == 1


@pytest.mark.parametrize(
    ("source_jobs", "late", "before"),
    [
        (None, False, ["snapshot", "proof"]),
        (None, True, ["snapshot", "proof", "dump"]),
        (2, False, ["snapshot"]),
        (2, True, ["snapshot", "dump"]),
    ],
)
def test_whoever_waits_for_a_lock_stops_what_is_read_beside_the_dump_before_anything_else_is(
    tmp_path: Path, *, source_jobs: int | None, late: bool, before: list[str]
) -> None:
    """Definitions are read while the dump takes its locks, and nothing at all where few sessions were asked for."""
    world = World(contended=1, contended_late=late)
    chosen = plan.make(Job.RUN, run="r", system="gallery", gates=GATES, jobs=1, source_jobs=source_jobs)
    execute(chosen, tools=world.tools(tmp_path), reports=tmp_path / "reports")
    phases = world.watcher.phases
    assert phases[phases.index("snapshot") : phases.index("snapshot (2)")] == before


def test_a_source_that_is_never_quiet_is_told_so(tmp_path: Path) -> None:
    outcome = ran(World(contended=99), tmp_path)
    assert isinstance(outcome.stopped, ContendedError)
    assert set(verdicts(outcome).values()) == {Verdict.UNKNOWN}


def test_a_database_without_rows_proves_nothing(tmp_path: Path) -> None:
    outcome = ran(World(tables={"empty": []}), tmp_path)
    assert verdicts(outcome)["S9-PROD-004"] is Verdict.UNKNOWN


def test_every_problem_of_preflight_is_told_at_once(tmp_path: Path) -> None:
    world = World(
        source_problems=(PrivilegeError("no SELECT on a"), PrivilegeError("no SELECT on b")),
        store_problems=(StoreError("read only"),),
    )
    outcome = ran(world, tmp_path)
    assert isinstance(outcome.stopped, PreflightError)
    assert len(outcome.stopped.problems) == 3
    told = reading(outcome).text("run.stopped")
    assert told is not None
    assert "no SELECT on a; no SELECT on b" in told


def test_an_unreachable_source_still_leaves_a_bundle(tmp_path: Path) -> None:
    outcome = ran(World(unreachable=UnreachableError("db.example does not answer")), tmp_path)
    assert isinstance(outcome.stopped, UnreachableError)
    assert set(verdicts(outcome).values()) == {Verdict.UNKNOWN}
    assert (outcome.finished.folder / "statement.json.asc").is_file()


@pytest.mark.parametrize("phase", ALL_PHASES)
@pytest.mark.parametrize("error", [InterruptedRunError("SIGTERM"), DiskError("No space left on device")])
def test_a_run_that_stops_in_any_phase_is_unknown_and_says_where(tmp_path: Path, phase: str, error: Error) -> None:
    world = World(breaks_in=phase, error=error)
    outcome = ran(world, tmp_path)
    assert outcome.stopped is error
    assert set(verdicts(outcome).values()) == {Verdict.UNKNOWN}
    assert reading(outcome).text("run.stopped") == f"{phase}: {error.message}"
    assert phase in (outcome.finished.folder / "summary.md").read_text()
    assert world.scratch.running == 0
    assert world.settled >= 1


class _Tired(FakeWatcher):
    """Stops the run once the first part is sealed."""

    @override
    def progress(self, done: int, total: int, *, unit: str) -> None:
        super().progress(done, total, unit=unit)
        if self.phases[-1] == "seal":
            raise InterruptedRunError("SIGTERM")


def test_what_is_sealed_without_a_signed_manifest_waits_for_nobody(tmp_path: Path) -> None:
    world = World()
    world.watcher = _Tired()
    outcome = ran(world, tmp_path)
    assert isinstance(outcome.stopped, InterruptedRunError)
    assert world.watcher.phases[-2:] == ["seal", "report"]
    assert not list((tmp_path / "outbox").iterdir())
    assert not [key for key in world.store.objects if key.startswith("gallery/")]


def test_the_ledger_tells_the_start_before_the_first_step_and_the_end_after_the_last(tmp_path: Path) -> None:
    ran(World(), tmp_path)
    entries = LedgerFile(tmp_path / "reports").read().entries
    assert [type(entry) for entry in entries] == [KeyChanged, RunStarted, BackupStored, RunFinished]


def test_a_backup_alone_is_judged_by_no_gate_and_a_later_drill_proves_it(tmp_path: Path) -> None:
    world = World()
    backup = ran(world, tmp_path, Job.BACKUP, run="20260301T020000Z-gallery-000001")
    assert backup.stopped is None
    assert backup.finished.verdicts == ()
    assert world.watcher.phases[-2:] == ["disaster", "report"]
    world.tables["users"].append("carl")  # the source moves on; the backup does not
    drill = ran(world, tmp_path, Job.DRILL, run="20260302T020000Z-gallery-000002")
    assert drill.stopped is None
    assert set(verdicts(drill).values()) == {Verdict.PASS}


def test_a_drill_refuses_a_manifest_that_no_operator_of_the_roster_signed(tmp_path: Path) -> None:
    world = World(signer=STRANGER)
    ran(world, tmp_path, Job.BACKUP)
    drill = ran(world, tmp_path, Job.DRILL, run="20260302T020000Z-gallery-000002")
    assert isinstance(drill.stopped, TamperedError)
    assert STRANGER in drill.stopped.message


def test_a_drill_says_which_manifest_has_other_bytes_than_were_signed(tmp_path: Path) -> None:
    """Which file of ours it was copied into to be looked at is nobody's business."""
    world = World()
    ran(world, tmp_path, Job.BACKUP)
    (key,) = (key for key in world.store.objects if key.endswith("/manifest.json"))
    world.store.objects[key] += b" "
    drill = ran(world, tmp_path, Job.DRILL, run="20260302T020000Z-gallery-000002")
    assert isinstance(drill.stopped, TamperedError)
    assert drill.stopped.message.startswith(f"{key.rpartition('/')[0]}: the signature over manifest.json")
    assert "another backup" in drill.stopped.hint


def test_a_drill_of_a_backup_that_is_not_there_names_the_ones_that_are(tmp_path: Path) -> None:
    world = World()
    taken = ran(world, tmp_path, Job.BACKUP).finished.case.manifest
    assert taken is not None
    before = LedgerFile(tmp_path / "reports").read().entries
    tools = world.tools(tmp_path, making=False, backup="20200101T000000Z-none")
    with pytest.raises(StoreError) as refused:
        execute(planned(Job.DRILL, "20260302T020000Z-gallery-000002"), tools=tools, reports=tmp_path / "reports")
    assert taken.backup in refused.value.hint
    assert LedgerFile(tmp_path / "reports").read().entries == before, "a slip of the pen is no run"


def test_a_backup_that_the_ledger_knows_and_the_store_has_lost_is_evidence(tmp_path: Path) -> None:
    ran(World(), tmp_path, Job.BACKUP)
    outcome = ran(World(), tmp_path, Job.DRILL, run="20260302T020000Z-gallery-000002")
    assert isinstance(outcome.stopped, StoreError)
    assert set(verdicts(outcome).values()) == {Verdict.UNKNOWN}


def test_nothing_plain_is_left_in_the_workspace(tmp_path: Path) -> None:
    ran(World(), tmp_path)
    left = {path.name for path in (tmp_path / "workspace").rglob("*")}
    assert left == {"logs", "01-pg_dump.log"}


def test_history_tells_of_earlier_runs_of_the_same_system(tmp_path: Path) -> None:
    world = World()
    first = ran(world, tmp_path)
    second = ran(world, tmp_path, run="20260401T020000Z-gallery-000002")
    past = second.finished.case.context.history
    assert {(each.run, each.outcome) for each in past} == {(first.finished.case.context.run, "PASS")}
    assert {each.gate for each in past} == {"S9-PROD-003", "S9-PROD-004"}


def streaming(world: World, folder: Path) -> Outcome:
    chosen = plan.make(
        Job.RUN, run="20260301T020000Z-gallery-000001", system="gallery", gates=GATES, jobs=2, method="stream"
    )
    return execute(chosen, tools=world.tools(folder), reports=folder / "reports")


def test_by_method_stream_the_stored_proof_has_what_the_sealer_read(tmp_path: Path) -> None:
    """The dump's text is digested on its way into the seal, so the proof is sealed behind it and compared like any."""
    outcome = streaming(World(), tmp_path)
    assert outcome.stopped is None
    assert verdicts(outcome) == {"S9-PROD-003": Verdict.PASS, "S9-PROD-004": Verdict.PASS}
    assert reading(outcome).text("proof.method") == "stream"
    assert outcome.finished.case.source is not None
    assert all(table.text for table in outcome.finished.case.source.tables)
    assert "stream" in (outcome.finished.folder / "manifest.json").read_text()


def test_by_method_stream_a_lost_row_is_a_failure(tmp_path: Path) -> None:
    assert verdicts(streaming(World(loses_row=True), tmp_path))["S9-PROD-004"] is Verdict.FAIL


def test_one_problem_of_preflight_keeps_its_class_and_what_was_fine_is_told(tmp_path: Path) -> None:
    outcome = ran(World(store_problems=(StoreError("read only"),)), tmp_path)
    assert isinstance(outcome.stopped, StoreError)
    seen = reading(outcome)
    looked = seen.subjects("preflight.check")
    assert len(looked) == seen.number("preflight.checks")
    assert seen.text("preflight.check", "store: round trip of a nonce") == "memory; IN THE WAY: read only"
    assert seen.text("preflight.check", "source: tables readable") == "3 tables"


def test_a_drill_looks_at_its_backup_before_anything_else(tmp_path: Path) -> None:
    ran(World(), tmp_path, Job.BACKUP)
    world = World(store_problems=(StoreError("read only"),))
    outcome = ran(world, tmp_path, Job.DRILL, run="20260302T020000Z-gallery-000002")
    assert isinstance(outcome.stopped, PreflightError)
    told = [problem.message for problem in outcome.stopped.problems]
    assert told == ["read only", "memory holds no backup of gallery"]
    assert "retrieve" not in world.watcher.phases


@pytest.mark.parametrize("phase", ["data", "verify", "teardown"])
def test_a_restore_that_stops_tells_what_became_of_its_server(tmp_path: Path, phase: str) -> None:
    outcome = ran(World(breaks_in=phase, error=InterruptedRunError("SIGINT")), tmp_path)
    assert reading(outcome).flag("teardown.complete") is True


@pytest.mark.parametrize("world", [World(), World(stored_rots=True), World(dump_rots=True)])
def test_what_a_run_remembers_of_its_proofs_is_what_its_bundle_holds(tmp_path: Path, world: World) -> None:
    """The report of a run is rendered from memory; whoever renders it again has the bundle alone."""
    finished = ran(world, tmp_path).finished
    again = read_record(finished.folder).case
    assert (finished.case.source, finished.case.restored) == (again.source, again.restored)
    assert finished.case.comparison == again.comparison


def test_a_proof_that_was_changed_since_it_was_seen_is_the_one_that_is_rendered(tmp_path: Path) -> None:
    """Nothing is shown that the bundle does not hold; that it was changed, the journal's facts give away."""
    changed = tmp_path / "reports" / "20260301T020000Z-gallery-000001" / "proof.restored.json"

    class Changing(FakeWatcher):
        @override
        def phase(self, name: str) -> None:
            super().phase(name)
            if name == "report":
                seen = proof.decode(changed.read_bytes(), what="it")
                changed.write_bytes(proof.encode(replace(seen, tables=seen.tables[1:])))

    world = World()
    world.watcher = Changing()
    case = ran(world, tmp_path).finished.case
    assert case.restored == proof.decode(changed.read_bytes(), what="it")
    assert case.comparison is not None
    assert case.comparison.differences
