"""Somebody who wants to be gone while an endpoint never answers: what is under way is left where it is."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from attestore.ports import Signed
from badnet import bad_network
from endpoints import Endpoint

_PART = 128 << 10
_DATA = hashlib.shake_256(b"sealed").digest(9 * _PART + 5)
_WORK = """
import hashlib, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from attestore.errors import InterruptedRunError
from attestore.evidence import PartRecord
from attestore.adapters.s3 import Patience
from attestore.ports import SealedPart
from endpoints import Endpoint

def stop(number, frame):
    raise InterruptedRunError("stopped")

doing, path = sys.argv[7], Path(sys.argv[6])
store = Endpoint(*sys.argv[2:5]).store(sys.argv[5], part_size=131072, parallel=2, patience=Patience(read_s=600))
assert store.problems() == ()
data = path.read_bytes()
record = PartRecord(
    role="r", name="x", size=len(data), digest=hashlib.sha256(data).hexdigest(), plain_size=1, plain_digest="0" * 64
)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
sys.stdin.readline()
try:
    if doing == "fetch":
        store.fetch("shop/b1/x", record, into=path.parent / "back")
    elif doing == "put":
        store.put("shop/b1/y", SealedPart(record, path))
    else:
        with store.ahead("shop/b1/y", path, most=len(data)) as hear:
            hear(data)
            if doing == "put of what travels":
                store.put("shop/b1/y", SealedPart(record, path))
            signal.pause()
except InterruptedRunError:
    print("left", flush=True)
"""


@pytest.mark.parametrize("doing", ["ahead", "put of what travels", "put", "fetch"])
def test_whoever_is_told_to_stop_does_not_wait_for_an_endpoint_that_never_answers(
    s3_endpoint: Endpoint, tmp_path: Path, doing: str
) -> None:
    """A service manager kills what goes on for minutes after it was asked to stop, and a bundle without an end is left."""
    path, back, bucket = tmp_path / "x", tmp_path / "back", s3_endpoint.bucket()
    path.write_bytes(_DATA)
    back.mkdir()
    s3_endpoint.store(bucket).put("shop/b1/x", Signed(path))
    keys = (s3_endpoint.access_key_id, s3_endpoint.secret_access_key)
    with bad_network(s3_endpoint.url) as network:
        tests = str(Path(__file__).parents[1])
        command = [sys.executable, "-c", _WORK, tests, network.url, *keys, bucket, str(path), doing]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
        ) as process:
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                network.stops_reads, network.lets = doing == "fetch", network.writes + 2
                process.stdin.write("\n")
                process.stdin.flush()
                assert network.stuck.wait(60)
                process.send_signal(signal.SIGTERM)
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
    assert (process.returncode, out, err) == (0, "left\n", "")
    assert list(back.iterdir()) == [], "nothing half fetched is left"
    assert s3_endpoint.store(bucket).keys("") == ("shop/b1/x",), "nothing half sent is an object"
