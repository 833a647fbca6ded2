"""A store answers with whatever it likes: what comes of it is told as one sentence about that store, and soon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from attestore.adapters.s3 import S3Store, calls
from attestore.errors import StoreError
from attestore.evidence import PartRecord
from endpoints import Endpoint

_RECORD = PartRecord(role="r", name="x", size=100, digest="0" * 64, plain_size=1, plain_digest="0" * 64)
_LISTED = "<ListBucketResult><IsTruncated>{}</IsTruncated>{}</ListBucketResult>"

_CIRCLE = (
    "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"
    "<NextUploadIdMarker>b</NextUploadIdMarker></ListMultipartUploadsResult>"
)


class Answers(ThreadingHTTPServer):
    """The same answer to every request."""

    daemon_threads = True

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, int], None]) -> None:
        self.asked = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:  # noqa: N805  as it is called; `self` is the server
                self.asked += 1
                answer(handler, self.asked)

            do_HEAD = do_GET  # noqa: N815

            @override
            def log_message(handler, format: str, *args: Any) -> None:  # noqa: N805
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has read enough."""


def says(body: str = "", *, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler, int], None]:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        data = body.replace("NUMBER", str(number)).encode()
        handler.send_response_only(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            if value:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)
        handler.close_connection = True

    return answer


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler, int], None], **changes: Any) -> Iterator[S3Store]:
    with Answers(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            yield Endpoint(url, "A" * 20, "s" * 40).store("bucket", **changes)
        finally:
            server.shutdown()
            thread.join()


def _asks(store: S3Store, folder: Path) -> dict[str, Callable[[], object]]:
    return {
        "keys": lambda: store.keys("shop/"),
        "size": lambda: store.size("shop/x"),
        "digest": lambda: store.digest("shop/x"),
        "read": lambda: store.read("shop/x", limit=1000),
        "fetch": lambda: store.fetch("shop/x", _RECORD, into=folder),
        "unfinished": store.unfinished,
    }


@pytest.mark.parametrize("asked", ["size", "digest", "read", "fetch"])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(Content_Length="abc"), id="a length that is no number"),
        pytest.param(says(Content_Length="-5"), id="a negative length"),
        pytest.param(says(Content_Length=""), id="no length"),
        pytest.param(says("x", Last_Modified="yesterday"), id="a time that is none"),
        pytest.param(says(status=307, Location="/bucket/backups/shop/x"), id="a redirection to itself"),
    ],
)
def test_an_object_that_can_not_be_meant_is_a_trouble_of_the_store(
    tmp_path: Path, answer: Callable[[BaseHTTPRequestHandler, int], None], asked: str
) -> None:
    with answering(answer) as store, pytest.raises(StoreError, match="s3://bucket"):
        _asks(store, tmp_path)[asked]()


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ("keys", _LISTED.format("false", "<Contents><Key>a</Key><Size>abc</Size></Contents>")),
        ("keys", _LISTED.format("false", "<Contents><Size>1</Size></Contents>")),
        ("keys", _LISTED.format("true", "<Contents><Key>a</Key></Contents>")),
        ("keys", _LISTED.format("true", "<NextContinuationToken>same</NextContinuationToken>")),
        ("unfinished", "<ListMultipartUploadsResult><Upload><Key>a</Key></Upload></ListMultipartUploadsResult>"),
        (
            "unfinished",
            _CIRCLE,
        ),
    ],
    ids=["no number", "no name", "no way on", "a circle", "an upload without a number", "a circle of uploads"],
)
def test_a_listing_that_can_not_be_meant_is_a_trouble_of_the_store(tmp_path: Path, asked: str, body: str) -> None:
    with answering(says(body)) as store, pytest.raises(StoreError, match="s3://bucket"):
        _asks(store, tmp_path)[asked]()


def test_a_listing_without_an_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_MOST_PAGES", 5)
    body = _LISTED.format("true", "<NextContinuationToken>NUMBER</NextContinuationToken>")
    with answering(says(body)) as store, pytest.raises(StoreError, match="more than 5 pages"):
        store.keys("shop/")


def test_a_range_that_brings_more_than_it_was_asked_for_is_not_written(tmp_path: Path) -> None:
    """A disk fills with what a store likes to give."""
    part, total, given = 128 << 10, 640 << 10, 4 << 20

    def generous(handler: BaseHTTPRequestHandler, number: int) -> None:
        del number
        start, _, end = handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        handler.send_response_only(206)
        handler.send_header("Content-Range", f"bytes {start}-{end or total - 1}/{total}")
        handler.send_header("Content-Length", str(given))
        handler.end_headers()
        handler.wfile.write(bytes(given))

    record = PartRecord(role="r", name="x", size=total, digest="0" * 64, plain_size=1, plain_digest="0" * 64)
    with answering(generous, part_size=part, parallel=2) as store, pytest.raises(StoreError, match="more bytes"):
        store.fetch("shop/x", record, into=tmp_path)


@pytest.mark.parametrize(("status", "asked"), [(200, "keys"), (403, "keys"), (403, "fetch")])
def test_an_answer_without_an_end_is_not_held_in_memory(tmp_path: Path, status: int, asked: str) -> None:
    """600 MB of names took 6 GB."""
    sent: list[int] = []

    def endless(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.send_response_only(status)
        handler.send_header("Content-Length", str(1 << 30))
        handler.end_headers()
        for _ in range(64):
            handler.wfile.write(b"<Contents><Key>shop/a</Key></Contents>" * (1 << 15))
            sent.append(number)

    with answering(endless) as store, pytest.raises(StoreError, match="an answer has more than"):
        _asks(store, tmp_path)[asked]()
    assert max(map(sent.count, sent)) < 32
