"""A network on its worst day: a proxy before an HTTP endpoint that delays, throttles, resets, truncates, flips and lies, by a seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["FAULTS", "BadNetwork", "bad_network"]

FAULTS = (
    "delay",
    "slow down",
    "internal error",
    "reset before",
    "reset after",
    "truncate",
    "flip up",
    "flip down",
    "too short",
    "too long",
    "hang",
)
"""What can happen to one request. The flips hit object bodies: lists have no digest of their own, TLS is their guard."""

_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_BROKEN = b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"


@dataclass
class _Request:
    method: bytes
    target: bytes
    head: bytes
    body: bytes

    @property
    def of_object(self) -> bool:
        """Whether its body, or the answer's, is an object's."""
        asked = self.target.partition(b"?")[2]
        inner = re.search(rb"(^|&)(list-type|versioning|uploads|versions|retention|legal-hold|delete)", asked)
        return self.target.count(b"/") > 1 and inner is None and self.method in {b"GET", b"PUT"}


@dataclass
class BadNetwork:
    """The proxy; `rate` of its requests meet a fault, which one the seed says."""

    url: str
    rate: float = 0.0
    only: tuple[str, ...] = FAULTS
    hang_s: float = 0.5
    lets: int | None = None
    """as many writes of objects or parts still get through, the next one never gets an answer; None: all of them"""
    stops_reads: bool = False
    """whether no range of an object but the first gets an answer"""
    keeps_manifests: bool = False
    """whether the deletion of a manifest never gets an answer"""
    writes: int = 0
    """of objects or parts, that got through"""
    seen: Counter[str] = field(default_factory=Counter)
    stuck: threading.Event = field(default_factory=threading.Event)
    """set when a write waits for its answer"""
    _dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311
    _upstream: tuple[str, int] = ("", 0)
    _serving: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    def seed(self, number: int, *, rate: float) -> None:
        """From here on the faults of that seed."""
        self._dice, self.rate = random.Random(number), rate  # noqa: S311

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection.

        The network holds its task: streams let go of theirs when the client is gone, and what nobody holds is collected half-way.
        """
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving[task] = writer
        task.add_done_callback(self._serving.pop)

    async def end(self) -> None:
        """Let go of every connection, whatever it waits for."""
        served = list(self._serving)
        for task, writer in self._serving.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            async with _closed(writer):
                request = await _read_request(reader, writer)
                await self._answer(request, writer)

    async def _answer(self, request: _Request, writer: asyncio.StreamWriter) -> None:
        fault = self._dice.choice(self.only) if self._dice.random() < self.rate else ""
        at = self._dice.random()
        await self._let(request)
        if fault.startswith("flip") and not request.of_object:
            fault = ""
        self.seen[fault] += 1
        if fault == "delay":
            await asyncio.sleep(0.02 * at)
        if fault == "hang":
            await asyncio.sleep(self.hang_s)
            return
        if fault == "reset before":
            writer.transport.abort()
            return
        if fault in {"slow down", "internal error"}:
            writer.write(_says(503, _SLOW_DOWN) if fault == "slow down" else _says(500, _BROKEN))
            await writer.drain()
            return
        if fault == "flip up" and request.body:
            request.body = _flipped(request.body, at)
        head, body = await self._forward(request)
        if fault == "reset after":
            writer.transport.abort()
            return
        if request.method != b"HEAD" and body:
            head, body = _spoiled(fault, head, body, at)
        writer.write(head + body)
        await writer.drain()

    async def _let(self, request: _Request) -> None:
        written = request.of_object and request.method == b"PUT"
        waits = self.stops_reads and re.search(rb"(?i)\r\nrange: *bytes=[1-9]", request.head) is not None
        if waits or (written and self.lets == self.writes) or (self.keeps_manifests and _withdraws(request)):
            self.stuck.set()
            await asyncio.sleep(3600)
        self.writes += written

    async def _forward(self, request: _Request) -> tuple[bytes, bytes]:
        reader, writer = await asyncio.open_connection(*self._upstream)
        async with _closed(writer):
            writer.write(_closing(request.head) + request.body)
            await writer.drain()
            answer = await reader.read(-1)
        head, gap, body = answer.partition(b"\r\n\r\n")
        return _closing(head + gap), body


@contextlib.contextmanager
def bad_network(upstream: str) -> Iterator[BadNetwork]:
    """The proxy before that endpoint for as long as the block lasts; it does no harm until it is seeded."""
    parts = urlsplit(upstream)
    assert parts.hostname is not None
    assert parts.port is not None
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    network = BadNetwork(url="", _upstream=(parts.hostname, parts.port))
    server = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(network.accept, "127.0.0.1", 0, limit=1 << 26), loop
    ).result(10)
    network.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield network
    finally:
        asyncio.run_coroutine_threadsafe(_ended(server, network), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _spoiled(fault: str, head: bytes, body: bytes, at: float) -> tuple[bytes, bytes]:
    """An answer as it arrives."""
    shorter = body[: int(len(body) * at)]
    match fault:
        case "flip down":
            return head, _flipped(body, at)
        case "truncate":
            return head, shorter
        case "too short":
            return _with_length(head, len(shorter)), shorter
        case "too long":
            return _with_length(head, len(body) + 1 + int(100 * at)), body
        case _:
            return head, body


def _withdraws(request: _Request) -> bool:
    """Whether it takes a backup's manifest away; the nonces of the probe do not count."""
    return request.method == b"DELETE" and b"/manifest.json" in request.target


@contextlib.asynccontextmanager
async def _closed(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """The connection for as long as the block lasts; its socket is closed when the block has ended."""
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _ended(server: asyncio.Server, network: BadNetwork) -> None:
    server.close()
    await network.end()
    await server.wait_closed()


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Request:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if re.search(rb"(?i)\r\nexpect: *100-continue\r\n", head):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        head = re.sub(rb"(?i)\r\nexpect: *100-continue\r\n", b"\r\n", head)
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)\r\n", head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return _Request(method, target, head, body)


def _closing(head: bytes) -> bytes:
    """One connection for one request: what a broken one takes with it is no other's."""
    plain = re.sub(rb"(?i)\r\n(connection|keep-alive): *[^\r]*", b"", head)
    return plain.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)


def _with_length(head: bytes, length: int) -> bytes:
    return re.sub(rb"(?i)\r\ncontent-length: *\d+", b"\r\nContent-Length: %d" % length, head)


def _says(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d No\r\nContent-Type: application/xml\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status,
        len(body),
        body,
    )


def _flipped(data: bytes, at: float) -> bytes:
    place = min(len(data) - 1, int(len(data) * at))
    return data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :]
