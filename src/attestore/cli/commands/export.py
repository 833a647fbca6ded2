"""export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import HOME, REPORTS, Home, Json, Reports

__all__ = ["app"]

app = typer.Typer()


@app.command(
    epilog="Example:  attestore export 20261122T194200Z-goimg-7f3a --format junit --output junit.xml",
)
def export(  # noqa: PLR0913
    run: Annotated[str, typer.Argument(help="A run in the reports folder, or the path of a bundle.", metavar="RUN")],
    *,
    form: Annotated[str, typer.Option("--format", "-f", help="dsse, oscal, junit or csv.", metavar="FORMAT")],
    what: Annotated[
        str, typer.Option("--what", help="Table of a CSV: checks, observations or differences.", metavar="TABLE")
    ] = "checks",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.", metavar="FILE")
    ] = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Give a run's record to another programme.

    From the bundle alone, whose files must be those that its statement lists. An envelope (dsse) is signed anew with
    the operator's key below --home; the other formats need no key.
    """
    from attestore.cli.export import Format, Request, export_run
    from attestore.errors import UsageError
    from attestore.report.exports import What

    try:
        asked = Request(run, Format(form), What(what), reports=reports, home=home, output=output, as_json=as_json)
    except ValueError as problem:
        raise UsageError(
            f"{problem}, neither a format nor a table that is known",
            hint="--format dsse|oscal|junit|csv, and with csv --what checks|observations|differences",
        ) from problem
    raise typer.Exit(export_run(asked))
