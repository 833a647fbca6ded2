"""What every Workspace, Clock and Entropy promises: the fakes and the machine's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from attestore.adapters.system import SystemClock, SystemEntropy
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.ports import Clock, Entropy, Workspace
from fakes import FakeClock, FakeEntropy, FakeWorkspace


@pytest.fixture(params=["fake", "temporary"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    if request.param == "fake":
        (tmp_path / "logs").mkdir()  # as World makes it
        yield FakeWorkspace(tmp_path)
        return
    with TemporaryWorkspace(tmp_path) as made:
        yield made


@pytest.fixture(params=[FakeClock, SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


@pytest.fixture(params=[FakeEntropy, SystemEntropy])
def entropy(request: pytest.FixtureRequest) -> Entropy:
    made: Entropy = request.param()
    return made


def test_a_workspace_is_a_folder_with_a_folder_for_logs_and_some_space(workspace: Workspace) -> None:
    assert workspace.path.is_dir()
    assert workspace.logs.is_dir()
    assert workspace.path in workspace.logs.parents
    assert workspace.free() > 0


def test_what_is_destroyed_is_gone_whether_file_folder_or_nothing(workspace: Workspace) -> None:
    folder = workspace.path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("x")
    file = workspace.path / "file"
    file.write_text("x")
    for path in (folder, file, workspace.path / "nothing"):
        assert workspace.destroy(path)
        assert not path.exists()


def test_wall_time_is_utc_and_ticks_never_go_back(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)
    ticks = [clock.tick() for _ in range(100)]
    assert ticks == sorted(ticks)
    assert all(type(tick) is int for tick in ticks)


def test_tokens_have_their_size_and_differ(entropy: Entropy) -> None:
    assert [len(entropy.token(size)) for size in (1, 16, 32)] == [1, 16, 32]
    assert entropy.token(32) != entropy.token(32)
