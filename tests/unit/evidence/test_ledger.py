from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import instants
from attestore.errors import TamperedError
from attestore.evidence import GENESIS, ledger
from attestore.evidence.ledger import (
    BackupStored,
    Checkpoint,
    Entry,
    RunClosed,
    RunFinished,
    RunStarted,
    decode_checkpoint,
    encode_checkpoint,
    read,
    written,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
INSTANTS = st.integers(0, 200_000_000_000_000).map(lambda ms: instants.text(datetime.fromtimestamp(ms / 1000, UTC)))
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(RunStarted, INSTANTS, TEXT, TEXT, TEXT, PAIRS),
    st.builds(BackupStored, INSTANTS, TEXT, TEXT, TEXT, TEXT),
    st.builds(RunFinished, INSTANTS, TEXT, TEXT, PAIRS),
    st.builds(RunClosed, INSTANTS, TEXT, TEXT, TEXT, PAIRS),
)
AT = "2026-03-01T02:00:00.000Z"
THREE = (
    RunStarted(AT, "r", "shop", "A" * 40, (("G", "0" * 64),)),
    BackupStored(AT, "b", "shop", "1" * 64, "r"),
    RunFinished(AT, "r", "2" * 64, (("G", "PASS"),)),
)


@given(st.lists(ENTRIES, max_size=4))
def test_what_is_written_is_read_back(entries: list[Entry]) -> None:
    known = read(written(entries))
    assert (list(known.entries), known.count, known.torn) == (entries, len(entries), False)


@given(st.lists(ENTRIES, max_size=4), st.integers(0, 4), st.sampled_from([b"", b'{"at":"20']))
def test_a_ledger_is_the_same_read_at_once_or_in_two_parts(entries: list[Entry], first: int, torn: bytes) -> None:
    data, head = written(entries) + torn, written(entries[:first])
    assert read(data[len(head) :], after=read(head)) == read(data)


@given(st.lists(ENTRIES, min_size=2, max_size=4))
def test_lines_that_follow_another_ledger_are_refused(entries: list[Entry]) -> None:
    one = written(entries[:1])
    for other in (read(b""), read(written(THREE[:1]))):
        with pytest.raises(TamperedError):
            read(written(entries)[len(one) :], after=other)


def test_a_ledger_that_is_read_in_parts_may_not_be_longer_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_MOST_LINES", 3)
    head = written(THREE[:2])
    with pytest.raises(TamperedError, match="more than 3 lines"):
        read(written(THREE)[len(head) :], after=read(head))


def test_an_empty_ledger_begins_at_genesis() -> None:
    assert (read(b"").head, read(b"").count) == (GENESIS, 0)


def test_it_knows_its_head_at_every_length() -> None:
    known = read(written(THREE))
    assert [known.head_at(n) for n in range(4)] == [read(written(THREE[:n])).head for n in range(4)]


@given(st.integers(1, 200))
def test_a_torn_last_line_is_left_out(cut: int) -> None:
    data = written(THREE)
    last = len(data) - data[:-1].rfind(b"\n") - 1
    known = read(data[: len(data) - min(cut, last - 1)])
    assert (known.entries, known.torn) == (THREE[:2], True)


@given(st.data())
def test_any_flipped_byte_before_the_last_line_end_is_noticed(data: st.DataObject) -> None:
    whole = written(THREE)
    at = data.draw(st.integers(0, len(whole) - 2))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    try:
        known = read(bytes(changed))
    except TamperedError:
        return
    assert known.head != read(whole).head


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[0].replace(b'"n":1', b'"n":2'), *lines[1:]],
        lambda lines: [lines[0].replace(b"run.started", b"run.sprinted")],
        lambda lines: [lines[0].replace(b'{"at"', b'{ "at"')],
        lambda lines: [lines[0].replace(b'"run":"r"', b'"run":1')],
        lambda lines: [lines[0].replace(b'"run":"r",', b"")],
        lambda lines: [lines[0].replace(b'[["G"', b'[["G","x"')],
        lambda lines: [lines[0].replace(b'"run":"r"', b'"run":"r","more":1')],
        lambda lines: [lines[0].replace(b"02:00:00.000Z", b"25:00:00.000Z"), *lines[1:]],
        lambda lines: [b"\n", *lines],
        lambda lines: [*lines, b"[]\n"],
        lambda lines: [*lines, b"x" * (1 << 21) + b"\n"],
    ],
)
def test_a_whole_line_out_of_its_place_or_form_is_refused(change: object) -> None:
    assert callable(change)
    lines = written(THREE).splitlines(keepends=True)
    with pytest.raises(TamperedError, match="line"):
        read(b"".join(change(lines)))


def test_a_checkpoint_reads_back_as_itself() -> None:
    point = Checkpoint(3, "7" * 64, AT)
    assert decode_checkpoint(encode_checkpoint(point)) == point


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]\n",
        b"7\n",
        encode_checkpoint(Checkpoint(3, "7" * 64, AT))[:-1],
        encode_checkpoint(Checkpoint(3, "7" * 64, AT)).replace(b"v1", b"v2"),
        encode_checkpoint(Checkpoint(3, "7" * 64, AT)).replace(b":3", b":-3"),
        encode_checkpoint(Checkpoint(3, "7" * 64, AT)).replace(b":3", b":true"),
        encode_checkpoint(Checkpoint(3, "7" * 64, AT)).replace(b"{", b'{"count":9,'),
        encode_checkpoint(Checkpoint(3, "7" * 64, "yesterday")),
    ],
)
def test_another_checkpoint_is_refused(data: bytes) -> None:
    with pytest.raises(TamperedError):
        decode_checkpoint(data)
