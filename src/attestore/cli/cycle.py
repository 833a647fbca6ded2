"""demo, run, backup and drill: decide, watch, tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from attestore import canon, compose, gate, instants, resources, verdict
from attestore.archive import turn
from attestore.cli.configured import chosen
from attestore.cli.display import Quiet, Screen, consoles, outcome_of
from attestore.cli.log import concern, tell
from attestore.cli.signals import Stop, stoppable
from attestore.cli.watching import told_after
from attestore.compose.configured import Configured
from attestore.compose.copying import pending_finished
from attestore.compose.secrets import told
from attestore.errors import DiskError, Error, StoreError, TamperedError, UsageError
from attestore.gate import Gate
from attestore.plan import Job, Plan
from attestore.ports import Watcher
from attestore.proof import AUDIT, IndexCheck
from attestore.report.case import Case, Reading
from attestore.report.numbers import counted, duration
from attestore.run import Outcome, execute
from attestore.verdict import GateVerdict

__all__ = ["Order", "cycle", "demonstrate"]

_UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    reports: Path
    home: Path
    source: str = ""
    backup: str = "latest"
    gates: tuple[str, ...] = ()
    gates_folder: Path | None = None
    system: str = ""
    store: tuple[str, ...] = ()
    jobs: int = 2
    source_jobs: int | None = None
    source_pause: str = ""
    pg_bin: Path | None = None
    operator: str = ""
    into: str = ""
    method: str = AUDIT
    timestamp: str = ""
    dry_run: bool = False
    as_json: bool = False
    index_check: IndexCheck = IndexCheck.AUTO
    show_keys: bool = False
    language: str = ""
    paper: str = ""
    key: str = ""
    escrow: Path | None = None
    passphrase: str = ""
    from_store: str = ""
    configured: Configured | None = field(default_factory=chosen)

    @property
    def settings(self) -> compose.Settings:
        """The part that decides the tools."""
        return compose.Settings(
            reports=self.reports,
            home=self.home,
            stores=compose.places(self.store, home=self.home, configured=self.configured),
            source=self.source,
            backup=self.backup,
            system=self.system,
            jobs=self.jobs,
            source_jobs=self.source_jobs,
            source_pause=self.source_pause,
            pg_bin=self.pg_bin,
            operator=self.operator,
            into=self.into,
            index_check=self.index_check,
            method=self.method,
            show_keys=self.show_keys,
            language=self.language,
            paper=self.paper,
            from_store=self.from_store,
            roster=None if self.configured is None else self.configured.installation.roster,
            configured=self.configured,
            key=self.key.replace(" ", "").upper(),
            escrow=self.escrow,
            passphrase=told("--passphrase", self.passphrase) if self.passphrase else None,
        )


def cycle(job: Job, order: Order) -> int:
    """Carry out one job; the exit code of docs/exit-codes.md."""
    if order.escrow is not None and not order.key:
        raise UsageError("--escrow holds a key, and none is named", hint="Name it with --key FINGERPRINT.")
    folders = (order.gates_folder,) if order.gates_folder else ()
    gates = tuple(gate.named(name, folders=folders) for name in order.gates)
    with stoppable() as stop:
        return _carried_out(job, order, gates=gates, stop=stop)


def demonstrate(order: Order, *, scale: int) -> int:
    """The whole cycle on a throw-away server that holds the gallery."""
    folder = resources.gates_folder()
    gates = (gate.read(folder / "S9-PROD-003.yaml"), gate.read(folder / "examples" / "gallery" / "S9-PROD-004.yaml"))
    _, err = consoles()
    with stoppable() as stop, compose.gallery(order.settings, scale=scale, say=lambda text: _say(err, text)) as source:
        return _carried_out(Job.RUN, replace(order, source=source, system="gallery"), gates=gates, stop=stop, demo=True)


def _carried_out(job: Job, order: Order, *, gates: tuple[Gate, ...], stop: Stop, demo: bool = False) -> int:
    out, err = consoles()
    plan = compose.planned(job, order.settings, gates=gates)
    if order.dry_run:
        if order.as_json:
            typer.echo(canon.encode(_plan_json(plan, order)).decode())
        else:
            _print_plan(out, plan, order)
        return 0
    # what makes backups is done once at a time, and what drills them is; neither waits for the other
    what = "drill" if job is Job.DRILL else "backup"
    concern(plan.run)
    since = instants.text(compose.clock().now())
    # what prints takes longer to begin than all else, and is begun first
    with compose.pressing() as press, turn(order.reports, plan.system, what, since=since):
        for died in compose.close_died(order.settings, press=press, watcher=Quiet(err, clock=compose.clock())):
            judged = ", ".join(f"{each.gate} {each.outcome.name}" for each in died.verdicts) or "no gate was asked"
            _say(err, f"Run {died.case.context.run} had died; its bundle is closed and signed: {judged}.")
        _finish_pending(job, order, plan, err)
        with (
            _watching(err, plan) as watcher,
            compose.tools(
                plan, order.settings, press=press, watcher=watcher, settle=stop.settle, hearing=stop.hearing
            ) as tools,
        ):
            outcome = execute(plan, tools=tools, reports=order.reports)
    _stamp(order, folder=outcome.finished.folder, say=lambda text: _say(err, text))
    told_after(home=order.home, reports=order.reports, say=lambda text: _say(err, text))
    finished = outcome.finished
    if order.as_json:
        typer.echo(canon.encode(_as_json(plan, outcome)).decode())
    else:
        out.print(outcome_of(finished.verdicts, finished.case, folder=finished.folder))
        _print_next(out, order, gates=gates, verdicts=finished.verdicts, demo=demo)
    if outcome.stopped is not None:
        tell(outcome.stopped)
    return _exit_code(plan, outcome)


def _finish_pending(job: Job, order: Order, plan: Plan, err: Console) -> None:
    """What a former run sealed and could not store goes first; a store that is still away does not keep us from a new backup."""
    if job is Job.DRILL:
        return
    try:
        done = pending_finished(order.settings, system=plan.system, watcher=Quiet(err, clock=compose.clock()))
    except (StoreError, DiskError, TamperedError) as problem:
        _say(err, f"A backup that waits on this machine could not be stored: {problem.message}. It waits on.")
        return
    for each in done:
        _say(err, f"Stored {each.backup}, which had waited on this machine, in {', '.join(each.into)}.")


def _stamp(order: Order, *, folder: Path, say: Callable[[str], None]) -> None:
    """The bundle time-stamped, where that was asked for; a run that has ended is not undone by an authority that is away."""
    if not order.timestamp:
        return
    try:
        compose.stamp(folder, authority=order.timestamp)
    except Error as problem:
        say(f"No time stamp: {problem.message}. Try later: attestore timestamp {folder} --authority {order.timestamp}")
    else:
        say(f"Time-stamped by {order.timestamp}.")


def _exit_code(plan: Plan, outcome: Outcome) -> int:
    """A failed gate outweighs what stopped the run; what stopped it outweighs UNKNOWN."""
    verdicts = outcome.finished.verdicts
    worst = verdict.worst(each.outcome for each in verdicts)
    if worst is verdict.Outcome.FAIL:
        return 1
    if outcome.stopped is not None:
        return outcome.stopped.exit_code
    if worst is verdict.Outcome.UNKNOWN and plan.job is not Job.BACKUP:
        return _UNKNOWN
    return 0


@contextmanager
def _watching(err: Console, plan: Plan) -> Iterator[Watcher]:
    clock = compose.clock()
    if err.is_terminal:
        phases = [*(step.phase for step in plan.steps), "report"]
        screen = Screen(err, clock=clock, phases=phases, title=f"{plan.job.value} · {plan.system} · {plan.run}")
        with screen.live():
            yield screen
    else:
        quiet = Quiet(err, clock=clock)
        with nullcontext():
            yield quiet
        quiet.end()


def _print_plan(out: Console, plan: Plan, order: Order) -> None:
    settings = order.settings
    head = Table.grid(padding=(0, 2))
    head.add_row(Text("System"), Text(plan.system))
    head.add_row(Text("Scenario"), Text(plan.scenario))
    if order.source:
        head.add_row(Text("Source"), Text(compose.source_label(settings)))
    for number, place in enumerate(settings.stores):
        head.add_row(Text("" if number else "Store"), Text(place.location))
    if pace := _pace_words(plan):
        head.add_row(Text("Pace"), Text(pace))
    head.add_row(Text("Bundle"), Text(str(order.reports / plan.run)))
    head.add_row(Text("Keys, roster"), Text(str(order.home)))
    out.print(head)
    steps = Table(box=None, padding=(0, 2, 0, 1), header_style="dim")
    for name in ("Phase", "What is done", "What is written"):
        steps.add_column(name, overflow="fold")
    for step in plan.steps:
        steps.add_row(Text(step.phase), Text(step.does), Text(step.writes))
    out.print(Padding(steps, (1, 0, 0, 0)))
    for each in plan.gates:
        checks = Table(box=None, padding=(0, 2, 0, 1), header_style="dim")
        checks.add_column(each.id, overflow="fold")
        checks.add_column("must be", overflow="fold")
        checks.add_column("fact", overflow="fold")
        for check in each.checks:
            must = f"{check.operator.value} {check.written}"
            checks.add_row(Text(check.title or check.id), Text(must), Text(check.fact))
        for probe in each.probes:
            checks.add_row(Text(probe.title), Text(probe.must), Text("probe"))
        out.print(Padding(checks, (1, 0, 0, 0)))


def _pace_words(plan: Plan) -> str:
    """How gently the source is worked; empty where nobody chose it."""
    said = []
    if plan.source_jobs is not None:
        said.append(f"{counted(plan.source_jobs, 'session')} at work on the source at once, at most")
    if plan.source_pause_ms:
        said.append(f"{duration(plan.source_pause_ms)} of rest between two chunks of the proof")
    return "; ".join(said)


def _plan_json(plan: Plan, order: Order) -> canon.JSON:
    return {
        "run": plan.run,
        "job": plan.job.value,
        "system": plan.system,
        "scenario": plan.scenario,
        "source": compose.source_label(order.settings) if order.source else None,
        "store": order.settings.stores[0].location,
        "stores": [{"name": each.name, "location": each.location} for each in order.settings.stores],
        "bundle": str(order.reports / plan.run),
        "source_jobs": plan.source_jobs,
        "source_pause_ms": plan.source_pause_ms or None,
        "steps": [{"phase": step.phase, "does": step.does, "writes": step.writes} for step in plan.steps],
        "gates": [
            {
                "gate": each.id,
                "digest": each.digest,
                "checks": [
                    {"id": check.id, "fact": check.fact, "must": f"{check.operator.value} {check.written}"}
                    for check in each.checks
                ],
                "probes": [probe.id for probe in each.probes],
            }
            for each in plan.gates
        ],
    }


def _print_next(
    out: Console, order: Order, *, gates: tuple[Gate, ...], verdicts: tuple[GateVerdict, ...], demo: bool
) -> None:
    home = "" if order.home == Path(".attestore") else f" --home {order.home}"
    lines = [
        f"\n Check it: attestore audit {order.reports}{home}",
        "       or: VERIFY.md beside the report, with gpg and sha256sum alone",
    ]
    passed = {each.gate: each.outcome is verdict.Outcome.PASS for each in verdicts}
    status = f"attestore status{'' if order.reports == Path('reports') else f' --reports {order.reports}'}{home}"
    asking = [passed.get(each.id, False) for each in gates if each.approval is not None]
    if any(asking):
        lines.append(f" Who has to approve: {status}")
    if not all(asking):
        lines += [" What did not pass cannot be approved: run again, or reject or waive it.", f"      See: {status}"]
    if demo:
        lines.append(f" Backups, keys and roster are kept in {order.home}.")
    out.print(Text("\n".join(lines)))


def _say(err: Console, text: str) -> None:
    err.print(Text(text))


def _as_json(plan: Plan, outcome: Outcome) -> canon.JSON:
    finished = outcome.finished
    reading = Reading(finished.case.observations)
    stopped = outcome.stopped
    return {
        "run": plan.run,
        "job": plan.job.value,
        "system": plan.system,
        "outcome": verdict.worst(each.outcome for each in finished.verdicts).name if finished.verdicts else "NONE",
        "gates": [_gate_json(each) for each in finished.verdicts],
        "rto_ms": reading.number("restore.rto"),
        "backup": reading.text("backup.id"),
        "backup_digest": reading.text("backup.digest"),
        "bundle": str(finished.folder),
        "statement": finished.statement_digest,
        "differences": _differences_json(finished.case),
        "restore_errors": [str(each.value) for each in finished.case.observations if each.fact == "restore.error"],
        "stopped": None if stopped is None else {"error": type(stopped).__name__, "message": stopped.message},
    }


def _differences_json(case: Case) -> canon.JSON:
    if case.comparison is None:
        return []
    return [
        {
            "kind": each.kind,
            "subject": each.subject,
            "what": each.what,
            "detail": each.detail,
            "backup": each.source,
            "restored": each.restored,
        }
        for each in case.comparison.differences
    ]


def _gate_json(each: GateVerdict) -> canon.JSON:
    return {
        "gate": each.gate,
        "outcome": each.outcome.name,
        "reason": each.reason,
        "checks": [
            {
                "id": c.id,
                "outcome": c.outcome.name,
                "reason": c.reason,
                "fact": c.fact,
                "must": f"{c.operator.value} {c.written}",
                "observed": dict(c.observed),
            }
            for c in each.checks
        ],
    }
