"""A server that exists already takes the restored copy: one random-named database, dropped again with all that came with it.

Nothing there is changed but what this run made: the database, and roles that were missing. Both carry a mark in their
comment, in the transaction that makes a role, so that what a killed run left can be told from everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from attestore.adapters.postgres import exercise as exercising
from attestore.adapters.postgres import fitness
from attestore.adapters.postgres import world as worlds
from attestore.adapters.postgres.dsn import Environment
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.postgres.quoting import identifier
from attestore.adapters.postgres.restored import EVENT_TRIGGERS_SINCE, RestoredDatabase
from attestore.adapters.postgres.session import Session, ask, opened, worded
from attestore.adapters.process import Runner
from attestore.amounts import amount
from attestore.errors import Error, PlanError, PrivilegeError, ScratchError, VersionError
from attestore.evidence import Locale
from attestore.ports import Look, Restored, SourceFacts, Target
from attestore.proof import Behaviour, IndexCheck, Setting

__all__ = ["NETWORK", "ExistingTarget", "Guest", "PgExisting", "Remote", "Server", "asked", "marked", "sweep"]

NETWORK: Final = "existing server"
_MARK: Final = "[attestore {}] "
_TURN: Final = int.from_bytes(b"attestor")
_PARAMETERS_SINCE: Final = 150_000
_STEADY: Final = {"search_path": "", "standard_conforming_strings": "on", "statement_timeout": "0", "lock_timeout": "0"}
"""what a role's own settings may not change for us; options that every major knows"""
_OURS: Final = re.compile(r"restored_[0-9a-f]{12}")
# text settings of somebody's server may hold secrets and paths (primary_conninfo, archive_command …)
_CHOSEN: Final = """
SELECT name, current_setting(name) FROM pg_settings
 WHERE source NOT IN ('default', 'override', 'client', 'session', 'database', 'user')
   AND context <> 'internal' AND vartype <> 'string'
 ORDER BY name
"""
_MARKED_DATABASES: Final = """
SELECT d.datname, (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid)
  FROM pg_database d
 WHERE d.datname ~ '^restored_[0-9a-f]{12}$'
   AND starts_with(coalesce(shobj_description(d.oid, 'pg_database'), ''), '[attestore ' || d.datname || ']')
 ORDER BY d.datname"""
_MARKED_ROLES: Final = """
SELECT r.rolname FROM pg_roles r
 WHERE starts_with(coalesce(shobj_description(r.oid, 'pg_authid'), ''), $1) ORDER BY r.rolname"""
_ORPHANED_ROLES: Final = """
SELECT r.rolname
  FROM pg_roles r, substring(coalesce(shobj_description(r.oid, 'pg_authid'), '') FROM '^\\[attestore (restored_[0-9a-f]{12})\\]') m
 WHERE m IS NOT NULL AND NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = m) ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class Remote:
    """A server as its administrator reaches it."""

    environment: Environment
    database: str = ""

    @property
    def conninfo(self) -> str:
        """A libpq connection string that holds no password; PGOPTIONS stay heard."""
        given = {
            name: value for name, value in conninfo_to_dict(self.environment.conninfo).items() if name != "options"
        }
        return make_conninfo("", **given | ({"dbname": self.database} if self.database else {}))

    @property
    def variables(self) -> Mapping[str, str]:
        """The same for the environment of a programme."""
        kept = {name: value for name, value in self.environment.variables.items() if name != "PGOPTIONS"}
        return kept | ({"PGDATABASE": self.database} if self.database else {})

    def on(self, database: str) -> Remote:
        """Another database of the same server."""
        return replace(self, database=database)

    def connect(self, *, options: Mapping[str, str] = MappingProxyType({})) -> psycopg.Connection[tuple[Any, ...]]:
        """A new autocommit session, with settings that stand above those of the database and the role.

        Raises:
            ScratchError: the server does not answer.
        """
        words = " ".join(f"-c {name}={value}" for name, value in {**_STEADY, **options}.items())
        try:
            return psycopg.connect(
                make_conninfo(self.conninfo, options=words, client_encoding="UTF8"),
                autocommit=True,
                prepare_threshold=None,
            )
        except psycopg.Error as problem:
            raise ScratchError(
                f"{self.environment.label} does not take a session: {str(problem).strip().splitlines()[-1]}"
            ) from problem


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself and of us there."""

    version: str
    major: int
    identifier: str
    superuser: bool


class PgExisting:
    """Makes restored databases on a server that the operator names."""

    def __init__(self, environment: Environment, *, client: Installation, runner: Runner, jobs: int) -> None:
        self._environment = environment
        self._client = client
        self._runner = runner
        self._jobs = jobs
        self._apart_from = ""
        """system identifier of the source that this server was shown not to be"""

    @property
    def major(self) -> int:
        """Major version of the server."""
        with opened(self._environment) as session:
            return session.info.server_version // 10_000

    @property
    def version(self) -> str:
        """Version of the server."""
        with opened(self._environment) as session, worded("ask the target's version"):
            return str(ask(session, "SELECT current_setting('server_version')")[0][0])

    def problems(self, facts: SourceFacts) -> tuple[Error, ...]:
        """Whatever stands in the way: the source itself, an older version, privileges, extensions, locale."""
        return tuple(problem for look in self.looks(facts) for problem in look.problems)

    def looks(self, facts: SourceFacts) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not."""
        where = self._environment.label
        try:
            with opened(self._environment) as session, worded("look over the target"):
                return (Look("target", "reachable", where), *self._looks(session, facts))
        except Error as problem:
            return (Look("target", "reachable", where, (problem,)),)

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Nothing is begun on a server of others before the backup is seen to be whole."""
        yield

    @contextmanager
    def start(self, locale: Locale, *, database_size: int) -> Iterator[Target]:
        """A new database on that server, gone with the roles that came with it when the block ends.

        Raises:
            ScratchError: the server was not shown to be another one than the source, does not answer, or has another run
                at work.
        """
        del database_size  # somebody else's disk can't be asked
        remote = Remote(self._environment)
        server = asked(remote)
        if not self._apart_from or server.identifier == self._apart_from:
            raise ScratchError(f"{self._environment.label} was not shown to be another server than the source")
        target = ExistingTarget(
            remote, server=server, client=self._client, runner=self._runner, locale=locale, jobs=self._jobs
        )
        with _alone(remote):
            try:
                yield target
            finally:
                target.destroy()

    def _looks(self, session: Session, facts: SourceFacts) -> Iterator[Look]:
        major = session.info.server_version // 10_000
        version, user, superuser, createdb, createrole = ask(
            session,
            "SELECT current_setting('server_version'), current_user, rolsuper, rolcreatedb OR rolsuper,"
            " rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user",
        )[0]
        needed = max(facts.major, self._client.major)
        old = VersionError(
            f"the target is PostgreSQL {version}, older than what restores the backup ({needed})",
            hint=f"Name a server of PostgreSQL {needed} or newer with --into.",
        )
        yield Look("target", "version", f"PostgreSQL {version}", (old,) if major < needed else ())
        yield self._identity(session, facts)
        denied = PrivilegeError(
            f"role {user} may not create a database on the target", hint=f"ALTER ROLE {user} CREATEDB, or use another."
        )
        yield Look("target", "may create a database", "yes" if createdb else "no", () if createdb else (denied,))
        yield _writable(session, user)
        yield _quiet(session, user, superuser=superuser)
        lacking = "owners, languages, event triggers and publications of others can't be restored: each will be named"
        yield Look(
            "target",
            "role",
            f"{user}, {'a superuser' if superuser else 'no superuser'}",
            advice="" if superuser else f"{'' if createrole else 'roles can not be made; '}{lacking}",
        )
        yield fitness.extensions(session, facts)
        yield fitness.features(session, facts)
        yield fitness.locale(session, facts.locale, major=major)
        yield Look(
            "target",
            "network",
            NETWORK,
            advice="restored code (defaults, triggers, functions) can reach whatever that server can reach",
        )
        yield Look("target", "disk", "not asked", advice="the free space of an existing server can't be asked for")
        left = [f"{name} ({amount(sessions, 'session')})" for name, sessions in ask(session, _MARKED_DATABASES)]
        yield Look(
            "target",
            "left by earlier runs",
            "; ".join(left) or "nothing",
            advice="a run still works there, or its programmes do; the next run removes what nobody uses"
            if left
            else "",
        )

    def _identity(self, session: Session, facts: SourceFacts) -> Look:
        ours = _identifier(session)
        problem: Error | None = None
        if not (facts.identifier.isdigit() and ours.isdigit()):
            problem = PlanError(
                "it can't be shown that the target is another server than the source: a system identifier is unknown",
                hint="GRANT EXECUTE ON FUNCTION pg_control_system() TO both roles, or leave --into out.",
            )
        elif ours == facts.identifier:
            problem = PlanError(
                f"the target is the source's own cluster, or a physical copy of it (system identifier {ours})",
                hint="Name another server with --into, or leave it out: a scratch server is made then.",
            )
        else:
            self._apart_from = facts.identifier
        return Look("target", "another server than the source", ours, (problem,) if problem else ())


class Guest(RestoredDatabase):
    """A database on somebody else's server: what it holds is restored code, which a superuser keeps from firing."""

    def __init__(
        self, remote: Remote, *, server: Server, client: Installation, runner: Runner, locale: Locale, jobs: int
    ) -> None:
        super().__init__(remote, client=client, runner=runner, locale=locale, major=server.major, jobs=jobs)
        self._chosen = _CHOSEN
        self._comparable = self._ours
        if not server.superuser:
            # only a superuser may say which triggers fire
            self._quiet = {}
            del self._undisturbed["session_replication_role"]
        elif server.major >= EVENT_TRIGGERS_SINCE:
            # login triggers are restored code, too
            self._quiet = {"PGOPTIONS": "-c event_triggers=off"}
            self._undisturbed["event_triggers"] = "off"
        self._version = server.version
        self._mark = ""
        """what our comments begin with, in front of the source's own"""
        self._known: frozenset[str] = frozenset()

    @property
    def version(self) -> str:
        """Server version."""
        return self._version

    def _ours(self, settings: Sequence[Setting]) -> Iterator[Setting]:
        scopes = {worlds.scope_of(role) for role in self._known}
        for each in settings:
            role = each.scope.removesuffix(" in database")
            if role.startswith("role ") and role not in scopes:
                continue
            yield replace(each, value=each.value.removeprefix(self._mark)) if each.name == "comment" else each


class ExistingTarget(Guest):
    """One random-named database on an existing server."""

    def __init__(
        self, remote: Remote, *, server: Server, client: Installation, runner: Runner, locale: Locale, jobs: int
    ) -> None:
        super().__init__(remote, server=server, client=client, runner=runner, locale=locale, jobs=jobs)
        self._mark = _MARK.format(self._database)
        self._begun = False
        self._guard: psycopg.Connection[tuple[Any, ...]] | None = None

    @property
    def network(self) -> str:
        """`existing server`: nothing is known of its network."""
        return NETWORK

    def create(self, world: bytes) -> Restored:
        """The empty, random-named database, and roles that the server lacks (no login, no password).

        Raises:
            ScratchError: the server can't make a database of that encoding and locale.
            DiskError: no space left.
        """
        self._known = worlds.role_names(world)
        with self._host.connect() as session:
            self._begun = True
            self._create_database(session, public=worlds.has_public(world))
            # as long as this session stands, no sweep takes the database for a leftover, so it comes before the mark
            self._guard = self._connect()
            session.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(self._database), sql.Literal(self._mark))
            )
            errors = worlds.add_roles(session, world, mark=self._mark)
        return Restored(errors)

    def finalize(self, world: bytes) -> Restored:
        """Settings of the database and of roles that this run made (never ones that load libraries), ANALYZE."""
        with self._host.connect() as session:
            made = frozenset(marked(session, self._mark))
            errors = worlds.apply_settings(session, world, database=self._database, whose=made, mark=self._mark)
        return Restored((*errors, *self._analyze()))

    def exercise(self, depth: IndexCheck) -> Behaviour:
        """Nothing is tried here: what the copy defines would run beside somebody's data, and may reach the network."""
        del depth
        return exercising.listed(self._connect)

    def destroy(self) -> bool:
        """Drop the database and the roles that this run made; whether none of them is left."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None
        if not self._begun:
            return True
        with self._host.connect() as session:
            _drop_database(session, self._database)
            _drop_roles(session, marked(session, self._mark))
            left = session.execute(
                "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", (self._database,)
            ).fetchall()[0][0]
            self._begun = bool(left) or bool(marked(session, self._mark))
        return not self._begun


@contextmanager
def _alone(remote: Remote) -> Iterator[None]:
    """No other run restores there meanwhile: both would share the roles that one of them made, and neither could drop them.

    Raises:
        ScratchError: another run does.
    """
    with remote.connect() as session:
        # its name is known from 14 on
        session.execute("SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'")
        if not session.execute("SELECT pg_try_advisory_lock(%s)", (_TURN,)).fetchall()[0][0]:
            raise ScratchError(
                f"another run restores into {remote.environment.label} just now", hint="Wait until it has ended."
            )
        yield


def sweep(environment: Environment) -> tuple[str, ...]:
    """Drop what killed runs left on a server: marked databases without sessions, and marked roles without a database.

    Raises:
        ScratchError: the server does not take a session.
    """
    swept: list[str] = []
    with Remote(environment).connect() as session:
        for name, sessions in session.execute(_MARKED_DATABASES.encode()).fetchall():
            if sessions == 0 and _OURS.fullmatch(str(name)):
                with suppress(psycopg.Error):
                    session.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(str(name))))
                    swept.append(f"database {name}")
        orphans = [str(row[0]) for row in session.execute(_ORPHANED_ROLES.encode()).fetchall()]
        swept += [f"role {name}" for name in _drop_roles(session, orphans)]
    return tuple(swept)


def asked(remote: Remote) -> Server:
    """What a server says of itself and of us there.

    Raises:
        ScratchError: it does not take a session.
    """
    with remote.connect() as session:
        version, superuser = session.execute(
            "SELECT current_setting('server_version'), current_setting('is_superuser') = 'on'"
        ).fetchall()[0]
        return Server(
            version=str(version),
            major=session.info.server_version // 10_000,
            identifier=_identifier(session),
            superuser=bool(superuser),
        )


def _writable(session: Session, user: str) -> Look:
    standby, barred = ask(
        session,
        "SELECT pg_is_in_recovery(), reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only'",
    )[0]
    problem: Error | None = None
    if standby:
        problem = PlanError("the target is a standby, which takes no database", hint="Name a primary with --into.")
    elif barred:
        problem = PlanError(
            f"whatever role {user} begins on the target is read only (default_transaction_read_only = on)",
            hint=f"ALTER ROLE {identifier(user)} RESET default_transaction_read_only, or name another role with --into.",
        )
    return Look("target", "may write", "no" if problem else "yes", (problem,) if problem else ())


def _quiet(session: Session, user: str, *, superuser: bool) -> Look:
    """Changes are planted in the copy to see them found, and definitions loaded, while none of its triggers may fire."""
    granted = session.info.server_version >= _PARAMETERS_SINCE and bool(
        ask(session, "SELECT has_parameter_privilege('session_replication_role', 'SET')")[0][0]
    )
    problem = PrivilegeError(
        f"role {user} may not keep the copy's triggers from firing on the target (session_replication_role), so nothing can be"
        " planted there as a control",
        hint=f"GRANT SET ON PARAMETER session_replication_role TO {identifier(user)} (PostgreSQL 15 or newer), or name a"
        " superuser with --into.",
    )
    able = superuser or granted
    return Look("target", "may keep triggers quiet", "yes" if able else "no", () if able else (problem,))


def _drop_database(session: psycopg.Connection[Any], name: str) -> None:
    """Gone if it can be: what stands in the way is seen when somebody looks whether it is."""
    with suppress(psycopg.Error):
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_roles(session: psycopg.Connection[Any], names: Sequence[str]) -> list[str]:
    """The roles that were dropped."""
    gone = []
    for name in names:
        with suppress(psycopg.Error):
            session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
            gone.append(name)
    return gone


def marked(session: psycopg.Connection[Any], mark: str) -> list[str]:
    """The roles whose comment begins with a mark."""
    cursor = psycopg.RawCursor(session)
    return [str(row[0]) for row in cursor.execute(_MARKED_ROLES.encode(), (mark,)).fetchall()]


def _identifier(session: psycopg.Connection[Any]) -> str:
    try:
        return str(session.execute("SELECT system_identifier::text FROM pg_control_system()").fetchall()[0][0])
    except psycopg.errors.InsufficientPrivilege:
        return "not told"
