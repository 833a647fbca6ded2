"""The form of a gate file as a JSON Schema, for editors: the vocabulary and the catalogue are in it."""

from __future__ import annotations

from typing import Any, Final

from attestore.facts import FACTS, Kind
from attestore.gate.bound import MUST
from attestore.gate.catalogue import catalogue
from attestore.gate.form import GateForm

__all__ = ["schema"]

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of gate files: what an editor can know; the loader refuses more than this."""
    found: dict[str, Any] = GateForm.model_json_schema()
    parts = found["$defs"]
    check = parts["CheckForm"]
    bounded = [fact for fact in FACTS.values() if fact.kind in MUST]
    check["properties"]["fact"] |= {"enum": [fact.name for fact in bounded]}
    check["properties"]["of"] = {
        "description": check["properties"]["of"]["description"],
        "enum": [fact.name for fact in bounded if fact.kind is Kind.COUNT and not fact.per],
    }
    check["allOf"] = [
        {
            "if": {"properties": {"fact": {"enum": [fact.name for fact in bounded if fact.kind is kind]}}},
            "then": {"properties": {"must": {"pattern": pattern}}},
        }
        for kind, pattern in MUST.items()
    ]
    control = parts["ControlForm"]
    control["properties"]["framework"] |= {"enum": list(catalogue())}
    control["allOf"] = [
        {
            "if": {"properties": {"framework": {"const": framework.id}}},
            "then": {"properties": {"id": {"enum": list(framework.controls)}}},
        }
        for framework in catalogue().values()
    ]
    return {"$schema": _DRAFT, **found, "title": "Attestore gate"}
