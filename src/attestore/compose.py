"""Settings and environment become Tools: the only room that knows both the ports and what stands behind them.

Adapters are imported where they are needed, so that an audit runs on a machine without PostgreSQL, its driver or a
PDF printer.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attestore import __version__, instants, plan, report, resources
from attestore.config import Key, Person, Roster, read_roster, roster_text
from attestore.errors import KeyringError, UsageError
from attestore.evidence import Person as Executor
from attestore.gate import Gate
from attestore.plan import Job, Plan
from attestore.ports import Clock, Verifier, Watcher
from attestore.run import Drilling, Issuing, Making, Tools
from attestore.run import close_died as close_runs

if TYPE_CHECKING:
    from attestore.adapters.gpg import Keyring
    from attestore.adapters.postgres.dsn import Environment
    from attestore.adapters.postgres.programs import Choice
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace as Workspace

__all__ = ["Settings", "Trust", "auditing", "clock", "close_died", "gallery", "planned", "source_label", "tools"]

_ROSTER: Final = "roster.yaml"
_BACKUP_KEY: Final = "Attestore backup"
_LIBRARIES: Final = ("psycopg", "weasyprint", "zstandard", "Jinja2", "markdown-it-py", "pikepdf")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line decided about the world."""

    reports: Path
    home: Path
    store: Path
    source: str
    backup: str
    system: str
    jobs: int
    pg_bin: Path | None
    operator: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What an audit trusts: the roster, and the programme that checks signatures against its keys."""

    roster: Roster
    verifier: Verifier
    clock: Clock


def clock() -> Clock:
    """The machine's clock."""
    from attestore.adapters.system import SystemClock

    return SystemClock()


def source_label(settings: Settings) -> str:
    """The source in words, without secrets."""
    with _runner() as (_, private):
        return _environment(settings, private).label


def planned(job: Job, settings: Settings, *, gates: tuple[Gate, ...]) -> Plan:
    """Decide a run: its name, its system, its steps.

    Raises:
        PlanError, UsageError: the settings can't be meant.
    """
    from attestore.adapters.system import SystemClock, SystemEntropy

    system = settings.system or _system_of(settings)
    run = f"{instants.compact(SystemClock().now())}-{system}-{SystemEntropy().token(3).hex()}"
    return plan.make(
        job,
        run=run,
        system=system,
        gates=gates,
        jobs=settings.jobs,
    )


@contextmanager
def auditing(roster: Path) -> Iterator[Trust]:
    """What an audit needs: a roster from outside, and a keyring that holds its keys only.

    Raises:
        UsageError: there is no such file.
        GateError: it isn't a roster.
        MissingProgramError: gpg is not on this machine.
    """
    from attestore.adapters.gpg import GpgVerifier
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    trusted = _roster(roster)
    with (
        TemporaryWorkspace() as workspace,
        GpgVerifier(trusted.public_keys(), runner=Runner(), work=workspace.path) as verifier,
    ):
        yield Trust(roster=trusted, verifier=verifier, clock=clock())


@contextmanager
def tools(chosen: Plan, settings: Settings, *, watcher: Watcher, settle: Callable[[], None]) -> Iterator[Tools]:
    """Every door a plan needs, closed again when the block ends.

    Raises:
        Error: whatever is missing before a run can even begin: programmes, keys, roster.
    """
    from attestore.adapters.directory_store import DirectoryStore
    from attestore.adapters.gpg import GpgSealer, GpgSigner, GpgVerifier
    from attestore.adapters.printer import WeasyPrinter
    from attestore.adapters.process import Runner
    from attestore.adapters.system import SystemClock, SystemEntropy
    from attestore.adapters.workspace import TemporaryWorkspace

    with ExitStack() as stack:
        workspace = stack.enter_context(TemporaryWorkspace())
        runner = Runner(logs=workspace.logs)
        home = stack.enter_context(_home(settings, runner=runner, say=watcher.say, work=workspace.path))
        engines = _Engines(settings, workspace=workspace, runner=runner, jobs=chosen.jobs)
        printer = WeasyPrinter()
        sealer = GpgSealer(home.keyring, (home.recipient,), runner=runner, work=workspace.path)
        yield Tools(
            clock=SystemClock(),
            entropy=SystemEntropy(),
            workspace=workspace,
            sealer=sealer,
            store=DirectoryStore(settings.store),
            signer=GpgSigner(home.keyring, home.operator.fingerprint, runner=runner),
            verifier=stack.enter_context(GpgVerifier(home.roster.public_keys(), runner=runner, work=workspace.path)),
            printer=printer,
            watcher=watcher,
            templates=report.load_templates(resources.templates_folder()),
            operator=home.operator,
            roster=home.roster,
            settle=settle,
            versions=_versions(sealer.version),
            host=_host(),
            making=None if chosen.job is Job.DRILL else engines.making(),
            drilling=None if chosen.job is Job.BACKUP else engines.drilling(),
        )


def close_died(settings: Settings, *, watcher: Watcher) -> tuple[str, ...]:
    """Close what died before us: remove its workspace and server, sign its bundle; the runs that were closed.

    Raises:
        Error: a bundle or the ledger can't be read, written or signed.
    """
    from attestore.adapters.gpg import GpgSigner
    from attestore.adapters.printer import WeasyPrinter
    from attestore.adapters.process import Runner
    from attestore.adapters.system import SystemClock
    from attestore.adapters.workspace import TemporaryWorkspace, sweep
    from attestore.archive import unfinished

    for gone in sweep():
        watcher.say(f"Removed {gone}, left behind by a run that died.")
    if not (settings.reports / "ledger.jsonl").exists() or not unfinished(settings.reports):
        return ()
    runner = Runner()
    with (
        TemporaryWorkspace() as workspace,
        _home(settings, runner=runner, say=watcher.say, work=workspace.path) as home,
    ):
        issuing = Issuing(
            clock=SystemClock(),
            signer=GpgSigner(home.keyring, home.operator.fingerprint, runner=runner),
            printer=WeasyPrinter(),
            watcher=watcher,
            templates=report.load_templates(resources.templates_folder()),
            roster=home.roster,
            logs=None,
            language="en",
            paper="A4",
        )
        closed = close_runs(settings.reports, tools=issuing, closer=home.operator)
    return tuple(each.case.context.run for each in closed)


@contextmanager
def gallery(settings: Settings, *, scale: int, say: Say) -> Iterator[str]:
    """A throw-away server that holds the demo's image gallery, as a connection string that holds no password.

    Raises:
        Error: no PostgreSQL programmes, or the server can't be started.
    """
    from attestore.adapters import gallery as demo
    from attestore.adapters.postgres import programs
    from attestore.adapters.postgres.cluster import throw_away
    from attestore.adapters.process import Runner
    from attestore.adapters.system import forgetting
    from attestore.adapters.workspace import TemporaryWorkspace

    # the demo's server is its own: PGPASSWORD and the like speak of another one
    with TemporaryWorkspace() as workspace, forgetting("PG"):
        runner = Runner(logs=workspace.logs)
        choice = programs.choose(programs.find(runner, forced=settings.pg_bin), source_major=0)
        say(f"Throw-away PostgreSQL {choice.server.version} ({choice.server.origin.value}), gallery × {scale}")
        with throw_away(choice.server, workspace=workspace, runner=runner, database="gallery") as source:
            demo.create(source, scale=scale)
            yield source


@dataclass(frozen=True, slots=True)
class _Home:
    """Keys and people of this machine."""

    keyring: Keyring
    roster: Roster
    operator: Executor
    recipient: str


@contextmanager
def _home(settings: Settings, *, runner: Runner, say: Say, work: Path) -> Iterator[_Home]:
    """The keyring and the roster below --home; made on first use, and said so."""
    from attestore.adapters.gpg import Keyring

    path = settings.home / _ROSTER
    with Keyring.open(settings.home, runner=runner, work=work) as keyring:
        if not path.exists():
            say(f"First use of {settings.home}: making an RSA 4096 backup key and a signing key, without passphrases")
            _first_use(keyring, path, operator=settings.operator or _login())
        trusted = _roster(path)
        secret = {key.fingerprint for key in keyring.keys() if key.secret}  # noqa: SIM118  a keyring is no mapping
        mine = [
            (person, key)
            for person in trusted.people
            for key in person.keys
            if "operator" in person.roles and key.fingerprint in secret
        ]
        if not mine:
            raise KeyringError(
                f"{path} names no operator whose private key is in {settings.home}",
                hint="List your key's fingerprint there under a person with the role operator.",
            )
        person, key = mine[0]
        recipients = [
            each.fingerprint
            for each in keyring.keys()  # noqa: SIM118
            if each.encrypting and _BACKUP_KEY in " ".join(each.user_ids)
        ]
        if not recipients:
            raise KeyringError(
                f"{settings.home} holds no backup key (user id {_BACKUP_KEY!r})",
                hint="Restore the keyring that made your backups; a new key can't open them.",
            )
        yield _Home(
            keyring=keyring,
            roster=trusted,
            operator=Executor(id=person.id, name=person.name, roles=person.roles, fingerprint=key.fingerprint),
            recipient=recipients[0],
        )


def _first_use(keyring: Keyring, path: Path, *, operator: str) -> None:
    _, signing = keyring.ensure_keys(encrypting=_BACKUP_KEY, signing=operator)
    name = re.sub(r"\s*<.*>", "", operator)
    person = Person(
        id=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "operator",
        name=name,
        roles=("operator",),
        keys=(Key(fingerprint=signing.fingerprint, public=keyring.public(signing.fingerprint)),),
    )
    path.write_bytes(roster_text([person]))


def _roster(path: Path) -> Roster:
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise UsageError(
            f"the roster {path} can't be read: {problem.strerror}",
            hint="Give the roster you trust with --roster FILE; it is never taken from the archive.",
        ) from problem
    return read_roster(text, where=str(path))


def _environment(settings: Settings, private: Path) -> Environment:
    from attestore.adapters.postgres import dsn
    from attestore.adapters.system import environment

    return dsn.read(settings.source, folder=private, environ=environment())


@contextmanager
def _runner() -> Iterator[tuple[Runner, Path]]:
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace

    with TemporaryWorkspace() as workspace:
        yield Runner(logs=workspace.logs), workspace.private("source")


def _system_of(settings: Settings) -> str:
    """The database's name, as far as it can be part of a file name."""
    with _runner() as (_, private):
        named = _environment(settings, private).database
    system = re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")[:40]
    if not system:
        raise UsageError(
            f"the database name {named!r} gives no system name", hint="Name the system with --system NAME."
        )
    return system


def _login() -> str:
    import getpass

    return getpass.getuser()


def _host() -> str:
    return f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} processors"


def _versions(sealer: str) -> Mapping[str, str]:
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    versions["attestore"] = __version__
    versions["python"] = ".".join(map(str, sys.version_info[:3]))
    programme, _, version = sealer.partition(" ")
    versions[programme] = version
    return versions


@dataclass(frozen=True, slots=True)
class _Engines:
    """PostgreSQL's programmes, found when a run asks for them, so that a missing one is in its evidence."""

    settings: Settings
    workspace: Workspace
    runner: Runner
    jobs: int

    def making(self) -> Making:
        from attestore.adapters.postgres.dump import PgDumper
        from attestore.adapters.postgres.source import PgSource

        environment = _environment(self.settings, self.workspace.private("source"))

        def dumper(major: int) -> PgDumper:
            return PgDumper(self._choice(major).dump, environment=environment, runner=self.runner)

        return Making(source=PgSource(environment), dumper=dumper)

    def drilling(self) -> Drilling:
        from attestore.adapters.postgres.scratch import PgScratch

        def scratch(major: int) -> PgScratch:
            return PgScratch(self._choice(major), workspace=self.workspace, runner=self.runner, jobs=self.jobs)

        return Drilling(scratch=scratch, backup=self.settings.backup)

    def _choice(self, major: int) -> Choice:
        from attestore.adapters.postgres import programs

        return programs.choose(programs.find(self.runner, forced=self.settings.pg_bin), source_major=major)
