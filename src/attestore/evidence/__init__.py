"""Evidence values and their checks: pure, from bytes to value or error."""

from attestore.evidence.context import Branding, Context, Doubt, Measured, Past, Person, Step
from attestore.evidence.journal import GENESIS, Journal, Observation
from attestore.evidence.manifest import Locale, Manifest, PartRecord

__all__ = [
    "GENESIS",
    "Branding",
    "Context",
    "Doubt",
    "Journal",
    "Locale",
    "Manifest",
    "Measured",
    "Observation",
    "PartRecord",
    "Past",
    "Person",
    "Step",
]
