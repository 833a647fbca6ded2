"""What an installation is configured with: so far, the roster of people and keys."""

from attestore.config.roster import Key, Person, Roster, read_roster, roster_text

__all__ = ["Key", "Person", "Roster", "read_roster", "roster_text"]
