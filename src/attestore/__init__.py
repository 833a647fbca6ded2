"""Attestore proves that a PostgreSQL backup restores, and leaves evidence that a stranger can check."""

__version__ = "0.1.0"
