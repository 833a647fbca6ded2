"""report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import REPORTS, Json, Language, Paper, Reports

__all__ = ["app"]

app = typer.Typer()


@app.command(
    epilog="Example:  attestore report 20261122T194200Z-goimg-7f3a --language de --into bericht",
)
def report(  # noqa: PLR0913
    run: Annotated[str, typer.Argument(help="A run in the reports folder, or the path of a bundle.", metavar="RUN")],
    *,
    into: Annotated[
        Path | None, typer.Option("--into", help="New folder to write into; default: RUN-report, here.", metavar="DIR")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Id of a gate, or summary; may be repeated.", metavar="ID")
    ] = None,
    language: Language = "",
    paper: Paper = "",
    dressed: Annotated[
        bool, typer.Option("--dressed", help="Look as the configuration file says: house, logo, colour, templates.")
    ] = False,
    reports: Reports = REPORTS,
    as_json: Json = False,
) -> None:
    """Render a run's reports again, as Markdown and PDF.

    From the bundle alone, with its newest decisions; what is sealed is not touched, and what is written is not signed.
    Without options the text is byte for byte the sealed one.
    """
    from attestore.cli.again import report_again
    from attestore.compose import Wanted

    wanted = Wanted(tuple(only or ()), language=language, paper=paper, dressed=dressed)
    raise typer.Exit(report_again(run, into=into, wanted=wanted, reports=reports, as_json=as_json))
