"""How a run ends: verdict, context, reports, signatures, statement, ledger. The same for a whole run and a broken one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attestore import __version__, canon, instants, proof, report, verdict
from attestore.archive import Bundle, LedgerFile, history
from attestore.evidence import Context, Journal, Manifest, Person, Step, context, manifest, statement
from attestore.evidence.ledger import Head, RunClosed, RunFinished
from attestore.evidence.statement import GateOutcome
from attestore.gate import Gate
from attestore.report import Case
from attestore.run.book import Proved
from attestore.run.rendering import render
from attestore.run.tools import Issuing
from attestore.verdict import GateVerdict

__all__ = ["Ending", "Finished", "finish"]

_PROOFS: Final = ("proof.source.json", "proof.restored.json")


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of a run besides its journal."""

    run: str
    system: str
    scenario: str
    gates: tuple[Gate, ...]
    steps: tuple[Step, ...]
    started: str
    head: Head
    """the ledger up to and with this run's own `run.started`"""
    operator: Person
    closed_by: str
    """name of the person who closes a run that died; empty for a run that ends itself"""
    proved: Proved | None = None
    """of a run that ends itself and has seen both sides"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A sealed bundle, as a value."""

    folder: Path
    case: Case
    verdicts: tuple[GateVerdict, ...]
    statement_digest: str


def finish(ending: Ending, *, tools: Issuing, ledger: LedgerFile, bundle: Bundle, reports: Path) -> Finished:
    """Judge what the journal holds, render, sign and seal; nothing sealed changes afterwards.

    Raises:
        ArchiveError, DiskError: the bundle or the ledger can't be written.
        PrintError, KeyringError: the report can't be printed or signed.
        InterruptedRunError: somebody did not want to wait for the printing.
    """
    tools.watcher.phase("report")
    told = bundle.journal()
    verdicts = tuple(verdict.judge(gate, told.observations) for gate in ending.gates)
    bundle.write("verdict.json", verdict.encode(verdicts))
    about = _context(ending, tools=tools, told=told, reports=reports)
    bundle.write("context.json", context.encode(about))
    for log in sorted(tools.logs.iterdir()) if tools.logs is not None else []:
        bundle.write(f"logs/{log.name}", log.read_bytes())
    for name, data in tools.templates.files().items():
        bundle.write(f"templates/{name}", data)
    case = _case(ending, about=about, told=told, verdicts=verdicts, bundle=bundle)
    _reports(case, tools=tools, bundle=bundle)
    digest = _seal(case, told=told, tools=tools, bundle=bundle)
    outcomes = tuple((each.gate, each.outcome.name) for each in verdicts)
    at = instants.text(tools.clock.now())
    if ending.closed_by:
        ledger.append(
            RunClosed(at=at, run=ending.run, by=tools.signer.fingerprint, statement=digest, outcomes=outcomes)
        )
    else:
        ledger.append(RunFinished(at=at, run=ending.run, statement=digest, outcomes=outcomes))
    ledger.checkpoint(tools.signer, at=at)
    return Finished(folder=bundle.folder, case=case, verdicts=verdicts, statement_digest=digest)


def _context(ending: Ending, *, tools: Issuing, told: Journal, reports: Path) -> Context:
    last = told.observations[-1].at if told.observations else ending.started
    return Context(
        run=ending.run,
        system=ending.system,
        scenario=ending.scenario,
        started=ending.started,
        ended=last,
        operator=ending.operator,
        closed_by=ending.closed_by,
        roster_digest=tools.roster.digest,
        ledger_count=ending.head.count,
        ledger_head=ending.head.digest,
        plan=ending.steps,
        history=history(reports, ending.system, roster=tools.roster, verifier=tools.verifier),
        attestore=__version__,
        renderer=report.RENDERER,
        language=tools.language,
        paper=tools.paper,
        branding=tools.branding,
    )


def _case(ending: Ending, *, about: Context, told: Journal, verdicts: tuple[GateVerdict, ...], bundle: Bundle) -> Case:
    held = {name: bundle.read(name) for name in _PROOFS if bundle.has(name)}
    known = ending.proved
    # what is rendered is what the bundle holds; it is only not read again where it holds what is known
    if known is not None and known.digests != tuple(map(canon.sha256_hex, held.values())):
        known = None

    def read(name: str) -> proof.Proof | None:
        return proof.decode(held[name], what=name) if name in held else None

    listing: Manifest | None = None
    if bundle.has("manifest.json"):
        listing = manifest.decode(bundle.read("manifest.json"))
    return Case(
        context=about,
        observations=told.observations,
        source=read(_PROOFS[0]) if known is None else known.source,
        restored=read(_PROOFS[1]) if known is None else known.restored,
        manifest=listing,
        gates=ending.gates,
        verdicts=verdicts,
        compared=None if known is None else known.comparison,
    )


def _reports(case: Case, *, tools: Issuing, bundle: Bundle) -> None:
    with tools.hearing():
        render(
            case,
            tools.templates,
            issue="",
            created=instants.parse(case.context.ended),
            carried=report.attachments(bundle.read, names=bundle.files(), gates=case.gates),
            write=bundle.write,
            by=tools,
        )
    bundle.write("VERIFY.md", report.renderer(case.context.renderer).verify(case, tools.templates))


def _seal(case: Case, *, told: Journal, tools: Issuing, bundle: Bundle) -> str:
    listing = case.manifest
    signed = statement.build(
        case.context,
        told,
        gates=[GateOutcome(gate=v.gate, digest=v.gate_digest, outcome=v.outcome.name) for v in case.verdicts],
        backup=None if listing is None else (listing.backup, listing.digest),
        files=bundle.statement_files(),
    )
    tools.signer.sign(bundle.write("statement.json", statement.encode(signed)))
    tools.signer.sign(bundle.write("SHA256SUMS", bundle.sums()))
    return signed.digest
