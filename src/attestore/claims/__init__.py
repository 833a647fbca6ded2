"""Somebody else's report, audited by what it says itself: figures that can't be, that contradict each other, or that assert nothing."""

from attestore.claims.document import Document, read
from attestore.claims.examine import examine
from attestore.claims.model import Finding, Hold, Kind, Report

__all__ = ["Document", "Finding", "Hold", "Kind", "Report", "examine", "read"]
