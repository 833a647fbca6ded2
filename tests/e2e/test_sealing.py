"""Parts sealed and opened by the real gpg, and what their stored bytes say."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from attestore.adapters.gpg import GpgSealer, Keyring
from attestore.adapters.process import Runner
from attestore.errors import DiskError, InterruptedRunError, KeyringError, TamperedError
from attestore.evidence import PartRecord
from attestore.ports import FetchedPart, Plain, SealedPart
from keyrings import agents, gpg, opened, revoke

_TEXT = "".join(f"{n}\tuser {n * 7919 % 1000}\t2026-11-22 10:00:00.{n:06d}\t\\N\n" for n in range(60_000)).encode()


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    home = tmp_path_factory.mktemp("keys")
    with opened(home) as keyring:
        for name in ("Anna", "Boris"):
            keyring.create_encryption_key(f"{name} <{name.lower()}@example.org>", bits=2048)
        keyring.create_signing_key("Sign Only <sign@example.org>")
        yield keyring
    assert agents(home) == []


def _named(keyring: Keyring, name: str) -> str:
    (found,) = [key.fingerprint for key in keyring.keys() if key.user_ids[0].startswith(name)]  # noqa: SIM118
    return found


@pytest.fixture
def anna(keyring: Keyring) -> str:
    return _named(keyring, "Anna")


@pytest.fixture
def boris(keyring: Keyring) -> str:
    return _named(keyring, "Boris")


def _sealer(keyring: Keyring, *recipients: str, work: Path) -> GpgSealer:
    return GpgSealer(keyring, recipients, runner=Runner(), work=work)


@pytest.fixture
def sealer(keyring: Keyring, anna: str, tmp_path: Path) -> GpgSealer:
    return _sealer(keyring, anna, work=tmp_path)


def _file(tmp_path: Path, data: bytes = _TEXT) -> Plain:
    path = tmp_path / "proof.json"
    path.write_bytes(data)
    return Plain(path)


def _folder(tmp_path: Path) -> Plain:
    folder = tmp_path / "dump"
    folder.mkdir()
    for name in ("toc.dat", "3210.dat", "ü '\n.dat", "-rf"):
        (folder / name).write_bytes(name.encode() + _TEXT)
    (folder / "empty.dat").touch()
    return Plain(folder)


def _seal(sealer: GpgSealer, plain: Plain, tmp_path: Path, *, role: str = "proof") -> SealedPart:
    into = tmp_path / "sealed"
    into.mkdir(exist_ok=True)
    return sealer.seal(plain, role=role, into=into)


def _fetched(part: SealedPart, data: bytes | None = None) -> FetchedPart:
    """The part as a store returns it; with other bytes, as one that the manifest itself describes."""
    record = part.record
    if data is not None:
        part.path.write_bytes(data)
        record = replace(record, size=len(data), digest=hashlib.sha256(data).hexdigest())
    return FetchedPart(record=record, path=part.path, size=record.size, digest=record.digest)


def _foreign(keyring: Keyring, tmp_path: Path, *words: str, plain: bytes = _TEXT) -> FetchedPart:
    """A part that gpg made in another way."""
    path = tmp_path / "proof.json.zst.gpg"
    path.write_bytes(gpg(keyring, *words, stdin=plain))
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    record = PartRecord(
        role="proof",
        name=path.name,
        size=len(data),
        digest=digest,
        plain_size=len(plain),
        plain_digest=hashlib.sha256(plain).hexdigest(),
    )
    return FetchedPart(record=record, path=path, size=len(data), digest=digest)


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ── there and back


@pytest.mark.parametrize("data", [b"", b"x", _TEXT], ids=["empty", "one byte", "text"])
def test_a_file_comes_back_as_it_was(sealer: GpgSealer, tmp_path: Path, data: bytes) -> None:
    part = _seal(sealer, _file(tmp_path, data), tmp_path)
    assert (part.record.name, part.record.plain_size) == ("proof.json.zst.gpg", len(data))
    assert part.record.plain_digest == hashlib.sha256(data).hexdigest()
    stored = part.path.read_bytes()
    assert (part.record.size, part.record.digest) == (len(stored), hashlib.sha256(stored).hexdigest())
    back = tmp_path / "back"
    back.mkdir()
    assert sealer.unseal(_fetched(part), into=back).read_bytes() == data
    assert _left(back) == ["proof.json"]


def test_a_folder_comes_back_as_it_was(sealer: GpgSealer, tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    part = _seal(sealer, folder, tmp_path, role="archive")
    assert part.record.name == "archive.tar.zst.gpg"
    assert part.record.size < part.record.plain_size / 3
    back = tmp_path / "back"
    back.mkdir()
    restored = sealer.unseal(_fetched(part), into=back)
    assert restored == back / "archive"
    assert {path.name: path.read_bytes() for path in restored.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    assert _left(back) == ["archive"]


def test_a_part_is_opened_from_what_was_heard_and_not_read_again(sealer: GpgSealer, tmp_path: Path) -> None:
    part = _seal(sealer, _folder(tmp_path), tmp_path, role="archive")
    fetched, data = _fetched(part), part.path.read_bytes()
    back = tmp_path / "back"
    back.mkdir()
    with sealer.ahead(part.record, into=back) as hear:
        for start in range(0, len(data), 1000):
            hear(data[start : start + 1000])
        fetched.path.unlink()
        assert sealer.unseal(fetched, into=back) == back / "archive"
    assert _left(back) == ["archive"]
    assert len(_left(back / "archive")) == len(_left(tmp_path / "dump"))


def test_what_was_opened_ahead_of_bytes_that_are_not_the_manifests_is_given_to_nobody(
    sealer: GpgSealer, tmp_path: Path
) -> None:
    """It opens to what was sealed, and still the file that was fetched is another one."""
    part = _seal(sealer, _file(tmp_path), tmp_path)
    back = tmp_path / "back"
    back.mkdir()
    with sealer.ahead(part.record, into=back) as hear:
        hear(part.path.read_bytes())
        with pytest.raises(TamperedError, match=r"the manifest says .* B with " + part.record.digest):
            sealer.unseal(replace(_fetched(part), digest="0" * 64), into=back)
    assert _left(back) == []


def test_a_machine_without_the_private_key_says_so_after_hearing_a_part(
    keyring: Keyring, anna: str, tmp_path: Path
) -> None:
    with opened(tmp_path / "other") as public:
        public.add(keyring.public(anna))
        sealer = _sealer(public, anna, work=tmp_path)
        part = _seal(sealer, _file(tmp_path, os.urandom(3 << 20)), tmp_path)
        back = tmp_path / "back"
        back.mkdir()
        with sealer.ahead(part.record, into=back) as hear:
            for chunk in (
                part.path.read_bytes()[start : start + 50_000] for start in range(0, part.record.size, 50_000)
            ):
                hear(chunk)
            with pytest.raises(KeyringError, match=keyring.key(anna).encrypting[0].keyid):
                sealer.unseal(_fetched(part), into=back)
        assert _left(back) == []
    assert agents(tmp_path) == []


def test_the_plain_digest_is_of_the_content_and_the_sealed_one_never_repeats(sealer: GpgSealer, tmp_path: Path) -> None:
    plain = _folder(tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = sealer.seal(plain, role="archive", into=tmp_path / "one").record
    two = sealer.seal(plain, role="archive", into=tmp_path / "two").record
    assert (one.plain_digest, one.plain_size) == (two.plain_digest, two.plain_size)
    assert one.digest != two.digest


def test_either_of_two_recipients_opens_a_part(keyring: Keyring, anna: str, boris: str, tmp_path: Path) -> None:
    part = _seal(_sealer(keyring, anna, boris, work=tmp_path), _file(tmp_path), tmp_path)
    for name, fingerprint in (("a", anna), ("b", boris)):
        with opened(tmp_path / name) as alone:
            alone.add(gpg(keyring, "--export-secret-keys", fingerprint))
            back = tmp_path / f"back-{name}"
            back.mkdir()
            sealer = _sealer(alone, anna, boris, work=tmp_path)
            assert sealer.unseal(_fetched(part), into=back).read_bytes() == _TEXT
            assert sealer.refused(_fetched(part))
    assert agents(tmp_path) == []


def test_sealing_needs_public_keys_only_and_unsealing_says_which_key_it_wants(
    keyring: Keyring, anna: str, tmp_path: Path
) -> None:
    with opened(tmp_path / "other") as public:
        public.add(keyring.public(anna))
        sealer = _sealer(public, anna, work=tmp_path)
        assert sealer.problems(decrypting=False) == ()
        assert [type(problem) for problem in sealer.problems(decrypting=True)] == [KeyringError]
        part = _seal(sealer, _file(tmp_path), tmp_path)
        back = tmp_path / "back"
        back.mkdir()
        with pytest.raises(KeyringError, match=keyring.key(anna).encrypting[0].keyid):
            sealer.unseal(_fetched(part), into=back)
        assert _left(back) == []
        assert sealer.inspect(_fetched(part)).cipher == "unknown"


@pytest.mark.parametrize("size", [1, 4 << 20])
def test_whoever_gives_up_does_not_wait_for_a_gpg_that_hangs(
    keyring: Keyring, anna: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """As long as gpg may take for a large part, somebody who wants to be gone would wait; also where its pipe is full."""
    folder, back = tmp_path / "bin", tmp_path / "back"
    folder.mkdir()
    back.mkdir()
    begun = tmp_path / "begun"
    hangs = f'*" --decrypt "*) : > {shlex.quote(str(begun))}; exec sleep 3600 ;;'
    shim = f'#!/bin/sh\ncase " $* " in {hangs} esac\nexec {keyring.home.gpg} "$@"\n'
    (folder / "gpg").write_text(shim, encoding="utf-8")
    (folder / "gpg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    record = PartRecord("archive", "archive.tar.zst.gpg", size, "0" * 64, 1 << 30, "0" * 64)
    with opened(tmp_path / "k") as ring:
        ring.add(keyring.public(anna))
        sealer = _sealer(ring, anna, work=tmp_path)

        def hear() -> None:
            with suppress(InterruptedRunError), sealer.ahead(record, into=back) as told:
                told(bytes(min(size, 1 << 20)))
                while not begun.exists():
                    time.sleep(0.01)
                for _ in range(3 if size > 1 << 20 else 0):
                    told(bytes(1 << 20))
                raise InterruptedRunError("stopped")

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()
    assert _left(back) == []


def test_two_parts_can_be_sealed_at_once(sealer: GpgSealer, tmp_path: Path) -> None:
    sealed: dict[str, SealedPart] = {}
    plain = _file(tmp_path)

    def work(role: str) -> None:
        sealed[role] = _seal(sealer, plain, tmp_path, role=role)

    (tmp_path / "sealed").mkdir()
    threads = [threading.Thread(target=work, args=(role,)) for role in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {part.record.plain_digest for part in sealed.values()} == {hashlib.sha256(_TEXT).hexdigest()}
    assert len(sealed) == 3


# ── what the stored bytes say


def test_the_seals_are_read_from_the_bytes(sealer: GpgSealer, tmp_path: Path) -> None:
    seals = sealer.inspect(_fetched(_seal(sealer, _folder(tmp_path), tmp_path, role="archive")))
    assert (seals.recipients, seals.unexpected, seals.algorithm, seals.bits) == (1, 0, "RSA", 2048)
    assert (seals.cipher, seals.integrity, seals.magic) == ("AES256", "MDC", 0)


def test_our_reading_of_the_packets_is_gpgs(keyring: Keyring, anna: str, boris: str, tmp_path: Path) -> None:
    sealer = _sealer(keyring, anna, boris, work=tmp_path)
    part = _seal(sealer, _file(tmp_path), tmp_path)
    listed = gpg(keyring, "--list-packets", part.path).decode()
    keyids = re.findall(r":pubkey enc packet: version 3, algo 1, keyid ([0-9A-F]{16})", listed)
    assert sorted(keyids) == sorted(keyring.key(one).encrypting[0].keyid for one in (anna, boris))
    assert "mdc_method: 2" in listed
    seals = sealer.inspect(_fetched(part))
    assert (seals.recipients, seals.unexpected, seals.integrity) == (2, 0, "MDC")


def test_a_key_of_4096_bits_is_measured_as_one(tmp_path: Path) -> None:
    with opened(tmp_path / "k") as keyring:
        sealing, signing = keyring.ensure_keys(encrypting="Backup", signing="Olga <olga@example.org>")
        assert (sealing.primary.bits, sealing.encrypting[0].bits, signing.primary.algorithm) == (4096, 4096, "EdDSA")
        assert keyring.ensure_keys(encrypting="Backup", signing="Olga <olga@example.org>") == (sealing, signing)
        sealer = _sealer(keyring, sealing.fingerprint, work=tmp_path)
        assert sealer.inspect(_fetched(_seal(sealer, _file(tmp_path), tmp_path))).bits == 4096
        stranger = _sealer(keyring, signing.fingerprint, work=tmp_path)
        seen = stranger.inspect(_fetched(_seal(sealer, _file(tmp_path), tmp_path, role="other")))
        assert seen.unexpected == 1
        assert 4000 < seen.bits <= 4096


def test_a_recipient_who_is_not_allowed_is_counted(keyring: Keyring, anna: str, boris: str, tmp_path: Path) -> None:
    both = _seal(_sealer(keyring, anna, boris, work=tmp_path), _file(tmp_path), tmp_path)
    seals = _sealer(keyring, anna, work=tmp_path).inspect(_fetched(both))
    assert (seals.recipients, seals.unexpected) == (2, 1)


def test_a_hidden_recipient_is_not_an_allowed_one(keyring: Keyring, anna: str, tmp_path: Path) -> None:
    part = _foreign(keyring, tmp_path, "--hidden-recipient", anna, "--encrypt")
    seals = _sealer(keyring, anna, work=tmp_path).inspect(part)
    assert (seals.recipients, seals.unexpected) == (1, 1)


def test_a_passphrase_that_opens_it_too_is_not_an_allowed_recipient(
    keyring: Keyring, anna: str, tmp_path: Path
) -> None:
    part = _foreign(
        keyring, tmp_path, "--pinentry-mode", "loopback", "--passphrase", "x", "--recipient", anna, "-e", "-c"
    )
    seals = _sealer(keyring, anna, work=tmp_path).inspect(part)
    assert (seals.recipients, seals.unexpected) == (1, 1)


def test_a_weaker_cipher_is_seen(keyring: Keyring, anna: str, tmp_path: Path) -> None:
    part = _foreign(keyring, tmp_path, "--cipher-algo", "3DES", "--recipient", anna, "--encrypt", plain=_TEXT * 2)
    assert _sealer(keyring, anna, work=tmp_path).inspect(part).cipher == "3DES"


@pytest.mark.parametrize("plain", [b"PGDMP\x01\x0e\x00", b"-- PostgreSQL database dump\n", b"\x1f\x8b\x08\x00"])
def test_what_was_stored_in_the_clear_is_sealed_by_nothing(sealer: GpgSealer, tmp_path: Path, plain: bytes) -> None:
    part = _fetched(_seal(sealer, _file(tmp_path), tmp_path), plain + _TEXT)
    seals = sealer.inspect(part)
    assert (seals.recipients, seals.bits, seals.algorithm, seals.cipher, seals.integrity) == (
        0,
        0,
        "none",
        "none",
        "none",
    )
    assert seals.magic == 1
    assert not sealer.refused(part)


def test_a_plain_openpgp_message_is_not_refused_by_anybody(keyring: Keyring, sealer: GpgSealer, tmp_path: Path) -> None:
    assert not sealer.refused(_foreign(keyring, tmp_path, "--store"))


def test_only_somebody_with_the_private_key_opens_a_part(sealer: GpgSealer, tmp_path: Path) -> None:
    assert sealer.refused(_fetched(_seal(sealer, _file(tmp_path), tmp_path)))
    assert agents(tmp_path) == []


# ── damage


@pytest.mark.parametrize("place", ["key", "packet header", "first block", "middle", "end"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_flipped_byte_is_noticed_and_nothing_is_left(
    sealer: GpgSealer, tmp_path: Path, place: str, kind: str
) -> None:
    plain, role = (_file(tmp_path), "proof") if kind == "file" else (_folder(tmp_path), "archive")
    part = _seal(sealer, plain, tmp_path, role=role)
    data = bytearray(part.path.read_bytes())
    at = {"key": 100, "packet header": 271, "first block": 300, "middle": len(data) // 2, "end": len(data) - 3}[place]
    data[at] ^= 0x10
    back = tmp_path / "back"
    back.mkdir()
    with pytest.raises((TamperedError, KeyringError)):
        sealer.unseal(_fetched(part, bytes(data)), into=back)
    assert _left(back) == []


@pytest.mark.parametrize("change", ["cut", "cut to the head", "longer", "empty"])
def test_other_lengths_are_noticed_and_nothing_is_left(sealer: GpgSealer, tmp_path: Path, change: str) -> None:
    part = _seal(sealer, _folder(tmp_path), tmp_path, role="archive")
    data = part.path.read_bytes()
    changed = {"cut": data[:-1], "cut to the head": data[:400], "longer": data + b"\xcb\x00", "empty": b""}[change]
    back = tmp_path / "back"
    back.mkdir()
    with pytest.raises(TamperedError):
        sealer.unseal(_fetched(part, changed), into=back)
    assert _left(back) == []
    assert sealer.inspect(_fetched(part, changed)).integrity == "none"


def test_bytes_that_are_not_the_manifests_are_not_even_opened(sealer: GpgSealer, tmp_path: Path) -> None:
    part = _seal(sealer, _file(tmp_path), tmp_path)
    fetched = replace(_fetched(part), digest="0" * 64)
    with pytest.raises(TamperedError, match=r"the manifest says .* B with " + part.record.digest):
        sealer.unseal(fetched, into=tmp_path)


def test_a_part_of_another_backup_that_decrypts_is_not_this_one(sealer: GpgSealer, tmp_path: Path) -> None:
    mine = _seal(sealer, _file(tmp_path), tmp_path)
    other = _seal(sealer, _file(tmp_path, _TEXT.replace(b"7", b"8", 1)), tmp_path, role="other")
    back = tmp_path / "back"
    back.mkdir()
    with pytest.raises(TamperedError, match="sealed were"):
        sealer.unseal(_fetched(mine, other.path.read_bytes()), into=back)
    assert _left(back) == []


def test_more_than_was_sealed_is_never_written(sealer: GpgSealer, tmp_path: Path) -> None:
    bomb = _seal(sealer, _file(tmp_path, bytes(64 << 20)), tmp_path)
    fetched = _fetched(bomb)
    back = tmp_path / "back"
    back.mkdir()
    with pytest.raises(TamperedError, match="more than the 1000 B"):
        sealer.unseal(replace(fetched, record=replace(fetched.record, plain_size=1000)), into=back)
    assert _left(back) == []


@pytest.mark.parametrize("name", ["../proof.json.zst.gpg", ".zst.gpg", "proof.json", "..json.zst.gpg", "a\0.zst.gpg"])
def test_a_part_with_a_strange_name_is_refused(sealer: GpgSealer, tmp_path: Path, name: str) -> None:
    fetched = _fetched(_seal(sealer, _file(tmp_path), tmp_path))
    with pytest.raises(TamperedError, match="none that was sealed here"):
        sealer.unseal(replace(fetched, record=replace(fetched.record, name=name)), into=tmp_path)


def test_neither_sealing_nor_unsealing_writes_over_a_file(sealer: GpgSealer, tmp_path: Path) -> None:
    part = _seal(sealer, _file(tmp_path), tmp_path)
    with pytest.raises(DiskError):
        _seal(sealer, _file(tmp_path), tmp_path)
    assert part.path.stat().st_size == part.record.size
    with pytest.raises(DiskError):
        sealer.unseal(_fetched(part), into=tmp_path)
    assert (tmp_path / "proof.json").read_bytes() == _TEXT


# ── preflight


def test_healthy_keys_are_no_problem(sealer: GpgSealer) -> None:
    assert sealer.problems(decrypting=True) == ()
    assert re.fullmatch(r"gpg 2\.\d+\.\d+, zstd \d+\.\d+\.\d+", sealer.version)


def test_every_bad_recipient_is_named_at_once(keyring: Keyring, anna: str, tmp_path: Path) -> None:
    with opened(tmp_path / "k") as ring:
        ring.add(keyring.public(anna))
        signs = ring.create_signing_key("Sign Only <sign@example.org>").fingerprint
        words = ("--passphrase", "", "--faked-system-time", "20200101T000000")
        gpg(ring, *words, "--quick-generate-key", "Past <past@example.org>", "rsa2048", "cert", "1d")
        past = next(key.fingerprint for key in ring.keys() if key.user_ids[0].startswith("Past"))  # noqa: SIM118
        gone = ring.create_encryption_key("Gone <gone@example.org>", bits=2048).fingerprint
        revoke(ring, gone)
        recipients = (anna, signs, past, gone, "F" * 40)
        found = _sealer(ring, *recipients, work=tmp_path).problems(decrypting=False)
        sentences = [problem.message for problem in found]
        assert [type(problem) for problem in found] == [KeyringError] * 4
        for fingerprint, words_ in zip(
            recipients[1:], ("can sign", "expired", "revoked", "not in the keyring"), strict=True
        ):
            assert any(fingerprint in sentence and words_ in sentence for sentence in sentences), sentences
        with pytest.raises(KeyringError, match="can sign"):
            _seal(_sealer(ring, signs, work=tmp_path), _file(tmp_path), tmp_path)
        assert _left(tmp_path / "sealed") == []


def test_a_part_sealed_to_nobody_is_a_problem(keyring: Keyring, tmp_path: Path) -> None:
    assert [type(problem) for problem in _sealer(keyring, work=tmp_path).problems(decrypting=False)] == [KeyringError]
