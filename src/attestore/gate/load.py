"""From the bytes of a gate file to a gate, or to a refusal with file, line, column and remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attestore import instants, resources, strictyaml
from attestore.errors import GateError, UsageError
from attestore.facts import FACTS, Fact, Kind
from attestore.gate.bound import bound, split
from attestore.gate.catalogue import Framework, catalogue
from attestore.gate.form import (
    APPROVER_ROLE,
    GATE_ID,
    LABEL,
    PART_ID,
    ApprovalForm,
    CheckForm,
    ControlForm,
    GateForm,
    ProbeForm,
)
from attestore.gate.model import LONGEST_WAIVER_MS, Approval, Check, Control, Coverage, Gate, Operator, Probe, Severity
from attestore.strictyaml import Document, did_you_mean

__all__ = ["find", "load", "named", "read", "shipped"]

_RESERVED: Final = frozenset({"SUMMARY", "VERIFY", "SHA256SUMS", "README"})
"""Names that files of a bundle have already."""

_LONGEST_TITLE: Final = 200
_ORDERS: Final = (Coverage.SUPPORTING, Coverage.PARTIAL, Coverage.DIRECT)
_EQUALITIES: Final = (Operator.EQUAL, Operator.UNEQUAL)


def load(text: bytes, *, where: str) -> Gate:
    """Read a gate; `where` is what errors call the file.

    Raises:
        GateError: the file is not strict YAML, or says something that cannot be meant; the message begins with
            file, line and column, the hint says what to write instead.
    """
    form, document = strictyaml.load_as(text, GateForm, where=where)
    _identity(form.gate, GATE_ID, document, at=("gate",))
    if form.gate in _RESERVED:
        raise document.error(f"{form.gate} is the name of another file of a bundle", at=("gate",))
    for key in ("title", "statement"):
        _sentence(getattr(form, key), document, at=(key,))
    return Gate(
        id=form.gate,
        title=form.title.strip(),
        statement=" ".join(form.statement.split()),
        severity=Severity(form.severity),
        cadence_ms=None if form.cadence is None else _duration(form.cadence, document, at=("cadence",)),
        controls=_controls(form.controls, document),
        checks=_checks(form.checks, document),
        probes=_probes(form.probes, document),
        approval=None if form.approval is None else _approval(form.approval, document),
        labels=_labels(form.labels, document),
        text=text,
        longest_waiver_ms=_longest_waiver(form, document),
    )


def read(path: Path, *, where: str = "") -> Gate:
    """Read the gate file at `path`.

    Raises:
        GateError: as `load`.
        UsageError: the file cannot be read.
    """
    try:
        text = path.read_bytes()
    except OSError as problem:
        raise UsageError(
            f"the gate file {path} cannot be read: {problem.strerror}",
            hint="Check the path; a gate can also be named by its id.",
        ) from problem
    return load(text, where=where or str(path))


def named(name: str, *, folders: Sequence[Path] = ()) -> Gate:
    """Read the gate that `--gate NAME` means: a file, or an id that lies in one of `folders` or is shipped.

    Raises:
        GateError: the file cannot be loaded, or found by its id holds a gate with another id.
        UsageError: there is no such gate, or it cannot be read.
    """
    path = find(name, folders=folders)
    gate = read(path)
    if not _is_path(name) and gate.id != name:
        raise GateError(
            f"the file is named after {name} and holds the gate {gate.id}",
            where=str(path),
            line=1,
            column=1,
            hint=f"Rename it to {gate.id}.yaml, or correct its id.",
        )
    return gate


def find(name: str, *, folders: Sequence[Path] = ()) -> Path:
    """The file that `--gate NAME` means: NAME itself if it looks like a path, else NAME.yaml in `folders`, then shipped.

    Raises:
        UsageError: there is no such file.
    """
    if _is_path(name):
        path = Path(name)
        if path.is_file():
            return path
        raise UsageError(f"there is no gate file {name}", hint="Check the path; a gate can also be named by its id.")
    places = [*folders, resources.gates_folder()]
    for folder in places:
        path = folder / f"{name}.yaml"
        if re.fullmatch(GATE_ID, name) and path.is_file():
            return path
    known = [path.stem for folder in places for path in _gates_in(folder)]
    raise UsageError(f"there is no gate {name!r}", hint=_nearest(name, known))


def shipped() -> tuple[Path, ...]:
    """The files of the shipped gates, by id."""
    return tuple(_gates_in(resources.gates_folder()))


def _gates_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if re.fullmatch(GATE_ID, path.stem))


def _nearest(name: str, known: Sequence[str]) -> str:
    near = did_you_mean(name, known)
    listed = f"Known gates: {', '.join(sorted(set(known)))}."
    return f"{near} {listed}" if near.startswith("Did") else listed


def _is_path(name: str) -> bool:
    return "/" in name or name.endswith((".yaml", ".yml"))


# ── parts of a gate


def _controls(forms: Sequence[ControlForm], document: Document) -> tuple[Control, ...]:
    found: dict[tuple[str, str], Control] = {}
    for number, form in enumerate(forms):
        at = ("controls", number)
        frameworks = catalogue()
        framework = frameworks.get(form.framework)
        if framework is None:
            hint = did_you_mean(form.framework, frameworks)
            raise document.error(f"unknown framework {form.framework!r}", at=(*at, "framework"), hint=hint)
        if (form.framework, form.id) in found:
            raise document.error(f"the control {form.framework} {form.id} appears twice", at=(*at, "id"))
        found[form.framework, form.id] = _control(form, framework, document, at=at)
    return tuple(found.values())


def _control(form: ControlForm, framework: Framework, document: Document, *, at: tuple[str, int]) -> Control:
    entry = framework.controls.get(form.id)
    if entry is None:
        hint = did_you_mean(form.id, framework.controls)
        raise document.error(f"{framework.title} has no control {form.id!r} here", at=(*at, "id"), hint=hint)
    coverage = entry.coverage if form.coverage is None else Coverage(form.coverage)
    if _ORDERS.index(coverage) > _ORDERS.index(entry.coverage):
        raise document.error(
            f"{form.coverage} claims more of {form.framework} {form.id} than a drill can answer",
            at=(*at, "coverage"),
            hint=f"The catalogue grants {entry.coverage.value}: {entry.note}" if entry.note else "",
        )
    return framework.control(entry, coverage)


def _checks(forms: Sequence[CheckForm], document: Document) -> tuple[Check, ...]:
    if not forms:
        hint = "Write at least one {id, fact, must}."
        raise document.error("a gate without checks proves nothing", at=("checks",), hint=hint)
    found: dict[str, Check] = {}
    for number, form in enumerate(forms):
        at = ("checks", number)
        _identity(form.id, PART_ID, document, at=(*at, "id"))
        if form.id in found:
            raise document.error(f"the check id {form.id!r} appears twice", at=(*at, "id"))
        if form.title:
            _sentence(form.title, document, at=(*at, "title"))
        fact = _fact(form.fact, document, at=(*at, "fact"))
        try:
            operator, written = split(form.must)
            value = bound(fact, operator, written)
        except ValueError as problem:
            raise document.error(f"must: {problem}", at=(*at, "must")) from problem
        found[form.id] = Check(
            id=form.id,
            fact=fact.name,
            operator=operator,
            bound=value,
            written=written,
            of="" if form.of is None else _counting(form.of, document, at=(*at, "of")),
            title=form.title.strip(),
        )
    return tuple(found.values())


def _fact(name: str, document: Document, *, at: strictyaml.Path) -> Fact:
    fact = FACTS.get(name)
    if fact is None:
        raise document.error(f"unknown fact {name!r}", at=at, hint=did_you_mean(name, FACTS))
    return fact


def _counting(name: str, document: Document, *, at: strictyaml.Path) -> str:
    fact = _fact(name, document, at=at)
    if fact.kind is not Kind.COUNT or fact.per:
        raise document.error(
            f"of: {name} does not count what was compared",
            at=at,
            hint="Name a count with one value, such as tables.compared.",
        )
    return name


def _probes(forms: Sequence[ProbeForm], document: Document) -> tuple[Probe, ...]:
    found: dict[str, Probe] = {}
    for number, form in enumerate(forms):
        at = ("probes", number)
        _identity(form.id, PART_ID, document, at=(*at, "id"))
        if form.id in found:
            raise document.error(f"the probe id {form.id!r} appears twice", at=(*at, "id"))
        _sentence(form.title, document, at=(*at, "title"))
        if not form.sql.strip():
            raise document.error("sql: there is no query", at=(*at, "sql"), hint="Write one SELECT statement.")
        try:
            operator, written = split(form.rows)
            rows = bound(FACTS["probe.rows"], operator, written)
        except ValueError as problem:
            raise document.error(f"rows: {problem}", at=(*at, "rows")) from problem
        found[form.id] = Probe(
            id=form.id,
            title=form.title.strip(),
            sql=form.sql.strip(),
            operator=operator,
            bound=int(rows),
            timeout_ms=_duration(form.timeout, document, at=(*at, "timeout")),
            values=() if form.value is None else _values(form.value, document, at=(*at, "value")),
        )
    return tuple(found.values())


def _values(written: str, document: Document, *, at: strictyaml.Path) -> tuple[tuple[Operator, int], ...]:
    several = written.split(",")
    if len(several) > 2:  # noqa: PLR2004  a lower and an upper one
        raise document.error(f"value: {written!r} has more than two bounds", at=at, hint='Write ">= 1000, <= 5000".')
    try:
        parts = [split(each) for each in several]
        return tuple((operator, int(bound(FACTS["probe.value"], operator, text))) for operator, text in parts)
    except ValueError as problem:
        raise document.error(f"value: {problem}", at=at) from problem


def _approval(form: ApprovalForm, document: Document) -> Approval:
    if not form.roles:
        raise document.error("roles: nobody could approve", at=("approval", "roles"), hint="Name a role of the roster.")
    for number, role in enumerate(form.roles):
        _identity(role, APPROVER_ROLE, document, at=("approval", "roles", number))
        if role in form.roles[:number]:
            raise document.error(f"the role {role} appears twice", at=("approval", "roles", number))
    return Approval(roles=form.roles, people=form.people, not_the_operator=form.not_the_operator)


def _longest_waiver(form: GateForm, document: Document) -> int:
    if form.waiver is None:
        return LONGEST_WAIVER_MS
    return _duration(form.waiver.longest, document, at=("waiver", "longest"))


def _labels(labels: dict[str, str], document: Document) -> tuple[tuple[str, str], ...]:
    for name, value in labels.items():
        _identity(name, LABEL, document, at=("labels", name), key=True)
        _sentence(value, document, at=("labels", name))
    return tuple(sorted(labels.items(), key=lambda label: document.position(("labels", label[0]))))


# ── words


def _identity(word: str, pattern: str, document: Document, *, at: strictyaml.Path, key: bool = False) -> None:
    if re.fullmatch(pattern, word) is None or ".." in word:
        raise document.error(f"{word!r} is not an id", at=at, key=key, hint=_IDENTITY[pattern])


_IDENTITY: Final = {
    GATE_ID: "Use 2 to 64 capital letters, digits, dots and hyphens, such as S9-PROD-004.",
    PART_ID: "Use small letters, digits, dots, hyphens and underscores, such as rows.equal.",
    APPROVER_ROLE: "Use small letters, digits and hyphens, such as release-manager.",
    LABEL: "Use small letters, digits, dots, hyphens and underscores, such as sprint.",
}


def _sentence(text: str, document: Document, *, at: strictyaml.Path) -> None:
    longest = 10 * _LONGEST_TITLE if at[-1] == "statement" else _LONGEST_TITLE
    if not text.strip():
        raise document.error(f"{at[-1]} is empty", at=at, hint="Say it in words; people read it in the report.")
    if len(text) > longest:
        raise document.error(f"{at[-1]} has {len(text)} characters, more than {longest}", at=at)
    if "\n" in text.strip() and at[-1] != "statement":
        raise document.error(f"{at[-1]} is longer than a line", at=at)


def _duration(written: str, document: Document, *, at: strictyaml.Path) -> int:
    try:
        return instants.duration_ms(written)
    except ValueError as problem:
        raise document.error(f"{at[-1]}: {problem}", at=at) from problem
