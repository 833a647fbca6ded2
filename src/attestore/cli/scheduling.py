"""schedule: the files that have a system's jobs done, printed or installed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import typer
from rich.text import Text

from attestore import canon
from attestore.cli.configured import chosen
from attestore.cli.display import consoles
from attestore.compose.configured import Configured
from attestore.compose.scheduling import Asked, What, doubts, place, sites, stale
from attestore.errors import UsageError
from attestore.schedule import File, Site, cron, kubernetes, stack, systemd

__all__ = ["Kind", "Order", "install", "show"]


class Kind(Enum):
    """Who starts the jobs; the value is the option."""

    SYSTEMD = "systemd"
    CRON = "cron"
    KUBERNETES = "kubernetes"
    COMPOSE = "compose"


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    kinds: tuple[Kind, ...]
    system: str
    own: bool
    """for a user's own service manager"""
    user: str
    passfile: Path | None
    image: str
    folder: Path | None
    dry_run: bool
    as_json: bool


def show(order: Order) -> int:
    """Print the files; several of them each below a line with its name."""
    chosen_sites = _sites(order)
    found = [(site, file) for site in chosen_sites for file in _files(site, order)]
    _doubt(chosen_sites, order)
    if order.as_json:
        typer.echo(canon.encode([{"name": file.name, "text": file.text} for _, file in found]).decode())
        return 0
    for number, (_, file) in enumerate(found):
        if len(found) > 1:
            typer.echo(f"{'' if number == 0 else chr(10)}# ==> {file.name} <==")
        typer.echo(file.text, nl=False)
    return 0


def install(order: Order) -> int:
    """Write the files where the scheduler reads them, and say how they are put in force."""
    folder = order.folder or _usual(order)
    chosen_sites = _sites(order)
    files = tuple(file for site in chosen_sites for file in _files(site, order))
    placed = place(files, folder, dry_run=order.dry_run)
    old = [path for site in chosen_sites for path in stale(files, folder, system=site.system)]
    doubtful = _doubt(chosen_sites, order)
    commands = [command for site in chosen_sites for command in _commands(site, order, folder=folder)]
    if order.as_json:
        told: canon.JSON = {
            "dry_run": order.dry_run,
            "files": [{"path": str(each.path), "what": each.what.value} for each in placed],
            "stale": [str(path) for path in old],
            "commands": list(commands),
            "doubts": list(doubtful),
        }
        typer.echo(canon.encode(told).decode())
        return 0
    out, _ = consoles()
    for each in placed:
        word = f"would be {each.what.value}" if order.dry_run and each.what is not What.UNCHANGED else each.what.value
        out.print(Text(f" {each.path}  {word}"), soft_wrap=True)
    for path in old:
        out.print(Text(f" {path}  no longer in the schedule: disable and remove it, and its .service"), soft_wrap=True)
    out.print(Text("\n Put in force by:" if commands else ""))
    for command in dict.fromkeys(commands):
        out.print(Text(f"   {command}"), soft_wrap=True)
    return 0


def _sites(order: Order) -> tuple[Site, ...]:
    return sites(_configured(), Asked(user=order.user, passfile=order.passfile), system=order.system)


def _doubt(chosen_sites: tuple[Site, ...], order: Order) -> tuple[str, ...]:
    """What the schedules can't keep, said to people; files are made all the same."""
    _, err = consoles()
    doubtful = doubts(_configured(), chosen_sites, contained=_kind(order) in {Kind.KUBERNETES, Kind.COMPOSE})
    for each in doubtful:
        err.print(Text.assemble(("Note: ", "yellow"), each))
    return doubtful


def _configured() -> Configured:
    found = chosen()
    if found is None:
        raise UsageError(
            "a schedule needs a configuration", hint="Name it with --config, or write one with attestore init."
        )
    return found


def _kind(order: Order) -> Kind:
    if len(order.kinds) != 1:
        said = "none" if not order.kinds else " and ".join(f"--{kind.value}" for kind in order.kinds)
        raise UsageError(
            f"say who starts the jobs, one of them: {said} was given",
            hint="Give --systemd, --cron, --kubernetes or --compose.",
        )
    return order.kinds[0]


def _files(site: Site, order: Order) -> tuple[File, ...]:
    match _kind(order):
        case Kind.SYSTEMD:
            return systemd.files(site, own=order.own)
        case Kind.CRON:
            return cron.files(site)
        case Kind.KUBERNETES:
            text = _configured().installation.file.read_text(encoding="utf-8")
            return kubernetes.files(site, config=text, image=order.image)
        case Kind.COMPOSE:
            return stack.files(site, image=order.image)


def _usual(order: Order) -> Path:
    match _kind(order):
        case Kind.SYSTEMD:
            return Path("~/.config/systemd/user").expanduser() if order.own else Path("/etc/systemd/system")
        case Kind.CRON:
            return Path("/etc/cron.d")
        case Kind.KUBERNETES | Kind.COMPOSE:
            return Path()


def _commands(site: Site, order: Order, *, folder: Path) -> tuple[str, ...]:
    match _kind(order):
        case Kind.SYSTEMD:
            return systemd.enabling(site, own=order.own)
        case Kind.CRON:
            return ()
        case Kind.KUBERNETES:
            return tuple(f"kubectl apply --filename {folder / file.name}" for file in _files(site, order))
        case Kind.COMPOSE:
            return tuple(
                f"docker compose --file {folder / file.name} up --detach postgres s3" for file in _files(site, order)
            )
