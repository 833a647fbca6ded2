"""PostgreSQL's programmes, behind the ports that dump, prove and restore."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attestore.compose.settings import Settings, environment_of
from attestore.run import Drilling, Making

if TYPE_CHECKING:
    from attestore.adapters.postgres.programs import Choice
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

    def making(self) -> Making:
        """What asks the source and dumps it."""
        from attestore.adapters.postgres.dump import PgDumper
        from attestore.adapters.postgres.source import PgSource

        environment = environment_of(self.settings, self.workspace.private("source"))

        def dumper(major: int) -> PgDumper:
            return PgDumper(self._choice(major).dump, environment=environment, runner=self.runner)

        return Making(source=PgSource(environment), dumper=dumper)

    def drilling(self) -> Drilling:
        """What restores a stored backup."""
        from attestore.adapters.postgres.scratch import PgScratch

        def scratch(major: int) -> PgScratch:
            return PgScratch(self._choice(major), workspace=self.workspace, runner=self.runner, jobs=self.jobs)

        return Drilling(scratch=scratch, backup=self.settings.backup)

    def _choice(self, major: int) -> Choice:
        from attestore.adapters.postgres import programs

        return programs.choose(programs.find(self.runner, forced=self.settings.pg_bin), source_major=major)
