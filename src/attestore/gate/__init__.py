"""Gates: YAML in, values with file, line and column out."""

from attestore.gate.model import Approval, Check, Control, Coverage, Gate, Operator, Probe, Severity

__all__ = ["Approval", "Check", "Control", "Coverage", "Gate", "Operator", "Probe", "Severity"]
