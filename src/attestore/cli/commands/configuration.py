"""init, config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import HOME, REPORTS, Gate, GatesFolder, Home, Json, Reports, Roster, Store, System

__all__ = ["app"]

app = typer.Typer()
_config = typer.Typer(help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(_config, name="config")

_Source = Annotated[
    str,
    typer.Option("--source", help="libpq connection string, URI or service=NAME; no password.", metavar="DSN"),
]


@app.command(
    epilog="Example:  attestore init --source service=goimg --system goimg-production --store /srv/backups --yes",
)
def init(  # noqa: PLR0913
    *,
    source: _Source = "",
    system: Annotated[
        str, typer.Option("--system", help="Name of the system; default: the service's or database's.", metavar="NAME")
    ] = "",
    store: Annotated[
        list[str] | None,
        typer.Option(
            "--store",
            help="Where backups go: a folder, or s3://bucket/prefix?endpoint=…; NAME=… names it; may be repeated.",
            metavar="STORE",
        ),
    ] = None,
    gate: Gate = None,
    organisation: Annotated[str, typer.Option("--organisation", help="Whose reports they are.", metavar="NAME")] = "",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; nothing is overwritten.", metavar="FILE")
    ] = Path("attestore.yaml"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: what is not said has its default.")] = False,
    as_json: Json = False,
) -> None:
    """Write a commented attestore.yaml.

    On a terminal it asks for what no option says. What it writes has been read back; attestore doctor tells what is
    missing around it.
    """
    from attestore.cli.configuration import Wishes, write

    wishes = Wishes(source, system, tuple(store or ()), tuple(gate or ()), organisation)
    raise typer.Exit(write(wishes, output=output, ask=not yes, as_json=as_json))


@_config.command(epilog="Example:  attestore config show --json")
def show(  # noqa: PLR0913
    *,
    system: System = "",
    source: _Source = "",
    store: Store = None,
    gate: Gate = None,
    home: Home = HOME,
    reports: Reports = REPORTS,
    gates: GatesFolder = None,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Print what holds, and where it comes from.

    From a line of the file, an option, or a default. Secrets are not read; whether what refers to them leads anywhere is told.
    """
    from attestore.cli.configuration import tell

    del system, source, store, gate, home, reports, gates, roster  # what was said of them is asked of the command line
    raise typer.Exit(tell(as_json=as_json))


@_config.command(epilog="Example:  attestore config check && attestore doctor")
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Default: attestore.yaml, if it is here.",
            metavar="FILE",
            envvar="ATTESTORE_CONFIG",
            show_envvar=False,
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Read the configuration and every gate it names.

    Exit code 2, and the place in the file, when something can't be meant.
    """
    from attestore.cli.configuration import check

    raise typer.Exit(check(file, as_json=as_json))


@_config.command(epilog="Example:  attestore config schema > attestore.schema.json")
def schema(*, as_json: Json = False) -> None:
    """Print the JSON Schema, for editors."""
    del as_json  # it is JSON in any case
    from attestore.cli.configuration import print_schema

    raise typer.Exit(print_schema())
