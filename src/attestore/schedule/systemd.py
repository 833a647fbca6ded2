"""systemd: a service and a timer for each task, which catch up, spread out, overlap with nothing and may touch little."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from attestore.config.schedule import WEEKDAYS, Every, Timing
from attestore.schedule.site import BUSY, CREDENTIALS, MARK, SPREAD, File, Site, Task, safe

__all__ = ["calendar", "enabling", "files"]

_OWN_CREDENTIALS: Final = "%h/.config/attestore/credentials"
"""the same for a user's own manager; %h is their home"""

_HARDENED: Final = """\
# What a task may not do, whatever it restores
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
UMask=0077
"""


def files(site: Site, *, own: bool = False) -> tuple[File, ...]:
    """Units for `/etc/systemd/system`, or if `own` for a user's own manager.

    Raises:
        PlanError: something in them can't be said in a unit.
    """
    safe(site)
    return tuple(
        file
        for task in site.tasks
        for file in (
            File(f"{_unit(site, task)}.service", "\n".join(_service(site, task, own=own)) + "\n"),
            File(f"{_unit(site, task)}.timer", "\n".join(_timer(site, task)) + "\n"),
        )
    )


def enabling(site: Site, *, own: bool = False) -> tuple[str, ...]:
    """The commands that put the timers in force."""
    manager = "systemctl --user" if own else "systemctl"
    timers = " ".join(f"{_unit(site, task)}.timer" for task in site.tasks)
    return (f"{manager} daemon-reload", f"{manager} enable --now {timers}")


def calendar(timing: Timing) -> str:
    """The timing as OnCalendar has it."""
    time = f"{timing.hour:02d}:{timing.minute:02d}:00"
    match timing.every:
        case Every.HOURLY:
            return f"*-*-* *:{timing.minute:02d}:00"
        case Every.DAILY:
            return f"*-*-* {time}"
        case Every.WEEKLY:
            return f"{WEEKDAYS[timing.weekday - 1].capitalize()} *-*-* {time}"
        case Every.MONTHLY:
            return f"*-*-{timing.day:02d} {time}"
        case Every.NEVER:
            raise ValueError("a task that is never done has no timer")


def _unit(site: Site, task: Task) -> str:
    return f"attestore-{site.system}-{task.name}"


def _service(site: Site, task: Task, *, own: bool) -> Iterator[str]:
    yield MARK
    yield "[Unit]"
    yield f"Description={_plain(f'Attestore {task.says}')}"
    yield "Wants=network-online.target"
    yield "After=network-online.target"
    yield ""
    yield "[Service]"
    yield "Type=oneshot"
    if site.user and not own:
        yield f"User={_plain(site.user)}"
    elif not own:
        yield "# As root with few capabilities, so that a restored copy's code runs as another account, which can read"
        yield "# nothing here. With --run-as NAME it would run as NAME, kept from the network alone."
    yield f"ExecStart={_command(site, task.arguments)}"
    for words in task.after:
        yield f"ExecStopPost=-{_command(site, words)}"
    yield f"# {BUSY}: another one is under way, and nothing is wrong"
    yield f"SuccessExitStatus={BUSY}"
    yield f"TimeoutStartSec={task.timeout_s}"
    yield "# SIGTERM goes to attestore alone, which ends its run, tears down and signs; then all are killed"
    yield "KillMode=mixed"
    yield "TimeoutStopSec=300"
    yield "Nice=10"
    yield "IOSchedulingPriority=7"
    for name in site.secrets:
        yield f"LoadCredential={name}:{_OWN_CREDENTIALS if own else CREDENTIALS}/{name}"
    if site.passfile is not None:
        yield f"LoadCredential={_quoted(f'pgpass:{site.passfile}')}"
        yield "Environment=PGPASSFILE=%d/pgpass"
    yield ""
    yield _HARDENED.rstrip()
    # a drill's server is kept from the network by a namespace of its own
    yield "RestrictNamespaces=user net" if task.name == "drill" else "RestrictNamespaces=yes"
    if own:
        # without privileges, what is above takes a namespace of the user's own
        yield "PrivateUsers=yes"
    elif site.user:
        yield "CapabilityBoundingSet="
        yield "AmbientCapabilities="
    else:
        yield f"CapabilityBoundingSet={_capabilities(task)}"
    for path in site.writable:
        # a folder that is not there yet is no reason to do nothing
        yield f"ReadWritePaths={_quoted(f'-{path}')}"


def _capabilities(task: Task) -> str:
    """Of root's powers: files of whatever owner, and for a drill another account for its server and a network of its own."""
    files = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER"
    return f"{files} CAP_KILL CAP_SETGID CAP_SETUID CAP_SYS_ADMIN" if task.name == "drill" else files


def _timer(site: Site, task: Task) -> Iterator[str]:
    yield MARK
    yield "[Unit]"
    yield f"Description={_plain(f'When Attestore {task.says}')}"
    yield ""
    yield "[Timer]"
    yield f"OnCalendar={calendar(task.timing)}"
    yield "# What was missed while the machine was off is done when it is on again"
    yield "Persistent=true"
    yield f"RandomizedDelaySec={SPREAD // timedelta(seconds=1)}"
    yield "AccuracySec=60"
    yield f"Unit={_unit(site, task)}.service"
    yield ""
    yield "[Install]"
    yield "WantedBy=timers.target"


def _command(site: Site, arguments: tuple[str, ...]) -> str:
    return " ".join(_argument(word) for word in (str(site.program), *arguments))


def _argument(word: str) -> str:
    """A word of a command line: quoted, with nothing expanded."""
    return _quoted(word).replace("$", "$$")


def _quoted(word: str) -> str:
    plain = _plain(word)
    if plain and all(letter.isalnum() or letter in "/._-:%$=+@," for letter in plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _plain(text: str) -> str:
    """A text in which systemd sees no specifier."""
    return text.replace("%", "%%")
