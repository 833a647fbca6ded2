"""The programme before any command: its version, and arguments that are no text."""

import sys

import pytest

from attestore import __version__
from attestore.cli.app import main


def test_the_version_needs_no_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["attestore", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().out) == (0, f"attestore {__version__}\n")


def test_bytes_that_are_no_text_are_refused_before_anything_happens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["attestore", "status", "S9\udcff"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().out) == (2, "")


def test_a_defect_of_ours_does_not_look_like_a_failed_gate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*, as_json: bool) -> int:
        raise LookupError(f"no such thing, {as_json}")

    monkeypatch.setattr("attestore.cli.check.list_facts", broken)
    monkeypatch.setattr(sys, "argv", ["attestore", "facts"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 79
    assert "Attestore itself failed: LookupError: no such thing, False" in capsys.readouterr().err
