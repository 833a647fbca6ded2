"""What earlier runs of a system tell, as far as somebody whom the roster trusts has signed it.

One good signature vouches for many runs. A signed statement names the ledger's head at the start of its run, and so every entry
before; an entry that ends a run names that run's statement by digest, and a statement its journal. So the newest run is asked of
gpg, and those before it are compared by digests alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from attestore import canon, facts, forecast, instants
from attestore.archive import layout
from attestore.archive.ledger import LedgerFile
from attestore.archive.opened import Contents, read_bundle
from attestore.config import Roster
from attestore.errors import ArchiveError, TamperedError
from attestore.evidence import Doubt, Observation, Past, journal, statement
from attestore.evidence.ledger import Ledger, RunClosed, RunFinished, RunStarted
from attestore.evidence.statement import Statement
from attestore.ports import Verifier

__all__ = ["history"]


def history(
    reports: Path,
    system: str,
    *,
    roster: Roster,
    verifier: Verifier,
    limit: int = 50,
    at: datetime | None = None,
) -> tuple[Past, ...]:
    """Runs of a system that were finished by an instant, by gate, newest first, at most `limit` of each gate.

    The ledger says which, their journals how fast; figures that nobody vouches for are left out, and why is told.

    Raises:
        ArchiveError, TamperedError: the ledger cannot be read.
    """
    known = LedgerFile(reports).read()
    whose: dict[str, str] = {}
    for each in known.entries:
        # a run starts once, too
        if isinstance(each, RunStarted):
            whose.setdefault(each.run, each.system)
    trusted = _Trusted(reports, known, system=system, roster=roster, verifier=verifier)
    counted: Counter[str] = Counter()
    past: list[Past] = []
    for number, entry in reversed(known.ends()):
        if whose.get(entry.run) != system:
            continue
        if at is not None and instants.parse(entry.at) > at:
            continue
        wanted = [(gate, outcome) for gate, outcome in entry.outcomes if counted[gate] < limit]
        counted.update(gate for gate, _ in wanted)
        seen = trusted.look(entry, number) if wanted else ()
        doubt = seen if isinstance(seen, Doubt) else None
        observed = () if isinstance(seen, Doubt) else seen
        figures, whole = _figures(observed), forecast.measured(observed)
        past += [
            Past(
                run=entry.run,
                gate=gate,
                finished=entry.at,
                outcome=outcome,
                rto_ms=figures.get("restore.rto"),
                sealed_bytes=figures.get("backup.size.sealed"),
                measured=whole,
                doubt=doubt,
            )
            for gate, outcome in wanted
        ]
    return tuple(past)


class _Trusted:
    """Journals of the runs of one ledger, asked for from the newest to the oldest."""

    def __init__(self, reports: Path, known: Ledger, *, system: str, roster: Roster, verifier: Verifier) -> None:
        self._reports, self._known, self._system = reports, known, system
        self._roster, self._verifier = roster, verifier
        self._vouched = 0
        """entries that a good signature names by the ledger's head after them"""

    def look(self, entry: RunFinished | RunClosed, number: int) -> tuple[Observation, ...] | Doubt:
        """What the run saw, where that is signed; else why it does not count."""
        if not layout.is_run(entry.run) or not (self._reports / entry.run).is_dir():
            return Doubt.MISSING
        try:
            contents = read_bundle(self._reports / entry.run)
            text = contents.read(layout.STATEMENT)
            told = statement.decode(text)
            if canon.sha256_hex(text) != entry.statement or not _same(told, entry, system=self._system):
                return Doubt.CHANGED
            data = contents.read(layout.JOURNAL)
            listed = {record.path: record.digest for record in told.files}
            if listed.get(layout.JOURNAL) != canon.sha256_hex(data):
                return Doubt.CHANGED
            if number > self._vouched and not self._signed(contents, told, digest=entry.statement):
                return Doubt.UNSIGNED
            return journal.read(data).observations
        except (ArchiveError, TamperedError):
            return Doubt.CHANGED

    def _signed(self, contents: Contents, told: Statement, *, digest: canon.Digest) -> bool:
        """Whether an operator whom the roster trusts has signed the statement, by a key in force; if so, the entries before it hold, too."""
        try:
            seal = contents.read(f"{layout.STATEMENT}.asc")
            signer = self._verifier.verify(seal, contents.path(layout.STATEMENT))
            ended = instants.parse(told.ended)
        except (TamperedError, ValueError):
            return False
        if self._roster.person_of(signer, role="operator", at=ended) is None:
            return False
        if not told.closed_by and told.operator != signer:
            return False
        # the file may have been another one when gpg read it
        if contents.digest(layout.STATEMENT) != digest:
            return False
        if told.ledger_count > self._known.count or self._known.head_at(told.ledger_count) != told.ledger_head:
            return False
        self._vouched = max(self._vouched, told.ledger_count)
        return True


def _same(told: Statement, entry: RunFinished | RunClosed, *, system: str) -> bool:
    """Whether statement and ledger speak of the same run, and the same end of it."""
    gates = sorted((each.gate, each.outcome) for each in told.gates)
    return (told.run, told.system, gates) == (entry.run, system, sorted(entry.outcomes))


def _figures(seen: Iterable[Observation]) -> dict[str, int]:
    """Durations and sizes."""
    return {
        each.fact: int(each.value)
        for each in seen
        if facts.FACTS[each.fact].kind in {facts.Kind.DURATION, facts.Kind.SIZE} and not each.subject
    }
