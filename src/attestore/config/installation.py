"""attestore.yaml: which systems are cared for, where their backups go, and who may open them.

Every section but this module's own is handed on as a node to its reader; a key that nobody knows is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from attestore import instants, strictyaml
from attestore.config.alarms import Metrics, MetricsForm, Notify, NotifyForm, read_metrics, read_notify
from attestore.config.secrets import SecretField, SecretRef
from attestore.config.stores import StorePlace, read_store
from attestore.errors import UsageError
from attestore.strictyaml import Node, did_you_mean

__all__ = ["FILE_NAME", "Form", "Installation", "InstallationForm", "SystemEntry", "load_installation", "read_installation", "with_recipient"]  # fmt: skip

FILE_NAME: Final = "attestore.yaml"
"""What is looked for in the folder somebody works in."""

_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MOST_JOBS: Final = 64
_LONGEST_PAUSE_MS: Final = 60_000
_SECRET: Final = re.compile(
    r"(?i)(\b(ssl)?password|\boauth_client_secret|\bscram_(client|server)_key)\s*=|://[^@/?#]*:[^@/?#]*@"
)


class Form(BaseModel):
    """What a section may say: strict, frozen, and nothing unknown."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class KeysForm(Form):
    """Whom backups are sealed to."""

    recipients: tuple[str, ...] = Field(
        default=(), description="Fingerprints; every backup is sealed to each. Default: the backup key of home."
    )
    passphrase: SecretField | None = Field(
        default=None, description="Where the passphrase of home's private keys is; default: they have none."
    )


class SystemForm(Form):
    """One PostgreSQL database under care."""

    source: str | None = Field(
        default=None, description="libpq connection string, URI or service=NAME. Never a password: use a passfile."
    )
    stores: tuple[str, ...] = Field(
        default=(), description="Names of stores; all are written, the first is restored from. Default: every store."
    )
    gates: tuple[str, ...] = Field(default=(), description="Ids or files of the gates that judge a run or a drill.")
    jobs: int | None = Field(default=None, description="Parallel sessions of dump, proof and restore: 1 to 64.")
    source_jobs: int | None = Field(
        default=None, description="Sessions at work on the source at once, at most: 1 to 64. Default: not bounded."
    )
    source_pause: str | None = Field(
        default=None, description="Rest of each session between two chunks of the source, such as 50ms; 1m at most."
    )
    method: Literal["audit", "stream"] | None = Field(default=None, description="How rows are fingerprinted.")
    retention: dict[str, JsonValue] | None = Field(default=None, description="Which backups are kept.")
    schedule: dict[str, JsonValue] | None = Field(default=None, description="When what is done.")


class InstallationForm(Form):
    """An installation of Attestore."""

    attestore: Literal[1] = Field(description="Version of this format.")
    home: str | None = Field(default=None, description="Folder of keys and roster. Default: .attestore")
    reports: str | None = Field(default=None, description="Folder of bundles and ledger. Default: reports")
    gates: str | None = Field(default=None, description="Folder of your own gate files.")
    roster: str | None = Field(default=None, description="Whom to trust. Default: roster.yaml below home.")
    keys: KeysForm = Field(default=KeysForm(), description="Whom backups are sealed to.")
    report: dict[str, JsonValue] | None = Field(default=None, description="How reports look.")
    stores: dict[str, JsonValue] = Field(default={}, description="Where backups are kept, by name.")
    systems: dict[str, SystemForm] = Field(default={}, description="Databases under care, by name.")
    metrics: MetricsForm | None = Field(default=None, description="Where figures are written to.")
    notify: NotifyForm | None = Field(default=None, description="Who is told.")


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """One system, as the file has it; what it does not say is None or empty."""

    name: str
    source: str
    stores: tuple[str, ...]
    """names of stores, the default to restore from first"""
    gates: tuple[str, ...]
    jobs: int | None
    source_jobs: int | None
    source_pause: str | None
    """a duration such as 50ms"""
    method: str | None
    retention: Node | None
    schedule: Node | None


@dataclass(frozen=True, slots=True)
class Installation:
    """What one file says; paths in it are relative to its folder."""

    file: Path
    text: bytes = field(repr=False)
    node: Node
    """the whole document, for errors about what stands in it"""
    home: Path
    reports: Path
    roster: Path | None
    """None: roster.yaml below home"""
    gates: Path | None
    recipients: tuple[str, ...]
    """primary fingerprints; empty: the backup key of home"""
    passphrase: SecretRef | None
    """what unlocks home's private keys; None: nothing has to"""
    systems: Mapping[str, SystemEntry]
    stores: Mapping[str, StorePlace]
    report: Node | None
    metrics: Metrics | None
    notify: Notify | None

    def path(self, written: str) -> Path:
        """A path as the file means it."""
        return self.file.parent / written

    def system(self, name: str) -> SystemEntry:
        """The system of that name.

        Raises:
            UsageError: the file has none.
        """
        if name in self.systems:
            return self.systems[name]
        hint = did_you_mean(name, self.systems) or f"Add it to {self.file} below systems:, or name --source."
        raise UsageError(f"{self.file} has no system {name!r}", hint=hint)


def load_installation(file: Path) -> Installation:
    """Read the configuration file.

    Raises:
        GateError: as `read_installation`.
        UsageError: it can't be read.
    """
    try:
        text = file.read_bytes()
    except OSError as problem:
        raise UsageError(
            f"the configuration {file} can't be read: {problem.strerror}",
            hint="Name another file with --config; attestore init writes one.",
        ) from problem
    return read_installation(text, file=file)


def read_installation(text: bytes, *, file: Path) -> Installation:
    """Read a configuration from its bytes; `file` says where it lies.

    Raises:
        GateError: not strict YAML, an unknown key, another format version, a name or a fingerprint of another form, a
            store that is not there, a secret in the clear; points at the place in the file.
    """
    top = Node(strictyaml.load(text, where=str(file)))
    _version(top)
    form = top.read_as(InstallationForm)
    stores = dict(top.below("stores").items()) if "stores" in form.model_fields_set else {}
    for name, node in stores.items():
        _name(name, "store", node)
    systems = {
        name: _system(name, each, top.below("systems", name), stores=stores) for name, each in form.systems.items()
    }
    for number, fingerprint in enumerate(form.keys.recipients):
        _recipient(fingerprint, top.below("keys", "recipients", number), before=form.keys.recipients[:number])
    folder = file.parent
    return Installation(
        file=file,
        text=text,
        node=top,
        home=folder / _path(form.home, ".attestore", top.below("home")),
        reports=folder / _path(form.reports, "reports", top.below("reports")),
        roster=None if form.roster is None else folder / _path(form.roster, "", top.below("roster")),
        gates=None if form.gates is None else folder / _path(form.gates, "", top.below("gates")),
        recipients=form.keys.recipients,
        passphrase=form.keys.passphrase,
        systems=MappingProxyType(systems),
        stores=MappingProxyType({name: read_store(name, node, folder=folder) for name, node in stores.items()}),
        report=_section(top, "report"),
        metrics=None if (metrics := _section(top, "metrics")) is None else read_metrics(metrics),
        notify=None if (notify := _section(top, "notify")) is None else read_notify(notify),
    )


def _version(top: Node) -> None:
    """A file of a later format is told so, not by the first key that is new in it."""
    if not isinstance(top.value, dict):
        raise top.error("the configuration is not a mapping of keys to values", hint="Begin it with: attestore: 1")
    if "attestore" not in top.value:
        raise top.error("the format version is missing", hint="Begin the file with: attestore: 1")
    if (version := top.value["attestore"]) != 1 or isinstance(version, bool):
        raise top.error(
            f"attestore: {version!r} is a format that this version does not know",
            at=("attestore",),
            hint="Write attestore: 1, or use the version of Attestore that the file was written for.",
        )


def _system(name: str, form: SystemForm, node: Node, *, stores: Mapping[str, Node]) -> SystemEntry:
    _name(name, "system", node)
    if form.source is not None:
        _source(form.source, node.below("source"))
    for number, store in enumerate(form.stores):
        if store not in stores:
            raise node.error(
                f"there is no store {store!r}",
                at=("stores", number),
                hint=did_you_mean(store, stores) or "Describe it below stores: at the top of the file.",
            )
        if store in form.stores[:number]:
            raise node.error(f"the store {store!r} is named twice", at=("stores", number))
    for number, gate in enumerate(form.gates):
        if not gate.strip() or gate in form.gates[:number]:
            what = "is named twice" if gate.strip() else "has no name"
            raise node.error(f"the gate {gate!r} {what}", at=("gates", number))
    for key, jobs in (("jobs", form.jobs), ("source_jobs", form.source_jobs)):
        if jobs is not None and not 1 <= jobs <= _MOST_JOBS:
            raise node.error(f"{key}: {jobs} is out of range", at=(key,), hint=f"Give a number from 1 to {_MOST_JOBS}.")
    if form.source_pause is not None:
        _pause(form.source_pause, node)
    return SystemEntry(
        name=name,
        source=form.source or "",
        stores=form.stores or tuple(stores),
        gates=form.gates,
        jobs=form.jobs,
        source_jobs=form.source_jobs,
        source_pause=form.source_pause,
        method=form.method,
        retention=_section(node, "retention"),
        schedule=_section(node, "schedule"),
    )


def _pause(written: str, node: Node) -> None:
    hint = "Write 50ms or 2s; 1m at most."
    try:
        milliseconds = instants.duration_ms(written)
    except ValueError as problem:
        raise node.error(f"source_pause: {problem}", at=("source_pause",), hint=hint) from problem
    if milliseconds > _LONGEST_PAUSE_MS:
        raise node.error(f"source_pause: {written} is longer than a minute", at=("source_pause",), hint=hint)


def _source(source: str, node: Node) -> None:
    if not source.strip():
        raise node.error("the source is empty", hint="Write service=NAME, a URI, or leave the key out.")
    if any(_SECRET.search(text) for text in (source, unquote(source))):
        raise node.error(
            "the source holds a password",
            hint="Take it out: use a passfile (~/.pgpass), a service with a passfile, or PGPASSWORD.",
        )


def _recipient(fingerprint: str, node: Node, *, before: tuple[str, ...]) -> None:
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise node.error(
            f"the recipient {fingerprint!r} is not 40 upper-case hexadecimal digits",
            hint="Copy the fingerprint from attestore keys list; short key ids are not enough.",
        )
    if fingerprint in before:
        raise node.error(f"the recipient {fingerprint} is named twice")


def _name(name: str, what: str, node: Node) -> None:
    if not _NAME.fullmatch(name):
        raise node.error(
            f"{name!r} can't name a {what}",
            key=True,
            hint="Use letters, digits, - and _, 64 at most: the name stands in file names.",
        )


def _path(written: str | None, default: str, node: Node) -> str:
    if written is None:
        return default
    if not written.strip() or "\0" in written:
        raise node.error("a path is empty", hint="Write one, or leave the key out.")
    return written


def _section(node: Node, name: str) -> Node | None:
    return node.below(name) if isinstance(node.value, dict) and node.value.get(name) is not None else None


def with_recipient(installation: Installation, *, old: str, new: str) -> bytes:
    """The file's text with one recipient's fingerprint replaced by another, and nothing else changed.

    Raises:
        GateError: the fingerprint is not written out where the file lists recipients.
    """
    at = ("keys", "recipients", installation.recipients.index(old))
    line, column = installation.node.document.position(at)
    lines = installation.text.decode("utf-8").splitlines(keepends=True)
    head, rest = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
    changed = rest.replace(old, new, 1)
    lines[line - 1] = head + changed
    text = "".join(lines).encode("utf-8")
    found = read_installation(text, file=installation.file).recipients
    if found != tuple(new if each == old else each for each in installation.recipients):
        raise installation.node.error(f"{old} can't be replaced here", at=at, hint=f"Write {new} in its place.")
    return text
