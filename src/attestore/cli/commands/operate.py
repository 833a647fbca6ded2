"""list, prune, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from attestore.cli.options import HOME, REPORTS, From, Home, Into, Jobs, Json, Programs, Reports, Roster, Store

__all__ = ["app"]

app = typer.Typer()


@app.command(
    name="list",
    epilog="Example:  attestore list --system goimg",
)
def list_(  # noqa: PLR0913
    *,
    system: Annotated[str, typer.Option("--system", help="Only backups of this system.", metavar="NAME")] = "",
    store: Store = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    roster: Roster = None,
    policy: Annotated[
        bool, typer.Option("--policy", help="Say of each what prune would do by attestore.yaml, and why.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the store's backups, newest first.

    Age, size, whom each is sealed to, who signed it, what is wrong with it, and when it was last proved. Needs no
    private key.
    """
    from attestore.cli.configured import chosen
    from attestore.cli.cycle import Order
    from attestore.cli.listing import list_stores
    from attestore.cli.pruning import fates_of
    from attestore.compose import places

    raise typer.Exit(
        list_stores(
            stores=places(store or (), home=home, configured=chosen()),
            reports=reports,
            roster=roster or home / "roster.yaml",
            system=system,
            as_json=as_json,
            fates=(lambda: fates_of(Order(reports=reports, home=home, system=system))) if policy else None,
        )
    )


def _keep(name: str, what: str) -> typer.models.OptionInfo:
    return typer.Option(f"--keep-{name}", help=what, metavar="N", min=0, max=10_000)  # type: ignore[no-any-return]


@app.command(
    epilog="Example:  attestore prune --system goimg --keep-daily 7 --keep-weekly 4 --keep-monthly 6 --dry-run",
)
def prune(  # noqa: PLR0913
    *,
    system: Annotated[str, typer.Option("--system", help="Whose backups.", metavar="NAME")],
    keep_daily: Annotated[
        int | None, _keep("daily", "Of the newest N days that have a backup, the newest of each.")
    ] = None,
    keep_weekly: Annotated[int | None, _keep("weekly", "The same for ISO weeks.")] = None,
    keep_monthly: Annotated[int | None, _keep("monthly", "The same for months.")] = None,
    keep_yearly: Annotated[int | None, _keep("yearly", "The same for years.")] = None,
    keep_at_least: Annotated[int | None, _keep("at-least", "The newest N stay, whatever their age; 1 or more.")] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Whose calendar says what a day is; default: UTC.", metavar="ZONE")
    ] = "",
    store: Store = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Explain each keep and drop; touch nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Delete the backups that no rule keeps, and say why.

    Never the newest, the last proved, a locked one or one in use. Options win over `retention` of attestore.yaml. The
    deletions are entered into the ledger.
    """
    from attestore.cli.cycle import Order
    from attestore.cli.pruning import prune_system

    order = Order(reports=reports, home=home, store=tuple(store or ()), system=system, dry_run=dry_run, as_json=as_json)
    counts = {
        "daily": keep_daily,
        "weekly": keep_weekly,
        "monthly": keep_monthly,
        "yearly": keep_yearly,
        "at_least": keep_at_least,
    }
    raise typer.Exit(prune_system(order, counts=counts, time_zone=time_zone))


@app.command(
    epilog="Example:  attestore copy --system goimg --backup all",
)
def copy(  # noqa: PLR0913
    *,
    system: Annotated[str, typer.Option("--system", help="Whose backups.", metavar="NAME")],
    backup: Annotated[str, typer.Option("--backup", help="latest, all, or a backup's id.", metavar="WHICH")] = "latest",
    from_: From = "",
    store: Store = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Bring backups into every store that lacks them.

    First what a broken run sealed and could not store; then what one store has and another lacks. An upload that was cut
    short is continued. Every byte is read back; no private key is needed.
    """
    from attestore.cli.copying import copy_backups
    from attestore.cli.cycle import Order

    order = Order(
        reports=reports,
        home=home,
        store=tuple(store or ()),
        system=system,
        backup=backup,
        from_store=from_,
        as_json=as_json,
    )
    raise typer.Exit(copy_backups(order))


@app.command(
    epilog="Example:  attestore doctor --source service=goimg",
)
def doctor(  # noqa: PLR0913
    *,
    source: Annotated[
        str, typer.Option("--source", help="libpq connection string, URI or service to look at.", metavar="DSN")
    ] = "",
    system: Annotated[
        str, typer.Option("--system", help="Of a configuration, this system only; default: all.", metavar="NAME")
    ] = "",
    home: Home = HOME,
    store: Store = None,
    jobs: Jobs = 2,
    pg_bin: Programs = None,
    into: Into = "",
    as_json: Json = False,
) -> None:
    """List everything that stands in a run's way, at once.

    Programmes, keys, roster, stores, disk, and the servers under care: of --source, or of every system of the
    configuration. Each problem with its remedy, and what is fine, too.
    """
    from attestore.cli.cycle import Order
    from attestore.cli.doctor import examine

    order = Order(
        reports=REPORTS,
        home=home,
        source=source,
        system=system,
        store=tuple(store or ()),
        jobs=jobs,
        pg_bin=pg_bin,
        into=into,
        as_json=as_json,
    )
    raise typer.Exit(examine(order))
