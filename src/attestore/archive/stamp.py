"""The time stamp of a sealed bundle: it comes after everything else, and may come years later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attestore.archive import disk, layout
from attestore.archive.opened import read_file

__all__ = ["add_stamp"]


def add_stamp(folder: Path, stamp: Callable[[bytes], bytes]) -> Path:
    """Put beside the signature of the sums what `stamp` gives for it; nothing sealed changes.

    Raises:
        ArchiveError: the bundle is not sealed, or has a time stamp already.
        DiskError: it can't be written.
    """
    token = stamp(read_file(folder / f"{layout.SUMS}.asc", limit=layout.LARGEST_SIGNATURE))
    path = folder / layout.STAMP
    disk.write_new(path, token)
    return path
