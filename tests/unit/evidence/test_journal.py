from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import canon
from attestore.errors import TamperedError
from attestore.evidence import GENESIS, Observation
from attestore.evidence.journal import line, link, read, written
from attestore.facts import FACTS, Kind, Value

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
VALUES: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.DURATION: st.integers(0, 10**9),
    Kind.SIZE: st.integers(0, 2**50),
    Kind.COUNT: st.integers(0, 1000),
    Kind.FLAG: st.booleans(),
    Kind.TEXT: TEXT,
    Kind.INSTANT: st.just("2026-11-22T20:00:00.000Z"),
}


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    fact = draw(st.sampled_from(list(FACTS.values())))
    return Observation(
        at="2026-11-22T20:00:00.000Z",
        tick=draw(st.integers(0, 10**7)),
        fact=fact.name,
        subject=draw(TEXT),
        value=draw(VALUES[fact.kind]),
        source=draw(TEXT),
    )


FEW = (
    Observation("2026-11-22T20:00:00.000Z", 0, "run.system", "", "gallery", "plan"),
    Observation("2026-11-22T20:00:01.000Z", 1000, "restore.rto", "", 840, "clock"),
    Observation("2026-11-22T20:00:01.500Z", 1500, "seal.decrypts", "archive", True, "gpg 2.2.40"),
    Observation("2026-11-22T20:00:02.000Z", 2000, "run.completed", "", True, "run"),
)
WHOLE = written(FEW)


@given(st.lists(observations(), max_size=6))
def test_what_is_written_is_read_back(several: list[Observation]) -> None:
    journal = read(written(several))
    assert journal.observations == tuple(several)
    assert len(journal) == len(several)


def test_an_empty_journal_ends_where_it_began() -> None:
    assert read(b"").head == GENESIS


def test_each_line_is_bound_to_the_one_before() -> None:
    head = GENESIS
    for number, observation in enumerate(FEW, start=1):
        head = link(line(observation, number=number, previous=head))
    assert read(WHOLE).head == head


@pytest.mark.parametrize("bit", range(8))
def test_any_flipped_bit_is_noticed(bit: int) -> None:
    """Each byte of the journal, refused or at least another head: the signed head then no longer fits."""
    head = read(WHOLE).head
    for place in range(len(WHOLE)):
        damaged = bytearray(WHOLE)
        damaged[place] ^= 1 << bit
        try:
            journal = read(bytes(damaged))
        except TamperedError:
            continue
        assert (journal.head, len(journal)) != (head, len(FEW))


@given(st.lists(observations(), min_size=2, max_size=5), st.data())
def test_a_line_taken_out_added_or_moved_is_noticed(several: list[Observation], data: st.DataObject) -> None:
    lines = written(several).splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 2))
    taken = b"".join(lines[:at] + lines[at + 1 :])
    added = b"".join([*lines[: at + 1], lines[at], *lines[at + 1 :]])
    moved = b"".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]])
    for damaged in (taken, added, moved):
        with pytest.raises(TamperedError):
            read(damaged)


@pytest.mark.parametrize("left", range(1, len(WHOLE.splitlines(keepends=True)[-1])))
def test_a_torn_last_line_is_left_out(left: int) -> None:
    """The run died while writing it; what was whole before stays evidence."""
    last = WHOLE.splitlines(keepends=True)[-1]
    journal = read(WHOLE[: -len(last) + left])
    assert journal.observations == FEW[:-1]


def test_a_journal_that_lost_its_tail_has_another_head_and_length() -> None:
    """It reads well; this is why the head and the number of lines are signed together."""
    lines = WHOLE.splitlines(keepends=True)
    shorter = read(b"".join(lines[:-1]))
    assert len(shorter) == len(FEW) - 1
    assert shorter.head != read(WHOLE).head


def forged(**changes: canon.JSON) -> bytes:
    body = canon.decode(WHOLE.splitlines()[0], what="x")
    assert isinstance(body, dict)
    return canon.encode({key: value for key, value in (body | changes).items() if value is not None}) + b"\n"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fact": "restore.luck"}, "not in the vocabulary"),
        ({"value": 7}, "is a text, not 7"),
        ({"fact": "restore.rto", "value": True}, "is a duration, not True"),
        ({"previous": "1" * 64}, "not bound to the line before"),
        ({"previous": None}, "not bound to the line before"),
        ({"n": 2}, "canonical form"),
        ({"unit": "ms"}, "canonical form"),
        ({"extra": 1}, "canonical form"),
        ({"at": 5}, "wrong type"),
        ({"tick": "5"}, "wrong type"),
        ({"tick": True}, "wrong type"),
        ({"source": None}, "lacks a field"),
        ({"value": None}, "lacks a field"),
        ({"value": ["a"]}, "is a text, not"),
    ],
)
def test_a_line_that_says_something_else_is_refused_with_its_number(changes: dict[str, canon.JSON], words: str) -> None:
    with pytest.raises(TamperedError, match=r"^journal\.jsonl line 1") as caught:
        read(forged(**changes))
    assert words in caught.value.message


@pytest.mark.parametrize(
    "damaged", [b"[]\n", b'"a"\n', b"null\n", b"\n", b" " + WHOLE, WHOLE + b"\n", WHOLE[:-1] + b"\r\n"]
)
def test_what_is_no_journal_is_refused(damaged: bytes) -> None:
    with pytest.raises(TamperedError):
        read(damaged)


def test_lines_and_files_without_bounds_are_refused() -> None:
    with pytest.raises(TamperedError, match="longer than"):
        read(b'"' + b"a" * (1 << 20) + b'"\n')
    with pytest.raises(TamperedError, match="more than 1000000 lines"):
        read(b"\n" * 1_000_001)


@pytest.mark.parametrize("field", ["at", "subject", "source"])
@pytest.mark.parametrize("value", [7, True, None, [], {}])
def test_a_field_of_text_that_holds_something_else_is_refused(field: str, value: canon.JSON) -> None:
    """Such a line is in its canonical form: comparing bytes alone would let it pass."""
    told = canon.decode(line(FEW[0], number=1, previous=GENESIS)[:-1], what="a line")
    assert isinstance(told, dict)
    with pytest.raises(TamperedError, match="wrong type"):
        read(canon.encode({**told, field: value}) + b"\n")


@pytest.mark.parametrize("body", [b"[1,2]", b'"text"', b"null", b"1", b"NaN", b"[" * 100_000, b"{", b"\xff", b""])
def test_a_line_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(TamperedError):
        read(body + b"\n")


def test_a_key_that_stands_twice_is_refused() -> None:
    """Both say the same, and the last one is what a lenient reader takes."""
    with pytest.raises(TamperedError, match="twice"):
        read(WHOLE.replace(b'"tick":0,', b'"tick":0,"tick":0,', 1))
