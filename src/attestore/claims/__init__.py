"""Somebody else's report, audited by what it says itself: figures that can't be, that contradict each other, or that assert nothing."""

from attestore.claims.document import Document, read
from attestore.claims.examine import examine
from attestore.claims.model import Finding, Hold, Kind, Report, with_findings
from attestore.claims.record import Held, Match, Record, hold_against

__all__ = [
    "Document", "Finding", "Held", "Hold", "Kind", "Match", "Record", "Report", "examine", "hold_against", "read", "with_findings",
]  # fmt: skip
