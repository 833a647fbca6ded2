"""`attestore export` of a real run, and its envelope believed by the audit and by gpg alone."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pikepdf
import pytest

from certificates import p12
from clusters import running_server
from programme import Desk, at_desk

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with one finished run of two gates."""
    with at_desk(tmp_path_factory.mktemp("desk")) as place, running_server() as server:
        with server.connect() as session:
            session.execute(
                "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i"
            )
        ran = place.attestore(
            "run", "--source", server.conninfo, "--gate", "S9-PROD-003", "--gate", "S9-PROD-004", "--json"
        )
        assert ran.code == 0, ran.out + ran.err
        yield place


@pytest.fixture
def fresh() -> Iterator[dict[str, str]]:
    """The environment of a stranger: an empty keyring, and nothing of ours on PATH."""
    # /tmp, not tmp_path: the socket of gpg's agent must fit 107 bytes
    with tempfile.TemporaryDirectory(prefix="stranger-", dir="/tmp") as place:
        home = Path(place) / "home"
        home.mkdir(mode=0o700)
        yield {"PATH": "/usr/bin:/bin", "GNUPGHOME": str(home), "LC_ALL": "C", "HOME": str(home), "TMPDIR": place}
        for keyring in (home, *Path(place).glob("tmp.*")):
            subprocess.run(
                ["gpgconf", "--homedir", keyring, "--kill", "all"], check=False, timeout=30, capture_output=True
            )


def test_every_format_comes_out_of_the_bundle(desk: Desk) -> None:
    run = desk.bundle().name
    junit = desk.attestore("export", run, "--format", "junit")
    assert (junit.code, junit.err) == (0, "")
    assert junit.out.startswith("<?xml")
    checks = desk.attestore("export", f"reports/{run}", "--format", "csv", "--what", "observations")
    assert next(csv.reader(io.StringIO(checks.out)))[:3] == ["run", "line", "at"]
    written = desk.attestore("export", run, "--format", "oscal", "--output", "ar.json", "--json")
    document = (desk.folder / "ar.json").read_bytes()
    assert (written.result["bytes"], written.result["format"]) == (len(document), "oscal")
    assert {
        f["target"]["target-id"] for r in json.loads(document)["assessment-results"]["results"] for f in r["findings"]
    } == {
        "S9-PROD-003",
        "S9-PROD-004",
    }


def test_an_envelope_is_signed_by_the_operator_and_believed_by_the_audit(desk: Desk) -> None:
    made = desk.attestore("export", desk.bundle().name, "--format", "dsse", "--output", "run.dsse")
    assert made.code == 0, made.err
    audited = desk.attestore("audit", "run.dsse", "--json")
    assert (audited.code, audited.result["clean"]) == (0, True), audited.out
    forged = json.loads((desk.folder / "run.dsse").read_bytes())
    forged["payload"] = forged["payload"][:-8] + "AAAA" + forged["payload"][-4:]
    (desk.folder / "forged.dsse").write_text(json.dumps(forged, sort_keys=True, separators=(",", ":")) + "\n")
    assert desk.attestore("audit", "forged.dsse").code == 4


def test_the_page_for_auditors_checks_an_envelope_with_gpg_and_jq_alone(desk: Desk, fresh: dict[str, str]) -> None:
    page = (ROOT / "docs/for-auditors.md").read_text()
    (block,) = re.findall(r"^```bash\n(# an exported envelope.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert desk.attestore("export", desk.bundle().name, "--format", "dsse", "--output", "run.dsse").code == 0
    roster = desk.folder / ".attestore" / "roster.yaml"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"sed 's/^ *//' '{roster}' | gpg --quiet --import; {block}"],
        cwd=desk.folder,
        env=fresh | {"RUN": desk.bundle().name},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    operator = json.loads((desk.bundle() / "statement.json").read_bytes())["predicate"]["operator"]
    assert re.search(rf"^\[GNUPG:\] VALIDSIG .* {operator}$", done.stdout, re.MULTILINE)


def followed(page: Path, *, where: Path, fresh: dict[str, str], roster: Path) -> subprocess.CompletedProcess[str]:
    """Every block of a page in its order, in one shell that stops at the first failure."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    script = "".join(block for block in blocks if "exported" not in block)
    script = script.replace("/from/elsewhere/roster.yaml", f"'{roster}'").replace("cd reports/<run-id>\n", "")
    script = script.replace("gpg --import operator.asc", f"sed 's/^ *//' '{roster}' | gpg --import")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=where, env=fresh, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("page", ["VERIFY.md", "docs/for-auditors.md"])
def test_a_stranger_follows_the_page_to_its_end(desk: Desk, fresh: dict[str, str], page: str) -> None:
    bundle, roster = desk.bundle(), desk.folder / ".attestore" / "roster.yaml"
    done = followed((bundle if page == "VERIFY.md" else ROOT) / page, where=bundle, fresh=fresh, roster=roster)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert (done.stdout + done.stderr).count("Good signature") + done.stdout.count("GOODSIG") >= 5


@pytest.mark.parametrize(
    ("page", "name", "edit"),
    [
        ("VERIFY.md", "S9-PROD-004.pdf", lambda text: text + b"\n%%EOF\n"),
        ("VERIFY.md", "../ledger.jsonl", lambda text: text.replace(b"PASS", b"FAIL")),
        ("docs/for-auditors.md", "../checkpoint", lambda text: text.replace(b'"count":', b'"count":1')),
    ],
    ids=["PDF saved again", "last entry of the ledger edited", "checkpoint edited"],
)
def test_a_stranger_is_stopped_by_what_was_done_to_a_bundle(
    desk: Desk, fresh: dict[str, str], tmp_path: Path, page: str, name: str, edit: Callable[[bytes], bytes]
) -> None:
    copy = shutil.copytree(desk.reports, tmp_path / "reports") / desk.bundle().name
    text = (copy / page if page == "VERIFY.md" else ROOT / page).read_text()
    (tmp_path / "page.md").write_text(text)
    changed = copy / name
    changed.write_bytes(edit(changed.read_bytes()))
    done = followed(tmp_path / "page.md", where=copy, fresh=fresh, roster=desk.folder / ".attestore" / "roster.yaml")
    assert done.returncode != 0


def test_a_pdf_is_certified_for_viewers_and_stays_what_it_was(desk: Desk) -> None:
    (desk.folder / "office.p12").write_bytes(p12("opens-it"))
    words = ("export", desk.bundle().name, "--format", "pades", "--what", "S9-PROD-004", "--certificate", "office.p12")
    refused = desk.attestore(*words, "--passphrase", "opens-it")
    assert (refused.code, "opens-it" in refused.out + refused.err) == (2, False)
    made = desk.attestore(*words, "--passphrase", "env:P12", "-o", "signed.pdf", environment={"P12": "opens-it"})
    assert made.code == 0, made.err
    printed, signed = (path.read_bytes() for path in (desk.bundle() / "S9-PROD-004.pdf", desk.folder / "signed.pdf"))
    assert signed.startswith(printed)
    with pikepdf.open(io.BytesIO(printed)) as ours, pikepdf.open(io.BytesIO(signed)) as theirs:
        assert theirs.open_metadata().pdfa_status == ours.open_metadata().pdfa_status != ""
        assert {name: bytes(each.get_file().read_bytes()) for name, each in theirs.attachments.items()} == {
            name: bytes(each.get_file().read_bytes()) for name, each in ours.attachments.items()
        }
    page = (ROOT / "docs/for-auditors.md").read_text()
    (block,) = re.findall(r"^```bash\n(# an exported PDF.*?)^```$", page, re.MULTILINE | re.DOTALL)
    environment = {"PATH": "/usr/bin:/bin", "RUN": desk.bundle().name}
    compared = block.replace("summary.pdf", "S9-PROD-004.pdf")
    assert not subprocess.run(
        ["bash", "-ec", compared], cwd=desk.folder, env=environment, check=True, capture_output=True
    ).stdout
    audited = desk.attestore("audit", "signed.pdf")
    assert audited.code == 0, audited.out
    assert hashlib.sha256(printed).hexdigest() in audited.out.replace("\n", "")
    (desk.folder / "signed.pdf").write_bytes(signed + b"\n")
    assert desk.attestore("audit", "signed.pdf").code == 4


def test_without_a_key_an_envelope_is_refused_and_nothing_is_made(desk: Desk, tmp_path: Path) -> None:
    refused = desk.attestore("export", desk.bundle().name, "--format", "dsse", "--home", str(tmp_path / "nobody"))
    assert (refused.code, refused.out) == (71, "")
    assert "there is no operator's key" in refused.err
    assert not (tmp_path / "nobody").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("no-such-run", "--format", "csv"), "there is no run"),
        (("{run}", "--format", "yaml"), "yaml"),
        (("{run}", "--format", "csv", "--what", "all"), "all"),
        (("{run}", "--format", "csv", "--json"), "--output"),
    ],
)
def test_what_cannot_be_meant_is_refused(desk: Desk, arguments: tuple[str, ...], word: str) -> None:
    refused = desk.attestore("export", *(each.replace("{run}", desk.bundle().name) for each in arguments))
    assert refused.code == 2
    assert word in refused.err
