"""What the proof says about the source as it is: sentences of the evidence, in the reader's language."""

from __future__ import annotations

from typing import Final

from attestore.report.blocks import Block, Bullets, Heading, Para
from attestore.report.case import NOT_MEASURED, View
from attestore.report.voice import among, later, say
from attestore.report.words import prose

__all__ = ["findings"]

_FOUND: Final = (
    later("Index {name} is not valid; a dump does not carry it as it is."),
    later("Constraint {name} is NOT VALID: rows from before it were never checked."),
    later("Constraint {name} is NOT ENFORCED: rows are never checked."),
    later("Foreign key {name} is not enforced: triggers of it are disabled, which a dump does not carry."),
    later("Event trigger {name} is disabled."),
    later("Trigger {name} is disabled."),
    later("Table {name} has no primary key: rows that differ cannot be named."),
    later("Table {name} has no key at all: rows that differ cannot be named, and equal ones not told apart."),
    later("Table {name} is unlogged: a crash empties it, and a standby never has its rows."),
    later("Materialized view {name} is not populated."),
    later("Large object {name} belongs to a role that is no longer there, so nobody owns its copy."),
    later("Foreign table {name} keeps its rows elsewhere; only its definition is backed up."),
    later(
        "Table {name} belongs to extension {extension}: only the rows that the extension declares as configuration are "
        "backed up."
    ),
    later("Table {name} belongs to extension {extension}: its rows are not backed up."),
    later("Foreign table {name} lies in a schema of the system: no dump carries it, and it is not compared."),
    later("Function {name} lies in a schema of the system: no dump carries it, and it is not compared."),
    later("Materialized view {name} lies in a schema of the system: no dump carries it, and it is not compared."),
    later("Sequence {name} lies in a schema of the system: no dump carries it, and it is not compared."),
    later("Table {name} lies in a schema of the system: no dump carries it, and it is not compared."),
    later("View {name} lies in a schema of the system: no dump carries it, and it is not compared."),
    later(
        "Options of user mapping {role} ON {server} are hidden from the role that takes the backup: a dump by it leaves "
        "them out."
    ),
    later(
        "Privileges on parameter {name} ({roles}) belong to the cluster: a backup of one database does not carry them."
    ),
    later("Privileges on {name} ({roles}) were changed from those that it came with; a dump does not carry that."),
    later("Collation {name} was recorded with version {old}, and the server now provides {new}."),
    later("The database's default collation was recorded with version {old}, and the server now provides {new}."),
    later(
        "Subscription {name} (publications {publications}, enabled) is not restored into an isolated copy, and is not "
        "compared."
    ),
    later(
        "Subscription {name} (publications {publications}, disabled) is not restored into an isolated copy, and is not "
        "compared."
    ),
    later("Materialized View {name} lies in tablespace {place}; where files lie is not compared."),
    later("Table {name} lies in tablespace {place}; where files lie is not compared."),
    later("Index {name} lies in tablespace {place}; where files lie is not compared."),
    later(
        "Setting {name} of role {role} in the database loads code: it is never applied to an isolated copy, and not "
        "compared."
    ),
    later("Setting {name} of role {role} loads code: it is never applied to an isolated copy, and not compared."),
    later("Setting {name} of the database loads code: it is never applied to an isolated copy, and not compared."),
    later("Setting {name} of every role loads code: it is never applied to an isolated copy, and not compared."),
)
"""sentences that adapters write, with the names that they hold left open"""


def findings(view: View) -> tuple[Block, ...]:
    """What the proof says about the source as it is: not losses."""
    source = view.case.source
    heading = Heading(2, say("Findings about the source"), "findings")
    if source is None:
        return heading, Para(prose("Findings: **{what}**.", what=say(NOT_MEASURED)))
    if not source.findings:
        return heading, Para(say("None: nothing about the source needs attention beyond what this run compares."))
    return (
        heading,
        Para(say("These are conditions of the source itself. The restore reproduced them; they are no loss.")),
        Bullets(tuple(among(each, _FOUND) for each in source.findings)),
    )
