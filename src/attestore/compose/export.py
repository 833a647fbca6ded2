"""What an export that carries a signature of its own needs: the operator's key, and a place to sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attestore.compose.people import opened_home
from attestore.compose.settings import Settings
from attestore.errors import KeyringError
from attestore.report.exports import Seal

__all__ = ["sealing"]


@contextmanager
def sealing(home: Path) -> Iterator[Callable[[bytes], Seal]]:
    """Signs bytes as the operator whose key lies below `home`; nothing is made there.

    Raises:
        KeyringError: there is no key, or it can't sign.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.gpg import GpgSigner
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    if not (home / "roster.yaml").exists():
        raise KeyringError(
            f"an envelope is signed when it is made, and there is no operator's key below {home}",
            hint="Name the folder of keys and roster with --home; without a key, the formats junit, oscal and csv work.",
        )
    settings = Settings(
        reports=home, home=home, store=home, source="", backup="", system="", jobs=1, pg_bin=None, operator=""
    )
    runner = Runner()
    with (
        TemporaryWorkspace() as workspace,
        opened_home(settings, runner=runner, say=lambda _: None, work=workspace.path) as mine,
    ):
        signer = GpgSigner(mine.keyring, mine.operator.fingerprint, runner=runner)

        def seal(data: bytes) -> Seal:
            path = workspace.private("export") / "pae"
            path.write_bytes(data)
            return Seal(keyid=signer.fingerprint, signature=signer.sign(path).read_bytes())

        yield seal
