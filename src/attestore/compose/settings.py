"""What was asked for, read as far as it can be without the world's tools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attestore import instants, plan
from attestore.compose.configured import Configured
from attestore.config import SecretRef
from attestore.config.stores import StorePlace
from attestore.errors import UsageError
from attestore.gate import Gate
from attestore.plan import Job, Plan
from attestore.ports import Clock
from attestore.proof import AUDIT, IndexCheck

if TYPE_CHECKING:
    from attestore.adapters.postgres.dsn import Environment

__all__ = ["Settings", "clock", "environment_of", "planned", "source_label", "system_of", "target_of"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line decided about the world."""

    reports: Path
    home: Path
    stores: tuple[StorePlace, ...] = ()
    """all are written, the first is restored from; none where a command needs only keys and roster"""
    source: str = ""
    backup: str = ""
    system: str = ""
    jobs: int = 1
    source_jobs: int | None = None
    """sessions at work on the source at once, at most; None: dump and proof go on beside each other"""
    source_pause: str = ""
    """rest between two chunks, such as 50ms; empty: none"""
    pg_bin: Path | None = None
    operator: str = ""
    into: str = ""
    """an existing server that takes the restore; empty: a scratch server is made"""
    index_check: IndexCheck = IndexCheck.AUTO
    """how deep the restored copy's B-tree indexes are looked into"""
    method: str = AUDIT
    """how a new backup's rows are fingerprinted"""
    show_keys: bool = False
    """whether keys of differing rows may be told as they are"""
    from_store: str = ""
    """name of the store that a backup is fetched from, and no other; empty: the first that has it whole"""
    roster: Path | None = None
    """whom to trust; None: roster.yaml below home"""
    language: str = ""
    """of reports; empty: what the configuration file says, else English"""
    paper: str = ""
    """of reports; empty: what the configuration file says, else A4"""
    configured: Configured | None = None
    """the configuration file, and the system in it that is meant; None where there is no file"""

    key: str = ""
    """primary fingerprint of the only private key that may open the backup; empty: any that is here"""
    escrow: Path | None = None
    """where that key lies; None: home"""
    passphrase: SecretRef | None = None
    """what unlocks the keys of home, or of `escrow` where that is named; None: what the configuration says of home's"""

    @property
    def trusted(self) -> Path:
        """The roster's file."""
        return self.roster or self.home / "roster.yaml"


def clock() -> Clock:
    """The machine's clock."""
    from attestore.adapters.system import SystemClock

    return SystemClock()


def source_label(settings: Settings) -> str:
    """The source in words, without secrets."""
    with _private() as private:
        return environment_of(settings, private).label


def planned(job: Job, settings: Settings, *, gates: tuple[Gate, ...]) -> Plan:
    """Decide a run: its name, its system, its steps.

    Raises:
        PlanError, UsageError: the settings can't be meant.
    """
    from attestore.adapters.system import SystemClock, SystemEntropy

    system = settings.system or system_of(settings.source)
    run = f"{instants.compact(SystemClock().now())}-{system}-{SystemEntropy().token(3).hex()}"
    return plan.make(
        job,
        run=run,
        system=system,
        gates=gates,
        jobs=settings.jobs,
        target=plan.EXISTING if settings.into else plan.ISOLATED,
        index_check=settings.index_check,
        method=settings.method,
        show_keys=settings.show_keys,
        source_jobs=settings.source_jobs,
        source_pause_ms=_pause_ms(settings.source_pause),
    )


def _pause_ms(written: str) -> int:
    if not written:
        return 0
    try:
        return instants.duration_ms(written)
    except ValueError as problem:
        raise UsageError(f"--source-pause: {problem}", hint="Write 50ms or 2s, or leave it out.") from problem


def environment_of(settings: Settings, private: Path) -> Environment:
    """How to reach the source; what must not be in anybody's argv lies below `private`.

    Raises:
        UsageError: the connection string can't be meant.
    """
    from attestore.adapters.postgres import dsn
    from attestore.adapters.system import environment

    dsn.refuse_password(settings.source, option="--source")
    return dsn.read(settings.source, folder=private, environ=environment())


def target_of(settings: Settings, private: Path) -> Environment:
    """How to reach the existing server that takes the restore.

    Raises:
        UsageError: the connection string can't be meant.
    """
    from attestore.adapters.postgres import dsn
    from attestore.adapters.system import environment

    dsn.refuse_password(settings.into, option="--into")
    return dsn.read(settings.into, folder=private, environ=environment(), everywhere=True)


@contextmanager
def _private() -> Iterator[Path]:
    from attestore.adapters.workspace import TemporaryWorkspace

    with TemporaryWorkspace() as workspace:
        yield workspace.private("source")


def system_of(source: str) -> str:
    """The database's name, as far as it can be part of a file name.

    Raises:
        UsageError: the source can't be meant, or its database has a name of which nothing is left.
    """
    from attestore.adapters.postgres import dsn
    from attestore.adapters.system import environment

    with _private() as private:
        named = dsn.read(source, folder=private, environ=environment()).database
    system = re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")[:40]
    if not system:
        raise UsageError(
            f"the database name {named!r} gives no system name", hint="Name the system with --system NAME."
        )
    return system
