"""Two years of daily backups, pruned every day: the exact set, and how it differs from the rule of the original scripts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from attestore.config.retention import Policy
from attestore.retention import Candidate, Dropped, Fate, Kept, decide

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2025, 1, 1), date(2026, 12, 31)
POLICY = Policy(daily=7, weekly=4, monthly=6, at_least=3, time_zone="Europe/Berlin")
SECTION = Path(__file__).parents[3] / "docs" / "retention.md"


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def taken(day: date) -> Candidate:
    """A backup at two o'clock by the wall; on 29 March 2026 that hour does not exist."""
    at = datetime(day.year, day.month, day.day, 2, tzinfo=BERLIN).astimezone(UTC)
    return Candidate(day.isoformat(), at)


def simulated(first: date, last: date, policy: Policy) -> tuple[Fate, ...]:
    """What stands at the end of the last day, where every day takes a backup and prunes an hour later."""
    here: list[Candidate] = []
    fates: tuple[Fate, ...] = ()
    for day in days(first, last):
        newest = taken(day)
        assert newest.taken is not None
        fates = decide([*here, newest], policy, now=newest.taken + timedelta(hours=1))
        here = [fate.backup for fate in fates if isinstance(fate, Kept)]
    return fates


def originally(first: date, last: date) -> list[str]:
    """The original's rule: a backup is deleted after 7 days; one of a Sunday after 28; one of a first of a month after 180."""
    return [
        day.isoformat()
        for day in days(first, last)
        if (last - day).days < (180 if day.day == 1 else 28 if day.isoweekday() == 7 else 7)
    ]


def kept(fates: tuple[Fate, ...]) -> dict[str, list[str]]:
    return {
        fate.backup.backup: [reason.words for reason in fate.reasons]
        for fate in reversed(fates)
        if isinstance(fate, Kept)
    }


MONTH = "a month is told by its last backup, not by its first"
WEEK = "the present week is one of the four: `weekly: 5` would keep it"


def difference(ours: dict[str, list[str]], last: date, day: str) -> str:
    """Why the two rules disagree on a day; the test fails on one that neither sentence explains."""
    at = date.fromisoformat(day)
    if day in ours:
        assert (at + timedelta(days=1)).day == 1, f"nobody explains why {day} is kept on {last}"
        return MONTH
    if at.day == 1 and (last - at).days >= 28:
        return MONTH
    assert at.day == 1 or (at.isoweekday() == 7 and 21 <= (last - at).days < 28), (
        f"nobody explains why {day} goes on {last}"
    )
    return MONTH if at.day == 1 else WEEK


def table() -> list[str]:
    """The comparison on the last day, as docs/retention.md prints it."""
    ours, theirs = kept(simulated(FIRST, LAST, POLICY)), originally(FIRST, LAST)
    rows = ["| backup | here | original | why |", "|---|---|---|---|"]
    for day in sorted({*ours, *theirs}, reverse=True):
        here = "; ".join(ours.get(day, [])) or "dropped"
        there = "kept" if day in theirs else "dropped"
        why = "" if (day in ours) == (day in theirs) else difference(ours, LAST, day)
        rows.append(f"| {date.fromisoformat(day):%a %Y-%m-%d} | {here} | {there} | {why} |")
    return rows


def test_the_set_that_remains_after_two_years_is_exactly_this() -> None:
    fates = simulated(FIRST, LAST, POLICY)
    assert kept(fates) == {
        "2026-07-31": ["month 2026-07 (6 of 6)"],
        "2026-08-31": ["month 2026-08 (5 of 6)"],
        "2026-09-30": ["month 2026-09 (4 of 6)"],
        "2026-10-31": ["month 2026-10 (3 of 6)"],
        "2026-11-30": ["month 2026-11 (2 of 6)"],
        "2026-12-13": ["week 2026-W50 (4 of 4)"],
        "2026-12-20": ["week 2026-W51 (3 of 4)"],
        "2026-12-25": ["day 2026-12-25 (7 of 7)"],
        "2026-12-26": ["day 2026-12-26 (6 of 7)"],
        "2026-12-27": ["day 2026-12-27 (5 of 7)", "week 2026-W52 (2 of 4)"],
        "2026-12-28": ["day 2026-12-28 (4 of 7)"],
        "2026-12-29": ["day 2026-12-29 (3 of 7)", "3 of at least 3"],
        "2026-12-30": ["day 2026-12-30 (2 of 7)", "2 of at least 3"],
        "2026-12-31": [
            "the newest",
            "day 2026-12-31 (1 of 7)",
            "week 2026-W53 (1 of 4)",
            "month 2026-12 (1 of 6)",
            "1 of at least 3",
        ],
    }
    # the one that goes today: it was the seventh day until this morning, and a Sunday stands for its week
    assert {
        fate.backup.backup: [reason.words for reason in fate.reasons] for fate in fates if isinstance(fate, Dropped)
    } == {
        "2026-12-24": [
            "day 2026-12-24 is not among the newest 7",
            "week 2026-W52 has a newer one",
            "month 2026-12 has a newer one",
            "not among the newest 3",
        ]
    }


def test_pruning_every_day_leaves_what_pruning_once_at_the_end_leaves() -> None:
    for last in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1), LAST):
        everything = [taken(day) for day in days(FIRST, last)]
        at_once = decide(everything, POLICY, now=datetime(last.year, last.month, last.day, 12, tzinfo=UTC))
        assert set(kept(at_once)) == set(kept(simulated(FIRST, last, POLICY)))


def test_every_difference_from_the_original_is_explained_on_every_day_of_two_years() -> None:
    """Once both rules have filled up, two sentences explain all of it; the last seven days are the same on every day."""
    seen: set[str] = set()
    for last in days(FIRST + timedelta(days=214), LAST):
        everything = [taken(day) for day in days(last - timedelta(days=214), last)]
        now = everything[-1].taken
        assert now is not None
        ours, theirs = kept(decide(everything, POLICY, now=now)), set(originally(FIRST, last))
        seen |= {difference(ours, last, day) for day in set(ours) ^ theirs}
        assert {day.isoformat() for day in days(last - timedelta(days=6), last)} <= set(ours) & theirs
    assert seen == {MONTH, WEEK}


def test_the_page_prints_the_comparison_as_it_is() -> None:
    assert "\n".join(table()) in SECTION.read_text()
