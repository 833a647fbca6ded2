"""What prune says: one line for each backup on a terminal of 80 columns, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from attestore.cli.cycle import Order
from attestore.cli.pruning import _policy, _tell
from attestore.config.retention import Policy
from attestore.errors import UsageError
from attestore.ports import Kept as Lock
from attestore.run.prune import Pruned
from yard import FIRST, Yard

ORDER = Order(reports=Path("reports"), home=Path(".attestore"), system="gallery", dry_run=True)
POLICY = Policy(daily=2, weekly=2, at_least=1, time_zone="Europe/Berlin")


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


def test_every_backup_is_one_line_of_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yard = Yard(tmp_path)
    first, second, third, *_ = yard.backups
    yard.offsite.locks[f"gallery/{third}/manifest.json"] = Lock(until=FIRST + timedelta(days=90))
    examined = yard.examined(POLICY)
    _tell(ORDER, POLICY, Pruned(examined=examined, removed=(), failed=(), swept=0))
    told = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert told[:8] == [
        " gallery: daily 2, weekly 2, at least 1, by the calendar of Europe/Berlin",
        "",
        "      Backup                  Day         day  week least also",
        " keep 20260305T020000Z-000005 Thu 05 Mar  1/2   1/2   1/1 newest",
        " keep 20260304T020000Z-000004 Wed 04 Mar  2/2     ·     ·",
        f" keep {third} Tue 03 Mar    ·     ·     · locked",
        f" drop {second} Mon 02 Mar past newer  past",
        f" keep {first} Sun 01 Mar    ·   2/2     · proved",
    ]
    assert f" {third}: locked: offsite, until 2026-05-30 02:00 UTC" in told
    assert told[-1].startswith(" 4 backups stay, 1 would go (")
    assert told[-1].endswith("Dry run: nothing was touched.")


def test_a_name_out_of_a_store_forges_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yard = Yard(tmp_path)
    yard.local.objects["gallery/x\n drop 20260305T020000Z-000005\x1b[2J/file"] = b""
    _tell(ORDER, POLICY, Pruned(examined=yard.examined(POLICY), removed=(), failed=(), swept=0))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line.startswith(" drop 20260305T020000Z-000005")]


def test_the_json_says_the_same_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yard = Yard(tmp_path)
    _tell(replace(ORDER, as_json=True, dry_run=False), POLICY, yard.prune(POLICY))
    told = json.loads(capsys.readouterr().out)
    assert [each["fate"] for each in told["backups"]] == ["keep", "keep", "drop", "drop", "keep"]
    assert told["backups"][4]["reasons"][0]["rule"] == "last proved"
    assert [each["stores"] for each in told["deleted"]] == [["local", "offsite"]] * 2
    assert told["policy"]["time_zone"] == "Europe/Berlin"


def test_the_command_line_wins_over_the_file_number_by_number() -> None:
    counts: dict[str, int | None] = {"daily": 3, "weekly": None}
    assert _policy(POLICY, counts=counts, time_zone="") == replace(POLICY, daily=3)
    assert _policy(None, counts=counts, time_zone="UTC") == Policy(daily=3)
    with pytest.raises(UsageError, match="no policy says"):
        _policy(None, counts={"daily": None}, time_zone="UTC")
    with pytest.raises(UsageError, match="no time zone 'Mars'"):
        _policy(POLICY, counts={}, time_zone="Mars")
