"""The bad day: a bare machine, a store and a key; and everything that must keep a recovery from going wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from attestore.adapters.postgres import dsn
from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.postgres.landing import PgLanding
from attestore.adapters.process import Runner
from attestore.errors import (
    AuthenticationError,
    DiskError,
    KeyringError,
    PlanError,
    ScratchError,
    TamperedError,
    UsageError,
    VersionError,
)
from attestore.evidence import Locale
from attestore.ports import SourceFacts
from clusters import installation, running_server
from endpoints import Endpoint
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
FACTS = SourceFacts(
    database="app",
    user="",
    version="13.1",
    major=13,
    identifier="1",
    size=1 << 20,
    locale=Locale(encoding="UTF8", provider="libc", collate="C.UTF-8", ctype="C.UTF-8", locale=""),
    extensions=(("plpgsql", "1.0"),),
    tables=1,
    superuser=False,
)


@dataclass(frozen=True, slots=True)
class Bare:
    """A machine that has the programmes, a store, two key files and nothing else."""

    folder: Path
    store: Path
    key: Path
    signer: str
    there: Connection

    @property
    def evidence(self) -> Path:
        """What the backup left beside the store."""
        return self.key.with_name("reports")

    @property
    def signer_key(self) -> Path:
        return self.key.with_name("signer.asc")

    @property
    def locked(self) -> Path:
        """The same private key, behind a passphrase."""
        return self.key.with_name("locked.asc")

    @property
    def strange(self) -> Path:
        """Somebody else's private key."""
        return self.key.with_name("strange.asc")

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
        into = () if "--into" in arguments else ("--into", self.there.conninfo)
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
            for role in ("keeper", '"app | PASS"', "reader", "rescuer"):
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
        _more_keys(folder, sealed_to)
        yield folder, signer


@pytest.fixture(scope="module")
def server() -> Iterator[Connection]:
    """A server that holds nothing, and writes down everything that is asked of it."""
    with running_server(logging_collector="on", log_statement="all") as there:
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
    told += "".join(path.read_text() for path in (bare.there.host.parent / "data" / "log").iterdir())
    told += "".join(path.read_text(errors="replace") for path in bare.evidence.rglob("*") if path.is_file())
    assert "CREATE ROLE" in told
    assert "SCRAM" not in told
    assert "canary" not in told
    assert not any((bare.folder / "t").iterdir())
    assert not any((bare.folder / "home").iterdir())


def test_a_dry_run_says_what_would_happen_and_writes_nothing(bare: Bare) -> None:
    before, held = bare.state(), sorted(bare.store.rglob("*"))
    opener = ("--key", str(bare.locked), "--passphrase", "env:ESCROW")
    ran = bare.restore("--dry-run", "--deep", *opener, environment={"ESCROW": "canary of the escrow"})
    assert ran.code == 0, ran.out + ran.err
    assert "Nothing was written." in ran.out
    assert "3 will be made" in ran.out
    assert (bare.state(), sorted(bare.store.rglob("*"))) == (before, held)


def test_what_is_there_is_neither_dropped_nor_filled_unasked(bare: Bare, tmp_path: Path) -> None:
    with bare.there.connect() as session:
        session.execute("CREATE DATABASE app")
        session.execute("CREATE DATABASE full_one")
        session.execute("CREATE ROLE reader CREATEDB")
    with bare.there.on("full_one").connect() as session:
        session.execute("CREATE SCHEMA app CREATE TABLE app.items (mine int)")
        session.execute("INSERT INTO app.items VALUES (7)")
    before = bare.state()
    ran = bare.restore()
    assert (ran.code, "has a database app already" in ran.err) == (PlanError.exit_code, True), ran.out + ran.err
    environment = dsn.read(bare.there.conninfo, folder=tmp_path, environ={})
    for database, crowded, words in (
        ("full_one", False, "is not empty"),
        ("full_one", True, "rows would be added to them"),
        ("nowhere", False, "no database nowhere"),
    ):
        landing = PgLanding(
            environment, client=installation(), runner=Runner(), jobs=1, database=database, crowded=crowded
        )
        looks = landing.looks(FACTS, world=None, tables=(("app", "items"),))
        (problem,) = (each for look in looks for each in look.problems)
        assert isinstance(problem, PlanError)
        assert words in problem.message
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
        ("proof.*.gpg", lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], "the manifest says"),
        ("archive.*.gpg", lambda data: data[:-1], "the manifest says"),
    )
    ran = bare.restore("--key", str(bare.strange))
    assert (ran.code, "the backup is sealed to" in ran.err) == (KeyringError.exit_code, True), ran.err
    wrong = ("--key", str(bare.locked), "--passphrase", "env:ESCROW")
    ran = bare.restore(*wrong, environment={"ESCROW": "canary of nobody"})
    assert (ran.code, "canary" in ran.err) == (KeyringError.exit_code, False), ran.err
    for name, change, words in spoiling:
        copy = tmp_path / name.replace("*", "x")
        subprocess.run(["cp", "-r", bare.store, copy], check=True)
        (spoilt,) = copy.rglob(name)
        spoilt.chmod(0o600)
        spoilt.write_bytes(change(spoilt.read_bytes()))
        ran = bare.restore("--store", str(copy))
        assert (ran.code, words in ran.err) == (TamperedError.exit_code, True), ran.err
    assert bare.state() == before


def test_a_bucket_is_as_good_as_a_folder(bare: Bare, s3_endpoint: Endpoint) -> None:
    bucket = s3_endpoint.bucket()
    for path in bare.store.rglob("*"):
        if path.is_file():
            key = f"backups/{path.relative_to(bare.store)}"
            s3_endpoint.client().put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    with bare.there.connect() as session:
        session.execute("CREATE ROLE rescuer SUPERUSER LOGIN PASSWORD 'word of the rescuer'")
    into = psycopg.conninfo.make_conninfo(bare.there.conninfo, user="rescuer", passfile=None)
    secrets = {**s3_endpoint.environment, "PGPASSWORD": "word of the rescuer"}
    address = f"s3://{bucket}/backups?endpoint={s3_endpoint.url}&region=us-east-1"
    ran = bare.restore("--store", address, "--into", into, "--create", "bucketed", "--json", environment=secrets)
    assert (ran.code, ran.result["result"]) == (0, "EQUAL"), ran.out + ran.err
    assert "word of the rescuer" not in ran.out + ran.err


def test_a_server_that_is_not_fit_is_told_everything_at_once(bare: Bare, tmp_path: Path) -> None:
    odd = Locale(encoding="UTF8", provider="nobody's", collate="C", ctype="C", locale="")
    facts = replace(FACTS, major=99, size=1 << 60, locale=odd, extensions=(("nobodys_extension", "1.0"),))
    with bare.there.connect() as session:
        session.execute("CREATE ROLE reader LOGIN")
    environment = dsn.read(
        psycopg.conninfo.make_conninfo(bare.there.conninfo, user="reader"), folder=tmp_path, environ={}
    )
    landing = PgLanding(environment, client=installation(), runner=Runner(), jobs=1)
    looks = landing.looks(facts, world=None, tables=())
    assert [type(each) for look in looks for each in look.problems] == [AuthenticationError]
    environment = dsn.read(bare.there.conninfo, folder=tmp_path, environ={})
    landing = PgLanding(environment, client=installation(), runner=Runner(), jobs=1, create="postgres")
    problems = [each for look in landing.looks(facts, world=None, tables=()) for each in look.problems]
    told = [type(each) for each in problems]
    assert told == [VersionError, PlanError, ScratchError, ScratchError, DiskError], [each.message for each in problems]
    assert "nobodys_extension" in problems[2].message


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


def _more_keys(folder: Path, sealed_to: str) -> None:
    """The private key behind a passphrase, and a key that opens nothing."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as place:
        gpg = ["gpg", "--homedir", place, "--batch", "--quiet", "--armor", "--pinentry-mode", "loopback"]

        def run(*words: str, says: str = "") -> bytes:
            opener = ["--passphrase-fd", "0"] if says else ["--passphrase", ""]
            return subprocess.run([*gpg, *opener, *words], input=says.encode(), capture_output=True, check=True).stdout

        run("--import", str(folder / "backup-key.asc"))
        run("--passwd", sealed_to, says="canary of the escrow\n")
        (folder / "locked.asc").write_bytes(run("--export-secret-keys", sealed_to, says="canary of the escrow\n"))
        run("--quick-gen-key", "Stranger", "future-default", "default", "1d")
        (folder / "strange.asc").write_bytes(run("--export-secret-keys", "Stranger"))
        subprocess.run(["gpgconf", "--homedir", place, "--kill", "all"], check=True)


def _sealed_to(bare: Bare) -> str:
    manifest = json.loads(next(bare.store.rglob("manifest.json")).read_bytes())
    return str(manifest["recipients"][0])
