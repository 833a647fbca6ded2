"""A PDF that carries a signature of its own: whether that covers the entire file and lets nobody change it.

Only what bytes can tell: whose certificate it is, and whether to trust it, is for a viewer. The evidence is trusted for
the detached signature in the bundle; the printed bytes stand, unchanged, in front of what was added here.
"""

from __future__ import annotations

import io
import re
from typing import Any, Final

from attestore import canon
from attestore.audit.findings import Findings, Notebook
from attestore.errors import TamperedError

__all__ = ["audit_pdf"]

_NO_CHANGE: Final = 1
_END: Final = re.compile(rb"%%EOF\r?\n?")


def audit_pdf(data: bytes, *, name: str) -> Findings:
    """Compare what a PDF's own signature says with its bytes; never raises for what it finds."""
    book = Notebook(name)
    with book.guarded("pdf signature"):
        signatures = _signatures(data)
        if len(signatures) != 1:
            raise TamperedError(f"it carries {len(signatures)} signatures of its own, not one")
        span, permission = signatures[0]
        _covered(data, span, book=book)
        book.expect(
            "pdf signature",
            permission == _NO_CHANGE,
            "It certifies the document and allows no change.",
            otherwise=f"It allows changes (DocMDP {permission or 'not said'}).",
        )
    book.note("pdf signature", "Whose certificate it is was not checked: ask a viewer that knows your authorities.")
    end = _END.search(data)
    if end is not None:
        digest = canon.sha256_hex(data[: end.end()])
        book.note("pdf signature", f"In front of it stand the bytes with SHA-256 {digest}: look for it in SHA256SUMS.")
    return Findings(tuple(book.lines))


def _covered(data: bytes, span: tuple[int, ...], *, book: Notebook) -> None:
    """ISO 32000-2, 12.8.1: everything but the signature's own hexadecimal string."""
    sound = len(span) == 4 and span[0] == 0 and 0 < span[1] < span[2]  # noqa: PLR2004 - two spans
    gap = data[span[1] : span[2]] if sound else b""
    sound = sound and re.fullmatch(rb"<[0-9A-Fa-f]+>", gap) is not None
    if not sound:
        book.problem("pdf signature", f"Its byte range {list(span)} leaves out more than the signature itself.")
        return
    after = len(data) - (span[2] + span[3])
    book.expect(
        "pdf signature",
        after == 0,
        f"It covers the entire file, {len(data):,} bytes.",
        otherwise=f"It does not cover the entire file: the PDF was saved again after it was signed ({after:,} bytes more)."
        if after > 0
        else f"It is over {-after:,} bytes more than there are: the file was cut.",
    )


def _signatures(data: bytes) -> list[tuple[tuple[int, ...], int]]:
    """Byte range and DocMDP permission (0: not said) of each signature.

    Raises:
        TamperedError: it is not a PDF that can be read, or there is nothing to read it with.
    """
    try:
        import pikepdf  # noqa: PLC0415 - an auditor may do without it
    except ImportError as problem:
        raise TamperedError("its own signature was not looked at: pikepdf is not installed here") from problem
    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            form: Any = document.Root.get("/AcroForm", {})
            values = [field.get("/V") for field in form.get("/Fields", []) if field.get("/FT") == "/Sig"]
            return [
                (tuple(int(each) for each in value.ByteRange), _permission(value))
                for value in values
                if value is not None
            ]
    except (pikepdf.PdfError, AttributeError, KeyError, ValueError, TypeError, RuntimeError) as problem:
        raise TamperedError(f"the PDF cannot be read: {problem}") from problem


def _permission(value: Any) -> int:
    for reference in value.get("/Reference", []):
        if reference.get("/TransformMethod") == "/DocMDP":
            return int(reference.TransformParams.get("/P", 2))
    return 0
