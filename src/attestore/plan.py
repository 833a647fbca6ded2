"""What a run will do, decided and refused before anything happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from attestore.errors import PlanError
from attestore.evidence import Step
from attestore.facts import FACTS, RTO_PHASES
from attestore.gate import Gate, Probe
from attestore.proof import AUDIT, METHODS, STREAM, IndexCheck

__all__ = ["EXISTING", "ISOLATED", "Job", "Plan", "make"]

_MOST_JOBS = 64
_LONGEST_PAUSE_MS: Final = 60_000
"""between two chunks: the snapshot is held all the while"""
ISOLATED: Final = "isolated server"
EXISTING: Final = "existing server"
"""a server that the operator names: not isolated from the network by Attestore"""


class Job(Enum):
    """Which part of the cycle a run goes through; the value is the command's name."""

    BACKUP = "backup"
    DRILL = "drill"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, decided: what is done on which system, judged by which gates, in which steps."""

    job: Job
    run: str
    system: str
    gates: tuple[Gate, ...]
    probes: tuple[Probe, ...]
    """of all gates, each once"""
    jobs: int
    """parallel sessions of dump, proof and restore"""
    steps: tuple[Step, ...]
    target: str = ISOLATED
    """what takes the restore, in words"""
    index_check: IndexCheck = IndexCheck.AUTO
    """how deep the restored copy's B-tree indexes are looked into"""
    method: str = AUDIT
    """how a new backup's rows are fingerprinted; a stored one says so itself"""
    show_keys: bool = False
    """whether the evidence may hold the keys of differing rows as they are, not only digests of them"""
    source_jobs: int | None = None
    """sessions at work on the source at once, at most; None: dump and proof go on beside each other, `jobs` of each"""
    source_pause_ms: int = 0
    """how long each session that proves the source rests between two chunks"""

    @property
    def scenario(self) -> str:
        """The disaster that is rehearsed, in one sentence."""
        match self.job:
            case Job.BACKUP:
                return "A backup is taken, sealed, stored and read back; nothing is restored."
            case Job.DRILL:
                return (
                    "The server and every local copy are taken as lost; a stored backup is all there is, "
                    f"and is restored into an {self.target}."
                )
            case Job.RUN:
                return (
                    "A backup is taken, sealed and stored; every local copy is destroyed; "
                    f"what the store gives back is restored into an {self.target}."
                )


def make(  # noqa: PLR0913
    job: Job,
    *,
    run: str,
    system: str,
    gates: Sequence[Gate],
    jobs: int,
    method: str = AUDIT,
    show_keys: bool = False,
    index_check: IndexCheck = IndexCheck.AUTO,
    target: str = ISOLATED,
    source_jobs: int | None = None,
    source_pause_ms: int = 0,
) -> Plan:
    """Decide a run.

    Raises:
        PlanError: a gate is named twice, two gates ask different questions under one probe id, a gate needs facts
            that this job can't observe or another fingerprint method, keys are to be shown that the method can't find, a number of jobs is out of range, or a pause is too long.
    """
    if method not in METHODS:
        raise PlanError(f"--method {method} is none of {', '.join(METHODS)}", hint=f"Say --method {AUDIT}.")
    _bounded(jobs, source_jobs, source_pause_ms=source_pause_ms)
    seen: set[str] = set()
    for gate in gates:
        if gate.id in seen:
            raise PlanError(f"gate {gate.id} is given twice", hint="Name each gate once.")
        seen.add(gate.id)
    if job is not Job.BACKUP and not gates:
        raise PlanError("no gate is given, so nothing would be judged", hint="Add --gate S9-PROD-004.")
    if job is Job.BACKUP and gates:
        raise PlanError(
            f"a backup alone can't prove {gates[0].id}: nothing is restored",
            hint="Use `attestore run` to back up and restore, or `attestore drill` to restore a stored backup.",
        )
    if job is not Job.DRILL:
        if show_keys and method == STREAM:
            raise PlanError(
                "--show-keys shows the keys of differing rows, and method stream looks for no rows",
                hint=f"Say --method {AUDIT}, or leave --show-keys out.",
            )
        _agree(method, gates=gates)
    return Plan(
        job=job,
        run=run,
        system=system,
        # by id, as an auditor finds them in the bundle: the order of options must not change a byte of the report
        gates=tuple(sorted(gates, key=lambda gate: gate.id)),
        probes=_probes(gates),
        jobs=jobs,
        steps=_steps(job, probes=len(_probes(gates)), target=target, source_jobs=source_jobs),
        target=target,
        index_check=index_check,
        method=method,
        show_keys=show_keys,
        source_jobs=source_jobs,
        source_pause_ms=source_pause_ms,
    )


def _bounded(jobs: int, source_jobs: int | None, *, source_pause_ms: int) -> None:
    for option, number in (("--jobs", jobs), ("--source-jobs", 1 if source_jobs is None else source_jobs)):
        if not 1 <= number <= _MOST_JOBS:
            raise PlanError(f"{option} {number} is out of range", hint=f"Give a number from 1 to {_MOST_JOBS}.")
    if source_pause_ms > _LONGEST_PAUSE_MS:
        raise PlanError(
            f"--source-pause is {source_pause_ms} ms, longer than a minute",
            hint="The snapshot is held all the while: give at most 1m, such as 50ms.",
        )


def _agree(method: str, *, gates: Sequence[Gate]) -> None:
    """A gate that asks for another method could not pass, whatever the run did."""
    for gate in gates:
        for check in gate.checks:
            if check.fact != "proof.method" or check.operator.holds(method, check.bound):
                continue
            fit = [each for each in METHODS if check.operator.holds(each, check.bound)]
            raise PlanError(
                f"gate {gate.id} requires proof.method {check.operator.value} {check.written}, "
                f"and rows would be fingerprinted by method {method}",
                hint=f"Say --method {fit[0]}." if fit else f"No method fits that; there are {' and '.join(METHODS)}.",
            )


def _probes(gates: Sequence[Gate]) -> tuple[Probe, ...]:
    probes: dict[str, Probe] = {}
    for gate in gates:
        for probe in gate.probes:
            known = probes.setdefault(probe.id, probe)
            if not known.values:
                # one gate that bounds its number is enough for it to be told
                probes[probe.id] = replace(known, values=probe.values)
            if known.sql != probe.sql:
                raise PlanError(
                    f"probe {probe.id} of gate {gate.id} asks something else than the probe of that id in another gate",
                    hint="Give one of them another id.",
                )
    return tuple(probes.values())


def _steps(job: Job, *, probes: int, target: str, source_jobs: int | None) -> tuple[Step, ...]:
    asked = f", {probes} probe{'s' if probes > 1 else ''}" if probes else ""
    looking = (
        Step(
            "proof",
            f"count and fingerprint every table, list every object, sequence and setting{asked} at that snapshot",
            "bundle",
        ),
        Step("dump", "pg_dump of the whole database at that snapshot, roles and settings beside it", "workspace"),
    )
    first = (
        Step("preflight", "look at everything that could stand in the way, list all of it at once", "bundle"),
        Step("snapshot", "lock every table against TRUNCATE and DDL, export one repeatable-read snapshot", "nothing"),
        # few sessions at the source do one after the other
        *(looking if source_jobs is None else reversed(looking)),
        Step("seal", "compress once, encrypt to the recipients, digest plain and sealed bytes", "workspace"),
        Step("store", "put every part and the signed manifest into the store, read every byte back", "store"),
        Step("disaster", "destroy every local copy", "workspace, emptied"),
    )
    meanings = {
        "retrieve": "workspace",
        "unseal": "workspace",
        "prepare": "workspace",
        "schema": target,
        "data": target,
        "indexes": target,
        "finalize": target,
    }
    rto = tuple(
        Step(phase, FACTS[f"restore.{phase}"].meaning.removeprefix("RTO phase: "), meanings[phase])
        for phase in RTO_PHASES
    )
    last = (
        Step(
            "verify", f"take the same proof of the restored copy, look up every foreign key{asked}, compare", "bundle"
        ),
        Step(
            "exercise",
            "offer each constraint a row it forbids, cause each trigger's event, read indexes through; roll all of it back",
            "nothing",
        ),
        Step("inspect", "read how the stored bytes are sealed, try to open them without the key", "nothing"),
        Step(
            "control", "plant changes in the restored copy and require the comparison to notice each", "restored copy"
        ),
        Step(
            "teardown",
            "stop the isolated server, remove its files"
            if target == ISOLATED
            else "drop the database and the roles that came with it",
            "workspace, emptied",
        ),
    )
    match job:
        case Job.BACKUP:
            return first
        case Job.DRILL:
            return (first[0], *rto, *last)
        case Job.RUN:
            return (*first, *rto, *last)
