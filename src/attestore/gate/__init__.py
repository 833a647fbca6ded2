"""Gates: YAML in, values with file, line and column out."""

from attestore.gate.catalogue import Entry, Framework, catalogue
from attestore.gate.load import find, load, named, read, shipped
from attestore.gate.model import Approval, Check, Control, Coverage, Gate, Operator, Probe, Severity
from attestore.gate.schema import schema

__all__ = [
    "Approval",
    "Check",
    "Control",
    "Coverage",
    "Entry",
    "Framework",
    "Gate",
    "Operator",
    "Probe",
    "Severity",
    "catalogue",
    "find",
    "load",
    "named",
    "read",
    "schema",
    "shipped",
]
