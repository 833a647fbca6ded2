"""Real servers for tests: `with running_server() as server:` gives an empty database on a stock, private cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from attestore.adapters.postgres.cluster import Cluster, Connection
from attestore.adapters.postgres.programs import Installation, find
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace

__all__ = ["BIG", "MAJORS", "installation", "installations", "running_cluster", "running_server"]

BIG = 18
"""The major of the embedded wheel, which every developer has."""


@cache
def installations() -> tuple[Installation, ...]:
    return find(Runner())


MAJORS = tuple(sorted({each.major for each in installations() if each.has("initdb", "postgres", "pg_dump")}))
"""The majors that this machine can serve and dump, for `pytest.mark.parametrize`."""


def installation(major: int | None = None) -> Installation:
    """The first installation, or the first of a major."""
    return next(each for each in installations() if major in {None, each.major} and each.has("initdb", "postgres"))


@contextmanager
def running_server(major: int | None = None, **settings: str) -> Iterator[Connection]:
    """An empty UTF-8 database `app` on a server with stock settings (but fsync), as superuser `postgres`.

    The value has `.conninfo`, `.connect()` (autocommit), `.variables` (PG* for programmes) and `.on(database)`.
    """
    with running_cluster(major, **settings) as cluster:
        yield cluster.connection.on("app")


@contextmanager
def running_cluster(major: int | None = None, **settings: str) -> Iterator[Cluster]:
    """The same as the server itself."""
    # /tmp, not tmp_path: an unprivileged server can't enter pytest's private folders, and socket paths are short
    with (
        TemporaryWorkspace(Path("/tmp")) as workspace,
        Cluster(
            installation(major), workspace=workspace, runner=Runner(), settings={"fsync": "off"} | settings
        ) as cluster,
    ):
        with cluster.connection.connect() as session:
            session.execute("CREATE DATABASE app TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        yield cluster
