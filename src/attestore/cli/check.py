"""Commands that only look: audit, facts, gates check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer
from rich.text import Text

from attestore import canon, compose, gate
from attestore.audit import Finding, Findings, Status, audit
from attestore.cli.display import consoles
from attestore.errors import GateError, UsageError
from attestore.facts import FACTS

__all__ = ["audit_path", "check_gates", "list_facts"]

_FOUND = 4
_STYLES: Final = {Status.OK: "green", Status.PROBLEM: "bold red", Status.NOTE: "yellow"}
_MARKS: Final = {Status.OK: "✔", Status.PROBLEM: "✘", Status.NOTE: "·"}


def audit_path(path: Path, *, roster: Path, as_json: bool) -> int:
    """Audit a reports folder or a bundle; 0 clean, 4 when something was found."""
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder", hint="Name the reports folder, or one bundle in it.")
    with compose.auditing(roster) as trust:
        found = audit(path, roster=trust.roster, verifier=trust.verifier, at=trust.clock.now())
    if as_json:
        typer.echo(canon.encode(_as_json(path, found)).decode())
    else:
        _print(path, found.lines)
    return _FOUND if found.problems else 0


def _as_json(path: Path, found: Findings) -> canon.JSON:
    return {
        "audited": str(path),
        "clean": not found.problems,
        "lines": [
            {"check": line.check, "subject": line.subject, "status": line.status.name, "sentence": line.sentence}
            for line in found.lines
        ],
    }


def _print(path: Path, lines: Sequence[Finding]) -> None:
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
        if check not in broken:
            out.print(Text.assemble((f"{_MARKS[Status.OK]} ", "green"), f"{check:<22}{times:>6} held"))
    count = sum(line.status is Status.PROBLEM for line in lines)
    verdict = Text("clean", style="bold green") if not count else Text(f"{count} problems", style="bold red")
    out.print(Text.assemble(f"\n{path}: ", verdict, f", {sum(held.values())} comparisons held"))


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


def check_gates(files: Sequence[Path], *, as_json: bool) -> int:
    """Load each file; all problems are told, not just the first."""
    refused: list[GateError] = []
    told: list[canon.JSON] = []
    for path in files:
        try:
            loaded = gate.read(path)
        except GateError as problem:
            refused.append(problem)
            told.append({"file": str(path), "ok": False, "problem": problem.message, "hint": problem.hint})
            continue
        told.append({"file": str(path), "ok": True, "gate": loaded.id, "checks": len(loaded.checks)})
        if not as_json:
            probes = f", {len(loaded.probes)} probes" if loaded.probes else ""
            typer.echo(f"{path}: {loaded.id}, {len(loaded.checks)} checks{probes}, {loaded.digest[:16]}…")
    if as_json:
        typer.echo(canon.encode(told).decode())
    else:
        for each in refused:
            typer.echo(each.message, err=True)
            if each.hint:
                typer.echo(f"  Try: {each.hint}", err=True)
    return GateError.exit_code if refused else 0
