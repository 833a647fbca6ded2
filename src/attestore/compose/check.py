"""What an audit needs, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from attestore.audit.reports import Spread
from attestore.compose.people import trusted_roster
from attestore.compose.settings import clock
from attestore.config import Roster
from attestore.errors import MissingProgramError, UsageError
from attestore.ports import Clock, Stamps, Verifier

__all__ = ["Trust", "auditing", "stamp"]


@dataclass(frozen=True, slots=True)
class Trust:
    """What an audit trusts: the roster, and the programme that checks signatures against its keys."""

    roster: Roster
    verifier: Verifier
    clock: Clock
    aside: Callable[[bytes], Path]
    """puts bytes into a private file, for what is signed but stands in no file of its own"""
    stamps: Stamps | None = None
    """checks time stamps; None where no authority was named"""
    spread: Spread = map
    """has work done, several parts at a time where that is possible"""
    agreed: Callable[[], int] | None = None
    """how many signatures a second implementation of OpenPGP judged alike; None where none was asked"""


def stamp(folder: Path, *, authority: str) -> Path:
    """Have a sealed bundle time-stamped by an authority at a URL; the file that was added.

    Raises:
        UsageError, UnreachableError, MissingProgramError: the authority can't be meant, asked or understood.
        ArchiveError, DiskError: there is no sealed bundle, it has a time stamp, or it can't be written.
    """
    from attestore.archive import add_stamp

    return add_stamp(folder, _timestamps().Authority(authority).stamp)


def _timestamps() -> ModuleType:
    try:
        from attestore.adapters import timestamps
    except ImportError as problem:
        raise MissingProgramError(
            "rfc3161-client is not on this machine", hint="Install it with: pip install 'attestore[timestamp]'"
        ) from problem
    return timestamps


def _stamps(authorities: Path) -> Stamps:
    try:
        certificates = authorities.read_bytes()
    except OSError as problem:
        raise UsageError(f"{authorities} can't be read: {problem.strerror}") from problem
    trusted: Stamps = _timestamps().TrustedAuthorities(certificates)
    return trusted


@contextmanager
def auditing(roster: Path, *, authorities: Path | None = None, second_opinion: bool = False) -> Iterator[Trust]:
    """What an audit needs: a roster from outside, and a keyring that holds its keys only.

    Raises:
        UsageError: there is no such file.
        GateError: it isn't a roster.
        MissingProgramError: gpg, or the second implementation that was asked for, is not on this machine.
    """
    from attestore.adapters.gpg import GpgVerifier
    from attestore.adapters.process import Runner
    from attestore.adapters.spread import spread
    from attestore.adapters.workspace import TemporaryWorkspace

    trusted = trusted_roster(roster)
    stamps = None if authorities is None else _stamps(authorities)
    with (
        TemporaryWorkspace() as workspace,
        GpgVerifier(trusted.public_keys(), runner=Runner(), work=workspace.path) as verifier,
    ):

        def aside(data: bytes) -> Path:
            path = workspace.private("signed") / "bytes"
            path.write_bytes(data)
            return path

        if not second_opinion:
            yield Trust(roster=trusted, verifier=verifier, clock=clock(), aside=aside, stamps=stamps, spread=spread)
            return
        # what it counts is counted here: no part is done by another process
        from attestore.adapters.sequoia import Agreeing, SequoiaVerifier

        both = Agreeing(verifier, SequoiaVerifier(trusted.public_keys(), clock=clock()))
        yield Trust(
            roster=trusted, verifier=both, clock=clock(), aside=aside, stamps=stamps, agreed=lambda: both.agreed
        )
