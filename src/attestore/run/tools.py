"""What a run is handed: every door to the world that it may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from attestore.config import Roster
from attestore.errors import UsageError
from attestore.evidence import Branding, Person
from attestore.ports import (
    Clock,
    Dumper,
    Entropy,
    Outbox,
    Printer,
    Scratch,
    Sealer,
    Signer,
    Source,
    Store,
    Verifier,
    Watcher,
    Workspace,
)
from attestore.report import Templates

__all__ = ["Drilling", "Issuing", "Making", "NamedStore", "Tools"]


@dataclass(frozen=True, slots=True)
class Making:
    """What makes a backup: only a job that begins at the source has it."""

    source: Source
    dumper: Callable[[int], Dumper]
    """what dumps a source of that major version"""


@dataclass(frozen=True, slots=True)
class Drilling:
    """What a drill needs: only a job that restores has it."""

    scratch: Callable[[int], Scratch]
    """what makes servers that take a restore by programmes of that major version (0: of any)"""
    backup: str
    """which stored backup: an id, `latest`, `oldest` or `random`; the one just taken where the job takes one"""
    store: str = ""
    """name of the store that it is fetched from, and no other; empty: the first that has it whole"""


@dataclass(frozen=True, slots=True)
class NamedStore:
    """A store, as the operator calls it."""

    name: str
    store: Store
    off_site: bool = False
    """by the operator's word: it is somewhere else than the source"""


@dataclass(frozen=True, slots=True)
class Tools:
    """The doors of one run."""

    clock: Clock
    entropy: Entropy
    workspace: Workspace
    outbox: Outbox
    sealer: Sealer
    stores: tuple[NamedStore, ...]
    """all are written, the first is restored from where nobody says otherwise; at least one"""
    signer: Signer
    verifier: Verifier
    printer: Printer
    watcher: Watcher
    templates: Templates
    operator: Person
    roster: Roster
    settle: Callable[[], None]
    """called once the run has ended one way or the other: from here on it is not to be interrupted"""
    versions: Mapping[str, str]
    """programmes and libraries by name"""
    host: str
    making: Making | None
    drilling: Drilling | None
    language: str = "en"
    paper: str = "A4"
    branding: Branding = field(default_factory=Branding)
    hearing: Callable[[], AbstractContextManager[None]] = nullcontext
    """inside its block a run that has settled is interrupted all the same"""

    def holding(self) -> tuple[NamedStore, ...]:
        """The stores from which a backup may be fetched, the first to be asked first.

        Raises:
            UsageError: the one that was named is none of them.
        """
        named = self.drilling.store if self.drilling is not None else ""
        if not named:
            return self.stores
        found = tuple(each for each in self.stores if each.name == named)
        if not found:
            known = ", ".join(each.name for each in self.stores)
            raise UsageError(f"there is no store {named!r}", hint=f"There are: {known}.")
        return found

    @property
    def issuing(self) -> Issuing:
        """The part of the tools that ends a run."""
        return Issuing(
            clock=self.clock,
            signer=self.signer,
            verifier=self.verifier,
            printer=self.printer,
            watcher=self.watcher,
            templates=self.templates,
            roster=self.roster,
            logs=self.workspace.logs,
            language=self.language,
            paper=self.paper,
            branding=self.branding,
            hearing=self.hearing,
        )


@dataclass(frozen=True, slots=True)
class Issuing:
    """What ends a run: judge, render, sign, seal. Enough to close a run that died."""

    clock: Clock
    signer: Signer
    verifier: Verifier
    """of what earlier runs have signed"""
    printer: Printer
    watcher: Watcher
    templates: Templates
    roster: Roster
    logs: Path | None
    """folder of programmes' redacted output; None where the run's own workspace is gone"""
    language: str
    paper: str
    branding: Branding = field(default_factory=Branding)
    hearing: Callable[[], AbstractContextManager[None]] = nullcontext
    """inside its block somebody who wants to stop is obeyed: it takes long, and the next command can do it"""
