"""Messages to people by whichever service they use; addresses hold secrets and are never shown."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import apprise

from attestore.errors import UnreachableError, UsageError

__all__ = ["send"]


def send(addresses: Sequence[str], *, title: str, body: str, bad: bool) -> None:
    """Send one message to every address.

    Raises:
        UsageError: an address is none that the library knows; it is told by its number, for it may hold a secret.
        UnreachableError: a service did not take the message.
    """
    # its log lines hold addresses
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    kind = apprise.NotifyType.WARNING if bad else apprise.NotifyType.SUCCESS
    for number, address in enumerate(addresses, start=1):
        service = apprise.Apprise()
        if not service.add(address):
            raise UsageError(
                f"the address number {number} to notify is none that is known",
                hint="Write it as its service asks: mailto://…, slack://…, ntfy://…, json://host/path …",
            )
        if not service.notify(title=title, body=body, notify_type=kind, body_format=apprise.NotifyFormat.TEXT):
            name = address.partition("://")[0]
            raise UnreachableError(
                f"the {name} service (address number {number}) did not take the message {title!r}",
                hint="Look at its token and address; the message is sent again next time.",
            )
