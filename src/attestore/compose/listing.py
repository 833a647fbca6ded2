"""What a listing of backups needs: no private key, no source, no server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attestore.compose.check import auditing
from attestore.compose.stores import opened_store
from attestore.config.stores import DirectoryPlace, StorePlace
from attestore.errors import StoreError
from attestore.run.listing import Listing

__all__ = ["listing"]


@contextmanager
def listing(*, reports: Path, roster: Path) -> Iterator[Callable[[StorePlace], Listing]]:
    """Whom to trust, and with that, what looks into a store; several stores share the keyring that is made for it.

    What looks into a store raises StoreError where a folder isn't there: one that is not mounted is not empty.

    Raises:
        UsageError, GateError: there is no such roster, or it isn't one.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.workspace import TemporaryWorkspace

    with auditing(roster) as trust, TemporaryWorkspace() as workspace:
        work, held = workspace.private("listing"), dict[tuple[str, str], str]()

        def doors(store: StorePlace) -> Listing:
            if isinstance(store, DirectoryPlace) and not store.path.is_dir():
                raise StoreError(
                    f"the store {store.location} is no folder on this machine, so nobody knows what it holds",
                    hint="Mount what should be there, or name another with --store; `attestore backup` makes a new one.",
                )
            return Listing(opened_store(store), trust.verifier, trust.roster, reports, work, held)

        yield doors
