"""doctor: everything that a run would need, line by line, each problem with its remedy."""

from __future__ import annotations

import typer
from rich.text import Text

from attestore import canon
from attestore.cli.cycle import Order
from attestore.cli.display import consoles
from attestore.compose.doctor import examined
from attestore.errors import Error, PreflightError
from attestore.plan import Job
from attestore.ports import Look
from attestore.report import numbers

__all__ = ["examine"]


def examine(order: Order) -> int:
    """Print what was looked at, problems last; 0, the code of the only problem, or that of several."""
    with examined(order.settings, job=Job.RUN) as looks:
        if order.as_json:
            typer.echo(canon.encode(_as_json(looks)).decode())
        else:
            _print(looks)
    problems = [problem for look in looks for problem in look.problems]
    if not problems:
        return 0
    return problems[0].exit_code if len({each.exit_code for each in problems}) == 1 else PreflightError.exit_code


def _print(looks: tuple[Look, ...]) -> None:
    out, _ = consoles()
    area = ""
    for look in looks:
        if look.area != area:
            area = look.area
            out.print(Text(area.capitalize(), style="bold"))
        out.print(_line(look))
        if look.advice:
            out.print(Text(f"    note: {look.advice}", style="yellow"))
        for problem in look.problems:
            _tell(problem)
    count = sum(len(look.problems) for look in looks)
    verdict = (
        Text("nothing stands in the way", "bold green")
        if not count
        else Text(numbers.counted(count, "problem"), "bold red")
    )
    out.print(Text.assemble(f"\nLooked at {len(looks)} things: ", verdict))


def _line(look: Look) -> Text:
    mark, style = ("✘", "bold red") if look.problems else ("✔", "green")
    return Text.assemble((f"  {mark} ", style), f"{look.what}{f': {look.seen}' if look.seen else ''}")


def _tell(problem: Error) -> None:
    out, _ = consoles()
    out.print(Text(f"    {problem.message}", style="red"))
    if problem.hint:
        out.print(Text(f"    Try: {problem.hint}"))


def _as_json(looks: tuple[Look, ...]) -> canon.JSON:
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
