"""The programme: its commands put together, and what becomes of an error."""

from __future__ import annotations

import gc
import sys
from typing import Annotated, Final, NoReturn

import typer

from attestore import __version__
from attestore.cli.commands import (
    check,
    claims,
    configuration,
    cycle,
    decisions,
    export,
    keys,
    operate,
    recovery,
    report,
    schedule,
    site,
    watch,
)
from attestore.cli.configured import configurable
from attestore.cli.log import choose, defect, interrupted, tell
from attestore.cli.pipes import patient
from attestore.errors import Error, InternalError, UsageError

__all__ = ["app", "main"]

_SELDOM: Final = (20_000, 25, 100)

app = typer.Typer(
    name="attestore",
    help="Proves that a PostgreSQL backup restores, and leaves evidence that a stranger can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _group in (
    cycle,
    recovery,
    operate,
    report,
    schedule,
    configuration,
    check,
    decisions,
    export,
    keys,
    site,
    watch,
    claims,
):
    app.add_typer(configurable(_group.app))


def _version(wanted: bool) -> None:  # noqa: FBT001  typer hands it over like this
    if wanted:
        typer.echo(f"attestore {__version__}")
        raise typer.Exit


@app.callback()
def _attestore(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
    log: Annotated[
        str,
        typer.Option(
            "--log",
            help="How standard error is written: human, json (one object a line), or auto: human on a terminal.",
            metavar="auto|human|json",
            envvar="ATTESTORE_LOG",
        ),
    ] = "auto",
) -> None:
    del version  # the callback has answered it, before a command is asked for
    choose(log)


def main() -> NoReturn:
    """Run the programme: an Error becomes a sentence, a hint and its exit code."""
    # proofs of thousands of tables are a million values that live on: looking through them for cycles takes a third of the time
    gc.set_threshold(*_SELDOM)
    with patient():
        try:
            _run()
        finally:
            # what is left ends with the process: looking through all of it for cycles first would be for nobody
            gc.freeze()


def _run() -> NoReturn:
    try:
        _readable(sys.argv[1:])
        app(standalone_mode=True)
    except Error as problem:
        sys.exit(tell(problem))
    except KeyboardInterrupt:
        sys.exit(interrupted())
    except Exception as problem:  # noqa: BLE001  whatever escapes is a defect of ours, and must not look like a failed gate
        sys.exit(
            defect(
                InternalError(
                    f"Attestore itself failed: {type(problem).__name__}: {problem}",
                    hint="Report it with the lines above; a run that was under way is closed by the next command.",
                )
            )
        )
    sys.exit(0)


def _readable(arguments: list[str]) -> None:
    """Refuse bytes that are no text: they could stand in no record, and would stop a run or a decision half way.

    Raises:
        UsageError: an argument is not valid in this terminal's encoding.
    """
    for argument in arguments:
        if not argument.isascii() and argument.encode(errors="replace").decode() != argument:
            raise UsageError(
                f"the argument {argument!r} is not valid text", hint="Write it in UTF-8, the encoding of this terminal."
            )
