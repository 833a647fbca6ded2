"""`attestore export` of a real run, and its envelope believed by the audit and by gpg alone."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

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
        assert ran.result["gates"][0]["outcome"] == "PASS", ran.out + ran.err
        yield place


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


def test_the_page_for_auditors_checks_an_envelope_with_gpg_and_jq_alone(desk: Desk, tmp_path: Path) -> None:
    page = (ROOT / "docs/for-auditors.md").read_text()
    (block,) = re.findall(r"^```bash\n(# an exported envelope.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert desk.attestore("export", desk.bundle().name, "--format", "dsse", "--output", "run.dsse").code == 0
    (tmp_path / "home").mkdir(mode=0o700)
    roster = desk.folder / ".attestore" / "roster.yaml"
    script = f"sed 's/^ *//' '{roster}' | gpg --quiet --import; {block}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=desk.folder,
        env={"PATH": "/usr/bin:/bin", "GNUPGHOME": str(tmp_path / "home"), "LC_ALL": "C", "RUN": desk.bundle().name},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    subprocess.run(["gpgconf", "--homedir", tmp_path / "home", "--kill", "all"], check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    operator = json.loads((desk.bundle() / "statement.json").read_bytes())["predicate"]["operator"]
    assert re.search(rf"^\[GNUPG:\] VALIDSIG .* {operator}$", done.stdout, re.MULTILINE)


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
