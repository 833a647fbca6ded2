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
    form: Annotated[str, typer.Option("--format", "-f", help="dsse, oscal, junit, csv or pades.", metavar="FORMAT")],
    what: Annotated[
        str,
        typer.Option(
            "--what",
            help="Of csv: checks, observations, differences, decisions. Of pades: summary, or a gate's id.",
            metavar="NAME",
        ),
    ] = "",
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="PKCS #12 file that a PDF is signed with (pades).", metavar="P12"),
    ] = None,
    passphrase: Annotated[
        str, typer.Option("--passphrase", help="Where its passphrase is: env:NAME or file:PATH.", metavar="REF")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.", metavar="FILE")
    ] = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Give a run's record to another programme.

    From the bundle alone, whose files must be those that its statement lists. An envelope (dsse) is signed anew with
    the operator's key below --home; a PDF (pades) with a certificate for viewers; the other formats need no key.
    """
    from attestore.cli.export import Format, Request, export_run
    from attestore.errors import UsageError

    try:
        chosen = Format(form)
    except ValueError as problem:
        raise UsageError(
            f"there is no format {form!r}", hint=f"--format {', '.join(each.value for each in Format)}"
        ) from problem
    asked = Request(
        run,
        chosen,
        what,
        reports=reports,
        home=home,
        output=output,
        as_json=as_json,
        certificate=certificate,
        passphrase=passphrase,
    )
    raise typer.Exit(export_run(asked))
