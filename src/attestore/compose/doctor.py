"""Everything that a run would use, opened one by one: what can't be opened is a problem beside all others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Final

from attestore import gate
from attestore.compose.engines import Engines
from attestore.compose.people import Home, opened_home
from attestore.compose.settings import Settings, clock
from attestore.compose.showing import gates_of
from attestore.compose.stores import opened_store
from attestore.config.stores import DirectoryPlace
from attestore.errors import Error, KeyringError, StoreError
from attestore.plan import Job
from attestore.ports import Look, SourceFacts
from attestore.report import numbers
from attestore.run.preflight import Lookout

if TYPE_CHECKING:
    from attestore.adapters.gpg.keyring import Subkey
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace as Workspace

__all__ = ["examined"]

_FIRST_USE: Final = "it will be made on first use"
_SOON: Final = timedelta(days=30)


@contextmanager
def examined(settings: Settings, *, job: Job, systems: tuple[Settings, ...] = ()) -> Iterator[tuple[Look, ...]]:
    """Every look of a run's preflight, and what a run takes for granted besides; nothing is made but a nonce.

    Of several systems, each has its source looked at; what they share is looked at once.

    Raises:
        InterruptedRunError: somebody does not want to wait.
    """
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    with ExitStack() as stack:
        workspace = stack.enter_context(TemporaryWorkspace())
        runner = Runner(logs=workspace.logs)
        lookout = Lookout()
        _programmes(settings, runner=runner, lookout=lookout)
        _paper(lookout)
        _keys(settings, stack=stack, runner=runner, workspace=workspace, lookout=lookout, job=job)
        _store(settings, lookout=lookout)
        _gates(settings, lookout=lookout)
        for each in systems:
            own = Lookout()
            folder = stack.enter_context(TemporaryWorkspace())
            _engines(each, runner=runner, workspace=folder, lookout=own, job=job)
            lookout.see(*(replace(look, area=f"{look.area} of {each.system}") for look in own.looks))
        if not systems:
            _engines(settings, runner=runner, workspace=workspace, lookout=lookout, job=job)
        yield tuple(lookout.looks)


def _programmes(settings: Settings, *, runner: Runner, lookout: Lookout) -> None:
    from attestore.adapters.postgres import programs

    found = lookout.attempt("programmes", "PostgreSQL", lambda: programs.find(runner, forced=settings.pg_bin))
    for each in found or ():
        able = [name for name in ("pg_dump", "pg_restore", "initdb", "postgres") if each.has(name)]
        lookout.see(Look("programmes", f"PostgreSQL {each.version} ({each.origin.value})", ", ".join(able)))
    if found is not None:
        lookout.attempt("programmes", "PostgreSQL", lambda: programs.choose(found, source_major=0))


def _paper(lookout: Lookout) -> None:
    from attestore.adapters.press import Press

    printer = lookout.attempt("paper", "printer", Press().checked)
    if printer is not None:
        lookout.see(Look("paper", "printer", f"{printer.version}, pikepdf {metadata.version('pikepdf')}"))


def _keys(
    settings: Settings, *, stack: ExitStack, runner: Runner, workspace: Workspace, lookout: Lookout, job: Job
) -> None:
    from attestore.adapters.gpg import GpgSealer, GpgSigner
    from attestore.adapters.gpg.home import program_version

    if not settings.trusted.exists():
        advice = "the first run makes keys and a roster there"
        gpg = lookout.attempt("keys", "gpg", lambda: program_version(runner))
        if gpg is not None:
            lookout.see(
                Look("keys", "gpg", gpg), Look("keys", "home", f"{settings.home} holds no roster yet", advice=advice)
            )
        return
    home = lookout.attempt(
        "keys",
        "home",
        lambda: stack.enter_context(opened_home(settings, runner=runner, say=lambda _: None, work=workspace.path)),
    )
    if home is None:
        return
    lookout.see(
        Look("keys", "home", f"{settings.home}, {home.keyring.version}"),
        Look(
            "keys",
            "roster",
            f"{numbers.counted(len(home.roster.people), 'person', 'people')}; {home.operator.name} operates",
        ),
    )
    sealer = GpgSealer(home.keyring, home.recipients, runner=runner, work=workspace.path)
    signer = GpgSigner(home.keyring, home.operator.fingerprint, runner=runner)
    opens = any(key.secret for key in map(home.keyring.find, home.recipients) if key is not None)
    decrypting = opens and job is not Job.BACKUP
    what = "sealing and unsealing a nonce" if decrypting else "sealing a nonce"
    advice = "" if opens else "no private key of these is here: this machine can back up, but not drill"
    lookout.see(
        Look("keys", what, f"key {', '.join(home.recipients)}", sealer.problems(decrypting=decrypting), advice=advice),
        Look("keys", "signing a nonce", f"key {home.operator.fingerprint}", signer.problems()),
        *_expiries(home),
    )


def _expiries(home: Home) -> Iterator[Look]:
    now = clock().now()
    mine = [(recipient, "backup key") for recipient in home.recipients]
    for fingerprint, what in (*mine, (home.operator.fingerprint, "signing key")):
        if (key := home.keyring.find(fingerprint)) is None:
            continue  # the trial has said so
        able = key.encrypting if what == "backup key" else key.signing
        yield _expiry(f"{what} expires", (key.primary, *able[:1]), now)


def _expiry(what: str, keys: tuple[Subkey, ...], now: datetime) -> Look:
    ends = [key.expires for key in keys if key.expires is not None]
    if not ends:
        return Look("keys", what, "never")
    first = min(ends)
    hint = "Make a new one: attestore keys rotate; a signing key is extended with gpg --quick-set-expire."
    problem: tuple[Error, ...] = (
        (KeyringError(f"the key expired on {first:%Y-%m-%d}", hint=hint),) if first <= now else ()
    )
    return Look("keys", what, f"{first:%Y-%m-%d}", problem, advice="soon" if now < first < now + _SOON else "")


def _store(settings: Settings, *, lookout: Lookout) -> None:
    for place in settings.stores:
        if isinstance(place, DirectoryPlace) and not place.path.exists():
            lookout.see(_no_folder_yet(place))
            continue
        store = lookout.attempt("store", place.name, partial(opened_store, place))
        if store is not None:
            lookout.see(*store.looks())


def _no_folder_yet(place: DirectoryPlace) -> Look:
    """Whoever only looks makes nothing; the first run makes the folder, where it may."""
    above = next((folder for folder in place.path.absolute().parents if folder.exists()), place.path)
    problems: tuple[Error, ...] = ()
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        refused = StoreError(
            f"the store {place.path.absolute()} is not there, and no folder can be made in {above}",
            hint="Name another --store, or make the folder for the user who runs Attestore.",
        )
        problems = (refused,)
    return Look("store", "folder", f"{place.path.absolute()} is not there yet", problems, advice=_FIRST_USE)


def _gates(settings: Settings, *, lookout: Lookout) -> None:
    """The gates that the configuration names, each read."""
    if settings.configured is None:
        return
    named: dict[str, list[str]] = {}
    for system, name, path in gates_of(settings.configured):
        named.setdefault(path, []).append(f"{system}: {name}")
    for path, by in named.items():
        folders = settings.configured.installation.gates
        loaded = lookout.attempt(
            "gates", path, partial(gate.named, path, folders=() if folders is None else (folders,))
        )
        if loaded is not None:
            lookout.see(Look("gates", loaded.id, f"{numbers.counted(len(loaded.checks), 'check')}; {', '.join(by)}"))


def _engines(settings: Settings, *, runner: Runner, workspace: Workspace, lookout: Lookout, job: Job) -> None:
    engines = Engines(settings, workspace=workspace, runner=runner, jobs=settings.jobs)
    facts: SourceFacts | None = None
    major = 0
    if settings.source:
        making = lookout.attempt("source", "named", engines.making)
        if making is not None:
            source = making.source
            facts = lookout.attempt("source", "reachable", source.describe)
        if making is not None and facts is not None:
            lookout.see(*making.source.looks())
            wanted = facts.major
            dumper = lookout.attempt("programmes", "pg_dump", lambda: making.dumper(wanted))
            major = dumper.major if dumper is not None else 0
            if dumper is not None:
                lookout.see(Look("programmes", "dumps this source", dumper.version))
    if job is Job.BACKUP or (settings.source and not major):
        return
    drilling = lookout.attempt("target", "named", engines.drilling)
    if drilling is None:
        return
    scratch = lookout.attempt("programmes", "server", lambda: drilling.scratch(major))
    if scratch is not None and facts is not None:
        lookout.see(*scratch.looks(facts))
    elif scratch is not None:
        free = workspace.free()
        lookout.see(Look("machine", "disk", f"{free >> 20:,} MiB free", advice="name --source to learn what is needed"))
