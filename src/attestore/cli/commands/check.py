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
    Roster,
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
    roster: Roster = None,
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
    checkpoints: Annotated[
        str,
        typer.Option(
            "--checkpoints",
            help="Compare the ledger with the checkpoints that this store has kept: a folder, or s3://….",
            metavar="STORE",
        ),
    ] = "",
    tsa_ca: Annotated[
        Path | None,
        typer.Option("--tsa-ca", help="Certificates of time-stamping authorities you trust, PEM.", metavar="FILE"),
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
    asked = Asked(
        path,
        trusted,
        at=at,
        anchors=tuple(anchor or ()),
        second_opinion=second_opinion,
        authorities=tsa_ca,
        checkpoints=checkpoints,
    )
    raise typer.Exit(audit_path(asked, as_json=as_json))


@app.command(
    epilog="Example:  attestore timestamp reports/20260301T020000Z-shop-0a1b --authority https://tsa.example.org",
)
def timestamp(
    folder: Annotated[Path, typer.Argument(help="A sealed bundle.", metavar="BUNDLE")],
    *,
    authority: Annotated[str, typer.Option("--authority", help="Time-stamping authority, RFC 3161.", metavar="URL")],
    as_json: Json = False,
) -> None:
    """Have a third party say that a bundle exists.

    The authority sees the SHA-256 of a signature. Its time stamp is added to the bundle, and lets an audit accept the
    signatures when their key has expired or was revoked later.
    """
    from attestore.cli.check import timestamp as stamped

    raise typer.Exit(stamped(folder, authority=authority, as_json=as_json))


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
