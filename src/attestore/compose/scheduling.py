"""The sites that a configuration describes, and their files put where a scheduler reads them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Final, cast

from attestore import canon, gate, instants
from attestore.archive import LedgerFile
from attestore.compose.configured import Configured
from attestore.config import Installation, SystemEntry
from attestore.config.schedule import Schedule, read_schedule
from attestore.config.stores import DirectoryPlace
from attestore.errors import UsageError
from attestore.evidence.ledger import BackupStored, RunClosed, RunFinished, RunStarted
from attestore.schedule import File, Lasted, Site, is_ours, tasks, warnings

__all__ = ["Asked", "Placed", "What", "doubts", "place", "sites", "stale"]

_SECRET: Final = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]{0,127})")
_FILE: Final = re.compile(r'"file:([^"]+)"')
_NEWEST: Final = 5
"""runs of each kind that tell how long the next one may take"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a configuration does not say."""

    user: str
    passfile: Path | None


class What(Enum):
    """What became of a file."""

    WRITTEN = "written"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Placed:
    """A file where it belongs, and what became of it."""

    path: Path
    what: What


def sites(configured: Configured, asked: Asked, *, system: str) -> tuple[Site, ...]:
    """The named system, or every one of the configuration.

    Raises:
        UsageError: there is no such system, or none at all.
        GateError: a section can't be meant.
        ArchiveError, TamperedError: the ledger, which tells how long runs took, can't be read.
    """
    found = configured.installation
    chosen = [found.system(system)] if system else list(found.systems.values())
    if not chosen:
        raise UsageError(f"{found.file} has no system", hint="Describe one below systems:.")
    return tuple(_site(found, entry, asked) for entry in chosen)


def doubts(configured: Configured, planned: tuple[Site, ...], *, contained: bool = False) -> tuple[str, ...]:
    """What the schedules of these sites can't keep of what their gates ask for; `contained`: what no container will find.

    Raises:
        GateError, UsageError: a gate can't be read.
    """
    found = configured.installation
    told: list[str] = []
    for site in planned:
        names = Configured(found, found.system(site.system)).options().get("gate", ())
        folders = () if found.gates is None else (found.gates,)
        gates = [gate.named(str(name), folders=folders) for name in cast("Iterable[object]", names)]
        told += warnings(
            site, [(each.id, timedelta(milliseconds=each.cadence_ms)) for each in gates if each.cadence_ms is not None]
        )
        if contained:
            told += _not_in_a_container(found, found.system(site.system))
    return tuple(told)


def _not_in_a_container(found: Installation, entry: SystemEntry) -> Iterator[str]:
    """What the configuration refers to on this machine and no file that is made brings along."""
    if "service=" in entry.source:
        yield (
            f"{entry.name}: the source names a service, and a container has no service file: write host=… user=… dbname=…, "
            f"or mount one and set PGSERVICEFILE."
        )
    for name in sorted(set(_FILE.findall(canon.encode(found.node.value).decode()))):
        yield f"{entry.name}: the secret file:{name} is not in the container: mount it there, or write env:NAME."


def place(files: tuple[File, ...], folder: Path, *, dry_run: bool) -> tuple[Placed, ...]:
    """Write the files, unless it is a dry run; one that is there already with the same bytes is left alone.

    Raises:
        UsageError: a file of that name is somebody else's; then none is written.
        DiskError: one can't be written.
    """
    from attestore.adapters.durable import disk_errors, replace

    placed: list[tuple[Placed, bytes]] = []
    for file in files:
        path, data = folder / file.name, file.text.encode()
        with disk_errors(f"read {path}"):
            there = path.read_bytes() if path.exists() or path.is_symlink() else None
        if there is not None and (path.is_symlink() or not is_ours(there)):
            raise UsageError(
                f"{path} is there, and was not made by attestore schedule; nothing was written",
                hint="Move it away, or install into another folder with --dir.",
            )
        what = What.WRITTEN if there is None else What.UNCHANGED if there == data else What.CHANGED
        placed.append((Placed(path, what), data))
    if not dry_run:
        with disk_errors(f"make {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
        for each, data in placed:
            if each.what is not What.UNCHANGED:
                replace(each.path, data, mode=0o644)
    return tuple(each for each, _ in placed)


def stale(files: tuple[File, ...], folder: Path, *, system: str) -> tuple[Path, ...]:
    """Units of ours for that system which the schedule has no longer."""
    ours = {file.name for file in files}
    there = sorted(folder.glob(f"attestore-{system}-*.timer")) if folder.is_dir() else []
    return tuple(path for path in there if path.name not in ours and path.is_file() and is_ours(path.read_bytes()))


def _site(found: Installation, entry: SystemEntry, asked: Asked) -> Site:
    schedule = Schedule() if entry.schedule is None else read_schedule(entry.schedule)
    after: dict[str, tuple[str, ...]] = {}
    if found.metrics is not None:
        after = dict.fromkeys(("backup", "prune", "drill", "status"), ("metrics",))
    if found.notify is not None:
        after["status"] = (*after.get("status", ()), "notify")
    stores = tuple(_folders(found, entry))
    config = found.file.absolute()
    planned = tasks(schedule, system=entry.name, config=config, lasted=_lasted(found, entry.name), after=after)
    return Site(
        system=entry.name,
        program=_program(),
        config=config,
        writable=tuple(dict.fromkeys((*_written(found), *(path for _, path in stores)))),
        # without a policy there is nothing to prune by
        tasks=tuple(task for task in planned if task.name != "prune" or entry.retention is not None),
        user=asked.user,
        secrets=tuple(sorted(set(_SECRET.findall(canon.encode(found.node.value).decode())))),
        passfile=None if asked.passfile is None else asked.passfile.absolute(),
        stores=stores,
    )


def _written(found: Installation) -> Iterator[Path]:
    """Folders that tasks write to, besides the stores."""
    yield found.reports.absolute()
    yield found.home.absolute()
    if found.metrics is not None and (textfile := found.metrics.textfile) is not None:
        yield found.path(str(textfile)).absolute().parent


def _folders(found: Installation, entry: SystemEntry) -> Iterator[tuple[str, Path]]:
    """The system's stores that are folders of this machine."""
    for name in entry.stores:
        place = found.stores[name]
        if isinstance(place, DirectoryPlace):
            yield name, place.path.absolute()


def _program() -> Path:
    """The programme that is asked, as its own tasks will start it."""
    beside = Path(sys.executable).parent / "attestore"
    return beside if beside.is_file() else Path(sys.argv[0]).absolute()


def _lasted(found: Installation, system: str) -> Lasted:
    """The longest of the newest runs that made a backup, and of those that drilled one."""
    entries = LedgerFile(found.reports).read().entries
    begun = {entry.run: entry.at for entry in entries if isinstance(entry, RunStarted) and entry.system == system}
    made = {entry.run for entry in entries if isinstance(entry, BackupStored)}
    took: dict[bool, list[int]] = {True: [], False: []}
    for entry in entries:
        # a run that was closed later says nothing of how long it took
        if isinstance(entry, RunFinished) and entry.run in begun:
            seconds = (instants.parse(entry.at) - instants.parse(begun[entry.run])).total_seconds()
            took[entry.run in made].append(max(0, round(seconds)))
        elif isinstance(entry, RunClosed):
            continue
    return Lasted(backup=max(took[True][-_NEWEST:], default=0), drill=max(took[False][-_NEWEST:], default=0))
