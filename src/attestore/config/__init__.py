"""What an installation is configured with: attestore.yaml, and the roster of people and keys."""

from attestore.config.installation import (
    FILE_NAME,
    Installation,
    SystemEntry,
    load_installation,
    read_installation,
)
from attestore.config.roster import Key, Person, Roster, read_roster, roster_text
from attestore.config.secrets import SecretField, SecretRef, reference

__all__ = [
    "FILE_NAME",
    "Installation",
    "Key",
    "Person",
    "Roster",
    "SecretField",
    "SecretRef",
    "SystemEntry",
    "load_installation",
    "read_installation",
    "read_roster",
    "reference",
    "roster_text",
]
