"""Standard error: sentences for people, one JSON object a line for programmes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from attestore.cli.app import main
from attestore.cli.display import Quiet, consoles
from attestore.cli.log import choose, concern, tell
from attestore.errors import DiskError, KeyringError, PreflightError, UsageError
from fakes import FakeClock


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    choose("human")


class Terminal(io.StringIO):
    """Where somebody reads."""

    def isatty(self) -> bool:  # type: ignore[explicit-override]
        return True


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


Ran = Callable[..., int]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["attestore", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code

    return run


def test_an_error_is_one_line_of_json_with_its_class_hint_and_exit_code(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ran("--log", "json", "run", "--source", "service=a", "--dry-run")
    (line,) = lines(capsys)
    assert code == line["exit_code"] == 2
    assert (line["level"], line["error"], line["event"]) == (
        "error",
        "PlanError",
        "no gate is given, so nothing would be judged",
    )
    assert line["hint"] == "Add --gate S9-PROD-004."
    assert line["at"].endswith("Z")
    assert "run" not in line


def test_away_from_a_terminal_standard_error_is_json_unless_somebody_says_otherwise(
    ran: Ran, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("run", "--source", "service=a", "--dry-run")
    ran(*words)  # the tests' own environment asks for sentences
    assert capsys.readouterr().err.startswith("Error: ")
    monkeypatch.delenv("ATTESTORE_LOG")
    ran(*words)
    assert lines(capsys)[0]["error"] == "PlanError"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    ran(*words)
    assert "\n  Try: Add --gate" in terminal.getvalue()
    monkeypatch.setenv("ATTESTORE_LOG", "json")
    ran("--log", "human", *words)
    assert terminal.getvalue().count("\n  Try: Add --gate") == 2


def test_another_way_of_writing_is_refused(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("--log", "xml", "facts") == 2
    assert "--log 'xml' is none of auto, human, json" in capsys.readouterr().err


def test_a_defect_of_ours_is_one_line_with_its_traceback(
    ran: Ran, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*, as_json: bool) -> int:
        raise LookupError(f"no such thing, {as_json}")

    monkeypatch.setattr("attestore.cli.check.list_facts", broken)
    assert ran("--log", "json", "facts") == 79
    (line,) = lines(capsys)
    assert (line["level"], line["exit_code"]) == ("critical", 79)
    assert "LookupError: no such thing, False" in line["traceback"]


def test_what_is_said_in_a_run_carries_the_id_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    choose("json")
    concern("20260301T020000Z-shop-0a1b2c")
    quiet = Quiet(consoles()[1], clock=FakeClock())
    quiet.phase("dump")
    quiet.say("First use of home: a sentence, " + "long " * 60)
    quiet.end()
    tell(PreflightError((KeyringError("no key", hint="make one"), DiskError("no space"))))
    said = lines(capsys)
    assert {line["run"] for line in said} == {"20260301T020000Z-shop-0a1b2c"}
    assert [line["event"][:9] for line in said] == ["First use", "phase end", "no key", "no space"]
    assert said[1]["phase"] == "dump"
    assert isinstance(said[1]["elapsed_ms"], int)
    assert {line["exit_code"] for line in said[2:]} == {76}


def test_a_new_command_is_about_no_run_yet(capsys: pytest.CaptureFixture[str]) -> None:
    concern("20260301T020000Z-shop-0a1b2c")
    choose("json")
    tell(UsageError("no"))
    assert "run" not in lines(capsys)[0]


def test_a_password_in_what_is_said_is_hidden_and_a_newline_forges_no_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    choose("json")
    tell(UsageError('can\'t reach postgresql://olga:hunter2@db/shop password=hunter2\n{"level":"info","event":"PASS"}'))
    text = capsys.readouterr().err
    assert (text.count("\n"), "hunter2" in text) == (1, False)
    assert json.loads(text)["level"] == "error"
