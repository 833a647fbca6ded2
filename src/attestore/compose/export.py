"""What an export that carries a signature of its own needs: the operator's key, and a place to sign in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attestore.compose.people import opened_home
from attestore.compose.settings import Settings
from attestore.errors import KeyringError, UsageError
from attestore.report.exports import Seal

__all__ = ["certifying", "sealing"]


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
    signer = Pades(data, passphrase=_secret(passphrase))
    return lambda pdf, reason: signer.certify(pdf, reason=reason)


def _secret(reference: str) -> bytes:
    """What a reference refers to; never shown, not even in an error."""
    from attestore.adapters.system import environment

    kind, _, name = reference.partition(":")
    if not reference:
        return b""
    if kind == "env" and name in environment():
        return environment()[name].encode()
    if kind == "file":
        try:
            return Path(name).read_bytes().rstrip(b"\r\n")
        except OSError as problem:
            raise UsageError(f"the passphrase's file {name} can't be read: {problem.strerror}") from problem
    if kind == "env":
        raise UsageError(f"the variable {name}, which should hold the passphrase, is not set")
    raise UsageError(
        "--passphrase says neither env:NAME nor file:PATH",
        hint="A passphrase itself never stands on a command line: others can read it there.",
    )
