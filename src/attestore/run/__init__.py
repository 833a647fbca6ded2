"""The order of real steps, through ports only."""

from attestore.run.close import close_died
from attestore.run.cycle import Outcome, execute
from attestore.run.decide import Deciding, Entered, Sealed, Wish, accept, draft, enter, read_sealed, superseded
from attestore.run.finish import Finished
from attestore.run.recover import Recovery, Rescue, Result, Surveyed, Wanted, recover, survey
from attestore.run.tools import Drilling, Issuing, Making, NamedStore, Tools

__all__ = [
    "Deciding",
    "Drilling",
    "Entered",
    "Finished",
    "Issuing",
    "Making",
    "NamedStore",
    "Outcome",
    "Recovery",
    "Rescue",
    "Result",
    "Sealed",
    "Surveyed",
    "Tools",
    "Wanted",
    "Wish",
    "accept",
    "close_died",
    "draft",
    "enter",
    "execute",
    "read_sealed",
    "recover",
    "superseded",
    "survey",
]
