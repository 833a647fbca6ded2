"""Commands that only look: audit, facts, gates check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import typer
from rich.text import Text

from attestore import canon, compose, gate, instants
from attestore.amounts import amount
from attestore.archive.opened import read_file
from attestore.audit import Anchor, Finding, Findings, Status, audit, audit_envelope, audit_pdf
from attestore.cli import dates
from attestore.cli.display import consoles
from attestore.cli.log import tell
from attestore.compose.stores import kept_checkpoints
from attestore.errors import GateError, UsageError
from attestore.facts import FACTS
from attestore.report import numbers

__all__ = ["Asked", "anchor", "audit_path", "check_gates", "list_facts", "timestamp"]

_FOUND = 4
_LARGEST: Final = 1 << 28
_ENVELOPE: Final = (b'"payload"', b'"payloadType"', b'"signatures"')
_SPOKEN: Final = frozenset({"completeness", "anchor", "second opinion"})
"""What holds and is told in full all the same"""
_STYLES: Final = {Status.OK: "green", Status.PROBLEM: "bold red", Status.NOTE: "yellow"}
_MARKS: Final = {Status.OK: "✔", Status.PROBLEM: "✘", Status.NOTE: "·"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an auditor asked for on the command line."""

    path: Path
    roster: Path
    at: str = ""
    anchors: tuple[str, ...] = ()
    second_opinion: bool = False
    authorities: Path | None = None
    checkpoints: str = ""


def audit_path(asked: Asked, *, as_json: bool) -> int:
    """Audit a reports folder, a bundle or an exported envelope, as at a date; 0 clean, 4 when something was found."""
    path = asked.path
    if not path.exists():
        raise UsageError(
            f"there is nothing at {path}", hint="Name the reports folder, one bundle in it, or an exported envelope."
        )
    date = dates.as_of(asked.at, option="--at") if asked.at else None
    kept = [anchor(written) for written in asked.anchors]
    with (
        compose.auditing(asked.roster, authorities=asked.authorities, second_opinion=asked.second_opinion) as trust,
        kept_checkpoints(asked.checkpoints) as checkpoints,
    ):
        when = date or trust.clock.now()
        if path.is_dir():
            found = audit(
                path,
                roster=trust.roster,
                verifier=trust.verifier,
                at=when,
                anchors=kept,
                stamps=trust.stamps,
                checkpoints=checkpoints,
                spread=trust.spread,
            )
        else:
            found = _file(path, trust, at=when)
        if trust.agreed is not None:
            found = Findings((*found.lines, _opinion(trust.agreed())))
    if as_json:
        typer.echo(canon.encode(_as_json(path, found, at=when)).decode())
    else:
        _print(path, found.lines, at=date)
    return _FOUND if found.problems else 0


def _opinion(agreed: int) -> Finding:
    """Where they disagree, the signature itself is a problem; that nothing was asked proves nothing."""
    status = Status.OK if agreed else Status.NOTE
    return Finding("second opinion", "", status, f"Sequoia and gpg judged {amount(agreed, 'signature')} alike.")


def anchor(written: str) -> Anchor:
    """FILE, or FILE@DATE."""
    name, at, date = written.rpartition("@")
    if at and dates.is_day(date[:10]):
        return Anchor(Path(name), since=dates.as_of(date, option="--anchor"))
    return Anchor(Path(written))


def _file(path: Path, trust: compose.Trust, *, at: datetime) -> Findings:
    data = read_file(path, limit=_LARGEST)
    if data.startswith(b"%PDF-"):
        if b"/ByteRange" not in data:
            raise UsageError(
                f"{path} carries no signature of its own: a report is signed beside, by {path.name}.asc",
                hint=f"Audit the bundle that it lies in: attestore audit {path.parent}",
            )
        return audit_pdf(data, name=path.name)
    if path.suffix != ".dsse" and not any(word in data for word in _ENVELOPE):
        raise UsageError(
            f"{path} is neither an exported envelope nor an exported PDF",
            hint=f"Name the reports folder, one bundle in it, or what attestore export made; perhaps {path.parent}.",
        )
    return audit_envelope(
        data,
        name=path.name,
        roster=trust.roster,
        verifier=trust.verifier,
        at=at,
        aside=trust.aside,
    )


def _as_json(path: Path, found: Findings, *, at: datetime) -> canon.JSON:
    return {
        "audited": str(path),
        "at": instants.text(at),
        "clean": not found.problems,
        "lines": [
            {"check": line.check, "subject": line.subject, "status": line.status.name, "sentence": line.sentence}
            for line in found.lines
        ],
    }


def _print(path: Path, lines: Sequence[Finding], *, at: datetime | None) -> None:
    """What was found stands first and in full; what holds is one line per check."""
    out, _ = consoles()
    for status in (Status.PROBLEM, Status.NOTE):
        for line in lines:
            if line.status is status:
                where = f"{line.subject}: " if line.subject else ""
                out.print(
                    Text.assemble((f"{_MARKS[status]} {line.check}  ", _STYLES[status]), f"{where}{line.sentence}")
                )
    held = Counter(line.check for line in lines if line.status is Status.OK)
    broken = {line.check for line in lines if line.status is Status.PROBLEM}
    for check, times in held.items():
        if check in _SPOKEN:
            for line in lines:
                if line.check == check and line.status is Status.OK:
                    where = f"{line.subject}: " if line.check == "anchor" and line.subject else ""
                    out.print(Text.assemble((f"{_MARKS[Status.OK]} {check}  ", "green"), f"{where}{line.sentence}"))
        elif check not in broken:
            out.print(Text.assemble((f"{_MARKS[Status.OK]} ", "green"), f"{check:<22}{times:>6} held"))
    count = sum(line.status is Status.PROBLEM for line in lines)
    verdict = Text("clean", "bold green") if not count else Text(numbers.counted(count, "problem"), "bold red")
    as_at = f", as at {instants.text(at)}" if at is not None else ""
    compared = numbers.counted(sum(held.values()), "comparison")
    out.print(Text.assemble(f"\n{path}{as_at}: ", verdict, f", {compared} held"))


def list_facts(*, as_json: bool) -> int:
    """The whole vocabulary, in its order."""
    if as_json:
        listed: list[canon.JSON] = [
            {
                "fact": fact.name,
                "kind": fact.kind.value,
                "unit": fact.kind.unit,
                "per": fact.per,
                "meaning": fact.meaning,
            }
            for fact in FACTS.values()
        ]
        typer.echo(canon.encode(listed).decode())
        return 0
    width = max(map(len, FACTS))
    for fact in FACTS.values():
        kind = f"{fact.kind.value}{f', {fact.kind.unit}' if fact.kind.unit else ''}"
        typer.echo(f"{fact.name:<{width}}  {kind:<13} {fact.meaning}")
    return 0


def timestamp(folder: Path, *, authority: str, as_json: bool) -> int:
    """Have a bundle time-stamped; nothing sealed changes."""
    added = compose.stamp(folder, authority=authority)
    typer.echo(canon.encode({"added": str(added)}).decode() if as_json else f"{added} is added")
    return 0


def check_gates(files: Sequence[Path], *, as_json: bool) -> int:
    """Load each file, or gate by its id; all problems are told, not just the first."""
    refused: list[GateError] = []
    told: list[canon.JSON] = []
    for path in files:
        try:
            loaded = gate.read(path) if path.exists() else gate.named(str(path))
        except GateError as problem:
            refused.append(problem)
            told.append({"file": str(path), "ok": False, "problem": problem.message, "hint": problem.hint})
            continue
        told.append({"file": str(path), "ok": True, "gate": loaded.id, "checks": len(loaded.checks)})
        if not as_json:
            probes = f", {numbers.counted(len(loaded.probes), 'probe')}" if loaded.probes else ""
            checks = numbers.counted(len(loaded.checks), "check")
            typer.echo(f"{path}: {loaded.id}, {checks}{probes}, {loaded.digest[:16]}…")
    if as_json:
        typer.echo(canon.encode(told).decode())
    else:
        for each in refused:
            tell(each)
    return GateError.exit_code if refused else 0
