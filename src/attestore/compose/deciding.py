"""What people need to decide: a key that speaks for them, and whoever keeps the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from attestore.compose.configured import Configured
from attestore.compose.people import opened_home, trusted_roster, unlocking
from attestore.compose.settings import Settings
from attestore.config import Person, Roster
from attestore.errors import KeyringError, UsageError
from attestore.ports import Signer, Watcher
from attestore.run import Deciding

__all__ = ["Pen", "keeping", "named", "pen"]


@dataclass(frozen=True, slots=True)
class Pen:
    """What a person signs with, and a private folder in which a record lies until it is signed."""

    signer: Signer
    folder: Path


def named(roster: Roster, person: str) -> Person:
    """The person of that id, or of that name.

    Raises:
        UsageError: the roster names nobody so.
    """
    for each in roster.people:
        if person in {each.id, each.name}:
            return each
    people = ", ".join(each.id for each in roster.people)
    raise UsageError(f"the roster names nobody called {person!r}", hint=f"It names: {people}.")


@contextmanager
def pen(
    person: Person, *, home: Path, gnupghome: Path | None, key: str, configured: Configured | None = None
) -> Iterator[Pen]:
    """A signer with one of the person's keys: from `gnupghome`, else from `home`, else from their own keyring.

    Raises:
        KeyringError: no private key of theirs is there.
        UsageError: `key` is not theirs in the roster.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.gpg import GpgSigner, Keyring
    from attestore.adapters.process import Runner
    from attestore.adapters.system import own_keyring
    from attestore.adapters.workspace import TemporaryWorkspace

    theirs = [each.fingerprint for each in person.keys]
    if key and key not in theirs:
        raise UsageError(
            f"{key} is no key of {person.name} in the roster", hint=f"The roster names: {', '.join(theirs)}."
        )
    wanted = [key] if key else theirs
    runner = Runner()
    with ExitStack() as stack:
        workspace = stack.enter_context(TemporaryWorkspace())
        looked: list[str] = []
        for place, ours in ((gnupghome, False),) if gnupghome is not None else ((home, True), (own_keyring(), False)):
            if place is None or (ours and not (place / "gnupg").is_dir()):
                continue
            looked.append(str(place))
            keyring = stack.enter_context(
                Keyring.open(place, runner=runner, work=workspace.path, passphrase=unlocking(configured))
                if ours
                else Keyring.borrow(place, runner=runner)
            )
            secret = {each.fingerprint for each in keyring.keys() if each.secret}  # noqa: SIM118  a keyring is no mapping
            if usable := [each for each in wanted if each in secret]:
                yield Pen(GpgSigner(keyring, usable[0], runner=runner), workspace.path)
                return
        raise KeyringError(
            f"no private key of {person.name} ({', '.join(wanted)}) is in {' or '.join(looked) or home}",
            hint="Name the keyring that holds it with --gnupghome DIR, or decide where it is, with --export FILE.",
        )


@contextmanager
def keeping(settings: Settings, *, watcher: Watcher) -> Iterator[Deciding]:
    """What whoever keeps the ledger needs to enter decisions and to render revisions.

    Raises:
        UsageError: there is no roster.
        Error: keys, programmes or the printer are missing.
    """
    from attestore.adapters.gpg import GpgSigner, GpgVerifier
    from attestore.adapters.press import Press
    from attestore.adapters.process import Runner
    from attestore.adapters.system import SystemClock
    from attestore.adapters.workspace import TemporaryWorkspace

    # decisions never make keys or a roster: whoever ran the gate has them
    trusted_roster(settings.trusted)
    runner = Runner()
    with (
        TemporaryWorkspace() as workspace,
        Press().kept() as printer,
        opened_home(settings, runner=runner, say=watcher.say, work=workspace.path) as home,
        GpgVerifier(home.roster.public_keys(), runner=runner, work=workspace.path) as verifier,
    ):
        printer.checked()
        yield Deciding(
            clock=SystemClock(),
            signer=GpgSigner(home.keyring, home.operator.fingerprint, runner=runner),
            verifier=verifier,
            printer=printer,
            watcher=watcher,
            roster=home.roster,
            operator=home.operator,
        )
