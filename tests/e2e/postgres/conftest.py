"""Two majors, each started once per test process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from servers import Server, serve


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[int, Server]]:
    with ExitStack() as stack:
        yield {major: stack.enter_context(serve(major)) for major in (15, 18)}


@pytest.fixture(params=[15, 18])
def server(request: pytest.FixtureRequest, servers: dict[int, Server]) -> Server:
    major: int = request.param
    return servers[major]


@pytest.fixture
def server15(servers: dict[int, Server]) -> Server:
    return servers[15]
