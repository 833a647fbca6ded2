"""--config: what the configuration file says is filled in for what the command line leaves open, in this one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from attestore.errors import UsageError

if TYPE_CHECKING:
    from attestore.compose.configured import Configured

__all__ = ["chosen", "configurable", "said", "trusted"]

_FILLED: Final = frozenset({"home", "reports", "roster", "gates", "source", "store", "gate", "system"})
"""Options that make a command one which a configuration file speaks of."""

_NEEDED: Final = ("source", "system")
_ALONE: Final = frozenset({"demo", "init"})
"""Commands with a world of their own, or none yet."""

_AS: Final = {"audit": {"path": "reports"}}
"""Arguments of a command that are called otherwise than the option."""

_chosen: ContextVar[Configured | None] = ContextVar("chosen", default=None)
_said_so: ContextVar[Mapping[str, object]] = ContextVar("said", default=MappingProxyType({}))


def chosen() -> Configured | None:
    """The configuration of the command under way; None where there is no file."""
    return _chosen.get()


def said() -> Mapping[str, object]:
    """What options and variables say to the command under way, by the option's name."""
    return _said_so.get()


def trusted(home: Path) -> Path:
    """The roster's file where no option names one: what the configuration says, else roster.yaml below home."""
    found = chosen()
    return (found.installation.roster if found is not None else None) or home / "roster.yaml"


def configurable(app: typer.Typer) -> typer.Typer:
    """The same commands; each that a configuration file speaks of takes --config and reads ./attestore.yaml."""
    for command in app.registered_commands:
        command.cls = _Configurable
    for group in app.registered_groups:
        if group.typer_instance is not None:
            configurable(group.typer_instance)
    return app


class _Configurable(TyperCommand):
    """A command whose options may come from a file."""

    def __init__(self, name: str | None, **rest: Any) -> None:
        super().__init__(name, **rest)
        self._needed: tuple[str, ...] = ()
        names = {str(parameter.name) for parameter in self.params}
        if self.name in _ALONE or not names & _FILLED:
            return
        for parameter in self.params:
            if parameter.name in _NEEDED and parameter.required:
                # the file may say it: who must say it is known when both were read
                parameter.required = False
                self._needed = (*self._needed, str(parameter.name))
        self.params.extend(_option())

    def invoke(self, ctx: Any) -> Any:  # type: ignore[explicit-override]  # typing has no override before 3.12
        """Fill in what the file says, then do it."""
        if "config" not in ctx.params:
            return super().invoke(ctx)
        from attestore.compose.configured import configured  # noqa: PLC0415  --help answers at once

        file = ctx.params.pop("config")
        given = {name: value for name, value in ctx.params.items() if _said(ctx, name)}
        found = configured(None if file is None else Path(file), given=given, needed=self._needed)
        if found is not None:
            renamed = {option: name for name, option in _AS.get(str(self.name), {}).items()}
            for option, value in found.options().items():
                name = renamed.get(option, option)
                if name in ctx.params and name not in given:
                    ctx.params[name] = value
        for name in self._needed:
            if not ctx.params[name]:
                raise UsageError(f"no {name} is named", hint=_missing(name, found))
        with _choosing(found, given):
            return super().invoke(ctx)


@contextmanager
def _choosing(found: Configured | None, given: Mapping[str, object]) -> Iterator[None]:
    tokens = _chosen.set(found), _said_so.set(given)
    try:
        yield
    finally:
        _chosen.reset(tokens[0])
        _said_so.reset(tokens[1])


def _said(ctx: Any, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name in {"COMMANDLINE", "ENVIRONMENT", "PROMPT"}


def _missing(name: str, found: Configured | None) -> str:
    if name == "system":
        return "Name it with --system, or describe it in attestore.yaml."
    if found is not None and found.system is not None:
        return f"Add source: to {found.system.name} in {found.installation.file}, or name --source."
    return "Name --source, or describe the system in attestore.yaml: attestore init writes one."


def _option() -> list[Any]:
    def declared(
        *,
        config: Annotated[
            Path | None,
            typer.Option(
                "--config",
                help="What it says holds where no option does; default: attestore.yaml, if it is here.",
                metavar="FILE",
                envvar="ATTESTORE_CONFIG",
            ),
        ] = None,
    ) -> None:
        del config

    lone = typer.Typer(add_completion=False)
    lone.command()(declared)
    return list(typer.main.get_command(lone).params)
