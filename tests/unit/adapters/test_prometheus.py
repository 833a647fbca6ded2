"""The exposition format: what a scraper reads is what was told, whatever the names are."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from attestore.adapters.prometheus import exposition, push, write
from attestore.errors import UnreachableError, UsageError
from attestore.report.metrics import Family, Kind, Sample

ONE = (Family("attestore_store_up", "Up.", Kind.GAUGE, (Sample({"store": "a"}, 1),)),)


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_label_is_read_back_whatever_it_is(name: str) -> None:
    """Quotes, line feeds and backslashes must not forge a sample."""
    text = exposition([Family("attestore_x", "h", Kind.GAUGE, (Sample({"system": name}, 1),))]).decode()
    (family,) = text_string_to_metric_families(text)
    (sample,) = family.samples
    assert sample.labels == {"system": name}


def test_a_counter_keeps_its_name() -> None:
    """The library appends _total by itself; twice would be another metric."""
    text = exposition([Family("attestore_runs_started_total", "h", Kind.COUNTER, (Sample({}, 3),))]).decode()
    assert "\nattestore_runs_started_total 3.0\n" in text
    assert "_total_total" not in text
    assert "_created" not in text


def test_the_file_is_replaced_and_everybody_may_read_it(tmp_path: Path) -> None:
    """The collector is another user."""
    path = tmp_path / "attestore.prom"
    path.write_text("old")
    write(path, ONE)
    assert 'attestore_store_up{store="a"} 1.0' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["attestore.prom"]


def test_a_name_that_no_collector_reads_is_refused(tmp_path: Path) -> None:
    """It would be written for nobody."""
    with pytest.raises(UsageError) as told:
        write(tmp_path / "attestore.txt", ONE)
    assert told.value.hint == f"Name it {tmp_path / 'attestore.prom'}."


def test_a_folder_that_is_not_there_is_told_by_its_file(tmp_path: Path) -> None:
    """And not by the name under which it would be written meanwhile."""
    with pytest.raises(UsageError, match=r"the folder of \S+/gone/attestore.prom is not there"):
        write(tmp_path / "gone/attestore.prom", ONE)


class _Gateway(BaseHTTPRequestHandler):
    seen: list[tuple[str, str, bytes]]
    answer: int

    def do_PUT(self) -> None:
        """What a Pushgateway is sent."""
        type(self).seen.append(("PUT", self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(type(self).answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:  # type: ignore[explicit-override]
        """Silence."""


@pytest.mark.parametrize(("answer", "refused"), [(200, False), (400, True)])
def test_a_push_replaces_the_group_of_its_instance(answer: int, refused: bool) -> None:  # noqa: FBT001
    """By PUT, so that what is no longer told is gone; a refusal is an error with its status."""
    handler = _Gateway
    handler.seen, handler.answer = [], answer
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        if refused:
            with pytest.raises(UnreachableError, match="400"):
                push(url, ONE, instance="db1")
        else:
            push(url, ONE, instance="db1")
        server.shutdown()
    ((method, path, body),) = handler.seen
    assert (method, path) == ("PUT", "/metrics/job/attestore/instance/db1")
    assert b'attestore_store_up{store="a"} 1.0' in body


def test_a_gateway_that_is_away_is_told(unused_port: int) -> None:
    """With its address, and what to try."""
    with pytest.raises(UnreachableError, match="does not answer"):
        push(f"http://127.0.0.1:{unused_port}", ONE, instance="db1")


@pytest.mark.parametrize("url", ["ftp://host", "http://user:secret@host", "host:9091"])
def test_an_address_that_cannot_be_meant_is_refused_without_its_secret(url: str) -> None:
    """A password in an address would be in `ps`."""
    with pytest.raises(UsageError) as told:
        push(url, ONE, instance="x")
    assert "secret" not in f"{told.value.message}{told.value.hint}"


@pytest.fixture
def unused_port() -> int:
    """A port on which nobody listens."""
    with HTTPServer(("127.0.0.1", 0), _Gateway) as server:
        return server.server_port
