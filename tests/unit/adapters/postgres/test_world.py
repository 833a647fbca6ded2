"""Statements that are made from somebody else's words, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from attestore import canon
from attestore.adapters.postgres import world
from attestore.errors import TamperedError

HOSTILE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def _stored(names: list[str]) -> str:
    """As PostgreSQL keeps a list setting: quote_identifier of each, joined by comma and blank."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


@given(st.lists(HOSTILE, min_size=1))
def test_a_list_of_names_is_read_as_it_was_meant(names: list[str]) -> None:
    assert world._names(_stored(names)) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ('"$user", "Weird Schema", public', ["$user", "Weird Schema", "public"]),
        ("public", ["public"]),
        ("a,b", ["a", "b"]),
        ('""', [""]),
        ("", [""]),
    ],
)
def test_names_without_quotes_and_empty_lists_are_read_too(value: str, names: list[str]) -> None:
    assert world._names(value) == names


def test_a_list_setting_is_written_as_a_list_of_literals() -> None:
    line: dict[str, canon.JSON] = {"role": "", "here": True, "name": "search_path", "value": '"$user", "A ""b"""'}
    written = world._setting(line, sql.Identifier("x y")).as_string(None)
    assert written == """ALTER DATABASE "x y" SET "search_path" TO '$user', 'A "b"'"""


def test_another_setting_is_one_literal_even_with_commas() -> None:
    line: dict[str, canon.JSON] = {"role": "r", "here": True, "name": "app.list", "value": "a, 'b'; DROP ROLE r"}
    written = world._setting(line, sql.Identifier("d")).as_string(None)
    assert written == """ALTER ROLE "r" IN DATABASE "d" SET "app"."list" TO 'a, ''b''; DROP ROLE r'"""


def test_a_setting_of_every_role_is_told_apart_from_a_role() -> None:
    line: dict[str, canon.JSON] = {"role": "", "here": False, "name": "work_mem", "value": "4MB"}
    assert world._setting(line, sql.Identifier("d")).as_string(None) == """ALTER ROLE ALL SET "work_mem" TO '4MB'"""
    assert world._scope(line, "database") == "every role"


def test_two_roles_never_read_alike() -> None:
    assert world._quoted("a in database") == '"a in database"'
    assert world._quoted("a") == "a"
    assert world._quoted('a"') == '"a"""'


@given(HOSTILE, HOSTILE)
def test_quoting_keeps_names_apart(one: str, other: str) -> None:
    assert (world._quoted(one) == world._quoted(other)) == (one == other)


def test_a_role_is_made_without_login_and_password() -> None:
    role: dict[str, canon.JSON] = dict.fromkeys(world._FLAGS, True)
    role |= {"connections": 3, "until": None}
    words = world._attributes(role).as_string(None)
    assert "NOLOGIN" in words
    assert "PASSWORD" not in words
    assert "SUPERUSER" in words.split()


@pytest.mark.parametrize("right", ["CONNECT; DROP ROLE x", "connect", "", "A-B"])
def test_a_privilege_is_a_keyword_or_refused(right: str) -> None:
    with pytest.raises(TamperedError, match="not a privilege"):
        world._word(right)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "not of format"),
        (b'{"format":"attestore/world/v2"}', "not of format"),
        (b'{"format":"attestore/world/v1","roles":[]}', "lack database, memberships, settings"),
        (b"nonsense", "not canonical JSON"),
    ],
)
def test_bytes_that_are_not_a_world_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(TamperedError, match=words):
        world._decoded(data)
