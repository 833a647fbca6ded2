"""What lies around a database: roles, memberships, its owner and rights, and the settings that belong to them.

`read` takes it from the source, `apply_roles` and `apply_settings` put it into an isolated cluster, and `settings`
tells it the same way on both sides. Roles are made without login; hashes of passwords are carried only where the
caller hands them over, for a recovery (`logins`), and nothing here ever looks at them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import psycopg
from psycopg import sql

from attestore import canon
from attestore.adapters.postgres.objects.catalogue import pinned
from attestore.adapters.postgres.objects.findings import UNAPPLIED
from attestore.errors import TamperedError
from attestore.proof import Setting

__all__ = [
    "FORMAT",
    "Role",
    "add_roles",
    "apply_roles",
    "apply_settings",
    "has_public",
    "read",
    "role_names",
    "roles_of",
    "scope_of",
    "settings",
    "unmark_roles",
]

FORMAT: Final = "attestore/world/v1"

_LISTS: Final = frozenset({"search_path", "temp_tablespaces", "unix_socket_directories"})
"""settings whose value is a list of quoted names (the others of that kind are among the unapplied)"""

_BOOTSTRAP: Final = "attestore: bootstrap superuser of an isolated cluster"
"""a comment that marks a role of the isolated cluster itself, which no source has"""

_PER_GRANT: Final = 16
"""the major that gave every membership its own INHERIT and SET"""

_ROLES: Final = """
SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
       r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil::text, coalesce(shobj_description(r.oid, 'pg_authid'), '')
  FROM pg_roles r
 WHERE r.rolname !~ '^pg_'
   AND NOT (r.oid = 10 AND coalesce(shobj_description(r.oid, 'pg_authid'), '') = %s)
 ORDER BY r.rolname COLLATE "C"
"""

# One membership may be granted by several roles; what counts is what they allow together. Before PostgreSQL 16 INHERIT
# was the member's own attribute, and SET ROLE was always allowed.
_MEMBERSHIPS: Final = """
SELECT g.rolname, m.rolname, bool_or(a.admin_option),
       bool_or(coalesce((to_jsonb(a) ->> 'inherit_option')::bool, m.rolinherit)),
       bool_or(coalesce((to_jsonb(a) ->> 'set_option')::bool, true))
  FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
 WHERE m.rolname !~ '^pg_'
 GROUP BY g.rolname, m.rolname
 ORDER BY g.rolname COLLATE "C", m.rolname COLLATE "C"
"""

_SETTINGS: Final = """
SELECT coalesce(r.rolname, ''), s.setdatabase <> 0, split_part(c.line, '=', 1), substr(c.line, strpos(c.line, '=') + 1)
  FROM pg_db_role_setting s
 CROSS JOIN LATERAL unnest(s.setconfig) c(line)
  LEFT JOIN pg_roles r ON r.oid = s.setrole
 WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND (s.setrole = 0 OR r.rolname IS NOT NULL)
   AND coalesce(shobj_description(r.oid, 'pg_authid'), '') <> %s
 ORDER BY coalesce(r.rolname, '') COLLATE "C", s.setdatabase <> 0, split_part(c.line, '=', 1) COLLATE "C"
"""

_DATABASE: Final = """
SELECT d.datname, pg_get_userbyid(d.datdba), d.datconnlimit, coalesce(shobj_description(d.oid, 'pg_database'), '')
  FROM pg_database d WHERE d.datname = current_database()
"""

_PUBLIC: Final = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public')"
"""pg_dump does not say that the schema public was dropped, and every new database has it"""

_RIGHTS: Final = """
SELECT CASE WHEN e.grantee = 0 THEN '' ELSE pg_get_userbyid(e.grantee) END, e.privilege_type, bool_or(e.is_grantable)
  FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) e
 WHERE d.datname = current_database()
 GROUP BY 1, 2
 ORDER BY CASE WHEN e.grantee = 0 THEN '' ELSE pg_get_userbyid(e.grantee) END COLLATE "C", e.privilege_type COLLATE "C"
"""


def read(connection: psycopg.Connection[Any], *, hashes: Mapping[str, str] | None = None) -> bytes:
    """Roles, memberships, settings, and the database's owner, rights and comment: canonical bytes.

    All roles of the cluster but the built-in ones, since any of them may own or be granted something; only what
    every role may read of them, and the password hashes that were read apart, for bytes that will be sealed.

    Raises:
        psycopg.Error: the server refused; whoever holds the connection says so in its own words.
    """
    with pinned(connection) as cursor:
        roles = cursor.execute(_ROLES.encode(), (_BOOTSTRAP,)).fetchall()
        memberships = cursor.execute(_MEMBERSHIPS.encode()).fetchall()
        lines = cursor.execute(_SETTINGS.encode(), (_BOOTSTRAP,)).fetchall()
        name, owner, limit, comment = cursor.execute(_DATABASE.encode()).fetchall()[0]
        rights = cursor.execute(_RIGHTS.encode()).fetchall()
        public = cursor.execute(_PUBLIC.encode()).fetchall()[0][0]
    return canon.encode(
        {
            "format": FORMAT,
            "database": {
                "name": name,
                "owner": owner,
                "connections": limit,
                "comment": comment,
                "public": public,
                "rights": [[grantee, right, grantable] for grantee, right, grantable in rights],
            },
            "roles": [
                {
                    "name": role[0],
                    "superuser": role[1],
                    "inherit": role[2],
                    "createrole": role[3],
                    "createdb": role[4],
                    "login": role[5],
                    "replication": role[6],
                    "bypassrls": role[7],
                    "connections": role[8],
                    "until": role[9],
                    "comment": role[10],
                    **({} if hashes is None else {"password": hashes.get(role[0])}),
                }
                for role in roles
            ],
            "memberships": [
                {"role": group, "member": member, "admin": admin, "inherit": inherit, "set": may_set}
                for group, member, admin, inherit, may_set in memberships
            ],
            "settings": [
                {"role": role, "here": here, "name": setting, "value": value} for role, here, setting, value in lines
            ],
        }
    )


def apply_roles(connection: psycopg.Connection[Any], world: bytes) -> tuple[str, ...]:
    """Make every role and membership of `world` in an isolated cluster; what went wrong, in words.

    Attributes are as they were, so that objects can be owned as they were, but nobody may log in and nobody has a
    password. A role that exists already (the cluster's own superuser may have the name of one) stays as it is. The
    cluster's superuser is marked by a comment when the source knows no such role.

    Raises:
        TamperedError: `world` is not what `read` writes.
    """
    raw = _decoded(world)
    roles = _items(raw["roles"])
    errors: list[str] = []
    with pinned(connection) as cursor:
        existing = {row[0] for row in cursor.execute(b"SELECT rolname FROM pg_roles").fetchall()}
        bootstrap = str(cursor.execute(b"SELECT rolname FROM pg_roles WHERE oid = 10").fetchall()[0][0])
        per_grant = connection.info.server_version // 10_000 >= _PER_GRANT
    do = _doer(connection, errors)
    if bootstrap not in {role["name"] for role in roles}:
        do(sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(bootstrap), sql.Literal(_BOOTSTRAP)))
    for role in roles:
        name = sql.Identifier(str(role["name"]))
        if role["name"] not in existing:
            do(sql.SQL("CREATE ROLE {} WITH {}").format(name, _attributes(role)))
        if role["comment"]:
            do(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(str(role["comment"]))))
    for grant in _items(raw["memberships"]):
        do(_membership(grant, per_grant=per_grant))
    return tuple(errors)


def add_roles(
    connection: psycopg.Connection[Any], world: bytes, *, mark: str, ours: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Make the roles of `world` that somebody else's cluster lacks, and nothing else there; what went wrong, in words.

    Their comments begin with `mark`, in the transaction that makes them. Roles that exist already stay as they are, and
    so do their memberships; but for `ours`, which somebody began to make before us.

    Raises:
        TamperedError: `world` is not what `read` writes.
    """
    raw = _decoded(world)
    errors: list[str] = []
    with pinned(connection) as cursor:
        existing = {row[0] for row in cursor.execute(b"SELECT rolname FROM pg_roles").fetchall()}
        per_grant = connection.info.server_version // 10_000 >= _PER_GRANT
    do = _doer(connection, errors)
    missing = [role for role in _items(raw["roles"]) if role["name"] not in existing]
    for role in missing:
        name = sql.Identifier(str(role["name"]))
        told = len(errors)
        with connection.transaction():
            do(sql.SQL("CREATE ROLE {} WITH {}").format(name, _attributes(role)))
            if len(errors) == told:
                do(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, sql.Literal(mark + str(role["comment"]))))
    made = ours | {role["name"] for role in missing}
    for grant in _items(raw["memberships"]):
        if grant["member"] in made:
            do(_membership(grant, per_grant=per_grant))
    return tuple(errors)


def unmark_roles(connection: psycopg.Connection[Any], world: bytes, *, whose: frozenset[str]) -> tuple[str, ...]:
    """Give roles that were made the comments that they had at the source, and no mark; what went wrong, in words.

    Raises:
        TamperedError: `world` is not what `read` writes.
    """
    errors: list[str] = []
    do = _doer(connection, errors)
    for role in _items(_decoded(world)["roles"]):
        if role["name"] in whose:
            comment = sql.Literal(str(role["comment"])) if role["comment"] else sql.SQL("NULL")
            do(sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(str(role["name"])), comment))
    return tuple(errors)


def role_names(world: bytes) -> frozenset[str]:
    """The roles that a backup carries.

    Raises:
        TamperedError: `world` is not what `read` writes.
    """
    return frozenset(str(role["name"]) for role in _items(_decoded(world)["roles"]))


@dataclass(frozen=True, slots=True)
class Role:
    """One role as a backup carries it."""

    name: str
    login: bool
    attributes: tuple[str, ...]
    """in SQL's words, but for LOGIN"""
    known: bool
    """whether the backup knows what the role logs in with: whoever took it could read that"""
    password: str = field(default="", repr=False)
    """the hash; empty where the role has none, and where it is not known"""


def roles_of(world: bytes) -> tuple[Role, ...]:
    """The roles that a backup carries, as far as a recovery asks about them.

    Raises:
        TamperedError: `world` is not what `read` writes.
    """
    return tuple(
        Role(
            name=str(role["name"]),
            login=role["login"] is True,
            attributes=tuple(word for flag, word in _FLAGS.items() if role[flag] is True and flag != "login"),
            known="password" in role,
            password=str(role.get("password") or ""),
        )
        for role in _items(_decoded(world)["roles"])
    )


def apply_settings(
    connection: psycopg.Connection[Any],
    world: bytes,
    *,
    database: str,
    whose: frozenset[str] | None = None,
    mark: str = "",
) -> tuple[str, ...]:
    """Give `database` its owner, rights, comment and settings, and the roles theirs; what went wrong, in words.

    Settings that load libraries or start programmes stay unapplied; the objects' findings name them. With `whose`, only
    these roles get settings that hold in other databases, too. The comment begins with `mark`.

    Raises:
        TamperedError: `world` is not what `read` writes.
    """
    raw = _decoded(world)
    about = cast("dict[str, canon.JSON]", raw["database"])
    here = sql.Identifier(database)
    errors: list[str] = []
    do = _doer(connection, errors)
    owner = sql.Identifier(str(about["owner"]))
    do(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(here, owner))
    do(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(here, sql.Literal(about["connections"])))
    comment = mark + str(about["comment"])
    do(sql.SQL("COMMENT ON DATABASE {} IS {}").format(here, sql.Literal(comment) if comment else sql.SQL("NULL")))
    do(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(here, owner))
    for grantee, right, grantable in cast("list[tuple[str, str, bool]]", about["rights"]):
        do(
            sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
                sql.SQL(_word(right)),
                here,
                sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC"),
                sql.SQL(" WITH GRANT OPTION" if grantable else ""),
            )
        )
    for line in _items(raw["settings"]):
        elsewhere = line["here"] is not True and whose is not None and line["role"] not in whose
        if str(line["name"]).lower() not in UNAPPLIED and not elsewhere:
            do(_setting(line, here))
    return tuple(errors)


def has_public(world: bytes) -> bool:
    """Whether the database of `world` has a schema `public`.

    Raises:
        TamperedError: `world` is not what `read` writes.
    """
    return cast("dict[str, canon.JSON]", _decoded(world)["database"]).get("public") is not False


def settings(connection: psycopg.Connection[Any], *, database_label: bool = True) -> tuple[Setting, ...]:
    """Everything that `read` reads as comparable settings, sorted; a database is called `database`, not by its name.

    Left out by rule, on both sides: whether a role may log in (an isolated copy lets nobody in), settings that load
    code, and the superuser of an isolated cluster itself. `database_label=False` keeps the database's name.

    Raises:
        psycopg.Error: the server refused; whoever holds the connection says so in its own words.
    """
    raw = _decoded(read(connection))
    about = cast("dict[str, canon.JSON]", raw["database"])
    here = "database" if database_label else f"database {_quoted(str(about['name']))}"
    found = [
        Setting(here, "owner", str(about["owner"])),
        Setting(here, "connection limit", str(about["connections"])),
        Setting(here, "comment", str(about["comment"])),
    ]
    rights: dict[str, list[str]] = {}
    for grantee, right, grantable in cast("list[tuple[str, str, bool]]", about["rights"]):
        rights.setdefault(_quoted(grantee) if grantee else "PUBLIC", []).append(right + ("*" if grantable else ""))
    found += [Setting(here, f"rights of {grantee}", ", ".join(held)) for grantee, held in rights.items()]
    for role in _items(raw["roles"]):
        scope = f"role {_quoted(str(role['name']))}"
        held = [word for word in _FLAGS if role[word] is True and word != "login"]
        found.append(Setting(scope, "attributes", ", ".join(held)))
        found.append(Setting(scope, "connection limit", str(role["connections"])))
        found.append(Setting(scope, "valid until", str(role["until"] or "")))
        found.append(Setting(scope, "comment", str(role["comment"])))
    for grant in _items(raw["memberships"]):
        options = [word for word in ("admin", "inherit", "set") if grant[word] is True]
        found.append(
            Setting(
                f"role {_quoted(str(grant['member']))}",
                f"member of {_quoted(str(grant['role']))}",
                ", ".join(options),
            )
        )
    for line in _items(raw["settings"]):
        if str(line["name"]).lower() not in UNAPPLIED:
            found.append(Setting(_scope(line, here), f"set {line['name']}", str(line["value"])))
    return tuple(sorted(found))


_FLAGS: Final[Mapping[str, str]] = {
    "superuser": "SUPERUSER",
    "inherit": "INHERIT",
    "createrole": "CREATEROLE",
    "createdb": "CREATEDB",
    "login": "LOGIN",
    "replication": "REPLICATION",
    "bypassrls": "BYPASSRLS",
}


def _attributes(role: Mapping[str, canon.JSON]) -> sql.Composable:
    words = [word if role[flag] is True and flag != "login" else f"NO{word}" for flag, word in _FLAGS.items()]
    parts: list[sql.Composable] = [
        sql.SQL(" ".join(words)),
        sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(role["connections"])),
    ]
    if role["until"] is not None:
        parts.append(sql.SQL("VALID UNTIL {}").format(sql.Literal(role["until"])))
    return sql.SQL(" ").join(parts)


def _membership(grant: Mapping[str, canon.JSON], *, per_grant: bool) -> sql.Composable:
    words = (
        ", ".join(
            f"{word.upper()} {'TRUE' if grant[word] is True else 'FALSE'}" for word in ("admin", "inherit", "set")
        )
        if per_grant
        else "ADMIN OPTION"
    )
    return sql.SQL("GRANT {} TO {}{}").format(
        sql.Identifier(str(grant["role"])),
        sql.Identifier(str(grant["member"])),
        sql.SQL(f" WITH {words}" if per_grant or grant["admin"] is True else ""),
    )


def _setting(line: Mapping[str, canon.JSON], here: sql.Identifier) -> sql.Composable:
    role, name, value = str(line["role"]), str(line["name"]), str(line["value"])
    whose = (
        sql.SQL("DATABASE {}").format(here)
        if not role and line["here"] is True
        else sql.SQL("ROLE {}{}").format(
            sql.Identifier(role) if role else sql.SQL("ALL"),
            sql.SQL(" IN DATABASE {}").format(here) if line["here"] is True else sql.SQL(""),
        )
    )
    values = _names(value) if name.lower() in _LISTS else [value]
    return sql.SQL("ALTER {} SET {} TO {}").format(
        whose,
        sql.SQL(".").join(sql.Identifier(part) for part in name.split(".")),
        sql.SQL(", ").join(sql.Literal(item) for item in values or [""]),
    )


def _scope(line: Mapping[str, canon.JSON], here: str) -> str:
    role = str(line["role"])
    if not role:
        return here if line["here"] is True else "every role"
    return f"role {_quoted(role)} in {here}" if line["here"] is True else f"role {_quoted(role)}"


def scope_of(role: str) -> str:
    """How `settings` calls a role."""
    return f"role {_quoted(role)}"


def _names(value: str) -> list[str]:
    """The names in a list as PostgreSQL stores it: separated by commas, double-quoted where they need it."""
    found = re.findall(r'\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(?:,|$)', value)
    names = [quoted.replace('""', '"') if quoted else bare.strip() for quoted, bare in found]
    return names[:-1] if names and not value.rstrip().endswith(",") and len(names) > 1 and not names[-1] else names


def _quoted(name: str) -> str:
    """A name as SQL would write it, so that no two names read alike."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name.replace('"', '""') + '"'


def _word(right: str) -> str:
    """A privilege's keyword, and nothing else."""
    if not re.fullmatch(r"[A-Z ]+", right):
        raise TamperedError(f"{right!r} is not a privilege")
    return right


def _doer(connection: psycopg.Connection[Any], errors: list[str]) -> Callable[[sql.Composable], None]:
    """Executes one statement by itself; a refusal becomes a sentence and harms no other statement."""

    def do(statement: sql.Composable) -> None:
        text = statement.as_string(connection)
        with _told(text, errors), connection.transaction(), connection.cursor() as cursor:
            # bytes, and never two statements in one: the text comes from the source's catalogue
            cursor.execute(text.encode(), binary=True)

    return do


@contextmanager
def _told(statement: str, errors: list[str]) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as problem:
        errors.append(f"{statement}: {(problem.diag.message_primary or str(problem)).strip()}")


def _decoded(world: bytes) -> dict[str, canon.JSON]:
    raw = canon.decode(world, what="roles and settings")
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise TamperedError(f"roles and settings are not of format {FORMAT}")
    missing = {"database", "roles", "memberships", "settings"} - raw.keys()
    if missing:
        raise TamperedError(f"roles and settings lack {', '.join(sorted(missing))}")
    return raw


def _items(value: canon.JSON) -> list[dict[str, canon.JSON]]:
    return cast("list[dict[str, canon.JSON]]", value)
