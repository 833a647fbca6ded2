"""The keyring is ours alone, wherever it lies, and leaves nothing running."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attestore.adapters.gpg import GpgSigner, Keyring
from attestore.adapters.process import Runner
from attestore.errors import DiskError, KeyringError, MissingProgramError
from fakes import FakeClock
from keyrings import agents, gpg, opened


def test_an_encryption_key_can_encrypt_and_says_until_when(tmp_path: Path) -> None:
    with opened(tmp_path) as keyring:
        key = keyring.create_encryption_key("Backup <b@example.org>", bits=2048, expires="90d")
        assert (key.primary.algorithm, key.primary.bits, key.secret) == ("RSA", 2048, True)
        (able,) = key.encrypting
        assert able.bits == 2048
        assert able.keyid == able.fingerprint[-16:]
        assert able.expires is not None
        left = able.expires - datetime.now(UTC)
        assert timedelta(days=89) < left <= timedelta(days=90)
        nonce = gpg(keyring, "--recipient", key.fingerprint, "--encrypt", stdin=b"nonce")
        assert gpg(keyring, "--decrypt", stdin=nonce) == b"nonce"


def test_keys_are_found_again_and_travel_as_armour(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as mine, opened(tmp_path / "b") as other:
        key = mine.create_signing_key("Olga 😀 Операторова <olga@example.org>", expires="0")
        assert (key.user_ids, key.primary.expires) == (("Olga 😀 Операторова <olga@example.org>",), None)
        assert other.add(mine.public(key.fingerprint)) == (key.fingerprint,)
        copy = other.key(key.fingerprint)
        assert (copy.primary, copy.user_ids, copy.secret) == (key.primary, key.user_ids, False)


def test_what_somebody_else_does_to_the_keyring_is_seen_at_the_next_look(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as mine, opened(tmp_path / "b") as other:
        ours = mine.create_signing_key("Olga <olga@example.org>")
        theirs = other.create_signing_key("Pavel <pavel@example.org>")
        assert [key.fingerprint for key in mine.keys()] == [ours.fingerprint]  # noqa: SIM118  a keyring is no mapping
        gpg(mine, "--import", stdin=other.public(theirs.fingerprint))
        both = {ours.fingerprint, theirs.fingerprint}
        assert {key.fingerprint for key in mine.keys()} == both  # noqa: SIM118  a keyring is no mapping
        gpg(mine, "--yes", "--delete-secret-keys", ours.fingerprint)
        assert not mine.key(ours.fingerprint).secret


def test_a_keyring_that_nobody_touches_is_looked_at_again_since_keys_expire(tmp_path: Path) -> None:
    clock = FakeClock()
    with opened(tmp_path) as keyring:
        keyring._clock = clock
        keyring.create_signing_key("Olga <olga@example.org>")
        before = keyring.keys()
        assert keyring.keys() is before
        clock.ticks += 6_000
        again = keyring.keys()
        assert again == before
        assert again is not before, "seconds later gpg was asked what has expired by now"


@pytest.mark.parametrize("user_id", ["", "x\n%commit", "x\nExpire-Date: 0", "a <b", "a <b@c> d", "a\0b"])
def test_a_user_id_cannot_give_orders_to_gpg(tmp_path: Path, user_id: str) -> None:
    with opened(tmp_path) as keyring:
        with pytest.raises(KeyringError, match="user id"):
            keyring.create_signing_key(user_id)
        assert keyring.keys() == ()


def test_a_key_that_would_have_expired_already_is_refused_with_what_to_write(tmp_path: Path) -> None:
    with opened(tmp_path) as keyring, pytest.raises(KeyringError, match="expires on 2020-01-01") as told:
        keyring.create_signing_key("Olga", expires="2020-01-01")
    assert "still to come" in told.value.hint


@pytest.mark.parametrize("expires", ["", "soon", "1y\n%commit", "-1d"])
def test_an_expiry_is_a_span_or_a_date(tmp_path: Path, expires: str) -> None:
    with opened(tmp_path) as keyring, pytest.raises(KeyringError, match="expiry"):
        keyring.create_signing_key("Olga", expires=expires)


def test_what_is_no_key_or_not_here_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path) as keyring:
        for call in (keyring.key, keyring.public):
            with pytest.raises(KeyringError, match="not in the keyring"):
                call("A" * 40)
        with pytest.raises(KeyringError):
            keyring.add(b"not a key")


def test_a_home_with_a_long_path_works_and_leaves_no_link_and_no_agent(tmp_path: Path) -> None:
    home = tmp_path / ("h" * 100) / ("i" * 100)
    with opened(home) as keyring:
        keyring.create_signing_key("Olga")
        assert len(os.fsencode(keyring.home.path)) <= 80
        assert keyring.home.path.resolve() == (home / "gnupg").resolve()
        assert agents(home)
        link = keyring.home.path
    assert not link.parent.exists()
    assert agents(tmp_path) == []
    with opened(home) as again:
        assert [key.user_ids for key in again.keys()] == [("Olga",)]  # noqa: SIM118
    assert agents(tmp_path) == []


def test_a_short_home_is_used_as_it_is_and_is_private() -> None:
    with tempfile.TemporaryDirectory(prefix="ats-test-", dir="/tmp") as short:
        with opened(Path(short)) as keyring:
            assert keyring.home.path == Path(short) / "gnupg"
            keyring.create_signing_key("Olga")
            assert (Path(short) / "gnupg").stat().st_mode & 0o777 == 0o700
        assert agents(Path(short)) == []


def test_the_users_own_keyring_is_neither_read_nor_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "user"
    theirs.mkdir()
    monkeypatch.setenv("HOME", str(theirs))
    monkeypatch.setenv("GNUPGHOME", str(theirs / ".gnupg"))
    with opened(tmp_path / "ours") as keyring:
        keyring.create_signing_key("Olga")
        assert len(keyring.keys()) == 1
    assert list(theirs.iterdir()) == []


def test_closing_twice_and_closing_unused_are_harmless(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path, runner=Runner())
    keyring.close()
    keyring.close()
    assert agents(tmp_path) == []


def test_without_gpg_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingProgramError, match="gpg") as missing:
        Keyring.open(tmp_path / "home", runner=Runner())
    assert "apt-get install --yes gnupg" in missing.value.hint
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_made_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DiskError, match="keyring"):
        Keyring.open(tmp_path / "file", runner=Runner())


def test_a_disk_without_room_for_gpgs_own_files_is_no_missing_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "full"
    says = "gpg: error writing to '.#lk': No space left on device"
    real = shutil.which("gpg")
    shim = f'#!/bin/sh\nif [ -e {shlex.quote(str(full))} ]; then echo "{says}" >&2; exit 2; fi\nexec {real} "$@"\n'
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gpg").write_text(shim, encoding="utf-8")
    (tmp_path / "bin" / "gpg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with opened(tmp_path / "home") as keyring:
        signer = GpgSigner(keyring, keyring.create_signing_key("Olga").fingerprint, runner=Runner())
        (tmp_path / "x").write_bytes(b"x")
        signer.sign(tmp_path / "x")
        full.touch()
        with pytest.raises(DiskError, match="gpg found no space left on a disk: error writing to"):
            signer.sign(tmp_path / "x")
        full.unlink()
