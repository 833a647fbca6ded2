"""A bucket as a store: an upload that is killed, and the whole way from a backup to the bad day with Object Lock and a second store."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from attestore.adapters.gpg import GpgSealer
from attestore.adapters.postgres.cluster import Connection
from attestore.adapters.process import Runner
from attestore.adapters.s3 import S3Store
from attestore.errors import DiskError
from attestore.evidence import Observation, PartRecord, journal
from attestore.ports import Plain, SealedPart
from attestore.report.case import Reading
from attestore.run import NamedStore
from attestore.run.copy import Copied
from attestore.run.stores import travelling
from badnet import BadNetwork, bad_network
from clusters import MAJORS, running_server
from endpoints import Endpoint
from keyrings import opened
from programme import Desk, at_desk

_PART = 128 << 10
_PUT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from attestore.ports import Signed
from endpoints import Endpoint
endpoint = Endpoint(*sys.argv[2:5])
endpoint.store(sys.argv[5], part_size=int(sys.argv[6]), parallel=2).put("shop/b1/x", Signed(Path(sys.argv[7])))
"""


@pytest.fixture
def network(s3_endpoint: Endpoint) -> Iterator[BadNetwork]:
    with bad_network(s3_endpoint.url) as running:
        yield running


def test_an_upload_killed_half_way_is_continued_with_the_parts_that_are_missing(
    s3_endpoint: Endpoint, network: BadNetwork, tmp_path: Path
) -> None:
    data = os.urandom(_PART * 11 + 5)
    (tmp_path / "x").write_bytes(data)
    bucket = s3_endpoint.bucket(locked=True)
    network.lets = 8  # three nonces of the probe, five parts
    tests = str(Path(__file__).parents[1])
    keys = (s3_endpoint.access_key_id, s3_endpoint.secret_access_key)
    command = [sys.executable, "-c", _PUT, tests, network.url, *keys, bucket, str(_PART), str(tmp_path / "x")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert network.stuck.wait(60), process.poll()
        process.kill()
    store = s3_endpoint.store(bucket, part_size=_PART)
    assert store.keys("") == (), "half an upload is no object"
    (left,) = store.unfinished()
    assert left.key == "shop/b1/x"
    network.lets, before = None, network.writes
    digest = hashlib.sha256(data).hexdigest()
    record = PartRecord(role="r", name="x", size=len(data), digest=digest, plain_size=1, plain_digest="0" * 64)
    through = Endpoint(network.url, *keys).store(bucket, part_size=_PART)
    assert through.put("shop/b1/x", SealedPart(record, tmp_path / "x")).digest == digest
    sent = network.writes - before - 3
    assert 12 - 5 <= sent <= 12 - 3, "the parts that were there were not sent again"
    assert store.unfinished() == ()
    store.sweep(left)


class _Growing:
    """Looks on while a folder is sealed, and lets the last member grow as soon as something has travelled ahead."""

    def __init__(self, folder: Path, store: S3Store) -> None:
        self._folder, self._store = folder, store
        self.travelled = False

    def file(self, name: str) -> Callable[[bytes], None] | None:
        return self._hear if name == "2.dat" else None

    def _hear(self, _: bytes) -> None:
        if self.travelled:
            return
        ends = time.monotonic() + 60
        while not self._store.unfinished():
            assert time.monotonic() < ends, "nothing travels ahead"
            time.sleep(0.02)
        self.travelled = True
        with (self._folder / "2.dat").open("ab") as file:
            file.write(b"more")


def test_a_member_that_changes_while_it_is_sealed_takes_back_what_travelled_ahead(
    s3_endpoint: Endpoint, tmp_path: Path
) -> None:
    store = s3_endpoint.store(s3_endpoint.bucket(), part_size=_PART)
    assert store.problems() == ()
    dump, sealed = tmp_path / "dump", tmp_path / "sealed"
    for folder in (dump, sealed):
        folder.mkdir()
    (dump / "1.dat").write_bytes(os.urandom(8 << 20))
    (dump / "2.dat").write_bytes(os.urandom(1 << 20))
    looking = _Growing(dump, store)
    with opened(tmp_path / "keys") as keyring:
        keyring.create_encryption_key("Backup", bits=2048)
        recipients = tuple(key.fingerprint for key in keyring.keys())  # noqa: SIM118  a keyring is no mapping
        sealer = GpgSealer(keyring, recipients, runner=Runner(), work=tmp_path)
        with (
            pytest.raises(DiskError, match="while it was sealed"),
            travelling([NamedStore("offsite", store)], prefix="shop/b1") as towards,
        ):
            sealer.seal(Plain(dump), role="archive", into=sealed, tap=looking, towards=towards)
    assert looking.travelled
    assert store.keys("") == ()
    assert store.unfinished() == ()
    assert list(sealed.iterdir()) == []


@pytest.fixture
def desk(tmp_path: Path, s3_endpoint: Endpoint) -> Iterator[Desk]:
    with at_desk(tmp_path) as place:
        place.environment = {**place.environment, **s3_endpoint.environment}
        yield place


@pytest.fixture(scope="module")
def server() -> Iterator[Connection]:
    with running_server(MAJORS[-1]) as running:
        with running.connect() as session:
            session.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
            session.execute("INSERT INTO orders SELECT i, 'note ' || i FROM generate_series(1, 2000) i")
        yield running


def test_from_a_killed_upload_to_the_bad_day_with_a_locked_bucket_and_a_second_store(
    desk: Desk, server: Connection, s3_endpoint: Endpoint, network: BadNetwork
) -> None:
    bucket = s3_endpoint.bucket(locked=True)

    def stores(url: str) -> tuple[str, ...]:
        address = f"offsite=s3://{bucket}/shop?endpoint={url}&profile=minio&lock=compliance:1h&off_site=yes"
        return ("--store", "here", "--store", address)

    good = stores(s3_endpoint.url)
    looked = desk.attestore("doctor", *good)
    assert "a locked version was tried to be deleted, and the store refused" in " ".join(looked.out.split()), (
        looked.out + looked.err
    )

    # killed while the bucket gets its first part; the folder has the backup already
    network.lets = 5
    _killed(desk, network, "backup", "--source", server.conninfo, "--system", "shop", *stores(network.url))
    network.lets = None
    done = desk.attestore("copy", "--system", "shop", "--json", *good)
    assert done.code == 0, done.err
    (copied,) = [Copied(each["backup"], each["from"] or "", tuple(each["into"])) for each in json.loads(done.out)]
    assert (copied.source, copied.into) == ("", ("here", "offsite"))
    assert not list((desk.folder / ".attestore" / "outbox").iterdir())

    gate = Path(__file__).parents[2] / "gates" / "examples" / "stores" / "S9-PROD-005.yaml"
    drilled = desk.attestore("drill", "--system", "shop", "--gate", str(gate), "--from", "offsite", "--json", *good)
    assert drilled.code == 0, drilled.out + drilled.err
    seen = Reading(_journal(desk))
    assert (seen.text("fetched.from"), seen.number("stores.immutable"), seen.number("stores.off_site")) == (
        "offsite",
        1,
        1,
    )
    assert "compliance until" in str(seen.text("store.lock", "offsite"))

    second = desk.attestore("backup", "--source", server.conninfo, "--system", "shop", *good)
    assert second.code == 0, second.err
    pruned = desk.attestore("prune", "--system", "shop", "--keep-at-least", "1", "--dry-run", *good)
    assert pruned.code == 0, pruned.err
    assert "locked" in pruned.out

    held = desk.reports / f".use-shop-{copied.backup}.lock"
    held.unlink()
    restored = desk.attestore(
        "restore", "--backup", copied.backup, "--into", server.conninfo, "--create", "again", *good[2:]
    )
    assert restored.code == 0, restored.out + restored.err
    assert held.exists(), "what is restored is held, so that no prune takes it away meanwhile"
    with server.on("again").connect() as session:
        assert session.execute("SELECT count(*) FROM orders").fetchone() == (2000,)

    _compared_with_what_the_bucket_kept(desk, good[3].partition("=")[2])
    secret = s3_endpoint.secret_access_key
    for path in desk.folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_a_backup_killed_while_its_parts_travel_is_none_and_the_next_one_is_whole(
    desk: Desk, server: Connection, s3_endpoint: Endpoint, network: BadNetwork
) -> None:
    digests = " || ".join(f"md5((i * {factor})::text)" for factor in range(1, 20))
    with server.on("postgres").connect() as session:
        session.execute("CREATE DATABASE large")
    with server.on("large").connect() as session:
        session.execute(f"CREATE TABLE large AS SELECT i, {digests} AS note FROM generate_series(1, 40000) i".encode())
    bucket = s3_endpoint.bucket()
    store = s3_endpoint.store(bucket)

    def words(url: str) -> tuple[str, ...]:
        address = f"s3://{bucket}/backups?endpoint={url}&part_mib=5"
        return ("backup", "--source", server.on("large").conninfo, "--system", "shop", "--store", address)

    network.lets = 4  # three nonces of the probe, the first of three parts
    _killed(desk, network, *words(network.url))
    network.lets = None
    assert store.keys("shop/") == ()
    (left,) = store.unfinished()
    assert left.key.endswith("/archive.dump.zst.gpg")
    done = desk.attestore(*words(s3_endpoint.url))
    assert done.code == 0, done.err
    keys = store.keys("shop/")
    backups = {key.rpartition("/")[0] for key in keys}
    assert len(keys) == 5 * len(backups), "each has its manifest, its signature and three parts"
    assert {each.key.rpartition("/")[0] for each in store.unfinished()} <= {left.key.rpartition("/")[0]} - backups


def _compared_with_what_the_bucket_kept(desk: Desk, bucket: str) -> None:
    """A ledger that was cut with its own checkpoint set back is whole to itself; the store knows better."""
    audited = desk.attestore("audit", "reports", "--checkpoints", bucket, "--json")
    assert audited.code == 0, audited.out + audited.err
    (kept,) = [line["sentence"] for line in audited.result["lines"] if line["check"] == "kept"]
    assert re.match(r"2 kept checkpoints; the longest that this ledger holds is after entry \d+ of \d+\.", kept), kept
    ledger, point = desk.reports / "ledger.jsonl", desk.reports / "checkpoint"
    whole = ledger.read_bytes()
    ledger.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    cut = desk.attestore("audit", "reports", "--checkpoints", bucket)
    assert cut.code == 4
    assert "its tail was cut" in " ".join(cut.out.split())
    ledger.write_bytes(whole)
    nothing = desk.attestore("audit", "reports", "--checkpoints", str(point.parent))
    assert nothing.code == 4
    assert "nothing outside shows that it is whole" in " ".join(nothing.out.split())


def _journal(desk: Desk) -> tuple[Observation, ...]:
    return journal.read((desk.bundle() / "journal.jsonl").read_bytes()).observations


def _killed(desk: Desk, network: BadNetwork, *arguments: str) -> None:
    command = [sys.executable, "-m", "attestore", *arguments]
    environment = {**os.environ, **desk.environment, "TMPDIR": str(desk.temporary)}
    with subprocess.Popen(command, cwd=desk.folder, env=environment, stderr=subprocess.PIPE) as process:
        ends = time.monotonic() + 120
        while not network.stuck.is_set():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < ends
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
