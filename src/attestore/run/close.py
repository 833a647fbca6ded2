"""Close runs that died: what their journals hold is judged, rendered and signed by whoever comes next."""

from __future__ import annotations

from pathlib import Path

from attestore import gate
from attestore.archive import Bundle, LedgerFile, unfinished
from attestore.evidence import Person
from attestore.run.finish import Ending, Finished, finish
from attestore.run.tools import Issuing

__all__ = ["close_died"]


def close_died(reports: Path, *, tools: Issuing, closer: Person) -> tuple[Finished, ...]:
    """Close every run of the ledger that neither finished nor is still going on.

    A run whose bundle is gone is left open, so that the audit finds it missing.

    Raises:
        ArchiveError, DiskError: a bundle or the ledger can't be read or written.
        PrintError, KeyringError: a report can't be printed or signed.
    """
    ledger = LedgerFile(reports)
    closed: list[Finished] = []
    for started, head in unfinished(reports):
        who = tools.roster.person_of(started.operator)
        with Bundle.reopen(reports, started.run) as bundle:
            names = [name for name in bundle.files() if name.startswith("gates/")]
            gates = [gate.load(bundle.read(name), where=name) for name in names]
            ending = Ending(
                run=started.run,
                system=started.system,
                scenario="The run died before its end; this bundle holds what it had seen until then.",
                gates=tuple(sorted(gates, key=lambda each: each.id)),
                steps=(),
                started=started.at,
                head=head,
                operator=Person(
                    id=who.id if who else "unknown",
                    name=who.name if who else "not in the roster",
                    roles=who.roles if who else (),
                    fingerprint=started.operator,
                ),
                closed_by=closer.name,
            )
            closed.append(finish(ending, tools=tools, ledger=ledger, bundle=bundle, reports=reports))
    return tuple(closed)
