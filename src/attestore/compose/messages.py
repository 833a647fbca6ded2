"""Messages to people, where the extra for them is installed."""

from __future__ import annotations

from collections.abc import Sequence

from attestore.errors import MissingProgramError

__all__ = ["message"]


def message(addresses: Sequence[str], *, title: str, body: str, bad: bool) -> None:
    """Send one message to every address.

    Raises:
        UsageError: an address is none that is known.
        UnreachableError: a service did not take it.
        MissingProgramError: apprise is not installed.
    """
    try:
        from attestore.adapters import messages
    except ImportError as problem:
        raise MissingProgramError(
            "apprise is not on this machine", hint="Install it with: pip install 'attestore[notify]'"
        ) from problem
    messages.send(addresses, title=title, body=body, bad=bad)
