"""Every door of a run, opened for as long as it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from attestore.compose.engines import Engines
from attestore.compose.looks import looks
from attestore.compose.machine import host, versions
from attestore.compose.people import lone_key, opened_home
from attestore.compose.settings import Settings, target_of
from attestore.compose.stores import opened_store, waiting_room
from attestore.errors import ScratchError
from attestore.plan import Job, Plan
from attestore.ports import Watcher
from attestore.run import Finished, Issuing, NamedStore, Tools
from attestore.run import close_died as close_runs

if TYPE_CHECKING:
    from attestore.adapters.press import Press

__all__ = ["close_died", "tools"]


@contextmanager
def tools(
    chosen: Plan,
    settings: Settings,
    *,
    press: Press,
    watcher: Watcher,
    settle: Callable[[], None],
    hearing: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Iterator[Tools]:
    """Every door a plan needs, closed again when the block ends; that `press` can print is known when it begins.

    Raises:
        Error: whatever is missing before a run can even begin: programmes, keys, roster.
    """
    from attestore.adapters.gpg import GpgSealer, GpgSigner, GpgVerifier
    from attestore.adapters.process import Runner
    from attestore.adapters.system import SystemClock, SystemEntropy
    from attestore.adapters.workspace import TemporaryWorkspace

    dressed = looks(settings.configured, language=settings.language, paper=settings.paper)
    with ExitStack() as stack:
        workspace = stack.enter_context(TemporaryWorkspace())
        runner = Runner(logs=workspace.logs)
        # whoever waited for another run has waited longer than what prints is kept
        press.prepare()
        home = stack.enter_context(opened_home(settings, runner=runner, say=watcher.say, work=workspace.path))
        engines = Engines(
            settings,
            workspace=workspace,
            runner=runner,
            jobs=chosen.jobs,
            source_jobs=chosen.source_jobs,
            source_pause_ms=chosen.source_pause_ms,
        )
        alone = stack.enter_context(lone_key(settings, home, runner=runner, work=workspace.path))
        sealer = GpgSealer(home.keyring, home.recipients, runner=runner, work=workspace.path, alone=alone)
        verifier = stack.enter_context(GpgVerifier(home.roster.public_keys(), runner=runner, work=workspace.path))
        # whether it can print is found out beside all that, and told before anything is backed up
        press.checked()
        yield Tools(
            clock=SystemClock(),
            entropy=SystemEntropy(),
            workspace=workspace,
            outbox=waiting_room(settings.home),
            sealer=sealer,
            stores=tuple(NamedStore(each.name, opened_store(each), off_site=each.off_site) for each in settings.stores),
            signer=GpgSigner(home.keyring, home.operator.fingerprint, runner=runner),
            verifier=verifier,
            printer=press,
            watcher=watcher,
            templates=dressed.templates,
            operator=home.operator,
            roster=home.roster,
            settle=settle,
            versions=versions(sealer.version),
            host=host(),
            making=None if chosen.job is Job.DRILL else engines.making(),
            drilling=None if chosen.job is Job.BACKUP else engines.drilling(),
            language=dressed.language,
            paper=dressed.paper,
            branding=dressed.branding,
            hearing=hearing,
        )


def close_died(settings: Settings, *, press: Press, watcher: Watcher) -> tuple[Finished, ...]:
    """Close what died before us: remove its workspace and server, sign its bundle; the runs that were closed.

    Raises:
        Error: a bundle or the ledger can't be read, written or signed.
    """
    from attestore.adapters.gpg import GpgSigner, GpgVerifier
    from attestore.adapters.process import Runner
    from attestore.adapters.system import SystemClock
    from attestore.adapters.workspace import TemporaryWorkspace, sweep
    from attestore.archive import unfinished

    if removed := sweep():
        what = f"Removed {removed[0]}" if len(removed) == 1 else f"Removed {len(removed)} working folders"
        watcher.say(f"{what}, left behind by {'a run' if len(removed) == 1 else 'runs'} that died.")
    for gone in _swept(settings):
        watcher.say(f"Dropped {gone} on the server of --into, left behind by a run that died.")
    if not (settings.reports / "ledger.jsonl").exists() or not unfinished(settings.reports):
        return ()
    dressed = looks(settings.configured, language=settings.language, paper=settings.paper)
    runner = Runner()
    with (
        TemporaryWorkspace() as workspace,
        opened_home(settings, runner=runner, say=watcher.say, work=workspace.path) as home,
        GpgVerifier(home.roster.public_keys(), runner=runner, work=workspace.path) as verifier,
    ):
        press.checked()
        issuing = Issuing(
            clock=SystemClock(),
            signer=GpgSigner(home.keyring, home.operator.fingerprint, runner=runner),
            verifier=verifier,
            printer=press,
            watcher=watcher,
            templates=dressed.templates,
            roster=home.roster,
            logs=None,
            language=dressed.language,
            paper=dressed.paper,
            branding=dressed.branding,
        )
        return close_runs(settings.reports, tools=issuing, closer=home.operator)


def _swept(settings: Settings) -> tuple[str, ...]:
    """What killed runs left on the server of --into, dropped; a server that can't be asked is told by the preflight."""
    from attestore.adapters.postgres import existing
    from attestore.adapters.workspace import TemporaryWorkspace

    if not settings.into:
        return ()
    with TemporaryWorkspace() as workspace:
        environment = target_of(settings, workspace.private("into"))
        with suppress(ScratchError):
            return existing.sweep(environment)
    return ()
