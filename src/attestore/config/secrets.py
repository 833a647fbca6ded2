"""Secrets by reference: where one lies, never what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

__all__ = ["Place", "SecretField", "SecretRef", "reference"]

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_PATTERN: Final = r"^(env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[^\x00]{1,1024})$"
_FORMS: Final = "write env:NAME or file:/path; a secret itself never stands here"


class Place(Enum):
    """Where a secret lies."""

    ENVIRONMENT = "env"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret lies; what it is is read at the moment of use, and kept by nobody."""

    place: Place
    name: str
    """a variable, or the path of a file"""

    @property
    def written(self) -> str:
        """As a file or a command line says it."""
        return f"{self.place.value}:{self.name}"


def reference(text: object) -> SecretRef:
    """What `env:NAME` or `file:/path` refers to.

    Raises:
        ValueError: it is neither; its sentence does not hold the text, which may be the secret itself.
    """
    place, _, name = text.partition(":") if isinstance(text, str) else ("", "", "")
    if place == Place.ENVIRONMENT.value and _VARIABLE.fullmatch(name):
        return SecretRef(Place.ENVIRONMENT, name)
    if place == Place.FILE.value and name and "\0" not in name:
        return SecretRef(Place.FILE, name)
    raise ValueError(_FORMS)


SecretField = Annotated[SecretRef, PlainValidator(reference), WithJsonSchema({"type": "string", "pattern": _PATTERN})]
"""A key of a section's form that holds a reference; refused without showing what stood there."""
