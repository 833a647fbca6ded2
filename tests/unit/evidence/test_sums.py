from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import canon
from attestore.errors import TamperedError
from attestore.evidence import sums

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."}
)
DIGESTS = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")


@given(st.dictionaries(NAMES, DIGESTS))
def test_what_is_written_is_read_back(digests: dict[str, str]) -> None:
    assert sums.parse(sums.build(digests)) == digests


@pytest.mark.parametrize("name", ["plain.json", "two words", "back\\slash", "new\nline", "re\rturn", "имя", "-c", "*x"])
def test_sha256sum_accepts_every_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"content")
    (tmp_path / "SHA256SUMS").write_bytes(sums.build({name: canon.sha256_hex(b"content")}))
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_sha256sum_refuses_a_changed_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"changed")
    (tmp_path / "SHA256SUMS").write_bytes(sums.build({"a": canon.sha256_hex(b"content")}))
    assert subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False).returncode


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"0" * 64 + b"  a", "form"),
        (b"0" * 64 + b" *a\n", "two spaces"),
        (b"0" * 63 + b"  a\n", "two spaces"),
        (b"A" * 64 + b"  a\n", "two spaces"),
        (b"0" * 64 + b"  b\n" + b"0" * 64 + b"  a\n", "sorted"),
        ((b"0" * 64 + b"  a\n") * 2, "twice"),
        (b"0" * 64 + b"  ../a\n", "not a path inside"),
        (b"0" * 64 + b"  /a\n", "not a path inside"),
        (b"0" * 64 + b"  a//b\n", "not a path inside"),
        (b"0" * 64 + b"  a\\b\n", "form"),
        (b"\\" + b"0" * 64 + b"  a\n", "form"),
        (b"# all is well\n", "two spaces"),
        (b"\xff\n", "UTF-8"),
    ],
)
def test_anything_else_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(TamperedError, match=says):
        sums.parse(data)
