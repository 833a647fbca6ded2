"""schedule print, schedule install."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import Json

__all__ = ["app"]

app = typer.Typer()
_group = typer.Typer(help="Have the jobs done: backup, prune, drill, status.", no_args_is_help=True)
app.add_typer(_group, name="schedule")

_System = Annotated[str, typer.Option("--system", help="Of one system; default: each one.", metavar="NAME")]
_Systemd = Annotated[bool, typer.Option("--systemd", help="Hardened services and timers; they catch up.")]
_Cron = Annotated[bool, typer.Option("--cron", help="A file for cron.d; silent when all is well.")]
_Kubernetes = Annotated[bool, typer.Option("--kubernetes", help="CronJobs, a volume, a ConfigMap.")]
_Compose = Annotated[bool, typer.Option("--compose", help="A PostgreSQL, an S3 store, and the jobs.")]
_Own = Annotated[bool, typer.Option("--user", help="For your own service manager (systemctl --user).")]
_RunAs = Annotated[
    str,
    typer.Option(
        "--run-as",
        help="Account of the jobs. Default: root with few capabilities, so that what a drill restores runs as another "
        "account, which can read nothing of yours.",
        metavar="NAME",
    ),
]
_Passfile = Annotated[
    Path | None, typer.Option("--passfile", help="The source's password, in libpq's form.", metavar="FILE")
]
_Image = Annotated[str, typer.Option("--image", help="Image for containers.", metavar="IMAGE")]
_IMAGE = "attestore:latest"


@_group.command(
    name="print",
    epilog="Example:  attestore schedule print --systemd --config /etc/attestore/attestore.yaml",
)
def print_(  # noqa: PLR0913
    *,
    systemd: _Systemd = False,
    cron: _Cron = False,
    kubernetes: _Kubernetes = False,
    compose: _Compose = False,
    system: _System = "",
    user: _Own = False,
    run_as: _RunAs = "",
    passfile: _Passfile = None,
    image: _Image = _IMAGE,
    as_json: Json = False,
) -> None:
    """Print the files that a scheduler needs.

    Times are those of `schedule` in attestore.yaml; a job is given up after four times as long as it took.
    """
    from attestore.cli.scheduling import Kind, Order, show

    kinds = {Kind.SYSTEMD: systemd, Kind.CRON: cron, Kind.KUBERNETES: kubernetes, Kind.COMPOSE: compose}
    order = Order(
        kinds=tuple(kind for kind, wanted in kinds.items() if wanted),
        system=system,
        own=user,
        user=run_as,
        passfile=passfile,
        image=image,
        folder=None,
        dry_run=True,
        as_json=as_json,
    )
    raise typer.Exit(show(order))


@_group.command(
    epilog="Example:  attestore schedule install --systemd --dry-run",
)
def install(  # noqa: PLR0913
    *,
    systemd: _Systemd = False,
    cron: _Cron = False,
    kubernetes: _Kubernetes = False,
    compose: _Compose = False,
    system: _System = "",
    user: _Own = False,
    run_as: _RunAs = "",
    passfile: _Passfile = None,
    image: _Image = _IMAGE,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", help="Folder to write to; default: where the scheduler looks.", metavar="DIR"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Write the files where the scheduler reads them.

    What is there and was not written by this command is never replaced. Prints the commands that put it in force; none
    of them is run.
    """
    from attestore.cli import scheduling

    kinds = {
        scheduling.Kind.SYSTEMD: systemd,
        scheduling.Kind.CRON: cron,
        scheduling.Kind.KUBERNETES: kubernetes,
        scheduling.Kind.COMPOSE: compose,
    }
    order = scheduling.Order(
        kinds=tuple(kind for kind, wanted in kinds.items() if wanted),
        system=system,
        own=user,
        user=run_as,
        passfile=passfile,
        image=image,
        folder=folder,
        dry_run=dry_run,
        as_json=as_json,
    )
    raise typer.Exit(scheduling.install(order))
