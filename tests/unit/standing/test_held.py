"""What a gate is worth: boundaries to the instant, and nothing better for less."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import gate, instants
from attestore.evidence import Person
from attestore.evidence.decision import Decision, Meaning, Waiver
from attestore.gate import Approval
from attestore.standing import Judged, Standing, hold, quorum, wanted, worst_exit
from decided import GATE

END = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
LOADED = gate.load(GATE, where="gate")
POLICY = Approval(roles=("release-manager", "security"), people=2, not_the_operator=True)
KIM = Person("kim", "Kim", ("release-manager",), "A" * 40)
SAM = Person("sam", "Sam", ("security",), "B" * 40)
MIRA = Person("mira", "Mira", ("operator", "security"), "C" * 40)
MILLISECOND = timedelta(milliseconds=1)


def judged(outcome: str = "PASS") -> Judged:
    return Judged(run="r", gate=LOADED, outcome=outcome, finished=instants.text(END), operator="mira")


def says(
    who: Person, meaning: Meaning = Meaning.APPROVED, *, until: datetime | None = None, after: int = 60
) -> Decision:
    return Decision(
        run="r",
        statement="0" * 64,
        gate=LOADED.id,
        gate_digest=LOADED.digest,
        verdict="PASS",
        person=who,
        meaning=meaning,
        comment="Read.",
        at=instants.text(END + timedelta(seconds=after)),
        waiver=None if until is None else Waiver("r", "c", instants.text(until)),
    )


def standing(outcome: str, *decisions: Decision, at: datetime) -> Standing:
    return hold(judged(outcome), decisions, at=at).standing


LATER = END + timedelta(days=2)


def test_without_a_finished_run_it_was_never_run() -> None:
    assert hold(None, (), at=LATER).standing is Standing.NEVER_RUN


def test_a_pass_awaits_approval_until_two_people_cover_both_roles() -> None:
    assert standing("PASS", at=LATER) is Standing.AWAITING
    assert standing("PASS", says(KIM), at=LATER) is Standing.AWAITING
    assert standing("PASS", says(KIM), says(SAM), at=LATER) is Standing.PASS


def test_a_review_is_printed_and_does_not_count() -> None:
    assert standing("PASS", says(KIM), says(SAM, Meaning.REVIEWED), at=LATER) is Standing.AWAITING


def test_the_operator_does_not_count_where_the_gate_says_so() -> None:
    assert standing("PASS", says(KIM), says(MIRA), at=LATER) is Standing.AWAITING


def test_a_decision_counts_from_its_instant_on() -> None:
    at = END + timedelta(seconds=60)
    assert standing("PASS", says(KIM), says(SAM), at=at - MILLISECOND) is Standing.AWAITING
    assert standing("PASS", says(KIM), says(SAM), at=at) is Standing.PASS


def test_the_cadence_ends_exactly_and_its_end_is_no_longer_covered() -> None:
    end = END + timedelta(days=31)
    assert standing("PASS", says(KIM), says(SAM), at=end - MILLISECOND) is Standing.PASS
    assert standing("PASS", says(KIM), says(SAM), at=end) is Standing.EXPIRED
    assert standing("PASS", at=end) is Standing.EXPIRED
    assert hold(judged(), (says(KIM), says(SAM)), at=LATER).until == instants.text(end)


def test_a_waiver_ends_exactly_and_the_run_counts_again() -> None:
    end = END + timedelta(days=5)
    both = says(KIM, Meaning.WAIVED, until=end), says(SAM, Meaning.WAIVED, until=end)
    assert standing("FAIL", *both, at=end - MILLISECOND) is Standing.WAIVED
    assert standing("FAIL", *both, at=end) is Standing.FAIL
    assert standing("UNKNOWN", *both, at=end) is Standing.UNKNOWN


def test_a_waiver_needs_as_many_people_as_an_approval() -> None:
    end = END + timedelta(days=5)
    assert standing("FAIL", says(KIM, Meaning.WAIVED, until=end), at=LATER) is Standing.FAIL


def test_of_two_waivers_the_shorter_ends_it() -> None:
    short, long = END + timedelta(days=3), END + timedelta(days=5)
    held = hold(
        judged("FAIL"), (says(KIM, Meaning.WAIVED, until=short), says(SAM, Meaning.WAIVED, until=long)), at=LATER
    )
    assert (held.standing, held.until) == (Standing.WAIVED, instants.text(short))


def test_a_waiver_never_makes_a_pass_and_an_approval_never_makes_a_failure_one() -> None:
    assert standing("FAIL", says(KIM), says(SAM), at=LATER) is Standing.FAIL
    assert standing("UNKNOWN", says(KIM), says(SAM), at=LATER) is Standing.UNKNOWN
    end = END + timedelta(days=5)
    assert (
        standing("PASS", says(KIM, Meaning.WAIVED, until=end), says(SAM, Meaning.WAIVED, until=end), at=LATER)
        is Standing.AWAITING
    )


def test_one_person_with_a_role_rejects_and_approvals_do_not_help() -> None:
    assert standing("PASS", says(KIM), says(SAM), says(SAM, Meaning.REJECTED), at=LATER) is Standing.REJECTED
    assert standing("FAIL", says(KIM, Meaning.REJECTED), at=LATER) is Standing.REJECTED


def test_a_decision_on_another_run_or_other_bytes_of_the_gate_counts_for_nothing() -> None:
    other = [
        replace(says(SAM), run="s"),
        replace(says(SAM), gate_digest="1" * 64),
        replace(says(SAM), gate="S9-PROD-003"),
    ]
    for each in other:
        assert standing("PASS", says(KIM), each, at=LATER) is Standing.AWAITING


def test_one_person_with_two_keys_counts_once() -> None:
    both = replace(SAM, roles=("security", "release-manager"))
    found = quorum(POLICY, (says(both), says(replace(both, fingerprint="D" * 40))), operator="mira")
    assert (found.people, found.roles, found.more, found.reached) == (("Sam",), (), 1, False)


def test_one_key_with_two_people_counts_once() -> None:
    found = quorum(POLICY, (says(KIM), says(replace(SAM, fingerprint=KIM.fingerprint))), operator="mira")
    assert not found.reached


def test_two_people_with_the_same_role_leave_the_other_role_open() -> None:
    found = quorum(POLICY, (says(KIM), says(replace(KIM, id="kit", fingerprint="D" * 40))), operator="mira")
    assert (found.roles, found.more) == (("security",), 0)


@pytest.mark.parametrize(
    ("roles", "more", "so_far", "told"),
    [
        (("security",), 1, True, "1 more person, with the role security"),
        (("a", "b"), 2, False, "2 people, with the roles a and b among them"),
        ((), 1, False, "1 person"),
        ((), 3, True, "3 more people"),
        (("security",), 0, True, "somebody with the role security"),
        ((), 0, True, ""),
    ],
)
def test_who_is_wanted_is_one_thing(roles: tuple[str, ...], more: int, *, so_far: bool, told: str) -> None:
    assert wanted(roles, more, so_far=so_far) == told


def test_without_a_policy_nobody_counts() -> None:
    assert not quorum(None, (says(KIM), says(SAM)), operator="mira").reached


@pytest.mark.parametrize(
    ("standings", "code"),
    [
        ((Standing.PASS, Standing.WAIVED), 0),
        ((Standing.PASS, Standing.AWAITING), 3),
        ((Standing.EXPIRED, Standing.FAIL), 1),
        ((Standing.REJECTED, Standing.UNTRUSTED), 1),
        ((Standing.NEVER_RUN,), 3),
        ((Standing.UNTRUSTED,), 3),
        ((), 3),
    ],
)
def test_the_worst_decides_the_exit_code(standings: tuple[Standing, ...], code: int) -> None:
    assert worst_exit(standings) == code


_RANK = {Standing.PASS: 0, Standing.WAIVED: 1}

DECISIONS = st.builds(
    says,
    st.sampled_from((KIM, SAM, MIRA)),
    st.sampled_from((Meaning.APPROVED, Meaning.REVIEWED)),
    after=st.integers(0, 86_400),
)


@given(told=st.lists(DECISIONS, max_size=5), kept=st.integers(0, 5), hours=st.integers(0, 2000))
def test_fewer_approvals_are_never_a_better_standing(told: list[Decision], kept: int, hours: int) -> None:
    at = END + timedelta(hours=hours)
    more, less = hold(judged(), told, at=at).standing, hold(judged(), told[:kept], at=at).standing
    assert _RANK.get(less, 2) >= _RANK.get(more, 2)
