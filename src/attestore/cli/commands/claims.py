"""claims."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import Json

__all__ = ["app"]

app = typer.Typer()


@app.command(
    epilog="Example:  attestore claims backup-restore-summary.md --json",
)
def claims(
    file: Annotated[Path, typer.Argument(help="A report in Markdown.", metavar="FILE.md")],
    *,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help="A bundle (reports/RUN) that its figures are held against.", metavar="BUNDLE"),
    ] = None,
    roster: Annotated[
        Path | None,
        typer.Option(
            "--roster", help="Whom to trust for that bundle; without it only its integrity is checked.", metavar="FILE"
        ),
    ] = None,
    at: Annotated[
        str, typer.Option("--at", help="Dates after that day (UTC) lie in the future; default: now.", metavar="DATE")
    ] = "",
    as_json: Json = False,
) -> None:
    """Audit what somebody else's report claims.

    Figures that can't be, contradict each other, or assert nothing are told with line, reason and what would settle them;
    figures that hold, too. Exit code 4 when something was found.
    """
    from attestore.cli.claims import audit_claims

    raise typer.Exit(audit_claims(file, evidence=evidence, roster=roster, at=at, as_json=as_json))
