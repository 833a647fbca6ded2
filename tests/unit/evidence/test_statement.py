from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from attestore import canon
from attestore.errors import TamperedError
from attestore.evidence import Context, Observation, Person, journal
from attestore.evidence.statement import PREDICATE, TYPE, FileRecord, GateOutcome, Statement, build, decode, encode

JOURNAL = journal.read(
    journal.written([Observation("2026-03-01T02:00:00.000Z", 0, "run.system", "", "shop", "a test")])
)
CONTEXT = Context(
    run="r",
    system="shop",
    scenario="loss",
    started="2026-03-01T02:00:00.000Z",
    ended="2026-03-01T02:00:09.000Z",
    operator=Person("mira", "Mira", ("operator",), "A" * 40),
    closed_by="",
    roster_digest="0" * 64,
    ledger_count=4,
    ledger_head="1" * 64,
    plan=(),
    history=(),
    attestore="0.1.0",
    renderer="1",
    language="en",
    paper="A4",
)
FILES = (FileRecord("verdict.json", 2, "2" * 64), FileRecord("journal.jsonl", 3, "3" * 64))
GATES = (GateOutcome("B", "5" * 64, "FAIL"), GateOutcome("A", "4" * 64, "PASS"))


def made() -> Statement:
    return build(CONTEXT, JOURNAL, gates=GATES, backup=("b-1", "6" * 64), files=FILES)


def test_it_is_an_in_toto_statement_about_the_backup() -> None:
    told = json.loads(encode(made()))
    assert (told["_type"], told["predicateType"]) == (TYPE, PREDICATE)
    assert told["subject"] == [{"name": "backup/b-1", "digest": {"sha256": "6" * 64}}]
    assert told["predicate"]["journal"] == {"count": 1, "head": JOURNAL.head}
    assert told["predicate"]["ledger"] == {"count": 4, "head": "1" * 64}


def test_it_is_about_the_journal_where_there_is_no_backup() -> None:
    alone = build(CONTEXT, JOURNAL, gates=GATES, backup=None, files=FILES)
    assert (alone.subject, alone.subject_digest) == ("journal.jsonl", "3" * 64)


def test_the_order_of_gates_and_files_does_not_change_its_bytes() -> None:
    other = build(CONTEXT, JOURNAL, gates=GATES[::-1], backup=("b-1", "6" * 64), files=FILES[::-1])
    assert encode(other) == encode(made())


def test_it_reads_back_as_itself() -> None:
    assert decode(encode(made())) == made()
    assert made().digest == canon.sha256_hex(encode(made()))


def test_a_statement_that_leaves_the_journal_out_is_not_built() -> None:
    with pytest.raises(ValueError, match="journal"):
        build(CONTEXT, JOURNAL, gates=GATES, backup=None, files=FILES[:1])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1"),
        (("predicateType",), "urn:other"),
        (("subject",), []),
        (("subject", 0, "digest"), {"sha256": "6" * 64, "md5": "x"}),
        (("predicate", "run"), 7),
        (("predicate", "extra"), "x"),
        (("predicate", "journal", "count"), -1),
        (("predicate", "journal", "count"), True),
        (("predicate", "files"), {}),
        (("predicate", "files", 0, "size"), "3"),
        (("predicate", "gates", 0), None),
    ],
)
def test_another_shape_is_refused(path: tuple[str | int, ...], value: object) -> None:
    told: Any = json.loads(encode(made()))
    place = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(TamperedError):
        decode(canon.encode(told))


@pytest.mark.parametrize("field", ["run", "system", "gates", "journal", "ledger", "started", "operator", "files"])
def test_a_missing_field_is_refused(field: str) -> None:
    told = json.loads(encode(made()))
    del told["predicate"][field]
    with pytest.raises(TamperedError):
        decode(canon.encode(told))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"7", b'"x"', b'{"_type":1,"_type":2}', b"{}", b"\xff"])
def test_what_is_no_statement_is_refused(data: bytes) -> None:
    with pytest.raises(TamperedError):
        decode(data)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "a//x", "", ".", "a/./x", "a\\x", "a\0x"])
def test_a_path_that_leaves_the_bundle_is_refused(path: str) -> None:
    with pytest.raises(TamperedError, match="not a path inside"):
        decode(encode(replace(made(), files=(FileRecord(path, 1, "0" * 64),))))


def test_a_file_listed_twice_is_refused() -> None:
    with pytest.raises(TamperedError, match="twice"):
        decode(encode(replace(made(), files=(FileRecord("x", 1, "0" * 64), FileRecord("x", 2, "1" * 64)))))


def test_white_space_is_refused() -> None:
    with pytest.raises(TamperedError, match="canonical"):
        decode(encode(made()) + b"\n")
