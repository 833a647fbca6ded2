"""What this machine and its programmes are, for the record."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Final

from attestore import __version__

__all__ = ["host", "versions"]

_LIBRARIES: Final = ("psycopg", "weasyprint", "zstandard", "Jinja2", "markdown-it-py", "pikepdf")


def host() -> str:
    """System, architecture and processors; not its name."""
    return f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} processors"


def versions(sealer: str) -> Mapping[str, str]:
    """Programmes and libraries by name; `sealer` says its own."""
    found = {name: metadata.version(name) for name in _LIBRARIES}
    found["attestore"] = __version__
    found["python"] = ".".join(map(str, sys.version_info[:3]))
    programme, _, version = sealer.partition(" ")
    found[programme] = version
    return found
