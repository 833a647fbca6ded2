"""The whole cycle on servers that are not ours to shape, and with damage in every place that matters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from attestore import compose, gate
from attestore.cli.display import Quiet, consoles
from attestore.config.stores import DirectoryPlace
from attestore.gate import Gate
from attestore.plan import Job
from attestore.ports import Dumper, Dumping, Form, Plain, Snapshot, Texts
from attestore.report.case import Reading
from attestore.run import Outcome, Tools, execute
from attestore.verdict import Outcome as Verdict
from clusters import MAJORS, running_server
from programme import Desk, at_desk
from schemas import create_rich

GATES = ("--gate", "S9-PROD-003", "--gate", "S9-PROD-004")
SHOP = """
CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, email text);
CREATE TABLE purchase (id int PRIMARY KEY, customer int REFERENCES customer, cents bigint CHECK (cents >= 0));
INSERT INTO customer SELECT i, 'Customer ' || i, nullif('c' || i || '@example.org', 'c7@example.org')
  FROM generate_series(1, 500) i;
INSERT INTO purchase SELECT i, 1 + i % 500, i * 100 FROM generate_series(1, 3000) i;
CREATE INDEX purchase_customer ON purchase (customer);
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with at_desk(tmp_path) as place:
        yield place


def fill(source: str, script: str) -> None:
    with psycopg.connect(source, autocommit=True) as session:
        session.execute(script.encode())


@pytest.mark.parametrize("major", MAJORS)
def test_a_pgbench_database_passes(desk: Desk, major: int) -> None:
    """pgbench's own shape at scale 10: no foreign key, no sequence, one table empty."""
    with running_server(major) as server:
        fill(server.conninfo, PGBENCH)
        ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--json")
        assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err
    assert desk.attestore("audit", "reports").code == 0


PGBENCH = """
CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88)) WITH (fillfactor=100);
CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84)) WITH (fillfactor=100);
CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor=100);
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
INSERT INTO pgbench_branches SELECT i, 0, '' FROM generate_series(1, 10) i;
INSERT INTO pgbench_tellers SELECT i, 1 + i / 10, 0, '' FROM generate_series(1, 100) i;
INSERT INTO pgbench_accounts SELECT i, 1 + i / 100000, 0, '' FROM generate_series(1, 1000000) i;
ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid);
ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid);
ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid);
"""


@pytest.mark.parametrize("major", MAJORS)
def test_a_schema_with_every_kind_of_object_and_hostile_names_passes(desk: Desk, major: int) -> None:
    with running_server(major) as server:
        with server.connect() as session:
            create_rich(session)
        ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--system", "rich", "--json")
        assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err
    assert desk.attestore("audit", "reports").code == 0


def test_writers_at_full_speed_and_a_truncate_leave_a_correct_verdict(desk: Desk) -> None:
    """The proof and the dump see one snapshot; the lock keeps TRUNCATE out of the time between them."""
    with running_server() as server:
        fill(server.conninfo, SHOP)
        with writing(server.conninfo):
            ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--json")
        assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err


@contextmanager
def writing(source: str) -> Iterator[None]:
    stop = threading.Event()
    done = {"writes": 0, "truncates": 0}

    def work(statement: str, name: str) -> None:
        pause = 0.4 if name == "truncates" else 0.0
        with psycopg.connect(source, autocommit=True) as session:
            while not stop.wait(pause):
                try:
                    session.execute(statement.encode())
                    done[name] += 1
                except psycopg.errors.DeadlockDetected:
                    continue

    insert = "INSERT INTO purchase SELECT max(id) + 1, 1, 5 FROM purchase ON CONFLICT DO NOTHING"
    update = "UPDATE customer SET email = md5(random()::text) WHERE id = 1 + (random() * 400)::int"
    truncate = "BEGIN; TRUNCATE purchase; INSERT INTO purchase VALUES (1, 1, 1); COMMIT"
    statements = ((insert, "writes"), (update, "writes"), (truncate, "truncates"))
    threads = [threading.Thread(target=work, args=each) for each in statements]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert done["writes"] > 0
    assert done["truncates"] > 0


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("damage", [flip, cut])
@pytest.mark.parametrize("part", ["archive", "globals", "proof"])
def test_a_stored_backup_that_was_damaged_fails_the_gate_and_names_the_part(
    desk: Desk, damage: Callable[[Path], None], part: str
) -> None:
    with running_server() as server:
        fill(server.conninfo, SHOP)
        assert desk.attestore("backup", "--source", server.conninfo, "--system", "shop").code == 0
    (stored,) = desk.store.rglob(f"{part}*.gpg")
    damage(stored)
    ran = desk.attestore("drill", "--system", "shop", *GATES, "--json")
    assert (ran.code, ran.result["outcome"]) == (1, "FAIL"), ran.out + ran.err
    assert stored.name in ran.result["stopped"]["message"]
    assert stored.name in (desk.bundle() / "S9-PROD-004.md").read_text().replace("\\", "")
    assert desk.attestore("audit", "reports").code == 0


def test_a_manifest_that_was_changed_is_refused(desk: Desk) -> None:
    with running_server() as server:
        fill(server.conninfo, SHOP)
        assert desk.attestore("backup", "--source", server.conninfo, "--system", "shop").code == 0
    (stored,) = desk.store.rglob("manifest.json")
    flip(stored)
    ran = desk.attestore("drill", "--system", "shop", *GATES, "--json")
    assert ran.code == 4, ran.out + ran.err
    assert ran.result["outcome"] == "UNKNOWN"


def test_a_drill_needs_no_source(desk: Desk) -> None:
    with running_server() as server:
        fill(server.conninfo, SHOP)
        assert desk.attestore("backup", "--source", server.conninfo, "--system", "shop").code == 0
    ran = desk.attestore("drill", "--system", "shop", *GATES, "--json")
    assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err


class Changing:
    """A dumper in whose archive a value changes before it is sealed, as rot or a bug would."""

    def __init__(self, inner: Dumper, *, old: bytes, new: bytes) -> None:
        self._inner, self._old, self._new = inner, old, new
        self.version, self.major = inner.version, inner.major
        self.changed = 0
        self._dumping: Dumping

    @contextmanager
    def dumping(self, snapshot: Snapshot, into: Path, *, jobs: int, form: Form = Form.FOLDER) -> Iterator[Changing]:
        with self._inner.dumping(snapshot, into, jobs=jobs, form=form) as self._dumping:
            yield self

    def texts(self, archive: Plain, snapshot: Snapshot) -> Texts:
        return self._inner.texts(archive, snapshot)

    def locked(self) -> None:
        self._dumping.locked()

    def finish(self) -> Plain:
        plain = self._dumping.finish()
        for path in sorted(plain.rglob("*.dat")) or [plain]:
            data = path.read_bytes()
            if not self.changed and self._old in data:
                path.write_bytes(data.replace(self._old, self._new, 1))
                self.changed += 1
        return plain


@pytest.mark.parametrize("major", MAJORS)
def test_one_value_changed_on_the_way_restores_without_an_error_and_fails(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, major: int
) -> None:
    """Sizes, digests and signatures all fit: only the comparison can notice."""
    monkeypatch.setenv("TMPDIR", str(desk.temporary))
    with running_server(major) as server:
        fill(server.conninfo, SHOP)
        gates = (gate.named("S9-PROD-003"), gate.named("S9-PROD-004"))
        outcome = in_process(desk, server.conninfo, gates=gates, old=b"Customer 77\t", new=b"Customer 78\t")
    verdicts = {each.gate: each for each in outcome.finished.verdicts}
    assert outcome.stopped is None
    assert verdicts["S9-PROD-003"].outcome is Verdict.PASS
    failed = {check.id for check in verdicts["S9-PROD-004"].checks if check.outcome is Verdict.FAIL}
    assert failed == {"fingerprints"}
    assert Reading(outcome.finished.case.observations).number("restore.errors") == 0
    assert "public.customer" in (outcome.finished.folder / "S9-PROD-004.md").read_text().replace("\\", "")


def in_process(desk: Desk, source: str, *, gates: tuple[Gate, ...], old: bytes, new: bytes) -> Outcome:
    settings = compose.Settings(
        reports=desk.reports,
        home=desk.folder / ".attestore",
        stores=(DirectoryPlace("local", desk.store),),
        source=source,
        backup="latest",
        system="shop",
        jobs=2,
        pg_bin=None,
        operator="Olga Operator",
    )
    _, err = consoles()
    plan = compose.planned(Job.RUN, settings, gates=gates)
    watcher = Quiet(err, clock=compose.clock())
    with (
        compose.pressing() as press,
        compose.tools(plan, settings, press=press, watcher=watcher, settle=lambda: None) as tools,
    ):
        return execute(plan, tools=changing(tools, old=old, new=new), reports=settings.reports)


def changing(tools: Tools, *, old: bytes, new: bytes) -> Tools:
    making = tools.making
    assert making is not None
    return replace(tools, making=replace(making, dumper=lambda major: Changing(making.dumper(major), old=old, new=new)))
