"""PostgreSQL's programmes, behind the ports that dump, prove and restore."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attestore.compose.settings import Settings, environment_of, target_of
from attestore.run import Drilling, Making

if TYPE_CHECKING:
    from attestore.adapters.postgres.programs import Choice, Installation
    from attestore.adapters.process import Runner
    from attestore.adapters.workspace import TemporaryWorkspace as Workspace

__all__ = ["Engines"]


@dataclass(frozen=True, slots=True)
class Engines:
    """PostgreSQL's programmes, found when a run asks for them, so that a missing one is in its evidence."""

    settings: Settings
    workspace: Workspace
    runner: Runner
    jobs: int
    source_jobs: int | None = None
    source_pause_ms: int = 0

    def making(self) -> Making:
        """What asks the source and dumps it."""
        from attestore.adapters.postgres.dump import PgDumper
        from attestore.adapters.postgres.source import PgSource
        from attestore.adapters.system import SystemClock

        environment = environment_of(self.settings, self.workspace.private("source"))

        def dumper(major: int) -> PgDumper:
            return PgDumper(self._choice(major).dump, environment=environment, runner=self.runner)

        def rest(woken: threading.Event) -> None:
            SystemClock().rest(self.source_pause_ms, woken=woken)

        return Making(
            source=PgSource(
                environment,
                # a session that is counted as one has no helpers in the server
                settings={} if self.source_jobs is None else {"max_parallel_workers_per_gather": "0"},
                rest=rest if self.source_pause_ms else None,
            ),
            dumper=dumper,
        )

    def drilling(self) -> Drilling:
        """What restores a stored backup."""
        from attestore.adapters.postgres.existing import PgExisting
        from attestore.adapters.postgres.scratch import PgScratch

        if self.settings.into:
            server = target_of(self.settings, self.workspace.private("into"))

            def existing(major: int) -> PgExisting:
                return PgExisting(server, client=self._client(major), runner=self.runner, jobs=self.jobs)

            return Drilling(scratch=existing, backup=self.settings.backup, store=self.settings.from_store)

        def scratch(major: int) -> PgScratch:
            return PgScratch(self._choice(major), workspace=self.workspace, runner=self.runner, jobs=self.jobs)

        return Drilling(scratch=scratch, backup=self.settings.backup, store=self.settings.from_store)

    def _client(self, major: int) -> Installation:
        from attestore.adapters.postgres import programs

        return programs.choose_client(programs.find(self.runner, forced=self.settings.pg_bin), major=major)

    def _choice(self, major: int) -> Choice:
        from attestore.adapters.postgres import programs

        return programs.choose(programs.find(self.runner, forced=self.settings.pg_bin), source_major=major)
