"""What to do when a step fails, by the exit code that it fails with: every class of error, so that none is met unprepared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attestore import errors
from attestore.report.blocks import Align, Cell, Column, Table
from attestore.report.voice import later, say

__all__ = ["ACTIONS", "failures"]

ACTIONS: Final[dict[type[errors.Error], tuple[str, str]]] = {
    errors.UsageError: (
        later("the command can't be meant"),
        later("Read the line that begins with Try: and correct the command."),
    ),
    errors.GateError: (
        later("a YAML file can't be read"),
        later("Name another --config, or run in a folder without attestore.yaml."),
    ),
    errors.PlanError: (
        later("the target is not free or not fit"),
        later("Never drop what is there. Name a new database with --create, or another server."),
    ),
    errors.InterruptedRunError: (
        later("somebody or something stopped it"),
        later("The last lines say what stands. Give the same command again; it begins anew in a new database."),
    ),
    errors.TamperedError: (
        later("a backup is damaged, or signed by a stranger"),
        later("Take the backup before it, or the same one from another store. Call security: it may be an attack."),
    ),
    errors.UnreachableError: (later("the server does not answer"), later("Check address, port, firewall and --into.")),
    errors.AuthenticationError: (
        later("the server refuses the login"),
        later("Check PGPASSWORD, the passfile and pg_hba.conf."),
    ),
    errors.PrivilegeError: (later("the role may not do that"), later("Use a superuser of the target.")),
    errors.MissingProgramError: (later("a programme is missing"), later("Install what section 3 lists.")),
    errors.VersionError: (
        later("a programme or server is too old"),
        later("Install the versions of section 3, or name another server."),
    ),
    errors.DiskError: (
        later("a disk is full or not writable"),
        later("Set TMPDIR to a larger disk; section 3 says how much is needed."),
    ),
    errors.StoreError: (
        later("the store does not give the backup"),
        later("Check --store and the network; take another store or backup."),
    ),
    errors.KeyringError: (
        later("the private key is missing, locked or another one"),
        later("Section 2 says which fingerprint opens the backup. Fetch that key from escrow."),
    ),
    errors.ProgramFailedError: (
        later("gpg or pg_restore gave up"),
        later("Its last words are in the message. Try again once; then by hand, section 5."),
    ),
    errors.ScratchError: (
        later("the target can't make the database"),
        later("Read its last words: locale, extension or name. Prepare the server, repeat."),
    ),
    errors.ArchiveError: (
        later("reports can't be read"),
        later("Not needed for a recovery: leave --reports and --record out."),
    ),
    errors.PrintError: (later("a report can't be printed"), later("Not needed for a recovery.")),
    errors.PreflightError: (
        later("several things stand in the way"),
        later("Each is told with its remedy. Remedy all, then repeat."),
    ),
    errors.ContendedError: (
        later("somebody locks tables"),
        later("Concerns backups only: stop whoever waits for exclusive locks."),
    ),
    errors.BusyError: (later("somebody else works on it"), later("Concerns backups and pruning only.")),
    errors.InternalError: (later("a defect of Attestore"), later("Keep the output. Go on by hand, section 5.")),
}
"""What happened, and what to do, by class"""


def failures() -> Table:
    """The table that people look for when it did not work: one row per exit code."""
    rows: list[tuple[Cell, ...]] = [
        (
            "1",
            say("the restored database differs"),
            say("It stands. Every difference is named: decide who can work with it (section 1)."),
        )
    ]
    for kind in sorted(_classes(errors.Error), key=lambda kind: (kind.exit_code, kind.__name__)):
        what, todo = ACTIONS.get(kind, (_promise(kind), say("Read the line that begins with Try:.")))
        rows.append((str(kind.exit_code), say(what), say(todo)))
    columns = (
        Column(say("Exit code"), Align.RIGHT),
        Column(say("What happened"), wide=True),
        Column(say("What to do"), wide=True),
    )
    return Table(
        columns, tuple(rows), caption=say("By exit code; the message itself says more, and begins its remedy with Try:")
    )


def _classes(root: type[errors.Error]) -> Iterator[type[errors.Error]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _classes(kind)


def _promise(kind: type[errors.Error]) -> str:
    """What the class itself says that happened."""
    return (kind.__doc__ or kind.__name__).partition("\n")[0].partition(";")[0].rstrip(".")
