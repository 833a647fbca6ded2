"""What a fingerprint costs beside reading the rows at all, and beside what scripts do."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from world import running, table

from attestore.adapters.postgres import fingerprint, relations, stream
from attestore.adapters.postgres.cluster import Cluster, Connection
from attestore.adapters.postgres.crew import BEGIN, gathered
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.postgres.session import Session, ask, pin
from attestore.adapters.process import Runner
from attestore.proof import STREAM, Proof

__all__ = ["measure"]

_ROUNDS = 4
_KEY = bytes(32)
_SHAPES = {
    "wide": (
        1_000_000,
        "SELECT i AS id, i % 97 AS a, i * 1.5 AS b, now() AS at, repeat(md5(i::text), 10) AS c, md5((i + 1)::text) AS d",
    ),
    "narrow": (3_000_000, "SELECT i AS id, i % 1000 AS n"),
    "big": (300, "SELECT i AS id, repeat(md5(i::text), 62500) AS value"),
}
_CLASSIC = "SELECT md5(string_agg(md5(t::text), '')) FROM (SELECT * FROM {0} ORDER BY 1) t"


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """Every way to look at the same rows, taking turns; medians and spread."""
    rows = []
    with running(installation, folder) as cluster:
        server = cluster.connection.on("app")
        for name, (count, select) in _SHAPES.items():
            rows_here = max(10, int(count * scale))
            with server.connect() as session:
                session.execute(f"CREATE TABLE {name} AS {select} FROM generate_series(1, {rows_here}) i".encode())
                session.execute(f"VACUUM ANALYZE {name}".encode())
            rows += _shape(cluster, installation, name, rows_here)
            with server.connect() as session:
                session.execute(f"DROP TABLE {name}".encode())
    return table(("table", "what", "median", "against COPY", "spread"), rows) + (
        f"\n\nOne session each, {_ROUNDS} rounds that took turns; COPY is `COPY t TO '/dev/null'` in the server. `stream` reads the "
        "isolated server through pipes, an existing one (`--into`) by psql. The classic is "
        f"`{_CLASSIC.format('t')}`."
    )


def _shape(cluster: Cluster, installation: Installation, name: str, count: int) -> list[tuple[str, ...]]:
    server = cluster.connection.on("app")
    psql = stream.Reader(Runner(), installation.program("psql"), server.conninfo, server.variables, Path())
    piped = replace(psql, connect=server.connect, pipes=cluster.pipe)
    ways: dict[str, Callable[[Session], None]] = {
        "COPY": lambda session: _ask(session, f"COPY {name} TO '/dev/null'"),
        "count(*)": lambda session: _ask(session, f"SELECT count(*) FROM public.{name}"),
        "audit": lambda session: _audit(server, session),
        "stream": lambda session: _stream(piped, session),
        "stream by psql": lambda session: _stream(psql, session),
        "classic": lambda session: _ask(session, _CLASSIC.format(f"public.{name}")),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(_ROUNDS + 1):
        for way, look in ways.items():
            with server.connect() as session:
                pin(session)
                began = time.monotonic()
                look(session)
                if number:  # the first round warms the caches
                    took[way].append(time.monotonic() - began)
    base = took["COPY"]
    rows: list[tuple[str, ...]] = []
    for way, times in took.items():
        ratios = [a / b for a, b in zip(times, base, strict=True)]
        median = statistics.median(times)
        rows.append(
            (f"{name}, {count:,} rows", way, f"{median:.2f} s", f"{statistics.median(ratios):.2f} ×",
             f"{min(ratios):.2f}–{max(ratios):.2f}")
        )  # fmt: skip
        print(*rows[-1], flush=True)
    return rows


def _ask(session: Session, sql: str) -> None:
    if sql.startswith("COPY"):
        sql = sql.replace("COPY ", "COPY public.")
    ask(session, sql)


def _opened(session: Session) -> str:
    ask(session, BEGIN)
    return str(ask(session, "SELECT pg_export_snapshot()")[0][0])


def _audit(server: Connection, session: Session) -> None:
    snapshot = _opened(session)
    stored = relations.read(session)
    shape = session.info.server_version // 10_000, False

    def connect() -> Session:
        another = server.connect()
        pin(another)
        return another

    with gathered(session, connect, snapshot=snapshot, size=1) as crew:
        fingerprint.take(crew, stored, key=_KEY, shape=shape, told=lambda _: None)


def _stream(reader: stream.Reader, session: Session) -> None:
    snapshot = _opened(session)
    stream.restored(
        session, relations.read(session), like=_NOTHING, reader=reader, scene=(snapshot, _KEY, 1), told=lambda _: None
    )


_NOTHING = Proof(
    side="source", database="", server="", taken="", method=STREAM, key_commitment="", session=(), tables=(), objects=(),
    foreign_keys=(), sequences=(), probes=(), settings=(),
)  # fmt: skip
