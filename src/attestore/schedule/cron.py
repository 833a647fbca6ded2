"""cron: a line for each task, which is silent when all is well, so that a mail means something."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import timedelta

from attestore.config.schedule import Every, Timing
from attestore.errors import PlanError
from attestore.schedule.site import BUSY, CREDENTIALS, MARK, SPREAD, File, Site, Task, safe

__all__ = ["expression", "files"]

_LONGEST = 998


def files(site: Site) -> tuple[File, ...]:
    """One file for `/etc/cron.d`.

    Raises:
        PlanError: something in it can't be said on a line.
    """
    return (File(f"attestore-{site.system}", "\n".join(_lines(safe(site))) + "\n"),)


def expression(timing: Timing) -> str:
    """The five fields of cron."""
    match timing.every:
        case Every.HOURLY:
            return f"{timing.minute} * * * *"
        case Every.DAILY:
            return f"{timing.minute} {timing.hour} * * *"
        case Every.WEEKLY:
            return f"{timing.minute} {timing.hour} * * {timing.weekday % 7}"
        case Every.MONTHLY:
            return f"{timing.minute} {timing.hour} {timing.day} * *"
        case Every.NEVER:
            raise ValueError("a task that is never done has no line")


def _lines(site: Site) -> Iterator[str]:
    yield MARK
    yield "# cron does not catch up on what it missed while the machine was off, and hardens nothing: prefer systemd timers."
    yield "# A line says nothing when all is well, so a mail is a failure; what it mails is all that the task said."
    yield "SHELL=/bin/sh"
    yield "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if site.passfile is not None:
        yield f"PGPASSFILE={site.passfile}"
    if site.secrets:
        yield f"# Secrets: a file each, {site.user or 'root'}'s alone (mode 0600): {', '.join(site.secrets)}"
        yield f"CREDENTIALS_DIRECTORY={CREDENTIALS}"
    yield "# MAILTO=operators@example.org"
    for task in site.tasks:
        yield ""
        yield f"# {task.says}"
        command = _escaped(_script(site, task))
        if len(command) > _LONGEST:
            raise PlanError(
                f"the line of {task.name} has {len(command)} characters; cron reads {_LONGEST}",
                hint="Move the programme or the configuration to a shorter path, or use systemd timers.",
            )
        yield f"{expression(task.timing)} {site.user or 'root'} {command}"


def _script(site: Site, task: Task) -> str:
    """Waits up to ten minutes, takes the lock, gives up in time; prints only what failed."""
    lock = f"/run/lock/attestore-{site.system}-{task.name}.lock" if not site.user else None
    words = ["timeout", "--signal=TERM", "--kill-after=300", str(task.timeout_s), str(site.program), *task.arguments]
    if lock is not None:
        words = ["flock", "--nonblock", "--conflict-exit-code", str(BUSY), lock, *words]
    after = "".join(f" {shlex.join([str(site.program), *words])} >/dev/null 2>&1;" for words in task.after)
    return (
        f"sleep $(shuf -n 1 -i 0-{SPREAD // timedelta(seconds=1)}); "
        f"said=$({shlex.join(words)} 2>&1); code=$?;{after} "
        f"[ $code = 0 ] || [ $code = {BUSY} ] || {{ printf '%s\\n' \"$said\"; exit $code; }}"
    )


def _escaped(command: str) -> str:
    """Cron makes a newline of a percent sign."""
    return command.replace("%", "\\%")
