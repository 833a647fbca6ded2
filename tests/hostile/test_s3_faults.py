"""Two hundred bad days: whatever the network does, no wrong success, and nothing half-written looks like a backup."""

from __future__ import annotations

import gc
import hashlib
import random
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from attestore.adapters.s3 import Patience, S3Store
from attestore.errors import StoreError
from attestore.evidence import PartRecord
from attestore.ports import SealedPart, Signed
from badnet import FAULTS, BadNetwork, bad_network
from endpoints import Endpoint

_RUNS = 200
_PART = 16 << 10
_PATIENCE = Patience(connect_s=1, read_s=0.15, attempts=5, first_s=0.002, longest_s=0.01, total_s=10)


@pytest.fixture(scope="module")
def network(s3_endpoint: Endpoint) -> Iterator[BadNetwork]:
    with bad_network(s3_endpoint.url) as running:
        running.hang_s = 0.25
        yield running


class _Day:
    """One store on a good network and the same one on a bad one."""

    def __init__(self, endpoint: Endpoint, network: BadNetwork, folder: Path, **bucket: bool) -> None:
        place = endpoint.place(endpoint.bucket(**bucket), part_size=_PART, parallel=2)
        self.network, self.folder = network, folder
        self.true = S3Store(place, endpoint.credentials, patience=_PATIENCE)
        self.bad = S3Store(replace(place, endpoint=network.url), endpoint.credentials, patience=_PATIENCE)
        network.seed(0, rate=0)
        assert self.bad.problems() == ()

    def item(self, name: str, data: bytes) -> SealedPart:
        path = self.folder / name
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        record = PartRecord(role="r", name=name, size=len(data), digest=digest, plain_size=1, plain_digest="0" * 64)
        return SealedPart(record=record, path=path)


def test_no_wrong_success_in_two_hundred_seeded_runs(
    s3_endpoint: Endpoint, network: BadNetwork, tmp_path: Path
) -> None:
    day = _Day(s3_endpoint, network, tmp_path)
    went: dict[bool, int] = {True: 0, False: 0}
    before = network.seen.copy()
    for seed in range(_RUNS):
        went[_run(day, seed)] += 1
    met = network.seen - before
    assert set(FAULTS) <= set(met), f"never met: {set(FAULTS) - set(met)}"
    assert went[True] > _RUNS // 4, went
    assert went[False] > _RUNS // 20, went


def _run(day: _Day, seed: int) -> bool:
    """A backup of two parts and a manifest, stored and fetched on one bad day; whether it went through to its end."""
    dice = random.Random(seed)  # noqa: S311
    prefix = f"shop/{seed:03}"
    parts = {
        "small": dice.randbytes(dice.randrange(0, _PART)),
        "large": dice.randbytes(_PART * 2 + dice.randrange(1, _PART)),
    }
    items = {name: day.item(name, data) for name, data in parts.items()}
    (day.folder / "manifest").write_bytes(f"manifest {seed}".encode())
    day.network.seed(seed, rate=(0.1, 0.3, 0.5)[seed % 3])
    done, told = False, list[StoreError]()
    try:
        for name, item in items.items():
            stored = day.bad.put(f"{prefix}/{name}", item)
            assert (stored.size, stored.digest) == (item.record.size, item.record.digest)
        day.bad.put(f"{prefix}/manifest", Signed(day.folder / "manifest"))
        for name, item in items.items():
            (day.folder / "back").mkdir(exist_ok=True)
            fetched = day.bad.fetch(f"{prefix}/{name}", item.record, into=day.folder / "back")
            same = fetched.path.read_bytes() == parts[name]
            fetched.path.unlink()
            assert fetched.intact == same
            if not same:
                return False
        assert day.bad.read(f"{prefix}/manifest", limit=100) == f"manifest {seed}".encode()
        done = True
    except StoreError as problem:
        told.append(problem)
    finally:
        day.network.seed(0, rate=0)
        _nothing_half(day, prefix, parts)
    assert all(day.network.url.rpartition("/")[2] in problem.message for problem in told)
    return done


def _nothing_half(day: _Day, prefix: str, parts: dict[str, bytes]) -> None:
    there = day.true.keys(f"{prefix}/")
    for name, data in parts.items():
        if f"{prefix}/{name}" in there:
            assert day.true.digest(f"{prefix}/{name}").digest == hashlib.sha256(data).hexdigest()
    if f"{prefix}/manifest" in there:
        assert {f"{prefix}/{name}" for name in parts} <= set(there)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_survived_or_told(
    s3_endpoint: Endpoint, network: BadNetwork, tmp_path: Path, fault: str
) -> None:
    """Always, and nothing but this: where nothing helps, a sentence says so."""
    day = _Day(s3_endpoint, network, tmp_path)
    item = day.item("x", bytes(range(256)) * 200)
    network.only = (fault,)
    network.seed(1, rate=1)
    try:
        if fault == "delay":
            assert day.bad.put("b/x", item).digest == item.record.digest
            return
        with pytest.raises(StoreError) as refused:
            day.bad.put("b/x", item)
        assert refused.value.hint
        network.seed(1, rate=0)
        assert day.bad.put("b/x", item).digest == item.record.digest
    finally:
        network.only = FAULTS
        network.seed(0, rate=0)


def test_a_client_that_goes_while_the_endpoint_is_silent_leaves_nothing_behind() -> None:
    """What is collected half-way warns in whichever test runs next: this one collects it itself."""
    with socket.create_server(("127.0.0.1", 0)) as silent, bad_network(_address(silent)) as network:
        with socket.create_connection(("127.0.0.1", urlsplit(network.url).port or 0)) as client:
            client.sendall(b"GET /bucket/key HTTP/1.1\r\nHost: here\r\n\r\n")
            asked, _ = silent.accept()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with asked:
            time.sleep(0.1)
            gc.collect()
    gc.collect()


def _address(server: socket.socket) -> str:
    return f"http://127.0.0.1:{server.getsockname()[1]}"
