"""Evidence carried inside a PDF, compared with the bundle's files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

from attestore import canon
from attestore.archive.layout import JOURNAL
from attestore.audit.findings import Notebook
from attestore.errors import TamperedError

__all__ = ["CARRIED", "attachments", "check"]

CARRIED: Final = (
    JOURNAL,
    "verdict.json",
    "context.json",
    "proof.source.json",
    "proof.restored.json",
    "manifest.json",
)
"""Files of a bundle that every PDF of it carries, where the bundle has them; gates besides, as <id>.yaml"""


def check(data: bytes, *, expected: Mapping[str, canon.Digest], name: str, book: Notebook) -> None:
    """Compare a PDF's attachments with the SHA-256 they must have, by attachment name."""
    try:
        found = {attached: canon.sha256_hex(content) for attached, content in attachments(data).items()}
    except ImportError:
        book.note("pdf", "Attachments were not compared: pikepdf is not installed here.", of=name)
        return
    sound = True
    for attached in sorted(found.keys() | expected.keys()):
        if found.get(attached) != expected.get(attached):
            sound = False
            why = (
                "is missing" if attached not in found
                else "is carried, but no PDF of a bundle carries it" if attached not in expected
                else "is another than the bundle's"
            )  # fmt: skip
            book.problem("pdf", f"The attachment {attached} {why}.", of=name)
    if sound:
        book.ok("pdf", f"All {len(expected)} attachments are equal to the bundle's files.", of=name)


def attachments(data: bytes) -> dict[str, bytes]:
    """What a PDF carries, by name.

    Raises:
        ImportError: pikepdf is not installed.
        TamperedError: it is not a PDF that can be read.
    """
    import pikepdf  # noqa: PLC0415 - an auditor may do without it

    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            return {name: bytes(spec.get_file().read_bytes()) for name, spec in document.attachments.items()}
    except (pikepdf.PdfError, KeyError, ValueError, TypeError, RuntimeError) as problem:
        raise TamperedError(f"the PDF cannot be read: {problem}") from problem
