"""The error family: one class per thing the reader can do about it, each with its own exit code.

The sentence says what happened and shows the value; the hint says what to try. ``docs/exit-codes.md``
is the same table for operators, and a test keeps the two equal.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ArchiveError",
    "AuthenticationError",
    "BusyError",
    "ContendedError",
    "DiskError",
    "Error",
    "GateError",
    "InternalError",
    "InterruptedRunError",
    "KeyringError",
    "MissingProgramError",
    "PlanError",
    "PreflightError",
    "PrintError",
    "PrivilegeError",
    "ProgramFailedError",
    "ScratchError",
    "StoreError",
    "TamperedError",
    "UnreachableError",
    "UsageError",
    "VersionError",
]


class Error(Exception):
    """Anything Attestore refuses or cannot do; never raised itself, only its children."""

    exit_code: ClassVar[int] = 79

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(Error):
    """A command or option that cannot be meant; the reader corrects the command line."""

    exit_code = 2


class GateError(UsageError):
    """A YAML file (gate, roster, configuration) that cannot be loaded; names file, line and column."""

    def __init__(self, message: str, *, where: str, line: int, column: int, hint: str = "") -> None:
        super().__init__(f"{where}:{line}:{column}: {message}", hint=hint)
        self.where = where
        self.line = line
        self.column = column


class PlanError(UsageError):
    """A combination that can't work, refused before anything happened."""


class InterruptedRunError(Error):
    """SIGINT or SIGTERM: the run stopped where it stood and says so in its bundle."""

    exit_code = 3


class TamperedError(Error):
    """Stored bytes are not what was signed, or not signed by whom the roster allows."""

    exit_code = 4


class UnreachableError(Error):
    """The source server does not answer."""

    exit_code = 64


class AuthenticationError(Error):
    """The source server answers and refuses the credentials."""

    exit_code = 65


class PrivilegeError(Error):
    """The role may log in but cannot read everything that a backup must hold."""

    exit_code = 66


class MissingProgramError(Error):
    """A programme that the run needs is not on this machine."""

    exit_code = 67


class VersionError(Error):
    """Programmes are here, but of a version that cannot do the job."""

    exit_code = 68


class DiskError(Error):
    """No space, or no permission to write, in the workspace or the reports folder."""

    exit_code = 69


class StoreError(Error):
    """A store refused, lost, or returned something else than was put."""

    exit_code = 70


class KeyringError(Error):
    """A key is missing, expired, revoked, or can't do what it is configured for."""

    exit_code = 71


class ProgramFailedError(Error):
    """A programme ended with an error or did not end in time; its last words are in the message."""

    exit_code = 72


class ScratchError(Error):
    """The isolated server could not be made, started, or removed."""

    exit_code = 73


class ArchiveError(Error):
    """The reports folder or its ledger can't be read or continued."""

    exit_code = 74


class PrintError(Error):
    """A report could not be rendered."""

    exit_code = 75


class ContendedError(Error):
    """Somebody keeps asking for exclusive locks of tables, so that no dump gets through; run again when it is quieter."""

    exit_code = 77


class BusyError(Error):
    """Somebody is doing the same on this machine at this moment; nothing was done, and nothing is wrong."""

    exit_code = 78


class PreflightError(Error):
    """Several problems found at once, before anything happened; each keeps its own sentence and hint."""

    exit_code = 76

    def __init__(self, problems: tuple[Error, ...]) -> None:
        count = len(problems)
        super().__init__(
            problems[0].message if count == 1 else f"{count} problems stand in the way",
            hint=problems[0].hint if count == 1 else "",
        )
        self.problems = problems


class InternalError(Error):
    """A defect of Attestore itself."""

    exit_code = 79
