"""What a recovery needs on the bad day: a store, a private key, somebody to trust, and a server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attestore.compose.configured import Configured
from attestore.compose.people import opened_home, trusted_roster, unlocking
from attestore.compose.secrets import resolved, told
from attestore.compose.settings import Settings
from attestore.compose.stores import opened_store
from attestore.config.stores import DirectoryPlace, StorePlace
from attestore.errors import Error, KeyringError, UsageError
from attestore.ports import Landing, Store, Watcher
from attestore.run import Rescue, Wanted

if TYPE_CHECKING:
    from attestore.adapters.gpg import Keyring
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace as Workspace

__all__ = ["Salvage", "rescue", "signing"]

_FINGERPRINT = re.compile(r"[0-9A-F]{40}")
_LARGEST_KEY = 1 << 20


@dataclass(frozen=True, slots=True)
class Salvage:
    """What the command line says of a recovery."""

    backup: str
    store: StorePlace
    into: str
    home: Path
    system: str = ""
    create: str = ""
    database: str = ""
    allow_non_empty: bool = False
    roster: Path | None = None
    signer: str = ""
    signer_key: Path | None = None
    unauthenticated: bool = False
    key: Path | None = None
    passphrase: str = ""
    gnupghome: Path | None = None
    jobs: int = 2
    pg_bin: Path | None = None
    logins: bool = False
    deep: bool = False
    configured: Configured | None = None

    @property
    def wanted(self) -> Wanted:
        """The part that decides what is restored."""
        return Wanted(
            backup=self.backup,
            system=self.system,
            jobs=self.jobs,
            unauthenticated=self.unauthenticated,
            deep=self.deep,
        )


@contextmanager
def rescue(order: Salvage, *, watcher: Watcher, settle: Callable[[], None]) -> Iterator[Rescue]:
    """Every door of a recovery, closed again when the block ends; keys that were named by file are gone with it.

    Raises:
        UsageError: what was asked for can't be meant.
        KeyringError: the key can't be used.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.gpg import GpgSealer, GpgVerifier
    from attestore.adapters.process import Runner
    from attestore.adapters.system import SystemClock
    from attestore.adapters.workspace import TemporaryWorkspace, sweep

    _refuse(order)
    sweep()
    with ExitStack() as stack:
        workspace = stack.enter_context(TemporaryWorkspace())
        runner = Runner(logs=workspace.logs)
        keyring = stack.enter_context(_keyring(order, runner=runner, workspace=workspace))
        trusted, keys = _trusted(order, keyring=keyring, runner=runner, workspace=workspace)
        verifier = stack.enter_context(GpgVerifier(keys, runner=runner, work=workspace.path)) if keys else None
        yield Rescue(
            clock=SystemClock(),
            workspace=workspace,
            sealer=GpgSealer(keyring, (), runner=runner, work=workspace.path),
            store=_store(order.store),
            verifier=verifier,
            trusted=trusted,
            watcher=watcher,
            landing=_landing(order, runner=runner, workspace=workspace),
            settle=settle,
            opens=lambda recipients: _unopened(keyring, recipients),
        )


def _refuse(order: Salvage) -> None:
    if order.create and order.database:
        raise UsageError("--create and --database exclude each other", hint="A new database, or one that is there.")
    if order.allow_non_empty and not order.database:
        raise UsageError(
            "--allow-non-empty speaks of a database that is there, and none is named", hint="Name it with --database."
        )
    if order.passphrase and order.key is None:
        raise UsageError("--passphrase opens the key of --key, and none is named")


def _store(place: StorePlace) -> Store:
    if isinstance(place, DirectoryPlace) and not place.path.is_dir():
        raise UsageError(
            f"there is no store {place.path}",
            hint="Name the folder that holds SYSTEM/BACKUP/manifest.json, or a bucket, with --store.",
        )
    return opened_store(place)


def _landing(order: Salvage, *, runner: Runner, workspace: Workspace) -> Callable[[int], Landing]:
    from attestore.adapters.postgres import dsn, programs
    from attestore.adapters.postgres.landing import PgLanding
    from attestore.adapters.system import environment

    server = dsn.read(order.into, folder=workspace.private("into"), environ=environment(), everywhere=True)

    def landing(major: int) -> PgLanding:
        return PgLanding(
            server,
            client=programs.choose_client(programs.find(runner, forced=order.pg_bin), major=major),
            runner=runner,
            jobs=order.jobs,
            create=order.create,
            database=order.database,
            crowded=order.allow_non_empty,
            with_logins=order.logins,
        )

    return landing


@contextmanager
def _keyring(order: Salvage, *, runner: Runner, workspace: Workspace) -> Iterator[Keyring]:
    """The key of a file in a keyring that is thrown away, or a keyring that is there."""
    from attestore.adapters.gpg import Keyring, paper
    from attestore.adapters.system import own_keyring

    if order.key is not None:
        opener = resolved(told("--passphrase", order.passphrase)) if order.passphrase else unlocking(order.configured)
        home = workspace.private("keys")
        with Keyring.open(home, runner=runner, work=workspace.path, passphrase=opener) as keyring:
            data = _key_file(order.key)
            keyring.add(paper.read(data.decode("utf-8", "replace")) if paper.is_paper(data) else data)
            if not any(key.secret for key in keyring.keys()):  # noqa: SIM118  a keyring is no mapping
                raise KeyringError(
                    f"{order.key} holds no private key",
                    hint="Export it where it is: gpg --export-secret-keys --armor FINGERPRINT.",
                )
            yield keyring
        return
    theirs = order.gnupghome or (None if (order.home / "gnupg").is_dir() else own_keyring())
    if theirs is None and not (order.home / "gnupg").is_dir():
        raise KeyringError(
            f"there is no private key: {order.home} holds no keyring, and neither does this user",
            hint="Name the key with --key FILE, or the keyring that holds it with --gnupghome DIR.",
        )
    opened = (
        Keyring.open(order.home, runner=runner, work=workspace.path, passphrase=unlocking(order.configured))
        if theirs is None
        else Keyring.borrow(theirs, runner=runner)
    )
    with opened as keyring:
        yield keyring


def _trusted(
    order: Salvage, *, keyring: Keyring, runner: Runner, workspace: Workspace
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Whose signature over a manifest counts, in words by fingerprint; and the public keys that are needed to check one.

    A signer who is named counts alone, whatever roster there is.
    """
    if order.signer:
        fingerprint = re.sub(r"^0X|\s", "", order.signer.upper())
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise UsageError(
                f"--signer {order.signer!r} is no fingerprint",
                hint="Write all 40 hexadecimal digits of the operator's primary key: gpg --list-keys --fingerprint.",
            )
        public = _public(order, fingerprint, keyring=keyring, runner=runner, workspace=workspace)
        return {fingerprint: "the signer who was named"}, {fingerprint: public}
    roster = order.roster or order.home / "roster.yaml"
    if order.roster is None and not roster.exists():
        return {}, {}
    people = trusted_roster(roster)
    operators = {
        key.fingerprint: person.name for person in people.people if "operator" in person.roles for key in person.keys
    }
    return operators, dict(people.public_keys())


def _public(order: Salvage, fingerprint: str, *, keyring: Keyring, runner: Runner, workspace: Workspace) -> bytes:
    from attestore.adapters.gpg import Keyring

    if order.signer_key is not None:
        with Keyring.open(workspace.private("signer"), runner=runner, work=workspace.path) as theirs:
            theirs.add(_key_file(order.signer_key))
            return _exported(theirs, fingerprint, where=str(order.signer_key))
    return _exported(keyring, fingerprint, where=str(order.key or order.gnupghome or "the keyring"))


def _exported(keyring: Keyring, fingerprint: str, *, where: str) -> bytes:
    try:
        return keyring.public(fingerprint)
    except KeyringError as problem:
        raise KeyringError(
            f"the public key of the signer {fingerprint} is not in {where}",
            hint="Give it with --signer-key FILE: gpg --export --armor FINGERPRINT, from wherever you trust.",
        ) from problem


def _key_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_KEY + 1)
    except OSError as problem:
        raise UsageError(f"the key {path} can't be read: {problem.strerror}") from problem
    if len(data) > _LARGEST_KEY:
        raise UsageError(f"{path} has more than {_LARGEST_KEY:,} bytes, which no key has")
    return data


def _unopened(keyring: Keyring, recipients: tuple[str, ...]) -> tuple[Error, ...]:
    held = [key for key in keyring.keys() if key.secret]  # noqa: SIM118  a keyring is no mapping
    if any(key.fingerprint in recipients for key in held):
        return ()
    have = ", ".join(key.fingerprint for key in held) or "no private key at all"
    return (
        KeyringError(
            f"the backup is sealed to {', '.join(recipients) or 'nobody'}; this keyring holds {have}",
            hint="Name the file of the right private key with --key FILE.",
        ),
    )


@contextmanager
def signing(order: Salvage) -> Iterator[Callable[[Path], Path] | None]:
    """What signs the record of a recovery, where an operator's key lies below home; None on a bare machine."""
    from attestore.adapters.gpg import GpgSigner
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    if not (order.home / "roster.yaml").exists() or not (order.home / "gnupg").is_dir():
        yield None
        return
    settings = Settings(
        reports=order.home,
        home=order.home,
        configured=order.configured,
    )
    with ExitStack() as stack:
        workspace = stack.enter_context(TemporaryWorkspace())
        runner = Runner()
        try:
            mine = stack.enter_context(opened_home(settings, runner=runner, say=lambda _: None, work=workspace.path))
        except KeyringError:
            # no operator's key is among those that are there
            yield None
            return
        yield GpgSigner(mine.keyring, mine.operator.fingerprint, runner=runner).sign
