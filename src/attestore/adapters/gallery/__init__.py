"""The demo system: an image gallery of 10 tables and 7,305 rows per scale, the same rows every time."""

from attestore.adapters.gallery.database import ROWS, create, sql

__all__ = ["ROWS", "create", "sql"]
