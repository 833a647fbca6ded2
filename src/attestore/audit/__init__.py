"""Re-checks what runs left, with pure code only: bytes, digests, chains, verdicts, reports. Nothing is fixed silently."""

from attestore.audit.findings import Finding, Findings, Status
from attestore.audit.reports import audit

__all__ = ["Finding", "Findings", "Status", "audit"]
