"""init and config: what is written can be read, what is shown says where it comes from, and no secret is shown."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attestore.cli.app import main
from attestore.config import load_installation, read_installation
from attestore.config.draft import Answers, draft
from attestore.config.sections import examine
from attestore.config.stores import DirectoryPlace, named_stores
from attestore.errors import GateError, UsageError

FILE = """\
attestore: 1
keys: {passphrase: "env:UNLOCK"}
stores:
  near: {kind: directory, path: backups}
  far: {kind: s3, bucket: bucket, endpoint: "https://s3.example.org", access_key_id: "env:KEY", secret_access_key: "file:key"}
systems:
  shop: {source: service=shop, gates: [S9-PROD-004], retention: {daily: 7}}
  wiki: {source: service=wiki}
"""

Said = Callable[..., Any]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    monkeypatch.chdir(tmp_path)
    for name in ("ATTESTORE_CONFIG", "ATTESTORE_HOME", "UNLOCK", "KEY"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["attestore", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


def shown(said: Said, *words: str) -> dict[str, dict[str, Any]]:
    code, out, err = said("config", "show", "--json", *words)
    assert code == 0, err
    return {each["key"]: each for each in json.loads(out)["values"]}


def test_what_holds_is_shown_with_its_origin(said: Said, tmp_path: Path) -> None:
    (tmp_path / "attestore.yaml").write_text(FILE)
    values = shown(said, "--system", "shop", "--source", "service=other", "--home", "keys")
    assert (values["home"]["value"], values["home"]["from"]) == ("keys", "option")
    assert (values["reports"]["value"], values["reports"]["from"]) == ("reports", "default")
    assert (values["systems.shop.source"]["value"], values["systems.shop.source"]["from"]) == (
        "service=other",
        "option",
    )
    assert values["systems.wiki.source"]["from"] == "attestore.yaml:8"
    assert (values["systems.shop.retention.daily"]["value"], values["systems.shop.jobs"]["from"]) == (7, "default")
    assert "as_json" not in values
    code, out, _ = said("config", "show")
    assert code == 0
    assert all(len(line) <= 80 for line in out.splitlines())


def test_secrets_are_not_read_and_whether_they_are_there_is_told(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "attestore.yaml").write_text(FILE)
    (tmp_path / "key").write_text("hunter2")
    monkeypatch.setenv("KEY", "hunter3")
    values = shown(said)
    assert (values["stores.far.access_key_id"]["value"], values["stores.far.access_key_id"]["found"]) == (
        "env:KEY",
        True,
    )
    assert values["stores.far.secret_access_key"]["found"] is True
    assert values["keys.passphrase"]["found"] is False
    code, out, err = said("config", "show")
    assert (code, "hunter" in out + err, "env:UNLOCK (NOT there)" in " ".join(out.split())) == (0, False, True)


def test_without_a_file_the_defaults_are_shown(said: Said) -> None:
    values = shown(said)
    assert {each["from"] for each in values.values()} == {"default"}
    code, _, err = said("config", "show")
    assert (code, "There is no attestore.yaml here" in err) == (0, True)


def test_a_check_reads_every_gate_and_section_that_the_file_names(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "attestore.yaml"
    file.write_text(FILE)
    code, out, _ = said("config", "check", "--json")
    assert (code, json.loads(out)["systems"]) == (0, ["shop", "wiki"])
    file.write_text(FILE.replace("S9-PROD-004", "S9-PROD-999"))
    code, _, err = said("config", "check")
    assert (code, "S9-PROD-999" in err) == (2, True)
    file.write_text(FILE.replace("daily: 7", "dayly: 7"))
    for words in (("config", "check"), ("backup", "--system", "shop", "--dry-run")):
        code, _, err = said(*words)
        assert (code, "attestore.yaml:7:" in err, "Did you mean daily?" in err) == (2, True, True)
    file.write_text(FILE.replace("service=shop", '"host=db pasword=hunter2"'))
    code, _, err = said("config", "check")
    assert (code, "systems.shop.source: " in err, "hunter2" in err) == (2, True, False)
    code, _, err = said("config", "check", "gone.yaml")
    assert (code, "gone.yaml can't be read" in err) == (2, True)


def test_init_writes_what_it_was_told_and_overwrites_nothing(said: Said, tmp_path: Path) -> None:
    words = ("init", "--source", "service=goimg", "--store", "near=backups", "--store", "s3://bucket/p?endpoint=https://s3.example.org&lock=compliance:30d",
             "--organisation", 'Ex "Ltd" \\ é', "--yes", "--json")  # fmt: skip
    code, out, err = said(*words)
    assert code == 0, err
    assert json.loads(out)["system"] == "goimg"
    found = load_installation(tmp_path / "attestore.yaml")
    assert (found.systems["goimg"].source, found.systems["goimg"].stores) == ("service=goimg", ("near", "bucket"))
    assert found.stores["near"].location == str(tmp_path / "backups")
    assert found.stores["bucket"].location == "s3://bucket/p/ at s3.example.org"
    before = (tmp_path / "attestore.yaml").read_bytes()
    code, _, err = said(*words)
    assert (code, "nothing is overwritten" in err, (tmp_path / "attestore.yaml").read_bytes()) == (2, True, before)
    assert said("config", "check")[0] == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "no source is named"),
        (("--source", "host=db dbname=a password=hunter2"), "the source holds a password"),
        (("--source", "service=a", "--system", "../x"), "can't name a system"),
        (("--source", "service=a", "--gate", "S9-PROD-404"), "S9-PROD-404"),
        (("--source", "service=a", "--organisation", "a\nsystems: {}"), "can't be printed"),
    ],
)
def test_init_refuses_what_could_not_stand_in_the_file(
    said: Said, tmp_path: Path, words: tuple[str, ...], error: str
) -> None:
    code, _, err = said("init", *words)
    assert (code, error in err, "hunter2" in err) == (2, True, False), err
    assert list(tmp_path.iterdir()) == []


def test_init_asks_on_a_terminal_for_what_no_option_says(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "attestore", "init", "--organisation", "Example"],
        cwd=tmp_path, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    ) as process:  # fmt: skip
        os.close(theirs)
        os.write(ours, b"host=db password=hunter2\nservice=goimg\n../x\nshop\nnear=/srv/a s3://bucket/p\n")
        out, _ = process.communicate(timeout=60)
    asked = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert process.returncode == 0, out.decode() + asked
    assert [word in asked for word in ("Source (service=NAME", "Name of the system [goimg]", "Whose reports")] == [
        True,
        True,
        False,
    ]
    assert "  the source holds a password" in asked, "what can't be meant is asked for again at once"
    assert "  '../x' can't name a system" in asked
    found = load_installation(tmp_path / "attestore.yaml")
    assert (list(found.systems), list(found.stores)) == (["shop"], ["near", "bucket"])


def test_a_draft_that_would_not_be_read_back_is_never_written() -> None:
    answers = Answers("shop", "service=shop", (DirectoryPlace("near", Path("a")),), ("S9-PROD-004",))
    assert b"\n# report:\n#   organisation: Example Ltd" in draft(answers).replace(
        b"# report:\n#   ", b"# report:\n#   "
    )
    with pytest.raises(GateError):
        draft(Answers("shop", "postgresql://o:hunter2@h/d", answers.stores, answers.gates))
    with pytest.raises(UsageError):
        draft(Answers("shop", "service=\x00", named_stores(["a"]), answers.gates))


@pytest.mark.parametrize("organisation", ["", "Example Ltd"])
def test_every_line_that_a_draft_leaves_in_comments_can_be_meant(organisation: str) -> None:
    """Whoever takes a # away must not be told that the key is unknown."""
    stores = named_stores(["near=/srv/a", "s3://bucket/p?endpoint=https://s3.example.org"])
    text = draft(Answers("shop", "service=shop", stores, ("S9-PROD-004",), organisation)).decode()
    said, count = re.subn(r"(?m)^( *)# ( *[a-z_]+:( .*)?)$", r"\1\2", text)
    assert count > 12
    found = read_installation(said.encode(), file=Path("attestore.yaml"))
    examine(found)
    assert None not in (found.report, found.metrics, found.notify, found.gates, found.roster, found.passphrase)
    assert found.systems["shop"].schedule is not None
