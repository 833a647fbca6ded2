"""Renderer 1, frozen: what made the reports of bundles that name it. Nothing here changes; see docs/adr/0027."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attestore.report.case import Case
from attestore.report.one.blocks import Document
from attestore.report.one.content import gate_document, summary_document
from attestore.report.one.render import NEEDED, html, markdown
from attestore.report.one.verify import verify_page
from attestore.report.templates import Templates, held

__all__ = ["SHIPPED", "document", "html", "markdown", "templates", "verify_page"]

SHIPPED: Final[Mapping[str, frozenset[str]]] = {
    "fonts.sha256": frozenset({"03b1c49bad25eba77f553eb266c94458d90d59a94816e4dec11e63d1f6a7c208"}),
    "report.css": frozenset(
        {
            "06d9afc06a20955a1e089352a6074fff04354617e28f6f3ff80e644f90bf92a6",
            "d6f02bca72f3c2a9e03e28677b4057d696a742cb1b559f4a2b0fcfbaaa00547c",
        }
    ),
    "report.html.j2": frozenset({"d08d3fe55260eeeaf1ecff5d9f3d1e170f6c9171bc2940d09d2ff023245485ca"}),
    "report.md.j2": frozenset({"dcc0c14ce1fd2d53b6ff17611d92bf5dfe7b04fbc70029162b09013fb96d5f54"}),
}
"""Digests of the templates that came with it."""


def document(case: Case, name: str) -> Document:
    """The report of a gate, or the `summary`.

    Raises:
        UsageError: the run did not judge that gate.
    """
    return summary_document(case) if name == "summary" else gate_document(case, name)


def templates(files: Mapping[str, bytes]) -> Templates:
    """Templates as a bundle archived them.

    Raises:
        ArchiveError: one is missing, not UTF-8, or larger than 1 MiB.
    """
    return held(files, needed=NEEDED)
