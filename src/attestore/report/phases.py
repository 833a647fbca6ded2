"""What the phases of a run are called."""

from __future__ import annotations

from typing import Final

from attestore.report.voice import later, say

__all__ = ["phase_words"]

_PHASES: Final = {
    "preflight": later("Preflight"),
    "snapshot": later("Snapshot of the source"),
    "proof": later("Proof of the source"),
    "dump": later("Dump"),
    "seal": later("Compression and encryption"),
    "store": later("Store and read back"),
    "disaster": later("Destruction of the local copy"),
    "retrieve": later("Backup download"),
    "unseal": later("Decryption and unpacking"),
    "prepare": later("Database preparation"),
    "schema": later("Schema restoration"),
    "data": later("Data restoration"),
    "indexes": later("Index, key and trigger rebuilding"),
    "finalize": later("Finalization and first query"),
    "verify": later("Comparison with the backup's proof"),
    "exercise": later("Constraints, triggers and indexes tried"),
    "inspect": later("Inspection of the stored parts"),
    "control": later("Negative control"),
    "teardown": later("Teardown"),
}


def phase_words(phase: str) -> str:
    """A phase as operators say it."""
    return say(_PHASES.get(phase, phase))
