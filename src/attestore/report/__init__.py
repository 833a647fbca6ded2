"""Verdict and evidence become Markdown, HTML and VERIFY.md; whatever comes from data is escaped here."""

from attestore.report.attached import attachments, revision_attachments
from attestore.report.blocks import Document
from attestore.report.case import Case
from attestore.report.content import gate_document, plan_document, summary_document
from attestore.report.render import RENDERER, Templates, html, load_templates, markdown
from attestore.report.verify import verify_page

__all__ = [
    "RENDERER",
    "Case",
    "Document",
    "Templates",
    "attachments",
    "gate_document",
    "html",
    "load_templates",
    "markdown",
    "plan_document",
    "revision_attachments",
    "summary_document",
    "verify_page",
]
