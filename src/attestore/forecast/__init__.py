"""When the recovery time objective will be broken, and how sure that is: from the history that the evidence holds."""

from attestore.forecast.outlook import (
    MONTH,
    MOST,
    NEAR_DAYS,
    SPAN_DAYS,
    Drill,
    Forecast,
    Outlook,
    Target,
    forecast,
    measured,
    of_history,
    target,
)
from attestore.forecast.trend import FEWEST, LEVEL

__all__ = [
    "FEWEST",
    "LEVEL",
    "MONTH",
    "MOST",
    "NEAR_DAYS",
    "SPAN_DAYS",
    "Drill",
    "Forecast",
    "Outlook",
    "Target",
    "forecast",
    "measured",
    "of_history",
    "target",
]
