"""A folder becomes the same stream every time, and a stream can't reach outside its folder."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.gpg import tarball
from attestore.errors import DiskError, TamperedError


def _tree(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 700)
    return folder


def _evil(entry: tarfile.TarInfo, content: bytes = b"") -> bytes:
    entry.size = len(content)
    return entry.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % 512) + bytes(1024)


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    names = ["toc.dat", "3210.dat", "sub/blob_1.dat", "ü 😀\n'.dat", "long/" + "n" * 200]
    folder = _tree(tmp_path / "a", names)
    (folder / "empty").mkdir()
    (folder / "zero").write_bytes(b"")
    tarball.unpack(io.BytesIO(b"".join(tarball.pack(folder))), tmp_path / "b")
    for name in names:
        assert (tmp_path / "b" / name).read_bytes() == name.encode() * 700
    assert (tmp_path / "b" / "empty").is_dir()
    assert (tmp_path / "b" / "zero").read_bytes() == b""
    assert (tmp_path / "b" / "toc.dat").stat().st_mode & 0o777 == 0o600


def test_the_stream_does_not_depend_on_time_mode_or_order_of_making(tmp_path: Path) -> None:
    one = _tree(tmp_path / "a", ["x", "y/z", "w"])
    other = _tree(tmp_path / "b", ["w", "y/z", "x"])
    os.utime(other / "x", (1, 1))
    (other / "w").chmod(0o644)
    assert b"".join(tarball.pack(one)) == b"".join(tarball.pack(other))


def test_the_stream_is_one_that_tar_reads(tmp_path: Path) -> None:
    folder = _tree(tmp_path / "a", ["x", "y/z"])
    with tarfile.open(fileobj=io.BytesIO(b"".join(tarball.pack(folder)))) as tar:
        assert [(entry.name, entry.mtime, entry.uid, entry.uname) for entry in tar] == [
            ("x", 0, 0, ""),
            ("y", 0, 0, ""),
            ("y/z", 0, 0, ""),
        ]


def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = _tree(tmp_path / "a", ["x"])
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(DiskError, match="neither a file nor a folder"):
        list(tarball.pack(folder))


def test_a_file_that_grows_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    folder = _tree(tmp_path / "a", ["x"])
    stream = tarball.pack(folder)
    next(stream)
    (folder / "x").write_bytes(b"longer than before" * 1000)
    with pytest.raises(DiskError, match="changed"):
        list(stream)


@pytest.mark.parametrize("name", ["/etc/evil", "../evil", "a/../../evil", "..", ".", "/".join("d" * 20)])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(TamperedError):
        tarball.unpack(io.BytesIO(_evil(tarfile.TarInfo(name), b"evil")), tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE]
)
def test_only_files_and_folders_are_unpacked(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("x")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(TamperedError):
        tarball.unpack(io.BytesIO(_evil(entry)), tmp_path / "out")


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = _evil(tarfile.TarInfo("x"), b"1")[:1024] + _evil(tarfile.TarInfo("x"), b"2")
    with pytest.raises(TamperedError, match="twice"):
        tarball.unpack(io.BytesIO(twice), tmp_path / "out")


@given(st.binary(max_size=1500))
def test_what_is_no_tar_stream_is_refused_or_empty(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    target = tmp_path_factory.mktemp("t") / "out"
    try:
        tarball.unpack(io.BytesIO(data), target)
    except TamperedError:
        return
    assert all(path.is_file() or path.is_dir() for path in target.rglob("*"))
