"""Time, chance and the environment of this machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

__all__ = ["SystemClock", "SystemEntropy", "environment", "forgetting", "own_keyring"]


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)

    def tick(self) -> int:
        """Milliseconds of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000

    def rest(self, ms: int, *, woken: threading.Event) -> None:
        """Wait so many milliseconds, or until somebody sets the event."""
        woken.wait(ms / 1_000)


class SystemEntropy:
    """The kernel's randomness."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""
        return secrets.token_bytes(size)


def environment() -> Mapping[str, str]:
    """The variables this process was started with, as they are now, read only."""
    return MappingProxyType(dict(os.environ))


def own_keyring() -> Path | None:
    """Where the user's own gpg keeps its keys: GNUPGHOME, else .gnupg below the home folder; None where there is none."""
    named = os.environ.get("GNUPGHOME", "")
    path = Path(named) if named else Path(os.environ.get("HOME", "/nonexistent")) / ".gnupg"
    return path if path.is_dir() else None


@contextlib.contextmanager
def forgetting(prefix: str) -> Iterator[None]:
    """A block that knows no variable of that prefix; afterwards they are what they were before."""
    known = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    for name in known:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(known)
