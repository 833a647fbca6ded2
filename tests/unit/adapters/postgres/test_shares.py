"""What an archive holds is dealt out whole, and nothing is apart from what it needs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from attestore.adapters.postgres.shares import dealt

HEAD = ";\n; Archive created at 2026-11-27 01:00:15 UTC\n;     dbname: app\n;\n; Selected TOC Entries:\n;\n"


def listing(needs: list[list[int]], *, before: int = 0) -> str:
    """As pg_restore writes it: entry `n` needs `needs[n]`, the first `before` of them are of a function."""
    lines = [HEAD, "9001; 0 0 ENCODING - ENCODING \n9002; 1262 16384 DATABASE - app postgres\n"]
    for number, others in enumerate(needs):
        what = "FUNCTION public f() postgres" if number < before else "TABLE public t postgres"
        lines.append(f"{number}; 1259 16385 {what}\n")
        if others:
            lines.append(f";\tdepends on: {' '.join(map(str, others))}\n")
    return "".join(lines)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 2199), st.integers(0, 2199)), max_size=400),
    before=st.integers(0, 50),
    most=st.integers(1, 4),
)
@settings(max_examples=25, deadline=None)
def test_every_entry_is_in_one_share_beside_all_that_it_needs(
    pairs: list[tuple[int, int]], before: int, most: int
) -> None:
    needs: list[list[int]] = [[] for _ in range(2200)]
    for one, other in pairs:
        needs[one].append(other)
    shares = dealt(listing(needs, before=before), most=most)
    assert shares.first == tuple(range(before))
    if most == 1:
        assert shares.each == ()
    if not shares.each:
        return
    assert 2 <= len(shares.each) <= most
    assert sorted(number for share in shares.each for number in share) == list(range(before, 2200))
    assert all(list(share) == sorted(share) for share in shares.each)
    where = {number: place for place, share in enumerate(shares.each) for number in share}
    assert all(where[one] == where[other] for one, other in pairs if min(one, other) >= before)


def test_tables_that_know_nothing_of_each_other_are_halved() -> None:
    shares = dealt(listing([[]] * 2000), most=2)
    assert [len(share) for share in shares.each] == [1000, 1000]


def test_what_hangs_together_is_not_dealt_out_and_neither_is_little() -> None:
    chain: list[list[int]] = [[]] + [[number] for number in range(1999)]
    assert dealt(listing(chain), most=2).each == ()
    assert dealt(listing([[]] * 999), most=2).each == ()
    assert dealt("", most=2).each == ()


def test_a_name_is_no_entry() -> None:
    """pg_restore writes a space for each line break of a name."""
    told = HEAD + "7; 1259 1 TABLE public x 8; 0 0 TABLE public y postgres ;\tdepends on: 9 postgres\n"
    assert dealt(told, most=2).first == ()
    told += "10; 0 0 FUNCTION public a\rb() postgres\n"
    assert dealt(told.replace("TABLE", "TYPE"), most=2).first == (7, 10)


def test_event_triggers_and_what_is_said_of_them_come_after_every_share() -> None:
    told = listing([[]] * 2000) + (
        "3000; 3466 16400 EVENT TRIGGER - aaa postgres\n;\tdepends on: 5\n"
        "3001; 0 0 COMMENT - EVENT TRIGGER aaa postgres\n;\tdepends on: 3000\n"
    )
    shares = dealt(told, most=2)
    assert shares.last == (3000, 3001)
    assert sorted(number for share in shares.each for number in share) == list(range(2000))
