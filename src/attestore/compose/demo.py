"""The demo's throw-away server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attestore.compose.people import Say
from attestore.compose.settings import Settings

__all__ = ["gallery"]


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
