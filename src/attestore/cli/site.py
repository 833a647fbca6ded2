"""site: the archive as pages to look through, and in a few lines what they show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.text import Text

from attestore import canon, compose
from attestore.cli import dates
from attestore.cli.configured import chosen
from attestore.cli.display import consoles
from attestore.cli.status import own_gates
from attestore.compose.looks import looks
from attestore.compose.site import Built, Wanted, build_site
from attestore.errors import UsageError
from attestore.report import numbers

__all__ = ["Order", "make_site"]


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    reports: Path
    into: Path | None
    roster: Path
    gates: Path | None
    at: str
    as_json: bool
    language: str = ""


def make_site(order: Order) -> int:
    """Make it; 0, whatever the pages show."""
    if not order.reports.is_dir():
        raise UsageError(f"there is no folder {order.reports}", hint="Name the reports folder with --reports DIR.")
    own = None if order.gates is None else own_gates(order.gates)
    dressed = looks(chosen(), language=order.language)
    with compose.auditing(order.roster) as trust:
        now = trust.clock.now()
        wanted = Wanted(
            reports=order.reports,
            into=order.into or order.reports,
            at=dates.as_of(order.at, option="--at") if order.at else now,
            now=now,
            own=own,
            language=dressed.language,
            templates=dressed.templates,
            organisation=dressed.branding.organisation,
        )
        built = build_site(wanted, trust=trust)
    if order.as_json:
        typer.echo(canon.encode(_as_json(built)).decode())
    else:
        _tell(built)
    return 0


def _as_json(built: Built) -> canon.JSON:
    return {
        "index": str(built.index),
        "runs": built.runs,
        "pages": built.pages,
        "written": built.written,
        "unchanged": built.unchanged,
        "removed": built.removed,
        "gates": [{"system": row.system, "gate": row.gate, "standing": row.held.standing.value} for row in built.rows],
        "troubled": [{"run": line.run, "what": line.trust.value, "why": line.why} for line in built.troubled],
        "ledger_problems": list(built.broken),
        "unnamed": list(built.unnamed),
    }


def _tell(built: Built) -> None:
    """Where it is, and what a reader of the pages will see first."""
    out, err = consoles()
    counts = Counter(row.held.standing.value for row in built.rows)
    told = ", ".join(f"{number} {word}" for word, number in counts.items()) or "no gate"
    out.print(Text(str(built.index)))
    changed = f"{numbers.counted(built.written, 'file')} written, {numbers.count(built.unchanged)} unchanged"
    err.print(Text(f"  {numbers.counted(built.runs, 'run')}, {numbers.counted(built.pages, 'page')}: {changed}."))
    err.print(Text(f"  Standing: {told}."))
    for sentence in built.broken:
        err.print(Text(f"  The ledger does not hold: {sentence}", style="bold red"))
    if built.troubled:
        kinds = Counter(line.trust.value for line in built.troubled)
        err.print(
            Text(f"  Shown as such: {', '.join(f'{number} {word}' for word, number in kinds.items())}.", style="red")
        )
    if built.unnamed:
        err.print(Text(f"  Not in the ledger: {', '.join(built.unnamed)}.", style="red"))
