"""Bundle and ledger on disk: issue durably, open safely."""

from attestore.archive.bundle import Bundle
from attestore.archive.ledger import LedgerFile, history, is_running, unfinished
from attestore.archive.opened import Contents, Flaw, inspect, read_bundle

__all__ = [
    "Bundle",
    "Contents",
    "Flaw",
    "LedgerFile",
    "history",
    "inspect",
    "is_running",
    "read_bundle",
    "unfinished",
]
