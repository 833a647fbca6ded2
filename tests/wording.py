"""Which sentences of ours a reader of reports can meet: read out of the sources, so that no list of them can be stale.

`say`, `later`, `prose` and `Mark` take a sentence first; `counted` one noun, and its plural; `rate` a unit. Words of the
evidence's own vocabulary that reports translate stand in `VOCABULARY`.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from attestore import gate, report, resources
from attestore.evidence.decision import Meaning
from attestore.facts import RTO_PHASES
from attestore.gate import Coverage
from attestore.gate.catalogue import catalogue as controls
from attestore.plan import EXISTING, Job, make
from attestore.proof import Change, Did
from attestore.proof.compare import What
from attestore.report.behaviour import _SEVERAL
from attestore.report.integrity import _COUNTED_IN
from attestore.standing import Standing

KEPT = {"PASS", "FAIL", "UNKNOWN", "WAIVED"}
"""verdicts are words of the method, the same in every language"""
IN_THE_READERS_LANGUAGE = ("iso27001-2022", "dora", "dora-rts-2024-1774", "nis2-ir-2024-2690", "gdpr")
"""frameworks that exist in other languages; titles of the others are names, and stand as their sources have them"""
REPORT = Path(report.__file__).parent
TEMPLATES = resources.templates_folder()
ROOMS = ("content", "languages", "blocks")
"""where the documents that have a language begin; VERIFY.md and exports have none"""
FIRST = {"say", "later", "prose", "Mark"}


def _text(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp():
            yield from _text(node.body)
            yield from _text(node.orelse)
        case ast.BoolOp():
            for each in node.values:
                yield from _text(each)
        case _:
            return


def _called(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in FIRST:
            yield from _text(node.args[0])
        elif name == "counted" and len(node.args) > 1:
            for one in _text(node.args[1]):
                yield one
                yield from _text(node.args[2]) if len(node.args) > 2 else [f"{one}s"]
        elif name == "rate":
            for word in node.keywords:
                if word.arg == "unit":
                    yield from _text(word.value)


def sentences() -> dict[str, str]:
    """Every sentence, with the first file that says it."""
    found: dict[str, str] = {}
    for path in _spoken():
        for text in _called(ast.parse(path.read_text(encoding="utf-8"))):
            if any(char.isalpha() for char in text):
                found.setdefault(text, path.name)
    for text in _vocabulary():
        found.setdefault(text, "the words of the evidence")
    return found


def _spoken() -> list[Path]:
    """The modules that a document with a language is made by: whatever the first ones import of this room."""
    found: dict[str, Path] = {}
    waiting = list(ROOMS)
    while waiting:
        name = waiting.pop()
        path = REPORT / f"{name}.py"
        if name in found or not path.exists():
            continue
        found[name] = path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "attestore.report":
                waiting += [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("attestore.report."):
                waiting.append(str(node.module).removeprefix("attestore.report."))
    return [found[name] for name in sorted(found)]


def _vocabulary() -> Iterator[str]:
    """Words of evidence, plan and standing that reports say in the reader's language; numbers in them are left open."""
    yield from RTO_PHASES
    for words in (Meaning, Did, Change, What, Standing):
        yield from (word.value for word in words if word.value not in KEPT)
    yield from (word.value.capitalize() for word in Standing if word.value.islower())
    yield from (
        *_SEVERAL,
        *_COUNTED_IN,
        *(
            words
            for words in _COUNTED_IN.values()
            if " " in words and "typtype" not in words and "relkind " not in words
        ),
    )
    yield from (word.value for word in Coverage)
    for name in IN_THE_READERS_LANGUAGE:
        yield from (entry.title for entry in controls()[name].controls.values())
    yield from ("setting", "probe", "generated column", "computed alike")
    gates = (gate.read(resources.gates_folder() / "S9-PROD-003.yaml"),)
    yield from (
        "{n1} was not observed.",
        "{n1} was not observed, so nobody knows how much was compared.",
        "{n1} was observed of something else than it speaks of.",
        "{n1} was observed with contradictory values.",
        "Nothing was compared ({n1} is {n2}): {n3} = {n4} proves nothing.",
        "{n1} of {n2} were observed.",
        "The bound does not hold.",
        "The probe returned no row: it compared nothing.",
        "The run did not complete.",
        "The run died before its end; this bundle holds what it had seen until then.",
    )
    yield from ("absent", "{n1} row", "{n1} rows", "{n1}, largest key {n2}", "{n1} missing", "{n1} extra")
    for least in ("", "at least "):
        for rows in ("row", "rows"):
            yield from (f"{least}{{n1}} {rows} {what.value}" for what in Change)
    for job in Job:
        plan = make(
            job, run="20261122T194200Z-x-000000", system="x", gates=gates if job is not Job.BACKUP else (), jobs=1
        )
        yield plan.scenario
        elsewhere = replace(plan, target=EXISTING)
        yield elsewhere.scenario
        for step in (*plan.steps, *elsewhere.steps):
            yield step.does
            yield step.writes
    for asked in (", {n1} probe", ", {n1} probes"):
        yield f"count and fingerprint every table, list every object, sequence and setting{asked} at that snapshot"
        yield f"take the same proof of the restored copy, look up every foreign key{asked}, compare"
    yield (
        "content re-computed by the restore: {n1} rows at the source, {n2} restored (stale at the source, or computed "
        "from more than its tables)"
    )


def catalogue(language: str, *, folder: Path = TEMPLATES) -> bytes:
    """The language's catalogue as it should be: all sentences, the translations that there are."""
    path = folder / f"{language}.po"
    before = {str(m.id): m.string for m in read_po(io.BytesIO(path.read_bytes()))} if path.exists() else {}
    made = Catalog(locale=language, charset="utf-8", fuzzy=False)
    for text, where in sentences().items():
        made.add(text, before.get(text) or "", auto_comments=[where])
    out = io.BytesIO()
    write_po(out, made, width=110, include_lineno=False, omit_header=True, sort_by_file=False)
    return out.getvalue()


if __name__ == "__main__":
    for name in sys.argv[1:] or [path.stem for path in sorted(TEMPLATES.glob("*.po"))]:
        made = catalogue(name)
        (TEMPLATES / f"{name}.po").write_bytes(made)
        print(f"{name}: {sum(not m.string for m in read_po(io.BytesIO(made)) if m.id)} without a translation")  # noqa: T201
