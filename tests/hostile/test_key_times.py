"""Keys that expired or were revoked, as the real gpg tells of them: the times that the rule of trusted time is fed with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attestore.adapters.gpg import GpgVerifier, Keyring
from attestore.adapters.process import Runner
from attestore.audit.times import NOTHING, Proven, Witness, rule
from attestore.config import Key
from attestore.errors import TamperedError
from attestore.ports import Inspected
from keyrings import agents, gpg, opened, revoke

DATA = b'{"verdict":"PASS"}\n'
THEN = ("--faked-system-time", "20200601T000000!")
SIGNED = ("--faked-system-time", "20200602T000000!")
COMPROMISED, SUPERSEDED = "1", "2"
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Cast:
    keyring: Keyring
    keys: dict[str, str]
    signatures: dict[str, bytes]

    @property
    def roster(self) -> dict[str, bytes]:
        return {one: self.keyring.public(one) for one in self.keys.values()}


def made(keyring: Keyring, name: str, *words: str, usage: str = "sign", expires: str = "0") -> str:
    gpg(keyring, "--passphrase", "", *words, "--quick-generate-key", name, "ed25519", usage, expires)
    return next(key.fingerprint for key in keyring.keys() if key.user_ids == (name,))  # noqa: SIM118


def signed(keyring: Keyring, key: str, *words: str) -> bytes:
    return gpg(keyring, "--armor", "--local-user", key, *words, "--detach-sign", stdin=DATA)


def converse(keyring: Keyring, *words: str, answers: str) -> bytes:
    """gpg in conversation, as a person at a terminal has it."""
    environment = {"LC_ALL": "C", "PATH": os.environ["PATH"], "HOME": str(keyring.home.path)}
    base: list[str | Path] = [
        keyring.home.gpg,
        "--homedir",
        keyring.home.path,
        "--no-tty",
        "--no-options",
        "--command-fd",
        "0",
        "--yes",
    ]
    loopback = ["--pinentry-mode", "loopback", "--passphrase", "", "--armor"]
    done = subprocess.run(
        [*base, *loopback, *words], input=answers.encode(), capture_output=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def revoke_for(keyring: Keyring, key: str, reason: str) -> None:
    certificate = converse(keyring, "--gen-revoke", key, answers=f"y\n{reason}\n\ny\n")
    gpg(keyring, "--import", stdin=certificate)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    home = tmp_path_factory.mktemp("ended")
    with opened(home) as keyring:
        names = ("valid", "stolen", "retired", "unsaid", "future")
        keys = {name: made(keyring, name) for name in names}
        keys["past"] = made(keyring, "past", *THEN, expires="30d")
        keys["branch"] = made(keyring, "branch", *THEN, usage="cert")
        gpg(keyring, "--passphrase", "", *THEN, "--quick-add-key", keys["branch"], "ed25519", "sign", "30d")
        signatures = {name: signed(keyring, keys[name]) for name in ("valid", "stolen", "retired", "unsaid")}
        signatures["past"] = signed(keyring, keys["past"], *SIGNED)
        signatures["branch"] = signed(keyring, keys["branch"], *SIGNED)
        ahead = f"{NOW + timedelta(days=400):%Y%m%dT%H%M%S}!"
        signatures["future"] = signed(keyring, keys["future"], "--faked-system-time", ahead)
        revoke_for(keyring, keys["stolen"], COMPROMISED)
        revoke_for(keyring, keys["retired"], SUPERSEDED)
        revoke(keyring, keys["unsaid"])
        yield Cast(keyring, keys, signatures)
    assert agents(home) == []


@pytest.fixture(scope="module")
def verifier(people: Cast) -> Iterator[GpgVerifier]:
    with GpgVerifier(people.roster, runner=Runner()) as verifier:
        yield verifier


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "statement.json"
    path.write_bytes(DATA)
    return path


def ruled(inspected: Inspected, witness: Witness = NOTHING, *, audited: datetime | None = None) -> str:
    when = audited or datetime.now(UTC) + timedelta(minutes=1)
    return rule(inspected, key=Key(inspected.fingerprint, b""), audited=when, witness=witness)


def proven(at: datetime) -> Witness:
    return Witness(Proven(at, "a time stamp"))


def test_a_key_in_force_has_no_end(people: Cast, verifier: GpgVerifier, data: Path) -> None:
    seen = verifier.inspect(people.signatures["valid"], data)
    assert (seen.fingerprint, seen.expires, seen.revoked, seen.reason) == (people.keys["valid"], None, None, "")
    assert NOW - timedelta(seconds=1) <= seen.made <= datetime.now(UTC)
    assert ruled(seen) == ""


@pytest.mark.parametrize("name", ["past", "branch"])
def test_an_expired_key_or_subkey_tells_its_end(name: str, people: Cast, verifier: GpgVerifier, data: Path) -> None:
    seen = verifier.inspect(people.signatures[name], data)
    assert seen.fingerprint == people.keys[name]
    assert seen.made == datetime(2020, 6, 2, tzinfo=UTC)
    assert seen.expires is not None
    assert timedelta(0) <= seen.expires - datetime(2020, 7, 1, tzinfo=UTC) < timedelta(minutes=1)
    with pytest.raises(TamperedError, match="its key expired 2020-07-01"):
        ruled(seen)
    assert "while it was valid" in ruled(seen, proven(datetime(2020, 6, 20, tzinfo=UTC)))
    with pytest.raises(TamperedError, match="outside of its validity"):
        ruled(seen, proven(datetime(2020, 8, 1, tzinfo=UTC)))
    assert ruled(seen, audited=datetime(2020, 6, 20, tzinfo=UTC)) == ""
    with pytest.raises(TamperedError, match="EXPKEYSIG"):
        verifier.verify(people.signatures[name], data)


@pytest.mark.parametrize(
    ("name", "reason"), [("stolen", "compromised"), ("retired", "superseded"), ("unsaid", "no reason given")]
)
def test_a_revoked_key_tells_when_and_why(
    name: str, reason: str, people: Cast, verifier: GpgVerifier, data: Path
) -> None:
    seen = verifier.inspect(people.signatures[name], data)
    assert seen.reason == reason
    assert seen.revoked is not None
    # the certificate that gpg makes with each key is dated then: whoever imports it later revokes all that was ever signed
    assert seen.created - timedelta(seconds=1) <= seen.revoked <= datetime.now(UTC)
    with pytest.raises(TamperedError, match="its key was revoked"):
        ruled(seen)
    with pytest.raises(TamperedError, match="proves only that it existed"):
        ruled(seen, proven(seen.revoked + timedelta(days=1)))
    with pytest.raises(TamperedError, match="REVKEYSIG"):
        verifier.verify(people.signatures[name], data)
    early = Inspected(
        seen.fingerprint, seen.created, seen.created, None, seen.revoked + timedelta(days=1), seen.reason, seen.digest
    )
    assert reason in ruled(early, proven(seen.revoked))


def test_a_signature_of_the_future_does_not_count(people: Cast, verifier: GpgVerifier, data: Path) -> None:
    seen = verifier.inspect(people.signatures["future"], data)
    with pytest.raises(TamperedError, match="after this audit"):
        ruled(seen)


def test_a_changed_file_is_no_less_refused_for_a_key_that_has_ended(
    people: Cast, verifier: GpgVerifier, data: Path
) -> None:
    data.write_bytes(b"other\n")
    for name, signature in people.signatures.items():
        with pytest.raises(TamperedError, match="BADSIG"):
            verifier.inspect(signature, data)
        assert name
