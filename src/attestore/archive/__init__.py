"""Bundle and ledger on disk: issue durably, open safely."""

from attestore.archive.additions import Additions, SignedRecord, split
from attestore.archive.bundle import Bundle
from attestore.archive.history import history
from attestore.archive.kept import keep_record
from attestore.archive.ledger import LedgerFile, is_running, unfinished
from attestore.archive.opened import Contents, Flaw, inspect, read_bundle
from attestore.archive.stamp import add_stamp
from attestore.archive.turns import in_use, turn, using, withdrawing

__all__ = [
    "Additions",
    "Bundle",
    "Contents",
    "Flaw",
    "LedgerFile",
    "SignedRecord",
    "add_stamp",
    "history",
    "in_use",
    "inspect",
    "is_running",
    "keep_record",
    "read_bundle",
    "split",
    "turn",
    "unfinished",
    "using",
    "withdrawing",
]
