"""What a gate is worth on a date, and which decisions may bear on it: pure opinions, the same for a run and its audit."""

from attestore.standing.held import NEVER_RUN, Held, Judged, Quorum, Standing, hold, newest, quorum, wanted, worst_exit
from attestore.standing.rules import Objection, Seen, objections

__all__ = [
    "NEVER_RUN",
    "Held",
    "Judged",
    "Objection",
    "Quorum",
    "Seen",
    "Standing",
    "hold",
    "newest",
    "objections",
    "quorum",
    "wanted",
    "worst_exit",
]
