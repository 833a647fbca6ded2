"""Where figures go, and who is told of changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from attestore import instants
from attestore.config.secrets import SecretField, SecretRef
from attestore.strictyaml import Node

__all__ = ["BEFORE", "Metrics", "MetricsForm", "Notify", "NotifyForm", "read_metrics", "read_notify"]

BEFORE: Final = "7d"
"""how long before its end a gate counts as expiring, where nobody says otherwise"""
_ENDING: Final = ".prom"


class MetricsForm(BaseModel):
    """What the section metrics may say."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    textfile: str | None = Field(default=None, description="File for node_exporter's textfile collector, *.prom.")
    pushgateway: str | None = Field(default=None, description="Address of a Prometheus Pushgateway.")
    instance: str = Field(default="attestore", min_length=1, description="Instance under which metrics are pushed.")


class NotifyForm(BaseModel):
    """What the section notify may say."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    urls: tuple[SecretField, ...] = Field(
        json_schema_extra={"minItems": 1},
        description="Where people are told, as apprise writes it; each by reference, for it may hold a secret.",
    )
    before: str = Field(default=BEFORE, description="How long before its end a gate counts as expiring.")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where figures go."""

    textfile: Path | None
    """relative to the configuration's folder"""
    pushgateway: str
    """empty: nowhere"""
    instance: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Who is told of changes, and how long before an end."""

    urls: tuple[SecretRef, ...]
    before: str
    """a duration such as 7d"""


def read_metrics(node: Node) -> Metrics:
    """The section metrics.

    Raises:
        GateError: an unknown key, a file that no collector would read, or an address of another form.
    """
    form = node.read_as(MetricsForm)
    if form.textfile is None and form.pushgateway is None:
        raise node.error("metrics: says nowhere to write to", hint="Give textfile: or pushgateway:, or leave it out.")
    if form.textfile is not None and not form.textfile.endswith(_ENDING):
        raise node.error(
            f"{form.textfile!r} does not end in {_ENDING}: a textfile collector would not read it",
            at=("textfile",),
            hint=f"Write something like /var/lib/node_exporter/attestore{_ENDING}.",
        )
    if form.pushgateway is not None:
        parts = urlsplit(form.pushgateway)
        if parts.username or parts.password:
            raise node.error(
                "the Pushgateway's address holds a user or a password",
                at=("pushgateway",),
                hint="Put a proxy that authenticates in front, or use textfile:.",
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise node.error(
                f"{form.pushgateway!r} is not http(s)://host[:port]",
                at=("pushgateway",),
                hint="Write http://push:9091.",
            )
    return Metrics(
        textfile=None if form.textfile is None else Path(form.textfile),
        pushgateway=form.pushgateway or "",
        instance=form.instance,
    )


def read_notify(node: Node) -> Notify:
    """The section notify.

    Raises:
        GateError: an unknown key, nobody to tell, an address in the clear, or something that is no duration.
    """
    form = node.read_as(NotifyForm)
    if not form.urls:
        raise node.error("notify: names nobody to tell", at=("urls",), hint="Give urls: [env:NAME], or leave it out.")
    try:
        instants.duration_ms(form.before)
    except ValueError as problem:
        raise node.error(f"before: {problem}", at=("before",), hint="Write 7d, 36h or 90m.") from problem
    return Notify(urls=form.urls, before=form.before)
