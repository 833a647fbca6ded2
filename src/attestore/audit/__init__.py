"""Re-checks what runs left, with pure code only: bytes, digests, chains, verdicts, reports. Nothing is fixed silently."""

from attestore.audit.anchors import Anchor
from attestore.audit.coverage import audit_pdf
from attestore.audit.envelope import audit_envelope
from attestore.audit.findings import Finding, Findings, Status
from attestore.audit.intact import look
from attestore.audit.reports import audit, unnamed
from attestore.audit.status import Row, Survey, status, survey

__all__ = [
    "Anchor",
    "Finding",
    "Findings",
    "Row",
    "Status",
    "Survey",
    "audit",
    "audit_envelope",
    "audit_pdf",
    "look",
    "status",
    "survey",
    "unnamed",
]
