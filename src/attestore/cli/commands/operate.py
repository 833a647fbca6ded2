"""list, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import HOME, REPORTS, Home, Json, Reports, Store

__all__ = ["app"]

app = typer.Typer()


@app.command(
    name="list",
    epilog="Example:  attestore list --system goimg",
)
def list_(
    *,
    system: Annotated[str, typer.Option("--system", help="Only backups of this system.", metavar="NAME")] = "",
    store: Store = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    roster: Annotated[
        Path | None, typer.Option("--roster", help="Whom to trust; default: roster.yaml below --home.", metavar="FILE")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the store's backups, newest first.

    Age, size, whom each is sealed to, who signed it, what is wrong with it, and when it was last proved. Needs no
    private key.
    """
    from attestore.cli.listing import list_store

    raise typer.Exit(
        list_store(
            store=store or home / "store",
            reports=reports,
            roster=roster or home / "roster.yaml",
            system=system,
            as_json=as_json,
        )
    )
