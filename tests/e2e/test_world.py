"""Roles and settings go from one real cluster to another: without passwords, without login, without code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from attestore import canon
from attestore.adapters.postgres import objects, world
from attestore.adapters.postgres.cluster import Connection
from clusters import MAJORS, running_server
from schemas import create_rich
from servers import KEY


@pytest.fixture(scope="module")
def rich() -> Iterator[Connection]:
    with running_server(MAJORS[0]) as server:
        with server.connect() as session:
            create_rich(session)
        yield server


@pytest.fixture(scope="module")
def around(rich: Connection) -> bytes:
    with rich.connect() as session:
        return world.read(session)


@pytest.fixture
def empty() -> Iterator[Connection]:
    with running_server(MAJORS[-1]) as server:
        yield server


def _changed(data: bytes, **parts: Any) -> bytes:
    return canon.encode(cast("dict[str, canon.JSON]", canon.decode(data, what="world")) | parts)


def test_roles_arrive_without_login_and_no_password_ever_leaves(around: bytes, empty: Connection) -> None:
    assert b"canary" not in around
    assert b"SCRAM" not in around
    with empty.connect() as session:
        assert world.apply_roles(session, around) == ()
        assert world.apply_roles(session, around) == (), "a role that exists already stays as it is"
        rows = session.execute(
            "SELECT bool_or(rolcanlogin), bool_or(rolpassword IS NOT NULL), count(*) FROM pg_authid WHERE rolname ~* '^rich'"
        ).fetchone()
    assert rows == (False, False, 4)


def test_everything_but_the_bootstrap_superuser_compares_equal_in_a_cluster_of_its_own(
    around: bytes, rich: Connection, empty: Connection
) -> None:
    with rich.connect() as session:
        expected = world.settings(session)
    with empty.connect() as session:
        assert world.apply_roles(session, around) == ()
        assert world.apply_settings(session, around, database="app") == ()
        assert world.settings(session) == expected
    assert ("database", "set search_path", '"$user", "Weird Schema", public') in {
        (s.scope, s.name, s.value) for s in expected
    }
    assert ("role rich_owner in database", "set work_mem", "7MB") in {(s.scope, s.name, s.value) for s in expected}


def test_a_source_whose_superuser_has_another_name_gains_no_role(around: bytes, empty: Connection) -> None:
    raw = cast("dict[str, Any]", canon.decode(around, what="world"))
    roles = [role | {"name": "boss"} if role["name"] == "postgres" else role for role in raw["roles"]]
    with empty.connect() as session:
        assert world.apply_roles(session, _changed(around, roles=roles)) == ()
        scopes = {setting.scope for setting in world.settings(session)}
    assert "role boss" in scopes
    assert "role postgres" not in scopes


def test_settings_that_load_code_are_never_applied_and_are_named(empty: Connection) -> None:
    with empty.connect() as session:
        session.execute("CREATE ROLE worker")
        session.execute("ALTER DATABASE app SET session_preload_libraries = 'nothing_here'")
        session.execute("ALTER ROLE worker SET dynamic_library_path = '/nowhere'")
        session.execute("ALTER ROLE worker SET work_mem = '5MB'")
        carried = world.read(session)
        compared = {(s.scope, s.name) for s in world.settings(session)}
        _, findings = objects.read(session, key=KEY)
        session.execute("ALTER DATABASE app RESET ALL")
        session.execute("ALTER ROLE worker RESET ALL")
        assert world.apply_settings(session, carried, database="app") == ()
        applied = session.execute("SELECT setconfig FROM pg_db_role_setting").fetchall()
    assert b"session_preload_libraries" in carried
    assert ("role worker", "set work_mem") in compared
    assert not {name for _, name in compared} & {"set session_preload_libraries", "set dynamic_library_path"}
    assert applied == [(["work_mem=5MB"],)]
    assert {sentence for sentence in findings if "loads code" in sentence} == {
        (
            "Setting session_preload_libraries of the database loads code: it is never applied to an isolated copy,"
            " and not compared."
        ),
        (
            "Setting dynamic_library_path of role worker loads code: it is never applied to an isolated copy,"
            " and not compared."
        ),
    }


def test_one_refused_setting_is_told_and_harms_no_other(around: bytes, empty: Connection) -> None:
    lines = [
        {"role": "", "here": True, "name": "work_mem", "value": "no number"},
        {"role": "no such role", "here": False, "name": "work_mem", "value": "4MB"},
        {"role": "", "here": True, "name": "statement_timeout", "value": "1h'; DROP DATABASE postgres; --"},
        {"role": "", "here": True, "name": "lock_timeout", "value": "7s"},
    ]
    with empty.connect() as session:
        world.apply_roles(session, around)
        errors = world.apply_settings(session, _changed(around, settings=lines), database="app")
        applied = session.execute("SELECT setconfig FROM pg_db_role_setting").fetchall()
    assert len(errors) == 3
    assert "invalid value for parameter" in errors[0]
    assert 'role "no such role" does not exist' in errors[1]
    assert applied == [(["lock_timeout=7s"],)]


def test_a_database_may_keep_its_name(rich: Connection) -> None:
    with rich.connect() as session:
        scopes = {setting.scope for setting in world.settings(session, database_label=False)}
    assert "database app" in scopes
    assert "role rich_owner in database app" in scopes
    assert "database" not in scopes
