"""What a newcomer gets: one command, a signed bundle, and checks that need nothing of ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from authorities import authority
from programme import Desk, Ran, at_desk


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Ran]]:
    with at_desk(tmp_path_factory.mktemp("demo"), keys=False) as desk:
        # variables of somebody else's server are in the environment of many who try this first
        elsewhere = {"PGPASSWORD": "not ours", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGDATABASE": "production"}
        yield desk, desk.attestore("demo", environment=elsewhere)


def test_the_demo_passes_both_gates(demo: tuple[Desk, Ran]) -> None:
    _, ran = demo
    assert ran.code == 0, ran.err
    assert len(re.findall(r"✔ PASS", ran.out)) == 2
    assert "FAIL" not in ran.out
    assert "RTO" in ran.out


def test_the_demo_fits_a_terminal_of_80_columns(demo: tuple[Desk, Ran]) -> None:
    _, ran = demo
    paths = re.compile(r"\S*reports/\S+")
    assert [line for line in ran.out.splitlines() if len(paths.sub("", line).rstrip()) > 80] == []


def test_the_demo_leaves_nothing_in_tmp(demo: tuple[Desk, Ran]) -> None:
    desk, _ = demo
    assert desk.left_behind() == []


def test_the_printed_commands_verify_the_bundle_without_us(demo: tuple[Desk, Ran], tmp_path: Path) -> None:
    """The commands of VERIFY.md, in a keyring that holds nothing but the roster's key."""
    desk, _ = demo
    bundle = desk.bundle()
    roster = (desk.folder / ".attestore" / "roster.yaml").read_text()
    block = re.search(r"-----BEGIN PGP.*?END PGP PUBLIC KEY BLOCK-----", roster, re.DOTALL)
    assert block is not None
    (tmp_path / "key.asc").write_text(re.sub(r"^ +", "", block.group(), flags=re.MULTILINE) + "\n")
    home = Path("/tmp") / f"verify-{tmp_path.name}-{bundle.name[-6:]}"
    home.mkdir(mode=0o700)
    try:
        gpg = ["gpg", "--homedir", str(home), "--batch", "--no-autostart"]
        subprocess.run([*gpg, "--import", str(tmp_path / "key.asc")], check=True, capture_output=True)
        for name in ("SHA256SUMS", "statement.json", "S9-PROD-004.pdf", "summary.md"):
            subprocess.run([*gpg, "--verify", f"{name}.asc", name], cwd=bundle, check=True, capture_output=True)
        subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=bundle, check=True, capture_output=True)
        with (bundle / "S9-PROD-004.md").open("a") as report:
            report.write(" ")
        broken = subprocess.run(
            ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=bundle, check=False, capture_output=True
        )
        assert broken.returncode == 1
        with (bundle / "S9-PROD-004.md").open("rb+") as report:
            report.truncate((bundle / "S9-PROD-004.md").stat().st_size - 1)
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


def test_an_auditor_may_read_every_file_of_the_bundle(demo: tuple[Desk, Ran]) -> None:
    desk, _ = demo
    closed = [path.name for path in desk.bundle().rglob("*") if path.is_file() and path.stat().st_mode & 0o044 != 0o044]
    assert closed == []


def test_the_audit_after_the_demo_is_clean(demo: tuple[Desk, Ran]) -> None:
    desk, _ = demo
    ran = desk.attestore("audit", "reports", "--json")
    assert ran.code == 0, ran.out
    assert ran.result["clean"] is True
    assert len(ran.result["lines"]) > 20


def test_a_forensic_reader_of_the_demos_reports_finds_nothing(demo: tuple[Desk, Ran]) -> None:
    """Statements that were really executed stand in them, and must not look like estimates that are sold as counts."""
    desk, _ = demo
    reports = sorted(str(path) for path in desk.bundle().glob("*.md") if path.name != "VERIFY.md")
    assert len(reports) == 3
    for path in reports:
        ran = desk.attestore("claims", path)
        assert ran.code == 0, ran.out


def test_years_later_a_kept_report_and_a_time_stamp_speak_for_it(demo: tuple[Desk, Ran], tmp_path: Path) -> None:
    """The demo's key expires after two years; by then only somebody else's word about the time makes it count."""
    desk, _ = demo
    reports = shutil.copytree(desk.reports, tmp_path / "reports")
    (bundle,) = [path for path in reports.iterdir() if path.name == min(each.name for each in reports.glob("2*"))]
    today = datetime.now(UTC)
    late = f"{today + timedelta(days=3650):%Y-%m-%d}"
    with authority(tmp_path / "tsa") as local:
        away = desk.attestore("timestamp", str(bundle), "--authority", f"{local.url}refuse")
        assert (away.code, "gave no time stamp" in away.err) == (64, True)
        assert desk.attestore("timestamp", str(bundle), "--authority", local.url).code == 0
    bare = desk.attestore("audit", str(bundle), "--at", late, "--json")
    assert bare.code == 4
    assert any("its key expired" in line["sentence"] for line in bare.result["lines"])
    stamped = desk.attestore("audit", str(bundle), "--at", late, "--tsa-ca", str(local.root))
    assert stamped.code == 0, stamped.out
    assert "while it was valid" in " ".join(stamped.out.split())
    kept = f"{bundle / 'summary.pdf'}@{today:%Y-%m-%d}"
    anchored = desk.attestore("audit", str(reports), "--anchor", kept)
    assert anchored.code == 0, anchored.out
    assert "here it is the same" in " ".join(anchored.out.split())
    assert desk.attestore("audit", str(reports), "--at", "tomorrow").code == 2


@pytest.mark.parametrize("gate", ["S9-PROD-003", "S9-PROD-004", "summary"])
def test_the_pdf_names_the_run_on_every_page_and_carries_the_evidence(demo: tuple[Desk, Ran], gate: str) -> None:
    desk, _ = demo
    bundle = desk.bundle()
    document = PdfReader(bundle / f"{gate}.pdf")
    texts = [page.extract_text() for page in document.pages]
    assert all(bundle.name in text for text in texts)
    assert {name: data[0] for name, data in document.attachments.items()}["journal.jsonl"] == (
        bundle / "journal.jsonl"
    ).read_bytes()


SEEDS_FIGURES = {
    "tables": "10",
    "rows": "7,305",
    "users": "100",
    "sessions": "187",
    "images": "500",
    "image_variants": "2,000",
    "albums": "50",
    "album_images": "342",
    "tags": "100",
    "image_tags": "847",
    "likes": "2,156",
    "comments": "1,023",
}

EDGES = ("unicode", "null", "empty", "soft", "revoked", "infected", "orphan", "500", "special", "microsecond")


def test_each_figure_of_a_hand_written_summary_has_a_measured_counterpart(demo: tuple[Desk, Ran]) -> None:
    desk, _ = demo
    report = (desk.bundle() / "S9-PROD-004.md").read_text().replace("\\", "").replace("\u202f", ",")
    for name, figure in SEEDS_FIGURES.items():
        assert figure in report, name
    for phase in (
        "Backup download",
        "Decryption",
        "Database preparation",
        "Schema restoration",
        "Data restoration",
        "Index",
        "Finalization",
    ):
        assert phase in report, phase
    for word in ("SHA-256", "Foreign keys", "trigger", "function", "constraint", "index"):
        assert word in report, word
    for edge in EDGES:
        assert edge in report.lower(), edge


def test_a_second_demo_continues_the_ledger(demo: tuple[Desk, Ran]) -> None:
    desk, _ = demo
    ran = desk.attestore("demo", "--json")
    assert ran.code == 0, ran.err
    assert ran.result["outcome"] == "PASS"
    assert desk.attestore("audit", "reports", "--json").result["clean"] is True
