"""Every section of attestore.yaml: read as soon as the file is, and described for editors in one JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from attestore.config.branding import ReportForm, read_branding
from attestore.config.installation import Installation, InstallationForm
from attestore.config.retention import RetentionForm, read_retention
from attestore.config.schedule import ScheduleForm, read_schedule
from attestore.config.stores import StoreForm

__all__ = ["examine", "schema"]

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_OF_THE_FILE: Final[Mapping[str, type[BaseModel]]] = {"report": ReportForm}
_OF_A_SYSTEM: Final[Mapping[str, type[BaseModel]]] = {"retention": RetentionForm, "schedule": ScheduleForm}


def examine(installation: Installation) -> None:
    """Read every section that is read when it is needed: a slip in tonight's retention is told by today's backup.

    Raises:
        GateError: a section can't be meant.
    """
    if installation.report is not None:
        read_branding(installation.report)
    for system in installation.systems.values():
        if system.retention is not None:
            read_retention(system.retention)
        if system.schedule is not None:
            read_schedule(system.schedule)


def schema() -> dict[str, Any]:
    """The JSON Schema of attestore.yaml: what an editor can know; the loader refuses more than this."""
    found: dict[str, Any] = InstallationForm.model_json_schema(by_alias=True)
    parts = found["$defs"]
    system = parts["SystemForm"]["properties"]
    for into, forms in ((found["properties"], _OF_THE_FILE), (system, _OF_A_SYSTEM)):
        for name, form in forms.items():
            parts |= _parts(form)
            into[name] = {
                "anyOf": [{"$ref": f"#/$defs/{form.__name__}"}, {"type": "null"}],
                "description": into[name]["description"],
            }
    parts |= _parts(StoreForm)
    found["properties"]["stores"]["additionalProperties"] = {"$ref": "#/$defs/StoreForm"}
    for name in ("jobs", "source_jobs"):
        system[name] |= {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 64}, {"type": "null"}]}
    return {"$schema": _DRAFT, **found, "title": "Attestore configuration"}


def _parts(form: type[BaseModel]) -> dict[str, Any]:
    described = form.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    parts: dict[str, Any] = described.pop("$defs", {})
    return parts | {form.__name__: described}
