"""Signatures as an attacker makes them, checked by the real gpg: one rule accepts, everything else is refused."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestore.adapters.gpg import GpgSigner, GpgVerifier, Keyring
from attestore.adapters.process import Runner
from attestore.errors import InternalError, KeyringError, TamperedError
from keyrings import agents, gpg, opened, revoke

_DATA = b'{"verdict":"PASS"}\n' * 50


@dataclass(frozen=True)
class Cast:
    """The people: Olga and Otto are in the roster; Mallory is not; Past's key expired, Gone's was revoked."""

    keyring: Keyring
    olga: str
    otto: str
    mallory: str
    past: str
    gone: str
    gone_before: bytes

    def sign(self, who: str, *words: str, data: bytes = _DATA, how: str = "--detach-sign") -> bytes:
        return gpg(self.keyring, "--armor", "--local-user", who, *words, how, stdin=data)

    def roster(self, *people: str) -> dict[str, bytes]:
        return {one: self.keyring.public(one) for one in people}


_THEN = ("--faked-system-time", "20200601T000000!")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    home = tmp_path_factory.mktemp("people")
    with opened(home) as keyring:

        def rsa(name: str, *words: str, expires: str = "0") -> str:
            gpg(keyring, "--passphrase", "", *words, "--quick-generate-key", name, "rsa2048", "sign", expires)
            return next(key.fingerprint for key in keyring.keys() if key.user_ids == (name,))  # noqa: SIM118

        past = rsa("Past", *_THEN, expires="30d")
        gone = rsa("Gone")
        before = gpg(keyring, "--armor", "--local-user", gone, "--detach-sign", stdin=_DATA)
        revoke(keyring, gone)
        yield Cast(
            keyring=keyring,
            olga=keyring.create_signing_key("Olga <olga@example.org>").fingerprint,
            otto=rsa("Otto"),
            mallory=rsa("Mallory"),
            past=past,
            gone=gone,
            gone_before=before,
        )
    assert agents(home) == []


@pytest.fixture(scope="module")
def verifier(people: Cast) -> Iterator[GpgVerifier]:
    known = people.roster(people.olga, people.otto, people.past, people.gone)
    with GpgVerifier(known, runner=Runner()) as verifier:
        yield verifier


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "statement.json"
    path.write_bytes(_DATA)
    return path


def test_a_signature_by_the_roster_is_accepted_and_names_the_primary_key(
    people: Cast, verifier: GpgVerifier, data: Path
) -> None:
    assert verifier.verify(people.sign(people.olga), data) == people.olga
    assert verifier.verify(people.sign(people.otto, "--digest-algo", "SHA384"), data) == people.otto
    assert verifier.verify_bytes(people.sign(people.otto), _DATA) == people.otto


def test_a_signing_subkey_speaks_for_its_primary_key(people: Cast, data: Path) -> None:
    gpg(people.keyring, "--passphrase", "", "--quick-generate-key", "Sub", "ed25519", "cert", "0")
    primary = next(key.fingerprint for key in people.keyring.keys() if key.user_ids == ("Sub",))  # noqa: SIM118
    gpg(people.keyring, "--passphrase", "", "--quick-add-key", primary, "ed25519", "sign", "0")
    signer = GpgSigner(people.keyring, primary, runner=Runner())
    assert signer.problems() == ()
    with GpgVerifier(people.roster(primary), runner=Runner()) as verifier:
        assert verifier.verify(signer.sign(data).read_bytes(), data) == primary


def _expired_key(people: Cast) -> bytes:
    return people.sign(people.past, *_THEN)


def _revoked_key(people: Cast) -> bytes:
    return people.gone_before


def _expired_signature(people: Cast) -> bytes:
    signature = people.sign(people.otto, "--default-sig-expire", "seconds=1", "--faked-system-time", _later(people))
    expired = people.keyring.key(people.otto).primary.created.timestamp() + 2
    time.sleep(max(0.0, expired - time.time()))
    return signature


def _later(people: Cast) -> str:
    made = people.keyring.key(people.otto).primary.created
    return f"{made:%Y%m%dT%H%M%S}"


def _sha1(people: Cast) -> bytes:
    return people.sign(people.otto, "--digest-algo", "SHA1")


def _text_mode(people: Cast) -> bytes:
    return people.sign(people.otto, "--textmode")


def _two_signers(people: Cast) -> bytes:
    return people.sign(people.olga, "--local-user", people.otto)


def _two_blocks(people: Cast) -> bytes:
    return people.sign(people.olga) + people.sign(people.otto)


def _bad_then_good(people: Cast) -> bytes:
    return people.sign(people.mallory, data=b"other") + people.sign(people.olga)


def _inline(people: Cast) -> bytes:
    return people.sign(people.olga, how="--sign")


def _inline_beside(people: Cast) -> bytes:
    return people.sign(people.olga) + people.sign(people.olga, data=b"other", how="--sign")


def _clearsigned(people: Cast) -> bytes:
    return people.sign(people.olga, how="--clear-sign")


def _stranger(people: Cast) -> bytes:
    return people.sign(people.mallory)


def _smuggled(people: Cast) -> bytes:
    return people.keyring.public(people.mallory) + people.sign(people.mallory)


def _smuggled_packets(people: Cast) -> bytes:
    """Mallory's key and signature inside one armoured block that calls itself a signature."""
    key = gpg(people.keyring, "--export", people.mallory)
    signature = gpg(people.keyring, "--local-user", people.mallory, "--detach-sign", stdin=_DATA)
    text = base64.encodebytes(key + signature)
    return b"-----BEGIN PGP SIGNATURE-----\n\n" + text + b"-----END PGP SIGNATURE-----\n"


def _of_another_file(people: Cast) -> bytes:
    return people.sign(people.olga, data=b"another file")


def _binary(people: Cast) -> bytes:
    return gpg(people.keyring, "--local-user", people.olga, "--detach-sign", stdin=_DATA)


def _empty(_: Cast) -> bytes:
    return b""


def _huge(people: Cast) -> bytes:
    return people.sign(people.olga) + b"\n" * (1 << 20)


def _cut(people: Cast) -> bytes:
    return people.sign(people.otto)[:-60]


def _no_signature(_: Cast) -> bytes:
    return _DATA


@pytest.mark.parametrize(
    "forge",
    [
        _expired_key,
        _revoked_key,
        _expired_signature,
        _sha1,
        _text_mode,
        _two_signers,
        _two_blocks,
        _bad_then_good,
        _inline,
        _inline_beside,
        _clearsigned,
        _stranger,
        _smuggled,
        _smuggled_packets,
        _of_another_file,
        _binary,
        _empty,
        _huge,
        _cut,
        _no_signature,
    ],
)
def test_anything_but_one_good_signature_is_refused(
    people: Cast, verifier: GpgVerifier, data: Path, forge: Callable[[Cast], bytes]
) -> None:
    signature = forge(people)
    with pytest.raises(TamperedError) as refused:
        verifier.verify(signature, data)
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("forge", "word"),
    [
        (_expired_key, "EXPKEYSIG"),
        (_revoked_key, "REVKEYSIG"),
        (_expired_signature, "EXPSIG"),
        (_stranger, "ERRSIG"),
        (_of_another_file, "BADSIG"),
        (_sha1, "digest algorithm 2"),
        (_text_mode, "class 01"),
        (_two_signers, "exactly one signature packet"),
        (_clearsigned, "exactly one armoured"),
    ],
)
def test_a_refusal_says_what_was_wrong(
    people: Cast, verifier: GpgVerifier, data: Path, forge: Callable[[Cast], bytes], word: str
) -> None:
    with pytest.raises(TamperedError, match=word):
        verifier.verify(forge(people), data)


def test_gpg_itself_would_have_taken_some_of_them(people: Cast, data: Path) -> None:
    """Why there is a rule: for these, gpg's exit code is 0."""
    for forge in (_expired_key, _revoked_key, _two_signers, _text_mode, _sha1):
        path = data.with_suffix(".sig")
        path.write_bytes(forge(people))
        gpg(people.keyring, "--verify", path, data)


@pytest.mark.parametrize("at", [0, 1, len(_DATA) // 2, len(_DATA) - 1])
def test_a_flipped_byte_of_the_data_is_noticed(people: Cast, verifier: GpgVerifier, data: Path, at: int) -> None:
    signature = people.sign(people.olga)
    changed = bytearray(_DATA)
    changed[at] ^= 1
    data.write_bytes(changed)
    with pytest.raises(TamperedError, match="not the ones that were signed"):
        verifier.verify(signature, data)


def test_a_flipped_byte_of_the_signature_never_makes_it_somebody_elses(
    people: Cast, verifier: GpgVerifier, data: Path
) -> None:
    good = people.sign(people.olga)
    for at in range(0, len(good), 17):
        changed = bytearray(good)
        changed[at] ^= 1
        try:
            assert verifier.verify(bytes(changed), data) == people.olga
        except TamperedError:
            continue


def test_longer_and_shorter_data_are_noticed(people: Cast, verifier: GpgVerifier, data: Path) -> None:
    signature = people.sign(people.olga)
    for changed in (_DATA[:-1], _DATA + b"\n", b""):
        data.write_bytes(changed)
        with pytest.raises(TamperedError):
            verifier.verify(signature, data)


def test_a_link_a_folder_a_pipe_or_nothing_is_no_signed_file(
    people: Cast, verifier: GpgVerifier, data: Path, tmp_path: Path
) -> None:
    signature = people.sign(people.olga)
    (tmp_path / "link").symlink_to(data)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path, tmp_path / "missing"):
        with pytest.raises(TamperedError):
            verifier.verify(signature, path)


@pytest.mark.parametrize("name", ["-", "--help", "-&5", "a b'c\n.json", "ü.gpg", "x.asc"])
def test_a_strange_file_name_is_only_a_name(
    people: Cast, verifier: GpgVerifier, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.write_bytes(_DATA)
    assert verifier.verify(people.sign(people.olga), path) == people.olga


# ── the roster's keys


def test_a_person_who_is_not_in_the_roster_is_unknown_whatever_the_operators_keyring_holds(
    people: Cast, data: Path
) -> None:
    with GpgVerifier(people.roster(people.olga), runner=Runner()) as verifier, pytest.raises(TamperedError):
        verifier.verify(people.sign(people.otto), data)


@pytest.mark.parametrize("kind", ["another", "two", "secret", "nothing", "two blocks", "binary"])
def test_a_roster_key_must_be_exactly_the_one_it_is_named(people: Cast, kind: str) -> None:
    ring = people.keyring
    blocks = {
        "another": ring.public(people.mallory),
        "two": gpg(ring, "--armor", "--export", people.olga, people.mallory),
        "secret": gpg(ring, "--armor", "--export-secret-keys", people.olga),
        "nothing": b"",
        "two blocks": ring.public(people.olga) + ring.public(people.mallory),
        "binary": gpg(ring, "--export", people.olga),
    }
    verifier = GpgVerifier({people.olga: blocks[kind]}, runner=Runner())
    with pytest.raises(KeyringError, match=people.olga):
        verifier.__enter__()


def test_a_verifier_without_keys_accepts_nobody(people: Cast, data: Path) -> None:
    with GpgVerifier({}, runner=Runner()) as verifier, pytest.raises(TamperedError):
        verifier.verify(people.sign(people.olga), data)


def test_a_verifier_outside_its_block_accepts_nothing(people: Cast, data: Path) -> None:
    verifier = GpgVerifier(people.roster(people.olga), runner=Runner())
    with pytest.raises(InternalError):
        verifier.verify(people.sign(people.olga), data)
    with verifier:
        assert verifier.verify(people.sign(people.olga), data) == people.olga
    with pytest.raises(InternalError):
        verifier.verify(people.sign(people.olga), data)


# ── the signer


def test_what_is_signed_verifies_and_is_written_beside_the_file(
    people: Cast, verifier: GpgVerifier, data: Path
) -> None:
    signer = GpgSigner(people.keyring, people.otto, runner=Runner())
    assert signer.problems() == ()
    signature = signer.sign(data)
    assert signature == data.with_name("statement.json.asc")
    assert verifier.verify(signature.read_bytes(), data) == people.otto
    data.write_bytes(b"newer")
    assert verifier.verify(signer.sign(data).read_bytes(), data) == people.otto
    assert sorted(path.name for path in data.parent.iterdir()) == ["statement.json", "statement.json.asc"]


def test_a_key_that_is_revoked_between_two_signatures_signs_no_more_and_one_that_takes_its_place_does(
    people: Cast, data: Path
) -> None:
    """A signer remembers what it signed with; gpg has the last word, and then the keyring is looked through again."""
    ring = people.keyring
    gpg(ring, "--passphrase", "", "--quick-generate-key", "Turns", "ed25519", "cert", "0")
    primary = next(key.fingerprint for key in ring.keys() if key.user_ids == ("Turns",))  # noqa: SIM118
    signer = GpgSigner(ring, primary, runner=Runner())
    by: list[str] = []
    for _ in range(2):
        gpg(ring, "--passphrase", "", "--quick-add-key", primary, "ed25519", "sign", "0")
        with GpgVerifier(people.roster(primary), runner=Runner()) as verifier:
            assert verifier.verify(signer.sign(data).read_bytes(), data) == primary
        told = gpg(ring, "--status-fd", "1", "--verify", data.with_name("statement.json.asc"), data).decode()
        by += [line.split()[2] for line in told.splitlines() if "VALIDSIG" in line]
        orders = b"key %d\nrevkey\ny\n0\n\ny\nsave\n" % len(by)
        gpg(
            ring,
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--command-fd",
            "0",
            "--edit-key",
            primary,
            stdin=orders,
        )
    assert len(set(by)) == 2
    with pytest.raises(KeyringError, match="without a signing key in force"):
        signer.sign(data)


def test_a_key_that_cannot_sign_is_a_problem_and_signs_nothing(people: Cast, data: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "k") as public:
        public.add(people.keyring.public(people.olga))
        cases = (
            (people.keyring, people.past, "expired"),
            (people.keyring, people.gone, "revoked"),
            (people.keyring, "F" * 40, "not in the keyring"),
            (public, people.olga, "private key"),
        )
        for ring, fingerprint, word in cases:
            signer = GpgSigner(ring, fingerprint, runner=Runner())
            (problem,) = signer.problems()
            assert isinstance(problem, KeyringError)
            assert word in problem.message
            with pytest.raises(KeyringError, match=word):
                signer.sign(data)
    assert not data.with_name("statement.json.asc").exists()
