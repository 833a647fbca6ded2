"""Whether the figures and times of a run can be true together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from attestore import instants
from attestore.amounts import amount
from attestore.archive.layout import JOURNAL
from attestore.audit.content import Evidence
from attestore.audit.findings import Notebook
from attestore.audit.times import SLACK
from attestore.errors import TamperedError
from attestore.evidence import Observation
from attestore.evidence.statement import Statement
from attestore.facts import FACTS, RTO_PHASES, Kind

__all__ = ["check", "instant", "signing"]

_STEP: Final = timedelta(seconds=1)
"""How far a wall clock may be set back while a run goes on, as time services do"""

_DRIFT_MS: Final = 5_000
_MOST_ROWS_PER_S: Final = 5_000_000


def instant(written: str) -> datetime:
    """An instant of the evidence.

    Raises:
        TamperedError: it is not written as instants are.
    """
    try:
        return instants.parse(written)
    except ValueError as problem:
        raise TamperedError(f"{written!r} is not an instant in UTC with milliseconds") from problem


def check(evidence: Evidence, *, statement: Statement | None, at: datetime, book: Notebook) -> None:
    """Compare times and figures with each other, as far as the bundle tells them."""
    if evidence.journal is None:
        return
    observations = evidence.journal.observations
    with book.guarded("time", of=JOURNAL):
        _clocks(observations, book=book)
        _order(evidence, observations, statement=statement, at=at, book=book)
    _phases(observations, book=book)
    _rates(observations, book=book)


def signing(made: Mapping[str, datetime], *, statement: Statement, book: Notebook) -> None:
    """No file of a run was signed before the run had ended, by the signatures' own clocks."""
    with book.guarded("time"):
        ended = instant(statement.ended)
        early = {name: at for name, at in made.items() if at < ended - SLACK}
        for name, at in early.items():
            book.problem(
                "time", f"{name} is signed {instants.text(at)}, before the end of the run, {statement.ended}.", of=name
            )
        if made and not early:
            book.ok("time", f"All {len(made)} signatures are dated after the end of the run.")


def _clocks(observations: tuple[Observation, ...], *, book: Notebook) -> None:
    times = [instant(observation.at) for observation in observations]
    ticks = [observation.tick for observation in observations]
    back = sum(later < earlier for earlier, later in pairwise(ticks))
    stepped = sum(later < earlier - _STEP for earlier, later in pairwise(times))
    if back:
        book.problem("time", f"The monotonic clock runs backwards at {amount(back, 'line')}.", of=JOURNAL)
    if stepped:
        book.problem("time", f"The wall clock was set back at {amount(stepped, 'line')}.", of=JOURNAL)
    if not observations or back or stepped:
        return
    wall_ms = round((times[-1] - times[0]).total_seconds() * 1000)
    drift = abs(wall_ms - (ticks[-1] - ticks[0]))
    if drift > _DRIFT_MS:
        book.note("time", f"Wall clock and monotonic clock disagree by {drift:,} ms over the run.", of=JOURNAL)
    else:
        book.ok("time", f"Both clocks run forward and agree within {drift} ms over {wall_ms:,} ms.", of=JOURNAL)


def _order(
    evidence: Evidence,
    observations: tuple[Observation, ...],
    *,
    statement: Statement | None,
    at: datetime,
    book: Notebook,
) -> None:
    """Known instants in the order in which they must lie; those of other machines' clocks with some slack."""
    told = {o.fact: o for o in observations if FACTS[o.fact].kind is Kind.INSTANT}
    steps: list[tuple[str, datetime]] = []
    if statement is not None:
        steps.append(("start of the run", instant(statement.started)))
    listing = evidence.manifest
    if "snapshot.taken" in told:
        # a drill restores the backup of an older run: its snapshot lies before this one
        drills = listing is not None and statement is not None and listing.run != statement.run
        taken = ("snapshot of the source", instant(str(told["snapshot.taken"].value)))
        steps.insert(0 if drills else len(steps), taken)
    elif listing is not None:
        steps.insert(0, ("snapshot of the source", instant(listing.taken)))
    if "restore.ordered" in told:
        steps.append(("order to restore", instant(str(told["restore.ordered"].value))))
    if statement is not None:
        steps.append(("end of the run", instant(statement.ended)))
    steps.append(("this audit", at))
    wrong = [(earlier, later) for earlier, later in pairwise(steps) if later[1] < earlier[1] - SLACK]
    for earlier, later in wrong:
        book.problem(
            "time",
            f"The {later[0]} ({instants.text(later[1])}) lies before the {earlier[0]} ({instants.text(earlier[1])}).",
        )
    if statement is not None and observations and statement.ended < observations[-1].at:
        book.problem("time", f"The statement's end {statement.ended} lies before the journal's, {observations[-1].at}.")
    elif not wrong:
        book.ok("time", f"{', '.join(name for name, _ in steps)}: in this order.")


def _phases(observations: tuple[Observation, ...], *, book: Notebook) -> None:
    figures = {o.fact: int(o.value) for o in observations if FACTS[o.fact].kind is Kind.DURATION and not o.subject}
    if "restore.rto" not in figures:
        return
    parts = {phase: figures.get(f"restore.{phase}") for phase in RTO_PHASES}
    missing = [phase for phase, took in parts.items() if took is None]
    if missing:
        book.problem("time", f"There is an RTO, but no time of {', '.join(missing)}.", of=JOURNAL)
        return
    total = sum(took for took in parts.values() if took is not None)
    if any(took is not None and took < 0 for took in parts.values()):
        book.problem("time", "An RTO phase took less than no time.", of=JOURNAL)
    book.expect(
        "time",
        total == figures["restore.rto"],
        f"The {len(parts)} RTO phases sum to {total:,} ms, the RTO.",
        otherwise=f"The RTO phases sum to {total:,} ms, but the RTO is said to be {figures['restore.rto']:,} ms.",
        of=JOURNAL,
    )
    ticks = {o.fact: o.tick for o in observations}
    began, ended = ticks.get("restore.ordered"), ticks.get("restore.rto")
    if began is not None and ended is not None and figures["restore.rto"] > ended - began + 1:
        book.problem(
            "time",
            f"The RTO of {figures['restore.rto']:,} ms is longer than the {ended - began:,} ms between its lines.",
            of=JOURNAL,
        )


def _rates(observations: tuple[Observation, ...], *, book: Notebook) -> None:
    figures = {o.fact: o.value for o in observations if not o.subject}
    rows, took = figures.get("rows.restored"), figures.get("restore.data")
    if type(rows) is not int or type(took) is not int:
        return
    rate = rows * 1000 // max(took, 1)
    if rate > _MOST_ROWS_PER_S and rows > _MOST_ROWS_PER_S:
        book.note(
            "time", f"{rate:,} rows per second were restored, more than one would expect of one server.", of=JOURNAL
        )
