"""What a copy between stores needs: the stores, what waits below home, and whom to trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attestore.compose.check import auditing
from attestore.compose.settings import Settings, clock
from attestore.compose.stores import opened_store, waiting_room
from attestore.ports import Watcher
from attestore.run import NamedStore
from attestore.run.copy import Copied, Copying, finish_pending

__all__ = ["copying", "pending_finished"]


@contextmanager
def copying(settings: Settings, *, watcher: Watcher) -> Iterator[Copying]:
    """Enough to copy: no private key.

    Raises:
        UsageError, GateError: there is no such roster, or it isn't one.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.workspace import TemporaryWorkspace

    with auditing(settings.trusted) as trust, TemporaryWorkspace() as workspace:
        yield Copying(
            stores=tuple(NamedStore(each.name, opened_store(each), off_site=each.off_site) for each in settings.stores),
            outbox=waiting_room(settings.home),
            verifier=trust.verifier,
            roster=trust.roster,
            reports=settings.reports,
            work=workspace.private("copying"),
            clock=clock(),
            watcher=watcher,
        )


def pending_finished(settings: Settings, *, system: str, watcher: Watcher) -> tuple[Copied, ...]:
    """What former runs left on this machine, brought into every store before a new backup is taken.

    Raises:
        Error: a store refuses it; it waits on.
    """
    if not settings.trusted.exists() or not waiting_room(settings.home).pending():
        return ()
    with copying(settings, watcher=watcher) as doors:
        return finish_pending(doors, system=system)
