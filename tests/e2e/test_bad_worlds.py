"""Bad input and broken worlds: one clear sentence, a hint, its exit code, and nothing left running or lying about."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from attestore.adapters.postgres.cluster import Connection
from attestore.evidence import journal
from attestore.report.case import Reading
from clusters import MAJORS, installation, running_server
from programme import Desk, Ran, at_desk

RUN = (sys.executable, "-m", "attestore", "run")
_PATIENCE_S = 120.0
"""a hung layout would be waited for a quarter of an hour"""
GATES = ("--gate", "S9-PROD-003", "--gate", "S9-PROD-004")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with at_desk(tmp_path) as place:
        yield place


@pytest.fixture(scope="module")
def server() -> Iterator[Connection]:
    with running_server(MAJORS[-1]) as running:
        with running.connect() as session:
            session.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
            session.execute("INSERT INTO orders SELECT i, 'note ' || i FROM generate_series(1, 20000) i")
            session.execute("CREATE TABLE hidden (id int PRIMARY KEY)")
            session.execute("CREATE ROLE clerk LOGIN PASSWORD 'letmein-canary'")
            session.execute("GRANT SELECT ON orders TO clerk")
        yield running


def told(ran: Ran, *, code: int, says: str, hint: str = "") -> None:
    assert ran.code == code, ran.out + ran.err
    assert says in ran.err
    assert hint in ran.err
    assert "Traceback" not in ran.err


def stopped_in(desk: Desk) -> str:
    seen = Reading(journal.read((desk.bundle() / "journal.jsonl").read_bytes()).observations)
    assert seen.flag("run.completed") is None
    return seen.text("run.stopped") or ""


def test_an_unreachable_source(desk: Desk) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        ran = desk.attestore("run", "--source", f"host=127.0.0.1 port={port} dbname=shop user=x", *GATES)
    told(ran, code=64, says="Error: ", hint="Try: ")
    assert "preflight" in stopped_in(desk)
    assert desk.attestore("audit", "reports").code == 0


def test_a_service_that_is_described_nowhere(desk: Desk) -> None:
    ran = desk.attestore("backup", "--source", "service=nowhere")
    told(ran, code=64, says="nowhere", hint="PGSERVICEFILE")


def test_a_wrong_password_is_named_and_never_printed(desk: Desk, server: Connection) -> None:
    source = f"host={server.host} port={server.port} dbname=app user=clerk sslmode=disable"
    ran = desk.attestore("run", "--source", source, *GATES, environment={"PGPASSWORD": "wrong-canary"})
    told(ran, code=65, says="clerk")
    assert "wrong-canary" not in ran.out + ran.err
    for path in desk.folder.rglob("*"):
        assert not path.is_file() or b"wrong-canary" not in path.read_bytes(), path


def test_a_role_that_cannot_read_a_table(desk: Desk, server: Connection) -> None:
    source = f"postgresql://clerk@/app?host={server.host}&port={server.port}&sslmode=disable"
    ran = desk.attestore("run", "--source", source, *GATES, environment={"PGPASSWORD": "letmein-canary"})
    told(ran, code=66, says="hidden", hint="GRANT")
    for path in desk.folder.rglob("*"):
        assert not path.is_file() or b"letmein-canary" not in path.read_bytes(), path


def test_a_pg_dump_older_than_the_server(desk: Desk, server: Connection) -> None:
    """Where this machine has one major only, a wrapper says that it is older."""
    folder = desk.folder / "old"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "postgres", "initdb"):
        script = folder / name
        script.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) 12.4'\n")
        script.chmod(0o755)
    ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--pg-bin", str(folder))
    told(ran, code=68, says="12.4", hint="Try: ")


def test_no_postgresql_programmes(desk: Desk, server: Connection) -> None:
    empty = desk.folder / "empty"
    empty.mkdir()
    ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--pg-bin", str(empty))
    told(ran, code=67, says=str(empty), hint="pg_dump")


def test_no_gpg(desk: Desk, server: Connection) -> None:
    ran = desk.attestore(
        "run", "--source", server.conninfo, *GATES, environment={"PATH": str(Path(sys.executable).parent)}
    )
    told(ran, code=67, says="gpg", hint="apt")


@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        ("gate: X-1\ngate: X-2\n", "'gate' appears twice", "Try: It is already on line 1."),
        ("{valid}\nsurprise: 1\n", "unknown key 'surprise'", "Try: Known: approval, "),
        ("{valid:fact}", "unknown fact 'restore.rtoo'", "Try: Did you mean restore.rto?"),
        ("{valid:unit}", "restore.rto is a duration", 'write it as "< 30m" (units ms, s, m, h, d;'),
    ],
    ids=["duplicate key", "unknown key", "unknown fact", "no unit"],
)
def test_a_gate_file_that_cannot_be_loaded(desk: Desk, text: str, says: str, remedy: str) -> None:
    valid = 'gate: X-1\ntitle: T\nstatement: S\nseverity: blocking\nchecks:\n  - {id: rto, fact: restore.rto, must: "< 30m"}\n'
    bad = {"{valid:fact}": valid.replace("restore.rto", "restore.rtoo"), "{valid:unit}": valid.replace("30m", "30")}
    path = desk.folder / "bad.yaml"
    path.write_text(bad.get(text, text.replace("{valid}", valid.rstrip())))
    ran = desk.attestore("run", "--source", "dbname=x", "--gate", str(path))
    told(ran, code=2, says=f"{path}:")
    assert says in ran.err
    assert remedy in " ".join(ran.err.split())
    assert not desk.reports.exists()


def test_an_unknown_gate(desk: Desk) -> None:
    told(
        desk.attestore("run", "--source", "dbname=x", "--gate", "S9-PROD-04"),
        code=2,
        says="S9-PROD-04",
        hint="S9-PROD-004",
    )


def test_a_store_that_is_no_folder(desk: Desk, server: Connection) -> None:
    place = desk.folder / "store"
    place.write_text("a file")
    ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--store", str(place))
    told(ran, code=70, says=str(place))
    assert place.read_text() == "a file"


def test_reports_that_cannot_be_written(desk: Desk, server: Connection) -> None:
    place = desk.folder / "reports"
    place.write_text("a file")
    ran = desk.attestore("run", "--source", server.conninfo, *GATES)
    told(ran, code=69, says=str(place.name), hint="Try: ")


def test_a_full_disk_stops_the_run_and_leaves_nothing(desk: Desk, server: Connection) -> None:
    """The workspace is a file system of 6 MiB, mounted in a mount namespace of its own."""
    small = desk.folder / "small"
    small.mkdir()
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    command = 'mount -t tmpfs -o size=6m,mode=711 none "$0" && TMPDIR="$0" "$@"; code=$?; ls -A "$0" >&2; exit $code'
    done = subprocess.run(
        [*unshare, "sh", "-c", command, str(small), *RUN, "--source", server.conninfo, *GATES],
        cwd=desk.folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode in {69, 76}, done.stdout + done.stderr
    assert "bytes free" in " ".join(done.stderr.split())
    assert "attestore-" not in done.stderr.splitlines()[-1]


PHASES = ("preflight", "snapshot", "proof", "dump", "seal", "store", "retrieve", "unseal", "prepare", "data", "verify")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", PHASES)
def test_a_signal_stops_the_run_where_it_stands(
    desk: Desk, server: Connection, after: str, number: signal.Signals
) -> None:
    ran = desk.signalled("run", "--source", server.conninfo, *GATES, "--json", after=after, number=number)
    told(ran, code=3, says=number.name)
    assert ran.result["outcome"] == "UNKNOWN"
    assert number.name in stopped_in(desk)
    assert "UNKNOWN" in (desk.bundle() / "S9-PROD-004.md").read_text()


def test_a_signal_stops_the_printing_of_a_report_which_the_next_command_makes(desk: Desk, server: Connection) -> None:
    """The layout hangs; nobody has to wait until its quarter of an hour is over."""

    def hang(process: subprocess.Popen[str]) -> None:
        while not (copies := _typesetters(process.pid)):
            assert process.poll() is None
        for each in copies:
            os.kill(each, signal.SIGSTOP)
        hung.extend(copies)

    hung: list[int] = []
    began = time.monotonic()
    ran = desk.signalled("run", "--source", server.conninfo, *GATES, after="teardown", number=signal.SIGINT, once=hang)
    assert time.monotonic() - began < _PATIENCE_S
    told(ran, code=3, says="SIGINT stopped the printing", hint="next command")
    assert desk.left_behind() == []
    assert not [each for each in hung if _works(each)]
    stopped = desk.bundle()
    assert not (stopped / "statement.json").exists()
    ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--json")
    assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err
    # all was seen before somebody lost patience, so that what it proves is the same
    assert f"{stopped.name} had died; its bundle is closed and signed: S9-PROD-003 PASS" in " ".join(ran.err.split())
    assert (stopped / "S9-PROD-004.pdf").exists()
    audited = desk.attestore("audit", "reports", "--json")
    assert audited.code == 0, audited.out


def _typesetters(parent: int) -> list[int]:
    """Processes that lay out a page for one that `parent` has started."""

    def begun(pid: int) -> list[int]:
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(each) for task in tasks for each in task.read_text().split()]

    with suppress(OSError):
        return [copy for child in begun(parent) for copy in begun(child) if b"typesetter" in _command(copy)]
    return []


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _works(pid: int) -> bool:
    """Whether it is more than a number that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("after", ["dump", "prepare", "verify"])
def test_a_killed_run_is_closed_by_the_next_command_which_removes_what_it_left(
    desk: Desk, server: Connection, after: str
) -> None:
    killed = desk.signalled("run", "--source", server.conninfo, *GATES, after=after, number=signal.SIGKILL)
    assert killed.code == -signal.SIGKILL
    dead = desk.bundle().name
    ran = desk.attestore("run", "--source", server.conninfo, *GATES, "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.result["outcome"] == "PASS"
    assert dead in ran.err
    assert desk.left_behind() == []
    audited = desk.attestore("audit", "reports", "--json")
    assert audited.code == 0, audited.out
    assert "UNKNOWN" in (desk.reports / dead / "S9-PROD-004.md").read_text()


def test_a_restore_reads_what_the_newest_programmes_wrote(desk: Desk) -> None:
    """A drill across majors: dumped from the oldest server here, restored into the newest."""
    with running_server(MAJORS[0]) as oldest:
        with oldest.connect() as session:
            session.execute("CREATE TABLE t (id int PRIMARY KEY, at timestamptz DEFAULT now())")
            session.execute("INSERT INTO t SELECT generate_series(1, 100)")
        newest = str(installation(MAJORS[-1]).bindir)
        ran = desk.attestore("run", "--source", oldest.conninfo, *GATES, "--pg-bin", newest, "--json")
        assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err
