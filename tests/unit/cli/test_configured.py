"""--config on the command line: the file fills in what flags leave open, and flags win."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from attestore.cli.app import app, main
from attestore.cli.configured import chosen

SHOP = """\
attestore: 1
home: keys
gates: mine
systems:
  shop:
    source: service=shop
    gates: [S9-PROD-004]
    jobs: 3
"""
TWO = SHOP + "  wiki: {source: service=wiki, gates: [own/X1.yaml]}\n"

Said = Callable[..., Any]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """The programme in a folder of its own, without a word of its environment; what it prints as JSON."""
    (tmp_path / "desk").mkdir()
    monkeypatch.chdir(tmp_path / "desk")
    for name in ("ATTESTORE_CONFIG", "ATTESTORE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["attestore", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return json.loads(told.out) if ended.value.code == 0 else (ended.value.code, told.err)

    return run


def test_without_a_file_a_source_has_to_be_named(said: Said) -> None:
    code, err = said("run", "--dry-run")
    assert (code, err.splitlines()[0]) == (2, "Error: no source is named")
    assert said("run", "--dry-run", "--json", "--source", "service=a", "--gate", "S9-PROD-004")["system"] == "a"


def test_the_only_system_of_the_file_that_is_here_need_not_be_named(said: Said) -> None:
    Path("attestore.yaml").write_text(SHOP)
    plan = said("run", "--dry-run", "--json")
    assert (plan["system"], plan["source"]) == ("shop", "service shop")
    assert [each["gate"] for each in plan["gates"]] == ["S9-PROD-004"]
    assert plan["store"] == "keys/store"


def test_flags_win_over_the_file(said: Said) -> None:
    Path("attestore.yaml").write_text(SHOP)
    plan = said(
        "run",
        "--dry-run",
        "--json",
        "--gate",
        "S9-PROD-003",
        "--home",
        "other",
        "--system",
        "shop",
        "--source",
        "service=b",
    )
    assert (plan["system"], plan["source"], plan["store"]) == ("shop", "service b", "other/store")
    assert [each["gate"] for each in plan["gates"]] == ["S9-PROD-003"]


def test_a_source_from_the_command_line_is_not_taken_for_a_system_of_the_file(said: Said) -> None:
    """Else a backup of one database would go by the name of another."""
    Path("attestore.yaml").write_text(SHOP)
    plan = said("run", "--dry-run", "--json", "--source", "service=other", "--gate", "S9-PROD-003")
    assert plan["system"] == "other"


def test_of_several_systems_one_has_to_be_named(said: Said) -> None:
    Path("attestore.yaml").write_text(TWO)
    code, err = said("backup", "--dry-run", "--json")
    assert (code, err) == (
        2,
        "Error: attestore.yaml has several systems: shop, wiki\n  Try: Name the one that is meant, e.g. --system shop.\n",
    )
    code, err = said("backup", "--dry-run", "--system", "wki")
    assert (code, err) == (2, "Error: attestore.yaml has no system 'wki'\n  Try: Did you mean wiki?\n")
    assert said("backup", "--dry-run", "--json", "--system", "wiki")["source"] == "service wiki"


def test_a_file_elsewhere_is_named_and_its_paths_are_its_own(said: Said, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "site.yaml").write_text(SHOP)
    plan = said("drill", "--dry-run", "--json", "--config", "../etc/site.yaml")
    assert (plan["system"], plan["store"]) == ("shop", "../etc/keys/store")
    code, err = said("drill", "--dry-run", "--config", "gone.yaml")
    assert (code, "the configuration gone.yaml can't be read" in err) == (2, True)


def test_the_environment_names_the_file_and_an_option_wins(
    said: Said, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(SHOP)
    monkeypatch.setenv("ATTESTORE_CONFIG", str(tmp_path / "a.yaml"))
    assert said("drill", "--dry-run", "--json")["store"] == str(tmp_path / "keys" / "store")


def test_a_file_that_cannot_be_meant_stops_every_command_that_would_read_it(said: Said) -> None:
    Path("attestore.yaml").write_text("attestore: 1\nhom: x\n")
    for words in (["status"], ["list"], ["audit"], ["doctor"], ["run"]):
        code, err = said(*words)
        assert (code, err) == (2, "Error: attestore.yaml:2:1: unknown key 'hom'\n  Try: Did you mean home?\n")


def test_a_configuration_is_known_to_its_own_command_only(said: Said) -> None:
    Path("attestore.yaml").write_text(SHOP)
    said("drill", "--dry-run", "--json")
    assert chosen() is None


def test_every_command_that_could_read_a_configuration_takes_one() -> None:
    """A new command needs nothing for it; the demo's world is its own, and init has none yet."""
    root: Any = typer.main.get_command(app)

    def lacking(group: Any) -> list[str]:
        found = []
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                found += lacking(command)
            else:
                names = {parameter.name for parameter in command.params}
                if names & {"home", "reports", "roster", "store"} and "config" not in names:
                    found.append(name)
        return found

    assert sorted(lacking(root)) == ["demo", "init"]


def test_an_audit_without_a_path_is_of_the_reports_and_by_the_roster_that_the_file_names(said: Said) -> None:
    Path("attestore.yaml").write_text(SHOP + "reports: elsewhere\nroster: trust.yaml\n")
    code, err = said("audit")
    assert (code, "there is nothing at elsewhere" in err) == (2, True)
    Path("elsewhere").mkdir()
    code, err = said("audit")
    assert (code, "the roster trust.yaml can't be read" in err) == (2, True)


def test_the_pace_at_the_source_is_what_the_file_says_unless_the_command_line_says_another(said: Said) -> None:
    Path("attestore.yaml").write_text(f"{SHOP}    source_jobs: 1\n    source_pause: 50ms\n")

    def pace(*words: str) -> tuple[int | None, int | None]:
        told = said("run", "--dry-run", "--json", *words)
        return told["source_jobs"], told["source_pause_ms"]

    assert pace() == (1, 50)
    assert pace("--source-jobs", "3", "--source-pause", "2s") == (3, 2_000)
    shown = {each["key"]: (each["value"], each["from"]) for each in said("config", "show", "--json")["values"]}
    assert shown["systems.shop.source_jobs"] == (1, "attestore.yaml:9")
    Path("attestore.yaml").write_text(SHOP)
    assert pace() == (None, None)


def test_a_pace_that_can_t_be_meant_is_refused_with_what_to_write(said: Said) -> None:
    Path("attestore.yaml").write_text(SHOP)
    code, err = said("run", "--dry-run", "--source-pause", "0.5s")
    assert (code, "--source-pause: '0.5s' is not a duration" in err, "Write 50ms or 2s" in err) == (2, True, True)
    code, err = said("run", "--dry-run", "--source-jobs", "0")
    assert (code, "--source-jobs 0 is out of range" in err, "from 1 to 64" in err) == (2, True, True)
