"""demo, run, backup, drill."""

from __future__ import annotations

from typing import Annotated

import typer

from attestore.cli.options import (
    HOME,
    REPORTS,
    DryRun,
    Escrow,
    From,
    Gate,
    GatesFolder,
    Home,
    IndexDepth,
    Into,
    Jobs,
    Json,
    Key,
    Language,
    Method,
    Operator,
    Paper,
    Passphrase,
    Programs,
    Reports,
    ShowKeys,
    Source,
    SourceJobs,
    SourcePause,
    Store,
    System,
    Timestamp,
)
from attestore.facts import IndexCheck

__all__ = ["app"]

app = typer.Typer()


@app.command(
    epilog="Example:  attestore demo --scale 10",
)
def demo(  # noqa: PLR0913
    *,
    scale: Annotated[int, typer.Option("--scale", help="Multiply the demo's 7,305 rows.", min=1, max=2000)] = 1,
    reports: Reports = REPORTS,
    home: Home = HOME,
    jobs: Jobs = 2,
    language: Language = "",
    paper: Paper = "",
    as_json: Json = False,
) -> None:
    """Run the whole cycle on a throw-away PostgreSQL.

    It holds an image gallery of 7,305 rows; no server, key, bucket or configuration is needed.
    """
    from attestore.cli.cycle import Order, demonstrate

    order = Order(
        reports=reports, home=home, jobs=jobs, as_json=as_json, operator="Demo Operator", language=language, paper=paper
    )
    raise typer.Exit(demonstrate(order, scale=scale))


@app.command(
    epilog="Example:  attestore run --source service=goimg --gate S9-PROD-003 --gate S9-PROD-004",
)
def run(  # noqa: PLR0913
    *,
    source: Source,
    gate: Gate = None,
    gates: GatesFolder = None,
    system: System = "",
    reports: Reports = REPORTS,
    home: Home = HOME,
    store: Store = None,
    jobs: Jobs = 2,
    source_jobs: SourceJobs = None,
    source_pause: SourcePause = "",
    pg_bin: Programs = None,
    operator: Operator = "",
    into: Into = "",
    from_: From = "",
    index_check: IndexDepth = IndexCheck.AUTO,
    show_keys: ShowKeys = False,
    method: Method = "audit",
    timestamp: Timestamp = "",
    language: Language = "",
    paper: Paper = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Back up, restore, compare; leave a signed report.

    The backup is sealed and stored, every local copy destroyed, and what the store gives back is restored into an
    isolated server and compared with what the source held.
    """
    from attestore.cli.cycle import Order, cycle
    from attestore.plan import Job

    order = Order(
        source=source,
        gates=tuple(gate or ()),
        gates_folder=gates,
        system=system,
        reports=reports,
        home=home,
        store=tuple(store or ()),
        jobs=jobs,
        source_jobs=source_jobs,
        source_pause=source_pause,
        pg_bin=pg_bin,
        operator=operator,
        into=into,
        from_store=from_,
        index_check=index_check,
        show_keys=show_keys,
        method=method,
        timestamp=timestamp,
        language=language,
        paper=paper,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(cycle(Job.RUN, order))


@app.command(
    epilog="Example:  attestore backup --source service=goimg",
)
def backup(  # noqa: PLR0913
    *,
    source: Source,
    system: System = "",
    reports: Reports = REPORTS,
    home: Home = HOME,
    store: Store = None,
    jobs: Jobs = 2,
    source_jobs: SourceJobs = None,
    source_pause: SourcePause = "",
    pg_bin: Programs = None,
    operator: Operator = "",
    method: Method = "audit",
    language: Language = "",
    paper: Paper = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take a sealed backup that carries its own proof."""
    from attestore.cli.cycle import Order, cycle
    from attestore.plan import Job

    order = Order(
        source=source,
        system=system,
        reports=reports,
        home=home,
        store=tuple(store or ()),
        jobs=jobs,
        source_jobs=source_jobs,
        source_pause=source_pause,
        pg_bin=pg_bin,
        operator=operator,
        method=method,
        language=language,
        paper=paper,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(cycle(Job.BACKUP, order))


@app.command(
    epilog="Example:  attestore drill --system goimg --gate S9-PROD-004 --backup oldest",
)
def drill(  # noqa: PLR0913
    *,
    system: Annotated[str, typer.Option("--system", help="Whose backup.", metavar="NAME")],
    backup: Annotated[
        str, typer.Option("--backup", help="latest, oldest, random, or a backup's id.", metavar="WHICH")
    ] = "latest",
    from_: From = "",
    gate: Gate = None,
    gates: GatesFolder = None,
    reports: Reports = REPORTS,
    home: Home = HOME,
    store: Store = None,
    jobs: Jobs = 2,
    pg_bin: Programs = None,
    operator: Operator = "",
    into: Into = "",
    index_check: IndexDepth = IndexCheck.AUTO,
    show_keys: ShowKeys = False,
    key: Key = "",
    escrow: Escrow = None,
    passphrase: Passphrase = "",
    timestamp: Timestamp = "",
    language: Language = "",
    paper: Paper = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Restore a stored backup and prove it.

    Into an isolated server, against the proof the backup carries: the source is not asked.
    """
    from attestore.cli.cycle import Order, cycle
    from attestore.plan import Job

    order = Order(
        backup=backup,
        gates=tuple(gate or ()),
        gates_folder=gates,
        system=system,
        reports=reports,
        home=home,
        store=tuple(store or ()),
        jobs=jobs,
        pg_bin=pg_bin,
        operator=operator,
        into=into,
        from_store=from_,
        index_check=index_check,
        show_keys=show_keys,
        key=key,
        escrow=escrow,
        passphrase=passphrase,
        timestamp=timestamp,
        language=language,
        paper=paper,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(cycle(Job.DRILL, order))
