"""The commands and their options; what they do is imported when it is asked for, so that `--help` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from attestore import __version__
from attestore.errors import Error, PreflightError

__all__ = ["app", "main"]

_REPORTS: Final = Path("reports")
_HOME: Final = Path(".attestore")

app = typer.Typer(
    name="attestore",
    help="Proves that a PostgreSQL backup restores, and leaves evidence that a stranger can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_gates = typer.Typer(help="Look at gate files.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(_gates, name="gates")

_Reports = Annotated[Path, typer.Option("--reports", help="Folder of bundles and ledger.", metavar="DIR")]
_Home = Annotated[
    Path,
    typer.Option("--home", help="Keys, roster and default store.", metavar="DIR", envvar="ATTESTORE_HOME"),
]
_Store = Annotated[
    Path | None, typer.Option("--store", help="Folder that keeps backups; default: store below --home.", metavar="DIR")
]
_Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Parallel sessions of dump, proof and restore.", metavar="N")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")]
_Gate = Annotated[
    list[str] | None,
    typer.Option("--gate", "-g", help="Gate id, or path of a gate file; may be repeated.", metavar="ID|FILE"),
]
_GatesFolder = Annotated[
    Path | None, typer.Option("--gates", help="Folder of your own gate files, searched first.", metavar="DIR")
]
_System = Annotated[
    str, typer.Option("--system", help="Name of the system in reports; default: the database's.", metavar="NAME")
]
_Source = Annotated[
    str,
    typer.Option(
        "--source",
        help="libpq connection string, URI or service. Passwords: PGPASSWORD or a passfile.",
        metavar="DSN",
    ),
]
_Programs = Annotated[
    Path | None, typer.Option("--pg-bin", help="Folder of the PostgreSQL programmes to use.", metavar="DIR")
]
_Operator = Annotated[
    str,
    typer.Option(
        "--operator",
        help="Who runs it, written into a new roster on first use of --home; default: your login name.",
        metavar="NAME",
        envvar="ATTESTORE_OPERATOR",
    ),
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan; touch nothing.")]


@app.callback()
def _attestore(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"attestore {__version__}")
        raise typer.Exit


@app.command(
    epilog="Example:  attestore demo --scale 10",
)
def demo(
    *,
    scale: Annotated[int, typer.Option("--scale", help="Multiply the demo's 7,305 rows.", min=1, max=2000)] = 1,
    reports: _Reports = _REPORTS,
    home: _Home = _HOME,
    jobs: _Jobs = 2,
    as_json: _Json = False,
) -> None:
    """Run the whole cycle on a throw-away PostgreSQL.

    It holds an image gallery of 7,305 rows; no server, key, bucket or configuration is needed.
    """
    from attestore.cli.cycle import Order, demonstrate

    order = Order(reports=reports, home=home, jobs=jobs, as_json=as_json, operator="Demo Operator")
    raise typer.Exit(demonstrate(order, scale=scale))


@app.command(
    epilog="Example:  attestore run --source service=goimg --gate S9-PROD-003 --gate S9-PROD-004",
)
def run(  # noqa: PLR0913
    *,
    source: _Source,
    gate: _Gate = None,
    gates: _GatesFolder = None,
    system: _System = "",
    reports: _Reports = _REPORTS,
    home: _Home = _HOME,
    store: _Store = None,
    jobs: _Jobs = 2,
    pg_bin: _Programs = None,
    operator: _Operator = "",
    dry_run: _DryRun = False,
    as_json: _Json = False,
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
        store=store,
        jobs=jobs,
        pg_bin=pg_bin,
        operator=operator,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(cycle(Job.RUN, order))


@app.command(
    epilog="Example:  attestore backup --source service=goimg",
)
def backup(  # noqa: PLR0913
    *,
    source: _Source,
    system: _System = "",
    reports: _Reports = _REPORTS,
    home: _Home = _HOME,
    store: _Store = None,
    jobs: _Jobs = 2,
    pg_bin: _Programs = None,
    operator: _Operator = "",
    dry_run: _DryRun = False,
    as_json: _Json = False,
) -> None:
    """Take a sealed backup that carries its own proof."""
    from attestore.cli.cycle import Order, cycle
    from attestore.plan import Job

    order = Order(
        source=source,
        system=system,
        reports=reports,
        home=home,
        store=store,
        jobs=jobs,
        pg_bin=pg_bin,
        operator=operator,
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
    gate: _Gate = None,
    gates: _GatesFolder = None,
    reports: _Reports = _REPORTS,
    home: _Home = _HOME,
    store: _Store = None,
    jobs: _Jobs = 2,
    pg_bin: _Programs = None,
    operator: _Operator = "",
    dry_run: _DryRun = False,
    as_json: _Json = False,
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
        store=store,
        jobs=jobs,
        pg_bin=pg_bin,
        operator=operator,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(cycle(Job.DRILL, order))


@app.command(
    epilog="Example:  attestore audit reports --roster roster.yaml",
)
def audit(
    path: Annotated[Path, typer.Argument(help="A reports folder, or one bundle in it.")] = _REPORTS,
    *,
    roster: Annotated[
        Path | None, typer.Option("--roster", help="Whom to trust; default: roster.yaml below --home.", metavar="FILE")
    ] = None,
    home: _Home = _HOME,
    as_json: _Json = False,
) -> None:
    """Check a reports folder again, trusting the roster.

    Digests, signatures, chains, verdicts and reports are all computed again; exit code 4 when something was found.
    """
    from attestore.cli.check import audit_path

    raise typer.Exit(audit_path(path, roster=roster or home / "roster.yaml", as_json=as_json))


@app.command()
def facts(*, as_json: _Json = False) -> None:
    """List everything that a gate can ask for."""
    from attestore.cli.check import list_facts

    raise typer.Exit(list_facts(as_json=as_json))


@_gates.command(
    name="check",
    epilog="Example:  attestore gates check gates/*.yaml",
)
def gates_check(
    files: Annotated[list[Path], typer.Argument(help="Gate files.", metavar="FILE…")], *, as_json: _Json = False
) -> None:
    """Say what is wrong with gate files."""
    from attestore.cli.check import check_gates

    raise typer.Exit(check_gates(files, as_json=as_json))


def main() -> NoReturn:
    """Run the programme: an Error becomes a sentence, a hint and its exit code."""
    try:
        app(standalone_mode=True)
    except Error as problem:
        sys.exit(_told(problem))
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(3)
    sys.exit(0)


def _told(problem: Error) -> int:
    problems = problem.problems if isinstance(problem, PreflightError) else (problem,)
    for each in problems:
        typer.secho("Error: ", nl=False, err=True, fg=typer.colors.RED, bold=True)
        typer.echo(each.message, err=True)
        if each.hint:
            typer.echo(f"  Try: {each.hint}", err=True)
    return problem.exit_code
