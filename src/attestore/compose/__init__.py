"""Settings and environment become Tools: the only room that knows both the ports and what stands behind them.

Adapters are imported where they are needed, so that an audit runs on a machine without PostgreSQL, its driver or a
PDF printer.
"""

from attestore.compose.again import Wanted, render_again
from attestore.compose.check import Trust, auditing, stamp
from attestore.compose.deciding import Pen, keeping, named, pen
from attestore.compose.demo import gallery
from attestore.compose.export import certifying, sealing
from attestore.compose.messages import message
from attestore.compose.paper import pressing
from attestore.compose.secrets import resolved, told
from attestore.compose.settings import Settings, clock, planned, source_label, system_of
from attestore.compose.stores import opened_store, places
from attestore.compose.tools import close_died, tools

__all__ = [
    "Pen",
    "Settings",
    "Trust",
    "Wanted",
    "auditing",
    "certifying",
    "clock",
    "close_died",
    "gallery",
    "keeping",
    "message",
    "named",
    "opened_store",
    "pen",
    "places",
    "planned",
    "pressing",
    "render_again",
    "resolved",
    "sealing",
    "source_label",
    "stamp",
    "system_of",
    "told",
    "tools",
]
