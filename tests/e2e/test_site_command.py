"""`attestore site` as people start it, on the golden archive, with the real gpg."""

from __future__ import annotations

import shutil
from pathlib import Path

from programme import at_desk
from sites import read

GOLDEN = Path(__file__).parents[1] / "archives" / "0.1.0"


def test_the_command_shows_what_status_says_in_the_language_asked_for(tmp_path: Path) -> None:
    (tmp_path / "desk").mkdir()
    with at_desk(tmp_path / "desk", keys=False) as desk:
        shutil.copytree(GOLDEN / "reports", desk.reports)
        trust = ("--roster", str(GOLDEN / "roster.yaml"), "--at", "2026-11-24", "--json")
        made = desk.attestore("site", *trust, "--language", "de")
        assert made.code == 0, made.err
        told = desk.attestore("status", *trust)
        standings = [(each["system"], each["gate"], each["standing"]) for each in told.result["gates"]]
        assert [(each["system"], each["gate"], each["standing"]) for each in made.result["gates"]] == standings
        assert "PASS" in {standing for _, _, standing in standings}
        assert (made.result["troubled"], made.result["ledger_problems"]) == ([], [])
        index = read(desk.folder / made.result["index"])
        assert "Sicherheits-Gates" in index.text
        (run,) = (desk.reports / "_site" / "runs").glob("*.html")
        text = read(run).text
        for words in ("7.305", "Wiederherstellungszeit", "23.11.2026", "Gates dieses Laufs"):
            assert words in text
        for english in ("Recovery time", "Gates of this run", "not measured", "How to verify", "Decisions"):
            assert english not in text
