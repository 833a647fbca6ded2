"""Small files of a run that another programme reads: a full disk is told as one, whichever of them it was that had no room."""

from __future__ import annotations

from pathlib import Path

from attestore.errors import DiskError

__all__ = ["written"]


def written(path: Path, data: bytes) -> Path:
    """The file, with that content.

    Raises:
        DiskError: no space left there, or no permission.
    """
    try:
        path.write_bytes(data)
    except OSError as problem:
        raise DiskError(
            f"{path} can't be written: {problem.strerror}",
            hint="Make room there, or name another folder for what a run works with (TMPDIR).",
        ) from problem
    return path
