"""restore: look, restore, tell what stands where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from attestore import canon, compose, resources
from attestore.archive import keep_record, using
from attestore.cli.configured import chosen
from attestore.cli.display import Quiet, Screen, consoles
from attestore.cli.doctor import code_of, looks_json, print_looks
from attestore.cli.options import REPORTS
from attestore.cli.signals import stoppable
from attestore.compose.machine import host, versions
from attestore.compose.recovery import Salvage, rescue, signing
from attestore.config.stores import StorePlace
from attestore.errors import DiskError
from attestore.ports import Watcher
from attestore.report import load_templates, markdown, numbers
from attestore.report.recovered import RecoveryRecord, recovery_document, recovery_json
from attestore.report.words import visible
from attestore.run import Rescue, Result, Surveyed, recover, survey
from attestore.run.recorded import recorded
from attestore.run.recover import PHASES

__all__ = ["place_of", "restore"]

_CODES: Final = {Result.EQUAL: 0, Result.DIFFERENT: 1, Result.INCOMPLETE: 3, Result.STOPPED: 3}
_STYLES: Final = {"EQUAL": ("✔", "bold green"), "DIFFERENT": ("✘", "bold red")}
_MOST_NAMED: Final = 12


def place_of(named: str, *, home: Path) -> StorePlace:
    """The store that is restored from: one of the configuration by its name, else what a folder or an address says.

    Raises:
        UsageError: it can't be meant.
    """
    configured = chosen()
    if configured is not None and named in configured.installation.stores:
        return configured.installation.stores[named]
    return compose.places((named,) if named else (), home=home, configured=configured)[0]


def restore(order: Salvage, *, record: Path | None, dry_run: bool, as_json: bool) -> int:
    """Restore a backup for good, or only look whether that would work; the exit code of docs/exit-codes.md."""
    out, err = consoles()
    with (
        stoppable("Give the same command again when you are ready.") as stop,
        _watching(err, order, dry_run=dry_run) as watcher,
        rescue(order, watcher=watcher, settle=stop.settle) as tools,
    ):
        surveyed = survey(order.wanted, tools=tools)
        done = None if dry_run else _restored(order, surveyed, tools=tools, record=record, say=watcher.say)
    if done is None:
        if as_json:
            typer.echo(canon.encode(looks_json(surveyed.looks)).decode())
        else:
            print_looks(surveyed.looks)
            out.print(Text("Nothing was written."))
        return code_of(surveyed.looks)
    told, code = done
    if as_json:
        typer.echo(canon.encode(recovery_json(told)).decode())
    else:
        _print(out, told)
    return code


def _restored(
    order: Salvage, surveyed: Surveyed, *, tools: Rescue, record: Path | None, say: Callable[[str], None]
) -> tuple[RecoveryRecord, int]:
    if surveyed.doubt:
        say(f"NOT AUTHENTICATED: {visible(surveyed.doubt)}. It is restored because --unauthenticated says so.")
    with ExitStack() as stack:
        if surveyed.found is not None:
            listing = surveyed.found.manifest
            configured = chosen()
            reports = REPORTS if configured is None else configured.installation.reports
            try:
                stack.enter_context(using(reports, listing.system, listing.backup))
            except DiskError as problem:
                # a bad day is no day to be stopped by a lock
                say(f"No lock keeps a prune of this machine from this backup meanwhile: {problem.message}")
        done = recover(surveyed, wanted=order.wanted, tools=tools)
    told = recorded(done, store=tools.store.location, versions=versions(tools.sealer.version), host=host())
    if record is not None:
        page = markdown(recovery_document(told), load_templates(resources.templates_folder()))
        with signing(order) as sign:
            files = {"json": canon.encode(recovery_json(told)), "md": page}
            kept = keep_record(record, told.id, files, sign=sign)
        say(f"Recorded in {kept}{'' if sign else ', unsigned: no operator key is at hand'}.")
    return told, _CODES[done.result] if done.stopped is None else done.stopped.exit_code


@contextmanager
def _watching(err: Console, order: Salvage, *, dry_run: bool) -> Iterator[Watcher]:
    clock = compose.clock()
    if err.is_terminal:
        phases = PHASES[:1] if dry_run else PHASES
        what = "dry run of a recovery" if dry_run else "recovery"
        screen = Screen(err, clock=clock, phases=phases, title=f"{what} · {order.backup} · {order.store.location}")
        with screen.live():
            yield screen
    else:
        quiet = Quiet(err, clock=clock)
        yield quiet
        quiet.end()


def _print(out: Console, record: RecoveryRecord) -> None:
    mark, style = _STYLES.get(record.result, ("?", "bold yellow"))
    out.print(Text(f" {mark} {record.result}", style=style))
    for sentence in record.verdict:
        out.print(Padding(Text(visible(sentence)), (0, 0, 0, 3)))
    if not record.vouched:
        out.print(
            Padding(Text("The backup was not authenticated: nobody vouches for it.", style="bold red"), (0, 0, 0, 3))
        )
    if record.rto is not None:
        out.print(Padding(_times(record, record.rto), (1, 0, 0, 1)))
    if record.rpo is not None:
        out.print(Text(f" The backup was {numbers.duration(record.rpo)} old when the restore was ordered."))
    named = [(f"{each.kind} {each.subject}", each.detail or each.what) for each in record.differences]
    for head, rows in (
        ("Differs from the backup", named),
        ("The restore complained", [(each, "") for each in record.errors]),
        ("The backup says of its source", [(each, "") for each in record.findings]),
    ):
        if rows:
            out.print(Padding(_named(head, rows), (1, 0, 0, 1)))


def _times(record: RecoveryRecord, rto: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title=f"Recovery time {numbers.duration(rto)}", title_justify="left")
    table.show_header = False
    for name, took in record.phases:
        table.add_row(
            Text(name), Text(numbers.duration(took), justify="right"), Text(numbers.share(took, rto), justify="right")
        )
    return table


def _named(head: str, rows: list[tuple[str, str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(head, overflow="fold")
    table.add_column("", overflow="fold")
    for name, what in rows[:_MOST_NAMED]:
        table.add_row(Text(_told(name)), Text(_told(what)))
    if len(rows) > _MOST_NAMED:
        table.add_row(Text(f"… and {len(rows) - _MOST_NAMED:,} more"), Text("--json and --record name all of them"))
    return table


def _told(text: str) -> str:
    """What somebody else wrote, on one line; the two spaces behind a server's ERROR: are one."""
    return visible(re.sub(" {2,}", " ", text))
