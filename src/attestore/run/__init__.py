"""The order of real steps, through ports only."""

from attestore.run.close import close_died
from attestore.run.cycle import Outcome, execute
from attestore.run.finish import Finished
from attestore.run.tools import Drilling, Issuing, Making, Tools

__all__ = ["Drilling", "Finished", "Issuing", "Making", "Outcome", "Tools", "close_died", "execute"]
