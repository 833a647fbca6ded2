"""The programme before any command: its version, and arguments that are no text."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from attestore import __version__
from attestore.cli.app import app, main


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


def leaves(command: Any, name: str = "attestore") -> Iterator[tuple[str, Any]]:
    """Every command that does something, by the words that call it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for word, each in below.items():
        yield from leaves(each, f"{name} {word}")


def test_every_command_tells_its_result_as_json_too() -> None:
    found = dict(leaves(typer.main.get_command(app)))
    spoken = {name for name, each in found.items() if any("--json" in parameter.opts for parameter in each.params)}
    assert (len(found) > 30, sorted(set(found) - spoken)) == (True, [])


LIGHT = {
    "attestore.__main__",
    "attestore.errors",
    "attestore.facts",
    "attestore.cli",
    "attestore.cli.app",
    "attestore.cli.configured",
    "attestore.cli.log",
    "attestore.cli.options",
    "attestore.cli.pipes",
}
HEAVY = {
    "pydantic",
    "rich",
    "yaml",
    "jinja2",
    "markdown_it",
    "json",
    "hashlib",
    "decimal",
    "fractions",
    "asyncio",
    "email",
}


def test_help_is_there_before_anything_that_takes_long_to_load() -> None:
    """What it may load, by name: the command line itself, and nothing that commands do their work with."""
    script = "import sys; sys.argv = ['attestore', '--help']\nfrom attestore.cli import main\ntry: main()\n"
    script += "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "Usage: attestore" in done.stdout
    loaded = set(done.stderr.split())
    ours = {name for name in loaded if name.startswith("attestore.") and not name.startswith("attestore.cli.commands")}
    assert (ours - LIGHT, {name.partition(".")[0] for name in loaded} & HEAVY) == (set(), set())
