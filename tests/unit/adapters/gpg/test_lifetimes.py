from __future__ import annotations

from datetime import UTC, datetime

import pytest

from attestore.adapters.gpg.lifetimes import Lifetime, instant, primaries, read

PRIMARY, BRANCH = "A" * 40, "B" * 40
MADE = datetime.fromtimestamp(1_600_000_000, UTC)
END = datetime.fromtimestamp(1_700_000_000, UTC)


def listing(*, flag: str = "-", end: str = "", rev: str = "", branch_end: str = "", branch_rev: str = "") -> str:
    lines = [
        "tru::1:1795387667:0:3:1:5",
        f"pub:{flag}:255:22:AAAAAAAAAAAAAAAA:1600000000:{end}::-:::scSC:::::ed25519:::0:",
        f"fpr:::::::::{PRIMARY}:",
        rev,
        "uid:-::::1600000000::HASH::Olga::::::::::0:",
        "rev:!::22:AAAAAAAAAAAAAAAA:1650000000::::Olga:30x,00::x:::8:",
        f"sub:-:255:22:BBBBBBBBBBBBBBBB:1600000000:{branch_end}:::::s:::::ed25519::",
        f"fpr:::::::::{BRANCH}:",
        branch_rev,
    ]
    return "\n".join(line for line in lines if line) + "\n"


def revoked(scope: str, *, at: int = 1_700_000_000, code: str = "02", good: str = "!") -> str:
    return f"rev:{good}::22:AAAAAAAAAAAAAAAA:{at}::::Olga:{scope},{code}::x:::8:"


def test_a_key_without_an_end_has_none_and_a_user_id_that_was_revoked_ends_nothing() -> None:
    forever = Lifetime(MADE, None, None, "")
    assert read(listing()) == {PRIMARY: forever, BRANCH: forever}
    assert primaries(listing()) == {PRIMARY}


def test_what_ends_a_primary_key_ends_its_subkeys_and_the_earlier_end_counts() -> None:
    known = read(listing(end="1700000000", branch_end="1800000000"))
    assert (known[PRIMARY].expires, known[BRANCH].expires) == (END, END)
    known = read(listing(rev=revoked("20x"), branch_rev=revoked("28x", at=1_750_000_000, code="01")))
    assert known[BRANCH] == Lifetime(MADE, None, END, "compromised")


def test_a_subkey_ends_alone() -> None:
    known = read(listing(branch_end="1700000000", branch_rev=revoked("28x", code="03")))
    assert known[PRIMARY] == Lifetime(MADE, None, None, "")
    assert known[BRANCH] == Lifetime(MADE, END, END, "no longer used")


@pytest.mark.parametrize("rev", ["", revoked("20x", good="?"), revoked("20x", good="-")])
def test_a_revocation_that_cannot_be_checked_counts_from_the_beginning(rev: str) -> None:
    known = read(listing(flag="r", rev=rev))
    assert (known[PRIMARY].revoked, known[BRANCH].revoked) == (MADE, MADE)


def test_a_revocation_by_nobody_knows_whom_ends_no_key_that_gpg_calls_good() -> None:
    assert read(listing(rev=revoked("20x", good="-")))[PRIMARY].revoked is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1600000000", MADE), ("20200913T122640", MADE), ("0", None), ("", None), ("soon", None)],
)
def test_an_instant_is_read_as_gpg_writes_it(written: str, meant: datetime | None) -> None:
    assert instant(written) == meant
