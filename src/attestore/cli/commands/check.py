"""audit, facts, gates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import (
    HOME,
    REPORTS,
    Home,
    Json,
)

__all__ = ["app"]

app = typer.Typer()
_gates = typer.Typer(help="Look at gate files.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(_gates, name="gates")


@app.command(
    epilog="Example:  attestore audit reports --roster roster.yaml",
)
def audit(  # noqa: PLR0913
    path: Annotated[Path, typer.Argument(help="A reports folder, or one bundle in it.")] = REPORTS,
    *,
    roster: Annotated[
        Path | None, typer.Option("--roster", help="Whom to trust; default: roster.yaml below --home.", metavar="FILE")
    ] = None,
    home: Home = HOME,
    at: Annotated[
        str, typer.Option("--at", help="Judge as at that day or instant (UTC), not now.", metavar="DATE")
    ] = "",
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            "--anchor",
            help="A PDF report that you kept, perhaps with the day you got it; may be repeated.",
            metavar="PDF[@DATE]",
        ),
    ] = None,
    second_opinion: Annotated[
        bool, typer.Option("--second-opinion", help="Ask another implementation of OpenPGP, too; both must agree.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a reports folder again, trusting the roster.

    Digests, signatures, chains, verdicts and reports are all computed again; exit code 4 when something was found.
    """
    from attestore.cli.check import Asked, audit_path

    trusted = roster or home / "roster.yaml"
    asked = Asked(path, trusted, at=at, anchors=tuple(anchor or ()), second_opinion=second_opinion)
    raise typer.Exit(audit_path(asked, as_json=as_json))


@app.command()
def facts(*, as_json: Json = False) -> None:
    """List everything that a gate can ask for."""
    from attestore.cli.check import list_facts

    raise typer.Exit(list_facts(as_json=as_json))


@_gates.command(
    name="check",
    epilog="Example:  attestore gates check gates/*.yaml",
)
def gates_check(
    files: Annotated[list[Path], typer.Argument(help="Gate files.", metavar="FILE…")], *, as_json: Json = False
) -> None:
    """Say what is wrong with gate files."""
    from attestore.cli.check import check_gates

    raise typer.Exit(check_gates(files, as_json=as_json))
