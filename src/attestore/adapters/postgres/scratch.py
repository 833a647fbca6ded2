"""The isolated server that holds a restored copy: made for one drill, restored into by pg_restore, then removed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from typing_extensions import override

from attestore.adapters.postgres import built, commits
from attestore.adapters.postgres import exercise as exercising
from attestore.adapters.postgres import prove as proving
from attestore.adapters.postgres import world as worlds
from attestore.adapters.postgres.cluster import Cluster, can_be_offline, scratch_settings
from attestore.adapters.postgres.programs import Choice, Installation, unprivileged
from attestore.adapters.postgres.restored import (
    EVENT_TRIGGERS_SINCE,
    ROOM,
    RestoredDatabase,
    locale_clause,
    locale_hint,
)
from attestore.adapters.postgres.session import Session, pin
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace
from attestore.errors import (
    DiskError,
    Error,
    MissingProgramError,
    ProgramFailedError,
    ScratchError,
    UnreachableError,
    VersionError,
)
from attestore.evidence import Locale
from attestore.ports import Again, Look, Plain, Restored, Section, SourceFacts, Target
from attestore.proof import Behaviour, IndexCheck, Proof

__all__ = ["PgScratch", "PgTarget"]

_SOON_S: Final = 30.0
_SPARE: Final = 256 << 20
_AT_ONCE: Final = 64 << 20
"""bytes of an archive; from there on several sessions are faster than one transaction"""


class PgScratch:
    """Makes isolated servers of one installation, for archives that another reads."""

    def __init__(self, choice: Choice, *, workspace: TemporaryWorkspace, runner: Runner, jobs: int) -> None:
        self._choice = choice
        self._workspace = workspace
        self._runner = runner
        self._jobs = jobs
        self._coming: Cluster | None = None

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
    def ahead(self) -> Iterator[None]:
        """Begin to make the next server; `start` in the block goes on from there, and what it leaves is gone afterwards."""
        coming = self._coming = self._cluster()
        coming.begin()
        try:
            yield
        finally:
            if self._coming is not None:
                self._coming = None
                coming.destroy()

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
                hint=ROOM,
            )
        coming, self._coming = self._coming, None
        with coming or self._cluster() as cluster:
            target = PgTarget(
                cluster, client=self._choice.dump, server=server, runner=self._runner, locale=locale, jobs=self._jobs
            )
            try:
                yield target
            finally:
                target.unwatch()

    def _cluster(self) -> Cluster:
        server, settings = self._choice.server, dict(scratch_settings(self._jobs))
        if server.major >= EVENT_TRIGGERS_SINCE:
            settings["event_triggers"] = "off"
        # a name that no source has: its own role postgres need not be a superuser, and is made like any other
        superuser = f"attestore_{secrets.token_hex(6)}"
        return Cluster(server, workspace=self._workspace, runner=self._runner, settings=settings, superuser=superuser)


class PgTarget(RestoredDatabase):
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
        super().__init__(cluster.connection, client=client, runner=runner, locale=locale, major=server.major, jobs=jobs)
        self._starved = lambda: cluster.starved
        self._at_once = _at_once
        self._pipes = cluster.pipe
        self._cluster = cluster
        self._server = server
        self._watching: Session | None = None
        """open since the copy was proved: no session outlives a crash"""
        self._mark: int | None = None
        """the first number of a transaction that the proof of the copy has not seen"""

    @property
    def version(self) -> str:
        """Server version."""
        return self._server.version

    @property
    def network(self) -> str:
        """`none` (own network namespace) or `socket-only`."""
        return self._cluster.network

    @override
    def _begin_proving(self) -> None:
        """From here on, whatever is committed on the server counts."""
        self.unwatch()
        self._watching = self._connect()
        pin(self._watching)
        self._mark = commits.mark(self._watching)
        self._own.clear()

    def unwatch(self) -> None:
        """From here on nobody asks any more what was committed."""
        watching, self._watching, self._mark = self._watching, None, None
        if watching is not None:
            watching.close()

    @override
    def prove_again(self, earlier: Proof) -> Again:
        """What the copy holds now; rows are read of the tables that the checker wrote to, unless anybody else has committed.

        The look comes first and the question after it, so that nothing is committed unseen between the two.
        """
        if self._watching is None or self._mark is None:
            return super().prove_again(earlier)
        manner = self._proved()
        proof, reread = proving.prove_again(
            self._connect,
            manner.key,
            like=manner.like,
            earlier=earlier,
            touched={table for own in self._own for table in own.tables},
            jobs=manner.jobs,
            watch=manner.watch,
            reader=self._reader,
            sketches=manner.sketches,
            shown=manner.shown,
        )
        try:
            seen = commits.since(self._watching, self._mark, self._own)
        except UnreachableError:
            # after a crash, what was committed last may be gone, and its numbers given out again
            return super().prove_again(earlier)
        again = Again(proof, reread) if not seen.others else super().prove_again(earlier)
        return replace(again, transactions=seen.numbers, committed=seen.others)

    def exercise(self, depth: IndexCheck) -> Behaviour:
        """What the copy does when it is tried: constraints refuse, triggers fire, indexes fit; all of it rolled back."""
        return exercising.exercise(self._connect, depth=depth, committed=self._own.append, jobs=self._jobs)

    def create(self, world: bytes) -> Restored:
        """Roles (no login, no password) and the empty, random-named database, without schema public if the source has none.

        Raises:
            ScratchError: the server can't make a database of that encoding and locale.
            DiskError: no space left.
        """
        with self._host.connect() as session:
            errors = worlds.apply_roles(session, world)
            self._create_database(session, public=worlds.has_public(world))
        return Restored(errors)

    def finalize(self, world: bytes) -> Restored:
        """Database and role settings (never ones that load libraries), ANALYZE of every table."""
        with self._host.connect() as session:
            errors = worlds.apply_settings(session, world, database=self._database)
        return Restored((*errors, *self._analyze()))

    def destroy(self) -> bool:
        """Stop the server and remove its files; whether no process and no file is left."""
        self.unwatch()
        return self._cluster.destroy()


def _at_once(archive: Plain, section: Section) -> bool:
    """Definitions, which no sessions share, and everything else that takes longer to commit than to do."""
    return section is Section.SCHEMA or _size(archive) <= _AT_ONCE


def _size(archive: Plain) -> int:
    return sum(path.stat().st_size for path in archive.iterdir()) if archive.is_dir() else archive.stat().st_size


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
            hint=locale_hint(name),
        )
        for name in sorted({locale.collate, locale.ctype})
        if _normal(name) not in known
    ]


def _normal(name: str) -> str:
    """As the C library compares names: case and punctuation of the codeset do not count."""
    language, dot, codeset = name.partition(".")
    return (language + dot + re.sub(r"[^a-z0-9@]", "", codeset.lower())).lower()


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
        return Look("machine", "account of the isolated server", "no account", (problem,))
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
        f"{workspace.path} has {free:,} bytes free; a drill of {facts.size:,} bytes needs {needed:,}", hint=ROOM
    )
    seen = f"{free >> 20:,} MiB free, {needed >> 20:,} MiB needed"
    return Look("machine", "disk", seen, (problem,) if free < needed else ())


def _locale_label(locale: Locale) -> str:
    return f"{locale.encoding}, {locale.provider}, {locale.locale or locale.collate}"
