"""What an installation is configured with: attestore.yaml, and the roster of people and keys."""

from attestore.config.alarms import BEFORE, Metrics, Notify
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
    "BEFORE",
    "FILE_NAME",
    "Installation",
    "Key",
    "Metrics",
    "Notify",
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
