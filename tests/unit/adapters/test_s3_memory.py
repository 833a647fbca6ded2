"""How much of an object is held while it comes out of a bucket: a chunk for each stream, however large and slow the object is."""

from __future__ import annotations

import hashlib
import re
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from attestore.adapters.s3 import S3Store
from attestore.adapters.s3.digests import sums_of
from attestore.adapters.s3.download import CHUNK, Wanted
from attestore.config.stores import S3Place
from attestore.evidence import PartRecord

_PART = 2 << 20
_PARALLEL = 4
_DATA = bytes(range(241)) * (12 * _PART // 241)


class _Held:
    """Counts the bytes that were given out and are still alive somewhere."""

    def __init__(self) -> None:
        self.now = self.most = self.given = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        with self._lock:
            self.now += size
            self.given += max(0, size)
            self.most = max(self.most, self.now)


class _Chunk(bytes):
    """Bytes that tell when they are gone."""

    held: _Held

    def __del__(self) -> None:
        self.held.add(-len(self))


class _Body:
    """The body of an answer. Of the first range nothing comes until the others have been asked for."""

    def __init__(self, held: _Held, data: bytes, wait: threading.Event | None) -> None:
        self._held, self._data, self._wait = held, data, wait

    def read(self, size: int) -> bytes:
        if self._wait is not None:
            assert self._wait.wait(20)
        chunk = type("Chunk", (_Chunk,), {"held": self._held})(self._data[:size])
        self._data = self._data[size:]
        self._held.add(len(chunk))
        return cast("bytes", chunk)

    def close(self) -> None:
        pass


class _Client:
    """One bucket with one object."""

    def __init__(self, held: _Held) -> None:
        self._held = held
        self._behind = threading.Event()
        self._asked = 0

    def get_object(self, *, Range: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803  boto3's
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", Range)
        assert span, "all that is read here is read in ranges"
        start, end = int(span[1]), int(span[2]) + 1
        self._asked += 1
        if self._asked >= 2 * _PARALLEL:
            self._behind.set()
        body = _Body(self._held, _DATA[start:end], self._behind if start == 0 else None)
        return {"Body": body, "ContentRange": f"bytes {start}-{end - 1}/{len(_DATA)}", "ETag": '"1"'}


@pytest.fixture
def held() -> _Held:
    return _Held()


def _store(client: _Client) -> S3Store:
    store = S3Store(S3Place(name="s", bucket="b", prefix="", part_size=_PART, parallel=_PARALLEL))
    store._calls._made = cast("Any", client)
    return store


def test_what_comes_before_its_turn_lies_in_the_file_and_not_in_memory(held: _Held, tmp_path: Path) -> None:
    """The first range comes last, so that all that others bring meanwhile has to be somewhere."""
    digest = hashlib.sha256(_DATA).hexdigest()
    record = PartRecord(role="r", name="x", size=len(_DATA), digest=digest, plain_size=1, plain_digest="0" * 64)
    heard = hashlib.sha256()
    fetched = _store(_Client(held)).fetch("b1/x", record, into=tmp_path, hear=heard.update)
    assert fetched.intact
    assert heard.hexdigest() == digest, "whoever listens is told them in their order"
    assert fetched.path.read_bytes() == _DATA
    assert held.given == len(_DATA)
    assert held.most <= _PARALLEL * 2 * CHUNK, "a chunk for each stream, and the next one"


def test_what_is_read_back_is_held_nowhere(held: _Held, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(_DATA)
    sums = sums_of(tmp_path / "x", _PART)
    assert len(sums.pieces) > _PARALLEL
    assert _store(_Client(held))._as_sent(Wanted("b1/x", "", len(_DATA)), sums, doing="read back from")
    assert held.given == len(_DATA)
    assert held.most <= _PARALLEL * 2 * CHUNK
