"""What a listing of backups needs: no private key, no source, no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attestore.compose.check import auditing
from attestore.compose.stores import opened_store
from attestore.config.stores import StorePlace
from attestore.run.listing import Listing

__all__ = ["listing"]


@contextmanager
def listing(*, store: StorePlace, reports: Path, roster: Path) -> Iterator[Listing]:
    """The store, and whom to trust.

    Raises:
        UsageError, GateError: there is no such roster, or it isn't one.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.workspace import TemporaryWorkspace

    with auditing(roster) as trust, TemporaryWorkspace() as workspace:
        yield Listing(
            store=opened_store(store),
            verifier=trust.verifier,
            roster=trust.roster,
            reports=reports,
            work=workspace.private("listing"),
        )
