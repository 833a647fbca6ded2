"""Where backups are kept: the `stores:` section, and the same in one word for the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from attestore.config.secrets import Place, SecretField, SecretRef
from attestore.errors import UsageError
from attestore.strictyaml import Node, did_you_mean

__all__ = ["PROFILES", "DirectoryPlace", "Lock", "S3Place", "StoreForm", "StorePlace", "named_stores", "read_store"]

PROFILES: Final = ("aws", "digitalocean", "backblaze", "cloudflare", "minio", "ceph", "generic")

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_PREFIX: Final = re.compile(r"(?:[A-Za-z0-9!_'()*][A-Za-z0-9!_.'()*=+-]*/)*")
_SPAN: Final = re.compile(r"([1-9][0-9]{0,6})([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MIB: Final = 1 << 20
_LEAST_PART: Final = 5
_MOST_PART: Final = 512
_MOST_PARALLEL: Final = 32


@dataclass(frozen=True, slots=True)
class Lock:
    """How long nobody may delete what is stored."""

    mode: Literal["compliance", "governance"]
    keep_s: int
    """seconds from the moment it was stored and read back; 0: no retention, a hold only"""
    hold: bool = False
    """a legal hold besides, until somebody lifts it"""


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """A folder."""

    name: str
    path: Path
    off_site: bool = False
    """by the operator's word: it is somewhere else than the source"""

    @property
    def location(self) -> str:
        """For people."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket, and how to come to it."""

    name: str
    bucket: str
    prefix: str = ""
    """empty, or ends with a slash"""
    endpoint: str = ""
    """empty: the service's own for the region"""
    region: str = ""
    profile: str = "generic"
    style: Literal["path", "virtual", ""] = ""
    """empty: the profile's"""
    access_key_id: SecretRef | None = None
    """None: whatever the environment, a profile or the machine's role says"""
    secret_access_key: SecretRef | None = None
    session_token: SecretRef | None = None
    storage_class: str = ""
    encryption: Literal["AES256", "aws:kms", ""] = ""
    """by the service, besides our own"""
    kms_key: str = ""
    lock: Lock | None = None
    ca_bundle: str = ""
    part_size: int = 16 * _MIB
    """bytes of one part of an upload"""
    parallel: int = 4
    off_site: bool = False

    @property
    def location(self) -> str:
        """For people; no secrets."""
        at = f" at {urlsplit(self.endpoint).netloc}" if self.endpoint else ""
        return f"s3://{self.bucket}/{self.prefix}{at}"


StorePlace: TypeAlias = DirectoryPlace | S3Place


class LockForm(BaseModel):
    """Object Lock: what nobody may delete for a time."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=True)

    mode: Literal["compliance", "governance"] = Field(description="compliance: nobody can shorten it.")
    keep: str | None = Field(default=None, alias="for", description="For how long, as 30d or 52w.")
    hold: bool = Field(default=False, description="A legal hold besides, until somebody lifts it.")


class StoreForm(BaseModel):
    """One store."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    kind: Literal["directory", "s3"] = Field(description="A folder, or a bucket of a service that speaks S3.")
    path: str | None = Field(default=None, description="directory: the folder.")
    bucket: str | None = Field(default=None, description="s3: the bucket; Attestore makes none.")
    prefix: str = Field(default="", description="s3: what all keys begin with, as attestore/.")
    endpoint: str = Field(default="", description="s3: address of the service. Default: Amazon's for the region.")
    region: str = Field(default="", description="s3: where the bucket is.")
    profile: Literal["aws", "digitalocean", "backblaze", "cloudflare", "minio", "ceph", "generic"] | None = Field(
        default=None,
        description="s3: whose service; where it differs is probed. Default: aws without an endpoint, else generic.",
    )
    style: Literal["path", "virtual"] | None = Field(default=None, description="s3: where the bucket's name stands.")
    access_key_id: SecretField | None = Field(default=None, description="s3: env:NAME or file:/path.")
    secret_access_key: SecretField | None = Field(default=None, description="s3: env:NAME or file:/path.")
    session_token: SecretField | None = Field(default=None, description="s3: env:NAME or file:/path.")
    storage_class: str = Field(default="", description="s3: as STANDARD_IA; it must be readable at once.")
    encryption: Literal["AES256", "aws:kms"] | None = Field(
        default=None, description="s3: by the service, besides our own."
    )
    kms_key: str = Field(default="", description="s3: key of the service for aws:kms.")
    lock: LockForm | None = Field(default=None, description="s3: Object Lock for what is stored.")
    ca_bundle: str = Field(default="", description="s3: PEM file of authorities to trust for TLS.")
    part_mib: int = Field(default=16, description="s3: size of an upload's parts, 5 to 512 MiB.")
    parallel: int = Field(default=4, description="s3: parts on their way at once, 1 to 32.")
    off_site: bool = Field(default=False, description="Your word that it is somewhere else than the source.")


def read_store(name: str, node: Node, *, folder: Path) -> StorePlace:
    """One entry of the `stores:` section; paths in it are relative to `folder`.

    Raises:
        GateError: it can't be meant; line and column are in it.
    """
    form = node.read_as(StoreForm)
    try:
        return _place(name, form, given=tuple(key for key, _ in node.items()), folder=folder)
    except _RefusedError as problem:
        raise node.error(problem.sentence, at=(problem.at,) if problem.at else (), hint=problem.hint) from problem


def named_stores(written: Iterable[str]) -> tuple[StorePlace, ...]:
    """The stores of a command line: each `DIR` or `s3://bucket/prefix?endpoint=…&region=…`, perhaps after `NAME=`.

    Raises:
        UsageError: one can't be meant, or two have one name.
    """
    places: list[StorePlace] = []
    for text in written:
        name, place = _one(text)
        taken = {each.name for each in places}
        if name and place.name in taken:
            raise UsageError(f"two stores are called {name}", hint="Give each a name of its own: --store NAME=…")
        number = 2
        while place.name in taken:
            place = replace(place, name=f"{_called(text)}-{number}")
            number += 1
        places.append(place)
    return tuple(places)


def _one(text: str) -> tuple[str, StorePlace]:
    name, equals, rest = text.partition("=")
    given = name if equals and rest and _NAME.fullmatch(name) else ""
    where = rest if given else text
    named = given or _called(where)
    if not where.startswith("s3://"):
        if not where or re.match(r"[a-z][a-z0-9+.-]*://", where):
            raise UsageError(f"{where!r} is no store", hint="A store is a folder, or s3://bucket/prefix.")
        return given, DirectoryPlace(named, Path(where))
    return given, _address(named, where)


def _called(where: str) -> str:
    """A name for a store that was given none: its bucket's or folder's."""
    if where.startswith("s3://"):
        last = where.removeprefix("s3://").partition("/")[0].partition("?")[0].rpartition("@")[2]
    else:
        last = Path(where).name
    return re.sub(r"[^A-Za-z0-9_-]+", "-", last).strip("-_")[:60] or "store"


def _address(name: str, text: str) -> S3Place:
    """A bucket as `s3://bucket/prefix?key=value&…`.

    Raises:
        UsageError: it can't be meant; secrets in it are refused without being shown.
    """
    try:
        parts = urlsplit(text)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as problem:
        raise UsageError(f"the address of the store {name} can't be read: {problem}", hint=_FORM) from problem
    if "@" in parts.netloc or parts.fragment:
        raise UsageError(f"the address of the store {name} holds more than a bucket", hint=_FORM)
    known = ("endpoint", "region", "profile", "style", "lock", "hold", "storage_class", "encryption", "kms_key", "ca_bundle", "off_site", "part_mib", "parallel")  # fmt: skip
    given: dict[str, object] = {"kind": "s3", "bucket": parts.netloc, "prefix": parts.path.lstrip("/")}
    for key, value in options:
        if "secret" in key or "access_key" in key or "token" in key:
            raise UsageError(
                f"the address of the store {name} holds {key}: a command line is no place for secrets",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name the secrets in attestore.yaml.",
            )
        if key not in known:
            raise UsageError(
                f"the address of the store {name} has an unknown option {key!r}", hint=did_you_mean(key, known) or _FORM
            )
        given[key] = value
    return _from_address(name, given)


def _from_address(name: str, given: dict[str, object]) -> S3Place:
    words = {"yes": True, "true": True, "no": False, "false": False}
    try:
        given |= {key: words[str(given[key])] for key in ("off_site", "hold") if key in given}
        given |= {key: int(str(given[key])) for key in ("part_mib", "parallel") if key in given}
    except (KeyError, ValueError) as problem:
        raise UsageError(
            f"the address of the store {name}: {problem.args[0]!r} can't be meant", hint=_FORM
        ) from problem
    hold = bool(given.pop("hold", False))
    if "lock" in given:
        mode, _, keep = str(given.pop("lock")).partition(":")
        given["lock"] = {"mode": mode, "for": keep or None, "hold": hold}
    prefix = str(given["prefix"])
    given["prefix"] = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    try:
        form = StoreForm.model_validate(given)
        place = _place(name, form, given=tuple(given), folder=Path())
    except _RefusedError as problem:
        raise UsageError(
            f"the address of the store {name}: {problem.sentence}", hint=problem.hint or _FORM
        ) from problem
    except ValueError as problem:
        raise UsageError(f"the address of the store {name} can't be meant", hint=_FORM) from problem
    assert isinstance(place, S3Place)  # noqa: S101  its kind says so
    return place


_FORM: Final = "Write s3://bucket/prefix?endpoint=https://…&region=…&profile=…&lock=compliance:30d"


class _RefusedError(Exception):
    def __init__(self, sentence: str, *, at: str = "", hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.at = at
        self.hint = hint


_OF_FOLDERS: Final = frozenset({"kind", "path", "off_site"})


def _place(name: str, form: StoreForm, *, given: tuple[str, ...], folder: Path) -> StorePlace:
    if not _NAME.fullmatch(name):
        raise _RefusedError(f"{name!r} can't be the name of a store", hint="Letters, digits, - and _, at most 64.")
    if form.kind == "directory":
        for key in given:
            if key not in _OF_FOLDERS:
                raise _RefusedError(f"{key} belongs to a store of kind s3", at=key)
        if not form.path:
            raise _RefusedError("a store of kind directory needs a path", at="kind")
        return DirectoryPlace(name, folder / form.path, off_site=form.off_site)
    if form.path is not None:
        raise _RefusedError("path belongs to a store of kind directory", at="path")
    if not form.bucket or not _BUCKET.fullmatch(form.bucket):
        raise _RefusedError(f"{form.bucket!r} can't be a bucket", at="bucket" if form.bucket else "kind")
    _sound(form)
    return S3Place(
        name=name,
        bucket=form.bucket,
        prefix=form.prefix,
        endpoint=form.endpoint.rstrip("/"),
        region=form.region,
        profile=form.profile or ("generic" if form.endpoint else "aws"),
        style=form.style or "",
        access_key_id=_below(folder, form.access_key_id),
        secret_access_key=_below(folder, form.secret_access_key),
        session_token=_below(folder, form.session_token),
        storage_class=form.storage_class,
        encryption=form.encryption or "",
        kms_key=form.kms_key,
        lock=_lock(form.lock),
        ca_bundle=str(folder / form.ca_bundle) if form.ca_bundle else "",
        part_size=form.part_mib * _MIB,
        parallel=form.parallel,
        off_site=form.off_site,
    )


def _sound(form: StoreForm) -> None:
    if not _PREFIX.fullmatch(form.prefix):
        raise _RefusedError(
            f"{form.prefix!r} can't be a prefix",
            at="prefix",
            hint="Folders, each ended by a slash, as attestore/shop/.",
        )
    if form.endpoint:
        parts = urlsplit(form.endpoint)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.username
            or parts.query
            or parts.fragment
        ):
            raise _RefusedError("endpoint is not an address as https://s3.example.org", at="endpoint")
    elif form.profile not in {None, "aws"}:
        raise _RefusedError(f"the profile {form.profile} needs an endpoint", at="profile")
    if (form.access_key_id is None) != (form.secret_access_key is None):
        raise _RefusedError("access_key_id and secret_access_key belong together", at="access_key_id" if form.access_key_id else "secret_access_key")  # fmt: skip
    if form.kms_key and form.encryption != "aws:kms":
        raise _RefusedError("kms_key needs encryption: aws:kms", at="kms_key")
    if not _LEAST_PART <= form.part_mib <= _MOST_PART:
        raise _RefusedError(f"part_mib is {_LEAST_PART} to {_MOST_PART}", at="part_mib")
    if not 1 <= form.parallel <= _MOST_PARALLEL:
        raise _RefusedError(f"parallel is 1 to {_MOST_PARALLEL}", at="parallel")


def _below(folder: Path, ref: SecretRef | None) -> SecretRef | None:
    """A reference whose file, if it is one, is relative to the folder."""
    return ref if ref is None or ref.place is Place.ENVIRONMENT else SecretRef(ref.place, str(folder / ref.name))


def _lock(form: LockForm | None) -> Lock | None:
    if form is None:
        return None
    if form.keep is None:
        if not form.hold:
            raise _RefusedError("a lock needs a time (for: 30d) or a hold", at="lock")
        return Lock(form.mode, 0, hold=True)
    span = _SPAN.fullmatch(form.keep)
    if span is None:
        raise _RefusedError(f"{form.keep!r} is no span of time", at="lock", hint="Write for: 30d, 12h or 52w.")
    return Lock(form.mode, int(span[1]) * _SECONDS[span[2]], hold=form.hold)
