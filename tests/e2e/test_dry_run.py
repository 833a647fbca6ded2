"""A dry run prints the plan, for people or for programmes, and touches nothing."""

from __future__ import annotations

from pathlib import Path

from programme import at_desk

RUN = ("run", "--source", "postgresql://clerk@db.example/shop", "--gate", "S9-PROD-004", "--dry-run")


def test_a_dry_run_says_what_will_be_done_and_written_where(tmp_path: Path) -> None:
    with at_desk(tmp_path, keys=False) as desk:
        ran = desk.attestore(*RUN)
        assert ran.code == 0, ran.err
        for word in ("shop at db.example", "snapshot", "retrieve", "< 30m", ".attestore/store", "reports/"):
            assert word in ran.out, word
        assert list(desk.folder.iterdir()) == []


def test_a_password_among_the_arguments_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with at_desk(tmp_path, keys=False) as desk:
        for source in ("postgresql://clerk:canary@db.example/shop", "host=db.example dbname=shop password=canary"):
            ran = desk.attestore("run", "--source", source, *RUN[3:])
            assert ran.code == 2
            assert "shop at db.example: --source holds a password" in ran.err
            assert "canary" not in ran.out + ran.err
        assert list(desk.folder.iterdir()) == []


def test_a_dry_run_as_json_is_one_object(tmp_path: Path) -> None:
    with at_desk(tmp_path, keys=False) as desk:
        plan = desk.attestore(*RUN, "--json").result
        assert plan["system"] == "shop"
        assert [step["phase"] for step in plan["steps"]][:2] == ["preflight", "snapshot"]
        assert plan["gates"][0]["gate"] == "S9-PROD-004"
        assert list(desk.folder.iterdir()) == []
