"""Any change of one byte of any file is noticed, and the line names the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bundles import RUN, audited, issue

NAMES = (
    "S9-PROD-004.md",
    "S9-PROD-004.md.asc",
    "S9-PROD-004.pdf",
    "S9-PROD-004.pdf.asc",
    "SHA256SUMS",
    "SHA256SUMS.asc",
    "VERIFY.md",
    "context.json",
    "gates/S9-PROD-004.yaml",
    "journal.jsonl",
    "manifest.json",
    "manifest.json.asc",
    "proof.restored.json",
    "proof.source.json",
    "statement.json",
    "statement.json.asc",
    "summary.md",
    "summary.md.asc",
    "summary.pdf",
    "summary.pdf.asc",
    "templates/fonts.sha256",
    "templates/report.css",
    "templates/report.html.j2",
    "templates/report.md.j2",
    "verdict.json",
)
# Nothing lists these, so their own signature and form must give every byte away: every byte is tried.
EACH = ("SHA256SUMS", "SHA256SUMS.asc", "statement.json.asc")
FLIPS = 12


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    reports = tmp_path_factory.mktemp("sealed") / "reports"
    issue(reports)
    return reports


def lines(path: Path) -> set[tuple[str, str, str]]:
    return {(line.check, line.subject, line.sentence) for line in audited(path).problems}


def names(file: str, said: set[tuple[str, str, str]]) -> bool:
    return any(file in subject + sentence for _, subject, sentence in said)


def offsets(size: int, count: int) -> list[int]:
    """`count` places spread over a file, its first and last byte among them."""
    return sorted({at * (size - 1) // (count - 1) for at in range(count)})


def flip(path: Path, at: int) -> bytes:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << at % 8
    return bytes(data)


def test_the_small_bundle_holds_exactly_these_files(sealed: Path) -> None:
    folder = sealed / RUN
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_byte_is_noticed(name: str, sealed: Path, tmp_path: Path) -> None:
    """Without templates nothing is rendered again, which takes long and is not what notices; a flip must add a line."""
    shutil.copytree(sealed / RUN, tmp_path / RUN)
    if not name.startswith("templates/"):
        shutil.rmtree(tmp_path / RUN / "templates")
    path = tmp_path / RUN / name
    whole, known = path.read_bytes(), lines(tmp_path / RUN)
    for at in offsets(len(whole), FLIPS):
        path.write_bytes(flip(path, at))
        assert names(name, lines(tmp_path / RUN) - known), at
        path.write_bytes(whole)


@pytest.mark.parametrize("name", EACH)
def test_each_byte_of_what_is_signed_counts(name: str, sealed: Path, tmp_path: Path) -> None:
    """Only the signed file and its signature are there, so that thousands of audits are quick; a flip must add a line."""
    signed = name.removesuffix(".asc")
    (tmp_path / RUN).mkdir()
    for file in (signed, f"{signed}.asc"):
        shutil.copy(sealed / RUN / file, tmp_path / RUN / file)
    path = tmp_path / RUN / name
    whole, known = path.read_bytes(), lines(tmp_path / RUN)
    for at in range(len(whole)):
        path.write_bytes(flip(path, at))
        assert names(signed, lines(tmp_path / RUN) - known), at
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["ledger.jsonl", "checkpoint", "checkpoint.asc"])
def test_each_byte_of_the_ledger_counts(name: str, sealed: Path, tmp_path: Path) -> None:
    """Without its bundles the folder is unclean from the start; a flip must add a line of its own."""
    for file in ("ledger.jsonl", "checkpoint", "checkpoint.asc"):
        shutil.copy(sealed / file, tmp_path / file)
    path = tmp_path / name
    whole, known = path.read_bytes(), lines(tmp_path)
    for at in range(len(whole)):
        path.write_bytes(flip(path, at))
        assert lines(tmp_path) - known, at
        path.write_bytes(whole)
