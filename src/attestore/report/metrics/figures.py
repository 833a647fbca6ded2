"""The figures that monitoring is told, as they were read from ledger, bundles and stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median_low
from typing import Final

from attestore.forecast import Forecast
from attestore.standing import Standing

__all__ = ["Figures", "GateFigure", "Kept", "StoreFigure", "SystemFigure"]

_BEFORE: Final = 7
"""backups whose sizes say what is usual"""


@dataclass(frozen=True, slots=True)
class GateFigure:
    """What one gate of one system is worth, as `attestore status` says it."""

    system: str
    gate: str
    standing: Standing
    until: str = ""
    """UTC instant, exclusive; empty where nothing ends"""
    finished: str = ""
    """UTC instant at which the newest run of the gate finished; empty where there is none"""
    cadence_ms: int | None = None
    rto_target_ms: int | None = None
    """the bound of its check on `restore.rto`; None where it has none"""
    forecast: Forecast | None = None
    """when that will be broken; None where nothing can be asked"""


@dataclass(frozen=True, slots=True)
class SystemFigure:
    """The runs of one system; an instant that is empty never was."""

    system: str
    databases: tuple[str, ...] = ()
    """names under which the database was backed up, for metrics that are known by database"""
    backup_stored: str = ""
    """UTC instant at which the newest backup was stored and read back"""
    backup_failed: bool = False
    """whether the newest attempt at a backup left none"""
    drill_passed: str = ""
    """UTC instant at which the newest run that restored and passed every gate finished"""
    drill_failed: bool = False
    """whether the newest run that was to restore did anything but pass"""
    started: int = 0
    ended: Mapping[str, int] = field(default_factory=dict)
    """runs that ended, by outcome: pass, fail, unknown, stored (a backup alone), died"""
    phases_ms: Mapping[str, int] = field(default_factory=dict)
    """duration of each phase of the newest run that has a bundle"""
    rto_ms: int | None = None
    rpo_ms: int | None = None
    snapshot_held_ms: int | None = None
    plain_bytes: int | None = None
    sealed_bytes: tuple[int, ...] = ()
    """sizes of backups as stored, newest first"""

    @property
    def usual_bytes(self) -> int | None:
        """The median size of up to seven backups before the newest; None where there are fewer than three."""
        before = self.sealed_bytes[1 : 1 + _BEFORE]
        return median_low(before) if len(before) >= 3 else None  # noqa: PLR2004  one or two say nothing of what is usual


@dataclass(frozen=True, slots=True)
class Kept:
    """The backups of one system in one store."""

    system: str
    backups: int
    """whole ones, whose manifest is signed by an operator"""
    flawed: int
    stored_bytes: int
    newest: str
    """UTC instant of the newest whole backup's snapshot; empty where there is none"""


@dataclass(frozen=True, slots=True)
class StoreFigure:
    """What one store answered."""

    store: str
    reachable: bool
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is told at one instant."""

    at: str
    """UTC instant"""
    version: str
    gates: tuple[GateFigure, ...]
    systems: tuple[SystemFigure, ...]
    stores: tuple[StoreFigure, ...]
    before_expiry_ms: int
    """how long before its end a gate counts as expiring"""
