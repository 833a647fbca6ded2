"""An endpoint that knows less than others: no conditions, no sums, no versions, no locks, no signatures. Objects are files.

As a programme (`python plainserver.py FOLDER`) it prints its port: the benchmark's other side.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

__all__ = ["plain_server"]

_CHUNK = 1 << 20


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path
    ranges: bool

    def log_message(self, *_: object) -> None:  # type: ignore[explicit-override]
        pass

    def _parts(self) -> tuple[Path, dict[str, list[str]]]:
        parts = urlsplit(self.path)
        name = unquote(parts.path).strip("/").replace("/", "%")
        return self.root / name, parse_qs(parts.query, keep_blank_values=True)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self, path: Path) -> None:
        left = int(self.headers["Content-Length"])
        with path.open("wb") as file:
            while left:
                chunk = self.rfile.read(min(left, _CHUNK))
                file.write(chunk)
                left -= len(chunk)

    def do_PUT(self) -> None:
        path, asked = self._parts()
        if "retention" in asked:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(501, b"<Error><Code>NotImplemented</Code></Error>")
            return
        part = asked.get("partNumber")
        self._body(path.with_name(f"{path.name}!{int(part[0]):05}") if part else path)
        if not part:
            path.with_name(f"{path.name}!meta").write_text(self.headers.get("x-amz-meta-attestore-sha256", ""))
        self._answer(200, ETag=f'"{part[0] if part else "whole"}"')

    def do_POST(self) -> None:
        path, asked = self._parts()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "uploads" in asked:
            path.with_name(f"{path.name}!meta").write_text(self.headers.get("x-amz-meta-attestore-sha256", ""))
            self._answer(200, b"<R><UploadId>1</UploadId></R>")
            return
        with path.open("wb") as whole:
            for piece in sorted(path.parent.glob(f"{path.name}![0-9]*")):
                with piece.open("rb") as file:
                    shutil.copyfileobj(file, whole, _CHUNK)
                piece.unlink()
        self._answer(200, b"<R><ETag>whole</ETag></R>")

    def do_DELETE(self) -> None:
        path, _ = self._parts()
        path.unlink(missing_ok=True)
        self._answer(204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path, asked = self._parts()
        if "versions" in asked:
            self._answer(501, b"<Error><Code>NotImplemented</Code></Error>")
        elif "versioning" in asked:
            self._answer(200, b"<VersioningConfiguration/>")
        elif "uploads" in asked or "list-type" in asked:
            self._answer(200, self._listing(asked))
        elif not path.is_file():
            self._answer(404, b"" if self.command == "HEAD" else b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._object(path)

    def _listing(self, asked: dict[str, list[str]]) -> bytes:
        bucket, prefix = self._parts()[0].name, asked.get("prefix", [""])[0]
        names = [path.name.partition("%")[2].replace("%", "/") for path in self.root.glob(f"{bucket}%*")]
        shown = sorted(name for name in names if name.startswith(prefix) and "!" not in name and "list-type" in asked)
        return f"<R>{''.join(f'<Contents><Key>{escape(name)}</Key></Contents>' for name in shown)}</R>".encode()

    def _object(self, path: Path) -> None:
        size = path.stat().st_size
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "") if self.ranges else "")
        start = int(span[1]) if span else 0
        end = min(size, int(span[2]) + 1) if span and span[2] else size
        self.send_response(206 if span else 200)
        if span:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.send_header("Content-Length", str(end - start))
        self.send_header("Last-Modified", formatdate(usegmt=True))
        self.send_header("x-amz-meta-attestore-sha256", path.with_name(f"{path.name}!meta").read_text())
        self.end_headers()
        if self.command == "GET":
            with path.open("rb") as file:
                file.seek(start)
                while start < end and (chunk := file.read(min(_CHUNK, end - start))):
                    self.wfile.write(chunk)
                    start += len(chunk)


def _server(folder: Path, *, ranges: bool = True) -> ThreadingHTTPServer:
    handler = type("Handler", (_Handler,), {"root": folder, "ranges": ranges})
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)


@contextlib.contextmanager
def plain_server(folder: Path, *, ranges: bool = True) -> Iterator[str]:
    """Its address, for as long as the block lasts; without `ranges` it gives a whole object or none."""
    with _server(folder, ranges=ranges) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    with _server(Path(sys.argv[1])) as alone:
        print(alone.server_address[1], flush=True)  # noqa: T201
        alone.serve_forever()
