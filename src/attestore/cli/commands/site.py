"""site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.configured import trusted
from attestore.cli.options import HOME, REPORTS, Home, Json, Language, Reports, Roster

__all__ = ["app"]

app = typer.Typer()


@app.command(
    epilog="Example:  attestore site --reports reports --roster roster.yaml --into public",
)
def site(  # noqa: PLR0913
    *,
    reports: Reports = REPORTS,
    into: Annotated[
        Path | None,
        typer.Option("--into", help="Folder that gets index.html and _site/; default: --reports.", metavar="DIR"),
    ] = None,
    roster: Roster = None,
    home: Home = HOME,
    gates: Annotated[
        Path | None,
        typer.Option(
            "--gates",
            help="Folder of the gates that count: what another gate of the same id judged is not trustworthy.",
            metavar="DIR",
        ),
    ] = None,
    at: Annotated[
        str, typer.Option("--at", help="Show standings as at that day or instant (UTC), not now.", metavar="DATE")
    ] = "",
    language: Language = "",
    as_json: Json = False,
) -> None:
    """Render a reports folder into pages to look through.

    Plain files, no server: open index.html. Standings are those of `attestore status`; a run that died, is missing or does
    not verify is shown as such. Pages are pictures, signed by nobody: what counts is what `attestore audit` says. Exit code 0 when they were made, whatever they show.
    """
    from attestore.cli.site import Order, make_site

    order = Order(
        reports=reports,
        into=into,
        roster=roster or trusted(home),
        gates=gates,
        at=at,
        as_json=as_json,
        language=language,
    )
    raise typer.Exit(make_site(order))
