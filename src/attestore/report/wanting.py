"""Who is still wanted, and why a gate is worth what it is: in the language of the document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attestore.report import numbers
from attestore.report.voice import say
from attestore.standing import Held, Standing

__all__ = ["lacking", "reason"]

_OURS: Final = (
    "Approved by ",
    "The gate asks ",
    "Needs ",
    "Waived by ",
    "Rejected by ",
    "Its evidence ",
    "The newest finished ",
)
"""how the sentences begin that a standing comes with; an audit may have put its own in their place"""


def lacking(roles: Sequence[str], more: int, *, so_far: bool) -> str:
    """People who cover the missing roles, as one thing; `so_far` says that somebody counts already."""
    if not roles and not more:
        return ""
    several = len(roles) > 1
    named = say("the roles {roles}" if several else "the role {roles}", roles=say(" and ").join(roles))
    if not more:
        return say("somebody with {named}", named=named)
    if more == 1:
        one = say("1 more person" if so_far else "1 person")
        return one + say(", with {named}", named=named) if roles else one
    people = say("{n} more people" if so_far else "{n} people", n=numbers.count(more))
    return people + say(", with {named} among them", named=named) if roles else people


def reason(held: Held) -> str:
    """The reason of a standing; what has no sentence here is told in the words that it came with."""
    people, counted = ", ".join(held.quorum.people), held.quorum
    told = held.reason
    if not told.startswith(_OURS):
        return told
    match held.standing:
        case Standing.PASS:
            told = say("Approved by {people}.", people=people) if people else say("The gate asks for no approval.")
        case Standing.AWAITING:
            told = say(
                "It needs {needs}{never}.{so_far}",
                needs=lacking(counted.roles, counted.more, so_far=bool(people)),
                never=say(", not the operator") if counted.not_the_operator else "",
                so_far=say(" So far: {people}.", people=people) if people else "",
            )
        case Standing.WAIVED:
            told = say(
                "Waived by {people} until {until}; the run itself was {outcome}.",
                people=people,
                until=numbers.instant(held.until),
                outcome=held.outcome,
            )
        case Standing.REJECTED:
            told = say("Rejected by {people}; nothing but another run takes it back.", people=people)
        case Standing.EXPIRED:
            told = say("Its evidence expired at {until}.", until=numbers.instant(held.until))
        case _:
            newest = say("The newest finished run was {outcome}.", outcome=held.outcome)
            told = told.replace(f"The newest finished run was {held.outcome}.", newest, 1)
            told = told.replace(" Its waiver is over.", say(" Its waiver is over."), 1)
    return told
