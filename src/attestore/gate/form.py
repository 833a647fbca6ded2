"""The form of a gate file: what YAML may say, before it is understood. Descriptions reach editors by the JSON Schema."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from attestore.instants import DURATION

__all__ = ["APPROVER_ROLE", "GATE_ID", "LABEL", "PART_ID", "ApprovalForm", "CheckForm", "ControlForm", "GateForm", "ProbeForm"]  # fmt: skip

GATE_ID: Final = r"[A-Z0-9][A-Z0-9.-]{0,62}[A-Z0-9]"
"""An identity that is also a file name everywhere."""

PART_ID: Final = r"[a-z0-9][a-z0-9._-]{0,62}"
"""Identity of a check or a probe within its gate."""

APPROVER_ROLE: Final = r"[a-z][a-z0-9-]{0,62}"
LABEL: Final = r"[a-z][a-z0-9_.-]{0,62}"

# For editors; the loader says it in words. Pydantic's own limits count an item that failed as one that is missing.
_GIVEN: Final[JsonDict] = {"minLength": 1}
_NOT_EMPTY: Final[JsonDict] = {"minItems": 1}

_COUNTED: Final = r"^(<=|>=|<|>|==|!=) ?(0|[1-9][0-9]{0,14})$"
_VALUED: Final = r"^(<=|>=|<|>|==|!=) ?(0|[1-9][0-9]{0,14})(, (<=|>=|<|>|==|!=) ?(0|[1-9][0-9]{0,14}))?$"


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class ControlForm(_Form):
    """A control of the shipped catalogue that the gate answers."""

    framework: str = Field(description="Framework of the shipped catalogue, e.g. soc2.")
    id: str = Field(description="Control of that framework, exactly as the catalogue writes it.")
    coverage: Literal["direct", "partial", "supporting"] | None = Field(
        default=None, description="How far passing answers the control; never more than the catalogue grants."
    )


class CheckForm(_Form):
    """One comparison: every observed value of the fact must satisfy the bound."""

    id: str = Field(description="Unique in the gate.", json_schema_extra={"pattern": f"^{PART_ID}$"})
    title: str = Field(default="", description="What is true when the check passes, for people.")
    fact: str = Field(description="A fact of the vocabulary: attestore facts.")
    must: str = Field(description='Operator and bound with its unit, quoted: "< 30m", "== 0", "== true".')
    of: str | None = Field(
        default=None, description="A count of what was compared: when it is 0, the check is UNKNOWN and not PASS."
    )


class ProbeForm(_Form):
    """A read-only query asked of the source at its snapshot and of the restored database."""

    id: str = Field(description="Unique in the gate.", json_schema_extra={"pattern": f"^{PART_ID}$"})
    title: str = Field(description="What the query shows, for people.", json_schema_extra=_GIVEN)
    sql: str = Field(
        description="One SELECT; schema-qualified names (search_path is empty) and an ORDER BY.", min_length=1
    )
    rows: str = Field(
        default=">= 1",
        description="How many rows the source must return; none at all is UNKNOWN whatever stands here.",
        json_schema_extra={"pattern": _COUNTED},
    )
    value: str | None = Field(
        default=None,
        description="For a query that answers one whole number: one or two bounds of it on the source, such as"
        ' ">= 1000, <= 5000". The number is then told in the evidence.',
        json_schema_extra={"pattern": _VALUED},
    )
    expect: Literal["equal"] = Field(default="equal", description="Both sides give the same rows in the same order.")
    timeout: str = Field(
        default="30s", description="Longest time the query may take.", json_schema_extra={"pattern": f"^{DURATION}$"}
    )


class ApprovalForm(_Form):
    """Who must approve: that many distinct persons, who together cover every role."""

    roles: tuple[str, ...] = Field(
        description="Roles of the roster that must all be covered.", json_schema_extra=_NOT_EMPTY
    )
    people: int = Field(description="Number of distinct persons.", ge=1, le=99)
    not_the_operator: bool = Field(default=True, description="Whoever ran it may not approve it.")


class WaiverForm(_Form):
    """How long a gate that is not passed may be lived with."""

    longest: str = Field(
        description="Longest time between a waiver and its end, e.g. 30d.",
        json_schema_extra={"pattern": f"^{DURATION}$"},
    )


class GateForm(_Form):
    """A requirement with an id, as its file says it."""

    gate: str = Field(description="Identity, e.g. S9-PROD-004.", json_schema_extra={"pattern": f"^{GATE_ID}$"})
    title: str = Field(description="Name of the requirement.", json_schema_extra=_GIVEN)
    statement: str = Field(description="What is true when the gate passes, in a sentence.", json_schema_extra=_GIVEN)
    severity: Literal["blocking", "advisory"] = Field(
        default="blocking", description="What a failure means for a release."
    )
    cadence: str | None = Field(
        default=None,
        description="How long evidence proves the gate, e.g. 31d; without it, for ever.",
        json_schema_extra={"pattern": f"^{DURATION}$"},
    )
    controls: tuple[ControlForm, ...] = ()
    checks: tuple[CheckForm, ...] = Field(description="What must be true.", json_schema_extra=_NOT_EMPTY)
    probes: tuple[ProbeForm, ...] = Field(default=(), description="Queries that must answer alike on both sides.")
    approval: ApprovalForm | None = None
    waiver: WaiverForm | None = Field(default=None, description="Without it, a waiver lasts 30 days at most.")
    labels: dict[str, str] = Field(default_factory=dict, description="Names and values for your own sorting.")
