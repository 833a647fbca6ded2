"""A folder becomes the same stream every time, and a stream can't reach outside its folder."""

from __future__ import annotations

import contextlib
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
    stream = b"".join(tarball.pack(one))
    assert stream == b"".join(tarball.pack(other))
    assert stream.endswith(bytes(2 * 512))


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
    with pytest.raises(TamperedError, match="not a path below its folder"):
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


def _before(words: dict[bytes, bytes], *, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """A header that stands before an entry's own, as `tar` writes it."""
    records = b"".join(
        b"%d %s=%s\n" % (_counted(len(key) + len(value) + 3), key, value) for key, value in words.items()
    )
    return _told(records, kind=kind)


def _told(records: bytes, *, kind: bytes = tarfile.XHDTYPE) -> bytes:
    head = tarfile.TarInfo("x")
    head.type, head.size = kind, len(records)
    return head.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)


def _counted(rest: int) -> int:
    """The length of a record with the digits that say it."""
    return next(length for length in range(rest, rest + 9) if length == rest + len(str(length)))


_PLAIN = _evil(tarfile.TarInfo("a"), b"evil")


def _folder(name: str, content: bytes = b"") -> bytes:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    return _evil(entry, content)


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(_before({b"path": b"b"}) * 3000 + _PLAIN, id="headers of headers"),
        pytest.param(_before({b"path": b"b"}, kind=tarfile.GNUTYPE_LONGNAME) * 3000 + _PLAIN, id="names of names"),
        pytest.param(_before({b"GNU.sparse.map": b"x,y", b"GNU.sparse.size": b"9"}) + _PLAIN, id="sparse"),
        pytest.param(_before({b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0"}) + _PLAIN, id="sparse 1.0"),
        pytest.param(_before({b"size": b"-512"}) + _PLAIN, id="negative"),
        pytest.param(_before({b"size": b"9" * 5000}) + _PLAIN, id="no number"),
        pytest.param(_before({b"size": b"4096"}) + _PLAIN, id="more than there is"),
        pytest.param(_before({b"path": b"a\0b"}) + _PLAIN, id="a zero byte"),
        pytest.param(_before({b"path": b"c"}).replace(b"9 path", b"0 path") + _PLAIN, id="a record of no length"),
        pytest.param(_before({b"path": b"c"}).replace(b"9 path", b"8 path") + _PLAIN, id="a record too short"),
        pytest.param(_before({b"path": b"c" * 256}) + _PLAIN, id="a name that no file system takes"),
        pytest.param(_before({b"path": b"/".join([b"d" * 200] * 9)}) + _PLAIN, id="a path that no system takes"),
        pytest.param(_told(b"99 path=c\n") + _PLAIN, id="a record longer than the rest"),
        pytest.param(_told(b"9 path=cc") + _PLAIN, id="no line's end"),
        pytest.param(_told(b"1" * 5000 + b" path=c\n") + _PLAIN, id="a length of digits"),
        pytest.param(_folder("d", _folder("e")[:512]), id="a folder with a size"),
        pytest.param(_PLAIN[:1024] + _evil(tarfile.TarInfo("a/b")), id="a file below a file"),
        pytest.param(_PLAIN[:514], id="cut"),
        pytest.param(_PLAIN[:1024], id="without an end"),
    ],
)
def test_what_no_folder_of_ours_becomes_is_refused_in_our_words(tmp_path: Path, stream: bytes) -> None:
    """It is unpacked while it is fetched: whoever has the store and a public key decides what it reads."""
    with pytest.raises(TamperedError, match="the tar stream"):
        tarball.unpack(io.BytesIO(stream), tmp_path / "out")


def test_of_a_strangers_name_people_read_the_beginning(tmp_path: Path) -> None:
    with pytest.raises(TamperedError) as found:
        tarball.unpack(io.BytesIO(_before({b"path": b"../" + b"c" * 60_000}) + _PLAIN), tmp_path / "out")
    assert len(found.value.message) < 200


def test_folders_in_folders_end_somewhere(tmp_path: Path) -> None:
    stream = b"".join(_folder("/".join("d" * depth))[:512] for depth in range(1, 40))
    with pytest.raises(TamperedError, match="not a path below its folder"):
        tarball.unpack(io.BytesIO(stream), tmp_path / "out")


class _Stingy:
    """A stream that gives one byte at a time."""

    def __init__(self, stream: bytes) -> None:
        self._stream = io.BytesIO(stream)

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, 1))


def test_a_stream_that_gives_less_than_it_is_asked_for_is_read_to_its_end(tmp_path: Path) -> None:
    folder = _tree(tmp_path / "a", ["x", "y/z", "long/" + "n" * 200])
    tarball.unpack(_Stingy(b"".join(tarball.pack(folder))), tmp_path / "b")
    assert (tmp_path / "b" / "y" / "z").read_bytes() == b"y/z" * 700


class _Endless:
    """A stream that goes on with zeros, and counts what was taken from it."""

    def __init__(self, begins: bytes) -> None:
        self._begins = io.BytesIO(begins)
        self.taken = 0

    def read(self, size: int, /) -> bytes:
        self.taken += size
        return self._begins.read(size) or bytes(size)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_larger_than_a_name_is_never_held(tmp_path: Path, kind: bytes) -> None:
    head = tarfile.TarInfo("x")
    head.type, head.size = kind, 1 << 28
    stream = _Endless(head.tobuf(tarfile.USTAR_FORMAT))
    with pytest.raises(TamperedError):
        tarball.unpack(stream, tmp_path / "out")
    assert stream.taken < 1 << 20


def test_a_file_larger_than_eight_gigabytes_keeps_its_size(tmp_path: Path) -> None:
    """Its size stands before its own header, as `pack` writes it; the disk is asked for a file without blocks."""
    (tmp_path / "a").mkdir()
    with (tmp_path / "a" / "large").open("wb") as file:
        file.truncate(1 << 34)
    begins = next(tarball.pack(tmp_path / "a"))
    stream = io.BytesIO(begins + b"only this")
    with pytest.raises(TamperedError, match="ends before its end"):
        tarball.unpack(stream, tmp_path / "out")
    assert (tmp_path / "out" / "large").read_bytes() == b"only this"


@given(st.data())
def test_whatever_a_header_says_is_written_below_the_folder_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Headers whose sum is right, so that each field is believed."""
    blocks = []
    for _ in range(data.draw(st.integers(1, 4))):
        head = bytearray(tarfile.TarInfo("a").tobuf(tarfile.USTAR_FORMAT))
        for at, width in ((0, 100), (124, 12), (257, 8), (345, 155)):
            if data.draw(st.booleans()):
                head[at : at + width] = data.draw(st.binary(max_size=width)).ljust(width, b"\0")
        head[156:157] = data.draw(st.sampled_from([b"0", b"5", b"x", b"g", b"L", b"K", b"S", b"1", b"2", b"3", b"\0"]))
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        blocks.append(bytes(head))
        blocks.append(data.draw(st.sampled_from([b"", bytes(512), b"9 path=c\n".ljust(512, b"\0")])))
    target = tmp_path_factory.mktemp("t") / "out"
    with contextlib.suppress(TamperedError):
        tarball.unpack(io.BytesIO(b"".join(blocks)), target)
    assert [path.name for path in target.parent.iterdir()] == ["out"]
    assert all(path.is_file() or path.is_dir() for path in target.rglob("*"))
    assert not any(path.is_symlink() for path in target.rglob("*"))


@given(st.binary(max_size=1500))
def test_what_is_no_tar_stream_is_refused_or_empty(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    target = tmp_path_factory.mktemp("t") / "out"
    try:
        tarball.unpack(io.BytesIO(data), target)
    except TamperedError:
        return
    assert all(path.is_file() or path.is_dir() for path in target.rglob("*"))
