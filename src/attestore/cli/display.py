"""What people see on a terminal: the phases while they run, the outcome when they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from attestore.cli.log import Lines, logger, speaks_json
from attestore.facts import RTO_PHASES
from attestore.ports import Clock
from attestore.proof import Difference
from attestore.report import Case, numbers
from attestore.report.case import Reading
from attestore.report.front import observed
from attestore.report.words import visible
from attestore.verdict import GateVerdict, Outcome

__all__ = ["Quiet", "Screen", "badge", "consoles", "outcome_of"]

_BAR: Final = 24
_PACE_MS: Final = 1_000
"""a rate over less than that says nothing"""
_MINUTE_S: Final = 60
_STYLES: Final = {Outcome.PASS: "bold green", Outcome.UNKNOWN: "bold yellow", Outcome.FAIL: "bold red"}
_MARKS: Final = {Outcome.PASS: "✔", Outcome.UNKNOWN: "?", Outcome.FAIL: "✘"}


def consoles(*, quiet_colour: bool = False) -> tuple[Console, Console]:
    """(results on stdout, words for people on stderr); NO_COLOR is obeyed, markup in data is not."""
    common = {"highlight": False, "markup": False, "emoji": False, "soft_wrap": False}
    return (
        Console(no_color=quiet_colour or None, **common),  # type: ignore[arg-type]  # a mapping of bools
        Console(file=Lines(), width=Lines.WIDTH, no_color=True, **common)  # type: ignore[arg-type]
        if speaks_json()
        else Console(stderr=True, no_color=quiet_colour or None, **common),  # type: ignore[arg-type]
    )


def badge(outcome: Outcome) -> Text:
    """The verdict as a word and a mark; colour is never the only carrier."""
    return Text(f"{_MARKS[outcome]} {outcome.name}", style=_STYLES[outcome])


class Quiet:
    """A watcher for logs and pipes: one line per phase, when it ends."""

    def __init__(self, console: Console, *, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._phase = ""
        self._since = 0

    def phase(self, name: str) -> None:
        """The phase before has ended."""
        self.end()
        self._phase, self._since = name, self._clock.tick()

    def progress(self, done: int, total: int, *, unit: str) -> None:
        """Nothing: a log has no bars."""

    def say(self, text: str) -> None:
        """A line of its own."""
        self._console.print(Text(text))

    def end(self) -> None:
        """The last phase has ended too."""
        took = self._clock.tick() - self._since
        if self._phase and speaks_json():
            logger().info("phase ended", phase=self._phase, elapsed_ms=took)
        elif self._phase:
            self._console.print(Text(f"{self._phase:<11}{numbers.duration(took):>10}"))
        self._phase = ""


@dataclass(slots=True)
class _Line:
    name: str
    since: int
    took: int | None = None
    done: int = 0
    total: int = 0
    unit: str = ""
    seen: tuple[int, int] | None = None
    """tick and amount when it was first told how far the phase is: what a rate is measured from"""

    def pace(self, now: int) -> str:
        """How fast it goes and how long it may still take; nothing while that can't be told."""
        if self.unit != "B" or self.seen is None:
            return ""
        since, first = self.seen
        moved, took = self.done - first, now - since
        if moved <= 0 or took < _PACE_MS:
            return ""
        left = max(0, self.total - self.done) * took // moved // 1000
        words = f"{left} s" if left < _MINUTE_S else numbers.duration(left * 1000)
        return f", {numbers.size(moved * 1000 // took)}/s, about {words} left"


class Screen:
    """A watcher for terminals: every phase with its time, the present one moving."""

    def __init__(self, console: Console, *, clock: Clock, phases: Sequence[str], title: str) -> None:
        self._console = console
        self._clock = clock
        self._ahead = list(phases)
        self._lines: list[_Line] = []
        self._title = title
        self._spinner = Spinner("dots")

    def __rich__(self) -> RenderableType:
        """The whole picture, drawn again at each refresh."""
        table = Table.grid(padding=(0, 1))
        table.add_column(width=2, justify="right")
        table.add_column(width=11)
        table.add_column(width=11, justify="right")
        table.add_column()
        for line in self._lines:
            self._row(table, line)
        seen = {line.name for line in self._lines}
        for name in self._ahead:
            if name not in seen:
                table.add_row(Text("·", style="dim"), Text(name, style="dim"), "", "")
        return Group(Text(self._title, style="bold"), Padding(table, (1, 0, 1, 1)))

    def phase(self, name: str) -> None:
        """A new line; the one before has its time."""
        self.end()
        self._lines.append(_Line(name=name, since=self._clock.tick()))

    def progress(self, done: int, total: int, *, unit: str) -> None:
        """A bar on the present line, with numbers beside it."""
        if self._lines:
            line = self._lines[-1]
            line.done, line.total, line.unit = done, total, unit
            if line.seen is None:
                line.seen = (self._clock.tick(), done)

    def say(self, text: str) -> None:
        """A sentence above the picture."""
        self._console.print(Text(text))

    def end(self) -> None:
        """The present phase has ended."""
        if self._lines and self._lines[-1].took is None:
            self._lines[-1].took = self._clock.tick() - self._lines[-1].since

    @contextmanager
    def live(self) -> Iterator[None]:
        """While the block runs the picture moves; the last one stays."""
        with Live(self, console=self._console, refresh_per_second=12, transient=False):
            yield
            self.end()

    def _row(self, table: Table, line: _Line) -> None:
        now = self._clock.tick() - line.since if line.took is None else line.took
        mark: RenderableType = self._spinner if line.took is None else Text("✔", style="green")
        bar: RenderableType = ""
        if line.took is None and line.total > 0:
            bar = Columns(
                (
                    ProgressBar(total=line.total, completed=line.done, width=_BAR),
                    Text(
                        f"{_amount(line.done, line.unit)} of {_amount(line.total, line.unit)}"
                        f"{line.pace(self._clock.tick())}",
                        style="dim",
                    ),
                )
            )
        style = "bold" if line.took is None else ""
        clock = " ◷" if line.name in RTO_PHASES else ""
        table.add_row(mark, Text(line.name, style=style), Text(numbers.duration(now)), bar or Text(clock, style="dim"))


def _amount(number: int, unit: str) -> str:
    return numbers.size(number) if unit == "B" else f"{numbers.count(number)} {unit}"


def outcome_of(verdicts: Sequence[GateVerdict], case: Case, *, folder: Path) -> RenderableType:
    """The summary that ends a run: gates and verdicts, RTO against target with its phases, where the report is."""
    reading = Reading(case.observations)
    parts: list[RenderableType] = [_gates(verdicts, case)] if verdicts else [_backup(reading)]
    parts += [Padding(_checks(verdict), (1, 0, 0, 1)) for verdict in verdicts if verdict.outcome is not Outcome.PASS]
    parts += [Padding(table, (1, 0, 0, 1)) for table in _found(case)]
    if (rto := reading.number("restore.rto")) is not None:
        parts.append(Padding(_rto(reading, rto=rto, target=_target(verdicts)), (1, 0, 0, 1)))
    paths = Table.grid(padding=(0, 2))
    for gate in case.gates:
        paths.add_row(Text(f" {gate.id}"), Text(str(folder / f"{gate.id}.pdf"), overflow="fold"))
    paths.add_row(Text(" All gates" if verdicts else " Report"), Text(str(folder / "summary.pdf"), overflow="fold"))
    parts.append(Padding(paths, (1, 0, 0, 0)))
    return Group(*parts)


def _backup(reading: Reading) -> Table:
    """What a run without gates left: the backup by its name, and the stores that gave it back whole."""
    whole = [name for name in reading.subjects("store.verified") if reading.flag("store.verified", name)]
    backup = reading.text("backup.id") or ""
    table = Table.grid(padding=(0, 2))
    table.add_row(Text(" Backup"), Text(visible(backup) or "none was stored", overflow="fold"))
    if backup:
        table.add_row(Text(" In"), Text(f"{', '.join(map(visible, whole))}; read back whole", overflow="fold"))
    return table


def _gates(verdicts: Sequence[GateVerdict], case: Case) -> Table:
    titles = {gate.id: gate.title for gate in case.gates}
    table = Table(box=None, padding=(0, 2, 0, 1), header_style="dim")
    for name, right in (("Gate", False), ("Requirement", False), ("Verdict", False), ("Checks passed", True)):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for verdict in verdicts:
        passed = sum(check.outcome is Outcome.PASS for check in verdict.checks)
        table.add_row(
            Text(verdict.gate),
            Text(visible(titles.get(verdict.gate, ""))),
            badge(verdict.outcome),
            Text(f"{passed} of {len(verdict.checks)}"),
        )
    return table


def _checks(verdict: GateVerdict) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 1), header_style="dim", title_justify="left")
    for name in (f"{verdict.gate}: not passed", "Verdict", "Why"):
        table.add_column(name, overflow="fold")
    if verdict.reason:
        table.add_row(Text("the run"), badge(Outcome.UNKNOWN), Text(verdict.reason))
    worse = [check for check in verdict.checks if check.outcome is not Outcome.PASS]
    for check in sorted(worse, key=lambda check: -check.outcome.value)[:_MOST_CHECKS]:
        told = check.reason
        if check.outcome is Outcome.FAIL:
            told = f"{observed(check)}, must be {check.operator.value} {check.written}"
        table.add_row(Text(check.id), badge(check.outcome), Text(visible(told)))
    if len(worse) > _MOST_CHECKS:
        table.add_row(Text(f"… and {len(worse) - _MOST_CHECKS} more"), Text(""), Text("all of them are in the report"))
    return table


_MOST_CHECKS: Final = 8
_MOST_FOUND: Final = 8


def _found(case: Case) -> list[Table]:
    """The first differences, and what pg_restore complained of: what somebody at the terminal looks for first."""
    differences: Sequence[Difference] = () if case.comparison is None else case.comparison.differences
    errors = [str(each.value) for each in case.observations if each.fact == "restore.error"]
    tables = []
    for head, rows in (
        ("Differs after the restore", [(f"{d.kind} {d.subject}", d.detail or d.what) for d in differences]),
        ("The restore complained", [(error, "") for error in errors]),
    ):
        if not rows:
            continue
        table = Table(box=None, padding=(0, 2, 0, 1), header_style="dim")
        table.add_column(head, overflow="fold")
        table.add_column("", overflow="fold")
        for name, what in rows[:_MOST_FOUND]:
            table.add_row(Text(visible(name)), Text(visible(what)))
        if len(rows) > _MOST_FOUND:
            table.add_row(Text(f"… and {len(rows) - _MOST_FOUND:,} more"), Text("all of them are in the report"))
        tables.append(table)
    return tables


def _target(verdicts: Sequence[GateVerdict]) -> str:
    bounds = [c for verdict in verdicts for c in verdict.checks if c.fact == "restore.rto"]
    return f", must be {bounds[0].operator.value} {bounds[0].written}" if bounds else ", no target in these gates"


def _rto(reading: Reading, *, rto: int, target: str) -> Group:
    durable = reading.flag("restore.durable")
    label = "" if durable is True else " (scratch settings)"
    table = Table.grid(padding=(0, 2))
    table.add_column(width=12)
    table.add_column(width=10, justify="right")
    table.add_column(width=7, justify="right")
    table.add_column(width=_BAR)
    took = [(phase, reading.number(f"restore.{phase}") or 0) for phase in RTO_PHASES]
    for phase, ms in took:
        table.add_row(
            Text(f" {phase}"),
            Text(numbers.duration(ms)),
            Text(numbers.share(ms, rto)),
            Text("━" * round(_BAR * ms / rto) if rto else "", style="cyan"),
        )
    head = Text.assemble((f"RTO {numbers.duration(rto)}", "bold"), Text(f"{target}{label}"))
    return Group(head, table)
