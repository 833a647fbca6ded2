"""Keys over the years: an escrow key that opens what it was sealed to, rotation, paper, and keys that can't be used."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attestore import compose
from attestore.adapters.gpg import GpgSealer, GpgSigner, Keyring, paper
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.compose import recovery
from attestore.compose.people import opened_home
from attestore.config.stores import DirectoryPlace
from attestore.errors import KeyringError
from clusters import running_server
from keyrings import gpg, opened, revoke
from programme import Desk, at_desk

PASSPHRASE = "correct horse battery"
ESCROW_GATE = """\
gate: ESCROW-1
title: The escrow key opens it
statement: The key in the safe opens what was backed up, with no other key at hand.
severity: blocking
checks:
  - {{id: alone, fact: unseal.alone, must: "== {key}"}}
  - {{id: recipients, fact: seal.recipients, must: "== 2"}}
  - {{id: strangers, fact: seal.recipients.unexpected, must: "== 0"}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with at_desk(tmp_path) as place:
        yield place


@pytest.fixture(scope="module")
def source() -> Iterator[str]:
    with running_server() as server:
        with server.connect() as session:
            session.execute("CREATE TABLE item (id int PRIMARY KEY, word text)")
            session.execute("INSERT INTO item SELECT n, 'word ' || n FROM generate_series(1, 50) n")
        yield server.conninfo


def open_home(folder: Path, passphrase: str = "") -> Keyring:
    return Keyring.open(folder, runner=Runner(), passphrase=passphrase.encode())


def configure(desk: Desk, source: str, *recipients: str) -> Path:
    file = desk.folder / "attestore.yaml"
    listed = f"keys:\n  recipients:\n    # the first\n{''.join(f'    - {each}{chr(10)}' for each in recipients)}"
    file.write_text(f'attestore: 1\n{listed}systems:\n  app: {{source: "{source}"}}\n')
    return file


def backup_key(desk: Desk) -> str:
    found = desk.attestore("keys", "list", "--json").result["keys"]
    (key,) = (each["fingerprint"] for each in found if each["recipient"])
    assert isinstance(key, str)
    return key


def test_a_machine_with_public_keys_backs_up_and_the_escrow_key_alone_opens_it(desk: Desk, source: str) -> None:
    with open_home(desk.folder / "escrow", PASSPHRASE) as escrow:
        key = escrow.create_encryption_key("Attestore escrow", bits=2048).fingerprint
        (desk.folder / "escrow.asc").write_bytes(escrow.public(key))
    assert desk.attestore("keys", "import", "escrow.asc").code == 0
    mine = backup_key(desk)
    with opened(desk.folder / ".attestore") as keyring:
        gpg(keyring, "--yes", "--delete-secret-keys", mine)
    configure(desk, source, mine, key)

    taken = desk.attestore("backup", "--json")
    assert taken.code == 0, taken.err
    looked = desk.attestore("doctor")
    assert (looked.code, "this machine can back up, but not drill" in " ".join(looked.out.split())) == (0, True)
    here = desk.attestore("drill", "--gate", "S9-PROD-003")
    assert (here.code, f"private key of {mine}" in here.err or "private key for" in here.err) == (71, True), here.err

    (desk.folder / "gate.yaml").write_text(ESCROW_GATE.format(key=key))
    words = ("drill", "--gate", "gate.yaml", "--key", key, "--escrow", "escrow", "--json")
    drilled = desk.attestore(*words, "--passphrase", "env:SAFE", environment={"SAFE": PASSPHRASE})
    assert (drilled.code, drilled.result["outcome"]) == (0, "PASS"), drilled.out + drilled.err
    told = (desk.bundle() / "ESCROW-1.md").read_text().replace("\\", "")
    assert f"Opened with one private key, and no other at hand: `{key}`." in told
    assert desk.attestore("audit").code == 0


def test_after_a_rotation_older_backups_still_restore(desk: Desk, source: str) -> None:
    old = backup_key(desk)
    file = configure(desk, source, old)
    before = file.read_text()
    assert desk.attestore("backup").code == 0
    done = desk.attestore("keys", "rotate", "--expires", "1y", "--json")
    assert done.code == 0, done.err
    new = done.result["new"]["fingerprint"]
    assert (done.result["old"], done.result["kept"], done.result["configuration"]) == (old, True, "attestore.yaml")
    assert file.read_text() == before.replace(old, new)
    assert desk.attestore("backup").code == 0

    drilled = desk.attestore("drill", "--backup", "oldest", "--gate", "S9-PROD-003", "--json")
    assert (drilled.code, drilled.result["outcome"]) == (0, "PASS"), drilled.out + drilled.err
    sealed_to = [json.loads(path.read_text())["recipients"] for path in sorted(desk.store.rglob("manifest.json"))]
    assert sealed_to == [[old], [new]]
    ledger = [json.loads(line) for line in (desk.reports / "ledger.jsonl").read_text().splitlines()]
    changes = [line["recipients"] for line in ledger if line["kind"] == "key.changed"]
    assert changes == [[old], [new]]


def test_a_key_on_paper_is_typed_back_and_opens_what_was_sealed_to_it(tmp_path: Path) -> None:
    """As the shop of a printer would: other spaces, other line ends; one wrong letter is named by its line."""
    with at_desk(tmp_path, keys=False) as desk:
        with open_home(tmp_path / ".attestore", PASSPHRASE) as keyring:
            key = keyring.create_encryption_key("Attestore backup", bits=2048).fingerprint
            sealed = gpg(keyring, "--recipient", key, "--encrypt", stdin=b"a dump")
        unlocked = {"SAFE": PASSPHRASE}
        printed = desk.attestore("keys", "paper", "--passphrase", "env:SAFE", environment=unlocked)
        assert (printed.code, PASSPHRASE in printed.out) == (0, False), printed.err
        assert "The key has a passphrase, which is not on this paper" in printed.out
        typed = "\r\n".join(re.sub(" {2,}", "     ", line) for line in printed.out.splitlines())
        line = next(each for each in typed.splitlines() if each.startswith("007"))
        wrong = line[:10] + ("B" if line[10] == "A" else "A") + line[11:]
        (tmp_path / "typed.txt").write_text(typed.replace(line, wrong))
        refused = desk.attestore("keys", "import", "typed.txt", "--home", "elsewhere")
        assert (refused.code, "line 007 is typed wrong" in refused.err) == (71, True)
        (tmp_path / "typed.txt").write_text(typed)
        back = desk.attestore("keys", "import", "typed.txt", "--home", "elsewhere", "--json")
        assert (back.code, back.result["keys"][0]["private"], back.result["keys"][0]["locked"]) == (0, True, True)
        with open_home(tmp_path / "elsewhere", PASSPHRASE) as elsewhere:
            assert elsewhere.home.run("--decrypt", stdin=sealed).stdout == b"a dump"


def test_keys_are_made_listed_and_tried(tmp_path: Path) -> None:
    with at_desk(tmp_path, keys=False) as desk:
        assert desk.attestore("keys", "list").code == 71
        made = desk.attestore("keys", "new", "--paper", "key.txt", "--expires", "90d", "--json")
        assert made.code == 0, made.err
        key = made.result["key"]
        assert (key["algorithms"], key["private"], key["locked"], key["recipient"]) == (
            ["RSA 4096", "RSA 4096"],
            True,
            False,
            True,
        )
        assert key["days"] in {89, 90}
        assert (tmp_path / "key.txt").stat().st_mode & 0o777 == 0o600
        again = desk.attestore("keys", "new", "--paper", "key.txt")
        assert (again.code, "is there already" in again.err) == (2, True)
        person = desk.attestore("keys", "new", "--signing", "--name", "Kim Example <kim@example.org>", "--json")
        assert person.result["key"]["recipient"] is False
        tried = desk.attestore("keys", "check", "--json")
        assert (tried.code, tried.result["problems"], len(tried.result["looks"])) == (0, 0, 2), tried.out
        killed = desk.temporary / "attestore-run-killed"
        killed.mkdir()
        (killed / "lock").touch()
        listed = desk.attestore("keys", "list")
        assert not killed.exists(), "a killed rotation's working folder may hold a key"
        assert all(len(line.rstrip()) <= 80 for line in listed.out.splitlines())
        assert "Kim Example <kim@example.org>" in listed.out
        public = desk.attestore("keys", "export", "--key", key["fingerprint"])
        assert public.out.startswith("-----BEGIN PGP PUBLIC")
        told = desk.attestore("keys", "export", "--key", key["fingerprint"], "--json").result
        assert told == {"fingerprint": key["fingerprint"], "text": public.out}
        on_paper = desk.attestore("keys", "paper", "--output", "again.txt", "--json").result
        assert on_paper == {"fingerprint": key["fingerprint"], "file": "again.txt"}
        assert desk.attestore("keys", "paper", "--json").result["text"] == (tmp_path / "again.txt").read_text()


def test_a_key_that_is_revoked_expired_or_lacks_its_private_part_is_told(tmp_path: Path) -> None:
    with at_desk(tmp_path, keys=False) as desk:
        with opened(tmp_path / ".attestore") as keyring:
            old = keyring.create_encryption_key("Attestore backup", bits=2048).fingerprint
            revoke(keyring, old)
        told = desk.attestore("keys", "check")
        assert (told.code, f"{old} is revoked" in " ".join(told.out.split())) == (71, True), told.out
        with opened(tmp_path / ".attestore") as keyring:
            day = (datetime.now(UTC) - timedelta(days=400)).strftime("%Y%m%dT000000!")
            gpg(keyring, "--faked-system-time", day, "--passphrase", "", "--pinentry-mode", "loopback",
                "--quick-generate-key", "Attestore old", "ed25519", "sign", "30d")  # fmt: skip
            expired = next(each for each in keyring.keys() if each.fingerprint != old)  # noqa: SIM118
            gpg(keyring, "--faked-system-time", day, "--passphrase", "", "--pinentry-mode", "loopback",
                "--quick-add-key", expired.fingerprint, "cv25519", "encr", "30d")  # fmt: skip
        (tmp_path / "attestore.yaml").write_text(
            f"attestore: 1\nkeys: {{recipients: [{expired.fingerprint}, {'A' * 40}]}}\n"
        )
        told = desk.attestore("keys", "check")
        words = " ".join(told.out.split())
        assert told.code == 71
        assert f"{expired.fingerprint} expired on " in words
        assert f"recipient {'A' * 40} is not in the keyring" in words
        assert "It still opens the backups that are sealed to it." in words


def test_a_key_that_was_rotated_away_is_not_sealed_to_again_because_the_newer_one_is_revoked(tmp_path: Path) -> None:
    with at_desk(tmp_path, keys=False) as desk:
        with opened(tmp_path / ".attestore") as keyring:
            old = keyring.create_encryption_key("Attestore backup", bits=2048).fingerprint
            time.sleep(1.1)  # the age of a key is told in seconds
            new = keyring.create_encryption_key("Attestore backup", bits=2048).fingerprint
            revoke(keyring, new)
        listed = {
            key["fingerprint"]: key["recipient"] for key in desk.attestore("keys", "list", "--json").result["keys"]
        }
        assert listed == {old: False, new: True}
        tried = desk.attestore("keys", "check")
        assert (tried.code, f"{new} is revoked" in " ".join(tried.out.split())) == (71, True), tried.out


def test_a_locked_key_says_that_it_is_locked_and_a_wrong_passphrase_that_it_is_wrong(tmp_path: Path) -> None:
    with open_home(tmp_path / "home", PASSPHRASE) as keyring:
        key = keyring.create_encryption_key("Attestore backup", bits=2048).fingerprint
        sealer = GpgSealer(keyring, (key,), runner=Runner(), work=tmp_path)
        assert sealer.problems(decrypting=True) == ()
        assert GpgSigner(keyring, key, runner=Runner()).problems() == ()
        assert keyring.locked(key)
    for given, said in (("", "it has a passphrase, and none was given"), ("wrong", "the passphrase is wrong")):
        with open_home(tmp_path / "home", given) as keyring:
            (problem,) = GpgSealer(keyring, (key,), runner=Runner(), work=tmp_path).problems(decrypting=True)
            assert (type(problem), said in problem.message, key in problem.message) == (KeyringError, True, True)
            (problem,) = GpgSigner(keyring, key, runner=Runner()).problems()
            assert said in problem.message
            with pytest.raises(KeyringError, match=said):
                keyring.private(key)


def test_the_only_private_key_at_hand_is_the_one_that_was_named(tmp_path: Path) -> None:
    """A second private key beside it would prove nothing about the first."""
    with opened(tmp_path / "home") as keyring:
        first = keyring.create_encryption_key("One", bits=2048).fingerprint
        keyring.create_signing_key("Two")
        with pytest.raises(KeyringError, match="2 private keys, not one"):
            GpgSealer(keyring, (first,), runner=Runner(), work=tmp_path, alone=keyring)


def test_a_rotation_needs_a_key_that_backups_are_sealed_to(desk: Desk) -> None:
    refused = desk.attestore("keys", "rotate", "--key", "A" * 40)
    assert (refused.code, "is not in the keyring" in refused.err) == (71, True)
    refused = desk.attestore("keys", "rotate", "--to", backup_key(desk))
    assert (refused.code, "there is no configuration that names them" in refused.err) == (2, True), refused.err


def test_a_first_use_beside_imported_public_keys_makes_a_signing_key_and_no_second_backup_key(tmp_path: Path) -> None:
    with opened(tmp_path / "elsewhere") as elsewhere:
        key = elsewhere.create_encryption_key("Attestore backup", bits=2048).fingerprint
        public = elsewhere.public(key)
    settings = compose.Settings(
        reports=tmp_path,
        home=tmp_path / "home",
        operator="Olga Operator",
    )
    with opened(settings.home) as keyring:
        keyring.add(public)
    said: list[str] = []
    with opened_home(settings, runner=Runner(), say=said.append, work=tmp_path) as home:
        assert home.recipients == (key,)
        kinds = sorted(bool(each.encrypting) for each in home.keyring.keys())  # noqa: SIM118  a keyring is no mapping
        assert kinds == [False, True]
    assert "backups are sealed to the keys you chose" in said[0]


def test_a_recovery_opens_with_the_key_from_the_paper(tmp_path: Path) -> None:
    """A bare machine has no keyring to import it into."""
    with open_home(tmp_path / "home", PASSPHRASE) as keyring:
        key = keyring.create_encryption_key("Attestore backup", bits=2048)
        (tmp_path / "typed.txt").write_text(paper.write(key, keyring.private(key.fingerprint), locked=True))
        sealed = gpg(keyring, "--recipient", key.fingerprint, "--encrypt", stdin=b"a dump")
    (tmp_path / "pass").write_text(PASSPHRASE)
    order = recovery.Salvage(
        backup="latest",
        store=DirectoryPlace("near", tmp_path),
        into="service=x",
        home=tmp_path / "none",
        key=tmp_path / "typed.txt",
        passphrase=f"file:{tmp_path / 'pass'}",
    )
    with TemporaryWorkspace() as workspace, recovery._keyring(order, runner=Runner(), workspace=workspace) as found:
        assert found.home.run("--decrypt", stdin=sealed).stdout == b"a dump"
