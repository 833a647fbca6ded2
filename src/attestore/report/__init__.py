"""Verdict and evidence become Markdown, HTML and VERIFY.md; whatever comes from data is escaped here."""

from attestore.report.attached import attachments, revision_attachments
from attestore.report.blocks import Document
from attestore.report.case import Case
from attestore.report.content import gate_document, plan_document, summary_document
from attestore.report.render import RENDERER, html, load_templates, markdown, templates
from attestore.report.renderers import SUMMARY, Renderer, Sheet, pages, renderer
from attestore.report.templates import Templates
from attestore.report.verify import verify_page

__all__ = [
    "RENDERER",
    "SUMMARY",
    "Case",
    "Document",
    "Renderer",
    "Sheet",
    "Templates",
    "attachments",
    "gate_document",
    "html",
    "load_templates",
    "markdown",
    "pages",
    "plan_document",
    "renderer",
    "revision_attachments",
    "summary_document",
    "templates",
    "verify_page",
]
