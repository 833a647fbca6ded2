"""What PostgreSQL's own relations, functions and settings are called, majors 15 to 18; made by `tools/catalogue.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from attestore import canon

__all__ = ["SYSTEM_COLUMNS", "Catalogue", "catalogue"]

SYSTEM_COLUMNS: Final = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Columns by relation (`pg_catalog.pg_class`), and names of functions that begin with pg_ and of settings."""

    relations: Mapping[str, frozenset[str]]
    functions: frozenset[str]
    settings: frozenset[str]

    def columns(self, schema: str, name: str) -> frozenset[str] | None:
        """Columns of a system relation; None if it is not one, as far as a name can tell."""
        if schema:
            return self.relations.get(f"{schema}.{name}")
        return self.relations.get(f"pg_catalog.{name}")

    def lacks(self, schema: str, name: str) -> bool:
        """Whether a relation is said to be the system's own, and the system has none of that name."""
        return schema in {"pg_catalog", "information_schema"} and f"{schema}.{name}" not in self.relations


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue."""
    data = cast(
        "dict[str, Any]", canon.decode(Path(__file__).with_name("catalogue.json").read_bytes(), what="catalogue.json")
    )
    return Catalogue(
        {name: frozenset(columns.split()) for name, columns in data["relations"].items()},
        frozenset(data["functions"]),
        frozenset(data["settings"]),
    )
