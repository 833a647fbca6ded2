"""A second implementation of OpenPGP: Sequoia, by the same rule, so that no single programme has the last word.

What its Python interface cannot tell: when a key was revoked, and why. It refuses every signature by a revoked key, and
looks at a key's expiry as of the signature's own time; our rule, which is stricter, is applied to what it answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from attestore.adapters.gpg import armor
from attestore.adapters.gpg.aside import KeptAside, file_aside
from attestore.canon import Digest
from attestore.errors import KeyringError, MissingProgramError, TamperedError
from attestore.ports import Inspected, Verifier

__all__ = ["Agreeing", "SequoiaVerifier", "Signed"]

_HASHES: Final = frozenset({"SHA256", "SHA384", "SHA512"})


@dataclass(frozen=True, slots=True)
class Signed:
    """One good signature: primary key fingerprint, when it was made, and whether its key has expired since."""

    fingerprint: str
    made: datetime
    expired: bool
    digest: Digest
    """SHA-256 of the bytes that it is over"""


class _Watch(Protocol):
    """The part of a clock that is asked."""

    def now(self) -> datetime:
        """This instant."""
        ...


class SequoiaVerifier:
    """Checks signatures by the roster's keys; `public_keys` maps primary fingerprint to armour."""

    def __init__(self, public_keys: Mapping[str, bytes], *, clock: _Watch) -> None:
        try:
            import pysequoia  # noqa: PLC0415 - an optional extra
        except ImportError as problem:
            raise MissingProgramError(
                "pysequoia, the second implementation of OpenPGP, is not installed here",
                hint="Install attestore[second-opinion], or leave the second opinion out.",
            ) from problem
        self._api: Any = pysequoia
        self._clock = clock
        self._certs: dict[str, Any] = {}
        for fingerprint, armoured in public_keys.items():
            try:
                cert = pysequoia.Cert.from_bytes(armoured)
            except RuntimeError as problem:
                raise KeyringError(
                    f"Sequoia cannot read the roster's key {fingerprint}: {_first(problem)}"
                ) from problem
            if cert.fingerprint.upper() != fingerprint:
                raise KeyringError(f"the roster's key block for {fingerprint} holds {cert.fingerprint.upper()}")
            self._certs[fingerprint] = cert

    def verify(self, signature: bytes, data: Path) -> str:
        """Primary key fingerprint of the one good signature over the file's bytes.

        Raises:
            TamperedError: anything but exactly one valid, unexpired, unrevoked signature (class 00, SHA-2) by a key of
                the roster; or `data` is not a plain file.
        """
        signed = self.look(signature, data)
        if signed.expired:
            raise TamperedError(f"the signature of {data.name} is not accepted: the key has expired")
        return signed.fingerprint

    def look(self, signature: bytes, data: Path) -> Signed:
        """The one good signature, be its key expired since.

        Raises:
            TamperedError: as `verify`, but not for an expired key.
        """
        what = data.name
        packet = armor.read(signature)
        with file_aside(data, below=None) as kept:
            return self._look(signature, packet, kept, what=what)

    def _look(self, signature: bytes, packet: armor.SignaturePacket, kept: KeptAside, *, what: str) -> Signed:
        try:
            sig = self._api.Sig.from_bytes(signature)
            if packet.signature_class or str(sig.signature_type) != "SignatureType.Binary":
                raise TamperedError(f"the signature of {what} is of class {packet.signature_class:02x}, not 00")
            if str(sig.hash_algorithm).rpartition(".")[2] not in _HASHES:
                raise TamperedError(
                    f"the signature of {what} uses {sig.hash_algorithm}, which is not of the SHA-2 family"
                )
            done = self._api.verify(file=kept.path, store=lambda _: list(self._certs.values()), signature=sig)
        except (RuntimeError, OSError) as problem:
            raise TamperedError(f"the signature of {what} is not accepted: {_first(problem)}") from problem
        signers = [valid.certificate.upper() for valid in done.valid_sigs]
        if len(signers) != 1 or signers[0] not in self._certs:
            raise TamperedError(f"the signature of {what} is not accepted: {len(signers)} valid ones were found")
        if sig.created is None or self.is_revoked(signers[0]):
            raise TamperedError(f"the signature of {what} is not accepted: it has no time, or the key was revoked")
        ends = self._certs[signers[0]].expiration
        return Signed(
            signers[0],
            sig.created.astimezone(UTC),
            expired=ends is not None and ends <= self._clock.now(),
            digest=kept.digest,
        )

    def is_revoked(self, fingerprint: str) -> bool:
        """Whether a key of the roster carries a revocation that holds."""
        return bool(self._certs[fingerprint].is_revoked)


class Agreeing:
    """Believes what two implementations say alike; where they disagree, nothing is believed."""

    def __init__(self, first: Verifier, second: SequoiaVerifier) -> None:
        self._first = first
        self._second = second
        self.agreed = 0
        """signatures about which both said the same"""

    def verify(self, signature: bytes, data: Path) -> str:
        """Primary key fingerprint of the one good signature, by both.

        Raises:
            TamperedError: either refuses it.
        """
        seen = self.inspect(signature, data)
        if self._first.verify(signature, data) != self._second.verify(signature, data):
            raise TamperedError(_disagree(data, "they name different keys"))
        return seen.fingerprint

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        """The one good signature, be its key expired or revoked since; both must see it alike.

        Raises:
            TamperedError: both refuse it, or they disagree.
        """
        try:
            seen = self._first.inspect(signature, data)
        except TamperedError as refused:
            self._refuse_too(signature, data, why=refused.message)
            raise
        if seen.revoked is not None:
            # Sequoia does not look at what a revoked key has signed; that it is revoked must be seen by both
            if not self._second.is_revoked(seen.fingerprint):
                raise TamperedError(_disagree(data, "gpg says that the key was revoked, Sequoia does not"))
            self.agreed += 1
            return seen
        try:
            signed = self._second.look(signature, data)
        except TamperedError as refused:
            raise TamperedError(_disagree(data, f"gpg accepts it, Sequoia says: {refused.message}")) from refused
        if signed.digest != seen.digest:
            raise TamperedError(f"{data.name} changed while its signature was checked")
        if (signed.fingerprint, signed.made) != (seen.fingerprint, seen.made):
            raise TamperedError(_disagree(data, "they name different keys or times"))
        self.agreed += 1
        return seen

    def _refuse_too(self, signature: bytes, data: Path, *, why: str) -> None:
        try:
            self._second.look(signature, data)
        except TamperedError:
            self.agreed += 1
            return
        raise TamperedError(_disagree(data, f"Sequoia accepts it, gpg says: {why}"))


def _disagree(data: Path, how: str) -> str:
    return f"two implementations of OpenPGP disagree about the signature of {data.name}: {how}"


def _first(problem: BaseException) -> str:
    """Sequoia's own words, without the stack that follows them."""
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]
