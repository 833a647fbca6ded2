"""The private folder of a run, and the sweep after runs that were killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attestore.adapters.workspace import TemporaryWorkspace, sweep
from attestore.errors import DiskError


@contextmanager
def held_by_another(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A workspace that another process made and holds."""
    script = (
        "import sys; from pathlib import Path; from attestore.adapters.workspace import TemporaryWorkspace\n"
        "with TemporaryWorkspace(Path(sys.argv[1])) as workspace:\n"
        "    print(workspace.path, flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        yield other, Path(other.stdout.readline().decode().strip())
        other.kill()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_removed_when_the_block_ends(tmp_path: Path) -> None:
    with TemporaryWorkspace(tmp_path) as workspace:
        (workspace.private("deep") / "file").write_text("x")
        (workspace.path / "readonly").mkdir(mode=0o500)
    assert list(tmp_path.iterdir()) == []


def test_everything_is_removed_when_the_block_breaks(tmp_path: Path) -> None:
    def run() -> None:
        with TemporaryWorkspace(tmp_path) as workspace:
            workspace.private("deep")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert list(tmp_path.iterdir()) == []


def nested(folder: Path, names: Iterable[str]) -> None:
    """Folders in one another, deeper than a path can say."""
    inner = os.open(folder, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=inner)
        outer, inner = inner, os.open(name, os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)


def test_restored_code_cannot_write_folders_too_deep_to_be_removed(tmp_path: Path) -> None:
    """Deeper than there are descriptors, or than Python can call itself; some bear the names that ours could get."""
    with TemporaryWorkspace(tmp_path) as workspace:
        nested(workspace.private("copy"), ["a"] * 3000)
        for number in range(40):
            nested(workspace.private(str(number)), map(str, range(60)))
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_elsewhere_is_removed_and_what_it_names_stays(tmp_path: Path) -> None:
    (kept := tmp_path / "kept").mkdir()
    (kept / "file").write_text("x")
    with TemporaryWorkspace(tmp_path / "..") as workspace:
        for folder in (workspace.path, workspace.private("deep")):
            (folder / "folder").symlink_to(kept)
            (folder / "file").symlink_to(kept / "file")
    assert not workspace.path.exists()
    assert (kept / "file").read_text() == "x"


def test_a_large_folder_is_removed_on_a_machine_that_gives_no_thread(tmp_path: Path) -> None:
    script = """
import sys, threading
from pathlib import Path
from attestore.adapters.workspace import TemporaryWorkspace
threading.stack_size(1 << 46)
with TemporaryWorkspace(Path(sys.argv[1])) as workspace:
    for number in range(1500):
        (workspace.path / str(number)).touch()
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    assert list(tmp_path.iterdir()) == []


def test_others_may_pass_through_but_neither_list_nor_enter_a_private_folder(tmp_path: Path) -> None:
    with TemporaryWorkspace(tmp_path) as workspace:
        assert mode(workspace.path) == 0o711
        assert mode(workspace.logs) == 0o700
        assert mode(workspace.private("x")) == 0o700
        assert mode(workspace.path / "lock") == 0o600


def test_free_space_is_told(tmp_path: Path) -> None:
    with TemporaryWorkspace(tmp_path) as workspace:
        assert workspace.free() > 0


def test_a_file_and_a_folder_are_destroyed_and_it_is_true(tmp_path: Path) -> None:
    with TemporaryWorkspace(tmp_path) as workspace:
        folder, file = workspace.private("folder"), workspace.path / "file"
        (folder / "x").write_text("x")
        file.write_text("x")
        assert workspace.destroy(folder)
        assert workspace.destroy(file)
        assert workspace.destroy(file)
        assert sorted(path.name for path in workspace.path.iterdir()) == ["lock", "logs"]


def test_a_link_is_destroyed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with TemporaryWorkspace(tmp_path) as workspace:
        link = workspace.path / "link"
        link.symlink_to(kept)
        assert workspace.destroy(link)
    assert kept.is_dir()


def test_a_folder_of_thousands_is_destroyed_and_nothing_that_its_links_lead_to(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_bytes(b"x")
    with TemporaryWorkspace(tmp_path) as workspace:
        folder = workspace.private("many")
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_bytes(b"x")
        for number in range(2_001):
            (folder / str(number)).write_bytes(b"x")
        (folder / "file").symlink_to(kept / "file")
        (folder / "folder").symlink_to(kept)
        assert workspace.destroy(folder)
        assert not folder.exists()
    assert [each.name for each in kept.iterdir()] == ["file"]


def test_nothing_outside_is_destroyed(tmp_path: Path) -> None:
    with TemporaryWorkspace(tmp_path) as workspace:
        for path in (tmp_path, workspace.path, workspace.path / ".." / "other"):
            with pytest.raises(ValueError, match="is not below"):
                workspace.destroy(path)


def test_a_folder_that_cannot_be_written_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="can't be used") as failed, TemporaryWorkspace(tmp_path / "missing"):
        pass
    assert "TMPDIR" in failed.value.hint


def test_the_sweep_removes_what_a_killed_run_left(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as (other, path):
        other.kill()
        other.wait()
        assert path.is_dir()
        assert sweep(tmp_path) == (path.name,)
        assert list(tmp_path.iterdir()) == []


def test_the_sweep_leaves_what_somebody_holds(tmp_path: Path) -> None:
    with held_by_another(tmp_path) as (_, theirs), TemporaryWorkspace(tmp_path) as ours:
        assert sweep(tmp_path) == ()
        assert theirs.is_dir()
        assert ours.path.is_dir()


def test_a_sweep_at_the_very_instant_takes_no_workspace_from_whoever_makes_it(tmp_path: Path) -> None:
    """Two runs at the same minute: one sweeps between the moment in which the other's lock is there and that in which it is held."""
    script = (
        "import sys; from pathlib import Path; from attestore.adapters.workspace import sweep\n"
        "sweep(Path(sys.argv[1])); print(flush=True)\n"
        "while True: sweep(Path(sys.argv[1]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            for _ in range(150):
                with TemporaryWorkspace(tmp_path) as workspace:
                    assert workspace.logs.is_dir()
        finally:
            other.kill()
    assert list(tmp_path.iterdir()) == []


def test_the_sweep_leaves_folders_that_are_no_workspaces(tmp_path: Path) -> None:
    (tmp_path / "attestore-setup.abc").mkdir()
    (tmp_path / "real").mkdir()
    (tmp_path / "attestore-run-link").symlink_to(tmp_path / "real")
    (tmp_path / "attestore-run-young").mkdir()
    assert sweep(tmp_path) == ()
    assert len(list(tmp_path.iterdir())) == 4


def test_the_sweep_removes_a_workspace_that_never_got_its_lock(tmp_path: Path) -> None:
    old = tmp_path / "attestore-run-old"
    old.mkdir()
    os.utime(old, (0, 0))
    assert sweep(tmp_path) == ("attestore-run-old",)
