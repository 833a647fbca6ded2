"""The whole cycle by method `stream`, as people run it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from clusters import MAJORS, running_server
from programme import Desk, at_desk

SHOP = """
CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, email text, since timestamptz DEFAULT '2020-01-01 00:00+00');
CREATE TABLE purchase (id int PRIMARY KEY, customer int REFERENCES customer, cents bigint CHECK (cents >= 0));
INSERT INTO customer SELECT i, 'Customer ' || i, nullif('c' || i || '@example.org', 'c7@example.org')
  FROM generate_series(1, 500) i;
INSERT INTO purchase SELECT i, 1 + i % 500, i * 100 FROM generate_series(1, 3000) i;
CREATE INDEX purchase_customer ON purchase (customer);
"""
GATE = """
gate: OWN-001
title: The dump's own text came back
statement: Every table comes back as it was dumped.
severity: blocking
cadence: 31d
controls: [{framework: soc2, id: A1.3}]
checks:
  - {id: method, fact: proof.method, must: "== METHOD"}
  - {id: content, fact: tables.fingerprints.differing, must: "== 0", of: tables.compared}
  - {id: awake, fact: control.unnoticed, must: "== 0", of: control.planted}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with at_desk(tmp_path) as place:
        yield place


def gate_file(desk: Desk, method: str) -> str:
    path = desk.folder / f"{method}.yaml"
    path.write_text(GATE.replace("METHOD", method).lstrip())
    return str(path)


@pytest.mark.parametrize("major", MAJORS)
def test_a_cycle_by_method_stream_passes_is_awake_and_its_audit_is_clean(desk: Desk, major: int) -> None:
    """The shipped gate and one that asks for the method; a later drill takes the method that the backup carries."""
    gates = ("--gate", "S9-PROD-004", "--gate", gate_file(desk, "stream"))
    with running_server(major) as server:
        with psycopg.connect(server.conninfo, autocommit=True) as session:
            session.execute(SHOP.encode())
        ran = desk.attestore(
            "run", "--source", server.conninfo, "--method", "stream", *gates, "--system", "shop", "--json"
        )
    assert (ran.code, ran.result["outcome"]) == (0, "PASS"), ran.out + ran.err
    bundle = desk.reports / ran.result["run"]
    source, restored = (json.loads((bundle / f"proof.{side}.json").read_bytes()) for side in ("source", "restored"))
    assert (source["method"], restored["method"]) == ("stream", "stream")
    texts = {table["name"]: table["text"] for table in source["tables"]}
    assert len(texts["customer"]) == 64
    assert texts == {table["name"]: table["text"] for table in restored["tables"]}
    journal = (bundle / "journal.jsonl").read_text()
    noticed = ["one value of column", "one row deleted", "one index dropped"]
    assert all(any(what in line and ": noticed" in line for line in journal.splitlines()) for what in noticed)
    assert ["method", "stream"] in json.loads((bundle / "manifest.json").read_bytes())["settings"]
    report = (bundle / "S9-PROD-004.md").read_text()
    assert "method stream can't localise rows" in report
    assert "the source itself was only counted" in report
    again = desk.attestore("drill", "--system", "shop", *gates, "--json")
    assert (again.code, again.result["outcome"]) == (0, "PASS"), again.out + again.err
    assert desk.attestore("audit", "reports").code == 0


def test_a_gate_that_asks_for_the_other_method_is_refused_before_anything_happens(desk: Desk) -> None:
    for method, other in (("stream", "audit"), ("audit", "stream")):
        gate = gate_file(desk, other)
        ran = desk.attestore("run", "--source", "host=nowhere", "--method", method, "--gate", gate)
        assert ran.code == 2, ran.out + ran.err
        assert f"requires proof.method == {other}" in " ".join(ran.err.split())
        assert f"Say --method {other}." in ran.err
    assert not desk.reports.exists()
