"""The isolated server that holds a restored copy: made for one drill, restored into by pg_restore, then removed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

import psycopg
from psycopg import sql

from attestore.adapters.postgres import built
from attestore.adapters.postgres import plant as planting
from attestore.adapters.postgres import prove as proving
from attestore.adapters.postgres import world as worlds
from attestore.adapters.postgres.cluster import Cluster, Connection, can_be_offline, scratch_settings
from attestore.adapters.postgres.programs import Choice, Installation, unprivileged
from attestore.adapters.postgres.session import abandon
from attestore.adapters.process import Runner, redact
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.errors import DiskError, Error, MissingProgramError, ProgramFailedError, ScratchError, VersionError
from attestore.evidence import Locale
from attestore.gate import Probe
from attestore.ports import Look, Plain, Planted, Restored, Section, SourceFacts, Target, Watcher
from attestore.proof import Proof

__all__ = ["PgScratch", "PgTarget", "locale_clause", "restore_errors"]

_LONGEST_S: Final = 7 * 86_400.0
_SOON_S: Final = 30.0
_SPARE: Final = 256 << 20
_ROOM: Final = "Set TMPDIR to a folder on a larger disk."
_FULL: Final = "No space left on device"
_ERROR: Final = "pg_restore: error: "
_COMMAND: Final = "Command was: "
_PROVIDERS_SINCE: Final = 15
_BUILTIN_SINCE: Final = 17
_EVENT_TRIGGERS_SINCE: Final = 17

# What the restored database says about itself must not get in the way of looking at it; options of a connection
# stand above the settings of databases and roles.
_UNDISTURBED: Final[Mapping[str, str]] = {
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "session_replication_role": "origin",
    "row_security": "off",
}

_TABLES: Final = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

_RELATIONS: Final = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

_ANALYZED: Final = """
SELECT format('ANALYZE %I.%I', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
   AND (c.relkind <> 'm' OR c.relispopulated)
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(toast|temp)'
 ORDER BY pg_relation_size(c.oid) DESC
"""

_CHOSEN: Final = """
SELECT name, current_setting(name) FROM pg_settings
 WHERE source NOT IN ('default', 'override', 'client', 'session', 'database', 'user')
   AND context <> 'internal' AND name !~ '(_file|_director(y|ies))$'
 ORDER BY name
"""


class PgScratch:
    """Makes isolated servers of one installation, for archives that another reads."""

    def __init__(self, choice: Choice, *, workspace: TemporaryWorkspace, runner: Runner, jobs: int) -> None:
        self._choice = choice
        self._workspace = workspace
        self._runner = runner
        self._jobs = jobs

    @property
    def major(self) -> int:
        """Major version of the servers it makes."""
        return self._choice.server.major

    @property
    def version(self) -> str:
        """Version of the programmes."""
        return self._choice.server.version

    def problems(self, facts: SourceFacts) -> tuple[Error, ...]:
        """Whatever stands in the way: version, account, extensions, features, locale, disk."""
        return tuple(problem for look in self.looks(facts) for problem in look.problems)

    def looks(self, facts: SourceFacts) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not."""
        server = self._choice.server
        return (
            Look("target", "version", f"PostgreSQL {server.version}", tuple(_older(server, facts))),
            _account(),
            *built.looks(server, self._runner, facts),
            Look(
                "target",
                "locale",
                _locale_label(facts.locale),
                tuple(_locale_problems(server, self._runner, facts.locale)),
            ),
            _network(self._runner),
            _room(self._workspace, facts),
        )

    @contextmanager
    def start(self, locale: Locale, *, database_size: int) -> Iterator[Target]:
        """A new, empty, isolated server with its own system identifier, gone when the block ends.

        Raises:
            ScratchError: initdb or postgres failed, their last words are in the message; or the locale is unknown here.
            DiskError: there is less space than the database takes.
        """
        server = self._choice.server
        for problem in _locale_problems(server, self._runner, locale):
            raise problem
        if self._workspace.free() < database_size:
            raise DiskError(
                f"{self._workspace.path} has {self._workspace.free():,} bytes free, the database takes {database_size:,}",
                hint=_ROOM,
            )
        settings = dict(scratch_settings(self._jobs))
        if server.major >= _EVENT_TRIGGERS_SINCE:
            settings["event_triggers"] = "off"
        with Cluster(server, workspace=self._workspace, runner=self._runner, settings=settings) as cluster:
            yield PgTarget(
                cluster,
                client=self._choice.dump,
                server=server,
                runner=self._runner,
                locale=locale,
                jobs=self._jobs,
            )


class PgTarget:
    """An isolated server that holds the restored copy in one random-named database."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        client: Installation,
        server: Installation,
        runner: Runner,
        locale: Locale,
        jobs: int,
    ) -> None:
        self._cluster = cluster
        self._client = client
        self._server = server
        self._runner = runner
        self._locale = locale
        self._jobs = jobs
        self._database = f"restored_{secrets.token_hex(6)}"

    @property
    def version(self) -> str:
        """Server version."""
        return self._server.version

    @property
    def identifier(self) -> str:
        """System identifier of the cluster."""
        return self._told("SELECT system_identifier::text FROM pg_control_system()")

    @property
    def network(self) -> str:
        """`none` (own network namespace) or `socket-only`."""
        return self._cluster.network

    @property
    def durable(self) -> bool:
        """Whether fsync and full_page_writes are on, as the server itself says."""
        return self._told("SELECT current_setting('fsync') || current_setting('full_page_writes')") == "onon"

    @property
    def settings(self) -> Mapping[str, str]:
        """Server settings that differ from the default, as the server itself says; no paths."""
        with self._cluster.connection.connect() as session:
            return {str(name): str(value) for name, value in session.execute(_CHOSEN)}

    def create(self, world: bytes) -> Restored:
        """Roles (no login, no password) and the empty, random-named database, without schema public if the source has none.

        Raises:
            ScratchError: the server can't make a database of that encoding and locale.
            DiskError: no space left.
        """
        with self._cluster.connection.connect() as session:
            errors = worlds.apply_roles(session, world)
            try:
                session.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(
                        sql.Identifier(self._database), locale_clause(self._locale, major=self._server.major)
                    )
                )
            except psycopg.errors.DiskFull as problem:
                raise DiskError(f"the isolated server has no space left: {_first(problem)}", hint=_ROOM) from problem
            except psycopg.Error as problem:
                raise ScratchError(
                    f"PostgreSQL {self._server.version} can't make a database like the source: {_first(problem)}",
                    hint=_locale_hint(self._locale.collate),
                ) from problem
        if not worlds.has_public(world):
            with self._connect() as session:
                session.execute("DROP SCHEMA public")
        return Restored(errors)

    def empty(self) -> bool:
        """Whether the database holds no user relation."""
        return self._count(_RELATIONS) == 0

    def restore(self, archive: Plain, section: Section, *, jobs: int) -> Restored:
        """One section of the archive by pg_restore, which goes on after an error and reports each.

        Subscriptions are left out, so that none ever connects; tablespaces, so that no path of the source is touched.

        Raises:
            ProgramFailedError: pg_restore was ended by a signal.
            DiskError: no space left.
        """
        ended = self._runner.run(
            [
                self._client.program("pg_restore"),
                *(f"--section={section.value}", f"--jobs={jobs}", "--no-subscriptions"),
                *("--no-tablespaces", "--no-password"),
                *(f"--dbname={self._restored.conninfo}", archive),
            ],
            deadline_s=_LONGEST_S,
            env={**self._restored.variables, **_quiet(section, major=self._server.major)},
            ok=(0, 1),
        )
        words = ended.stderr.decode("utf-8", "replace")
        if _FULL in words or self._cluster.starved:
            raise DiskError("the isolated server found no space left on its disk", hint=_ROOM)
        return Restored(restore_errors(words, code=ended.code))

    def finalize(self, world: bytes) -> Restored:
        """Database and role settings (never ones that load libraries), ANALYZE of every table."""
        with self._cluster.connection.connect() as session:
            errors = worlds.apply_settings(session, world, database=self._database)
        return Restored((*errors, *self._analyze()))

    def first_query(self) -> int:
        """Number of user tables, answered by the restored database over a new session."""
        return self._count(_TABLES)

    def prove(self, key: bytes, *, like: Proof, probes: Sequence[Probe], jobs: int, watch: Watcher) -> Proof:
        """What the restored database holds, with foreign keys checked and differing definitions of `like` read back."""
        return proving.prove_restored(self._connect, key, like=like, probes=probes, jobs=jobs, watch=watch)

    def plant(self) -> tuple[Planted, ...]:
        """Change the restored copy deliberately, as far as it holds anything to change."""
        return planting.plant(self._connect)

    def destroy(self) -> bool:
        """Stop the server and remove its files; whether no process and no file is left."""
        return self._cluster.destroy()

    @property
    def _restored(self) -> Connection:
        return self._cluster.connection.on(self._database)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self._restored.connect(options=_UNDISTURBED)

    def _told(self, question: str) -> str:
        with self._cluster.connection.connect() as session:
            return str(session.execute(question.encode()).fetchall()[0][0])

    def _count(self, question: str) -> int:
        with self._connect() as session:
            return int(session.execute(question.encode()).fetchall()[0][0])

    def _analyze(self) -> list[str]:
        """Statistics of every table, the largest first; what the server refused, in its words."""
        waiting: SimpleQueue[str] = SimpleQueue()
        errors: list[str] = []
        with self._connect() as session:
            for (statement,) in session.execute(_ANALYZED.encode()).fetchall():
                waiting.put(str(statement))
        sessions = [self._connect() for _ in range(max(1, min(self._jobs, waiting.qsize())))]

        try:
            with ThreadPoolExecutor(len(sessions), thread_name_prefix="analyze") as pool:
                try:
                    list(pool.map(lambda session: _gather(session, waiting, errors), sessions))
                except BaseException:
                    with suppress(Empty):
                        while True:
                            waiting.get_nowait()
                    for session in sessions:
                        abandon(session)
                    raise
        finally:
            for session in sessions:
                session.close()
        return errors


def _gather(session: psycopg.Connection[tuple[Any, ...]], waiting: SimpleQueue[str], errors: list[str]) -> None:
    """Execute what waits until nothing does, or the session is closed; what the server refuses is added to `errors`."""
    with suppress(Empty):
        while not session.closed:
            statement = waiting.get_nowait()
            try:
                session.execute(statement.encode())
            except psycopg.Error as problem:
                errors.append(f"{statement}: {_first(problem)}")


def _quiet(section: Section, *, major: int) -> Mapping[str, str]:
    """What keeps the source's event triggers from firing beside its materialized views' refresh, in no certain order.

    From PostgreSQL 17 on the server's own setting does that. A replica session checks foreign keys that are added
    like any other.
    """
    if section is not Section.INDEXES or major >= _EVENT_TRIGGERS_SINCE:
        return {}
    return {"PGOPTIONS": "-c session_replication_role=replica"}


def restore_errors(words: str, *, code: int) -> tuple[str, ...]:
    """Each error that pg_restore reported, with the first line of its command; never none when it ended with an error.

    Rows that the server quoted in DETAIL and CONTEXT lines are not part of it, nor are passwords.
    """
    errors: list[str] = []
    for line in redact(words).splitlines():
        if line.startswith(_ERROR):
            errors.append(line.removeprefix(_ERROR))
        elif line.startswith(_COMMAND) and errors:
            errors[-1] += f" ({line.removeprefix(_COMMAND)})"
    if code != 0 and not errors:
        last = "; ".join(line for line in redact(words).splitlines() if line.strip())[-500:]
        errors.append(f"pg_restore ended with exit code {code}: {last or 'it said nothing'}")
    return tuple(errors)


def locale_clause(locale: Locale, *, major: int) -> sql.Composed:
    """The part of CREATE DATABASE that gives a new database the encoding and locale of another.

    Raises:
        ScratchError: the server's major does not know the locale's provider.
    """
    parts: list[sql.Composable] = [
        sql.SQL("ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
            *map(sql.Literal, (locale.encoding, locale.collate, locale.ctype))
        )
    ]
    match locale.provider:
        case "libc":
            if major >= _PROVIDERS_SINCE:
                parts.append(sql.SQL("LOCALE_PROVIDER libc"))
        case "icu" if major >= _PROVIDERS_SINCE:
            parts.append(sql.SQL("LOCALE_PROVIDER icu ICU_LOCALE {}").format(sql.Literal(locale.locale)))
        case "builtin" if major >= _BUILTIN_SINCE:
            parts.append(sql.SQL("LOCALE_PROVIDER builtin BUILTIN_LOCALE {}").format(sql.Literal(locale.locale)))
        case _:
            raise ScratchError(
                f"PostgreSQL {major} does not know the locale provider {locale.provider!r} of the source"
            )
    return sql.SQL(" ").join(parts)


def _locale_problems(server: Installation, runner: Runner, locale: Locale) -> list[Error]:
    """The source's locale is required exactly: another collation would order indexes and check constraints otherwise."""
    try:
        locale_clause(locale, major=server.major)
    except ScratchError as problem:
        return [problem]
    try:
        answer = runner.run(["locale", "-a"], deadline_s=_SOON_S).stdout.decode("utf-8", "replace")
    except (MissingProgramError, ProgramFailedError):
        return []  # CREATE DATABASE will say so
    known = {_normal(name) for name in answer.split()} | {"c", "posix"}
    return [
        ScratchError(
            f"the source's locale {name} is not on this machine, so a copy would sort and compare otherwise",
            hint=_locale_hint(name),
        )
        for name in sorted({locale.collate, locale.ctype})
        if _normal(name) not in known
    ]


def _normal(name: str) -> str:
    """As the C library compares names: case and punctuation of the codeset do not count."""
    language, dot, codeset = name.partition(".")
    return (language + dot + re.sub(r"[^a-z0-9@]", "", codeset.lower())).lower()


def _locale_hint(name: str) -> str:
    return f"Make it known: apt-get install locales && localedef -i {name.partition('.')[0]} -f UTF-8 {name}"


def _older(server: Installation, facts: SourceFacts) -> Iterator[Error]:
    if server.major < facts.major:
        yield VersionError(
            f"the isolated server would be PostgreSQL {server.version}, older than the source's {facts.version}",
            hint=f"Install PostgreSQL {facts.major} on this machine.",
        )


def _account() -> Look:
    try:
        user = unprivileged()
    except ScratchError as problem:
        return Look("machine", "account of the isolated server", "none", (problem,))
    return Look("machine", "account of the isolated server", user or "this one, which is not root")


def _network(runner: Runner) -> Look:
    try:
        user = unprivileged()
    except ScratchError:
        user = None
    if can_be_offline(runner, user):
        return Look("machine", "network of the isolated server", "none (a network namespace of its own)")
    return Look(
        "machine",
        "network of the isolated server",
        "sockets only",
        advice="this kernel gives us no network namespace: restored code could reach the network",
    )


def _room(workspace: TemporaryWorkspace, facts: SourceFacts) -> Look:
    """The dump, its sealed form and the restored copy lie side by side for a while; each may be as large as the database."""
    needed, free = 2 * facts.size + _SPARE, workspace.free()
    problem = DiskError(
        f"{workspace.path} has {free:,} bytes free; a drill of {facts.size:,} bytes needs {needed:,}", hint=_ROOM
    )
    seen = f"{free >> 20:,} MiB free, {needed >> 20:,} MiB needed"
    return Look("machine", "disk", seen, (problem,) if free < needed else ())


def _locale_label(locale: Locale) -> str:
    return f"{locale.encoding}, {locale.provider}, {locale.locale or locale.collate}"


def _first(problem: psycopg.Error) -> str:
    return (problem.diag.message_primary or str(problem)).strip()
