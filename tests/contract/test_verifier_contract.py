"""Every verifier, whichever implementation of OpenPGP it asks, accepts and refuses the same signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from attestore.adapters.gpg import GpgVerifier
from attestore.adapters.process import Asked, Runner
from attestore.adapters.sequoia import Agreeing, SequoiaVerifier
from attestore.adapters.system import SystemClock
from attestore.canon import sha256_hex
from attestore.errors import KeyringError, TamperedError
from attestore.ports import Inspected, Verifier
from hostile import test_signatures as corpus
from hostile.test_signatures import Cast, data, people

__all__ = ["data", "people"]

_FORGERIES: tuple[Callable[[Cast], bytes], ...] = (
    corpus._expired_key, corpus._revoked_key, corpus._expired_signature, corpus._sha1, corpus._text_mode,
    corpus._two_signers, corpus._two_blocks, corpus._bad_then_good, corpus._inline, corpus._inline_beside,
    corpus._clearsigned, corpus._stranger, corpus._smuggled, corpus._smuggled_packets, corpus._of_another_file,
    corpus._binary, corpus._empty, corpus._huge, corpus._cut, corpus._no_signature,
)  # fmt: skip


@pytest.fixture(scope="module")
def known(people: Cast) -> dict[str, bytes]:
    return people.roster(people.olga, people.otto, people.past, people.gone)


@pytest.fixture(scope="module", params=["gpg", "sequoia", "both"])
def verifier(request: pytest.FixtureRequest, known: dict[str, bytes]) -> Iterator[Verifier | SequoiaVerifier]:
    second = SequoiaVerifier(known, clock=SystemClock())
    with GpgVerifier(known, runner=Runner()) as first:
        each: dict[str, Verifier | SequoiaVerifier] = {"gpg": first, "sequoia": second, "both": Agreeing(first, second)}
        yield each[request.param]


def test_a_signature_by_the_roster_is_accepted_and_names_the_primary_key(
    people: Cast, verifier: Verifier, data: Path
) -> None:
    assert verifier.verify(people.sign(people.olga), data) == people.olga
    assert verifier.verify(people.sign(people.otto, "--digest-algo", "SHA384"), data) == people.otto


@pytest.mark.parametrize("forge", _FORGERIES)
def test_anything_but_one_good_signature_is_refused(
    people: Cast, verifier: Verifier, data: Path, forge: Callable[[Cast], bytes]
) -> None:
    with pytest.raises(TamperedError) as refused:
        verifier.verify(forge(people), data)
    assert "disagree" not in refused.value.message or forge is corpus._expired_signature


def test_one_verifier_asked_by_many_at_a_time_confuses_nobodys_signature(
    people: Cast, verifier: Verifier, data: Path, tmp_path: Path
) -> None:
    """The processes of an audit share one keyring: what one asks must not reach the answer of another."""
    other = tmp_path / "other"
    other.write_bytes(b"something else")
    signers = [people.sign(people.olga), people.sign(people.otto, "--digest-algo", "SHA384")]

    def seen(number: int) -> str:
        try:
            return verifier.verify(signers[number % 2], other if number % 3 == 0 else data)
        except TamperedError:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(seen, range(24)))
    assert answers == ["refused" if n % 3 == 0 else (people.olga, people.otto)[n % 2] for n in range(24)]


def test_a_flipped_byte_of_the_data_is_noticed(people: Cast, verifier: Verifier, data: Path) -> None:
    signature = people.sign(people.olga)
    changed = bytearray(data.read_bytes())
    changed[7] ^= 1
    data.write_bytes(changed)
    with pytest.raises(TamperedError):
        verifier.verify(signature, data)


def test_a_link_or_nothing_is_no_signed_file(people: Cast, verifier: Verifier, data: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(data)
    for path in (tmp_path / "link", tmp_path / "missing"):
        with pytest.raises(TamperedError):
            verifier.verify(people.sign(people.olga), path)


@pytest.mark.parametrize("forge", [corpus._expired_key, corpus._revoked_key])
def test_both_agree_about_keys_that_have_ended(
    people: Cast, known: dict[str, bytes], data: Path, forge: Callable[[Cast], bytes]
) -> None:
    with GpgVerifier(known, runner=Runner()) as first:
        both = Agreeing(first, SequoiaVerifier(known, clock=SystemClock()))
        seen = both.inspect(forge(people), data)
    assert seen.fingerprint in {people.past, people.gone}
    assert both.agreed == 1


class Credulous:
    """An implementation with a hole: every signature is good, and of whom it was told."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        del signature
        then = datetime(2020, 1, 1, tzinfo=UTC)
        return Inspected(self.fingerprint, then, then, None, None, "", sha256_hex(data.read_bytes()))

    def verify(self, signature: bytes, data: Path) -> str:
        return self.inspect(signature, data).fingerprint


class Doubting:
    """An implementation that refuses everything."""

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        del signature
        raise TamperedError(f"the signature of {data.name} is not accepted")

    def verify(self, signature: bytes, data: Path) -> str:
        return self.inspect(signature, data).fingerprint


def test_where_they_disagree_nothing_is_believed(people: Cast, known: dict[str, bytes], data: Path) -> None:
    second = SequoiaVerifier(known, clock=SystemClock())
    cases: tuple[tuple[Verifier, bytes, str], ...] = (
        (Credulous(people.olga), people.sign(people.mallory), "gpg accepts it, Sequoia says"),
        (Credulous(people.olga), people.sign(people.otto), "different keys"),
        (Doubting(), people.sign(people.olga), "Sequoia accepts it, gpg says"),
    )
    for first, signature, word in cases:
        both = Agreeing(first, second)
        with pytest.raises(TamperedError, match=word):
            both.inspect(signature, data)
        assert both.agreed == 0


def test_a_key_block_must_be_the_one_it_is_named(people: Cast) -> None:
    for block in (people.keyring.public(people.mallory), b"no key"):
        with pytest.raises(KeyringError, match=people.olga):
            SequoiaVerifier({people.olga: block}, clock=SystemClock())


class Swapping(Runner):
    """Puts other bytes into a file as soon as a programme is asked about it, and the first ones back."""

    def __init__(self, file: Path, other: bytes) -> None:
        super().__init__()
        self._file = file
        self._other = other

    @override
    def ask(self, argv: Sequence[str | Path], **more: Any) -> Asked:
        before = self._file.read_bytes()
        self._file.write_bytes(self._other)
        try:
            return super().ask(argv, **more)
        finally:
            self._file.write_bytes(before)


def test_a_file_that_is_swapped_while_it_is_checked_and_swapped_back_is_not_the_one_that_was_signed(
    people: Cast, known: dict[str, bytes], data: Path, tmp_path: Path
) -> None:
    signature, forged = people.sign(people.olga), tmp_path / "forged"
    forged.write_bytes(b"what nobody signed")
    with (
        GpgVerifier(known, runner=Swapping(forged, data.read_bytes())) as first,
        pytest.raises(TamperedError, match="BADSIG"),
    ):
        first.inspect(signature, forged)


def test_what_a_signature_was_found_good_over_is_told_by_its_digest(
    people: Cast, known: dict[str, bytes], data: Path
) -> None:
    second = SequoiaVerifier(known, clock=SystemClock())
    with GpgVerifier(known, runner=Runner()) as first:
        for verifier in (first, Agreeing(first, second)):
            assert verifier.inspect(people.sign(people.olga), data).digest == sha256_hex(data.read_bytes())
    assert second.look(people.sign(people.olga), data).digest == sha256_hex(data.read_bytes())


def test_two_implementations_that_were_given_different_bytes_believe_nothing(
    people: Cast, known: dict[str, bytes], data: Path
) -> None:
    class Elsewhere(Credulous):
        @override
        def inspect(self, signature: bytes, data: Path) -> Inspected:
            return replace(super().inspect(signature, data), digest="0" * 64)

    both = Agreeing(Elsewhere(people.olga), SequoiaVerifier(known, clock=SystemClock()))
    with pytest.raises(TamperedError, match="changed while its signature was checked"):
        both.inspect(people.sign(people.olga), data)
