"""Sentences that a run wrote into the evidence are told in the reader's language, and names in them stay what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import attestore
from attestore import report
from attestore.report import behaviour, control, findings, languages, looked
from attestore.report.voice import Voice, among, retold, speaking
from attestore.resources import templates_folder

GERMAN = languages.printed(report.load_templates(templates_folder(), language="de"), "de")
ADAPTERS = Path(attestore.__file__).parent / "adapters"
LOOKERS = (
    ADAPTERS.parent / "run/preflight.py",
    *(
        ADAPTERS / f"postgres/{name}.py"
        for name in ("built", "existing", "fitness", "mute", "readiness", "scratch", "source")
    ),
    *(ADAPTERS / name for name in ("directory_store.py", "s3/probe.py", "s3/store.py")),
)
"""whoever looks at something before a run; a recovery looks, too, and leaves no report in other languages"""
PLAIN = {"yes", "no", "no: 7", "PostgreSQL 7", "7", "7 s", "pg_dump", "7, 7, 7"}
UNFOLLOWED = {"", "7", "roles can not be made; 7"}
"""advice that a variable holds; the sentences themselves are tried below"""


def texts(node: ast.expr | None) -> Iterator[str]:
    """What an expression can say, with 7 for every value that it puts in."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=parts):
            told = [""]
            for part in parts:
                inner = list(texts(part.value)) if isinstance(part, ast.FormattedValue) else list(texts(part))
                told = [before + each for before in told for each in (inner or ["7"])]
            yield from told
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one)
            yield from texts(other)
        case ast.BoolOp(values=values):
            for each in values:
                yield from texts(each)
        case ast.Call(func=ast.Name(id="amount"), args=[_, ast.Constant(value=str() as one)]):
            yield from (f"1 {one}", f"7 {one}s")
        case _:
            return


def looks() -> Iterator[tuple[str, str, str, str]]:
    """Area, what, what was seen, advice: as each `Look` of a run is written in the sources."""
    for path in LOOKERS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Look":
                advice = next((word.value for word in node.keywords if word.arg == "advice"), None)
                for area in texts(node.args[0]):
                    for what in texts(node.args[1]):
                        for seen in {*texts(node.args[2]), ""}:
                            for more in {*texts(advice), ""}:
                                yield area, what, seen, more


def refusals() -> Iterator[tuple[str, str, str, str]]:
    """What an object store can lack, and what is done without it."""
    for node in ast.walk(ast.parse((ADAPTERS / "s3/probe.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "about":
            (without,) = (word.value for word in node.keywords if word.arg == "without")
            for what in texts(node.args[0]):
                yield from (("store", f"7: {what}", f"no: {each}", "") for each in texts(without))


def test_whatever_a_run_looks_at_is_told_in_german() -> None:
    found = sorted({*looks(), *refusals()})
    assert len(found) > 30
    with speaking(GERMAN):
        for area, what, seen, advice in found:
            told = "; ".join(each for each in (seen, f"note: {advice}" if advice else "") if each)
            subject, said = looked.look_told(f"{area}: {what}", told)
            assert subject.split(": ")[0] != area, area
            thing = what.removeprefix("7: ")
            assert thing in {*looked._SEEN, "pg_dump", "7"}, f"{what!r} is unknown to a German report"
            for piece in filter(None, seen.split("; ")):
                assert seen in PLAIN or piece not in said.split("; "), f"{seen!r} of {what!r} stays English"
            assert advice in UNFOLLOWED or advice not in said, f"{advice!r} stays English"


@pytest.mark.parametrize(
    ("subject", "told", "said"),
    [
        ("source: role", "yes", ("Quelle: Rolle", "yes")),
        ("source: role", "none, a superuser", ("Quelle: Rolle", "none, Superuser")),
        ("store: yes: keeps versions", "yes", ("Speicher: yes: behält Versionen", "ja")),
        (
            "machine: disk",
            "68,280 MiB free, 277 MiB needed",
            ("Maschine: Plattenplatz", "68.280 MiB frei, 277 MiB nötig"),
        ),
        (
            "source: standby",
            "yes; IN THE WAY: no; note: yes",
            ("Quelle: Standby", "ja; IM WEG: no; note: yes"),
        ),
        (
            "source: locks",
            "IN THE WAY: table “fine”; note: fine",
            ("Quelle: Sperren", "IM WEG: table “fine”; note: fine"),
        ),
        ("target: left by earlier runs", "a_1 (1 session)", ("Ziel: von früheren Läufen übrig", "a_1 (1 Sitzung)")),
        ("source: tables readable", "1 table", ("Quelle: Tabellen lesbar", "1 Tabelle")),
        ("source: tables readable", "7,305 tables", ("Quelle: Tabellen lesbar", "7.305 Tabellen")),
        ("source: server", "fine", ("Quelle: Server", "in Ordnung")),
        ("elsewhere: thing", "fine; 7 tables", ("elsewhere: thing", "fine; 7 tables")),
    ],
)
def test_names_and_quoted_problems_stay_as_they_are(subject: str, told: str, said: tuple[str, str]) -> None:
    with speaking(GERMAN):
        assert looked.look_told(subject, told) == said
    assert looked.look_told(subject, told) == (subject, told)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("one row deleted: noticed", "eine Zeile gelöscht: bemerkt"),
        ("one row deleted: noticed, but its row was NOT LOCATED", "eine Zeile gelöscht: bemerkt, aber die Zeile wurde NICHT GEFUNDEN"),
        ("one index dropped: NOT NOTICED", "ein Index entfernt: NICHT BEMERKT"),
        (
            "one value of column x altered: noticed, at least 1,234 rows changed, 1 missing, located",
            "ein Wert der Spalte x verändert: bemerkt, mindestens 1.234 Zeilen geändert, 1 fehlend, gefunden",
        ),
        (
            "one value of column one row deleted: noticed altered: NOT NOTICED",
            "ein Wert der Spalte one row deleted: noticed verändert: NICHT BEMERKT",
        ),
    ],
)  # fmt: skip
def test_a_planted_change_is_told_in_german_whatever_its_column_is_called(told: str, said: str) -> None:
    with speaking(GERMAN):
        assert control._change(told) == said
    assert control._change(told) == told


def test_notes_findings_and_depths_are_told_in_german() -> None:
    with speaking(GERMAN):
        assert behaviour._noted("UPDATE: t_check refused first; INSERT: the table is empty") == (
            "UPDATE: t_check verweigerte zuerst; INSERT: die Tabelle ist leer"
        )
        for each in looked._WORTH_KNOWING:
            assert among(each.replace("{", "").replace("}", ""), looked._WORTH_KNOWING) != each, each
        left = looked.look_told("target: left by earlier runs", "a (1 session); b (2 sessions)")
        assert left == ("Ziel: von früheren Läufen übrig", "a (1 Sitzung); b (2 Sitzungen)")
        assert among("heap: the database is up to 1 GiB", behaviour._DEPTHS) == "heap: die Datenbank hat bis zu 1 GiB"
        for each in findings._FOUND:
            told = each.replace("{", "").replace("}", "")
            assert among(told, findings._FOUND) != told, told


def quoted(folder: Path) -> Iterator[str]:
    """Sentences in SQL that begin a finding: `'Index '`, `'Trigger '` and so on."""
    for node in ast.walk(ast.parse((folder / "postgres/objects/findings.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "SELECT '" in node.value:
            yield from (part.split("'")[0] for part in node.value.split("SELECT '")[1:])


def test_every_kind_of_finding_has_a_sentence_in_german() -> None:
    begun = {each.split("{")[0] for each in findings._FOUND}
    heads = set(quoted(ADAPTERS))
    assert len(heads) > 8
    assert {
        head for head in heads if not any(each.startswith(head) or head.startswith(each) for each in begun)
    } == set()


WORDS = st.text(alphabet="ab, :;{}7", max_size=8)


@given(st.lists(st.tuples(WORDS.map(lambda t: t.replace("{", "").replace("}", "")), st.sampled_from("xyz")), max_size=3, unique_by=lambda t: t[1]), WORDS, st.text(max_size=30))  # fmt: skip
def test_a_sentence_that_is_said_in_its_own_words_is_the_text(
    parts: Sequence[tuple[str, str]], end: str, text: str
) -> None:
    """Whatever was taken out of it is put back: no name is lost, doubled or moved."""
    last = end.replace("{", "").replace("}", "")
    # two values without a word between them can't be told apart, and no sentence of ours has that
    sentence = "".join(f"{words or ' '}{{{name}}}" for words, name in parts) + (last or "n")
    made = sentence.format(**dict.fromkeys("xyz", text or "n"))
    with speaking(Voice(words={sentence: sentence})):
        for each in (made, text, f"{text}{made}"):
            assert among(each, (sentence,)) == each


def test_what_looks_like_a_number_without_end_is_told_as_it_is() -> None:
    """Versions and names come from the server that is looked at; some say thousands of digits."""
    endless = "1" + ",000" * 2000
    with speaking(GERMAN):
        assert look_at(endless) == ("Quelle: Tabellen lesbar", f"{endless} Tabellen")
        assert look_at("7,305") == ("Quelle: Tabellen lesbar", "7.305 Tabellen")
        assert endless in retold(f"{endless} rows at the source")


def look_at(number: str) -> tuple[str, str]:
    return looked.look_told("source: tables readable", f"{number} tables")
