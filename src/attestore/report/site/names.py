"""Names of pages and ways between them: relative, escaped, and never chosen by whoever names a system or a gate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from attestore import canon

__all__ = ["FOLDER", "HOME", "Place", "gate_page", "run_page"]

HOME: Final = "index.html"
FOLDER: Final = "_site"
"""No run can be called so, so that no audit takes it for one"""

_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the site, by its path below the folder of the index; knows the way to others."""

    path: str

    @property
    def up(self) -> str:
        """From here to the folder of the index."""
        return "../" * self.path.count("/")

    def to(self, path: str) -> str:
        """The way to another page or file of the site."""
        return f"{self.up}{quote(path)}"

    def file(self, reports: str, *parts: str) -> str:
        """The way to a file of the archive."""
        way = quote("/".join((reports, *parts)) if reports != "." else "/".join(parts))
        return f"{self.up}{way}" if self.up or "/" in way else f"./{way}"


def run_page(run: str) -> str:
    """The page of a run; what is no plain name of a folder is made one."""
    plain = run if _RUN.fullmatch(run) else f"{_plain(run)[:_LONGEST]}-{canon.sha256_hex(run.encode())[:16]}"
    return f"{FOLDER}/runs/{plain}.html"


def gate_page(system: str, gate: str, *, year: str = "") -> str:
    """The page of a gate of a system; of one year of its history, if named."""
    digest = canon.domain_digest("site/page", system.encode(), gate.encode())[:8]
    slug = f"{_plain(system)}-{_plain(gate)}"[:_LONGEST].strip("-")
    return f"{FOLDER}/gates/{slug}-{digest}{f'-{year}' if year else ''}.html"


def _plain(name: str) -> str:
    return _OTHER.sub("-", name.lower()).strip("-")
