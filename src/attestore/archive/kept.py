"""Small records beside the bundles: written once, never replaced, signed where somebody can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from attestore.archive.disk import make_folder, sync_folder, write_new

__all__ = ["keep_record"]


def keep_record(folder: Path, name: str, files: Mapping[str, bytes], *, sign: Callable[[Path], Path] | None) -> Path:
    """The same record in several forms, each `<name>.<form>` in a folder that is made if need be; the first one's path.

    Raises:
        ArchiveError: there is one of that name.
        DiskError: it cannot be written.
        KeyringError: it cannot be signed.
    """
    make_folder(folder, exist_ok=True)
    paths = [folder / f"{name}.{form}" for form in files]
    for path, data in zip(paths, files.values(), strict=True):
        write_new(path, data)
        if sign is not None:
            sign(path)
    sync_folder(folder)
    return paths[0]
