"""The keys of a home, one by one: made, listed, tried, replaced, and put on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attestore.amounts import amount
from attestore.archive import disk
from attestore.compose.people import BACKUP_KEY, passphrase_of, recipients_of, trusted_roster
from attestore.compose.settings import Settings, clock
from attestore.config import FILE_NAME
from attestore.config.installation import with_recipient
from attestore.errors import Error, KeyringError, UsageError
from attestore.ports import Look

if TYPE_CHECKING:
    from attestore.adapters.gpg import Key, Keyring
    from attestore.adapters.process import Runner

__all__ = [
    "Listed",
    "Rotated",
    "Written",
    "add",
    "checked",
    "exported",
    "listed",
    "make",
    "on_paper",
    "rotate",
    "words",
]

_SOON: Final = timedelta(days=30)
_STRONG: Final = 4096
_WEAK: Final = 2048
_LARGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Listed:
    """One key, and what it is for here."""

    fingerprint: str
    user_ids: tuple[str, ...]
    algorithms: tuple[str, ...]
    """of the primary key and of each subkey, with their bits"""
    created: datetime
    expires: datetime | None
    """when the first of the keys that are used ends"""
    revoked: bool
    private: bool
    locked: bool
    recipient: bool
    """whether new backups are sealed to it"""
    people: tuple[tuple[str, tuple[str, ...]], ...]
    """who signs with it by the roster, and in which roles"""

    def days(self, now: datetime) -> int | None:
        """Whole days until it expires, negative once it has; None for never."""
        return None if self.expires is None else (self.expires - now) // timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A recipient replaced by another."""

    old: str
    new: Listed
    file: Path | None
    """the configuration file that was changed; None where it names no recipients"""
    kept: bool
    """whether the old private key is here, to open the backups that are sealed to it"""


@dataclass(frozen=True, slots=True)
class Written:
    """A key as text that is given out."""

    fingerprint: str
    text: str = field(repr=False)


@contextmanager
def _opened(settings: Settings) -> Iterator[Keyring]:
    from attestore.adapters.gpg import Keyring
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace, sweep

    # what a killed command left may hold a key that was about to be exported
    sweep()
    secret = passphrase_of(settings)
    with (
        TemporaryWorkspace() as workspace,
        Keyring.open(settings.home, runner=Runner(), work=workspace.path, passphrase=secret) as keyring,
    ):
        yield keyring


@contextmanager
def _present(settings: Settings) -> Iterator[Keyring]:
    if not (settings.home / "gnupg").is_dir():
        raise KeyringError(
            f"there are no keys in {settings.home}",
            hint="Make one (attestore keys new), import one (attestore keys import FILE), or name another --home.",
        )
    with _opened(settings) as keyring:
        yield keyring


def make(settings: Settings, *, signing: bool, name: str, expires: str) -> Listed:
    """A new key in the home: RSA 4096 that encrypts, or one that signs.

    Raises:
        KeyringError: gpg refuses, or name or expiry can't be meant.
    """
    with _opened(settings) as keyring:
        key = (
            keyring.create_signing_key(name, expires=expires)
            if signing
            else keyring.create_encryption_key(name or BACKUP_KEY, expires=expires)
        )
        return _listed(settings, keyring, (key,))[0]


def listed(settings: Settings) -> tuple[Listed, ...]:
    """Every key of the home: those in use first, then by age, the newest first.

    Raises:
        KeyringError: there are none.
    """
    with _present(settings) as keyring:
        found = _listed(settings, keyring, keyring.keys())
    return tuple(sorted(found, key=lambda each: (not (each.recipient or each.people), -each.created.timestamp())))


def checked(settings: Settings, *, wanted: str = "") -> tuple[Look, ...]:
    """Each key tried: a nonce is sealed to it and opened, or signed and verified; expiry, strength, private parts.

    Raises:
        KeyringError: the key that is wanted is not there.
    """
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    with _present(settings) as keyring, TemporaryWorkspace() as workspace:
        keys = (_meant(keyring, wanted),) if wanted else keyring.keys()
        looks = []
        for key, about in zip(keys, _listed(settings, keyring, keys), strict=True):
            tried = _tried(keyring, key, about, runner=Runner(), work=workspace.path)
            looks.append(_look(about, tried))
        for missing in () if wanted else set(recipients_of(settings, keyring)) - {key.fingerprint for key in keys}:
            problem = KeyringError(
                f"recipient {missing} is not in the keyring", hint="Import its public key: attestore keys import FILE."
            )
            looks.append(Look("keys", missing, "", (problem,)))
    return tuple(looks)


def add(settings: Settings, files: Iterable[Path]) -> tuple[Listed, ...]:
    """Import keys from files: public or private keys as gpg exports them, or a paper backup that was typed back.

    Raises:
        UsageError: a file can't be read.
        KeyringError: it holds no key, or a line of it was typed wrong; nothing of that file is imported.
    """
    from attestore.adapters.gpg import paper

    found: list[str] = []
    with _opened(settings) as keyring:
        for file in files:
            try:
                with file.open("rb") as opened:
                    data = opened.read(_LARGEST + 1)
            except OSError as problem:
                raise UsageError(f"{file} can't be read: {problem.strerror}") from problem
            if len(data) > _LARGEST:
                raise KeyringError(f"{file} is larger than a key can be")
            found += keyring.add(paper.read(data.decode("utf-8", "replace")) if paper.is_paper(data) else data)
        return _listed(settings, keyring, tuple(keyring.key(each) for each in dict.fromkeys(found)))


def exported(settings: Settings, *, wanted: str) -> Written:
    """A public key, armoured.

    Raises:
        KeyringError: it isn't there.
    """
    with _present(settings) as keyring:
        key = _meant(keyring, wanted) if wanted else _backup_key(settings, keyring)
        return Written(key.fingerprint, keyring.public(key.fingerprint).decode("ascii"))


def on_paper(settings: Settings, *, wanted: str) -> Written:
    """The page from which a private key can be typed back.

    Raises:
        KeyringError: it isn't here, or stays locked.
    """
    from attestore.adapters.gpg import paper

    with _present(settings) as keyring:
        key = _meant(keyring, wanted) if wanted else _backup_key(settings, keyring)
        packets = keyring.private(key.fingerprint)
        return Written(key.fingerprint, paper.write(key, packets, locked=keyring.locked(key.fingerprint)))


def rotate(settings: Settings, *, wanted: str, to: str, expires: str) -> Rotated:
    """Replace a recipient by a new key of the same name, or by one that is there; the old one is kept to open backups.

    Where the configuration names recipients, the fingerprint there is replaced, and nothing else of the file.

    Raises:
        KeyringError: no such key, or it can't be made.
        UsageError: several recipients could be meant, or the configuration can't be changed.
    """
    with _present(settings) as keyring:
        old = _meant(keyring, wanted) if wanted else _backup_key(settings, keyring)
        chosen = settings.configured.installation if settings.configured is not None else None
        named = chosen is not None and bool(chosen.recipients)
        if old.fingerprint not in recipients_of(settings, keyring):
            raise UsageError(
                f"no backup is sealed to {old.fingerprint}, so there is nothing to replace",
                hint="attestore keys list shows the recipients.",
            )
        if to and not named:
            raise UsageError(
                f"{to} can't become a recipient: there is no configuration that names them",
                hint=f"Name it below keys: recipients: in {FILE_NAME}.",
            )
        new = (
            _meant(keyring, to)
            if to
            else keyring.create_encryption_key(old.user_ids[0] if old.user_ids else BACKUP_KEY, expires=expires)
        )
        if chosen is not None and named:
            disk.replace(chosen.file, with_recipient(chosen, old=old.fingerprint, new=new.fingerprint))
        about = _listed(settings, keyring, (new,))[0]
    return Rotated(old.fingerprint, about, chosen.file if chosen is not None and named else None, kept=old.secret)


def _backup_key(settings: Settings, keyring: Keyring) -> Key:
    recipients = recipients_of(settings, keyring)
    here = [key for key in map(keyring.find, recipients) if key is not None and key.secret] or [
        key for key in map(keyring.find, recipients) if key is not None
    ]
    # a home that holds one key for safe-keeping names nobody that backups are sealed to
    here = here or [key for key in keyring.keys() if key.encrypting]  # noqa: SIM118  a keyring is no mapping
    if len(here) == 1:
        return here[0]
    if not here:
        raise KeyringError(
            f"{settings.home} holds no key that encrypts",
            hint="Make one (attestore keys new), or import it (keys import).",
        )
    raise UsageError(
        f"several keys could be meant: {', '.join(key.fingerprint for key in here)}", hint="Name one with --key."
    )


def _meant(keyring: Keyring, wanted: str) -> Key:
    """The key of that fingerprint; spaces and small letters, as people copy them, do not matter."""
    return keyring.key(wanted.replace(" ", "").upper())


def _listed(settings: Settings, keyring: Keyring, keys: Iterable[Key]) -> tuple[Listed, ...]:
    recipients = recipients_of(settings, keyring)
    people: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    if settings.trusted.exists():
        for person in trusted_roster(settings.trusted).people:
            for each in person.keys:
                people.setdefault(each.fingerprint, []).append((person.id, person.roles))
    return tuple(
        Listed(
            fingerprint=key.fingerprint,
            user_ids=key.user_ids,
            algorithms=tuple(f"{each.algorithm} {each.bits}" for each in (key.primary, *key.subkeys)),
            created=key.primary.created,
            expires=_end(key),
            revoked=key.primary.revoked,
            private=key.secret,
            locked=key.secret and keyring.locked(key.fingerprint),
            recipient=key.fingerprint in recipients,
            people=tuple(people.get(key.fingerprint, ())),
        )
        for key in keys
    )


def _end(key: Key) -> datetime | None:
    """When it stops being of use: the primary key's end, or that of the newest key that encrypts or signs."""
    used = (key.primary, *(key.encrypting or key.signing)[:1])
    return min((each.expires for each in used if each.expires is not None), default=None)


def _tried(keyring: Keyring, key: Key, about: Listed, *, runner: Runner, work: Path) -> tuple[Error, ...]:
    from attestore.adapters.gpg import GpgSealer, GpgSigner

    if not (about.recipient or about.people or key.secret):
        return ()
    usable = key.primary.usable and any(each.usable for each in (key.encrypting or key.signing))
    if usable and key.encrypting:
        return GpgSealer(keyring, (key.fingerprint,), runner=runner, work=work).problems(decrypting=key.secret)
    if usable and key.secret:
        return GpgSigner(keyring, key.fingerprint, runner=runner).problems()
    if not usable and (about.recipient or about.people):
        return (_ended(about, key),)
    try:
        # nothing can be sealed to it any more; that it still opens what was shows in that it unlocks
        if key.secret:
            keyring.private(key.fingerprint)
    except Error as problem:
        return (problem,)
    return ()


def _ended(about: Listed, key: Key) -> KeyringError:
    if about.revoked:
        return KeyringError(f"{about.fingerprint} is revoked", hint="Replace it: attestore keys rotate.")
    if about.expires is None or about.expires > clock().now():
        return KeyringError(
            f"{about.fingerprint} has no usable key that {'encrypts' if about.recipient else 'signs'}",
            hint="Name another, or make one: attestore keys new.",
        )
    hint = (
        "Replace it: attestore keys rotate. It still opens the backups that are sealed to it."
        if key.encrypting
        else "Make a new one (attestore keys new --signing), and list it in the roster."
    )
    return KeyringError(f"{about.fingerprint} expired on {about.expires:%Y-%m-%d}", hint=hint)


def _look(about: Listed, tried: tuple[Error, ...]) -> Look:
    now = clock().now()
    days = about.days(now)
    notes = []
    problems = list(tried)
    weakest = min((int(each.split()[1]) for each in about.algorithms if each.startswith("RSA")), default=_STRONG)
    if weakest < _WEAK and (about.recipient or about.people):
        problems.append(
            KeyringError(f"{about.fingerprint} is RSA {weakest}, which can be broken", hint="attestore keys rotate")
        )
    elif weakest < _STRONG and about.recipient:
        notes.append(f"RSA {weakest}; S9-PROD-003 asks for {_STRONG}")
    if days is not None and 0 <= days < _SOON.days:
        notes.append("expires soon: attestore keys rotate")
    if days is not None and days < 0 and not (about.recipient or about.people):
        notes.append("it opens older backups and seals no new ones")
    if about.recipient and not about.private:
        notes.append("no private key here: backups can be sealed to it here, and opened elsewhere")
    return Look("keys", about.fingerprint, words(about, now=now), tuple(problems), advice="; ".join(notes))


def words(about: Listed, *, now: datetime) -> str:
    """A key in one line for people."""
    days = about.days(now)
    parts = [
        about.user_ids[0] if about.user_ids else "no user id",
        " + ".join(about.algorithms),
        "revoked"
        if about.revoked
        else "never expires"
        if days is None
        else f"expires in {amount(days, 'day')}"
        if days >= 0
        else f"expired on {about.expires:%Y-%m-%d}",
        ("private key here, locked" if about.locked else "private key here") if about.private else "public key only",
        *(("recipient",) if about.recipient else ()),
        *(f"{person}: {', '.join(roles)}" for person, roles in about.people),
    ]
    return "; ".join(parts)
