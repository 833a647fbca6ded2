"""What an endpoint does, found out by doing it with a nonce: nothing that a profile says is believed."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from attestore.adapters.s3 import faults
from attestore.adapters.s3.calls import Calls
from attestore.adapters.s3.profiles import PROFILES
from attestore.adapters.s3.upload import Manners
from attestore.adapters.stored import OURS
from attestore.errors import Error, StoreError
from attestore.ports import Look

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Found", "delete_version", "look", "probe", "versions_of"]

_SHORTEST_LOCK: Final = timedelta(seconds=60)
"""for as long a nonce stays that shows that the lock holds"""
_SKEW: Final = timedelta(seconds=60)
_BEYOND: Final = frozenset({400, 411, 405, 501})
"""statuses of endpoints that don't know what they are asked for"""


@dataclass(frozen=True, slots=True)
class Found:
    """What an endpoint was seen to do."""

    manners: Manners
    versions: bool
    """keeps the versions of an object"""
    skew: timedelta
    """the service's clock minus ours"""


def probe(calls: Calls) -> Found:
    """Write a nonce, write it again, write it with a wrong sum, read it, delete it.

    Raises:
        StoreError, DiskError: the round trip fails; what merely differs between services is told, not raised.
    """
    place, profile = calls.place, PROFILES[calls.place.profile]
    answer = calls.ask(
        "list", lambda client: client.list_objects_v2(Bucket=place.bucket, MaxKeys=1, Prefix=place.prefix)
    )
    skew = _skew(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))
    nonce, name = secrets.token_bytes(64), f"{place.prefix}{OURS}{secrets.token_hex(8)}"
    sums = profile.sums
    try:
        sums = _put(calls, name, nonce, sums=sums)
        conditional = _refused(calls, name, secrets.token_bytes(64), {"IfNoneMatch": "*"}, codes={409, 412})
        if sums:
            wrong = base64.b64encode(hashlib.sha256(b"").digest()).decode()
            sums = _refused(calls, name, nonce, {"ChecksumSHA256": wrong}, codes={400})
        if not conditional:
            _put(calls, name, nonce, sums=sums)
        back = calls.ask(
            "read a nonce from", lambda client: client.get_object(Bucket=place.bucket, Key=name)["Body"].read()
        )
        if back != nonce:
            raise StoreError(f"the store {place.location} returns other bytes than were put")
    finally:
        with suppress(Error, *faults.FAULTS):
            for version in versions_of(calls, name):
                delete_version(calls, name, version)
    return Found(Manners(conditional=conditional, sums=sums), _versioned(calls), skew)


def look(calls: Calls, found: Found) -> Iterator[Look]:
    """What was found, for people, and whether the lock that is asked for holds: an object version is tried to be deleted."""
    place, profile = calls.place, PROFILES[calls.place.profile]

    def about(what: str, here: bool, *, expected: bool, without: str) -> Look:  # noqa: FBT001
        advice = "" if here == expected else f"other than is known of {profile.title}"
        return Look("store", f"{place.name}: {what}", "yes" if here else f"no: {without}", advice=advice)

    plain = place.endpoint.startswith("http://")
    yield Look(
        "store",
        f"{place.name}: round trip of a nonce",
        place.location,
        advice="without TLS: whoever sits between can read names and sizes, and alter what is listed" if plain else "",
    )
    if abs(found.skew) > _SKEW:
        yield Look(
            "store", f"{place.name}: clock", f"{found.skew.total_seconds():+.0f} s", advice="set this machine's clock"
        )
    yield about(
        "never writes over an object",
        found.manners.conditional,
        expected=profile.conditional,
        without="it takes no condition, so each name is looked up before and after it is written",
    )
    yield about(
        "compares SHA-256 sums",
        found.manners.sums,
        expected=profile.sums,
        without="it doesn't; each request is signed with its own SHA-256, and every byte is read back",
    )
    yield Look("store", f"{place.name}: keeps versions", "yes" if found.versions else "no")
    if place.lock is not None:
        yield _locks(calls, found)


def versions_of(calls: Calls, name: str) -> tuple[str, ...]:
    """Ids of every version of an object and of what hides it; one empty id where the service keeps no versions.

    Raises:
        StoreError: the service does not say.
    """
    found: list[str] = []
    try:
        for page in calls.pages(
            lambda client, more: client.list_object_versions(Bucket=calls.place.bucket, Prefix=name, **more),
            {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"},
        ):
            listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            found += [each["VersionId"] for each in listed if each["Key"] == name]
    except faults.FAULTS as problem:
        if faults.status_of(problem) not in _BEYOND:
            raise calls.error(problem, f"list the versions of {name} in") from problem
        return ("",)
    return tuple(found)


def delete_version(calls: Calls, name: str, version: str) -> None:
    """Delete one version of an object, or the object where the service keeps no versions.

    Raises:
        a fault of the way, as it is.
    """
    which: dict[str, Any] = {"VersionId": version} if version else {}
    calls.tried(lambda client: client.delete_object(Bucket=calls.place.bucket, Key=name, **which))


def _put(calls: Calls, name: str, data: bytes, *, sums: bool) -> bool:
    """Whether the endpoint takes sums; written it is in either case."""
    place = calls.place
    options: dict[str, Any] = {}
    if place.storage_class:
        options["StorageClass"] = place.storage_class
    if place.encryption:
        options["ServerSideEncryption"] = place.encryption
    if place.kms_key:
        options["SSEKMSKeyId"] = place.kms_key
    whole = {"ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode()}

    def put(client: S3Client, *, sum_: dict[str, Any]) -> str:
        answer = client.put_object(Bucket=place.bucket, Key=name, Body=data, **options, **sum_)
        return str(answer.get("ServerSideEncryption", ""))

    try:
        told = calls.tried(lambda client: put(client, sum_=whole if sums else {}))
    except faults.FAULTS as problem:
        if not sums or faults.status_of(problem) not in _BEYOND:
            raise calls.error(problem, "write a nonce into") from problem
        told, sums = calls.ask("write a nonce into", lambda client: put(client, sum_={})), False
    if place.encryption and told != place.encryption:
        raise StoreError(
            f"the store {place.location} was asked to encrypt by {place.encryption} and says {told or 'nothing of it'}",
            hint="Leave encryption: out; what is stored is sealed by us in any case.",
        )
    return sums


def _refused(calls: Calls, name: str, data: bytes, options: dict[str, Any], *, codes: set[int]) -> bool:
    """Whether a write that must not go through is refused for the reason that it must not go through."""
    try:
        calls.client.put_object(Bucket=calls.place.bucket, Key=name, Body=data, **options)
    except faults.FAULTS as problem:
        if faults.status_of(problem) in codes:
            return True
        if faults.status_of(problem) in _BEYOND:
            return False
        if not faults.worth_another_try(problem):
            raise calls.error(problem, "write a nonce into") from problem
        try:
            calls.tried(lambda client: client.put_object(Bucket=calls.place.bucket, Key=name, Body=data, **options))
        except faults.FAULTS as later:
            if faults.status_of(later) in codes:
                return True
            raise calls.error(later, "write a nonce into") from later
    return False


def _versioned(calls: Calls) -> bool:
    try:
        return (
            calls.tried(lambda client: client.get_bucket_versioning(Bucket=calls.place.bucket)).get("Status")
            == "Enabled"
        )
    except faults.FAULTS as problem:
        if faults.worth_another_try(problem):
            raise calls.error(problem, "ask for versions of") from problem
        return False


def _locks(calls: Calls, found: Found) -> Look:
    """Whether a locked version of a nonce can be deleted; it stays for a minute, and the next look removes it."""
    place, what = calls.place, f"{calls.place.name}: lock"
    assert place.lock is not None  # noqa: S101  asked for by whoever calls
    told = f"{place.lock.mode}, {_span(place.lock.keep_s)}{' and a legal hold' if place.lock.hold else ''}"
    name = f"{place.prefix}{OURS}lock-{secrets.token_hex(8)}"
    until = datetime.now(UTC) + found.skew + _SHORTEST_LOCK
    try:
        _clear(calls)
        _put(calls, name, b"attestore: may be deleted when its lock has ended\n", sums=found.manners.sums)
        (version,) = versions_of(calls, name)
        calls.ask(
            "lock a nonce in",
            lambda client: client.put_object_retention(
                Bucket=place.bucket,
                Key=name,
                VersionId=version,
                Retention={
                    "Mode": "COMPLIANCE" if place.lock and place.lock.mode == "compliance" else "GOVERNANCE",
                    "RetainUntilDate": until,
                },
            ),
        )
        if _deleted(calls, name, version):
            problem = StoreError(
                f"the store {place.location} deleted an object that was locked until {until:%Y-%m-%dT%H:%M:%SZ}",
                hint="Its Object Lock holds nothing: make a bucket with Object Lock, or leave lock: out.",
            )
            return Look("store", what, told, (problem,))
    except Error as problem:
        hint = problem.hint or "Object Lock is given to a bucket when it is made (docs/stores.md); or leave lock: out."
        return Look("store", what, told, (type(problem)(problem.message, hint=hint),))
    return Look("store", what, f"{told}; a locked version was tried to be deleted, and the store refused")


def _deleted(calls: Calls, name: str, version: str) -> bool:
    try:
        delete_version(calls, name, version)
    except faults.FAULTS as problem:
        if faults.status_of(problem) in {400, 403, 409}:
            return False
        raise calls.error(problem, "try to delete a locked nonce from") from problem
    return True


def _clear(calls: Calls) -> None:
    """Nonces of former looks whose lock has ended; one that is still locked is left."""
    place = calls.place
    page = calls.ask(
        "list",
        lambda client: client.list_objects_v2(Bucket=place.bucket, MaxKeys=100, Prefix=f"{place.prefix}{OURS}lock-"),
    )
    for each in page.get("Contents", ()):
        for version in versions_of(calls, each["Key"]):
            _deleted(calls, each["Key"], version)


def _skew(date: str) -> timedelta:
    with suppress(ValueError):
        return parsedate_to_datetime(date) - datetime.now(UTC)
    return timedelta(0)


def _span(seconds: int) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
