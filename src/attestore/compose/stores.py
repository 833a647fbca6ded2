"""Where backups are kept: what was named on the command line, else what the configuration says, else a folder below home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attestore.archive.layout import LARGEST_SIGNATURE
from attestore.compose.configured import Configured
from attestore.compose.secrets import resolved
from attestore.config.stores import DirectoryPlace, S3Place, StorePlace, named_stores
from attestore.ports import Outbox, Store
from attestore.run.checkpoints import FOLDER

__all__ = ["kept_checkpoints", "opened_store", "places", "waiting_room"]


def places(given: Sequence[str], *, home: Path, configured: Configured | None) -> tuple[StorePlace, ...]:
    """Every store that is meant, the first to restore from first; at least one.

    Raises:
        UsageError: what was named can't be meant.
    """
    if given:
        return named_stores(given)
    if configured is not None:
        installation = configured.installation
        names = configured.system.stores if configured.system is not None else tuple(installation.stores)
        if names:
            return tuple(installation.stores[name] for name in names)
    return (DirectoryPlace("local", home / "store"),)


def opened_store(place: StorePlace) -> Store:
    """A store that can be used; nothing is asked of it yet.

    Raises:
        UsageError: a secret that it needs can't be read.
    """
    match place:
        case DirectoryPlace():
            from attestore.adapters.directory_store import DirectoryStore

            return DirectoryStore(place.path)
        case S3Place():
            from attestore.adapters.s3 import Credentials, S3Store

            if place.access_key_id is None or place.secret_access_key is None:
                return S3Store(place)
            token = place.session_token
            return S3Store(
                place,
                Credentials(
                    resolved(place.access_key_id).decode("utf-8", "replace"),
                    resolved(place.secret_access_key).decode("utf-8", "replace"),
                    "" if token is None else resolved(token).decode("utf-8", "replace"),
                ),
            )


def waiting_room(home: Path) -> Outbox:
    """Where sealed backups wait for a store."""
    from attestore.adapters.outbox import FolderOutbox

    return FolderOutbox(home / "outbox")


@contextmanager
def kept_checkpoints(written: str) -> Iterator[Path | None]:
    """A folder with the checkpoints that a store has kept, by ledger and length; None where no store is named.

    Raises:
        UsageError: the store can't be meant.
        StoreError: it can't be read.
    """
    from attestore.adapters.workspace import TemporaryWorkspace

    if not written:
        yield None
        return
    (place,) = named_stores((written,))
    store = opened_store(place)
    with TemporaryWorkspace() as workspace:
        folder = workspace.private("checkpoints")
        for key in store.keys(f"{FOLDER}/"):
            target = folder.joinpath(*key.split("/")[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.read(key, limit=LARGEST_SIGNATURE))
        yield folder
