"""The ledger's signed end, put into every store: whoever holds the keys can write another ledger, not another store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attestore.archive import LedgerFile
from attestore.archive.ledger import CHECKPOINT
from attestore.errors import DiskError, StoreError, TamperedError
from attestore.evidence.ledger import decode_checkpoint
from attestore.ports import Signed, Watcher
from attestore.run.tools import NamedStore
from attestore.run.written import written

__all__ = ["FOLDER", "keep_checkpoint"]

FOLDER: Final = "_checkpoints"
"""no system is called so: names begin with a letter or a digit"""


def keep_checkpoint(reports: Path, *, stores: Sequence[NamedStore], work: Path, watcher: Watcher) -> None:
    """Put the checkpoint into every store, under the ledger's own name and its length; one that refuses is told.

    A run that has ended is not undone by it: its evidence is on the disk.
    """
    data, seal = (reports / CHECKPOINT).read_bytes(), (reports / f"{CHECKPOINT}.asc").read_bytes()
    known = LedgerFile(reports).read()
    try:
        point = decode_checkpoint(data, what=CHECKPOINT)
    except TamperedError:
        return
    prefix = f"{FOLDER}/{known.head_at(1)[:16]}/{point.count:08}-{point.head[:16]}"
    try:
        for name, content in ((CHECKPOINT, data), (f"{CHECKPOINT}.asc", seal)):
            written(work / name, content)
    except DiskError as problem:
        watcher.say(f"The checkpoint was put into no store: {problem.message}")
        return
    for named in stores:
        try:
            for name in (f"{CHECKPOINT}.asc", CHECKPOINT):
                named.store.put(f"{prefix}/{name}", Signed(work / name))
        except (StoreError, DiskError) as problem:
            watcher.say(f"The checkpoint was not put into store {named.name}: {problem.message}")
    for name in (CHECKPOINT, f"{CHECKPOINT}.asc"):
        (work / name).unlink()
