"""A proxy as far away as a bucket in another country: each request waits, and each stream has its own narrow pipe.

As a programme (`python narrow.py PORT LATENCY_MS BYTES_PER_S`) it prints its own port: a process of its own, since it is busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

__all__ = ["Pipe"]

_CHUNK = 64 << 10
_HEAD = 64 << 10
_LATE_S = 0.2
_SOON_S = 0.005


class Pipe:
    """One direction of one stream: what goes through waits until the bytes before it have had their time."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free = 0.0

    def pause(self, size: int, now: float) -> float:
        """Seconds until the last of `size` bytes that come `now` is through."""
        # a proxy that was woken late makes up for it
        self._free = max(self._free, now - _LATE_S) + size / self._rate
        return self._free - now


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pipe: Pipe, latency_s: float) -> None:
    """Bytes from one side to the other; whatever comes after a silence travels for the latency first."""
    with contextlib.suppress(ConnectionError):
        while True:
            asked = time.monotonic()
            chunk = await reader.read(_CHUNK)
            if not chunk:
                break
            if time.monotonic() - asked > latency_s / 10:
                await asyncio.sleep(latency_s)
            writer.write(chunk)
            await writer.drain()
            wait = pipe.pause(len(chunk), time.monotonic())
            if wait > _SOON_S:
                await asyncio.sleep(wait)
    with contextlib.suppress(ConnectionError, RuntimeError):
        writer.write_eof()


async def _serve(port: int, latency_s: float, rate: float) -> None:
    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(latency_s)  # to shake hands
        there, back = await asyncio.open_connection("127.0.0.1", port, limit=_HEAD)
        try:
            # a question travels for half of a round trip, its answer for the other half
            await asyncio.gather(
                _carry(reader, back, Pipe(rate), latency_s / 2), _carry(there, writer, Pipe(rate), latency_s / 2)
            )
        finally:
            for each in (back, writer):
                each.close()

    server = await asyncio.start_server(stream, "127.0.0.1", 0, limit=_HEAD)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]) / 1000, float(sys.argv[3])))
