"""Which signatures still count years later: a key that has ended speaks only for what is proven to be older than its end.

The rule (docs/adr): let T be an instant by which the signature is proven to have existed, by somebody other than its signer.
An expired key is accepted if T lies in its validity; a revoked one if T lies before the revocation; without T neither is.
A key whom the roster has stopped trusting is accepted by T too, or if a checkpoint by a key in force covers what it signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from attestore import instants
from attestore.config import Key
from attestore.errors import TamperedError
from attestore.ports import Inspected

__all__ = ["NOTHING", "SLACK", "Proven", "Witness", "earlier", "rule"]

SLACK: Final = timedelta(minutes=5)
"""How far clocks of different machines may stand apart"""

_REMEDY: Final = "nothing proves that it was signed before: no time stamp, and no dated copy of a later report"


@dataclass(frozen=True, slots=True)
class Proven:
    """An instant by which something is proven to have existed."""

    at: datetime
    by: str
    """who or what proves it, as a clause: `a time stamp of …`"""


@dataclass(frozen=True, slots=True)
class Witness:
    """What others than the signer say about the time of a signature."""

    proven: Proven | None = None
    covered: str = ""
    """the checkpoint by a key in force, as a clause, where one covers what was signed; empty where none does"""


def earlier(witness: Witness, proven: Proven | None) -> Witness:
    """With one more instant by which it is proven to have existed: the earliest counts."""
    if proven is None or (witness.proven is not None and witness.proven.at <= proven.at):
        return witness
    return Witness(proven=proven, covered=witness.covered)


NOTHING: Final = Witness()
"""Nobody but the signer says when it was signed"""


def rule(seen: Inspected, *, key: Key, audited: datetime, witness: Witness) -> str:
    """Why a good signature counts, though its key has ended; empty where the key is in force.

    Raises:
        TamperedError: it does not count: its time can't be, or its key has ended and no trusted time saves it.
    """
    if seen.made > audited + SLACK:
        raise TamperedError(f"the signature is dated {instants.text(seen.made)}, after this audit")
    if seen.made < seen.created:
        raise TamperedError(f"the signature is dated {instants.text(seen.made)}, before its key was made")
    told = [
        _revoked(seen, witness.proven),
        _expired(seen, audited=audited, proven=witness.proven),
        _lapsed(key, audited=audited, witness=witness),
    ]
    return " ".join(sentence for sentence in told if sentence)


def _revoked(seen: Inspected, proven: Proven | None) -> str:
    """A revocation, once it is known, counts at any date of the audit: it is knowledge, not a clock."""
    if seen.revoked is None:
        return ""
    what = f"its key was revoked {instants.text(seen.revoked)} ({seen.reason})"
    if proven is None:
        raise TamperedError(f"{what}, and {_REMEDY}")
    if proven.at >= seen.revoked or seen.made >= seen.revoked:
        raise TamperedError(f"{what}, and {proven.by} proves only that it existed {instants.text(proven.at)}, later")
    return f"The key was revoked {instants.text(seen.revoked)} ({seen.reason}); {_existed(proven)}, before that."


def _expired(seen: Inspected, *, audited: datetime, proven: Proven | None) -> str:
    if seen.expires is None or (seen.expires > audited and seen.made < seen.expires):
        return ""
    what = f"its key expired {instants.text(seen.expires)}"
    if seen.made >= seen.expires:
        raise TamperedError(f"{what}, and it is dated {instants.text(seen.made)}, after that")
    if proven is None:
        raise TamperedError(f"{what}, and {_REMEDY}")
    if not seen.created - SLACK <= proven.at < seen.expires:
        raise TamperedError(
            f"{what}, and {proven.by} proves only that it existed {instants.text(proven.at)}, outside of its validity"
        )
    return f"The key expired {instants.text(seen.expires)}; {_existed(proven)}, while it was valid."


def _lapsed(key: Key, *, audited: datetime, witness: Witness) -> str:
    """The end that the roster has set for a key, where it has come."""
    if key.until is None or key.until > audited:
        return ""
    what = f"the roster trusts its key until {instants.text(key.until)} only"
    proven = witness.proven
    if proven is not None and proven.at < key.until:
        return f"The roster's trust in the key ended {instants.text(key.until)}; {_existed(proven)}, before that."
    if witness.covered:
        return (
            f"The roster's trust in the key ended {instants.text(key.until)}; {witness.covered} covers what it signed."
        )
    raise TamperedError(f"{what}, and {_REMEDY}")


def _existed(proven: Proven) -> str:
    return f"{proven.by} proves that the signature existed {instants.text(proven.at)}"
