"""Keys and people of this machine, and the roster that is trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attestore.compose.configured import Configured
from attestore.compose.secrets import resolved, told
from attestore.compose.settings import Settings
from attestore.config import Key, Person, Roster, read_roster, roster_text
from attestore.errors import KeyringError, UsageError
from attestore.evidence import Person as Executor

if TYPE_CHECKING:
    from attestore.adapters.gpg import Keyring
    from attestore.adapters.process import Runner

__all__ = ["BACKUP_KEY", "PASSPHRASE", "Home", "Say", "lone_key", "opened_home", "passphrase_of", "recipients_of", "trusted_roster", "unlocking"]  # fmt: skip

BACKUP_KEY: Final = "Attestore backup"
"""User id of the keys that backups are sealed to where no configuration names any."""

PASSPHRASE: Final = "ATTESTORE_PASSPHRASE"  # noqa: S105  the name of a variable that holds a reference
"""Variable that says where the passphrase of home's keys is, where no configuration does: `env:NAME` or `file:/path`."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Home:
    """Keys and people of this machine."""

    keyring: Keyring
    roster: Roster
    operator: Executor
    recipients: tuple[str, ...]
    """primary fingerprints that backups are sealed to"""


@contextmanager
def opened_home(settings: Settings, *, runner: Runner, say: Say, work: Path) -> Iterator[Home]:
    """The keyring and the roster below --home; made on first use, and said so."""
    from attestore.adapters.gpg import Keyring

    path = settings.trusted
    with Keyring.open(settings.home, runner=runner, work=work, passphrase=passphrase_of(settings)) as keyring:
        if not path.exists():
            _first_use(keyring, settings, say=say)
        trusted = trusted_roster(path)
        secret = {key.fingerprint for key in keyring.keys() if key.secret}  # noqa: SIM118  a keyring is no mapping
        mine = [
            (person, key)
            for person in trusted.people
            for key in person.keys
            if "operator" in person.roles and key.fingerprint in secret
        ]
        if not mine:
            raise KeyringError(
                f"{path} names no operator whose private key is in {settings.home}",
                hint="List your key's fingerprint there under a person with the role operator.",
            )
        person, key = mine[0]
        recipients = recipients_of(settings, keyring)
        if not recipients:
            raise KeyringError(
                f"{settings.home} holds no backup key (user id {BACKUP_KEY!r})",
                hint="Restore the keyring that made your backups (a new key can't open them): attestore keys import FILE.",
            )
        yield Home(
            keyring=keyring,
            roster=trusted,
            operator=Executor(id=person.id, name=person.name, roles=person.roles, fingerprint=key.fingerprint),
            recipients=recipients,
        )


def recipients_of(settings: Settings, keyring: Keyring) -> tuple[str, ...]:
    """Whom backups are sealed to: whoever the configuration names, else the newest backup key of the keyring."""
    if settings.configured is not None and settings.configured.installation.recipients:
        return settings.configured.installation.recipients
    able = [
        each
        for each in keyring.keys()  # noqa: SIM118
        if each.encrypting and BACKUP_KEY in " ".join(each.user_ids)
    ]
    # the newest, whether it is in force or not: older ones were rotated away, and only open what was sealed to them
    able.sort(key=lambda key: (key.primary.created, key.fingerprint))
    return tuple(key.fingerprint for key in able[-1:])


def passphrase_of(settings: Settings) -> bytes:
    """What unlocks the private keys of home; empty where nobody says so.

    Raises:
        UsageError: the reference is none, or leads nowhere.
    """
    if settings.passphrase is not None and settings.escrow is None:
        return resolved(settings.passphrase)
    return unlocking(settings.configured)


def unlocking(configured: Configured | None) -> bytes:
    """What the configuration, else the environment, says unlocks private keys; empty where nobody says anything.

    Raises:
        UsageError: the reference is none, or leads nowhere.
    """
    from attestore.adapters.system import environment

    if configured is not None and (ref := configured.installation.passphrase) is not None:
        return resolved(ref, below=configured.installation.file.parent)
    written = environment().get(PASSPHRASE, "")
    return resolved(told(PASSPHRASE, written)) if written else b""


@contextmanager
def lone_key(settings: Settings, home: Home, *, runner: Runner, work: Path) -> Iterator[Keyring | None]:
    """A keyring that holds the one private key that may open the backup, and no other; None where any may.

    Raises:
        KeyringError: the key is not where it was said to be, or stays locked.
    """
    from attestore.adapters.gpg import Keyring
    from attestore.adapters.gpg.home import temporary_home

    if not settings.key:
        yield None
        return
    passphrase = passphrase_of(settings) if settings.passphrase is None else resolved(settings.passphrase)
    with ExitStack() as stack:
        holder = home.keyring
        if settings.escrow is not None:
            if not (settings.escrow / "gnupg").is_dir():
                raise KeyringError(
                    f"there is no keyring in {settings.escrow}",
                    hint="Make one of the key's backup: attestore keys import FILE --home DIR.",
                )
            holder = stack.enter_context(Keyring.open(settings.escrow, runner=runner, work=work, passphrase=passphrase))
        private = holder.private(settings.key)
        place = stack.enter_context(temporary_home(runner=runner, below=work, passphrase=passphrase))
        alone = Keyring.of(place, runner=runner)
        alone.add(private)
        if home.keyring.find(settings.key) is None:
            raise KeyringError(
                f"{settings.home} does not know the key {settings.key}, so no backup here was sealed to it",
                hint="Import its public key: attestore keys import FILE.",
            )
        yield alone


def _first_use(keyring: Keyring, settings: Settings, *, say: Say) -> None:
    operator = settings.operator or _login()
    locked = "locked with your passphrase" if keyring.home.locks else "without passphrases"
    if recipients_of(settings, keyring):
        say(f"First use of {settings.home}: making a signing key, {locked}; backups are sealed to the keys you chose")
        signing = keyring.ensure_signing(operator)
    else:
        say(f"First use of {settings.home}: making an RSA 4096 backup key and a signing key, {locked}")
        _, signing = keyring.ensure_keys(encrypting=BACKUP_KEY, signing=operator)
    name = re.sub(r"\s*<.*>", "", operator)
    person = Person(
        id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "operator",
        name=name,
        roles=("operator",),
        keys=(Key(fingerprint=signing.fingerprint, public=keyring.public(signing.fingerprint)),),
    )
    settings.trusted.write_bytes(roster_text([person]))


def trusted_roster(path: Path) -> Roster:
    """The roster that whoever asks has put there.

    Raises:
        UsageError: there is no such file.
        GateError: it isn't a roster.
    """
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise UsageError(
            f"the roster {path} can't be read: {problem.strerror}",
            hint="The first backup or run here makes one. For reports of others, give the roster you trust with --roster FILE; it is never taken from the archive.",
        ) from problem
    return read_roster(text, where=str(path))


def _login() -> str:
    import getpass

    return getpass.getuser()
