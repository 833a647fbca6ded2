"""metrics and notify as people start them, on the golden archive, with a real receiver on loopback."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from attestore.report.notices import Told, encode
from programme import Desk, at_desk

GOLDEN = Path(__file__).parents[1] / "archives" / "0.1.0"
CANARY = "tok3n-canary"


@dataclass
class Receiver:
    """Takes messages, or refuses them."""

    port: int = 0
    refusing: bool = False
    taken: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if told.refusing else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:  # type: ignore[explicit-override]
            """Silence."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        told.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield told
        server.shutdown()


@pytest.fixture
def desk(tmp_path: Path, receiver: Receiver) -> Iterator[Desk]:
    """A desk with the golden archive on it, whose people believe that every gate failed."""
    with at_desk(tmp_path) as place:
        shutil.copytree(GOLDEN / "reports", place.reports)
        known = {("gallery", gate): Told("FAIL") for gate in ("S9-PROD-003", "S9-PROD-004")}
        (place.folder / ".attestore").mkdir(exist_ok=True)
        (place.folder / ".attestore" / "told.json").write_bytes(encode(known))
        place.environment = {"HOOK": f"json://127.0.0.1:{receiver.port}/{CANARY}"}
        yield place


def notify(desk: Desk, *more: str) -> tuple[int, str]:
    ran = desk.attestore("notify", "--roster", str(GOLDEN / "roster.yaml"), *more)
    assert CANARY not in ran.out + ran.err
    return ran.code, ran.out + ran.err


def test_people_are_told_of_a_change_once(desk: Desk, receiver: Receiver) -> None:
    """The second time nothing changed, and nobody hears anything."""
    code, said = notify(desk, "--url", "env:HOOK")
    assert code == 0, said
    assert len(receiver.taken) >= 2
    assert all(each["title"].startswith("Attestore: S9-PROD-00") for each in receiver.taken)
    assert any("It was FAIL." in each["message"] for each in receiver.taken)
    heard = len(receiver.taken)
    code, said = notify(desk, "--url", "env:HOOK")
    assert (code, len(receiver.taken)) == (0, heard), said
    assert "Nothing changed" in said


def test_what_was_not_taken_is_sent_again(desk: Desk, receiver: Receiver) -> None:
    """A service that is away must not swallow an alarm, nor show the secret in its address."""
    receiver.refusing = True
    code, said = notify(desk, "--url", "env:HOOK")
    assert code == 64, said
    assert "json service (address number 1)" in said
    receiver.refusing = False
    before = len(receiver.taken)
    code, said = notify(desk, "--url", "env:HOOK")
    assert code == 0, said
    assert len(receiver.taken) > before


def test_a_dry_run_tells_and_remembers_nothing(desk: Desk, receiver: Receiver) -> None:
    known = (desk.folder / ".attestore" / "told.json").read_bytes()
    code, said = notify(desk, "--dry-run")
    assert code == 0, said
    assert "S9-PROD-004 of gallery" in said
    assert not receiver.taken
    assert (desk.folder / ".attestore" / "told.json").read_bytes() == known


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("env:NOWHERE", "the variable NOWHERE"),
        (f"json://127.0.0.1/{CANARY}", "neither env:NAME nor file:PATH"),
        ("file:nothing-here", "can't be read"),
    ],
)
def test_an_address_is_named_by_where_it_stands(desk: Desk, url: str, said: str) -> None:
    """Not written on the command line, where everybody can read it; it is not repeated either."""
    code, told = notify(desk, "--url", url)
    assert (code, said in told) == (2, True), told


def test_metrics_say_what_status_says(desk: Desk) -> None:
    """Whatever the archive is worth on the day of this test."""
    trusted = ("--roster", str(GOLDEN / "roster.yaml"))
    rows = json.loads(desk.attestore("status", "--json", *trusted).out)["gates"]
    told = desk.attestore("metrics", *trusted)
    assert told.code == 0, told.err
    seen = {family.name: family.samples for family in text_string_to_metric_families(told.out)}
    standing = {s.labels["gate"]: s.labels["standing"] for s in seen["attestore_gate_standing"] if s.value}
    assert standing == {row["gate"]: row["standing"] for row in rows}
    (rto,) = seen["attestore_restore_rto_seconds"]
    assert 0 < rto.value < 1800
    written = desk.attestore("metrics", "--textfile", "attestore.prom", *trusted)
    assert (written.code, written.out) == (0, ""), written.err
    assert "attestore_runs_started_total" in (desk.folder / "attestore.prom").read_text()


def test_rules_and_dashboard_are_printed_as_they_are_shipped(desk: Desk) -> None:
    assert "AttestoreBackupTooOld" in desk.attestore("metrics", "--rules").out
    assert json.loads(desk.attestore("metrics", "--dashboard").out)["uid"] == "attestore"
    (rules,) = json.loads(desk.attestore("metrics", "--rules", "--json").out)
    assert (rules["name"], rules["text"]) == ("alerts.yaml", desk.attestore("metrics", "--rules").out)


CONFIG = f"""\
attestore: 1
roster: {GOLDEN / "roster.yaml"}
systems:
  gallery: {{gates: [S9-PROD-003]}}
  wiki: {{gates: [S9-PROD-004]}}
metrics: {{textfile: attestore.prom}}
notify: {{urls: ["env:HOOK"]}}
"""


def test_a_configuration_says_what_must_have_run_and_where_it_is_told(desk: Desk, receiver: Receiver) -> None:
    """A system that nobody ever backed up is missed; flags are not needed."""
    (desk.folder / "attestore.yaml").write_text(CONFIG)
    told = desk.attestore("metrics")
    assert (told.code, told.out) == (0, ""), told.err
    written = (desk.folder / "attestore.prom").read_text()
    assert 'attestore_gate_standing{gate="S9-PROD-004",standing="NEVER RUN",system="wiki"} 1.0' in written
    assert "attestore_gate_ok" in desk.attestore("metrics", "--print").out
    sent = desk.attestore("notify")
    assert sent.code == 0, sent.err
    assert "Attestore: S9-PROD-004 of wiki: NEVER RUN" in [each["title"] for each in receiver.taken]
