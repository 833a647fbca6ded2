"""The programme: its commands put together, and what becomes of an error."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, NoReturn

import typer

from attestore import __version__
from attestore.cli.commands import check, claims, cycle, decisions, export, keys, operate, recovery, site, watch
from attestore.cli.configured import configurable
from attestore.errors import Error, InternalError, PreflightError, UsageError

__all__ = ["app", "main"]

app = typer.Typer(
    name="attestore",
    help="Proves that a PostgreSQL backup restores, and leaves evidence that a stranger can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _group in (cycle, recovery, operate, check, decisions, export, keys, site, watch, claims):
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
) -> None:
    del version  # the callback has answered it, before a command is asked for


def main() -> NoReturn:
    """Run the programme: an Error becomes a sentence, a hint and its exit code."""
    try:
        _readable(sys.argv[1:])
        app(standalone_mode=True)
    except Error as problem:
        sys.exit(_told(problem))
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(3)
    except Exception as problem:  # noqa: BLE001  whatever escapes is a defect of ours, and must not look like a failed gate
        traceback.print_exc()
        sys.exit(
            _told(
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


def _told(problem: Error) -> int:
    problems = problem.problems if isinstance(problem, PreflightError) else (problem,)
    for each in problems:
        typer.secho("Error: ", nl=False, err=True, fg=typer.colors.RED, bold=True)
        typer.echo(each.message, err=True)
        if each.hint:
            typer.echo(f"  Try: {each.hint}", err=True)
    return problem.exit_code
