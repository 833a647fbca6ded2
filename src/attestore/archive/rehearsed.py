"""The last drill of a system that restored its backup to the end: what a runbook is told by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attestore.archive.ledger import LedgerFile
from attestore.archive.opened import Contents, read_bundle
from attestore.archive.record import read_record
from attestore.config import Roster
from attestore.errors import ArchiveError
from attestore.evidence.ledger import BackupDeleted, BackupStored, Entry, RunClosed, RunFinished, RunStarted
from attestore.report.case import Case, Reading
from attestore.report.exports import Record
from attestore.report.runbook import Command, Rehearsal, Stored, restoring

__all__ = ["last_rehearsal"]

_LARGEST_LOG: Final = 1 << 20


def last_rehearsal(reports: Path, system: str, *, roster: Roster | None, now: str) -> Rehearsal:
    """The last one that the ledger knows; every file of its bundle is the one that its statement lists.

    Raises:
        ArchiveError: there is none, or reports and ledger can't be read.
        TamperedError: its bundle, or the ledger, is not as it was sealed.
    """
    entries = LedgerFile(reports).read().entries
    started = [each.run for each in entries if isinstance(each, RunStarted) and each.system == system]
    ended = {each.run for each in entries if isinstance(each, RunFinished | RunClosed)}
    since: tuple[str, str] | None = None
    for run in reversed(started):
        if run not in ended:
            since = since or (run, "without a word: it goes on, or died")
            continue
        record = read_record(reports / run)
        if _restored(record.case):
            contents = read_bundle(reports / run)
            parts = len(record.case.manifest.parts) if record.case.manifest is not None else 0
            return Rehearsal(
                case=record.case,
                statement=record.digest,
                commands=_commands(contents, parts=parts),
                roster=roster,
                backups=_backups(entries, system),
                since=since,
                now=now,
            )
        if any(step.phase == "retrieve" for step in record.case.context.plan):
            since = since or (run, _how(record))
    raise ArchiveError(
        f"{reports} holds no drill of {system} that restored a backup, and a runbook without one would be guesswork",
        hint=f"Rehearse first: attestore drill --system {system}, or attestore run --source DSN --system {system}.",
    )


def _restored(case: Case) -> bool:
    reading = Reading(case.observations)
    whole = case.manifest is not None and case.source is not None and case.restored is not None
    return whole and reading.number("restore.rto") is not None


def _how(record: Record) -> str:
    stopped = Reading(record.case.observations).text("run.stopped")
    return f"in {stopped}" if stopped else "before its restore"


def _commands(contents: Contents, *, parts: int) -> tuple[tuple[str, Command], ...]:
    logs = {
        name: contents.read(name).decode("utf-8", "replace")
        for name in contents.names
        if name.startswith("logs/") and contents.size(name) <= _LARGEST_LOG
    }
    return restoring(logs, parts=parts)


def _backups(entries: Sequence[Entry], system: str) -> tuple[Stored, ...]:
    gone = {each.backup for each in entries if isinstance(each, BackupDeleted) and each.system == system}
    kept = [each for each in entries if isinstance(each, BackupStored) and each.system == system]
    return tuple(Stored(each.backup, each.at) for each in reversed(kept) if each.backup not in gone)
