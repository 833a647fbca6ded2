"""metrics and notify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.configured import trusted
from attestore.cli.options import HOME, REPORTS, Home, Json, Reports, Roster, Store

__all__ = ["app"]

app = typer.Typer()

_System = Annotated[str, typer.Option("--system", help="Name of the system that --gates is about.", metavar="NAME")]
_Gates = Annotated[
    Path | None,
    typer.Option("--gates", help="Folder of gates that must have run: one that never did is told.", metavar="DIR"),
]
_At = Annotated[str, typer.Option("--at", help="Tell as at that day or instant (UTC), not now.", metavar="DATE")]
_Before = Annotated[
    str,
    typer.Option(
        "--before", help="How long before its end a gate counts as expiring; default: 7d.", metavar="DURATION"
    ),
]


@app.command(
    epilog="Example:  attestore metrics --textfile /var/lib/node_exporter/attestore.prom",
)
def metrics(  # noqa: PLR0913
    *,
    textfile: Annotated[
        Path | None,
        typer.Option(
            "--textfile", help="Write them there, for node_exporter's textfile collector.", metavar="FILE.prom"
        ),
    ] = None,
    push: Annotated[str, typer.Option("--push", help="Push them to a Prometheus Pushgateway.", metavar="URL")] = "",
    instance: Annotated[
        str, typer.Option("--instance", help="Instance under which they are pushed.", metavar="NAME")
    ] = "attestore",
    show: Annotated[
        bool, typer.Option("--print", help="Print them, though the configuration says where they go.")
    ] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Print the alert rules for Prometheus.")] = False,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="Print the Grafana dashboard.")] = False,
    system: _System = "",
    gates: _Gates = None,
    before: _Before = "",
    at: _At = "",
    store: Store = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Tell Prometheus what the evidence says.

    Last successes, failures, durations, sizes, RTO and its target, standing and end of each gate, what each store holds. Needs no
    private key.
    """
    from attestore.cli.configured import chosen
    from attestore.cli.watching import Telling, Watching, print_shipped, tell_metrics
    from attestore.compose import places

    if rules or dashboard:
        raise typer.Exit(print_shipped("alerts.yaml" if rules else "dashboard.json", as_json=as_json))
    watching = Watching(
        reports=reports,
        home=home,
        roster=roster or trusted(home),
        stores=places(store or (), home=home, configured=chosen()),
        gates=gates,
        system=system,
        before=before,
        at=at,
    )
    raise typer.Exit(
        tell_metrics(watching, Telling(textfile=textfile, push=push, instance=instance, show=show), as_json=as_json)
    )


@app.command(
    epilog="Example:  attestore notify --url env:NTFY_URL --before 7d",
)
def notify(  # noqa: PLR0913
    *,
    url: Annotated[
        list[str] | None,
        typer.Option(
            "--url",
            help="Where people are told, as apprise writes it; it may hold a secret, so only where it stands is named.",
            metavar="env:NAME|file:PATH",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be told; send and remember nothing.")
    ] = False,
    system: _System = "",
    gates: _Gates = None,
    before: _Before = "",
    reports: Reports = REPORTS,
    home: Home = HOME,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Tell people what a gate's standing has become.

    A message for each gate whose standing changed since they were told last, and one when its end is near. Run it daily; it
    is silent where nothing changed.
    """
    from attestore.cli.watching import Watching
    from attestore.cli.watching import notify as told

    watching = Watching(
        reports=reports,
        home=home,
        roster=roster or trusted(home),
        stores=(),
        gates=gates,
        system=system,
        before=before,
    )
    raise typer.Exit(told(watching, addresses=tuple(url or ()), dry_run=dry_run, as_json=as_json))
