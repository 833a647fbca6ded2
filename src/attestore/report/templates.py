"""The files that decide the looks of a report: shipped ones, a user's own, and those that a bundle archived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from attestore.errors import ArchiveError

__all__ = ["Templates", "held"]

_LARGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Templates:
    """The text that decides the looks of a report; fonts are named by digest."""

    _files: Mapping[str, bytes]

    def files(self) -> Mapping[str, bytes]:
        """What a bundle archives below `templates/`, by file name."""
        return self._files

    def text(self, name: str) -> str:
        """One template."""
        return self._files[name].decode("utf-8")


def held(files: Mapping[str, bytes], *, needed: tuple[str, ...], known: tuple[str, ...] = ()) -> Templates:
    """Of those files, the ones that a renderer needs, and of the ones it knows besides, those that are there.

    Raises:
        ArchiveError: one that is needed is missing; one is larger than 1 MiB, or is text and not UTF-8.
    """
    for name in needed:
        if name not in files:
            raise ArchiveError(f"the template {name} is missing; there are {', '.join(sorted(files)) or 'none'}")
    kept: dict[str, bytes] = {}
    for name in (*needed, *(each for each in known if each in files)):
        data = files[name]
        if len(data) > _LARGEST:
            raise ArchiveError(f"the template {name} has {len(data)} bytes, more than {_LARGEST}")
        try:
            _ = name.endswith(".png") or data.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise ArchiveError(f"the template {name} is not UTF-8: {problem.reason}") from problem
        kept[name] = data
    return Templates(MappingProxyType(kept))
