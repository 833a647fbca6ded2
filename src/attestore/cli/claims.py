"""What a report claims, on a terminal and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from attestore import canon, compose
from attestore.amounts import amount
from attestore.claims import Document, Finding, Held, Hold, Kind, Report, examine, hold_against, read, with_findings
from attestore.cli import dates
from attestore.cli.display import consoles
from attestore.compose.claims import evidence_of
from attestore.errors import UsageError
from attestore.report.words import visible

__all__ = ["audit_claims", "read_report"]

_FOUND: Final = 4
_LARGEST: Final = 4 << 20
"""4 MiB: a report of five hundred pages; reading takes seconds, not minutes"""
_SHOWN: Final = 160
_MOST_HELD: Final = 60
_KINDS: Final = {
    Kind.IMPOSSIBLE: ("red bold", "cannot be as printed"),
    Kind.CONTRADICTION: ("red bold", "two statements exclude each other"),
    Kind.VACUOUS: ("yellow bold", "could not have failed"),
    Kind.UNSUPPORTED: ("yellow bold", "rests on nothing that is here"),
    Kind.IMPLAUSIBLE: ("magenta bold", "far from what servers do; not impossible"),
    Kind.APPROVAL: ("cyan bold", "nobody independent approved"),
}


def audit_claims(path: Path, *, evidence: Path | None, roster: Path | None, at: str, as_json: bool) -> int:
    """Examine a report; 4 when something was found, 0 when nothing was.

    Raises:
        UsageError: the file can't be read as a Markdown report, or there is no such bundle.
        TamperedError: the bundle isn't whole, or not to be trusted.
    """
    text = read_report(path)
    when = dates.as_of(at, option="--at") if at else compose.clock().now()
    document = read(text)
    report = examine(document, at=when)
    against = None if evidence is None else _against(document, evidence, roster=roster)
    if against is not None:
        report = with_findings(report, against.held.contradicted)
    if as_json:
        told = _as_json(report)
        if against is not None:
            told["evidence"] = _evidence_json(against)
        typer.echo(canon.encode(told).decode())
    else:
        _print(path, report)
        if against is not None:
            _print_against(against)
    return _FOUND if report.findings else 0


@dataclass(frozen=True, slots=True)
class _Against:
    """A document held against a bundle."""

    run: str
    trusted: bool
    sentence: str
    held: Held


def _against(document: Document, folder: Path, *, roster: Path | None) -> _Against:
    opened = evidence_of(folder, roster=roster)
    return _Against(opened.record.run, opened.trusted, opened.sentence, hold_against(document, opened.record))


def _evidence_json(against: _Against) -> dict[str, canon.JSON]:
    held = against.held
    return {
        "run": against.run,
        "trusted": against.trusted,
        "integrity": against.sentence,
        "confirmed": [{"line": each.line, "figure": each.figure, "by": each.by} for each in held.confirmed],
        "contradicted": [{"line": each.line, "quote": each.quote, "why": each.why} for each in held.contradicted],
        "not_covered": [{"line": each.line, "figure": each.figure} for each in held.uncovered],
    }


def _print_against(against: _Against) -> None:
    out, _ = consoles()
    held = against.held
    out.print()
    out.print(Text.assemble("Held against run ", (visible(against.run), "bold"), f". {visible(against.sentence)}"))
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", width=8)
    table.add_column()
    table.add_row(Text(f"{len(held.confirmed):,}", style="green"), Text("figures confirmed by the evidence"))
    table.add_row(
        Text(f"{len(held.contradicted):,}", style="red"), Text("contradicted by it, among the findings above")
    )
    table.add_row(Text(f"{len(held.uncovered):,}"), Text("not covered: the evidence does not speak of them"))
    out.print(table)


def read_report(path: Path) -> str:
    """The text of a Markdown file.

    Raises:
        UsageError: there is none, it is no plain file, larger than 4 MiB, or not UTF-8.
    """
    if not path.exists():
        raise UsageError(f"there is no {path}", hint="Name a report in Markdown.")
    if not path.is_file():
        raise UsageError(f"{path} is not a file", hint="Name one report in Markdown.")
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}") from problem
    if len(data) > _LARGEST:
        raise UsageError(
            f"{path} is larger than {_LARGEST >> 20} MiB, more than a report has",
            hint="Name the report, not what it was made from.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise UsageError(
            f"{path} is not UTF-8: byte {problem.start} is 0x{data[problem.start]:02x}",
            hint="Convert it, for example with iconv -t UTF-8.",
        ) from problem


def _as_json(report: Report) -> dict[str, canon.JSON]:
    return {
        "findings": [
            {"line": _line(each), "quote": each.quote, "class": each.kind.value, "why": each.why, "needs": each.needs}
            for each in report.findings
        ],
        "holds": [{"line": _line(each), "quote": each.quote, "why": each.why} for each in report.holds],
    }


def _line(each: Finding | Hold) -> int | str:
    return each.lines if "-" in each.lines else each.line


def _print(path: Path, report: Report) -> None:
    """By class, worst first; what holds and what can't be judged follow in short."""
    out, _ = consoles()
    for kind, (style, meaning) in _KINDS.items():
        mine = [each for each in report.findings if each.kind is kind]
        if not mine:
            continue
        out.print(Text.assemble((f"{kind.value} ", style), (f"{len(mine)}  ", style), (meaning, "dim")))
        _found(mine, out)
        out.print()
    if report.holds:
        out.print(
            Text.assemble(
                ("holds ", "green bold"),
                (f"{len(report.holds)}  ", "green bold"),
                ("computed again, and it stands", "dim"),
            )
        )
        _listed(report.holds, out)
        out.print()
    if report.unjudged:
        out.print(Text.assemble(("not judged ", "bold"), f"{len(report.unjudged)}"))
        _listed(report.unjudged, out)
        out.print()
    count = len(report.findings)
    verdict = (
        Text("nothing found", style="bold green") if not count else Text(amount(count, "finding"), style="bold red")
    )
    out.print(Text.assemble(f"{visible(str(path))}: ", verdict, f", {amount(len(report.holds), 'figure')} that hold"))
    out.print(
        Text(
            "What a document does not say can't be judged from it: silence is no finding here, and no proof either.",
            style="dim",
        )
    )


def _found(findings: list[Finding], out: Console) -> None:
    width = max(len(each.lines) for each in findings)
    for each in findings:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=width + 2, justify="right")
        table.add_column(overflow="fold")
        table.add_row(
            Text(each.lines, style="bold"),
            Text(f"“{visible(each.quote[:_SHOWN])}{'…' if len(each.quote) > _SHOWN else ''}”", style="italic"),
        )
        table.add_row("", Text(visible(each.why)))
        table.add_row("", Text(f"Settles it: {each.needs}", style="dim"))
        out.print(Padding(table, (1, 0, 0, 0)))


def _listed(holds: tuple[Hold, ...], out: Console) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=max(len(each.lines) for each in holds) + 2, justify="right")
    table.add_column(overflow="fold")
    for each in holds[:_MOST_HELD]:
        table.add_row(Text(each.lines, style="bold"), Text(visible(each.why)))
    if len(holds) > _MOST_HELD:
        table.add_row("", Text(f"… and {len(holds) - _MOST_HELD} more; --json lists all", style="dim"))
    out.print(Padding(table, (1, 0, 0, 0)))
