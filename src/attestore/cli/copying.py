"""copy: backups into the stores that lack them."""

from __future__ import annotations

import typer
from rich.text import Text

from attestore import canon, compose, instants
from attestore.archive import turn
from attestore.cli.cycle import Order
from attestore.cli.display import Quiet, consoles
from attestore.compose.copying import copying
from attestore.run.copy import Copied, copy_missing, finish_pending

__all__ = ["copy_backups"]


def copy_backups(order: Order) -> int:
    """Copy, and tell what was copied; 0, also where every store had everything."""
    settings = order.settings
    out, err = consoles()
    watcher = Quiet(err, clock=compose.clock())
    with (
        turn(settings.reports, settings.system, "backup", since=instants.text(compose.clock().now())),
        copying(settings, watcher=watcher) as doors,
    ):
        done = finish_pending(doors, system=settings.system)
        done += copy_missing(doors, system=settings.system, wanted=settings.backup, source=settings.from_store)
    if order.as_json:
        typer.echo(canon.encode([_as_json(each) for each in done]).decode())
        return 0
    for each in done:
        origin = f"store {each.source}" if each.source else "this machine, where it had waited"
        out.print(Text(f"{each.backup}  from {origin} into {', '.join(each.into)}, every byte read back"))
    if not done:
        out.print(Text("Every store has it already."))
    return 0


def _as_json(each: Copied) -> canon.JSON:
    return {"backup": each.backup, "from": each.source or None, "into": list(each.into)}
