"""What holds: every value of a configuration, where it comes from, and whether the secrets it refers to are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attestore import canon
from attestore.compose.configured import Configured, gate_of
from attestore.compose.secrets import redacted
from attestore.config import Installation, reference
from attestore.config.secrets import Place
from attestore.strictyaml import Node

__all__ = ["Effective", "effective", "gates_of"]

_DEFAULTS: Final[Mapping[str, canon.JSON]] = {
    "home": ".attestore",
    "reports": "reports",
    "roster": "roster.yaml below home",
    "gates": None,
    "keys.recipients": "the newest backup key of home",
    "keys.passphrase": None,
    "report.paper": "A4",
    "report.language": "en",
    "stores": "local: a folder store below home",
}
_OF_A_SYSTEM: Final[Mapping[str, canon.JSON]] = {
    "source": None,
    "stores": "every store",
    "gates": None,
    "jobs": 2,
    "source_jobs": None,
    "source_pause": None,
    "method": "audit",
    "retention": "nothing is pruned",
}
_ORDER: Final = ("home", "reports", "roster", "gates", "keys", "report", "stores", "metrics", "notify", "systems")
_USERINFO: Final = re.compile(r"(://)[^/\s@]+@")


@dataclass(frozen=True, slots=True)
class Effective:
    """One value that holds."""

    key: str
    """as systems.shop.source"""
    value: canon.JSON
    """never a secret"""
    origin: str
    """`FILE:LINE`, `option` or `default`"""
    found: bool | None = None
    """of a reference to a secret: whether something is there; None of anything else"""


def effective(configured: Configured | None, *, given: Mapping[str, object]) -> tuple[Effective, ...]:
    """Every value that a command without further options would go by; `given` are those of the command line."""
    written = {} if configured is None else {each.key: each for each in _written(configured.installation)}
    system = configured.system.name if configured is not None and configured.system is not None else ""
    same = {name: name for name in ("source", "jobs", "source_jobs", "source_pause", "method")}
    of_system = {"gate": "gates", "store": "stores", **same}
    held = dict(written)
    for option, value in given.items():
        if option in of_system and system:
            key = f"systems.{system}.{of_system[option]}"
        else:
            key = {"store": "stores", "gate": ""}.get(option, option)
        if key:
            held = {name: each for name, each in held.items() if not name.startswith(f"{key}.")}
            shown = [redacted(str(each)) for each in value] if isinstance(value, list | tuple) else redacted(str(value))
            held[key] = Effective(key, shown, "option")  # type: ignore[arg-type]  # a list of text is JSON
    names = () if configured is None else tuple(configured.installation.systems)
    keys = [*_DEFAULTS, *(f"systems.{name}.{key}" for name in names for key in _OF_A_SYSTEM)]
    for key in keys:
        if not any(name == key or name.startswith(f"{key}.") for name in held):
            short = key.rpartition(".")[2]
            held[key] = Effective(key, (_OF_A_SYSTEM if key.startswith("systems.") else _DEFAULTS)[short if key.startswith("systems.") else key], "default")  # fmt: skip
    places = {name: number for number, name in enumerate((*_ORDER, *(f"systems.{name}" for name in names)))}

    def place(each: Effective) -> int:
        top, *below = each.key.split(".")
        return places[f"systems.{below[0]}" if top == "systems" else top]

    return tuple(sorted((each for each in held.values() if each.key.partition(".")[0] in places), key=place))


def gates_of(configured: Configured) -> Iterator[tuple[str, str, str]]:
    """Each system's gates: (system, as the file names it, an id or the path that is meant)."""
    for system in configured.installation.systems.values():
        for name in system.gates:
            yield system.name, name, gate_of(configured.installation, name)


def _written(installation: Installation) -> Iterator[Effective]:
    for key, node in installation.node.items():
        if key == "attestore":
            continue
        path = {
            "home": installation.home,
            "reports": installation.reports,
            "roster": installation.roster,
            "gates": installation.gates,
        }.get(key)
        yield from _leaves(key, node, installation=installation, path=path)


def _leaves(key: str, node: Node, *, installation: Installation, path: Path | None = None) -> Iterator[Effective]:
    if isinstance(node.value, dict) and node.value:
        for name, below in node.items():
            yield from _leaves(f"{key}.{name}", below, installation=installation)
        return
    line, _ = node.document.position(node.path)
    origin = f"{installation.file}:{line}"
    if path is not None:
        yield Effective(key, str(path), origin)
    elif isinstance(node.value, list):
        found = [_there(each, installation) for each in node.value]
        secret = None if not found or None in found else all(found)
        yield Effective(key, [_plain(each) for each in node.value], origin, found=secret)
    else:
        yield Effective(key, _plain(node.value), origin, found=_there(node.value, installation))


def _there(value: canon.JSON, installation: Installation) -> bool | None:
    """Whether what a reference refers to is there; None where it is no reference."""
    from attestore.adapters.system import environment

    try:
        ref = reference(value)
    except ValueError:
        return None
    if ref.place is Place.ENVIRONMENT:
        return bool(environment().get(ref.name))
    return installation.path(ref.name).is_file()


def _plain(value: canon.JSON) -> canon.JSON:
    """A value as it may be shown: what could be a password in an address is not."""
    return _USERINFO.sub(r"\1[hidden]@", redacted(value)) if isinstance(value, str) else value
