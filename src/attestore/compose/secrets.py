"""Secrets, read at the moment of use; neither they nor what was written in place of a reference are ever shown."""

from __future__ import annotations

from pathlib import Path

from attestore.config import SecretRef, reference
from attestore.config.secrets import Place
from attestore.errors import UsageError

__all__ = ["redacted", "resolved", "told"]


def redacted(text: str) -> str:
    """The text without passwords, as the logs of programmes are kept."""
    from attestore.adapters.redacted import redact

    return redact(text)


def told(option: str, text: str) -> SecretRef:
    """The reference that an option of the command line holds.

    Raises:
        UsageError: it is none.
    """
    try:
        return reference(text)
    except ValueError:
        problem = UsageError(
            f"{option} says neither env:NAME nor file:PATH",
            hint="A secret itself never stands on a command line: others can read it there.",
        )
    raise problem  # not from the ValueError's block: nothing there may be told


def resolved(ref: SecretRef, *, below: Path = Path()) -> bytes:
    """What a reference refers to, without the line's end of a file; relative paths are below that folder.

    Raises:
        UsageError: the variable is not set, the file can't be read, or it is empty.
    """
    from attestore.adapters.system import environment

    if ref.place is Place.ENVIRONMENT:
        known = environment()
        credential = Path(known.get("CREDENTIALS_DIRECTORY", "")) / ref.name
        if ref.name in known:
            found = known[ref.name].encode("utf-8", "surrogateescape")
        elif "CREDENTIALS_DIRECTORY" in known and credential.is_file():
            # what a service manager hands over in a file of the variable's name (LoadCredential=, a secret of a container)
            found = _read(credential)
        else:
            raise UsageError(
                f"the variable {ref.name}, which should hold a secret, is not set",
                hint=f"Set {ref.name} in the environment of this command, or write file:PATH instead.",
            )
    else:
        found = _read(below / ref.name)
    if not found:
        raise UsageError(f"{ref.written} should hold a secret, and is empty")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as problem:
        raise UsageError(
            f"the file {path}, which should hold a secret, can't be read: {problem.strerror}",
            hint="Check the path, and that this user may read it.",
        ) from problem
