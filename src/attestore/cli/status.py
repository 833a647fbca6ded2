"""status: what each gate is worth, as a matrix of systems and gates, with an exit code for pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from attestore import canon, compose, gate, instants
from attestore.audit import Row, status
from attestore.cli import dates
from attestore.cli.check import anchor
from attestore.cli.display import consoles
from attestore.compose.foreseen import Foresight
from attestore.errors import UsageError
from attestore.forecast import LEVEL, Forecast
from attestore.report import numbers
from attestore.report.outlook import sentence
from attestore.standing import Standing, worst_exit

__all__ = ["Question", "own_gates", "tell_status"]

_LOOKS: Final = {
    Standing.PASS: ("✔", "bold green"),
    Standing.WAIVED: ("~", "bold yellow"),
    Standing.FAIL: ("✘", "bold red"),
    Standing.REJECTED: ("✘", "bold red"),
    Standing.UNKNOWN: ("?", "bold yellow"),
    Standing.EXPIRED: ("◷", "bold yellow"),
    Standing.NEVER_RUN: ("·", "yellow"),
    Standing.AWAITING: ("…", "bold yellow"),
    Standing.UNTRUSTED: ("!", "bold red"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked for on the command line."""

    gate: str
    system: str
    at: str
    gates: Path | None
    anchors: tuple[str, ...]
    reports: Path
    roster: Path
    as_json: bool


def tell_status(question: Question) -> int:
    """Tell it; the exit code is that of the worst standing."""
    if not question.reports.is_dir():
        raise UsageError(f"there is no folder {question.reports}", hint="Name the reports folder with --reports DIR.")
    own = None if question.gates is None else own_gates(question.gates)
    if own is not None and question.gate and question.gate not in own:
        raise UsageError(
            f"{question.gates} holds no gate {question.gate!r}: there is nothing to compare with",
            hint=f"It holds: {', '.join(sorted(own))}.",
        )
    asked = [*([question.gate] if question.gate else ()), *(own or ())]
    kept = [anchor(written) for written in question.anchors]
    with compose.auditing(question.roster) as trust:
        now = trust.clock.now()
        at = dates.as_of(question.at, option="--at") if question.at else now
        rows = status(
            question.reports,
            roster=trust.roster,
            verifier=trust.verifier,
            at=at,
            now=now,
            asked=asked,
            own=own,
            anchors=kept,
        )
        foresight = Foresight(question.reports, trust=trust, at=at)
        rows = tuple(
            row
            for row in rows
            if (not question.gate or row.gate == question.gate)
            and (not question.system or row.system == question.system)
        )
        code = worst_exit(row.held.standing for row in rows)
        if question.as_json:
            typer.echo(canon.encode(_as_json(rows, foresight, at=at, code=code)).decode())
        else:
            _print(rows, question, at=at)
        return code


def own_gates(folder: Path) -> Mapping[str, canon.Digest]:
    """The SHA-256 of each gate in a folder, by id.

    Raises:
        GateError: a file there is no gate.
        UsageError: there is no such folder, it holds no gate, or two of one id.
    """
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}", hint="Name the folder that holds your gate files: --gates DIR."
        )
    own: dict[str, canon.Digest] = {}
    for path in sorted(folder.glob("*.yaml")):
        each = gate.read(path)
        if each.id in own:
            raise UsageError(f"{folder} holds two gates {each.id}", hint="Keep the one that counts.")
        own[each.id] = each.digest
    if not own:
        raise UsageError(f"{folder} holds no gate (*.yaml)", hint="Name the folder that holds your gate files.")
    return own


def _as_json(rows: Sequence[Row], foresight: Foresight, *, at: datetime, code: int) -> canon.JSON:
    return {
        "at": instants.text(at),
        "exit_code": code,
        "gates": [
            {
                "system": row.system,
                "gate": row.gate,
                "standing": row.held.standing.value,
                "run": row.held.run,
                "outcome": row.held.outcome,
                "finished": row.held.finished,
                "until": row.held.until,
                "reason": row.held.reason,
                "missing_roles": list(row.held.quorum.roles),
                "missing_people": row.held.quorum.more,
                "running": list(row.running),
                "died": list(row.died),
                "gate_digest": row.digest,
                "gate_expected": row.expected,
                "gate_changed_since": row.changed_since,
                "problems": list(row.problems),
                "forecast": _forecast(foresight.of(row)),
            }
            for row in rows
        ],
    }


def _forecast(told: Forecast | None) -> canon.JSON:
    """When the target of the recovery time will be broken; null where the gate sets none or nothing trustworthy was run."""
    if told is None:
        return None
    return {
        "outlook": told.outlook.value,
        "says": sentence(told),
        "confidence_percent": LEVEL,
        "target_ms": told.target.ms,
        "newest_ms": told.newest_ms,
        "about": told.about,
        "earliest": told.early,
        "latest": told.late,
        "horizon": told.horizon,
        "growth_ms_in_30_days": told.monthly_ms,
        "growing_phase": told.phase,
        "runs": told.runs,
        "days": told.days,
        "left_out": told.left_out,
        "other_settings": told.others,
    }


def _print(rows: Sequence[Row], question: Question, *, at: datetime) -> None:
    """The matrix, then a line of why for everything that is not a plain PASS."""
    out, _ = consoles()
    when = instants.text(at)
    if not rows:
        of = f" of {question.system}" if question.system else ""
        out.print(Text(f"No gate{of} was ever run here."))
        return
    systems = sorted({row.system for row in rows})
    known = {(row.system, row.gate): row for row in rows}
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Gate", overflow="fold")
    for system in systems:
        table.add_column(system or "(no system)", overflow="fold")
    for each in sorted({row.gate for row in rows}):
        cells = [_cell(known[system, each], at=when) if (system, each) in known else Text("–") for system in systems]
        table.add_row(Text(each), *cells)
    out.print(table)
    first = 1
    for row in rows:
        remarks = _remarks(row, question)
        if row.held.standing is not Standing.PASS or remarks:
            where = f"{row.system} " if len(systems) > 1 else ""
            said = f"{where}{row.gate}: {' '.join((row.held.reason, *remarks))}"
            out.print(Padding(Text(said), (first, 0, 0, 0)))
            first = 0


def _remarks(row: Row, question: Question) -> list[str]:
    """What is to be known besides the standing."""
    said = [f"{run} had not ended; a running run changes nothing until it ends." for run in row.running]
    said += [
        f"{run} died before its end, started before the newest finished run."
        for run in row.died
        if run not in row.held.reason and not row.problems
    ]
    if row.changed_since and not row.expected:
        said.append(f"The gate changed since run {row.changed_since}: with --gates DIR it is compared with yours.")
    if question.gates is not None and not row.expected:
        said.append(f"{question.gates} holds no such gate: its bytes were compared with nothing.")
    return said


def _cell(row: Row, *, at: str) -> Text:
    sign, style = _LOOKS[row.held.standing]
    left = (
        f", {numbers.left(at, row.held.until)} left"
        if row.held.until and row.held.standing is not Standing.EXPIRED
        else ""
    )
    return Text.assemble((f"{sign} {row.held.standing.value}", style), left)
