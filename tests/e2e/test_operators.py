"""What operators look at between runs: doctor and list, on a server as managed services give it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres.cluster import Cluster
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.errors import MissingProgramError, PrivilegeError, UnreachableError
from clusters import installation
from programme import Desk, at_desk

MANAGED = """
CREATE ROLE postgres LOGIN CREATEROLE CREATEDB PASSWORD 'canary';
GRANT pg_read_all_data TO postgres;
CREATE TABLE items (id int PRIMARY KEY, word text NOT NULL);
ALTER TABLE items OWNER TO postgres;
INSERT INTO items SELECT n, 'word ' || n FROM generate_series(1, 100) n;
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with at_desk(tmp_path) as place:
        yield place


@pytest.fixture(scope="module")
def managed() -> Iterator[str]:
    """A database whose role `postgres` is no superuser."""
    with (
        TemporaryWorkspace(Path("/tmp")) as workspace,
        Cluster(
            installation(),
            workspace=workspace,
            runner=Runner(),
            settings={"fsync": "off"},
            superuser="cloudadmin",
        ) as cluster,
    ):
        with cluster.connection.connect() as session:
            session.execute("CREATE DATABASE app TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        with cluster.connection.on("app").connect() as session:
            session.execute(MANAGED.encode())
        yield cluster.connection.on("app").conninfo


def test_a_role_postgres_that_is_no_superuser_is_restored_as_what_it_is(desk: Desk, managed: str) -> None:
    ran = desk.attestore("run", "--source", managed, "--gate", "S9-PROD-004", "--json")
    assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err
    listed = desk.attestore("list")
    assert (listed.code, listed.err) == (0, "")
    assert all(len(line) <= 80 for line in listed.out.splitlines())
    assert "signed by Olga Operator, the signature holds" in listed.out
    assert f"by {ran.result['run']}" in listed.out
    told = desk.attestore("list", "--system", "app", "--json")
    assert '"outcome":"PASS"' in told.out
    assert desk.attestore("list", "--system", "nobody").out == ""
    away = desk.attestore("list", "--store", "not-mounted")
    assert (away.code, away.out) == (70, "")
    assert "not-mounted" in away.err
    journal = (desk.bundle() / "journal.jsonl").read_text()
    assert "source: tables readable" in journal
    assert "target: features" in journal


def test_doctor_tells_what_is_fine_and_what_stands_in_the_way(desk: Desk, managed: str) -> None:
    fine = desk.attestore("doctor", "--source", managed)
    assert fine.code == 0, fine.out + fine.err
    assert all(len(line) <= 80 for line in fine.out.splitlines())
    for words in (
        "printer: WeasyPrint",
        "signing key expires",
        "tables readable: 1 table",
        "nothing stands in the way",
    ):
        assert words in fine.out
    poor = desk.attestore("doctor", "--source", managed, "--into", managed, "--json")
    assert poor.code == 2, poor.out + poor.err
    (problem,) = [each for look in poor.result["looks"] for each in look["problems"]]
    assert problem["error"] == "PlanError"
    away = desk.attestore("doctor", "--source", "host=/nonexistent dbname=app")
    assert away.code == UnreachableError.exit_code
    assert "Try:" in away.out


def test_doctor_makes_no_store_and_says_who_will(desk: Desk, tmp_path: Path) -> None:
    store = tmp_path / "elsewhere" / "store"
    fine = desk.attestore("doctor", "--store", str(store))
    assert "is not there yet" in fine.out
    assert "it will be made on first use" in fine.out
    assert not store.parent.exists()
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    poor = desk.attestore("doctor", "--store", str(in_the_way / "store"))
    assert poor.code != 0
    assert "no folder can be made in" in " ".join(poor.out.split())
    store.mkdir(parents=True)
    assert "round trip of a nonce" in desk.attestore("doctor", "--store", str(store)).out
    assert desk.attestore("doctor", "--system", "app").code == 2, "an option that would do nothing is none"


def test_doctor_misses_gpg_before_the_first_run_does(tmp_path: Path) -> None:
    """Nobody has a keyring yet who has just installed this."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "setpriv").symlink_to(str(shutil.which("setpriv")))
    with at_desk(tmp_path / "desk", keys=False) as new:
        fine = new.attestore("doctor")
        assert (fine.code, "the first run makes keys" in " ".join(fine.out.split())) == (0, True), fine.out
        poor = new.attestore("doctor", environment={"PATH": str(tmp_path / "bin")})
        assert poor.code == MissingProgramError.exit_code, poor.out
        assert "gpg (GnuPG) is not on this machine" in poor.out


def test_doctor_lists_every_privilege_that_is_missing(desk: Desk, managed: str) -> None:
    with_role = managed.replace("user=cloudadmin", "user=weak")
    assert with_role != managed
    with psycopg.connect(managed, autocommit=True) as session:
        session.execute("CREATE ROLE weak LOGIN PASSWORD 'x'")
        session.execute("CREATE SEQUENCE counter")
    ran = desk.attestore("doctor", "--source", with_role, "--json", environment={"PGPASSWORD": "x"})
    assert ran.code == PrivilegeError.exit_code, ran.out + ran.err
    told = [each["message"] for look in ran.result["looks"] for each in look["problems"]]
    assert [sentence.split(":")[0] for sentence in told] == [
        "role weak cannot read 1 table",
        "role weak cannot read 1 sequence",
    ]


def test_a_configuration_that_init_wrote_passes_doctor_and_one_of_its_systems_that_is_away_is_told(
    desk: Desk, managed: str
) -> None:
    written = desk.attestore("init", "--source", managed, "--system", "app", "--store", "backups", "--yes")
    assert written.code == 0, written.err
    fine = desk.attestore("doctor")
    assert fine.code == 0, fine.out + fine.err
    assert all(len(line) <= 80 for line in fine.out.splitlines())
    assert "Source of app" in fine.out
    assert "S9-PROD-004: 23 checks; app: S9-PROD-004" in fine.out
    text = (desk.folder / "attestore.yaml").read_text()
    away = text.replace(
        "systems:\n", 'systems:\n  away: {source: "host=/nonexistent dbname=a", gates: [S9-PROD-003]}\n', 1
    )
    (desk.folder / "attestore.yaml").write_text(away)
    told = desk.attestore("doctor", "--json")
    assert told.code == UnreachableError.exit_code, told.out + told.err
    problems = [each["area"] for each in told.result["looks"] if each["problems"]]
    assert problems == ["source of away"]
    assert desk.attestore("doctor", "--system", "app").code == 0
