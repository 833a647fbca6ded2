"""Keys and people of this machine, and the roster that is trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attestore.compose.settings import Settings
from attestore.config import Key, Person, Roster, read_roster, roster_text
from attestore.errors import KeyringError, UsageError
from attestore.evidence import Person as Executor

if TYPE_CHECKING:
    from attestore.adapters.gpg import Keyring
    from attestore.adapters.process import Runner

__all__ = ["Home", "Say", "opened_home", "trusted_roster"]

_BACKUP_KEY: Final = "Attestore backup"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Home:
    """Keys and people of this machine."""

    keyring: Keyring
    roster: Roster
    operator: Executor
    recipient: str


@contextmanager
def opened_home(settings: Settings, *, runner: Runner, say: Say, work: Path) -> Iterator[Home]:
    """The keyring and the roster below --home; made on first use, and said so."""
    from attestore.adapters.gpg import Keyring

    path = settings.trusted
    with Keyring.open(settings.home, runner=runner, work=work) as keyring:
        if not path.exists():
            say(f"First use of {settings.home}: making an RSA 4096 backup key and a signing key, without passphrases")
            _first_use(keyring, path, operator=settings.operator or _login())
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
        recipients = [
            each.fingerprint
            for each in keyring.keys()  # noqa: SIM118
            if each.encrypting and _BACKUP_KEY in " ".join(each.user_ids)
        ]
        if not recipients:
            raise KeyringError(
                f"{settings.home} holds no backup key (user id {_BACKUP_KEY!r})",
                hint="Restore the keyring that made your backups; a new key can't open them.",
            )
        yield Home(
            keyring=keyring,
            roster=trusted,
            operator=Executor(id=person.id, name=person.name, roles=person.roles, fingerprint=key.fingerprint),
            recipient=recipients[0],
        )


def _first_use(keyring: Keyring, path: Path, *, operator: str) -> None:
    _, signing = keyring.ensure_keys(encrypting=_BACKUP_KEY, signing=operator)
    name = re.sub(r"\s*<.*>", "", operator)
    person = Person(
        id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "operator",
        name=name,
        roles=("operator",),
        keys=(Key(fingerprint=signing.fingerprint, public=keyring.public(signing.fingerprint)),),
    )
    path.write_bytes(roster_text([person]))


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
            hint="Give the roster you trust with --roster FILE; it is never taken from the archive.",
        ) from problem
    return read_roster(text, where=str(path))


def _login() -> str:
    import getpass

    return getpass.getuser()
