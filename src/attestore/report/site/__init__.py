"""The archive as pages to look through: a picture of bundles and ledger, unsigned, that asks nobody and needs no server."""

from attestore.report.site.model import Chain, Decided, Line, Outcome, Overview, Row, Source, Trust
from attestore.report.site.names import FOLDER, HOME, Place, gate_page, run_page
from attestore.report.site.pages import Page, gate_pages, index_page, list_pages, run_document
from attestore.report.site.render import Dress, load_dress

__all__ = [
    "FOLDER",
    "HOME",
    "Chain",
    "Decided",
    "Dress",
    "Line",
    "Outcome",
    "Overview",
    "Page",
    "Place",
    "Row",
    "Source",
    "Trust",
    "gate_page",
    "gate_pages",
    "index_page",
    "list_pages",
    "load_dress",
    "run_document",
    "run_page",
]
