"""A PDF signed for viewers: what was printed stays as it was, and whatever is done to the file afterwards is named."""

from __future__ import annotations

import io
from collections.abc import Callable

import pikepdf
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from attestore import canon
from attestore.adapters.pades import Pades
from attestore.audit import audit_pdf
from attestore.audit.pdf import attachments
from attestore.errors import KeyringError, PrintError
from bundles import carrier
from certificates import p12

CARRIED = {"journal.jsonl": b"{}\n", "verdict.json": b'{"outcome":"FAIL"}'}


@pytest.fixture(scope="module")
def printed() -> bytes:
    return carrier(CARRIED)


@pytest.fixture(scope="module")
def signed(printed: bytes) -> bytes:
    return Pades(p12("open"), passphrase=b"open").certify(printed, reason="evidence")


def problems(data: bytes) -> list[str]:
    return [line.sentence for line in audit_pdf(data, name="summary.pdf").problems]


def test_a_certified_pdf_holds_the_printed_bytes_in_front_and_is_clean(printed: bytes, signed: bytes) -> None:
    assert signed.startswith(printed)
    assert attachments(signed) == CARRIED
    found = audit_pdf(signed, name="summary.pdf")
    assert found.problems == ()
    assert any(canon.sha256_hex(printed) in line.sentence for line in found.lines)


def test_another_programme_says_the_same(signed: bytes) -> None:
    (embedded,) = PdfFileReader(io.BytesIO(signed)).embedded_signatures
    status = validate_pdf_signature(embedded, ValidationContext(trust_roots=[embedded.signer_cert]))
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert (status.intact, status.valid, status.docmdp_ok) == (True, True, True)


def saved_again(data: bytes) -> bytes:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        document.attachments["more.txt"] = b"added"
        document.save(made)
    return made.getvalue()


def appended(data: bytes) -> bytes:
    """An incremental save: what was signed stays as it is, and something is put behind it."""
    return data + b"\n1 0 obj\n<<>>\nendobj\n" + data[data.rfind(b"startxref") :]


def wider_gap(data: bytes) -> bytes:
    """The byte range leaves out more than the signature: room for something that nobody signed."""
    start = data.rfind(b"/ByteRange")
    return data[:start] + data[start:].replace(b"[0 ", b"[8 ", 1)


def allowing(data: bytes) -> bytes:
    return data.replace(b"/P 1", b"/P 3")


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (appended, "saved again after it was signed"),
        (lambda data: data + b"\n", "saved again after it was signed"),
        (saved_again, "leaves out more|saved again|was cut"),
        (wider_gap, "leaves out more than the signature"),
        (allowing, "allows changes"),
        (lambda _: carrier(CARRIED), "0 signatures"),
        (lambda data: data[:-4000], "was cut|cannot be read|0 signatures"),
        (lambda _: b"%PDF-1.7\n", "cannot be read"),
    ],
    ids=["incremental save", "one byte more", "saved by an editor", "wider gap", "allows changes", "not signed", "cut", "no PDF"],
)  # fmt: skip
def test_whatever_is_done_to_it_is_named(signed: bytes, edit: Callable[[bytes], bytes], word: str) -> None:
    told = "\n".join(problems(edit(signed)))
    assert any(each in told for each in word.split("|")), told


def test_what_cannot_be_signed_is_refused(signed: bytes) -> None:
    with pytest.raises(KeyringError, match="PKCS #12"):
        Pades(p12("open"), passphrase=b"wrong")
    pades = Pades(p12("open"), passphrase=b"open")
    for pdf in (b"no pdf", signed):
        with pytest.raises(PrintError, match="can't be signed"):
            pades.certify(pdf, reason="evidence")
