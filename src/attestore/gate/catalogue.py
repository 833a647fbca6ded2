"""The shipped catalogue of controls: exact ids and titles, and how much a gate may claim to answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from attestore import resources, strictyaml
from attestore.gate.model import Control, Coverage

__all__ = ["Entry", "Framework", "catalogue"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A control as the catalogue lists it; `coverage` is the most that a gate may claim."""

    id: str
    title: str
    coverage: Coverage
    note: str
    """what a drill does not answer; empty where it answers the control in full"""


@dataclass(frozen=True, slots=True)
class Framework:
    """A set of controls by their ids."""

    id: str
    title: str
    controls: Mapping[str, Entry]

    def control(self, entry: Entry, coverage: Coverage) -> Control:
        """The control as a gate answers it."""
        return Control(framework=self.id, id=entry.id, title=entry.title, coverage=coverage)


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class _EntryForm(_Form):
    id: str
    title: str
    coverage: Literal["direct", "partial", "supporting"]
    note: str = ""


class _FrameworkForm(_Form):
    id: str
    title: str
    controls: tuple[_EntryForm, ...]


class _CatalogueForm(_Form):
    frameworks: tuple[_FrameworkForm, ...]


@functools.cache
def catalogue() -> Mapping[str, Framework]:
    """Every framework of the shipped catalogue by its id.

    Raises:
        GateError: the shipped file was edited and can't be loaded.
    """
    path = resources.gates_folder() / "controls" / "catalogue.yaml"
    form, document = strictyaml.load_as(path.read_bytes(), _CatalogueForm, where=path.name)
    frameworks: dict[str, Framework] = {}
    for number, framework in enumerate(form.frameworks):
        if framework.id in frameworks:
            raise document.error(f"the framework {framework.id} appears twice", at=("frameworks", number, "id"))
        controls: dict[str, Entry] = {}
        for place, control in enumerate(framework.controls):
            if control.id in controls:
                at = ("frameworks", number, "controls", place, "id")
                raise document.error(f"the control {framework.id} {control.id} appears twice", at=at)
            controls[control.id] = Entry(control.id, control.title, Coverage(control.coverage), control.note)
        frameworks[framework.id] = Framework(framework.id, framework.title, controls)
    return frameworks
