"""A store in a bucket: objects appear whole or not at all, are written once, and every byte is read back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attestore.adapters.durable import create, disk_errors
from attestore.adapters.s3 import faults, probe
from attestore.adapters.s3.ahead import Ahead
from attestore.adapters.s3.calls import Calls, Credentials, Patience
from attestore.adapters.s3.digests import Held, Sums, read_span, sums_of, write_at
from attestore.adapters.s3.download import Span, Wanted, in_ranges, spans_of, told_digest, wanted_bytes
from attestore.adapters.s3.upload import upload
from attestore.adapters.stored import agree, parts_of, plain_name
from attestore.config.stores import S3Place
from attestore.errors import Error, StoreError
from attestore.evidence import PartRecord
from attestore.ports import FetchedPart, Hear, Kept, Look, SealedPart, Signed, StoredPart, Unfinished

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

__all__ = ["S3Store"]

_READINGS: Final = 3
"""how often an object is read that came with other bytes than it should: they may have changed on the way"""
_SLACK: Final = timedelta(minutes=1)


class S3Store:
    """Keeps objects below a prefix of a bucket; the bucket is there already."""

    def __init__(
        self, place: S3Place, credentials: Credentials | None = None, *, patience: Patience | None = None
    ) -> None:
        self._place = place
        self._calls = Calls(place, credentials, patience=patience or Patience())
        self._found: probe.Found | None = None
        self._ahead: dict[str, Ahead] = {}
        """what travels before it is put, by the object's name"""

    @property
    def location(self) -> str:
        """Bucket, prefix and endpoint."""
        return self._place.location

    def problems(self) -> tuple[Error, ...]:
        """Whatever stands in the way of a round trip."""
        return tuple(problem for each in self.looks() for problem in each.problems)

    def looks(self) -> tuple[Look, ...]:
        """What the endpoint was found to do, by a nonce; where a lock is asked for, a locked nonce stays for a minute."""
        try:
            self._found = probe.probe(self._calls)
            return tuple(probe.look(self._calls, self._found))
        except Error as problem:
            return (Look("store", f"{self._place.name}: round trip of a nonce", self.location, (problem,)),)

    def put(self, key: str, item: SealedPart | Signed) -> StoredPart:
        """Store durably and atomically, read every byte back, then lock it; where the key holds these bytes already, go on.

        An upload in parts that was cut short is continued with the parts that are missing.

        Raises:
            StoreError: the key holds other bytes or can't be one, the file is not what its record says, or the store
                refused or returned other bytes.
            DiskError: no space left.
        """
        name, found = self._name(key), self._abilities()
        ahead = self._ahead.pop(name, None)
        arrived = None if ahead is None else ahead.arrived(item)
        sums = sums_of(item.path, self._place.part_size) if arrived is None else arrived.sums
        agree(item, (sums.size, sums.digest))
        doing, version, begun = f"put {key} into", None, None if arrived is None else arrived.begun
        if self._head(name, doing=doing) is None:
            version = self._calls.told(
                doing, lambda: upload(self._calls, name, sums, manners=found.manners, begun=begun)
            )
        if ahead is not None and (arrived is None or version is None):
            ahead.give_up()
        stored = self._read_back(key, Wanted(name, version or "", sums.size), sums, ours=version is not None)
        if not found.manners.conditional and found.versions and len(probe.versions_of(self._calls, name)) > 1:
            raise StoreError(
                f"{key} was written twice into the store {self.location}, by somebody else, too",
                hint="Look at its versions; the store itself can't refuse a second writer.",
            )
        if self._place.lock is not None:
            self._lock(key, name, stored.version, found)
        return stored

    @contextmanager
    def ahead(self, key: str, path: Path, *, most: int) -> Iterator[Hear | None]:
        """Send an object's parts while its file is still being written; `put` goes on with what has arrived.

        Nothing of it is an object before `put`; what no `put` went on with is given up when the block ends.
        """
        name = self._name(key)
        if self._found is None or most <= self._place.part_size:
            yield None
            return
        ahead = self._ahead[name] = Ahead(self._calls, name, path, most=most, manners=self._found.manners)
        try:
            yield ahead.hear
        finally:
            if self._ahead.pop(name, None) is not None:
                ahead.give_up()

    def digest(self, key: str) -> StoredPart:
        """Every byte of an object read from the store and kept nowhere: its size and SHA-256.

        Raises:
            StoreError: there is none, or it can't be read.
        """
        name, doing = self._name(key), f"read {key} from"
        head = self._head(name, doing=doing)
        if head is None:
            raise StoreError(f"can't {doing} {self.location}: it is not there")
        version = _version(head)
        size, digest, _ = self._digested(Wanted(name, version, head["ContentLength"]), doing=doing)
        return StoredPart(key=key, size=size, digest=digest, version=version)

    def keys(self, prefix: str) -> tuple[str, ...]:
        """All keys that begin with a prefix, sorted.

        Raises:
            StoreError: the bucket can't be listed.
        """
        return tuple(sorted(key for key in self._listed(prefix) if _is_key(key)))

    def size(self, key: str) -> int | None:
        """Bytes of an object as the service tells them; None where there is none.

        Raises:
            StoreError: the service does not say.
        """
        head = self._head(self._name(key), doing=f"look at {key} in")
        return None if head is None else head["ContentLength"]

    def read(self, key: str, *, limit: int) -> bytes:
        """A small object whole.

        Raises:
            StoreError: there is none, it is larger than `limit` bytes, or not what it says of itself.
        """
        name, doing = self._name(key), f"read {key} from"
        for _ in range(_READINGS):
            told: dict[str, str] = {}
            data = self._calls.told(doing, partial(self._up_to, name, limit, told))
            if len(data) > limit:
                raise StoreError(f"{key} in the store {self.location} has more than the {limit} B it may have")
            if told_digest(told) in {"", hashlib.sha256(data).hexdigest()}:
                return data
        raise StoreError(
            f"{key} comes from the store {self.location} with other bytes than it was stored with",
            hint="It is damaged there, or altered on the way; restore from another store.",
        )

    def fetch(self, key: str, record: PartRecord, *, into: Path, hear: Hear | None = None) -> FetchedPart:
        """An object into a new file below `into`, sized and digested on the way; the caller asks whether it is intact.

        Of one that has more bytes than the record says, nothing is kept. `hear` is told its bytes in their order as they come; all
        of them again where they had to be read again.

        Raises:
            StoreError: there is none, or the transfer failed.
            DiskError: it can't be written below `into`.
        """
        target, doing = into / plain_name(record.name), f"fetch {key} from"
        wanted = Wanted(self._name(key), size=record.size, bounded=True)
        fetched = FetchedPart(record=record, path=target, size=-1, digest="")
        with create(target) as file, target.open("rb", buffering=0) as back:
            for _ in range(_READINGS):
                os.ftruncate(file.fileno(), 0)
                size, state = 0, hashlib.sha256()
                try:
                    with closing(self._through(file.fileno(), back.fileno(), wanted, doing=doing)) as chunks:
                        for chunk in chunks:
                            size += len(chunk)
                            state.update(chunk)
                            if hear is not None:
                                hear(chunk)
                except faults.Larger as larger:
                    return FetchedPart(record=record, path=target, size=larger.size, digest="")
                fetched = FetchedPart(record=record, path=target, size=size, digest=state.hexdigest())
                if fetched.intact:
                    break
        return fetched

    def kept(self, key: str) -> Kept:
        """What keeps an object from being deleted: the most of what any of its versions is under.

        Raises:
            StoreError: the service does not say.
        """
        name, doing = self._name(key), f"look at the lock of {key} in"
        if not self._abilities().versions:
            return Kept()
        return _most([self._kept(name, version, doing=doing) for version in probe.versions_of(self._calls, name)])

    def delete(self, key: str) -> bool:
        """Delete every version of an object; whether there was one.

        Raises:
            StoreError: it is locked or held, and then nothing of it is touched, or the service refused.
        """
        name, doing = self._name(key), f"delete {key} from"
        if not self._abilities().versions:
            there = self._head(name, doing=doing) is not None
            if there:
                self._calls.ask(doing, lambda client: client.delete_object(Bucket=self._place.bucket, Key=name))
            return there
        kept = self.kept(key)
        if kept.locked(datetime.now(UTC)):
            until = f"until {kept.until:%Y-%m-%dT%H:%M:%SZ}" if kept.until else "by a legal hold"
            raise StoreError(
                f"can't {doing} {self.location}: it is locked {until}", hint="Wait until its lock has ended."
            )
        versions = probe.versions_of(self._calls, name)
        for version in versions:
            self._calls.told(doing, partial(probe.delete_version, self._calls, name, version))
        if self._head(name, doing=doing) is not None:
            raise StoreError(f"can't {doing} {self.location}: it is there still")
        return bool(versions)

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Uploads in parts that never became objects, oldest first; those that go on at this moment are among them.

        Raises:
            StoreError: the service does not say.
        """
        place = self._place
        try:
            found = [
                Unfinished(
                    key=each["Key"].removeprefix(place.prefix),
                    name=f"{each['UploadId']} {each['Key']}",
                    begun=each["Initiated"].astimezone(UTC),
                    size=None,
                )
                for page in self._calls.pages(
                    lambda client, more: client.list_multipart_uploads(
                        Bucket=place.bucket, Prefix=place.prefix, **more
                    ),
                    {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"},
                )
                for each in page.get("Uploads", ())
            ]
        except faults.FAULTS as problem:
            raise self._calls.error(problem, "list unfinished uploads of") from problem
        return tuple(sorted(found, key=lambda each: (each.begun, each.key)))

    def sweep(self, leftover: Unfinished) -> None:
        """Abort an upload and give its parts up.

        Raises:
            StoreError: the service refused.
        """
        number, _, name = leftover.name.partition(" ")
        doing = f"sweep {leftover.key} from"
        try:
            self._calls.tried(
                lambda client: client.abort_multipart_upload(Bucket=self._place.bucket, Key=name, UploadId=number)
            )
        except faults.FAULTS as problem:
            if faults.code_of(problem) != "NoSuchUpload":
                raise self._calls.error(problem, doing) from problem

    def _name(self, key: str) -> str:
        parts_of(key)
        return f"{self._place.prefix}{key}"

    def _abilities(self) -> probe.Found:
        if self._found is None:
            self._found = probe.probe(self._calls)
        return self._found

    def _listed(self, prefix: str) -> Iterator[str]:
        place = self._place
        try:
            for page in self._calls.pages(
                lambda client, more: client.list_objects_v2(
                    Bucket=place.bucket, Prefix=f"{place.prefix}{prefix}", **more
                ),
                {"ContinuationToken": "NextContinuationToken"},
            ):
                yield from (each["Key"].removeprefix(place.prefix) for each in page.get("Contents", ()))
        except faults.FAULTS as problem:
            raise self._calls.error(problem, "list") from problem

    def _head(self, name: str, *, doing: str, version: str = "") -> HeadObjectOutputTypeDef | None:
        which: dict[str, Any] = {"VersionId": version} if version else {}
        try:
            head = self._calls.tried(lambda client: client.head_object(Bucket=self._place.bucket, Key=name, **which))
            if head.get("ContentLength", -1) < 0:
                raise faults.Fault("nothing says how long an object is")
            return head  # noqa: TRY300
        except faults.FAULTS as problem:
            if faults.status_of(problem) != 404:  # noqa: PLR2004
                raise self._calls.error(problem, doing) from problem
            return None

    def _up_to(self, name: str, limit: int, told: dict[str, str]) -> bytes:
        data = b""
        for chunk in wanted_bytes(self._calls, Wanted(name), told):
            data += chunk
            if len(data) > limit:
                break
        return data

    def _through(self, into: int, back: int, wanted: Wanted, *, doing: str) -> Generator[bytes, None, None]:
        """The bytes of an object in their order, once they are in a file: it, not memory, keeps what comes before its turn."""
        with disk_errors("write what is fetched"):
            held = Held(into)

        def take(_: Span, at: int, chunk: bytes) -> None:
            # a full disk is no fault of the way
            with disk_errors("write what is fetched"):
                write_at(held.descriptor, chunk, at)

        try:
            whole = spans_of(wanted.size or 0, self._place.part_size)
            if (coming := in_ranges(self._calls, wanted, whole, take)) is not None:
                with closing(coming):
                    for span in coming:
                        yield from read_span(back, span.start, span.end)
                return
            at = 0
            for chunk in wanted_bytes(self._calls, wanted, {}):
                take(Span(0, 0), at, chunk)
                at += len(chunk)
                yield chunk
        except faults.FAULTS as problem:
            raise self._calls.error(problem, doing) from problem

    def _digested(self, wanted: Wanted, *, doing: str) -> tuple[int, str, str]:
        """Size and SHA-256 of an object, and the SHA-256 that it says of itself."""
        told: dict[str, str] = {}
        size, state = 0, hashlib.sha256()
        try:
            for chunk in wanted_bytes(self._calls, wanted, told):
                size += len(chunk)
                state.update(chunk)
        except faults.FAULTS as problem:
            raise self._calls.error(problem, doing) from problem
        return size, state.hexdigest(), told_digest(told)

    def _read_back(self, key: str, wanted: Wanted, sums: Sums, *, ours: bool) -> StoredPart:
        """The object as it is read back, byte by byte.

        Raises:
            StoreError: it has other bytes.
        """
        doing = f"read {key} back from"
        if not wanted.version and (head := self._head(wanted.name, doing=doing)) is not None:
            wanted = Wanted(wanted.name, _version(head), wanted.size)
        size, digest = 0, ""
        if self._as_sent(wanted, sums, doing=doing):
            return StoredPart(key=key, size=sums.size, digest=sums.digest, version=wanted.version)
        for _ in range(_READINGS):
            size, digest, told = self._digested(wanted, doing=doing)
            if (size, digest) == (sums.size, sums.digest):
                return StoredPart(key=key, size=size, digest=digest, version=wanted.version)
            if not ours and told == digest:
                break
        if not ours:
            raise StoreError(f"{key} exists in the store {self.location}; nothing is ever written over")
        raise StoreError(
            f"the store {self.location} returned {key} as {size} B with SHA-256 {digest}; "
            f"put were {sums.size} B with {sums.digest}",
            hint="Something on the way or the store alters bytes; the object is left for you to look at.",
        )

    def _as_sent(self, wanted: Wanted, sums: Sums, *, doing: str) -> bool:
        """Whether every piece comes back with the SHA-256 that it was sent with, so that the whole is what was sent.

        False also where pieces can't be asked for by themselves; then nothing is known yet.
        """
        states: dict[int, Any] = {}

        def take(span: Span, at: int, chunk: bytes) -> None:
            if at == span.start:
                states[at] = hashlib.sha256()
            states[span.start].update(chunk)

        left = list(sums.pieces)
        try:
            for _ in range(_READINGS):
                spans = [Span(piece.start, piece.start + piece.size) for piece in left]
                if (coming := in_ranges(self._calls, wanted, spans, take)) is None:
                    return False
                with closing(coming):
                    found = [states.pop(span.start).digest() for span in coming]
                left = [piece for piece, digest in zip(left, found, strict=True) if digest != piece.sha256]
                if not left:
                    return True
        except faults.FAULTS as problem:
            raise self._calls.error(problem, doing) from problem
        return False

    def _lock(self, key: str, name: str, version: str, found: probe.Found) -> None:
        """Lock a version that was read back, and ask the service whether it is.

        Raises:
            StoreError: it is not.
        """
        lock, doing = self._place.lock, f"lock {key} in"
        assert lock is not None  # noqa: S101  whoever calls has one
        which: Any = {"Bucket": self._place.bucket, "Key": name} | ({"VersionId": version} if version else {})
        until = (datetime.now(UTC) + found.skew + timedelta(seconds=lock.keep_s)).replace(microsecond=0)
        before = self._kept(name, version, doing=doing)
        if lock.keep_s and (before.until is None or before.until < until - _SLACK):
            mode: Any = lock.mode.upper()
            self._calls.ask(
                doing,
                lambda client: client.put_object_retention(**which, Retention={"Mode": mode, "RetainUntilDate": until}),
            )
        if lock.hold and not before.held:
            self._calls.ask(doing, lambda client: client.put_object_legal_hold(**which, LegalHold={"Status": "ON"}))
        after = self._kept(name, version, doing=doing)
        kept = after.until is not None and after.until >= until - _SLACK
        if (lock.keep_s and not kept) or (lock.hold and not after.held):
            raise StoreError(
                f"can't {doing} {self.location}: it took the lock and does not say that it is locked",
                hint="Has the bucket Object Lock, and may this user read it (s3:GetObjectRetention)?",
            )

    def _kept(self, name: str, version: str, *, doing: str) -> Kept:
        head = self._head(name, doing=doing, version=version)
        if head is None:
            return Kept()
        until: datetime | None = head.get("ObjectLockRetainUntilDate")
        return Kept(
            until=until.astimezone(UTC) if until is not None else None,
            mode=str(head.get("ObjectLockMode", "")).lower(),
            held=head.get("ObjectLockLegalHoldStatus") == "ON",
        )


def _version(head: HeadObjectOutputTypeDef) -> str:
    """The version's id; empty where the service keeps none."""
    version = head.get("VersionId", "")
    return "" if version == "null" else version


def _most(kept: list[Kept]) -> Kept:
    ends = [each.until for each in kept if each.until is not None]
    latest = max(ends, default=None)
    mode = next((each.mode for each in kept if each.until == latest), "") if latest else ""
    return Kept(until=latest, mode=mode, held=any(each.held for each in kept))


def _is_key(key: str) -> bool:
    try:
        parts_of(key)
    except StoreError:
        return False
    return True
