"""People are told of each change once, of each end once, and of nothing else."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.errors import TamperedError
from attestore.forecast import Forecast, Outlook, Target
from attestore.report.metrics import GateFigure
from attestore.report.notices import Told, decode, encode, notices
from attestore.standing import Standing

AT = "2026-03-02T00:00:00.000Z"
WEEK = 7 * 86_400_000
GATE = GateFigure("shop", "S9-PROD-004", Standing.PASS, until="2026-03-30T00:00:00.000Z", finished=AT)
KNOWN = {("shop", "S9-PROD-004"): Told("PASS")}


def test_a_gate_that_stays_what_it_was_is_no_news() -> None:
    """Silence when nothing changed is what makes the other messages read."""
    assert notices(KNOWN, (GATE,), at=AT, before_ms=WEEK) == ((), KNOWN)


def test_a_gate_that_is_new_and_passes_is_no_news() -> None:
    """The first time of asking must not tell of everything that is fine."""
    due, now = notices({}, (GATE,), at=AT, before_ms=WEEK)
    assert not due
    assert now == KNOWN


@pytest.mark.parametrize("standing", [each for each in Standing if each is not Standing.PASS])
def test_every_change_is_told_with_what_it_was(standing: Standing) -> None:
    """For better or worse."""
    (notice,), _ = notices(KNOWN, (replace(GATE, standing=standing),), at=AT, before_ms=WEEK)
    assert notice.title == f"S9-PROD-004 of shop: {standing.value}"
    assert "It was PASS." in notice.body
    assert notice.bad == (standing.exit_code != 0)


def test_an_end_is_announced_once() -> None:
    """And again only for another end."""
    near = replace(GATE, until="2026-03-08T00:00:00.000Z")
    (notice,), known = notices(KNOWN, (near,), at=AT, before_ms=WEEK)
    assert notice.title == "S9-PROD-004 of shop: 6 days left"
    assert notices(known, (near,), at=AT, before_ms=WEEK)[0] == ()
    later = replace(GATE, until="2026-03-07T00:00:00.000Z")
    assert len(notices(known, (later,), at=AT, before_ms=WEEK)[0]) == 1


def test_an_end_that_is_over_is_told_as_a_change_only() -> None:
    """The gate has expired by then; a countdown of nothing helps nobody."""
    over = replace(GATE, standing=Standing.EXPIRED, until="2026-03-01T00:00:00.000Z")
    (notice,), _ = notices(KNOWN, (over,), at=AT, before_ms=WEEK)
    assert notice.title.endswith("EXPIRED")


@given(st.lists(st.sampled_from(Standing), min_size=1, max_size=8))
def test_there_are_as_many_messages_as_changes(history: list[Standing]) -> None:
    """Whatever a gate goes through."""
    known, told = dict(KNOWN), 0
    for standing in history:
        due, after = notices(known, (replace(GATE, standing=standing, until=""),), at=AT, before_ms=WEEK)
        told, known = told + len(due), dict(after)
    path = [Standing.PASS, *history]
    assert told == sum(a is not b for a, b in itertools.pairwise(path))


@given(
    st.dictionaries(
        st.tuples(st.text(max_size=9), st.text(max_size=9)), st.builds(Told, st.text(max_size=5), st.text(max_size=5))
    )
)
def test_what_people_know_is_read_back_as_it_was_written(known: dict[tuple[str, str], Told]) -> None:
    """Between two times of asking it lies in a file."""
    try:
        data = encode(known)
    except ValueError:
        return  # a lone surrogate is no text of a gate
    assert decode(data, what="told.json") == known


def test_a_file_of_another_kind_is_refused() -> None:
    """Else everybody would be told everything again."""
    with pytest.raises(TamperedError, match=r"told\.json"):
        decode(b'{"format":"else","told":[]}', what="told.json")


def test_a_hostile_name_stays_on_its_line() -> None:
    """A message is text; a line feed in a name would forge one."""
    (notice,), _ = notices({}, (replace(GATE, system="shop\nS9: PASS", standing=Standing.FAIL),), at=AT, before_ms=WEEK)
    assert "\n" not in notice.title


def test_that_a_recovery_time_comes_to_its_target_is_told_once_while_it_is_near() -> None:
    """Its date moves with each run; that is no news. Once it was far again, it is."""
    told = Forecast(
        Outlook.EXPECTED, Target(1_800_000, 1_799_999), newest_ms=1_700_000, runs=9, days=9, left_out=0, others=0,
        first="2025-06-01T00:00:00.000Z", last="2026-02-01T00:00:00.000Z", about="2026-03-20T00:00:00.000Z",
        early="2026-03-10T00:00:00.000Z", late="2026-04-20T00:00:00.000Z", horizon="2026-10-01T00:00:00.000Z",
    )  # fmt: skip
    near, moved = replace(GATE, forecast=told), replace(GATE, forecast=replace(told, about="2026-03-25T00:00:00.000Z"))
    far = replace(GATE, forecast=replace(told, about="2026-05-25T00:00:00.000Z", late=""))
    (notice,), known = notices(KNOWN, (near,), at=AT, before_ms=WEEK)
    assert notice.title == "S9-PROD-004 of shop: its recovery time target will be broken about 2026-03-20"
    assert "With 90% confidence: between 2026-03-10 and 2026-04-20. From 9 runs" in notice.body
    assert decode(encode(known), what="told") == known
    assert notices(known, (moved,), at=AT, before_ms=WEEK)[0] == ()
    due, known = notices(known, (far,), at=AT, before_ms=WEEK)
    assert not due
    assert len(notices(known, (moved,), at=AT, before_ms=WEEK)[0]) == 1
