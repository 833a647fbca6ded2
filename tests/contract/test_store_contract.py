"""What every store promises, whatever it is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from attestore.adapters.directory_store import DirectoryStore
from attestore.errors import StoreError
from attestore.evidence import PartRecord
from attestore.ports import Kept, SealedPart, Signed, Store
from endpoints import Endpoint
from fakes import FakeStore

_SMALL = 256 << 10
"""of an upload's parts: no real service takes such small ones, the code does not know that"""


def _s3(request: pytest.FixtureRequest, **bucket: bool) -> Store:
    endpoint: Endpoint = request.getfixturevalue("s3_endpoint")
    return endpoint.store(endpoint.bucket(**bucket), part_size=_SMALL)


_STORES: dict[str, Callable[[pytest.FixtureRequest, Path], Store]] = {
    "directory": lambda _, folder: DirectoryStore(folder),
    "memory": lambda _, __: FakeStore(rots=False, lies=False, problems=()),
    "s3": lambda request, _: _s3(request),
    "s3 with lock": lambda request, _: _s3(request, locked=True),
}


@pytest.fixture(params=sorted(_STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return _STORES[str(request.param)](request, tmp_path / "store")


def _sealed(folder: Path, data: bytes, *, name: str = "proof.json.zst.gpg") -> SealedPart:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    record = PartRecord(role="proof", name=name, size=len(data), digest=digest, plain_size=1, plain_digest="0" * 64)
    return SealedPart(record=record, path=path)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (3 << 20) + 5])
def test_what_was_put_is_fetched_byte_for_byte(store: Store, tmp_path: Path, size: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    part = _sealed(tmp_path / "work", data)
    stored = store.put("b1/proof.json.zst.gpg", part)
    assert (stored.key, stored.size, stored.digest) == ("b1/proof.json.zst.gpg", size, part.record.digest)
    (tmp_path / "back").mkdir()
    fetched = store.fetch("b1/proof.json.zst.gpg", part.record, into=tmp_path / "back")
    assert fetched.intact
    assert fetched.path.read_bytes() == data
    assert fetched.path.parent == tmp_path / "back"


def test_a_key_is_written_once(store: Store, tmp_path: Path) -> None:
    store.put("b1/x", _sealed(tmp_path / "work", b"first"))
    with pytest.raises(StoreError):
        store.put("b1/x", _sealed(tmp_path / "other", b"second"))
    assert store.read("b1/x", limit=100) == b"first"


def test_a_signed_file_may_be_stored_too(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b"{}")
    assert store.put("b1/manifest.json", Signed(path)).digest == hashlib.sha256(b"{}").hexdigest()
    assert store.read("b1/manifest.json", limit=2) == b"{}"


def test_keys_are_listed_below_a_prefix_in_order(store: Store, tmp_path: Path) -> None:
    assert store.keys("") == ()
    for key in ("b2/x", "b1/y", "b1/x", "c"):
        store.put(key, _sealed(tmp_path / "work", key.encode()))
    assert store.keys("") == ("b1/x", "b1/y", "b2/x", "c")
    assert store.keys("b1/") == ("b1/x", "b1/y")
    assert store.keys("nothing/") == ()


def test_what_is_not_there_is_an_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        store.read("b1/x", limit=100)
    with pytest.raises(StoreError):
        store.fetch("b1/x", _sealed(tmp_path / "work", b"").record, into=tmp_path)


def test_a_reader_is_never_given_more_than_it_asked_for(store: Store, tmp_path: Path) -> None:
    store.put("b1/x", _sealed(tmp_path / "work", b"12345"))
    assert store.read("b1/x", limit=5) == b"12345"
    with pytest.raises(StoreError):
        store.read("b1/x", limit=4)


def test_another_object_than_recorded_is_fetched_and_says_so(store: Store, tmp_path: Path) -> None:
    store.put("b1/x", _sealed(tmp_path / "work", b"12345"))
    (tmp_path / "back").mkdir()
    fetched = store.fetch("b1/x", _sealed(tmp_path / "other", b"12346").record, into=tmp_path / "back")
    assert not fetched.intact
    assert fetched.digest == hashlib.sha256(b"12345").hexdigest()


@pytest.mark.parametrize("more", [1, 2 << 20])
def test_of_a_larger_object_than_recorded_the_size_is_told_and_nothing_is_kept(
    store: Store, tmp_path: Path, more: int
) -> None:
    """Whoever has the store must not fill the disk of whoever restores from it."""
    store.put("b1/x", _sealed(tmp_path / "work", bytes(5 + more)))
    (tmp_path / "back").mkdir()
    heard: list[bytes] = []
    fetched = store.fetch(
        "b1/x", _sealed(tmp_path / "other", bytes(5)).record, into=tmp_path / "back", hear=heard.append
    )
    assert not fetched.intact
    assert (fetched.size, fetched.digest, heard) == (5 + more, "", [])
    assert f"has {5 + more:,} bytes in the store" in fetched.words
    assert [path.stat().st_size for path in (tmp_path / "back").iterdir()] == [0]


def test_a_healthy_store_has_no_problems_and_asking_leaves_nothing(store: Store) -> None:
    assert store.problems() == ()
    assert store.keys("") == ()


def test_what_was_deleted_is_gone_and_its_neighbours_are_not(store: Store, tmp_path: Path) -> None:
    for key in ("s/b1/x", "s/b1/y", "s/b2/x"):
        store.put(key, _sealed(tmp_path / "work", key.encode()))
    assert store.delete("s/b1/x") is True
    assert store.delete("s/b1/x") is False
    assert store.keys("") == ("s/b1/y", "s/b2/x")
    assert store.size("s/b1/x") is None
    assert store.delete("s/b1/y") is True
    assert store.read("s/b2/x", limit=100) == b"s/b2/x"
    store.put("s/b1/x", _sealed(tmp_path / "work", b"again"))
    assert store.read("s/b1/x", limit=100) == b"again"


def test_nothing_keeps_what_nobody_locked(store: Store, tmp_path: Path) -> None:
    store.put("b1/x", _sealed(tmp_path / "work", b"1"))
    for key in ("b1/x", "b1/none"):
        assert store.kept(key) == Kept()


def test_a_store_that_nobody_died_at_has_nothing_unfinished(store: Store, tmp_path: Path) -> None:
    assert store.unfinished() == ()
    store.put("b1/x", _sealed(tmp_path / "work", b"1"))
    assert store.unfinished() == ()


def test_whoever_was_interrupted_puts_the_same_bytes_again(store: Store, tmp_path: Path) -> None:
    part = _sealed(tmp_path / "work", b"first" * 100_000)
    first = store.put("b1/x", part)
    assert store.put("b1/x", part) == first
    assert store.keys("") == ("b1/x",)


@pytest.mark.parametrize("size", [0, 1, _SMALL, _SMALL + 1, 4 * _SMALL, 5 * _SMALL - 3])
def test_what_travels_ahead_is_no_object_before_it_is_put(store: Store, tmp_path: Path, size: int) -> None:
    assert store.problems() == ()
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    part = _sealed(tmp_path / "work", data)
    with store.ahead("b1/x", part.path, most=size + 1000) as hear:
        for start in range(0, size, 100_000):
            if hear is not None:
                hear(data[start : start + 100_000])
        assert store.keys("") == ()
        assert store.put("b1/x", part).digest == part.record.digest
    assert store.keys("") == ("b1/x",)
    assert store.unfinished() == ()
    (tmp_path / "back").mkdir()
    assert store.fetch("b1/x", part.record, into=tmp_path / "back").path.read_bytes() == data
    assert store.put("b1/x", part).digest == part.record.digest


def test_what_travelled_ahead_and_was_not_put_is_given_up(store: Store, tmp_path: Path) -> None:
    assert store.problems() == ()
    data = bytes(5 * _SMALL)
    part = _sealed(tmp_path / "work", data)

    def stopped() -> None:
        with store.ahead("b1/x", part.path, most=len(data)) as hear:
            if hear is not None:
                hear(data)
            raise KeyError("whatever stops a run")

    with pytest.raises(KeyError):
        stopped()
    assert store.keys("") == ()
    assert store.unfinished() == ()
    assert store.put("b1/x", part).digest == part.record.digest


def test_every_byte_can_be_read_without_keeping_it(store: Store, tmp_path: Path) -> None:
    part = _sealed(tmp_path / "work", b"12345" * 100_000)
    stored = store.put("b1/x", part)
    assert store.digest("b1/x") == stored
    with pytest.raises(StoreError):
        store.digest("b1/y")


def test_a_store_says_what_was_looked_at(store: Store) -> None:
    looks = store.looks()
    assert looks
    assert {look.area for look in looks} == {"store"}
    assert store.keys("") == ()
