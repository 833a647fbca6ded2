"""What follows from vocabulary, catalogue and forms, as files say it: two JSON Schemas and the tables of docs/gates.md.

`tools/vocabulary` writes them; tests compare them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from attestore import gate, resources
from attestore.config import sections
from attestore.facts import FACTS, Kind

__all__ = ["CONFIGURATION", "GUIDE", "SCHEMA", "configuration_text", "guide", "schema_text", "tables"]

SCHEMA = resources.gates_folder() / "gate.schema.json"
CONFIGURATION = Path(__file__).parents[1] / "docs" / "attestore.schema.json"
GUIDE = Path(__file__).parents[1] / "docs" / "gates.md"

_UNITS = {
    Kind.DURATION: "`ms s m h d`",
    Kind.SIZE: "`B kB MB GB TB KiB MiB GiB TiB`",
    Kind.COUNT: "none",
    Kind.FLAG: "`true`, `false`",
    Kind.TEXT: "text",
    Kind.INSTANT: "cannot be bounded",
}


def schema_text() -> str:
    """The text of the schema file."""
    return json.dumps(gate.schema(), indent=1, ensure_ascii=False) + "\n"


def configuration_text() -> str:
    """The text of the schema of attestore.yaml."""
    return json.dumps(sections.schema(), indent=1, ensure_ascii=False) + "\n"


def guide(text: str) -> str:
    """The guide with its tables written anew."""
    for name, table in tables().items():
        begin, end = f"<!-- {name}: written by tools/vocabulary -->\n", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        if not found or end not in rest:
            raise ValueError(f"docs/gates.md has no place for {name}")
        text = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return text


def tables() -> dict[str, str]:
    """The tables of the guide by name."""
    return {"kinds": _kinds(), "facts": _facts(), "controls": _controls()}


def _kinds() -> str:
    rows = ["| kind | unit in `must` | facts |", "|---|---|---|"]
    rows += [f"| {kind.value} | {_UNITS[kind]} | {sum(f.kind is kind for f in FACTS.values())} |" for kind in Kind]
    return "\n".join(rows) + "\n"


def _facts() -> str:
    rows = ["| fact | kind | one for each of | meaning |", "|---|---|---|---|"]
    for fact in FACTS.values():
        per = f"`{fact.per}`" if fact.per else ""
        rows.append(f"| `{fact.name}` | {fact.kind.value} | {per} | {_cell(fact.meaning)} |")
    return "\n".join(rows) + "\n"


def _controls() -> str:
    rows = ["| framework | id | title | at most |", "|---|---|---|---|"]
    rows += [
        f"| `{framework.id}` | {_cell(entry.id)} | {_cell(entry.title)} | {entry.coverage.value} |"
        for framework in gate.catalogue().values()
        for entry in framework.controls.values()
    ]
    return "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"([|*_<>`\\])", r"\\\1", text)


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    CONFIGURATION.write_text(configuration_text(), encoding="utf-8")
    GUIDE.write_text(guide(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
