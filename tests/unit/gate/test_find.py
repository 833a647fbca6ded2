from __future__ import annotations

from pathlib import Path

import pytest

from attestore import gate
from attestore.errors import GateError, UsageError

MINE = """\
gate: {id}
title: Mine
statement: It is mine.
checks:
  - {{id: rto, fact: restore.rto, must: "< 5m"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "MINE-1.yaml").write_text(MINE.format(id="MINE-1"))
    (tmp_path / "WRONG-1.yaml").write_text(MINE.format(id="OTHER-1"))
    return tmp_path


def test_an_id_means_a_shipped_gate() -> None:
    assert gate.named("S9-PROD-004").title == "Backup restoration tested"


def test_a_folder_of_ones_own_comes_before_the_shipped_gates(folder: Path) -> None:
    (folder / "S9-PROD-004.yaml").write_text(MINE.format(id="S9-PROD-004"))
    assert gate.named("S9-PROD-004", folders=[folder]).title == "Mine"
    assert gate.named("MINE-1", folders=[folder]).id == "MINE-1"


def test_a_path_means_that_file_whatever_its_id(folder: Path) -> None:
    assert gate.named(str(folder / "WRONG-1.yaml")).id == "OTHER-1"


def test_an_id_that_finds_a_file_with_another_id_is_refused(folder: Path) -> None:
    with pytest.raises(GateError, match="named after WRONG-1 and holds the gate OTHER-1") as caught:
        gate.named("WRONG-1", folders=[folder])
    assert "OTHER-1.yaml" in caught.value.hint


def test_an_unknown_id_names_the_nearest_and_all(folder: Path) -> None:
    with pytest.raises(UsageError, match="no gate 'S9-PROD-005'") as caught:
        gate.find("S9-PROD-005", folders=[folder])
    assert caught.value.hint == ("Did you mean S9-PROD-004? Known gates: MINE-1, S9-PROD-003, S9-PROD-004, WRONG-1.")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["..", "../gates", "", "catalogue", "*", "s9-prod-004"])
def test_nothing_but_a_gate_is_found(name: str) -> None:
    with pytest.raises(UsageError):
        gate.find(name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no gate file .*nowhere\.yaml"):
        gate.find(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(UsageError, match="cannot be read"):
        gate.read(tmp_path)
