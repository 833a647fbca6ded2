"""doctor: everything that a run would need, line by line, each problem with its remedy."""

from __future__ import annotations

from dataclasses import replace

import typer
from rich.text import Text

from attestore import canon
from attestore.cli.cycle import Order
from attestore.cli.display import consoles
from attestore.compose import Settings
from attestore.compose.doctor import examined
from attestore.errors import Error, PreflightError, UsageError
from attestore.plan import Job
from attestore.ports import Look
from attestore.report import numbers
from attestore.report.words import visible

__all__ = ["code_of", "examine", "looks_json", "print_looks"]


def examine(order: Order) -> int:
    """Print what was looked at, problems last; 0, the code of the only problem, or that of several."""
    with examined(order.settings, job=Job.RUN, systems=_systems(order)) as looks:
        if order.as_json:
            typer.echo(canon.encode(looks_json(looks)).decode())
        else:
            print_looks(looks)
    return code_of(looks)


def _systems(order: Order) -> tuple[Settings, ...]:
    """Of a configuration, every system; of one that was named, or a source, just that."""
    if order.system and order.configured is None:
        raise UsageError(
            f"there is no configuration that has the system {order.system!r}",
            hint="Name one with --config, or the server itself with --source.",
        )
    if order.system and order.configured is not None:
        order.configured.installation.system(order.system)
    if order.configured is None or order.configured.system is not None or order.source:
        return ()
    installation = order.configured.installation
    return tuple(
        replace(
            order,
            source=each.source,
            system=each.name,
            jobs=each.jobs or order.jobs,
            configured=replace(order.configured, system=each),
        ).settings
        for each in installation.systems.values()
    )


def code_of(looks: tuple[Look, ...]) -> int:
    """0, the code of the only kind of problem, or that of several."""
    codes = {problem.exit_code for look in looks for problem in look.problems}
    if not codes:
        return 0
    return codes.pop() if len(codes) == 1 else PreflightError.exit_code


def print_looks(looks: tuple[Look, ...]) -> None:
    """Each thing that was looked at on a line of its own, with its problems and their remedies."""
    out, _ = consoles()
    area = ""
    for look in looks:
        if look.area != area:
            area = look.area
            out.print(Text(f"{area[:1].upper()}{area[1:]}", style="bold"))
        out.print(_line(look))
        if look.advice:
            out.print(Text(f"    note: {visible(look.advice)}", style="yellow"))
        for problem in look.problems:
            _tell(problem)
    count = sum(len(look.problems) for look in looks)
    verdict = (
        Text("nothing stands in the way", "bold green")
        if not count
        else Text(numbers.counted(count, "problem"), "bold red")
    )
    out.print(Text.assemble(f"\nLooked at {numbers.counted(len(looks), 'thing')}: ", verdict))


def _line(look: Look) -> Text:
    mark, style = ("✘", "bold red") if look.problems else ("✔", "green")
    return Text.assemble((f"  {mark} ", style), visible(f"{look.what}{f': {look.seen}' if look.seen else ''}"))


def _tell(problem: Error) -> None:
    out, _ = consoles()
    out.print(Text(f"    {visible(problem.message)}", style="red"))
    if problem.hint:
        out.print(Text(f"    Try: {visible(problem.hint)}"))


def looks_json(looks: tuple[Look, ...]) -> canon.JSON:
    """The same for programmes."""
    return {
        "looks": [
            {
                "area": look.area,
                "what": look.what,
                "seen": look.seen,
                "note": look.advice or None,
                "problems": [
                    {"error": type(each).__name__, "message": each.message, "hint": each.hint} for each in look.problems
                ],
            }
            for look in looks
        ],
        "problems": sum(len(look.problems) for look in looks),
    }
