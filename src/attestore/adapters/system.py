"""Time, chance and the environment of this machine."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

__all__ = ["SystemClock", "SystemEntropy", "environment"]


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)

    def tick(self) -> int:
        """Milliseconds of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000


class SystemEntropy:
    """The kernel's randomness."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""
        return secrets.token_bytes(size)


def environment() -> Mapping[str, str]:
    """The variables this process was started with, as they are now, read only."""
    return MappingProxyType(dict(os.environ))
