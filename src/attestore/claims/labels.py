"""The words of restore reports: what a label means, what a mark says, who is named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = [
    "GOOD",
    "MARK",
    "Named",
    "Noun",
    "alike",
    "is_good",
    "is_mark",
    "is_share",
    "is_total",
    "keyed",
    "normal",
    "noun_of",
    "persons",
]

MARK: Final = re.compile(
    r"[✅✔✓☑🟢]|\[x\]|\b(?:pass(?:ed)?|ok|okay|success(?:ful(?:ly)?)?|verified|validated|confirmed|complete[d]?|approved|green"
    r"|bestanden|erfolgreich|erfüllt|geprüft|match(?:es)?|equal|identical|gleich|identisch|yes|done|good)\b",
    re.IGNORECASE,
)
_BAD: Final = re.compile(
    r"[❌✘✗⚠🔴]|\b(?:fail(?:ed|s)?|not|no|unknown|pending|skipped|partial(?:ly)?|differ(?:s|ent)?|missing|todo|tbd|open|warn(?:ing)?"
    r"|nicht|fehl\w*|offen|ausstehend|n/?a)\b",
    re.IGNORECASE,
)
GOOD: Final = re.compile(
    r"^[\W_]*(?:(?:✅|✔|✓|☑|🟢)\ufe0f?|pass(?:ed)?|ok|okay|success(?:ful)?|verified|validated|confirmed|match(?:es|ed)?|equal|identical|complete|vollständig"
    r"|green|bestanden|erfolgreich|erfüllt|geprüft|gleich|identisch|yes|done|good|in ordnung|i\.?o\.?|100 ?%|[\W_])+$",
    re.IGNORECASE,
)
_TOTAL: Final = re.compile(
    r"^[\W_]*(?:(?:grand |over)?total(?:s)?|sum|overall|all|altogether|gesamt|summe|insgesamt|Σ)\b(?!.*\b(?:table|index|view)\w* (?:size|name))",
    re.IGNORECASE,
)
_SHARE: Final = re.compile(
    r"\b(?:share|percent(?:age)?|portion|proportion|anteil|prozent|pct|part of|% of)\b|^\s*%\s*$|% ?(?:of )?(?:total|rto|gesamt)",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_STOP: Final = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "for",
        "in",
        "on",
        "at",
        "to",
        "and",
        "or",
        "is",
        "was",
        "were",
        "be",
        "been",
        "by",
        "with",
        "from",
        "as",
        "it",
        "its",
        "our",
        "this",
        "that",
        "der",
        "die",
        "das",
        "des",
        "dem",
        "den",
        "ein",
        "eine",
        "und",
        "oder",
        "von",
        "für",
        "im",
        "am",
        "zu",
        "ist",
        "war",
        "wurde",
        "wurden",
        "mit",
    ]
)


@dataclass(frozen=True, slots=True)
class Noun:
    """A thing that is counted: its name here, and how it is written."""

    name: str
    pattern: re.Pattern[str]


def _noun(name: str, pattern: str) -> Noun:
    return Noun(name, re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE))


_NOUNS: Final = (
    _noun("edge cases", r"edge[ -]?cases?|grenzfälle?n?|randfälle?n?|sonderfälle?n?"),
    _noun(
        "foreign keys", r"foreign[ -]keys?(?: constraints?| relations(?:hips?)?)?|FKs?|relationships?|fremdschlüsseln?"
    ),
    _noun("checksums", r"checksums?|digests?|hash(?:es)?|fingerprints?|prüfsummen?"),
    _noun("rows", r"rows?|records?|tuples?|zeilen?|datensätzen?|datensatz"),
    _noun("tables", r"tables?|tabellen?"),
    _noun("indexes", r"index(?:es)?|indices|indizes"),
    _noun("constraints", r"constraints?"),
    _noun("triggers", r"triggers?"),
    _noun("functions", r"functions?|funktionen?"),
    _noun("sequences", r"sequences?|sequenzen?"),
    _noun("materialized views", r"materiali[sz]ed views?|matviews?"),
    _noun("views", r"views?|sichten?"),
    _noun("extensions", r"extensions?|erweiterungen"),
    _noun("schemas", r"schemas?|schemata"),
    _noun("databases", r"databases?|datenbanken?"),
    _noun("partitions", r"partitions?|partitionen"),
    _noun("roles", r"roles?|rollen?"),
    _noun("files", r"files?|dateien?"),
    _noun("lines", r"lines?"),
    _noun("segments", r"(?:wal )?segments?|wal files?"),
    _noun("tests", r"(?:test )?cases?|tests?|checks?|testfälle?n?|prüfungen?|prüfpunkten?"),
    _noun("steps", r"steps?|schritten?"),
    _noun("scripts", r"scripts?|skripten?"),
    _noun("queries", r"quer(?:y|ies)|abfragen?"),
    _noun("users", r"users?|benutzer"),
    _noun("findings", r"findings?|issues?|problems?|befunden?"),
    _noun("objects", r"objects?|objekten?"),
)


def noun_of(text: str) -> str:
    """What a label counts, the noun that stands first; empty if none of the known ones."""
    best: tuple[int, str] | None = None
    for noun in _NOUNS:
        if (found := noun.pattern.search(text)) and (best is None or found.start() < best[0]):
            best = found.start(), noun.name
    return "" if best is None else best[1]


_COUNTED: Final = re.compile(
    r"\W*\d[\d.,]* (?:tables?|keys?|rows?|files?|foreign keys|indexes|of \d+ \w+|tabellen)\W*", re.IGNORECASE
)


def is_total(label: str) -> bool:
    """Whether a row's first cell says that it sums the rows above."""
    return _TOTAL.search(label) is not None or _COUNTED.fullmatch(label) is not None


def is_share(head: str) -> bool:
    """Whether a column's head says that it holds parts of a whole."""
    return _SHARE.search(head) is not None


def is_good(text: str) -> bool:
    """Whether a text says that something is well, and nothing else."""
    return bool(text.strip()) and GOOD.match(text) is not None


def is_mark(text: str) -> bool:
    """Whether a text carries a mark of success and none of failure."""
    return MARK.search(text) is not None and _BAD.search(text) is None


_KEYED: Final = re.compile(r"^\s*(?:[✅✔✓☑☒❌⚠️🟢\ufe0f-]+\s*)?([^\n:|]{1,70}?)\s*(?::|\s[–—=]\s)\s*(?=\S)(.*)$")
_LEADERS: Final = re.compile(
    r"^\s*(?:\[[xX✓ ]\]\s+)?([^\W\d_][^\n:|.]{1,50}?)(?:\s*\.{3,}\s*|\s{3,}|\t+\s*)(?=\S)(.*)$"
)
"""As forms are filled in: dots or a gap between label and value"""


def keyed(line: str) -> tuple[str, str] | None:
    """The label and the value of `label: value`, or of a form's line; None if a line is not so."""
    if (filled := _LEADERS.match(line)) is not None:
        return filled[1].strip(), filled[2].strip()
    found = _KEYED.match(line)
    if found is None or (found[1][-1:].isdigit() and found[2][:1].isdigit()):
        return None
    return found[1].strip(), found[2].strip()


def normal(label: str) -> str:
    """A label without case, marks, brackets and small words: equal where two mean the same."""
    bare = re.sub(r"\([^()]*\)", " ", label)
    words = (word.lower() for word in _WORDS.findall(bare.replace("-", " ").replace("_", " ")))
    return " ".join(sorted({re.sub(r"(?<=\w{3})s$", "", word) for word in words if word not in _STOP}))


_ROLE: Final = frozenset(
    [
        "agent",
        "architect",
        "backend",
        "frontend",
        "test",
        "tests",
        "tester",
        "testing",
        "engineer",
        "engineering",
        "team",
        "lead",
        "leader",
        "manager",
        "management",
        "admin",
        "administrator",
        "dba",
        "dbas",
        "security",
        "officer",
        "qa",
        "quality",
        "assurance",
        "ops",
        "operations",
        "devops",
        "sre",
        "platform",
        "infrastructure",
        "database",
        "release",
        "compliance",
        "department",
        "board",
        "committee",
        "group",
        "bot",
        "system",
        "automation",
        "automated",
        "ci",
        "pipeline",
        "reviewer",
        "approver",
        "owner",
        "product",
        "project",
        "senior",
        "junior",
        "chief",
        "principal",
        "staff",
        "head",
        "director",
        "expert",
        "specialist",
        "analyst",
        "developer",
        "service",
        "it",
        "tech",
        "technical",
        "and",
        "of",
        "the",
        "data",
        "reliability",
        "site",
        "backup",
        "restore",
        "leitung",
        "abteilung",
        "verantwortlicher",
        "betrieb",
        "it-betrieb",
        "sicherheit",
        "ai",
        "assistant",
        "llm",
        "gpt",
        "claude",
        "copilot",
        "on-call",
        "oncall",
        "duty",
        "shift",
        "cab",
        "cto",
        "ciso",
        "cio",
        "vp",
        "steering",
        "stakeholders",
        "responsible",
        "authority",
        "internal",
        "external",
        "audit",
        "auditor",
        "us",
        "we",
        "everyone",
        "all",
        "self",
    ]
)
_COLLECTIVE: Final = frozenset(
    [
        "committee",
        "board",
        "team",
        "group",
        "department",
        "office",
        "council",
        "management",
        "bot",
        "agent",
        "pipeline",
        "operations",
        "engineering",
        "cab",
        "automation",
        "gremium",
        "ausschuss",
        "abteilung",
        "leitung",
        "architect",
        "assistant",
        "squad",
        "crew",
        "guild",
        "unit",
        "desk",
    ]
)
_COLLECTIVE_ENDS: Final = ("team", "abteilung", "leitung", "gruppe", "ausschuss", "gremium")
_NOBODY: Final = re.compile(
    r"^[\W_]*$|\b(?:tbd|tba|pending|n/?a|none|nobody|not yet|to be|awaiting|open|required|offen|ausstehend|noch nicht|niemand|unsigned|unassigned)\b",
    re.IGNORECASE,
)


_PLACEHOLDER: Final = re.compile(
    r"\[(?![~@])[^\[\]\n]{1,80}\](?!\()|\{\{[^{}\n]{1,60}\}\}|\$\{[^{}\n]{1,60}\}|\b(?:your|first|full|last) name\b|\bN\. ?N\.(?!\w)|\bX{3,}\b",
    re.IGNORECASE,
)
"""What a form's empty template says in place of a name"""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody as a report names them."""

    text: str
    key: str
    """equal where two spellings name the same"""
    role: bool
    """a role, a team or a programme, no person"""


def persons(text: str) -> tuple[Named, ...]:
    """Who is named, each; nobody where the text says so or is blank."""
    bare = re.sub(
        r"https?://\S+|<[^>]*>|\b\d{1,2}(?:st|nd|rd|th|\.)? (?:[A-Z][a-zä]{2,8}) \d{4}\b|\b(?:[A-Z][a-z]{2,8}) \d{1,2},? \d{4}\b|\b\d{4}-\d{2}-\d{2}[^\s)]*|\b\d{1,2}:\d{2}[^\s)]*|\bUTC\b|\d{1,2}\.\d{1,2}\.\d{4}",
        " ",
        text,
    )
    bare = re.sub(r"(?<=\w)@[\w-]+(?:\.[\w-]+)+", " ", re.sub(r"\([^()]*\)", " ", bare))
    bare = re.sub(r"^\W*([^\W\d_]{2,}), ([^\W\d_]{2,}|[^\W\d_]\.)\W*$", r"\2 \1", bare)  # surname first
    bare = _PLACEHOLDER.sub(" ", bare)
    if _NOBODY.search(text if len(text) < 40 else bare) or not re.search(r"\w", bare):
        return ()
    found: list[Named] = []
    for part in re.split(r"\s*(?:[,;&/+|]|\s(?:and|und|on|am|at|–|—|-)\s)\s*", bare):
        words = [word.lower() for word in re.findall(r"[^\W\d_]+", part)]
        if words:
            role = (
                all(word in _ROLE for word in words)
                or words[0] in {"team", "abteilung", "gruppe"}
                or words[-1] in _COLLECTIVE
                or words[-1].endswith(_COLLECTIVE_ENDS)
            )
            found.append(Named(part.strip(), "".join(words), role))
    if len(found) > 1 and not found[0].role and all(each.role for each in found[1:]):
        found = found[:1]  # a name, then what that person is
    return tuple(found)


_TITLES: Final = frozenset(
    ["dr", "prof", "mr", "mrs", "ms", "herr", "frau", "dipl", "ing", "inf", "kfm", "kffr", "wirt", "msc", "bsc", "phd"]
)
_FOLD: Final = str.maketrans(
    {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "é": "e", "è": "e", "á": "a", "í": "i", "ó": "o"}
)


def alike(one: Named, other: Named) -> bool:
    """Whether two names can only be meant of one person: J. Weiß, Jana Weiss, jweiss."""
    if one.key == other.key:
        return True
    if one.role or other.role:
        return False
    a, b = _name(one), _name(other)
    if a == b or sorted(a) == sorted(b):
        return bool(a)
    for short, long in ((a, b), (b, a)):
        if len(short) == 1 and len(long) == 2 and len(long[-1]) > 2 and short[0] == long[0][0] + long[-1]:
            return True
        initials = len(short) == len(long) >= 2 and len(short[0]) == 1 and short[0] == long[0][0]
        if initials and short[1:-1] == long[1:-1] and short[-1] in {long[-1], long[-1][0]}:
            return True
    return False


def _name(person: Named) -> list[str]:
    words = re.findall(r"[^\W\d_]+", person.text.lower().translate(_FOLD))
    return [word for word in words if word not in _TITLES]
