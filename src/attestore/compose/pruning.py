"""What a prune needs: every store of the system, whom to trust, and for the deletion itself a key that signs the ledger's end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attestore.compose.check import auditing
from attestore.compose.people import opened_home
from attestore.compose.settings import Settings, clock
from attestore.compose.stores import opened_store
from attestore.config.retention import Policy, read_retention
from attestore.ports import Signer, Store
from attestore.run.prune import Pruning

__all__ = ["policy_of", "pruning", "signing"]


def policy_of(settings: Settings) -> Policy | None:
    """What the configuration says of the system's backups; None where it says nothing.

    Raises:
        GateError: the section can't be meant.
    """
    found = settings.configured
    if found is None:
        return None
    system = found.system or found.installation.systems.get(settings.system)
    return None if system is None or system.retention is None else read_retention(system.retention)


@contextmanager
def pruning(settings: Settings, *, policy: Policy) -> Iterator[Pruning]:
    """Enough to examine what is there: no private key.

    Raises:
        UsageError, GateError: there is no such roster, or it isn't one.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.workspace import TemporaryWorkspace

    with auditing(settings.trusted) as trust, TemporaryWorkspace() as workspace:
        yield Pruning(
            stores=_stores(settings),
            verifier=trust.verifier,
            roster=trust.roster,
            reports=settings.reports,
            work=workspace.private("pruning"),
            clock=clock(),
            system=settings.system,
            policy=policy,
        )


@contextmanager
def signing(settings: Settings) -> Iterator[tuple[Signer, str]]:
    """What signs the ledger's end, and the fingerprint of the operator in whose name.

    Working folders that a killed command left behind are removed before.

    Raises:
        KeyringError: no operator's private key is in home.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.gpg import GpgSigner
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace, sweep

    sweep()
    runner = Runner()
    with (
        TemporaryWorkspace() as workspace,
        opened_home(settings, runner=runner, say=lambda _: None, work=workspace.path) as home,
    ):
        yield GpgSigner(home.keyring, home.operator.fingerprint, runner=runner), home.operator.fingerprint


def _stores(settings: Settings) -> Mapping[str, Store]:
    return {each.name: opened_store(each) for each in settings.stores}
