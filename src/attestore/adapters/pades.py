"""A second signature inside a PDF, for people who open it in a viewer: PAdES baseline B, by pyHanko.

It is a convenience, not the trust: that is the detached signature beside the PDF in its bundle. The signature certifies
and allows no change at all; it is appended, so that the printed bytes stay as they are in front of it.
"""

from __future__ import annotations

import io
from typing import Any

from attestore.errors import KeyringError, MissingProgramError, PrintError

__all__ = ["FIELD", "Pades"]

FIELD = "Attestore"


class Pades:
    """Certifies PDFs with the key of a PKCS #12 file, whose bytes and passphrase are handed over."""

    def __init__(self, pkcs12: bytes, *, passphrase: bytes) -> None:
        try:
            from pyhanko.pdf_utils import incremental_writer, misc  # noqa: PLC0415 - an optional extra
            from pyhanko.sign import fields, signers  # noqa: PLC0415
        except ImportError as problem:
            raise MissingProgramError(
                "pyHanko, which signs PDFs, is not installed here", hint="Install attestore[pades]."
            ) from problem
        self._fields: Any = fields
        self._signers: Any = signers
        self._writer: Any = incremental_writer.IncrementalPdfFileWriter
        self._refusals: tuple[type[Exception], ...] = (misc.PdfError, ValueError)
        try:
            self._signer: Any = signers.SimpleSigner.load_pkcs12_data(
                pkcs12, other_certs=(), passphrase=passphrase or None
            )
        except (ValueError, TypeError) as problem:
            raise KeyringError(
                "the certificate's file can't be opened as PKCS #12 with that passphrase",
                hint="Name a .p12 file that holds a certificate and its private key, and its passphrase by env: or file:.",
            ) from problem

    def certify(self, pdf: bytes, *, reason: str) -> bytes:
        """The PDF with a certifying signature over the whole file that allows no change.

        Raises:
            PrintError: it is no PDF, or carries a signature already.
        """
        about = self._signers.PdfSignatureMetadata(
            field_name=FIELD,
            reason=reason,
            md_algorithm="sha256",
            certify=True,
            docmdp_permissions=self._fields.MDPPerm.NO_CHANGES,
            subfilter=self._fields.SigSeedSubFilter.PADES,
        )
        try:
            made = self._signers.PdfSigner(about, signer=self._signer).sign_pdf(self._writer(io.BytesIO(pdf)))
        except self._refusals as problem:
            raise PrintError(f"the PDF can't be signed: {problem}") from problem
        return bytes(made.getvalue())
