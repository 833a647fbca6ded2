"""The bad day: a bare machine, a store and a key; and everything that must keep a recovery from going wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres.cluster import Connection
from attestore.errors import KeyringError, PlanError, TamperedError, UsageError
from clusters import running_server
from programme import Ran, at_desk

SCHEMA = """
CREATE ROLE keeper LOGIN PASSWORD 'canary-of-the-keeper' CREATEDB;
CREATE ROLE "app | PASS" LOGIN PASSWORD 'canary-of-the-application';
CREATE ROLE reader NOLOGIN;
GRANT reader TO keeper;
ALTER ROLE keeper SET work_mem = '8MB';
ALTER DATABASE app OWNER TO keeper;
ALTER DATABASE app SET statement_timeout = '30s';
REVOKE ALL ON DATABASE app FROM PUBLIC;
GRANT CONNECT ON DATABASE app TO "app | PASS";
COMMENT ON DATABASE app IS 'the application';
CREATE SCHEMA app AUTHORIZATION keeper;
GRANT USAGE ON SCHEMA app TO "app | PASS";
CREATE TABLE app.items (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL);
ALTER TABLE app.items OWNER TO keeper;
GRANT SELECT ON app.items TO "app | PASS", reader;
CREATE TABLE app."users | PASS" (item int REFERENCES app.items, "line
break" text);
INSERT INTO app.items (word) SELECT 'word ' || n FROM generate_series(1, 500) n;
INSERT INTO app."users | PASS" SELECT n, 'x' FROM generate_series(1, 500) n;
CREATE TABLE app.fired (at timestamptz);
CREATE FUNCTION app.fire() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO app.fired VALUES (now()); RETURN NEW; END';
CREATE TRIGGER fire BEFORE INSERT OR UPDATE OR DELETE ON app.items FOR EACH ROW EXECUTE FUNCTION app.fire();
"""


@dataclass(frozen=True, slots=True)
class Bare:
    """A machine that has the programmes, a store, two key files and nothing else."""

    folder: Path
    store: Path
    key: Path
    signer: str
    signer_key: Path
    roster: Path
    there: Connection

    def restore(self, *arguments: str, trust: bool = True, environment: Mapping[str, str] | None = None) -> Ran:
        """From an empty folder, with an environment that holds a path and a fresh HOME."""
        done = subprocess.run(
            self.command(*arguments, trust=trust),
            cwd=self.folder,
            env=self.environment() | dict(environment or {}),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def killed(self, *arguments: str, after: str, number: signal.Signals) -> Ran:
        """The same, ended by a signal as soon as a phase has ended."""
        with subprocess.Popen(
            self.command(*arguments, trust=True),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
        ) as process:
            assert process.stderr is not None
            said: list[str] = []
            for line in process.stderr:
                said.append(line)
                if line.startswith(after):
                    process.send_signal(number)
                    break
            out, err = process.communicate(timeout=240)
            return Ran(process.returncode, out, "".join(said) + err)

    def command(self, *arguments: str, trust: bool) -> list[str]:
        known = ("--signer", self.signer, "--signer-key", str(self.signer_key)) if trust else ()
        keyed = () if "--key" in arguments else ("--key", str(self.key))
        placed = () if "--store" in arguments else ("--store", str(self.store))
        into = ("--into", self.there.conninfo)
        return [sys.executable, "-m", "attestore", "restore", *into, *placed, *keyed, *known, *arguments]

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "ATTESTORE_LOG": "human",
            "TMPDIR": str(self.folder / "t"),
        }

    def databases(self) -> list[str]:
        with self.there.connect() as session:
            return [str(row[0]) for row in session.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()]

    def state(self) -> tuple[object, ...]:
        """Everything on the server that a recovery could have touched."""
        with self.there.connect() as session:
            return (
                self.databases(),
                session.execute("SELECT rolname, rolcanlogin, rolpassword FROM pg_authid ORDER BY 1").fetchall(),
                session.execute("SELECT * FROM pg_db_role_setting").fetchall(),
            )

    def clean(self) -> None:
        with self.there.connect() as session:
            for name in self.databases():
                if name not in {"postgres", "template0", "template1"}:
                    session.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
            for role in ("keeper", '"app | PASS"', "reader"):
                session.execute(f"DROP ROLE IF EXISTS {role}".encode())


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A desk where one backup was taken by a superuser, and all that a careful operator keeps elsewhere."""
    folder = tmp_path_factory.mktemp("desk")
    with running_server() as source, at_desk(folder) as desk:
        with source.connect() as session:
            session.execute(SCHEMA.encode())
        ran = desk.attestore("backup", "--source", source.conninfo, "--system", "app")
        assert ran.code == 0, ran.err
        gpg = ["gpg", "--homedir", str(folder / ".attestore" / "gnupg"), "--batch", "--armor"]
        listed = subprocess.run([*gpg, "--list-keys", "--with-colons"], capture_output=True, text=True, check=True)
        manifest = json.loads(next(desk.store.rglob("manifest.json")).read_bytes())
        prints = [line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr:")]
        sealed_to = manifest["recipients"][0]
        roster = (folder / ".attestore" / "roster.yaml").read_text()
        signer = next(each for each in prints if each in roster)
        for name, words in (
            ("backup-key.asc", ["--export-secret-keys", sealed_to]),
            ("signer.asc", ["--export", signer]),
        ):
            out = subprocess.run([*gpg, *words], capture_output=True, check=True).stdout
            (folder / name).write_bytes(out)
        subprocess.run(["gpgconf", "--homedir", str(folder / ".attestore" / "gnupg"), "--kill", "all"], check=True)
        yield folder, signer


@pytest.fixture(scope="module")
def server() -> Iterator[Connection]:
    """A server that holds nothing."""
    with running_server() as there:
        empty = there.on("postgres")
        with empty.connect() as session:
            session.execute("DROP DATABASE app")
        yield empty


@pytest.fixture
def bare(taken: tuple[Path, str], server: Connection) -> Iterator[Bare]:
    folder, signer = taken
    with tempfile.TemporaryDirectory(prefix="bare-", dir="/tmp") as short:
        place = Path(short)
        (place / "home").mkdir()
        (place / "t").mkdir()
        machine = Bare(
            folder=place,
            store=folder / ".attestore" / "store",
            key=folder / "backup-key.asc",
            signer=signer,
            signer_key=folder / "signer.asc",
            roster=folder / ".attestore" / "roster.yaml",
            there=server,
        )
        try:
            yield machine
        finally:
            machine.clean()


def test_a_bare_machine_restores_from_store_and_key_and_the_application_logs_in(bare: Bare) -> None:
    ran = bare.restore("--logins", "--json", "--record", "records")
    assert ran.code == 0, ran.out + ran.err
    assert ran.result["result"] == "EQUAL"
    assert ran.result["target"]["database"] == "app"
    assert set(ran.result["target"]["logins"]) == {"keeper", "app | PASS"}
    application = psycopg.conninfo.make_conninfo(
        bare.there.on("app").conninfo, user="app | PASS", password="canary-of-the-application"
    )
    with psycopg.connect(application) as session:
        assert session.execute("SELECT count(*) FROM app.items").fetchall() == [(500,)]
        assert session.execute("SHOW statement_timeout").fetchall() == [("30s",)]
    with bare.there.on("app").connect() as session:
        # no trigger fired, nothing was planted
        assert session.execute("SELECT count(*) FROM app.fired").fetchall() == [(0,)]
        owner = session.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'").fetchall()
        assert owner == [("keeper",)]
    (page,) = (bare.folder / "records").glob("*.md")
    assert "is what was backed up" in page.read_text()
    told = ran.out + ran.err + "".join(path.read_text() for path in (bare.folder / "records").iterdir())
    assert "SCRAM" not in told
    assert "canary" not in told
    assert not any((bare.folder / "t").iterdir())
    assert not any((bare.folder / "home").iterdir())


def test_a_dry_run_says_what_would_happen_and_writes_nothing(bare: Bare) -> None:
    before, held = bare.state(), sorted(bare.store.rglob("*"))
    ran = bare.restore("--dry-run", "--deep")
    assert ran.code == 0, ran.out + ran.err
    assert "Nothing was written." in ran.out
    assert "3 will be made" in ran.out
    assert (bare.state(), sorted(bare.store.rglob("*"))) == (before, held)


def test_what_is_there_is_neither_dropped_nor_filled_unasked(bare: Bare) -> None:
    with bare.there.connect() as session:
        session.execute("CREATE DATABASE app")
        session.execute("CREATE DATABASE full_one")
        session.execute("CREATE ROLE reader CREATEDB")
    with bare.there.on("full_one").connect() as session:
        session.execute("CREATE SCHEMA app CREATE TABLE app.items (mine int)")
        session.execute("INSERT INTO app.items VALUES (7)")
    before = bare.state()
    refusals = (
        ((), "has a database app already"),
        (("--database", "full_one"), "is not empty"),
        (("--database", "full_one", "--allow-non-empty"), "rows would be added to them"),
        (("--database", "nowhere"), "no database nowhere"),
    )
    for arguments, words in refusals:
        ran = bare.restore(*arguments)
        assert (ran.code, words in ran.err) == (PlanError.exit_code, True), ran.out + ran.err
    assert bare.state() == before
    # an empty one is filled when it is named; a role that was there stays as it was, and that is told
    ran = bare.restore("--database", "app", "--json")
    assert (ran.code, ran.result["result"]) == (1, "DIFFERENT"), ran.out + ran.err
    assert [each["subject"] for each in ran.result["differences"]] == ["role reader: attributes"]
    with bare.there.connect() as session:
        assert session.execute("SELECT rolcreatedb FROM pg_roles WHERE rolname = 'reader'").fetchall() == [(True,)]
        assert session.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'keeper'").fetchall() == [(False,)]


def test_nobody_vouches_so_nothing_is_restored_unless_that_is_said(bare: Bare) -> None:
    before = bare.state()
    ran = bare.restore(trust=False)
    assert (ran.code, "nobody was named" in ran.err) == (UsageError.exit_code, True), ran.err
    ran = bare.restore("--signer", "A" * 40, trust=False)
    assert (ran.code, "is not in" in ran.err) == (KeyringError.exit_code, True), ran.err
    stranger = bare.restore("--signer", _sealed_to(bare), trust=False)
    assert (stranger.code, "is not accepted" in stranger.err) == (TamperedError.exit_code, True), stranger.err
    assert bare.state() == before
    ran = bare.restore("--unauthenticated", "--create", "told", "--json", trust=False)
    assert (ran.code, ran.result["backup"]["vouched"]) == (0, None), ran.err
    assert "NOT AUTHENTICATED" in ran.err


def test_the_wrong_key_and_a_tampered_store_are_told_before_anything_is_made(bare: Bare, tmp_path: Path) -> None:
    before = bare.state()
    ran = bare.restore("--key", str(bare.signer_key))
    assert (ran.code, "holds no private key" in ran.err) == (KeyringError.exit_code, True), ran.err
    spoiling: tuple[tuple[str, Callable[[bytes], bytes], str], ...] = (
        ("manifest.json", lambda data: data.replace(b'"app"', b'"apq"', 1), "not the ones that were signed"),
        ("proof.json.zst.gpg", lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "the manifest says"),
        ("archive.tar.zst.gpg", lambda data: data[:-1], "the manifest says"),
    )
    for name, change, words in spoiling:
        copy = tmp_path / name
        subprocess.run(["cp", "-r", bare.store, copy], check=True)
        (spoilt,) = copy.rglob(name)
        spoilt.chmod(0o600)
        spoilt.write_bytes(change(spoilt.read_bytes()))
        ran = bare.restore("--store", str(copy))
        assert (ran.code, words in ran.err) == (TamperedError.exit_code, True), ran.err
    assert bare.state() == before


def test_a_recovery_that_is_ended_says_what_stands_and_the_next_one_works(bare: Bare) -> None:
    ran = bare.killed("--json", after="schema", number=signal.SIGINT)
    assert (ran.code, ran.result["result"]) == (3, "STOPPED"), ran.out + ran.err
    left = ran.result["target"]["database"]
    assert left.startswith("recovering_")
    assert left in bare.databases()
    assert "app" not in bare.databases()
    assert any("DROP DATABASE" in sentence for sentence in ran.result["verdict"])
    ran = bare.killed("--json", after="schema", number=signal.SIGKILL)
    assert ran.code == -signal.SIGKILL
    ran = bare.restore("--dry-run")
    assert f"DROP DATABASE {left}" in ran.out.replace("\n", " ")
    ran = bare.restore("--json")
    assert (ran.code, ran.result["result"]) == (0, "EQUAL"), ran.out + ran.err
    assert "app" in bare.databases()
    assert not any((bare.folder / "t").iterdir())


def _sealed_to(bare: Bare) -> str:
    manifest = json.loads(next(bare.store.rglob("manifest.json")).read_bytes())
    return str(manifest["recipients"][0])
