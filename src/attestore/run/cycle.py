"""One run from its first entry in the ledger to its last signature, however it goes in between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from attestore import instants
from attestore.archive import Bundle, LedgerFile, using
from attestore.errors import Error, KeyringError, PlanError, PreflightError
from attestore.evidence.ledger import BackupStored, KeyChanged, RunStarted
from attestore.plan import Job, Plan
from attestore.run.backup import take
from attestore.run.book import Book
from attestore.run.checkpoints import keep_checkpoint
from attestore.run.drill import choose, find, restore
from attestore.run.finish import Ending, Finished, finish
from attestore.run.preflight import preflight
from attestore.run.tools import Tools

__all__ = ["Outcome", "execute"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left, and what stopped it, if anything did."""

    finished: Finished
    stopped: Error | None


def execute(plan: Plan, *, tools: Tools, reports: Path) -> Outcome:
    """Carry out a plan and leave a sealed bundle, also when a step fails or somebody interrupts.

    An error that stops the run is in the result, not raised; what was seen until then is judged like any evidence.

    Raises:
        ArchiveError, DiskError: the bundle or the ledger can't be written, so there is nothing to leave.
        StoreError: a drill of a backup that neither the store nor the ledger ever heard of.
        PrintError, KeyringError: the report can't be printed or signed; the next command closes the run.
        InterruptedRunError: somebody stopped the printing; the next command closes the run.
    """
    ledger = LedgerFile(reports)
    _refuse_unheard(plan, tools=tools, ledger=ledger)
    with Bundle.create(reports, plan.run) as bundle:
        started = instants.text(tools.clock.now())
        for gate in plan.gates:
            bundle.write(f"gates/{gate.id}.yaml", gate.text)
        head = ledger.begin(
            RunStarted(
                at=started,
                run=plan.run,
                system=plan.system,
                operator=tools.operator.fingerprint,
                gates=tuple((gate.id, gate.digest) for gate in plan.gates),
            ),
            keys=KeyChanged(
                at=started,
                by=tools.operator.fingerprint,
                roster=tools.roster.digest,
                recipients=tuple(sorted(tools.sealer.recipients)),
            ),
        )
        book = Book(bundle, clock=tools.clock, watcher=tools.watcher)
        stopped = _carry_out(plan, tools=tools, ledger=ledger, book=book, bundle=bundle)
        tools.settle()
        ending = Ending(
            run=plan.run,
            system=plan.system,
            scenario=plan.scenario,
            gates=plan.gates,
            steps=plan.steps,
            started=started,
            head=head,
            operator=tools.operator,
            closed_by="",
            proved=book.proved,
        )
        finished = finish(ending, tools=tools.issuing, ledger=ledger, bundle=bundle, reports=reports)
    keep_checkpoint(reports, stores=tools.stores, work=tools.workspace.path, watcher=tools.watcher)
    return Outcome(finished=finished, stopped=stopped)


def _refuse_unheard(plan: Plan, *, tools: Tools, ledger: LedgerFile) -> None:
    """A backup that is gone is evidence; a name that neither ledger nor store ever heard of is a slip of the pen.

    Raises:
        StoreError: there is no such backup, and never was as far as the ledger knows.
    """
    if plan.job is not Job.DRILL or tools.drilling is None:
        return
    wanted = tools.drilling.backup
    entries = ledger.read().entries
    stored = {each.backup for each in entries if isinstance(each, BackupStored) and each.system == plan.system}
    if not stored or wanted not in {*stored, "latest", "oldest", "random"}:
        choose(plan, tools=tools, wanted=wanted)


def _carry_out(plan: Plan, *, tools: Tools, ledger: LedgerFile, book: Book, bundle: Bundle) -> Error | None:
    try:
        # a crash leaves a start that is signed; a key that can't sign is told by the preflight, with all other problems
        with suppress(KeyringError):
            ledger.checkpoint(tools.signer, at=instants.text(tools.clock.now()))
        _introduce(plan, tools=tools, book=book)
        _steps(plan, tools=tools, ledger=ledger, book=book, bundle=bundle)
        book.write("run.completed", True, source="attestore")
    except Error as problem:
        tools.settle()
        sentences = [each.message for each in problem.problems] if isinstance(problem, PreflightError) else []
        told = "; ".join(sentences or [problem.message])
        book.write("run.stopped", f"{book.phase}: {told}", source="attestore")
        book.close()
        return problem
    book.close()
    return None


def _steps(plan: Plan, *, tools: Tools, ledger: LedgerFile, book: Book, bundle: Bundle) -> None:
    cleared = preflight(plan, tools=tools, book=book)
    found = cleared.found
    if cleared.ready is not None:
        taken = take(plan, ready=cleared.ready, tools=tools, book=book, bundle=bundle)
        ledger.append(
            BackupStored(
                at=instants.text(tools.clock.now()),
                backup=taken.manifest.backup,
                system=plan.system,
                digest=taken.manifest.digest,
                run=plan.run,
            )
        )
        if taken.unstored is not None:
            raise taken.unstored
        if plan.job is not Job.BACKUP:
            found = find(plan, tools=tools, wanted=taken.manifest.backup)
    if plan.job is Job.BACKUP:
        return
    if found is None or cleared.scratch is None:
        raise PlanError(f"a {plan.job.value} needs a server that takes the restore, and none is configured")
    book.use("postgres (target)", cleared.scratch.version)
    with using(ledger.reports, plan.system, found.manifest.backup):
        restore(plan, found=found, tools=tools, scratch=cleared.scratch, book=book, bundle=bundle)


def _introduce(plan: Plan, *, tools: Tools, book: Book) -> None:
    book.write("run.system", plan.system, source="configuration")
    book.write("run.operator", tools.operator.name, source="roster")
    book.write("run.host", tools.host, source="operating system")
    for name, version in sorted(tools.versions.items()):
        book.use(name, version)
