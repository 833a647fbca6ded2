"""Where the shipped templates, gates and fonts lie: beside the package in a wheel, above it in a checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["gates_folder", "templates_folder"]

_PACKAGE = Path(__file__).parent


def templates_folder() -> Path:
    """The shipped report templates, style sheets and fonts."""
    return _folder("templates")


def gates_folder() -> Path:
    """The shipped gates, their JSON Schema and the control catalogue."""
    return _folder("gates")


def _folder(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent.parent / name
