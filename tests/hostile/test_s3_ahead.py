"""Parts that travel before their file is whole: whatever happens to them or to the file, what becomes an object is what was sealed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attestore.adapters.s3 import S3Store, upload
from attestore.adapters.s3.digests import sums_of
from attestore.errors import StoreError
from attestore.evidence import PartRecord
from attestore.ports import SealedPart
from badnet import BadNetwork, bad_network
from endpoints import Endpoint

_PART = 128 << 10
_KEY = "shop/b1/x"
_DATA = hashlib.shake_256(b"sealed").digest(9 * _PART + 5)
_HEAR = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from endpoints import Endpoint
store = Endpoint(*sys.argv[2:5]).store(sys.argv[5], part_size=int(sys.argv[6]), parallel=2)
assert store.problems() == ()
path = Path(sys.argv[7])
with store.ahead("shop/b1/x", path, most=path.stat().st_size) as hear:
    hear(path.read_bytes())
    time.sleep(60)
"""


@pytest.fixture
def network(s3_endpoint: Endpoint) -> Iterator[BadNetwork]:
    with bad_network(s3_endpoint.url) as running:
        yield running


@pytest.fixture
def part(tmp_path: Path) -> SealedPart:
    (tmp_path / "x").write_bytes(_DATA)
    digest = hashlib.sha256(_DATA).hexdigest()
    record = PartRecord(role="r", name="x", size=len(_DATA), digest=digest, plain_size=1, plain_digest="0" * 64)
    return SealedPart(record, tmp_path / "x")


def _through(network: BadNetwork, endpoint: Endpoint) -> S3Store:
    """A store in a new bucket, by way of the network, that has been looked at."""
    store = replace(endpoint, url=network.url).store(endpoint.bucket(), part_size=_PART)
    assert store.problems() == ()
    return store


def _heard(store: S3Store, part: SealedPart, data: bytes = _DATA) -> None:
    """What a run does: told chunk by chunk, then put."""
    with store.ahead(_KEY, part.path, most=len(data)) as hear:
        assert hear is not None
        for start in range(0, len(data), 50_000):
            hear(data[start : start + 50_000])
        store.put(_KEY, part)


def test_parts_have_arrived_before_anybody_puts_the_file(
    s3_endpoint: Endpoint, network: BadNetwork, part: SealedPart
) -> None:
    store = _through(network, s3_endpoint)
    before, network.lets = network.writes, network.writes + 8
    with store.ahead(_KEY, part.path, most=len(_DATA)) as hear:
        assert hear is not None
        hear(_DATA)
        assert network.stuck.wait(20), "the ninth of nine whole parts is on its way, though nobody has put anything"
        assert network.writes - before == 8
        assert store.keys("") == ()


def test_faults_ahead_are_made_up_for_when_the_file_is_put(
    s3_endpoint: Endpoint, network: BadNetwork, part: SealedPart
) -> None:
    store = _through(network, s3_endpoint)
    network.only = ("internal error",)
    with store.ahead(_KEY, part.path, most=len(_DATA)) as hear:
        assert hear is not None
        hear(_DATA[: 4 * _PART])
        network.seed(1, rate=1)
        hear(_DATA[4 * _PART :])
        ahead = store._ahead["backups/" + _KEY]
        assert ahead._crew.over.wait(20), "it gave up by itself, and told nobody"
        network.seed(1, rate=0)
        assert store.put(_KEY, part).digest == part.record.digest
    assert store.keys("") == (_KEY,)
    assert store.unfinished() == ()


def test_a_file_that_changes_after_it_was_sealed_is_not_stored(s3_endpoint: Endpoint, part: SealedPart) -> None:
    """Also where all but its last part arrived before; nothing that anybody could take for the object is left."""
    store = s3_endpoint.store(s3_endpoint.bucket(), part_size=_PART)
    assert store.problems() == ()
    part.path.write_bytes(_DATA[:-1] + bytes([_DATA[-1] ^ 1]))
    with pytest.raises(StoreError):
        _heard(store, part)
    assert store.keys("") == ()


@pytest.mark.parametrize("size", [5, len(_DATA)])
def test_another_file_than_the_one_that_travelled_is_put_by_itself(
    s3_endpoint: Endpoint, tmp_path: Path, part: SealedPart, size: int
) -> None:
    store = s3_endpoint.store(s3_endpoint.bucket(), part_size=_PART)
    assert store.problems() == ()
    data = bytes(size)
    (tmp_path / "other").write_bytes(data)
    record = replace(part.record, size=size, digest=hashlib.sha256(data).hexdigest())
    with store.ahead(_KEY, part.path, most=len(_DATA)) as hear:
        assert hear is not None
        hear(_DATA)
        assert store.put(_KEY, SealedPart(record, tmp_path / "other")).digest == record.digest
    assert store.read(_KEY, limit=size) == data
    assert store.unfinished() == ()


def test_what_a_killed_run_had_sent_ahead_is_no_object_and_is_continued_or_swept(
    s3_endpoint: Endpoint, network: BadNetwork, part: SealedPart
) -> None:
    bucket = s3_endpoint.bucket(locked=True)
    keys = (s3_endpoint.access_key_id, s3_endpoint.secret_access_key)
    tests = str(Path(__file__).parents[1])
    network.lets = 8  # three nonces of the probe, five parts
    command = [sys.executable, "-c", _HEAR, tests, network.url, *keys, bucket, str(_PART), str(part.path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ) as process:
        assert network.stuck.wait(60), process.poll()
        process.kill()
    store = s3_endpoint.store(bucket, part_size=_PART)
    assert store.keys("") == ()
    (left,) = store.unfinished()
    assert left.key == _KEY
    network.lets, before = None, network.writes
    through = Endpoint(network.url, *keys).store(bucket, part_size=_PART)
    assert through.put(_KEY, part).digest == part.record.digest
    assert 10 - 5 <= network.writes - before - 3 <= 10 - 3, "the parts that were there were not sent again"
    assert store.unfinished() == ()
    store.sweep(left)
    assert store.keys("") == (_KEY,)


@pytest.mark.parametrize("algorithm", ["SHA256", ""])
def test_parts_of_another_seal_under_the_same_key_are_never_mixed_with_ours(
    s3_endpoint: Endpoint, part: SealedPart, algorithm: str
) -> None:
    """Sealed again, a backup has other bytes in as many parts of the same sizes; whoever died at the first left some of them."""
    bucket = s3_endpoint.bucket()
    store, client = s3_endpoint.store(bucket, part_size=_PART), s3_endpoint.client()
    assert store.problems() == ()
    summed = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    if not algorithm and store._found is not None:
        store._found = replace(store._found, manners=replace(store._found.manners, sums=False))
    left = client.create_multipart_upload(Bucket=bucket, Key=f"backups/{_KEY}", **summed)["UploadId"]
    for number in (1, 3):
        data = _DATA[:_PART] if number == 1 else bytes(_PART)
        client.upload_part(Bucket=bucket, Key=f"backups/{_KEY}", UploadId=left, PartNumber=number, Body=data, **summed)
    _taken_up(store, part, ours={1})
    assert store.put(_KEY, part).digest == part.record.digest
    assert store.read(_KEY, limit=len(_DATA)) == _DATA


def _taken_up(store: S3Store, part: SealedPart, *, ours: set[int]) -> None:
    """Of what somebody left, the parts that hold our bytes are taken up and no others."""
    begun = upload._left(store._calls, f"backups/{_KEY}", sums_of(part.path, _PART))
    assert set(begun.tags) == ours
