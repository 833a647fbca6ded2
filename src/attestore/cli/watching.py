"""metrics and notify: what monitoring and people are told of what is there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import typer
from rich.text import Text

from attestore import canon, compose, gate, instants, resources
from attestore.archive import disk
from attestore.cli import dates
from attestore.cli.configured import chosen, trusted
from attestore.cli.display import consoles
from attestore.compose.check import Trust
from attestore.compose.listing import listing
from attestore.compose.watching import Watch, exposition, figures, gate_figures, push_metrics, write_metrics
from attestore.config import BEFORE
from attestore.config.stores import StorePlace
from attestore.errors import Error, UsageError
from attestore.gate import Gate
from attestore.report import notices as news
from attestore.report.metrics import families
from attestore.run.listing import Listed, list_backups

__all__ = ["Telling", "Watching", "notify", "print_shipped", "tell_metrics", "told_after"]

_TOLD: Final = "told.json"


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched, as the command line says it."""

    reports: Path
    home: Path
    roster: Path
    stores: tuple[StorePlace, ...]
    gates: Path | None
    system: str
    before: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """Where the metrics go; to standard output where nothing else is named."""

    textfile: Path | None
    push: str
    instance: str
    show: bool = False
    """print them, whatever the configuration says"""


def tell_metrics(watching: Watching, telling: Telling, *, as_json: bool) -> int:
    """Write the metrics where they are wanted; 0, whatever they say."""
    with _opened(watching) as (watch, trust, at):
        told = families(figures(watch, trust=trust, at=at))
    telling = _told_where(telling, as_json=as_json)
    if telling.textfile is not None:
        write_metrics(telling.textfile, told)
    if telling.push:
        push_metrics(telling.push, told, instance=telling.instance)
    if as_json:
        samples: list[canon.JSON] = [
            {"name": family.name, "labels": dict(sample.labels), "value": _written(sample.value)}
            for family in told
            for sample in family.samples
        ]
        typer.echo(canon.encode(samples).decode())
    elif telling.textfile is None and not telling.push:
        sys.stdout.buffer.write(exposition(told))
        sys.stdout.buffer.flush()
    return 0


def _told_where(telling: Telling, *, as_json: bool) -> Telling:
    """Where the configuration says, if the command line does not and nobody wants to read them here."""
    found = chosen()
    section = None if found is None else found.installation.metrics
    if found is None or section is None or telling.textfile is not None or telling.push or telling.show or as_json:
        return telling
    textfile = None if section.textfile is None else found.installation.path(str(section.textfile))
    return Telling(textfile=textfile, push=section.pushgateway, instance=section.instance)


def told_after(*, home: Path, reports: Path, say: Callable[[str], None]) -> None:
    """After a run or a deletion the metrics go where the configuration says; nothing that ended is undone if they don't."""
    found = chosen()
    if found is None or found.installation.metrics is None:
        return
    watching = Watching(
        reports=reports,
        home=home,
        roster=trusted(home),
        # of every system, not only of the one that ran
        stores=compose.places((), home=home, configured=replace(found, system=None)),
        gates=None,
        system="",
        before="",
    )
    try:
        tell_metrics(watching, Telling(textfile=None, push="", instance=""), as_json=False)
    except Error as problem:
        say(f"The metrics could not be told: {problem.message} Try later: attestore metrics")


def print_shipped(name: str, *, as_json: bool) -> int:
    """A file for the monitoring system, as it is shipped; 0."""
    text = (resources.templates_folder() / "monitoring" / name).read_text("utf-8")
    told: canon.JSON = [{"name": name, "text": text}]
    typer.echo(f"{canon.encode(told).decode()}\n" if as_json else text, nl=False)
    return 0


def notify(watching: Watching, *, addresses: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Tell people what changed since they were told last; what could not be sent is sent again next time.

    Raises:
        UsageError: an address can't be read or meant.
        UnreachableError: a service did not take a message.
    """
    resolved = () if dry_run else _addresses(addresses)
    kept = watching.home / _TOLD
    with _opened(watching) as (watch, trust, at):
        gates = gate_figures(watch, trust=trust, at=at)
        known = news.decode(kept.read_bytes(), what=str(kept)) if kept.exists() else {}
        due, now = news.notices(known, gates, at=instants.text(at), before_ms=watch.before_expiry_ms)
    if as_json:
        told: list[canon.JSON] = [
            {"system": each.system, "gate": each.gate, "title": each.title, "body": each.body, "bad": each.bad}
            for each in due
        ]
        typer.echo(canon.encode(told).decode())
    else:
        out, _ = consoles()
        for each in due:
            out.print(Text(f"{each.title}\n  {each.body}"))
        if not due:
            out.print(Text("Nothing changed, and nothing is about to."))
    if dry_run:
        return 0
    for each in due:
        compose.message(resolved, title=f"Attestore: {each.title}", body=each.body, bad=each.bad)
    disk.replace(kept, news.encode(now))
    return 0


def _addresses(named: tuple[str, ...]) -> tuple[str, ...]:
    """Where people are told: what the command line names, else the configuration."""
    found = chosen()
    if named:
        return tuple(compose.resolved(compose.told("--url", each)).decode() for each in named)
    if found is not None and (section := found.installation.notify) is not None:
        folder = found.installation.file.parent
        return tuple(compose.resolved(each, below=folder).decode() for each in section.urls)
    raise UsageError(
        "nobody is named who could be told",
        hint="Give --url env:NAME or --url file:PATH, or notify: in attestore.yaml, or --dry-run to look.",
    )


@contextmanager
def _opened(watching: Watching) -> Iterator[tuple[Watch, Trust, datetime]]:
    with compose.auditing(watching.roster) as trust:
        at = dates.as_of(watching.at, option="--at") if watching.at else trust.clock.now()
        watch = Watch(
            reports=watching.reports,
            wanted=_wanted(watching),
            stores={place.name: _asking(watching, place) for place in watching.stores},
            before_expiry_ms=_before(watching.before or _announced()),
        )
        yield watch, trust, at


def _wanted(watching: Watching) -> Mapping[tuple[str, str], Gate]:
    """Gates by system that must have run: of the configuration's systems, or those that the command line names."""
    found = chosen()
    if found is not None:
        return {
            (system, each.id): each
            for system, gates in found.gates().items()
            for each in gates
            if not watching.system or system == watching.system
        }
    if watching.gates is None:
        return {}
    if not watching.system:
        raise UsageError("--gates says which gates must have run, but not of which system", hint="Add --system NAME.")
    return {(watching.system, each.id): each for each in map(gate.read, sorted(watching.gates.glob("*.yaml")))}


def _asking(watching: Watching, store: StorePlace) -> Callable[[], tuple[Listed, ...]]:
    def ask() -> tuple[Listed, ...]:
        with listing(reports=watching.reports, roster=watching.roster) as doors:
            return list_backups(doors(store))

    return ask


def _announced() -> str:
    found = chosen()
    section = None if found is None else found.installation.notify
    return BEFORE if section is None else section.before


def _before(written: str) -> int:
    try:
        return instants.duration_ms(written)
    except (Error, ValueError) as problem:
        raise UsageError(f"--before {written!r} is no duration", hint="Write 7d, 36h or 90m.") from problem


def _written(value: float) -> int | str:
    """A number as exact JSON keeps it: whole, or as text."""
    return int(value) if value == int(value) else repr(value)
