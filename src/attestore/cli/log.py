"""What is said on standard error: sentences on a terminal, one JSON object a line elsewhere, each with the run's id."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import MutableMapping
from contextvars import ContextVar
from enum import Enum
from typing import Any, Final

import typer

from attestore.errors import Error, InterruptedRunError, PreflightError, UsageError

__all__ = ["Lines", "Mode", "choose", "concern", "defect", "interrupted", "logger", "speaks_json", "tell"]


class Mode(Enum):
    """How standard error is written."""

    AUTO = "auto"
    """human on a terminal, json elsewhere"""
    HUMAN = "human"
    JSON = "json"


# whoever calls a command's function directly has no command line, and reads sentences
_mode: ContextVar[Mode] = ContextVar("log", default=Mode.HUMAN)
_run: ContextVar[str] = ContextVar("run", default="")


def choose(written: str) -> None:
    """A command begins: standard error is written like this, and about no run yet.

    Raises:
        UsageError: there is no such way.
    """
    _run.set("")
    try:
        _mode.set(Mode(written))
    except ValueError as problem:
        raise UsageError(
            f"--log {written!r} is none of {', '.join(each.value for each in Mode)}", hint="Leave it out: auto."
        ) from problem


def speaks_json() -> bool:
    """Whether standard error is read by programmes."""
    mode = _mode.get()
    return not sys.stderr.isatty() if mode is Mode.AUTO else mode is Mode.JSON


def concern(run: str) -> None:
    """Whatever is said from here to the end of the command is about that run, its last error included."""
    _run.set(run)


def logger() -> Any:
    """Writes one line for each event; secrets in it are hidden as they are in the logs of a bundle."""
    import structlog  # noqa: PLC0415  --help answers at once

    return structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            _dressed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    )


def tell(problem: Error) -> int:
    """Say what is in the way and what to try; the exit code."""
    for each in problem.problems if isinstance(problem, PreflightError) else (problem,):
        if speaks_json():
            hint = {"hint": each.hint} if each.hint else {}
            logger().error(each.message, error=type(each).__name__, exit_code=problem.exit_code, **hint)
            continue
        typer.secho("Error: ", nl=False, err=True, fg=typer.colors.RED, bold=True)
        typer.echo(each.message, err=True)
        if each.hint:
            typer.echo(f"  Try: {each.hint}", err=True)
    return problem.exit_code


def interrupted() -> int:
    """Say that somebody did not want to wait; the exit code."""
    if speaks_json():
        logger().error("Interrupted.", exit_code=InterruptedRunError.exit_code)
    else:
        typer.echo("Interrupted.", err=True)
    return InterruptedRunError.exit_code


def defect(problem: Error) -> int:
    """Say that the programme itself failed, inside the `except` block of what escaped; the exit code."""
    if not speaks_json():
        traceback.print_exc()
        return tell(problem)
    logger().critical(
        problem.message,
        error=type(problem).__name__,
        exit_code=problem.exit_code,
        hint=problem.hint,
        traceback=traceback.format_exc(),
    )
    return problem.exit_code


class Lines(io.TextIOBase):
    """A file whose lines become events: where words for people are printed, and nobody is there to read them."""

    WIDTH: Final = 4096
    """characters of a line that is printed to it; a sentence is one event"""

    def writable(self) -> bool:  # type: ignore[explicit-override]  # typing has no override before 3.12
        """It is written to."""
        return True

    def write(self, text: str) -> int:  # type: ignore[explicit-override]
        """Each line that says something is an event."""
        for line in text.splitlines():
            if said := line.strip():
                logger().info(said)
        return len(text)


def _dressed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """When, which run, and nothing that is secret; in the order in which people read it."""
    from attestore import compose, instants  # noqa: PLC0415
    from attestore.compose.secrets import redacted  # noqa: PLC0415

    said = {name: redacted(value) if isinstance(value, str) else value for name, value in event.items()}
    head = {"at": instants.text(compose.clock().now()), "level": said.pop("level"), "event": said.pop("event")}
    run = _run.get()
    return head | ({"run": run} if run else {}) | said
