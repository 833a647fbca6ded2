"""Other people's names as SQL: every identifier is quoted, every literal is escaped, here and nowhere else."""

from __future__ import annotations

__all__ = ["identifier", "label", "literal", "qualified"]


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier.

    Raises:
        ValueError: it is empty or holds a NUL, which no PostgreSQL name does.
    """
    if not name or "\0" in name:
        raise ValueError(f"{name!r} is not a PostgreSQL name")
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """A schema-qualified name as SQL."""
    return f"{identifier(schema)}.{identifier(name)}"


def literal(text: str) -> str:
    """A text as a SQL literal that reads the same whatever standard_conforming_strings says.

    Raises:
        ValueError: it holds a NUL.
    """
    if "\0" in text:
        raise ValueError("a NUL has no SQL literal")
    escaped = text.replace("'", "''")
    return "E'" + escaped.replace("\\", "\\\\") + "'" if "\\" in escaped else f"'{escaped}'"


def label(schema: str, name: str) -> str:
    """A schema-qualified name for people."""
    return f"{schema}.{name}"
