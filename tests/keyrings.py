"""Real gpg for tests: keyrings with keys in every bad state, and gpg driven behind the adapter's back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attestore.adapters.gpg import Keyring
from attestore.adapters.process import Runner

__all__ = ["agents", "gpg", "opened", "revoke"]


@contextmanager
def opened(home: Path) -> Iterator[Keyring]:
    """A keyring below a folder; its agent is gone afterwards."""
    with Keyring.open(home, runner=Runner()) as keyring:
        yield keyring


def gpg(keyring: Keyring, *words: str | Path, stdin: bytes = b"", ok: bool = True) -> bytes:
    """What gpg writes for any command in a keyring."""
    done = subprocess.run(
        [
            keyring.home.gpg,
            "--homedir",
            keyring.home.path,
            "--batch",
            "--no-tty",
            "--no-options",
            "--trust-model",
            "always",
            *words,
        ],
        input=stdin,
        capture_output=True,
        check=False,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"], "HOME": str(keyring.home.path)},
    )
    assert not ok or done.returncode == 0, done.stderr.decode()
    return done.stdout


def revoke(keyring: Keyring, fingerprint: str) -> None:
    """Import the revocation certificate that gpg made with the key."""
    certificate = (keyring.home.path / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text(encoding="utf-8")
    gpg(keyring, "--import", stdin=certificate.replace(":-----BEGIN", "-----BEGIN").encode())


def agents(folder: Path) -> list[int]:
    """Process ids of agents whose home is below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"gpg-agent") and any(_below(word, folder) for word in words[1:]):
                found.append(int(entry.name))
    return found


def _below(word: bytes, folder: Path) -> bool:
    path = Path(os.fsdecode(word))
    return path.is_absolute() and path.resolve().is_relative_to(folder.resolve())
