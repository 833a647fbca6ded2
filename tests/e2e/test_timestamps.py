"""A third party says when a bundle existed: real openssl stamps, and years later the stamp speaks for a key that has ended."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attestore import compose
from attestore.adapters.timestamps import Authority, TrustedAuthorities
from attestore.archive import add_stamp
from attestore.audit import Findings, audit
from attestore.cli.cycle import Order, _stamp
from attestore.errors import ArchiveError, TamperedError, UnreachableError, UsageError
from authorities import Local, authority
from bundles import MIRA, ROSTER, RUN, Draft, Glass, Pen, issue

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=3650)
START = NOW - timedelta(minutes=2)
EXPIRED = Glass(Pen("mira", expires=NOW + timedelta(days=30)))
STOLEN = Glass(Pen("mira", revoked=NOW + timedelta(days=30), reason="compromised"))
STOLEN_BEFORE = Glass(Pen("mira", revoked=NOW - timedelta(seconds=30), reason="compromised"))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with authority(tmp_path_factory.mktemp("tsa") / "here") as running:
        yield running


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with authority(tmp_path_factory.mktemp("tsa") / "there") as running:
        yield running


@pytest.fixture(scope="module")
def stamped(local: Local, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = issue(tmp_path_factory.mktemp("stamped") / "reports", Draft(start=START))
    compose.stamp(folder, authority=local.url)
    return folder


@pytest.fixture
def folder(stamped: Path, tmp_path: Path) -> Path:
    return shutil.copytree(stamped, tmp_path / "reports" / RUN)


def looked(folder: Path, glass: Glass, trusted: Local | None) -> Findings:
    stamps = None if trusted is None else TrustedAuthorities(trusted.root.read_bytes())
    return audit(folder, roster=ROSTER, verifier=glass, at=LATER, stamps=stamps)


@pytest.mark.parametrize(("glass", "word"), [(EXPIRED, "expired"), (STOLEN, "revoked")])
def test_years_later_a_stamp_speaks_for_a_key_that_has_ended_since(
    glass: Glass, word: str, folder: Path, local: Local
) -> None:
    findings = looked(folder, glass, local)
    assert findings.problems == ()
    lines = [line.sentence for line in findings.lines]
    assert any("CN=Clock of the test says that the signature of SHA256SUMS" in line for line in lines)
    assert any(word in line and "a time stamp of CN=Clock of the test proves" in line for line in lines)


def test_openssl_alone_checks_it_as_the_page_for_auditors_says(folder: Path, local: Local) -> None:
    words = ("-data", "SHA256SUMS.asc", "-in", "SHA256SUMS.asc.tsr", "-CAfile", str(local.root))
    done = subprocess.run(["openssl", "ts", "-verify", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Verification: OK"), done.stderr


def test_a_stamp_after_the_theft_proves_nothing(folder: Path, local: Local) -> None:
    assert any("proves only that it existed" in line.sentence for line in looked(folder, STOLEN_BEFORE, local).problems)


def test_a_stamp_whose_authority_nobody_trusts_counts_for_nothing_and_it_is_said(folder: Path, other: Local) -> None:
    unasked = looked(folder, EXPIRED, None)
    assert any("--tsa-ca" in line.sentence for line in unasked.lines)
    assert any("its key expired" in line.sentence for line in unasked.problems)
    strange = looked(folder, EXPIRED, other)
    assert any(line.check == "time stamp" and "not accepted" in line.sentence for line in strange.problems)
    assert any("its key expired" in line.sentence for line in strange.problems)


def test_a_stamp_that_was_taken_away_leaves_the_bundle_clean_while_its_key_is_in_force(
    folder: Path, local: Local
) -> None:
    (folder / "SHA256SUMS.asc.tsr").unlink()
    assert looked(folder, Glass(MIRA), local).problems == ()
    assert looked(folder, EXPIRED, local).problems != ()


def test_a_stamp_says_nothing_of_files_that_the_sums_do_not_list(folder: Path, local: Local) -> None:
    (folder / "summary.md").write_bytes(b"PASS\n")
    MIRA.at(START).sign(folder / "summary.md")
    assert any("its key expired" in line.sentence for line in looked(folder, EXPIRED, local).problems)


@pytest.mark.parametrize("change", ["another", "cut", "flipped", "empty"])
def test_a_stamp_of_something_else_is_refused(change: str, folder: Path, local: Local) -> None:
    path = folder / "SHA256SUMS.asc.tsr"
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(
        {
            "another": Authority(local.url).stamp(b"another signature"),
            "cut": data[:-20],
            "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "empty": b"",
        }[change]
    )
    assert [line.check for line in looked(folder, Glass(MIRA), local).problems] == ["time stamp"]


def test_an_authority_that_is_away_or_refuses_adds_nothing(tmp_path: Path, local: Local) -> None:
    folder = issue(tmp_path)
    for url in ("http://127.0.0.1:9/", f"{local.url}refuse"):
        with pytest.raises(UnreachableError, match="time-stamping authority"):
            compose.stamp(folder, authority=url)
    assert not (folder / "SHA256SUMS.asc.tsr").exists()
    with pytest.raises(UsageError):
        compose.stamp(folder, authority="file:///etc/passwd")


def test_a_bundle_is_stamped_once(folder: Path, local: Local) -> None:
    with pytest.raises(ArchiveError, match="there already"):
        add_stamp(folder, Authority(local.url).stamp)


def test_what_is_no_certificate_is_a_usage_error(local: Local) -> None:
    for given in (
        b"",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        (local.root.parent / "tsa.pem").read_bytes(),
    ):
        with pytest.raises(UsageError):
            TrustedAuthorities(given)


def test_a_stamp_that_is_no_stamp_is_tampered(local: Local) -> None:
    with pytest.raises(TamperedError):
        TrustedAuthorities(local.root.read_bytes()).check(b"\x30\x00", b"data")


def test_a_run_that_has_ended_is_not_undone_by_an_authority_that_is_away(tmp_path: Path, local: Local) -> None:
    folder, said = issue(tmp_path), list[str]()
    for url in ("http://127.0.0.1:9/", local.url, ""):
        _stamp(Order(reports=tmp_path, home=tmp_path, timestamp=url), folder=folder, say=said.append)
    assert len(said) == 2
    assert said[0].startswith("No time stamp: the time-stamping authority http://127.0.0.1:9/ does not answer")
    assert f"attestore timestamp {folder}" in said[0]
    assert said[1] == f"Time-stamped by {local.url}."
    assert (folder / "SHA256SUMS.asc.tsr").is_file()
