"""Time stamps by RFC 3161: asked of an authority over HTTP, and checked against certificates that the auditor trusts."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from datetime import UTC, timedelta
from http.client import HTTPException
from typing import Final, cast
from urllib.parse import urlsplit

import rfc3161_client as tsp
from cryptography import x509
from rfc3161_client import Accuracy, TimeStampResponse

from attestore.errors import TamperedError, UnreachableError, UsageError
from attestore.ports import Stamped

__all__ = ["Authority", "TrustedAuthorities"]

_LARGEST: Final = 1 << 16
_DEADLINE_S: Final = 20.0
_GRANTED: Final = 0


class Authority:
    """A time-stamping authority at a URL."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise UsageError(f"{url!r} is no http or https URL", hint="Name a time-stamping authority by RFC 3161.")
        self._url = url

    def stamp(self, data: bytes) -> bytes:
        """A time stamp over `data`, of which the authority sees the SHA-256 alone; its chain is checked by the audit.

        Raises:
            UnreachableError: nobody answers, or what answers is no time stamp of this data.
        """
        asked = tsp.TimestampRequestBuilder().data(data).hash_algorithm(tsp.HashAlgorithm.SHA256).build()
        request = urllib.request.Request(  # noqa: S310  the scheme was looked at
            self._url, data=asked.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_DEADLINE_S) as reply:  # noqa: S310
                answer: bytes = reply.read(_LARGEST + 1)
        except (OSError, HTTPException, urllib.error.URLError) as problem:
            raise UnreachableError(f"the time-stamping authority {self._url} does not answer: {problem}") from problem
        response = _decoded(answer)
        if response is None or response.status != _GRANTED:
            raise UnreachableError(f"the time-stamping authority {self._url} gave no time stamp")
        info = response.tst_info
        if info.message_imprint.message != hashlib.sha256(data).digest() or info.nonce != asked.nonce:
            raise UnreachableError(f"the time-stamping authority {self._url} stamped something else than was asked")
        return answer


class TrustedAuthorities:
    """Checks time stamps against certificates from outside the archive: roots, and intermediates as far as needed."""

    def __init__(self, certificates: bytes) -> None:
        """`certificates` are in PEM.

        Raises:
            UsageError: there is no self-signed certificate among them, or they can't be read.
        """
        try:
            known = x509.load_pem_x509_certificates(certificates)
            roots = [each for each in known if each.issuer == each.subject]
            others = [each for each in known if each.issuer != each.subject]
            self._verifier = tsp.VerifierBuilder(roots=roots, intermediates=others).build()
        except ValueError as problem:
            raise UsageError(
                f"the certificates of the time-stamping authority can't be used: {problem}",
                hint="Give a PEM file with the authority's root certificate, and intermediates where there are any.",
            ) from problem

    def check(self, token: bytes, data: bytes) -> Stamped:
        """When `data` was stamped, and by whom; the accuracy that the authority claims is added.

        Raises:
            TamperedError: it is no time stamp over `data` by an authority that is trusted.
        """
        response = _decoded(token)
        if response is None:
            raise TamperedError("it is no time stamp")
        try:
            self._verifier.verify_message(response, data)
        except (tsp.VerificationError, ValueError) as problem:
            raise TamperedError(f"the time stamp is not accepted: {problem}") from problem
        info = response.tst_info
        claimed = cast("Accuracy | None", info.accuracy)  # the library promises one, and not every authority tells it
        slack = (
            timedelta(seconds=claimed.seconds or 0, milliseconds=claimed.millis or 0)
            if claimed is not None
            else timedelta()
        )
        return Stamped(at=info.gen_time.astimezone(UTC) + slack, authority=_name(response))


def _decoded(answer: bytes) -> TimeStampResponse | None:
    if len(answer) > _LARGEST:
        return None
    try:
        return tsp.decode_timestamp_response(answer)
    except ValueError:
        return None


def _name(response: TimeStampResponse) -> str:
    """The subject of the certificate that signed, verified before."""
    (signer,) = response.signed_data.signer_infos
    for each in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(each)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return certificate.subject.rfc4514_string()
    return "an authority without a name"
