"""The jobs of a system as files for whatever starts them: pure text, to be read before it is installed."""

from attestore.schedule import cron, kubernetes, stack, systemd
from attestore.schedule.site import MARK, File, Lasted, Site, Task, is_ours, tasks, warnings

__all__ = [
    "MARK",
    "File",
    "Lasted",
    "Site",
    "Task",
    "cron",
    "is_ours",
    "kubernetes",
    "stack",
    "systemd",
    "tasks",
    "warnings",
]
