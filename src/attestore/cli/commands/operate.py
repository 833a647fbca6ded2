"""list, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from attestore.cli.options import HOME, REPORTS, Home, Into, Jobs, Json, Programs, Reports, Roster, Store

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
    roster: Roster = None,
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


@app.command(
    epilog="Example:  attestore doctor --source service=goimg",
)
def doctor(  # noqa: PLR0913
    *,
    source: Annotated[
        str, typer.Option("--source", help="libpq connection string, URI or service to look at.", metavar="DSN")
    ] = "",
    home: Home = HOME,
    store: Store = None,
    jobs: Jobs = 2,
    pg_bin: Programs = None,
    into: Into = "",
    as_json: Json = False,
) -> None:
    """List everything that stands in a run's way, at once.

    Programmes, keys, roster, store, disk, and with --source the server under care; each problem with its remedy, and
    what is fine, too.
    """
    from attestore.cli.cycle import Order
    from attestore.cli.doctor import examine

    order = Order(
        reports=REPORTS,
        home=home,
        source=source,
        store=store,
        jobs=jobs,
        pg_bin=pg_bin,
        into=into,
        as_json=as_json,
    )
    raise typer.Exit(examine(order))
