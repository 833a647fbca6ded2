"""One random-named database on a server, restored into by pg_restore and looked at like any other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import Any, Final, Protocol, Self

import psycopg
from psycopg import sql

from attestore.adapters.postgres import locate
from attestore.adapters.postgres import plant as planting
from attestore.adapters.postgres import prove as proving
from attestore.adapters.postgres.commits import Own
from attestore.adapters.postgres.piped import Pipes
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.postgres.session import abandon
from attestore.adapters.postgres.shares import Shares, dealt
from attestore.adapters.postgres.stream import Reader
from attestore.adapters.process import Runner, Running
from attestore.adapters.redacted import redact
from attestore.errors import DiskError, ScratchError
from attestore.evidence import Locale
from attestore.gate import Probe
from attestore.ports import Again, Plain, Planted, Restored, Section, Watcher
from attestore.proof import Proof, Setting, Sketches

__all__ = [
    "EVENT_TRIGGERS_SINCE",
    "ROOM",
    "Host",
    "RestoredDatabase",
    "first_words",
    "locale_clause",
    "locale_hint",
    "restore_errors",
]

ROOM: Final = "Set TMPDIR to a folder on a larger disk."
_LONGEST_S: Final = 7 * 86_400.0
_FULL: Final = "No space left on device"
_ERROR: Final = "pg_restore: error: "
_COMMAND: Final = "Command was: "
_PROVIDERS_SINCE: Final = 15
_BUILTIN_SINCE: Final = 17
EVENT_TRIGGERS_SINCE: Final = 17

# What the restored database says about itself must not get in the way of looking at it, and no function or operator of
# its own may be meant by a name of ours; options of a connection stand above the settings of databases and roles.
_UNDISTURBED: Final[Mapping[str, str]] = {
    "search_path": "",
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

# ANALYZE of a table asks those below it, too: whatever has a foreign one there would be asked for rows on another server.
_ANALYZED: Final = """
WITH RECURSIVE abroad(oid) AS (
  SELECT i.inhparent FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'f'
  UNION
  SELECT i.inhparent FROM pg_inherits i JOIN abroad a ON a.oid = i.inhrelid)
SELECT format('%I.%I', n.nspname, c.relname), pg_relation_size(c.oid) <= 1048576
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
   AND (c.relkind <> 'm' OR c.relispopulated) AND c.oid NOT IN (SELECT oid FROM abroad)
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(toast|temp)'
 ORDER BY pg_relation_size(c.oid) DESC
"""

_ANALYZED_AT_ONCE: Final = 100
"""small tables, in one statement"""

_CHOSEN: Final = """
SELECT name, current_setting(name) FROM pg_settings
 WHERE source NOT IN ('default', 'override', 'client', 'session', 'database', 'user')
   AND context <> 'internal' AND name !~ '(_file|_director(y|ies))$'
 ORDER BY name
"""


class Host(Protocol):
    """A server, one of its databases, and whoever restores there."""

    @property
    def conninfo(self) -> str:
        """A libpq connection string that holds no password."""
        ...

    @property
    def variables(self) -> Mapping[str, str]:
        """The same for the environment of a programme."""
        ...

    def on(self, database: str) -> Self:
        """Another database of the same server."""
        ...

    def connect(self, *, options: Mapping[str, str] = MappingProxyType({})) -> psycopg.Connection[tuple[Any, ...]]:
        """A new autocommit session, with settings that stand above those of the database and the role."""
        ...


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a copy was proved, so that it can be proved in the same way again."""

    key: bytes
    like: Proof
    probes: tuple[Probe, ...]
    jobs: int
    watch: Watcher
    sketches: Sketches | None
    shown: bool


class RestoredDatabase:
    """The database that holds a restored copy; whose server it lies on is known to the classes below."""

    def __init__(
        self, host: Host, *, client: Installation, runner: Runner, locale: Locale, major: int, jobs: int
    ) -> None:
        self._host = host
        self._client = client
        self._runner = runner
        self._locale = locale
        self._major = major
        self._jobs = jobs
        self._undisturbed = dict(_UNDISTURBED)
        # a private server's own setting does that from 17 on; a replica session checks foreign keys like any other
        self._quiet = {} if major >= EVENT_TRIGGERS_SINCE else {"PGOPTIONS": "-c session_replication_role=replica"}
        """what keeps the source's event triggers from firing beside its materialized views' refresh, in no certain order"""
        self._chosen = _CHOSEN
        self._pipes: Pipes | None = None
        """how the server hands rows to us without a client; only where it runs on this machine as a user of ours"""
        self._starved: Callable[[], bool] = lambda: False
        """whether the server has complained about a full disk in a place where its clients can't hear it"""
        self._at_once: Callable[[Plain, Section], bool] = lambda _archive, _section: False
        """whether a section is first tried as one transaction: not on a server that others use, who would feel its locks"""
        self._comparable: Callable[[Sequence[Setting]], Iterable[Setting]] = lambda settings: settings
        """what of the server's roles and settings belongs to the restored copy"""
        self._own: list[Own] = []
        """what the checker itself has committed since the copy was first proved"""
        self._manner: _Manner | None = None
        self._archive: Plain | None = None
        self._dealt: dict[Plain, Shares] = {}
        self._database = f"restored_{secrets.token_hex(6)}"

    @property
    def identifier(self) -> str:
        """System identifier of the cluster."""
        return self._told("SELECT system_identifier::text FROM pg_control_system()")

    @property
    def durable(self) -> bool:
        """Whether fsync and full_page_writes are on, as the server itself says."""
        return self._told("SELECT current_setting('fsync') || current_setting('full_page_writes')") == "onon"

    @property
    def settings(self) -> Mapping[str, str]:
        """Server settings that differ from the default, as the server itself says; no paths."""
        with self._host.connect() as session:
            return {str(name): str(value) for name, value in session.execute(self._chosen)}

    def empty(self) -> bool:
        """Whether the database holds no user relation."""
        return self._count(_RELATIONS) == 0

    def restore(self, archive: Plain, section: Section, *, jobs: int) -> Restored:
        """One section of the archive by pg_restore, which goes on after an error and reports each.

        Subscriptions are left out, so that none ever connects; tablespaces, so that no path of the source is touched.
        Where that is worth it, one transaction takes the section whole, or several sessions take their shares, each in a
        transaction of its own; of one that is refused nothing is there, and it comes again, command by command.

        Raises:
            ProgramFailedError: pg_restore was ended by a signal.
            DiskError: no space left.
        """
        self._archive = archive
        by_command = f"--jobs={jobs}"
        if not self._at_once(archive, section):
            return self._section(archive, section, by_command)
        shares = self._shares(archive, jobs)
        each = shares.each or ((),)
        if shares.each and shares.first and section is Section.SCHEMA:
            if self._wholly(archive, section, (shares.first,))[0].errors:
                return self._section(archive, section, by_command)
        elif shares.each:
            each = ((*shares.first, *each[0]), *each[1:])
        errors: list[str] = []
        for share, whole in zip(each, self._wholly(archive, section, each), strict=True):
            if whole.errors:
                errors += self._section(archive, section, by_command, share).errors
        if shares.last and section is Section.INDEXES:
            errors += self._section(archive, section, by_command, shares.last).errors
        return Restored(tuple(errors))

    def _shares(self, archive: Plain, jobs: int) -> Shares:
        """Read once for all sections."""
        known = self._dealt.get(archive)
        if known is None:
            argv: list[str | Path] = [self._client.program("pg_restore"), "--list", "--verbose", archive]
            listing = self._runner.run(argv, deadline_s=_LONGEST_S, ok=(0, 1)).stdout.decode("utf-8", "replace")
            known = self._dealt[archive] = dealt(listing, most=jobs)
        return known

    def _wholly(self, archive: Plain, section: Section, shares: Sequence[Sequence[int]]) -> list[Restored]:
        """Each share in one transaction, at the same time; a share of nothing is everything."""
        with ExitStack() as stack:
            running = [
                stack.enter_context(self._starting(archive, section, "--single-transaction", share)) for share in shares
            ]
            return [self._ended(each) for each in running]

    def _section(self, archive: Plain, section: Section, how: str, share: Sequence[int] = ()) -> Restored:
        with self._starting(archive, section, how, share) as running:
            return self._ended(running)

    def _starting(
        self, archive: Plain, section: Section, how: str, share: Sequence[int]
    ) -> AbstractContextManager[Running]:
        chosen = "".join(f"{number}\n" for number in share).encode()
        return self._runner.start(
            [
                self._client.program("pg_restore"),
                *(f"--section={section.value}", how, "--no-subscriptions"),
                *(("--use-list=/dev/stdin",) if chosen else ()),
                *("--no-tablespaces", "--no-password"),
                *(f"--dbname={self._restored.conninfo}", archive),
            ],
            deadline_s=_LONGEST_S,
            env={**self._restored.variables, **(self._quiet if section is Section.INDEXES else {})},
            stdin=chosen or None,
            ok=(0, 1),
            collect=True,
        )

    def _ended(self, running: Running) -> Restored:
        ended = running.wait()
        words = ended.stderr.decode("utf-8", "replace")
        if _FULL in words or self._starved():
            raise DiskError("the target found no space left on its disk", hint=ROOM)
        return Restored(restore_errors(words, code=ended.code))

    def first_query(self) -> int:
        """Number of user tables, answered by the restored database over a new session."""
        return self._count(_TABLES)

    def prove(  # noqa: PLR0913  each is one decision about a proof
        self,
        key: bytes,
        *,
        like: Proof,
        probes: Sequence[Probe],
        jobs: int,
        watch: Watcher,
        sketches: Sketches | None = None,
        shown: bool = False,
    ) -> Proof:
        """What the restored database holds, with foreign keys checked and differing definitions of `like` read back."""
        self._begin_proving()
        self._manner = _Manner(
            key=key, like=like, probes=tuple(probes), jobs=jobs, watch=watch, sketches=sketches, shown=shown
        )
        proof = proving.prove_restored(
            self._connect,
            key,
            like=like,
            probes=probes,
            jobs=jobs,
            watch=watch,
            reader=self._reader,
            sketches=sketches,
            shown=shown,
        )
        return replace(proof, settings=tuple(self._comparable(proof.settings)))

    def _begin_proving(self) -> None:
        """Called before each whole look, for those who must know what becomes of the copy after it."""

    def prove_again(self, earlier: Proof) -> Again:
        """All of it once more, as it was proved `earlier`: whoever shares the server may have changed anything."""
        del earlier
        manner = self._proved()
        proof = self.prove(
            manner.key,
            like=manner.like,
            probes=manner.probes,
            jobs=manner.jobs,
            watch=manner.watch,
            sketches=manner.sketches,
            shown=manner.shown,
        )
        return Again(proof, reread=sum(not table.uncovered for table in proof.tables))

    def _proved(self) -> _Manner:
        if self._manner is None:
            raise ScratchError("the copy was not proved yet, so nothing can be proved again")
        return self._manner

    def plant(self, key: bytes, *, sketches: Sketches) -> tuple[Planted, ...]:
        """Change the restored copy deliberately, as far as it holds anything to change."""
        planted, own = planting.plant(self._connect, cells=locate.spread(self._connect, sketches, key=key))
        self._own.append(own)
        return planted

    @property
    def _reader(self) -> Reader | None:
        """What reads rows as text and knows those of the dump; None before a restore, or without psql."""
        if self._archive is None or not self._client.has("psql"):
            return None
        options = " ".join(f"-c {name}={value}" for name, value in _UNDISTURBED.items())
        return Reader(
            runner=self._runner,
            psql=self._client.program("psql"),
            conninfo=self._restored.conninfo,
            variables={**self._restored.variables, "PGOPTIONS": options},
            archive=self._archive,
            connect=self._connect,
            pipes=self._pipes,
        )

    def _create_database(self, session: psycopg.Connection[tuple[Any, ...]], *, public: bool) -> None:
        """The empty database, without schema public if the source has none.

        Raises:
            ScratchError: the server can't make a database of that encoding and locale.
            DiskError: no space left.
        """
        try:
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(
                    sql.Identifier(self._database), locale_clause(self._locale, major=self._major)
                )
            )
        except psycopg.errors.DiskFull as problem:
            raise DiskError(f"the target has no space left: {first_words(problem)}", hint=ROOM) from problem
        except psycopg.Error as problem:
            raise ScratchError(
                f"PostgreSQL {self._major} can't make a database like the source: {first_words(problem)}",
                hint=locale_hint(self._locale.collate),
            ) from problem
        if not public:
            with self._connect() as inside:
                inside.execute("DROP SCHEMA public")

    @property
    def _restored(self) -> Host:
        return self._host.on(self._database)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return self._restored.connect(options=self._undisturbed)

    def _told(self, question: str) -> str:
        with self._host.connect() as session:
            return str(session.execute(question.encode()).fetchall()[0][0])

    def _count(self, question: str) -> int:
        with self._connect() as session:
            return int(session.execute(question.encode()).fetchall()[0][0])

    def _analyze(self) -> list[str]:
        """Statistics of every table, the largest first; what the server refused, in its words."""
        waiting: SimpleQueue[tuple[str, ...]] = SimpleQueue()
        errors: list[str] = []
        with self._connect() as session:
            listed = session.execute(_ANALYZED.encode()).fetchall()
        small = [str(name) for name, little in listed if little]
        for name in (str(name) for name, little in listed if not little):
            waiting.put((name,))
        for start in range(0, len(small), _ANALYZED_AT_ONCE):
            waiting.put(tuple(small[start : start + _ANALYZED_AT_ONCE]))
        # statistics of expressions call functions of the copy, which may count on its own search_path
        options = {name: value for name, value in self._undisturbed.items() if name != "search_path"}
        count = max(1, min(self._jobs, waiting.qsize()))
        sessions = [self._restored.connect(options=options) for _ in range(count)]

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


def _gather(
    session: psycopg.Connection[tuple[Any, ...]], waiting: SimpleQueue[tuple[str, ...]], errors: list[str]
) -> None:
    """Analyze what waits until nothing does, or the session is closed; what the server refuses is added to `errors`."""
    with suppress(Empty):
        while not session.closed:
            _analyzed(session, waiting.get_nowait(), errors)


def _analyzed(session: psycopg.Connection[tuple[Any, ...]], names: tuple[str, ...], errors: list[str]) -> None:
    """Several tables in one transaction; one that is refused leaves the others to be taken by themselves."""
    try:
        with session.transaction():
            session.execute(f"ANALYZE {', '.join(names)}".encode())
    except psycopg.Error as problem:
        if len(names) == 1 or session.closed:
            errors.append(f"ANALYZE {', '.join(names)}: {first_words(problem)}")
            return
        for name in names:
            _analyzed(session, (name,), errors)


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


def locale_hint(name: str) -> str:
    """What makes a locale known to a machine."""
    return f"Make it known: apt-get install locales && localedef -i {name.partition('.')[0]} -f UTF-8 {name}"


def first_words(problem: psycopg.Error) -> str:
    """The server's sentence alone: details and contexts may quote rows."""
    return (problem.diag.message_primary or str(problem)).strip()
