"""What every sealer promises, whatever it is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attestore.adapters.gpg import GpgSealer, Keyring
from attestore.adapters.process import Runner
from attestore.errors import TamperedError
from attestore.ports import FetchedPart, Hear, Plain, SealedPart, Sealer, Seals
from fakes import FakeSealer
from keyrings import opened

_DATA = b"roles and settings\n" * 5000
_SEALS = Seals(recipients=1, unexpected=0, algorithm="RSA", bits=2048, cipher="AES256", integrity="MDC", magic=0)


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyring]:
    with opened(tmp_path_factory.mktemp("keys")) as keyring:
        keyring.create_encryption_key("Backup", bits=2048)
        yield keyring


@pytest.fixture(params=["gpg", "memory"])
def sealer(request: pytest.FixtureRequest, keyring: Keyring, tmp_path: Path) -> Sealer:
    if request.param == "memory":
        return FakeSealer(seals=_SEALS, problems=())
    recipients = tuple(key.fingerprint for key in keyring.keys())  # noqa: SIM118  a keyring is no mapping
    return GpgSealer(keyring, recipients, runner=Runner(), work=tmp_path)


@pytest.fixture
def sealed(sealer: Sealer, tmp_path: Path) -> SealedPart:
    path = tmp_path / "globals.json"
    path.write_bytes(_DATA)
    (tmp_path / "sealed").mkdir()
    return sealer.seal(Plain(path), role="globals", into=tmp_path / "sealed")


def _fetched(part: SealedPart) -> FetchedPart:
    return FetchedPart(record=part.record, path=part.path, size=part.record.size, digest=part.record.digest)


def test_a_part_is_recorded_as_it_is_and_as_it_was(sealed: SealedPart) -> None:
    stored = sealed.path.read_bytes()
    assert sealed.record.role == "globals"
    assert sealed.record.name == sealed.path.name
    assert (sealed.record.size, sealed.record.digest) == (len(stored), hashlib.sha256(stored).hexdigest())
    assert (sealed.record.plain_size, sealed.record.plain_digest) == (len(_DATA), hashlib.sha256(_DATA).hexdigest())
    assert _DATA[:100] not in stored


def test_a_part_opens_to_what_was_sealed(sealer: Sealer, sealed: SealedPart, tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    plain = sealer.unseal(_fetched(sealed), into=tmp_path / "back")
    assert plain.read_bytes() == _DATA
    assert plain.is_relative_to(tmp_path / "back")


def test_a_part_that_opens_to_something_else_is_tampered_with(
    sealer: Sealer, sealed: SealedPart, tmp_path: Path
) -> None:
    (tmp_path / "back").mkdir()
    fetched = _fetched(sealed)
    other = replace(fetched, record=replace(fetched.record, plain_digest="0" * 64))
    with pytest.raises(TamperedError):
        sealer.unseal(other, into=tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == []


def _heard(hear: Hear, data: bytes) -> None:
    for start in range(0, len(data), 100):
        hear(data[start : start + 100])


@pytest.mark.parametrize("spoiled", ["", "other bytes", "cut", "read twice", "nothing", "elsewhere"])
def test_a_part_that_was_heard_while_it_was_fetched_opens_to_what_was_sealed(
    sealer: Sealer, sealed: SealedPart, tmp_path: Path, spoiled: str
) -> None:
    """Whatever was heard: what counts is what lies in the file that was fetched."""
    back = tmp_path / "back"
    back.mkdir()
    data = sealed.path.read_bytes()
    heard = {
        "other bytes": data[:-9] + bytes(9),
        "cut": data[: len(data) // 2],
        "read twice": data + data,
        "nothing": b"",
    }.get(spoiled, data)
    with sealer.ahead(sealed.record, into=tmp_path if spoiled == "elsewhere" else back) as hear:
        _heard(hear, heard)
        plain = sealer.unseal(_fetched(sealed), into=back)
        assert plain.read_bytes() == _DATA
        assert list(back.iterdir()) == [plain]
    assert list(back.iterdir()) == [plain]
    assert not list(tmp_path.glob(".*"))


def test_what_was_heard_and_never_unsealed_is_gone(sealer: Sealer, sealed: SealedPart, tmp_path: Path) -> None:
    back = tmp_path / "back"
    back.mkdir()
    data = sealed.path.read_bytes()
    for heard in (data, data[:-1]):
        with sealer.ahead(sealed.record, into=back) as hear:
            _heard(hear, heard)
        assert list(back.iterdir()) == []
        with sealer.ahead(sealed.record, into=back) as first, sealer.ahead(sealed.record, into=back) as second:
            _heard(first, heard)
            _heard(second, heard)
        assert list(back.iterdir()) == []


def test_a_part_that_opens_to_something_else_is_tampered_with_when_it_was_heard_too(
    sealer: Sealer, sealed: SealedPart, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    back.mkdir()
    other = replace(sealed.record, plain_digest="0" * 64)
    with sealer.ahead(other, into=back) as hear:
        _heard(hear, sealed.path.read_bytes())
        with pytest.raises(TamperedError):
            sealer.unseal(replace(_fetched(sealed), record=other), into=back)
        assert list(back.iterdir()) == []


def test_the_seals_of_a_part_are_seen(sealer: Sealer, sealed: SealedPart) -> None:
    assert sealer.inspect(_fetched(sealed), allowed=sealer.recipients) == _SEALS


def test_a_part_is_refused_without_the_key(sealer: Sealer, sealed: SealedPart) -> None:
    assert sealer.refused(_fetched(sealed))


def test_a_sealer_names_its_programme_and_recipients_and_is_ready(sealer: Sealer) -> None:
    assert sealer.version
    assert len(sealer.recipients) == 1
    assert sealer.problems(decrypting=True) == ()
