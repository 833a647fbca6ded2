"""report: a bundle's reports, rendered again."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.text import Text

from attestore import canon, compose
from attestore.cli.configured import chosen
from attestore.cli.display import consoles
from attestore.compose import Wanted
from attestore.errors import UsageError

__all__ = ["report_again"]


def report_again(run: str, *, into: Path | None, wanted: Wanted, reports: Path, as_json: bool) -> int:
    """Write them into a new folder and say where; 0."""
    folder = reports / run if "/" not in run and (reports / run).is_dir() else Path(run)
    if not folder.is_dir():
        raise UsageError(f"there is no run {run!r} in {reports}", hint="Name a folder in it, or give --reports DIR.")
    place = into or Path(f"{folder.resolve().name}-report")
    written = compose.render_again(folder, into=place, wanted=wanted, configured=chosen())
    if as_json:
        told: canon.JSON = {"run": folder.resolve().name, "files": [str(path) for path in written]}
        typer.echo(canon.encode(told).decode())
        return 0
    _, err = consoles()
    for path in written:
        typer.echo(str(path))
    err.print(Text("None of them is signed; the sealed ones are as they were."))
    return 0
