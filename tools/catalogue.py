"""Writes src/attestore/claims/catalogue.json anew: columns of system relations, names of functions, from real servers.

    .venv/bin/python tools/catalogue.py

Every installation of PostgreSQL on this machine is asked, with all its contrib extensions. What an older file holds of other
majors stays, so that a machine with one major adds to what another one saw.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]
from clusters import MAJORS, running_server  # noqa: E402  the tests' servers

TARGET = Path(__file__).parents[1] / "src/attestore/claims/catalogue.json"
_BETWEEN = {"pg_catalog.pg_stat_io": {"op_bytes"}}
"""What only 16 and 17 have, by their release notes; everything else of theirs is in 15 or 18, too."""

_COLUMNS = """
SELECT n.nspname || '.' || c.relname, string_agg(a.attname, ' ' ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY 1 ORDER BY 1"""
_FUNCTIONS = "SELECT DISTINCT proname FROM pg_proc WHERE proname ~ '^pg_' ORDER BY 1"
_SETTINGS = "SELECT name FROM pg_settings ORDER BY 1"


def main() -> None:
    """Ask every server, and write what all of them have."""
    old = (
        json.loads(TARGET.read_text())
        if TARGET.exists()
        else {"majors": [], "relations": {}, "functions": [], "settings": []}
    )
    relations = {name: set(columns.split()) for name, columns in old["relations"].items()}
    functions, settings, majors = set(old["functions"]), set(old["settings"]), set(old["majors"])
    for major in MAJORS:
        with running_server(major) as server, server.connect() as session:
            majors.add(major)
            for name in session.execute("SELECT name FROM pg_available_extensions ORDER BY 1").fetchall():
                try:
                    session.execute(f'CREATE EXTENSION IF NOT EXISTS "{name[0]}" CASCADE')
                except Exception as problem:  # noqa: BLE001  an extension that can't be made here is left out, and said so
                    sys.stderr.write(f"{major}: {name[0]}: {problem}\n")
            for name, columns in session.execute(_COLUMNS).fetchall():
                relations.setdefault(name, set()).update(columns.split())
            functions |= {row[0] for row in session.execute(_FUNCTIONS).fetchall()}
            settings |= {row[0] for row in session.execute(_SETTINGS).fetchall()}
    for name, columns in _BETWEEN.items():
        relations.setdefault(name, set()).update(columns)
    told = {
        "majors": sorted(majors),
        "relations": {name: " ".join(sorted(columns)) for name, columns in sorted(relations.items())},
        "functions": sorted(functions),
        "settings": sorted(settings),
    }
    TARGET.write_text(json.dumps(told, ensure_ascii=False, indent=0, sort_keys=True) + "\n")


main()
