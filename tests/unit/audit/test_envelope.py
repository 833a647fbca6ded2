"""An envelope is believed for the roster's sake, and for nothing that it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from attestore.audit import Findings, audit_envelope
from attestore.report.exports import Envelope, Seal, encode_envelope
from bundles import AUDITED, GLASS, MIRA, REVIEWER, ROSTER, STRANGER, TOMAS, Draft, Pen, issue


def sealed(payload: bytes, *pens: Pen) -> Envelope:
    signed = Envelope(payload).signed
    return Envelope(payload, tuple(Seal(pen.fingerprint, pen.signature(signed)) for pen in pens))


def audited(data: bytes, folder: Path) -> Findings:
    def aside(data: bytes) -> Path:
        (folder / "aside").write_bytes(data)
        return folder / "aside"

    return audit_envelope(data, name="run.dsse", roster=ROSTER, verifier=GLASS, at=AUDITED, aside=aside)


@pytest.fixture
def statement(tmp_path: Path) -> bytes:
    return (issue(tmp_path / "reports", Draft()) / "statement.json").read_bytes()


def test_an_envelope_by_the_operator_is_clean_and_says_what_it_holds(tmp_path: Path, statement: bytes) -> None:
    found = audited(encode_envelope(sealed(statement, MIRA, TOMAS)), tmp_path)
    assert found.problems == ()
    assert any("S9-PROD-004 PASS" in line.sentence for line in found.lines)


@pytest.mark.parametrize(
    ("forge", "word"),
    [
        (lambda text: sealed(text, STRANGER), "no good signature"),
        (lambda text: sealed(text, REVIEWER), "no operator"),
        (lambda text: sealed(text, MIRA, STRANGER), "no good signature"),
        (lambda text: sealed(text, MIRA, MIRA), "two of one key"),
        (lambda text: Envelope(text.replace(b"PASS", b"FAIL"), sealed(text, MIRA).seals), "no good signature"),
        (lambda text: Envelope(text, (Seal(MIRA.fingerprint, MIRA.signature(text)),)), "no good signature"),
        (lambda text: Envelope(text, (Seal(TOMAS.fingerprint, sealed(text, MIRA).seals[0].signature),)), "keyid says"),
        (lambda _: sealed(b"{}", MIRA), "not a statement"),
        (Envelope, "not signed"),
        (lambda text: Envelope(text, (Seal(MIRA.fingerprint, b"no armour"),)), "armoured"),
    ],
    ids=[
        "a stranger", "an approver", "a stranger beside the operator", "one key twice", "another payload",
        "the detached signature of the bundle", "another keyid", "another document", "nobody", "no signature",
    ],
)  # fmt: skip
def test_anything_else_is_a_problem(
    tmp_path: Path, statement: bytes, forge: Callable[[bytes], Envelope], word: str
) -> None:
    problems = audited(encode_envelope(forge(statement)), tmp_path).problems
    assert any(word in line.sentence for line in problems), problems
