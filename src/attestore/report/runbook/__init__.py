"""The runbook: what to do on the bad day, told by the last drill that went through; no figure that it did not measure."""

from attestore.report.runbook.commands import Command, read_command, restoring
from attestore.report.runbook.content import runbook_document
from attestore.report.runbook.sources import Rehearsal, Stored

__all__ = ["Command", "Rehearsal", "Stored", "read_command", "restoring", "runbook_document"]
