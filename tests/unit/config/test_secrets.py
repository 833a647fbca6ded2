"""Secrets by reference: what they refer to is read late, and what stood there instead is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore.compose.secrets import resolved, told
from attestore.config import SecretField, SecretRef, reference
from attestore.config.installation import Form
from attestore.config.secrets import Place
from attestore.errors import GateError, UsageError
from attestore.strictyaml import Node, load


class Held(Form):
    key: SecretField


@pytest.mark.parametrize("text", ["hunter2", "env:", "env:hunter2!", "file:", "File:/x", "", 7, None, ["env:A"]])
def test_whatever_is_no_reference_is_refused_without_being_shown(text: object) -> None:
    with pytest.raises(ValueError, match="write env:NAME or file:/path") as caught:
        reference(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["hunter2", "424242", "{a: hunter2}"])
def test_a_secret_in_the_clear_is_refused_by_a_form_without_being_shown(text: str) -> None:
    with pytest.raises(GateError, match="f:1:6: key: write env:NAME or file:/path") as caught:
        Node(load(f"key: {text}\n".encode(), where="f")).read_as(Held)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"
    assert "424242" not in f"{caught.value}{caught.value.hint}"


def test_a_form_reads_a_reference() -> None:
    held = Node(load(b'key: "env:A_KEY"\n', where="f")).read_as(Held)
    assert (held.key, held.key.written) == (SecretRef(Place.ENVIRONMENT, "A_KEY"), "env:A_KEY")


def test_a_secret_is_read_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "opens it")
    (tmp_path / "key").write_bytes(b"opens it, too\r\n")
    assert resolved(reference("env:A_KEY")) == b"opens it"
    assert resolved(reference("file:key"), below=tmp_path) == b"opens it, too"


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("env:NOT_SET", "NOT_SET, which should hold a secret, is not set"),
        ("file:gone", "can't be read"),
        ("file:none", "is empty"),
    ],
)
def test_a_secret_that_is_not_there_is_named_by_its_reference(ref: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"\n")
    with pytest.raises(UsageError, match=said):
        resolved(reference(ref), below=tmp_path)


def test_a_secret_on_the_command_line_is_refused_without_being_shown() -> None:
    with pytest.raises(UsageError) as caught:
        told("--passphrase", "hunter2")
    assert (caught.value.message, caught.value.__context__) == (
        "--passphrase says neither env:NAME nor file:PATH",
        None,
    )


def test_a_variable_that_is_not_set_may_be_a_credential_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager and a container hand secrets over as files; the variable itself comes first."""
    (tmp_path / "KEY").write_text("from the manager\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("KEY", raising=False)
    assert resolved(reference("env:KEY")) == b"from the manager"
    monkeypatch.setenv("KEY", "from the environment")
    assert resolved(reference("env:KEY")) == b"from the environment"
    monkeypatch.delenv("KEY")
    (tmp_path / "KEY").unlink()
    with pytest.raises(UsageError, match="the variable KEY"):
        resolved(reference("env:KEY"))
