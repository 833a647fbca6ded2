"""What to do when a step fails, by the exit code that it fails with: every class of error, so that none is met unprepared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attestore import errors
from attestore.report.blocks import Align, Cell, Column, Table

__all__ = ["ACTIONS", "failures"]

ACTIONS: Final[dict[type[errors.Error], tuple[str, str]]] = {
    errors.UsageError: ("the command can't be meant", "Read the line that begins with Try: and correct the command."),
    errors.GateError: (
        "a YAML file can't be read",
        "Name another --config, or run in a folder without attestore.yaml.",
    ),
    errors.PlanError: (
        "the target is not free or not fit",
        "Never drop what is there. Name a new database with --create, or another server.",
    ),
    errors.InterruptedRunError: (
        "somebody or something stopped it",
        "The last lines say what stands. Give the same command again; it begins anew in a new database.",
    ),
    errors.TamperedError: (
        "a backup is damaged, or signed by a stranger",
        "Take the backup before it, or the same one from another store. Call security: it may be an attack.",
    ),
    errors.UnreachableError: ("the server does not answer", "Check address, port, firewall and --into."),
    errors.AuthenticationError: ("the server refuses the login", "Check PGPASSWORD, the passfile and pg_hba.conf."),
    errors.PrivilegeError: ("the role may not do that", "Use a superuser of the target."),
    errors.MissingProgramError: ("a programme is missing", "Install what section 3 lists."),
    errors.VersionError: (
        "a programme or server is too old",
        "Install the versions of section 3, or name another server.",
    ),
    errors.DiskError: (
        "a disk is full or not writable",
        "Set TMPDIR to a larger disk; section 3 says how much is needed.",
    ),
    errors.StoreError: (
        "the store does not give the backup",
        "Check --store and the network; take another store or backup.",
    ),
    errors.KeyringError: (
        "the private key is missing, locked or another one",
        "Section 2 says which fingerprint opens the backup. Fetch that key from escrow.",
    ),
    errors.ProgramFailedError: (
        "gpg or pg_restore gave up",
        "Its last words are in the message. Try again once; then by hand, section 5.",
    ),
    errors.ScratchError: (
        "the target can't make the database",
        "Read its last words: locale, extension or name. Prepare the server, repeat.",
    ),
    errors.ArchiveError: ("reports can't be read", "Not needed for a recovery: leave --reports and --record out."),
    errors.PrintError: ("a report can't be printed", "Not needed for a recovery."),
    errors.PreflightError: (
        "several things stand in the way",
        "Each is told with its remedy. Remedy all, then repeat.",
    ),
    errors.ContendedError: ("somebody locks tables", "Concerns backups only: stop whoever waits for exclusive locks."),
    errors.BusyError: ("somebody else works on it", "Concerns backups and pruning only."),
    errors.InternalError: ("a defect of Attestore", "Keep the output. Go on by hand, section 5."),
}
"""What happened, and what to do, by class"""


def failures() -> Table:
    """The table that people look for when it did not work: one row per exit code."""
    rows: list[tuple[Cell, ...]] = [
        (
            "1",
            "the restored database differs",
            "It stands. Every difference is named: decide who can work with it (section 1).",
        )
    ]
    for kind in sorted(_classes(errors.Error), key=lambda kind: (kind.exit_code, kind.__name__)):
        what, todo = ACTIONS.get(kind, (_promise(kind), "Read the line that begins with Try:."))
        rows.append((str(kind.exit_code), what, todo))
    columns = (Column("Exit code", Align.RIGHT), Column("What happened"), Column("What to do", wide=True))
    return Table(
        columns, tuple(rows), caption="By exit code; the message itself says more, and begins its remedy with Try:"
    )


def _classes(root: type[errors.Error]) -> Iterator[type[errors.Error]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _classes(kind)


def _promise(kind: type[errors.Error]) -> str:
    """What the class itself says that happened."""
    return (kind.__doc__ or kind.__name__).partition("\n")[0].partition(";")[0].rstrip(".")
