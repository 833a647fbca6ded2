"""Where a recovery lands: a server that the operator names, and one database there that stays.

A new database has a name of its own while it is filled and gets the one that applications look for when it is whole,
so that none of them ever meets half of it. Nothing that was there before is dropped or altered: roles that exist stay
as they are, and a database that holds something takes a restore only where no name of it is in the backup.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from attestore.adapters.postgres import fitness, logins
from attestore.adapters.postgres import world as worlds
from attestore.adapters.postgres.dsn import Environment
from attestore.adapters.postgres.existing import Guest, Remote, Server, asked, marked
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.postgres.restored import first_words
from attestore.adapters.postgres.session import Session, ask, opened, worded
from attestore.adapters.process import Runner
from attestore.amounts import amount
from attestore.errors import DiskError, Error, PlanError, PrivilegeError, ScratchError, VersionError
from attestore.evidence import Locale
from attestore.ports import Look, Place, Plain, Recovered, Restored, Section, SourceFacts, Standing

__all__ = ["PgLanding", "PgRecovered"]

_UNFINISHED: Final = "[attestore] a recovery that has not ended"
_MOST_NAMED: Final = 5
_LOST: Final = re.compile(
    r"connection to (server|database) .*(failed|refused)|server closed the connection|terminating connection|could not connect"
)
"""how pg_restore says that there is nobody to restore into"""
_SPARE: Final = 64 << 20

_STATE: Final = """
SELECT current_setting('server_version'), current_user, r.rolsuper, r.rolcreatedb OR r.rolsuper,
       r.rolcreaterole OR r.rolsuper, pg_is_in_recovery()
  FROM pg_roles r WHERE r.rolname = current_user"""
_DATABASE: Final = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, datallowconn, has_database_privilege(oid, 'CREATE')
  FROM pg_database WHERE datname = $1"""
_LEFT: Final = """
SELECT datname FROM pg_database
 WHERE datname ~ '^recovering_[0-9a-f]{12}$' AND shobj_description(oid, 'pg_database') = $1 ORDER BY datname"""
_HELD: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"""
_ROLES: Final = """
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin FROM pg_roles"""
_FLAGS: Final = ("SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")


class PgLanding:
    """A server that takes a recovery.

    `create` names a new database, `database` one that is there; neither: the source's own name, which must be free.
    """

    def __init__(  # noqa: PLR0913  each is one decision about a recovery
        self,
        environment: Environment,
        *,
        client: Installation,
        runner: Runner,
        jobs: int,
        create: str = "",
        database: str = "",
        crowded: bool = False,
        with_logins: bool = False,
    ) -> None:
        self._environment = environment
        self._client = client
        self._runner = runner
        self._jobs = jobs
        self._create = create
        self._database = database
        self._crowded = crowded
        self._logins = with_logins

    @property
    def label(self) -> str:
        """The server in words."""
        return self._environment.label

    @property
    def version(self) -> str:
        """Version of the programmes that restore."""
        return f"pg_restore {self._client.version}"

    def place(self, database: str) -> tuple[str, Place]:
        """Which database would be filled, of a source whose database has that name."""
        if self._database:
            return self._database, Place.CROWDED if self._crowded else Place.THERE
        return self._create or database, Place.NEW

    def looks(self, facts: SourceFacts, *, world: bytes | None, tables: Sequence[tuple[str, str]]) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not."""
        where = self._environment.label
        try:
            with opened(self._environment) as session, worded("look over the target"):
                return (Look("target", "reachable", where), *self._looks(session, facts, world=world, tables=tables))
        except Error as problem:
            hint = problem.hint or "--into names the server, by a database that is there: dbname=postgres."
            told = type(problem)(problem.message.replace("the source", "the target"), hint=hint)
            return (Look("target", "reachable", where, (told,)),)

    @contextmanager
    def start(self, locale: Locale, *, database: str) -> Iterator[Recovered]:
        """The database that takes the restore; it stays when the block ends, however it ends.

        Raises:
            ScratchError: the server does not answer.
        """
        remote = Remote(self._environment)
        name, place = self.place(database)
        target = PgRecovered(
            remote,
            server=asked(remote),
            client=self._client,
            runner=self._runner,
            locale=locale,
            jobs=self._jobs,
            name=name,
            place=place,
            with_logins=self._logins,
        )
        try:
            yield target
        finally:
            target.close()

    def _looks(
        self, session: Session, facts: SourceFacts, *, world: bytes | None, tables: Sequence[tuple[str, str]]
    ) -> Iterator[Look]:
        major = session.info.server_version // 10_000
        version, user, superuser, createdb, createrole, standby = ask(session, _STATE)[0]
        name, place = self.place(facts.database)
        yield _version(str(version), major=major, needed=max(facts.major, self._client.major))
        if standby:
            refused = PlanError(
                "the target is a standby, which takes no writes", hint="Name its primary, or promote it."
            )
            yield Look("target", "takes writes", "no", (refused,))
        if place is Place.NEW:
            denied = PrivilegeError(
                f"role {user} may not create a database on the target",
                hint=f"ALTER ROLE {user} CREATEDB, or fill one that is there with --database NAME.",
            )
            yield Look("target", "may create a database", "yes" if createdb else "no", () if createdb else (denied,))
        yield self._room_for(session, name, place, wanted=facts.locale, tables=tables)
        lacking = "owners, languages, event triggers and publications of others can't be restored: each will be named"
        yield Look(
            "target",
            "role",
            f"{user}, {'a superuser' if superuser else 'no superuser'}",
            advice="" if superuser else f"{'' if createrole else 'roles can not be made; '}{lacking}",
        )
        if world is not None:
            yield from _roles(session, world, with_logins=self._logins)
        yield fitness.extensions(session, facts)
        yield fitness.features(session, facts)
        yield fitness.locale(session, facts.locale, major=major)
        yield self._disk(session, facts)
        left = [str(row[0]) for row in ask(session, _LEFT, (_UNFINISHED,))]
        yield Look(
            "target",
            "left by earlier recoveries",
            ", ".join(left) or "nothing",
            advice="; ".join(f"DROP DATABASE {each} when nobody needs it to look into" for each in left),
        )

    def _room_for(
        self, session: Session, name: str, place: Place, *, wanted: Locale, tables: Sequence[tuple[str, str]]
    ) -> Look:
        found = ask(session, _DATABASE, (name,))
        what = f"database {name}"
        if place is Place.NEW:
            taken = PlanError(
                f"the target has a database {name} already, and nothing that is there is ever dropped",
                hint="Name a new one with --create NAME, or fill that one with --database NAME if it is empty.",
            )
            return Look("target", what, "is there" if found else "will be made", (taken,) if found else ())
        if not found:
            absent = PlanError(
                f"the target has no database {name}", hint=f"Leave --database out, or make one with --create {name}."
            )
            return Look("target", what, "is not there", (absent,))
        encoding, collate, ctype, takes, may = found[0]
        problems: list[Error] = []
        if not (takes and may):
            problems.append(PrivilegeError(f"nothing can be made in database {name} by this role"))
        if encoding != wanted.encoding:
            problems.append(
                PlanError(
                    f"database {name} is encoded in {encoding}, the backup's in {wanted.encoding}",
                    hint="Let one be made like the source: --create NAME.",
                )
            )
        held = self._held(name) if takes else []
        problems += _in_the_way(name, held, place=place, tables=tables)
        other = (collate, ctype) != (wanted.collate, wanted.ctype)
        return Look(
            "target",
            what,
            f"is there, and holds {amount(len(held), 'relation')}" if held else "is there, and empty",
            tuple(problems),
            advice=f"it sorts by {collate}, {ctype}; the source by {wanted.collate}, {wanted.ctype}" if other else "",
        )

    def _held(self, name: str) -> list[tuple[str, str]]:
        with Remote(self._environment).on(name).connect() as inside:
            return [(str(schema), str(relation)) for schema, relation in inside.execute(_HELD.encode()).fetchall()]

    def _disk(self, session: Session, facts: SourceFacts) -> Look:
        """The disk of a server on this machine; another machine's can't be asked."""
        unasked = Look("target", "disk", "not asked", advice=f"the server's disk has to hold {facts.size:,} bytes more")
        if not str(conninfo_to_dict(session.info.dsn).get("host") or session.info.host).startswith("/"):
            return unasked
        try:
            folder = str(ask(session, "SELECT current_setting('data_directory')")[0][0])
            disk = os.statvfs(folder)
        except (psycopg.Error, OSError):
            return unasked
        free, needed = disk.f_bavail * disk.f_frsize, facts.size + _SPARE
        full = DiskError(
            f"the target's disk has {free:,} bytes free; the database takes about {needed:,}",
            hint="Free some, or name a server with a larger disk.",
        )
        return Look(
            "target", "disk", f"{free >> 20:,} MiB free, {needed >> 20:,} MiB needed", (full,) if free < needed else ()
        )


class PgRecovered(Guest):
    """The database that people wait for."""

    def __init__(  # noqa: PLR0913  each is one decision about a recovery
        self,
        remote: Remote,
        *,
        server: Server,
        client: Installation,
        runner: Runner,
        locale: Locale,
        jobs: int,
        name: str,
        place: Place,
        with_logins: bool,
    ) -> None:
        super().__init__(remote, server=server, client=client, runner=runner, locale=locale, jobs=jobs)
        self._name = name
        self._place = place
        self._with_logins = with_logins
        self._database = f"recovering_{secrets.token_hex(6)}" if place is Place.NEW else name
        self._stands = place is not Place.NEW
        self._roles: tuple[str, ...] = ()
        self._logins: tuple[str, ...] = ()
        self._gauge: psycopg.Connection[tuple[Any, ...]] | None = None
        self._asking = Lock()

    @property
    def standing(self) -> Standing:
        """What stands on the server by now."""
        return Standing(
            database=self._database if self._stands else "",
            made=self._place is Place.NEW,
            roles=self._roles,
            logins=self._logins,
        )

    def size(self) -> int:
        """Bytes of the database by now; may be asked from another thread."""
        with self._asking:
            if self._gauge is None or not self._stands:
                return 0
            try:
                row = self._gauge.execute("SELECT pg_database_size(%s)", (self._database,)).fetchall()
            except psycopg.Error:
                return 0
            return int(row[0][0])

    def create(self, world: bytes) -> Restored:
        """The empty database, and roles that the server lacks: without login and password, unless told otherwise.

        Raises:
            ScratchError: the server can't make a database of that encoding and locale.
            DiskError: no space left.
        """
        carried = worlds.roles_of(world)
        self._known = frozenset(role.name for role in carried)
        self._gauge = self._host.connect()
        with worded("make the database on the target"), self._host.connect() as session:
            begun = frozenset(marked(session, _UNFINISHED)) & self._known
            if self._place is Place.NEW:
                self._stands = True
                self._create_database(session, public=worlds.has_public(world))
                session.execute(
                    sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                        sql.Identifier(self._database), sql.Literal(_UNFINISHED)
                    )
                )
            # roles that a recovery began to make and did not end are ours, too: nobody else gave them anything
            errors = worlds.add_roles(session, world, mark=f"{_UNFINISHED}: ", ours=begun)
            self._roles = tuple(sorted(frozenset(marked(session, _UNFINISHED)) & self._known))
        return Restored(errors)

    def restore(  # type: ignore[explicit-override]  # typing has no override before 3.12
        self, archive: Plain, section: Section, *, jobs: int
    ) -> Restored:
        """One section of the archive by pg_restore, which goes on after an error and reports each.

        Raises:
            ScratchError: it lost the server, or never reached it: whatever comes after that would be half a database.
            ProgramFailedError: pg_restore was ended by a signal.
            DiskError: no space left.
        """
        done = super().restore(archive, section, jobs=jobs)
        lost = next((error for error in done.errors if _LOST.search(error)), None)
        if lost is not None:
            raise ScratchError(f"pg_restore lost the target: {lost}", hint="See to the server, and begin again.")
        return done

    def finalize(self, world: bytes) -> Restored:
        """The name that people look for, settings of the database and of roles that were made, logins, ANALYZE.

        Raises:
            ScratchError: the name was taken meanwhile; everything is there, under the name that is told.
        """
        errors: list[str] = []
        made = frozenset(self._roles)
        analyzed = self._analyze()
        with worded("finish the database on the target"), self._host.connect() as session:
            if self._place is Place.NEW:
                self._rename(session)
            if self._place is not Place.CROWDED:
                errors += worlds.apply_settings(session, world, database=self._database, whose=made)
            if self._with_logins:
                self._logins, refused = logins.give(session, world, whose=made)
                errors += refused
            errors += worlds.unmark_roles(session, world, whose=made)
        return Restored((*errors, *analyzed))

    def close(self) -> None:
        """End the session that asks for the size."""
        with self._asking:
            if self._gauge is not None:
                self._gauge.close()
                self._gauge = None

    def _rename(self, session: psycopg.Connection[tuple[Any, ...]]) -> None:
        try:
            session.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(self._database), sql.Identifier(self._name)
                )
            )
        except psycopg.Error as problem:
            raise ScratchError(
                f"the restored database can't be named {self._name}: {first_words(problem)}",
                hint=f"It is whole but for its settings, and is called {self._database}: rename it by hand.",
            ) from problem
        self._database = self._name


def _version(version: str, *, major: int, needed: int) -> Look:
    old = VersionError(
        f"the target is PostgreSQL {version}, older than what restores the backup ({needed})",
        hint=f"Name a server of PostgreSQL {needed} or newer with --into.",
    )
    return Look("target", "version", f"PostgreSQL {version}", (old,) if major < needed else ())


def _in_the_way(
    name: str, held: Sequence[tuple[str, str]], *, place: Place, tables: Sequence[tuple[str, str]]
) -> Iterator[Error]:
    if held and place is Place.THERE:
        some = ", ".join(f"{schema}.{relation}" for schema, relation in held[:_MOST_NAMED])
        yield PlanError(
            f"database {name} is not empty: it holds {amount(len(held), 'relation')} ({some}{', …' if len(held) > _MOST_NAMED else ''})",
            hint="Let a new one be made with --create NAME. --allow-non-empty restores beside what is there, and drops nothing.",
        )
    both = sorted(set(held) & set(tables))
    if both and place is Place.CROWDED:
        some = ", ".join(f"{schema}.{relation}" for schema, relation in both[:_MOST_NAMED])
        yield PlanError(
            f"database {name} holds {amount(len(both), 'table')} that the backup holds, too ({some}): rows would be added to them",
            hint="Let a new database be made with --create NAME, and move over what you need.",
        )


def _roles(session: Session, world: bytes, *, with_logins: bool) -> Iterator[Look]:
    there = {str(row[0]): row[1:] for row in ask(session, _ROLES)}
    carried = worlds.roles_of(world)
    missing = [role.name for role in carried if role.name not in there]
    other: list[str] = []
    for role in carried:
        if role.name in there:
            has = tuple(word for word, flag in zip(_FLAGS, there[role.name], strict=False) if flag)
            if sorted(has) != sorted(role.attributes):
                other.append(
                    f"{role.name} ({', '.join(has) or 'nothing'}; the source: {', '.join(role.attributes) or 'nothing'})"
                )
    told = "; ".join(other[:_MOST_NAMED]) + ("; …" if len(other) > _MOST_NAMED else "")
    yield Look(
        "target",
        "roles",
        f"{len(carried) - len(missing)} of {len(carried)} are there, {len(missing)} will be made",
        advice=f"roles that are there stay as they are, and differ: {told}" if other else "",
    )
    able = [role for role in carried if role.login and role.name in missing]
    known = [role for role in able if role.known]
    if with_logins:
        yield Look(
            "target",
            "logins",
            f"{len(known)} of {amount(len(able), 'role')} to be made will get a login back",
            advice="" if len(known) == len(able) else "whoever took the backup could not read how they log in",
        )
    elif able:
        yield Look(
            "target",
            "logins",
            f"{amount(len(able), 'role')} will not be able to log in",
            advice="--logins gives it back",
        )
