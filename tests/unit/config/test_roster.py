from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import canon
from attestore.config import Key, Person, read_roster, roster_text
from attestore.errors import GateError

BLOCK = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
A, B = "A" * 40, "B" * 40
MIRA = Person(
    "mira",
    "Mira Okafor",
    ("operator", "release-manager"),
    (Key(A, BLOCK, since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2027, 1, 1, tzinfo=UTC)),),
)
TOMAS = Person("tomas", "Tomas", ("approver",), (Key(B, BLOCK),))
TEXT = roster_text([MIRA, TOMAS])


def read(text: bytes) -> object:
    return read_roster(text, where="roster.yaml")


def test_a_first_roster_reads_back_as_the_same_people() -> None:
    roster = read_roster(TEXT, where="roster.yaml")
    assert roster.people == (MIRA, TOMAS)
    assert roster.digest == canon.sha256_hex(TEXT)
    assert TEXT.startswith(b"# Who may")


@given(st.text(min_size=1, max_size=30))
def test_any_name_that_can_be_printed_survives(name: str) -> None:
    try:
        known = read_roster(roster_text([replace(MIRA, name=name)]), where="roster.yaml")
    except (GateError, ValueError):
        assert not name.isprintable() or not name.strip()
        return
    assert known.people[0].name == name


def test_a_key_speaks_for_its_person_in_their_roles_only() -> None:
    roster = read_roster(TEXT, where="roster.yaml")
    assert roster.person_of(A) == MIRA
    assert roster.person_of(A, "operator") == MIRA
    assert roster.person_of(B, role="operator") is None
    assert roster.person_of("C" * 40) is None


@pytest.mark.parametrize(
    ("at", "serves"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 1, tzinfo=UTC), True),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2027, 1, 1, tzinfo=UTC), False),
    ],
)
def test_a_key_serves_from_its_first_instant_until_before_its_last(at: datetime, serves: bool) -> None:  # noqa: FBT001
    roster = read_roster(TEXT, where="roster.yaml")
    assert (roster.person_of(A, at=at) is not None) is serves
    assert roster.person_of(B, at=at) is not None


def test_a_keyring_is_made_of_the_rosters_keys_only() -> None:
    assert dict(read_roster(TEXT, where="roster.yaml").public_keys()) == {A: BLOCK, B: BLOCK}


def test_a_date_alone_is_its_first_instant() -> None:
    text = TEXT.replace(b"2026-01-01T00:00:00.000Z", b"2026-01-01")
    assert read_roster(text, where="roster.yaml").people[0].keys[0].since == datetime(2026, 1, 1, tzinfo=UTC)


def change(before: bytes, after: bytes) -> bytes:
    assert before in TEXT
    return TEXT.replace(before, after, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (change(b'id: "tomas"', b'id: "mira"'), r"roster\.yaml:\d+:\d+: the person 'mira' is listed twice"),
        (change(B.encode(), A.encode()), "listed twice, for mira already"),
        (change(A.encode(), A.lower().encode()), "not 40 upper-case"),
        (change(A.encode(), b"DEADBEEF"), "not 40 upper-case"),
        (change(b"    name:", b"    nmae:"), "unknown key 'nmae'|'name' is missing"),
        (change(b'id: "mira"', b'id: "Mira O"'), "not a short lower-case name"),
        (change(b"Mira Okafor", b" "), "cannot be printed"),
        (change(b"Mira Okafor", b"Mira\xe2\x80\xaerofakO"), "cannot be printed"),
        (change(b"[operator, ", b"[operator, operator, "), "a role of mira is listed twice"),
        (change(b"[operator, ", b"[Operator, "), "the role 'Operator'"),
        (change(b"-----BEGIN PGP PUBLIC", b"-----BEGIN PGP PRIVATE"), "not one armoured block"),
        (change(b"2027-01-01T", b"2026-01-01T"), "ends before it begins"),
        (change(b"2027-01-01T00:00:00.000Z", b"next year"), "is not an instant in UTC"),
        (change(b"2027-01-01T00:00:00.000Z", b"2027-01-01T00:00:00+01:00"), "is not an instant in UTC"),
        (b"people: []\n", "lists nobody"),
        (b'people: [{id: "a", name: "A", roles: [], keys: []}]\n', "has no key"),
        (b"{}\n", "people"),
        (TEXT + b"people: []\n", "twice"),
    ],
)
def test_a_roster_that_cannot_be_meant_is_refused_where_it_stands(text: bytes, says: str) -> None:
    with pytest.raises(GateError, match=says):
        read(text)


def test_an_unknown_key_comes_with_the_nearest_known_one() -> None:
    with pytest.raises(GateError) as caught:
        read(change(b"        until:", b"        untill:"))
    assert caught.value.hint == "Did you mean until?"
