"""What an audit needs, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from attestore.compose.people import trusted_roster
from attestore.compose.settings import clock
from attestore.config import Roster
from attestore.ports import Clock, Verifier

__all__ = ["Trust", "auditing"]


@dataclass(frozen=True, slots=True)
class Trust:
    """What an audit trusts: the roster, and the programme that checks signatures against its keys."""

    roster: Roster
    verifier: Verifier
    clock: Clock
    aside: Callable[[bytes], Path]
    """puts bytes into a private file, for what is signed but stands in no file of its own"""
    agreed: Callable[[], int] | None = None
    """how many signatures a second implementation of OpenPGP judged alike; None where none was asked"""


@contextmanager
def auditing(roster: Path, *, second_opinion: bool = False) -> Iterator[Trust]:
    """What an audit needs: a roster from outside, and a keyring that holds its keys only.

    Raises:
        UsageError: there is no such file.
        GateError: it isn't a roster.
        MissingProgramError: gpg, or the second implementation that was asked for, is not on this machine.
    """
    from attestore.adapters.gpg import GpgVerifier
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    trusted = trusted_roster(roster)
    with (
        TemporaryWorkspace() as workspace,
        GpgVerifier(trusted.public_keys(), runner=Runner(), work=workspace.path) as verifier,
    ):

        def aside(data: bytes) -> Path:
            path = workspace.private("signed") / "bytes"
            path.write_bytes(data)
            return path

        if not second_opinion:
            yield Trust(roster=trusted, verifier=verifier, clock=clock(), aside=aside)
            return
        from attestore.adapters.sequoia import Agreeing, SequoiaVerifier

        both = Agreeing(verifier, SequoiaVerifier(trusted.public_keys(), clock=clock()))
        yield Trust(roster=trusted, verifier=both, clock=clock(), aside=aside, agreed=lambda: both.agreed)
