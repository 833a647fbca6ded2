"""What an export that carries a signature of its own needs: the operator's key, and a place to sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attestore.compose.configured import Configured
from attestore.compose.people import opened_home
from attestore.compose.secrets import resolved, told
from attestore.compose.settings import Settings
from attestore.errors import KeyringError, UsageError
from attestore.report.exports import Seal

__all__ = ["certifying", "sealing"]


@contextmanager
def sealing(home: Path, *, roster: Path, configured: Configured | None = None) -> Iterator[Callable[[bytes], Seal]]:
    """Signs bytes as the operator whose key lies below `home`; nothing is made there.

    Raises:
        KeyringError: there is no key, or it can't sign.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.gpg import GpgSigner
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    if not roster.exists():
        raise KeyringError(
            f"an envelope is signed when it is made, and there is no operator's key below {home}",
            hint="Name the folder of keys and roster with --home; without a key, the formats junit, oscal and csv work.",
        )
    settings = Settings(
        reports=home,
        home=home,
        roster=roster,
        configured=configured,
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


def certifying(certificate: Path, *, passphrase: str) -> Callable[[bytes, str], bytes]:
    """Certifies a PDF, for a reason that viewers show, with the certificate of a PKCS #12 file.

    Raises:
        UsageError: the file, or what `passphrase` refers to (`env:NAME` or `file:PATH`; empty: none), can't be read.
        KeyringError: the file can't be opened.
        MissingProgramError: pyHanko is not installed.
    """
    from attestore.adapters.pades import Pades

    try:
        data = certificate.read_bytes()
    except OSError as problem:
        raise UsageError(f"the certificate {certificate} can't be read: {problem.strerror}") from problem
    signer = Pades(data, passphrase=resolved(told("--passphrase", passphrase)) if passphrase else b"")
    return lambda pdf, reason: signer.certify(pdf, reason=reason)
