"""Pages beside the evidence: each is there whole or as it was, and nothing of somebody else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore.archive.shelf import Shelf
from attestore.errors import UsageError

MARK = b"<!-- ours -->"


def shelf(folder: Path) -> Shelf:
    return Shelf(folder, home="index.html", below="_site", mark=MARK)


def test_who_reads_a_page_while_it_is_replaced_reads_the_old_one_whole(tmp_path: Path) -> None:
    """In place, a reader, or a build that is killed, would see half of each."""
    ours = shelf(tmp_path)
    ours.put("_site/a.html", b"old" * 1000)
    with (tmp_path / "_site" / "a.html").open("rb", buffering=0) as reader:
        first = reader.read(10)
        ours.put("_site/a.html", b"new")
        assert first + reader.read() == b"old" * 1000
    assert (tmp_path / "_site" / "a.html").read_bytes() == b"new"
    assert [path.name for path in (tmp_path / "_site").iterdir()] == ["a.html"]


def test_what_a_killed_build_left_half_written_goes_and_is_no_hindrance(tmp_path: Path) -> None:
    ours = shelf(tmp_path)
    (tmp_path / "_site").mkdir()
    for name in ("a.html", "b.html"):
        (tmp_path / "_site" / f".{name}.unfinished").write_bytes(b"ha")
    ours.put("_site/a.html", b"whole")
    assert ours.sweep({"_site/a.html"}) == 1
    assert [path.name for path in (tmp_path / "_site").iterdir()] == ["a.html"]


def test_a_page_that_is_a_link_is_replaced_and_what_it_points_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"page")
    (tmp_path / "_site").mkdir()
    (tmp_path / "_site" / "a.html").symlink_to(tmp_path / "secret")
    shelf(tmp_path).put("_site/a.html", b"page")
    assert not (tmp_path / "_site" / "a.html").is_symlink()
    assert (tmp_path / "secret").read_bytes() == b"page"


@pytest.mark.parametrize("planted", ["_site", "_site/runs", "index.html"])
def test_a_folder_or_index_that_is_a_link_is_refused(tmp_path: Path, planted: str) -> None:
    folder, elsewhere = tmp_path / "reports", tmp_path / "elsewhere"
    (folder / planted).parent.mkdir(parents=True)
    elsewhere.mkdir()
    (folder / "index.html").write_bytes(MARK) if planted != "index.html" else None
    (folder / planted).symlink_to(elsewhere)
    with pytest.raises(UsageError, match="ours"):
        shelf(folder).check()
