"""prune: which backups stay, which go, and why; then the deletion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from attestore import canon, compose, instants
from attestore.archive import turn
from attestore.cli.configured import chosen
from attestore.cli.cycle import Order
from attestore.cli.display import consoles
from attestore.cli.signals import stoppable
from attestore.cli.watching import told_after
from attestore.compose.configured import Configured
from attestore.compose.pruning import policy_of, pruning, signing
from attestore.config.retention import Policy, read_retention, zone
from attestore.errors import StoreError, UsageError
from attestore.report import numbers
from attestore.report.words import visible
from attestore.retention import Fate, Kept, Rule
from attestore.run.prune import Examined, Failed, Pruned, examine, prune

__all__ = ["fates_of", "prune_system"]

_ALSO = {Rule.PROVED: "proved"}


def prune_system(order: Order, *, counts: dict[str, int | None], time_zone: str) -> int:
    """Explain what a policy keeps, and unless it is a dry run delete the rest; the exit code of docs/exit-codes.md."""
    settings = order.settings
    policy = _policy(policy_of(settings), counts=counts, time_zone=time_zone)
    if order.dry_run:
        with pruning(settings, policy=policy) as doors:
            examined = examine(doors)
        _tell(order, policy, Pruned(examined=examined, removed=(), failed=(), swept=0))
        return 0
    since = instants.text(compose.clock().now())
    with (
        stoppable(),
        pruning(settings, policy=policy) as doors,
        turn(order.reports, order.system, "prune", since=since),
        signing(settings) as (signer, by),
    ):
        done = prune(doors, signer=signer, by=by)
    told_after(home=order.home, reports=order.reports, say=lambda text: consoles()[1].print(Text(text)))
    _tell(order, policy, done)
    return 0 if all(each.locked for each in done.failed) else StoreError.exit_code


def fates_of(order: Order) -> dict[tuple[str, str], Fate]:
    """What the configured policy of the system, or of each one, makes of its backups.

    Raises:
        UsageError: there is no configuration, so nobody says what stays.
        StoreError: a store can't be asked.
    """
    found = chosen()
    if found is None:
        raise UsageError("no configuration says which backups stay", hint="Name it with --config.")
    decided: dict[tuple[str, str], Fate] = {}
    for name, entry in found.installation.systems.items():
        if entry.retention is not None and order.system in {"", name}:
            configured = Configured(found.installation, entry)
            settings = replace(order, system=name, configured=configured).settings
            with pruning(settings, policy=read_retention(entry.retention)) as doors:
                decided |= {(name, fate.backup.backup): fate for fate in examine(doors).fates}
    return decided


def _policy(configured: Policy | None, *, counts: dict[str, int | None], time_zone: str) -> Policy:
    """What the command line says, else the configuration.

    Raises:
        UsageError: neither says anything, or what they say can't be meant.
    """
    said: dict[str, int | str] = {name: count for name, count in counts.items() if count is not None}
    if time_zone:
        said["time_zone"] = time_zone
    if configured is None and not said.keys() - {"time_zone"}:
        raise UsageError(
            "no policy says which backups stay",
            hint="Add retention: to the system in attestore.yaml, or give --keep-daily, --keep-weekly …",
        )
    try:
        return replace(configured or Policy(), **said)  # type: ignore[arg-type]  # counts are numbers, the zone is text
    except ValueError as problem:
        raise UsageError(str(problem)) from problem


def _tell(order: Order, policy: Policy, done: Pruned) -> None:
    if order.as_json:
        typer.echo(canon.encode(_as_json(order, policy, done)).decode())
        return
    out, err = consoles()
    examined = done.examined
    out.print(Text.assemble((f" {order.system}", "bold"), f": {policy.words}\n"), soft_wrap=True)
    if not examined.fates:
        err.print(Text(f"No store holds a backup of {order.system}."))
    else:
        out.print(_table(examined, policy))
    for block in (_notes(examined, dry_run=order.dry_run), _lines(order, done)):
        lines = list(block)
        for number, line in enumerate(lines):
            out.print(Padding(line, (0 if number else 1, 0, 0, 1)))


def _table(examined: Examined, policy: Policy) -> Table:
    """One line for each backup: what each rule that counts says of it."""
    where = zone(policy.time_zone)
    rules = [(rule, name) for rule, name, count in _columns(policy) if count]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("Backup", no_wrap=True)
    table.add_column("Day", no_wrap=True)
    for _, name in rules:
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("also", overflow="fold")
    for fate in examined.fates:
        keeps = isinstance(fate, Kept)
        taken = fate.backup.taken
        said = {reason.rule: reason.short for reason in fate.reasons}
        named = {rule for rule, _ in rules}
        also = " · ".join(_ALSO.get(r.rule, r.rule.value) for r in fate.reasons if r.rule not in named)
        table.add_row(
            Text(" keep" if keeps else " drop", style="green" if keeps else "bold red"),
            Text(visible(fate.backup.backup), style="" if keeps else "dim"),
            Text("?" if taken is None else f"{taken.astimezone(where):%a %d %b}", style="" if keeps else "dim"),
            *(_cell(said.get(rule, "")) for rule, _ in rules),
            Text(also),
        )
    return table


def _columns(policy: Policy) -> tuple[tuple[Rule, str, int], ...]:
    return (
        (Rule.DAILY, "day", policy.daily),
        (Rule.WEEKLY, "week", policy.weekly),
        (Rule.MONTHLY, "month", policy.monthly),
        (Rule.YEARLY, "year", policy.yearly),
        (Rule.AT_LEAST, "least", policy.at_least),
    )


def _cell(short: str) -> Text:
    return Text(short or "·", style="green" if "/" in short else "dim")


def _notes(examined: Examined, *, dry_run: bool) -> Iterator[Text]:
    """What a narrow column has no room for."""
    shorts = {reason.short for fate in examined.fates for reason in fate.reasons}
    words = {
        "newer": "newer: a newer backup stands for that day, week, month or year",
        "past": "past: beyond those that are counted",
    }
    if told := [word for short, word in words.items() if short in shorts]:
        yield Text("; ".join(told), style="dim")
    for fate in examined.fates:
        for reason in fate.reasons:
            if not reason.short and reason.rule is not Rule.NEWEST:
                yield Text(f"{visible(fate.backup.backup)}: {visible(reason.words)}")
    if leftovers := len(examined.leftovers):
        ends = "would be swept" if dry_run else "to be swept"
        yield Text(f"{numbers.counted(leftovers, 'unfinished upload')} older than a day, {ends}")


def _lines(order: Order, done: Pruned) -> Iterator[Text]:
    """What it comes to, and what did not go as decided."""
    examined = done.examined
    going = [fate for fate in examined.fates if not isinstance(fate, Kept)]
    stay = len(examined.fates) - len(going)
    stays = f"{numbers.counted(stay, 'backup')} {'stays' if stay == 1 else 'stay'}"
    if order.dry_run:
        size = numbers.size(sum(examined.size(fate.backup.backup) for fate in going))
        yield Text(f"{stays}, {len(going)} would go ({size}). Dry run: nothing was touched.")
        return
    size = numbers.size(sum(each.size for each in done.removed))
    swept = f" Swept: {numbers.counted(done.swept, 'unfinished upload')}." if done.swept else ""
    yield Text(f"{stays}, {len(done.removed)} deleted ({size}).{swept}")
    for each in done.failed:
        yield _failed(each)


def _failed(each: Failed) -> Text:
    mark = ("kept by the store's own lock: ", "yellow") if each.locked else ("NOT DELETED: ", "bold red")
    return Text.assemble(f"{visible(each.backup)} in {each.store} ", mark, visible(each.reason))


def _as_json(order: Order, policy: Policy, done: Pruned) -> canon.JSON:
    examined = done.examined
    return {
        "system": order.system,
        "dry_run": order.dry_run,
        "at": instants.text(examined.now),
        "policy": {
            "daily": policy.daily,
            "weekly": policy.weekly,
            "monthly": policy.monthly,
            "yearly": policy.yearly,
            "at_least": policy.at_least,
            "time_zone": policy.time_zone,
        },
        "backups": [_fate_json(fate, examined) for fate in examined.fates],
        "deleted": [{"backup": each.backup, "stores": list(each.stores), "size": each.size} for each in done.removed],
        "failed": [
            {"backup": each.backup, "store": each.store, "reason": each.reason, "locked": each.locked}
            for each in done.failed
        ],
        "unfinished": len(examined.leftovers),
        "swept": done.swept,
    }


def _fate_json(fate: Fate, examined: Examined) -> canon.JSON:
    backup = fate.backup
    return {
        "backup": backup.backup,
        "fate": "keep" if isinstance(fate, Kept) else "drop",
        "state": backup.state.value,
        "taken": None if backup.taken is None else instants.text(backup.taken),
        "stores": [copy.store for copy in examined.copies[backup.backup]],
        "size": examined.size(backup.backup),
        "reasons": [{"rule": reason.rule.value, "words": reason.words} for reason in fate.reasons],
    }
