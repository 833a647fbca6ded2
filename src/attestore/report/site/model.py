"""What the site shows, as values: what is worth what, each run in a line, decisions, the ledger. Nothing is judged here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from attestore import canon
from attestore.evidence import Measured
from attestore.evidence.decision import Decision
from attestore.evidence.ledger import Checkpoint, Entry
from attestore.forecast import Forecast
from attestore.standing import Held

__all__ = ["Chain", "Decided", "Line", "Outcome", "Overview", "Row", "Source", "Trust"]


class Trust(Enum):
    """What a run's bundle is worth to a reader; only the first shows its verdict as one."""

    HOLDS = "holds"
    """every file is the one that its statement lists, the verdict follows, and the ledger names that statement"""
    RUNNING = "in progress"
    DIED = "died"
    """started, without an end, and no process could still give it one"""
    MISSING = "bundle missing"
    BROKEN = "does not verify"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one gate made of a run: judged again where the bundle holds, else as the ledger claims."""

    gate: str
    word: str
    """PASS, FAIL or UNKNOWN; empty where nothing says"""


@dataclass(frozen=True, slots=True)
class Line:
    """A run in one line."""

    run: str
    system: str
    started: str
    """UTC instant"""
    ended: str
    """UTC instant of the ledger's end of it; empty where there is none"""
    operator: str
    outcomes: tuple[Outcome, ...]
    trust: Trust
    why: str = ""
    """what is wrong with it, in one sentence"""
    closed: bool = False
    """whether it had died and a later command has sealed it"""
    stopped: str = ""
    """the run's own word for why it did not come to its end"""
    rto_ms: int | None = None
    sealed_bytes: int | None = None
    measured: Measured | None = None
    """how a whole restore went"""
    decisions: int = 0

    @property
    def year(self) -> str:
        """Of its start."""
        return self.started[:4]

    def outcome(self, gate: str) -> str:
        """What a gate made of it; empty where it did not judge it."""
        return next((each.word for each in self.outcomes if each.gate == gate), "")


@dataclass(frozen=True, slots=True)
class Row:
    """One gate of one system, with its standing as `attestore status` computes it."""

    system: str
    gate: str
    held: Held
    running: tuple[str, ...] = ()
    died: tuple[str, ...] = ()
    digest: canon.Digest = ""
    """SHA-256 of the gate that judged the newest finished run"""
    changed_since: str = ""
    """the finished run before, where another gate of this id judged it"""
    compared: bool = True
    """whether its bytes were compared with the gates that count, or none were named"""
    problems: tuple[str, ...] = ()
    title: str = ""
    target_ms: int | None = None
    """the newest gate's bound of the recovery time"""
    forecast: Forecast | None = None
    """when that will be broken; None where the gate sets none"""
    soon: bool = False
    """whether somebody should know of it already"""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, and whether the ledger knows it."""

    decision: Decision
    entered: str
    """UTC instant of its entry; empty where the ledger does not name the record"""


@dataclass(frozen=True, slots=True)
class Chain:
    """The ledger."""

    count: int
    head: canon.Digest
    checkpoint: Checkpoint | None
    """signed by somebody whom the roster knows, and held by the ledger"""
    broken: tuple[str, ...]
    notes: tuple[str, ...]
    newest: tuple[tuple[int, Entry], ...]
    """the last entries with their numbers, newest first"""
    unnamed: tuple[str, ...] = ()
    """folders that hold a run which the ledger does not name"""
    gone: tuple[tuple[str, str], ...] = ()
    """decisions that the ledger names and that can't be shown: run, and what was decided"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bundles are, seen from the folder of the site's index, as a relative path for links; `.` for the same."""

    reports: str
    files: tuple[str, ...] = ()
    """names of a bundle's files"""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything but the pages of single runs."""

    at: str
    """UTC instant at which standings are told"""
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    """in the order of the ledger"""
    decisions: tuple[Decided, ...]
    chain: Chain
    source: Source
    attestore: str
    """version of the program"""
    roster: canon.Digest
    """SHA-256 of the roster that was trusted"""
