"""Which files a bundle may hold and which it must: fixed in code, never taken from the bundle itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from attestore.evidence import Observation

__all__ = [
    "ALWAYS",
    "DECISIONS",
    "FOLDERS",
    "JOURNAL",
    "LARGEST",
    "LARGEST_SIGNATURE",
    "MOST_FILES",
    "REVISIONS",
    "STAMP",
    "STATEMENT",
    "SUMS",
    "UNSTATED",
    "UNSUMMED",
    "is_added",
    "is_allowed",
    "is_derived",
    "is_run",
    "required",
]

JOURNAL: Final = "journal.jsonl"
STATEMENT: Final = "statement.json"
SUMS: Final = "SHA256SUMS"

STAMP: Final = f"{SUMS}.asc.tsr"
"""A time stamp over the signature of the sums, and so over every file and signature that they list"""

UNSUMMED: Final = frozenset({SUMS, f"{SUMS}.asc", STAMP})
"""What SHA256SUMS cannot list"""

UNSTATED: Final = frozenset({STATEMENT, f"{STATEMENT}.asc", *UNSUMMED})
"""What the statement cannot list: itself, and what is made after it"""

DECISIONS: Final = "decisions"
REVISIONS: Final = "revisions"

FOLDERS: Final = frozenset({"gates", "templates", "logs", DECISIONS, REVISIONS})

MOST_FILES: Final = 20_000
LARGEST: Final = 1 << 30
"""bytes of one file"""
LARGEST_SIGNATURE: Final = 1 << 16
"""bytes of one detached signature"""

ALWAYS: Final = frozenset(
    {
        JOURNAL,
        "verdict.json",
        "context.json",
        "summary.md",
        "summary.md.asc",
        "summary.pdf",
        "summary.pdf.asc",
        STATEMENT,
        f"{STATEMENT}.asc",
        SUMS,
        f"{SUMS}.asc",
        "VERIFY.md",
    }
)
"""What every sealed bundle holds, of a broken run too"""

_GATE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,127}"
_SEEN = (r"journal\.jsonl", r"proof\.(source|restored)\.json", r"manifest\.json(\.asc)?", rf"gates/{_GATE}\.yaml")
_LOGS = rf"logs/({_WORD}/)*{_WORD}"
_SEALING = (
    r"verdict\.json",
    r"context\.json",
    rf"{_GATE}\.(md|pdf)(\.asc)?",
    rf"templates/({_WORD}/)*{_WORD}",
    r"statement\.json(\.asc)?",
    r"SHA256SUMS(\.asc(\.tsr)?)?",
)
_PERSON = r"[a-z0-9][a-z0-9._-]{0,63}"
_ADDED = (
    rf"decisions/[0-9]{{8}}T[0-9]{{6}}Z-{_PERSON}-{_GATE}-(approve|reject|waive)\.json(\.asc)?",
    rf"revisions/[1-9][0-9]{{0,3}}/(context\.json|(statement\.json|SHA256SUMS|{_GATE}\.(md|pdf))(\.asc)?)",
)

_DERIVED: Final = re.compile("|".join(_SEALING))
_ALLOWED: Final = re.compile("|".join((*_SEEN, _LOGS, *_SEALING, *_ADDED)))


def is_run(name: str) -> bool:
    """Whether a run may be called so: a plain folder name that sorts, without surprises for a shell."""
    return _RUN.fullmatch(name) is not None


def is_allowed(name: str) -> bool:
    """Whether a bundle may hold a file of this name; `/` divides folders, and nothing leads out of the bundle."""
    return _ALLOWED.fullmatch(name) is not None


def is_added(name: str) -> bool:
    """Whether a file of this name may be added to a bundle after it was sealed: decisions and revisions."""
    return name.startswith((f"{DECISIONS}/", f"{REVISIONS}/"))


def is_derived(name: str) -> bool:
    """Whether a file of this name is made while a bundle is sealed, from what was seen before."""
    return _DERIVED.fullmatch(name) is not None


def required(observations: Iterable[Observation], *, gates: Iterable[str]) -> frozenset[str]:
    """What a sealed bundle must hold, given what its run came to see and which gates it was judged by."""
    names = set(ALWAYS)
    for gate in gates:
        names |= {f"gates/{gate}.yaml", *(f"{gate}.{kind}{end}" for kind in ("md", "pdf") for end in ("", ".asc"))}
    seen = {observation.fact for observation in observations}
    if any(o.fact == "run.completed" and o.value is True for o in observations):
        names |= {"manifest.json", "manifest.json.asc", "proof.source.json"}
    if "restore.rto" in seen and "tables.compared" in seen:
        names |= {"proof.source.json", "proof.restored.json"}
    return frozenset(names)
