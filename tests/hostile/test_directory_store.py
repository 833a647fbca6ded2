"""A folder that others can reach: links, strange keys, full disks and rotten bytes."""

from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attestore.adapters.directory_store import DirectoryStore
from attestore.errors import DiskError, StoreError
from attestore.evidence import PartRecord
from attestore.ports import SealedPart, Signed, Unfinished


def _file(tmp_path: Path, data: bytes = b"sealed") -> Signed:
    path = tmp_path / "item"
    path.write_bytes(data)
    return Signed(path)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


@contextmanager
def _no_file_above(size: int) -> Iterator[None]:
    """Writes beyond `size` bytes fail, as they do on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../x",
        "a/./x",
        "a//x",
        "a/",
        "a\\x",
        "a\nx",
        "a\0x",
        "a\x7fx",
        "a\u202ex",
        "\ud800",
        "k" * 201,
        "/".join("k" * 700),
        ".attestore-0123",
        "a/.attestore-0123",
    ],
)
def test_a_key_that_is_no_safe_path_is_refused(tmp_path: Path, key: str) -> None:
    store = DirectoryStore(tmp_path / "store")
    with pytest.raises(StoreError, match="can't be a key"):
        store.put(key, _file(tmp_path))
    with pytest.raises(StoreError, match="can't be a key"):
        store.read(key, limit=10)
    assert not (tmp_path / "store").exists()


def test_odd_but_harmless_keys_are_kept(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    for key in ("-rf", "ünï/ключ", "a b/c'd", "%00/$(x)", "..a/b.."):
        store.put(key, _file(tmp_path, key.encode()))
        assert store.read(key, limit=100) == key.encode()
    assert len(store.keys("")) == 5


def test_a_link_below_the_root_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    root = tmp_path / "store"
    root.mkdir()
    (root / "away").symlink_to(outside)
    (root / "leak").symlink_to(outside / "secret")
    store = DirectoryStore(root)
    for key in ("away/secret", "leak"):
        with pytest.raises(StoreError):
            store.read(key, limit=100)
    with pytest.raises(StoreError):
        store.put("away/new", _file(tmp_path))
    with pytest.raises(StoreError):
        store.put("leak", _file(tmp_path))
    assert store.keys("") == ()
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"


def test_a_folder_or_a_pipe_is_no_object(tmp_path: Path) -> None:
    root = tmp_path / "store"
    (root / "folder").mkdir(parents=True)
    os.mkfifo(root / "pipe")
    store = DirectoryStore(root)
    for key in ("folder", "pipe"):
        with pytest.raises(StoreError):
            store.read(key, limit=100)
    assert store.keys("") == ()


def test_only_the_owner_can_read_what_is_stored(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put("b1/x", _file(tmp_path))
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "store/b1").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "store/b1/x").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "store/b1/x").stat().st_nlink == 1


def test_leftovers_of_a_killed_writer_are_no_objects(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put("b1/x", _file(tmp_path))
    (tmp_path / "store/b1/.attestore-00ff").write_bytes(b"half")
    assert store.keys("") == ("b1/x",)


def test_leftovers_of_a_killed_writer_are_listed_and_swept(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put("b1/x", _file(tmp_path))
    (tmp_path / "store/b1/.attestore-00ff").write_bytes(b"half")
    (left,) = store.unfinished()
    assert (left.key, left.size) == ("b1/.attestore-00ff", 4)
    store.sweep(left)
    store.sweep(left)
    assert store.unfinished() == ()
    assert store.keys("") == ("b1/x",)


@pytest.mark.parametrize("name", ["b1/x", "../outside/.attestore-1", "away/.attestore-1", "/.attestore-1"])
def test_nothing_but_a_leftover_below_the_root_is_swept(tmp_path: Path, name: str) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put("b1/x", _file(tmp_path))
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/.attestore-1").write_bytes(b"mine")
    (tmp_path / "store/away").symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError):
        store.sweep(Unfinished(key=name, name=name, begun=datetime.now(UTC), size=None))
    assert (tmp_path / "outside/.attestore-1").exists()
    assert store.keys("") == ("b1/x",)


def test_a_link_is_not_deleted_through(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"mine")
    (tmp_path / "store").mkdir()
    (tmp_path / "store/leak").symlink_to(tmp_path / "outside")
    assert DirectoryStore(tmp_path / "store").delete("leak") is False
    assert (tmp_path / "outside").read_bytes() == b"mine"


def test_a_full_disk_is_a_disk_error_and_leaves_no_file(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    item = _file(tmp_path, b"x" * (1 << 18))
    with _no_file_above(1 << 16), pytest.raises(DiskError):
        store.put("b1/x", item)
    assert _files(tmp_path / "store") == []
    store.put("b1/x", item)


def test_a_full_workspace_is_a_disk_error_and_leaves_no_file(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    data = b"x" * (1 << 18)
    store.put("b1/x", _file(tmp_path, data))
    record = PartRecord(role="r", name="x", size=len(data), digest="0" * 64, plain_size=1, plain_digest="0" * 64)
    (tmp_path / "back").mkdir()
    with _no_file_above(1 << 16), pytest.raises(DiskError):
        store.fetch("b1/x", record, into=tmp_path / "back")
    assert _files(tmp_path / "back") == []


def test_a_part_that_changed_after_it_was_sealed_is_not_stored(tmp_path: Path) -> None:
    item = _file(tmp_path, b"changed")
    digest = hashlib.sha256(b"sealed!").hexdigest()
    record = PartRecord(role="r", name="x", size=7, digest=digest, plain_size=1, plain_digest="0" * 64)
    store = DirectoryStore(tmp_path / "store")
    with pytest.raises(StoreError, match="sealed were"):
        store.put("b1/x", SealedPart(record=record, path=item.path))
    assert _files(tmp_path / "store") == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/x", "a/b", "a\0b"])
def test_a_part_is_fetched_to_a_plain_name_only(tmp_path: Path, name: str) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put("x", _file(tmp_path))
    record = PartRecord(role="r", name=name, size=6, digest="0" * 64, plain_size=1, plain_digest="0" * 64)
    with pytest.raises(StoreError, match="plain file name"):
        store.fetch("x", record, into=tmp_path)


def test_a_fetch_never_writes_over_a_file(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put("x", _file(tmp_path))
    (tmp_path / "there").write_bytes(b"mine")
    record = PartRecord(role="r", name="there", size=6, digest="0" * 64, plain_size=1, plain_digest="0" * 64)
    with pytest.raises(DiskError):
        store.fetch("x", record, into=tmp_path)
    assert (tmp_path / "there").read_bytes() == b"mine"


def test_a_root_that_is_a_file_is_a_problem_before_anything_happens(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"")
    problems = DirectoryStore(tmp_path / "store").problems()
    assert [type(problem) for problem in problems] == [StoreError]
    assert str(tmp_path / "store") in problems[0].message


def test_a_root_that_cannot_take_a_file_is_a_problem(tmp_path: Path) -> None:
    with _no_file_above(16):
        problems = DirectoryStore(tmp_path / "store").problems()
    assert [type(problem) for problem in problems] == [DiskError]
    assert _files(tmp_path / "store") == []


def test_a_root_that_is_a_link_is_the_operators_word(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "real")
    store = DirectoryStore(tmp_path / "store")
    assert store.problems() == ()
    store.put("x", _file(tmp_path))
    assert (tmp_path / "real/x").read_bytes() == b"sealed"
