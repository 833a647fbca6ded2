"""An object on its way out of a bucket: one stream, taken up again where it broke."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attestore.adapters.s3 import faults
from attestore.adapters.s3.calls import Calls, Tries
from attestore.adapters.s3.upload import META

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

__all__ = ["Wanted", "told_digest", "wanted_bytes"]

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object, and what is known of it already."""

    name: str
    version: str = ""
    """empty: the newest"""
    size: int | None = None
    """an answer that says another size is asked for again, once"""


def wanted_bytes(calls: Calls, wanted: Wanted, told: dict[str, str]) -> Iterator[bytes]:
    """The bytes of an object from its first to its last; `told` gets the SHA-256 that it says of itself.

    Raises:
        a fault of the way, as it is.
    """
    tries, at, total, tag = Tries(calls.patience), 0, None, ""
    begun = time.monotonic()
    while total is None or at < total:
        try:
            answer = calls.client.get_object(Bucket=calls.place.bucket, Key=wanted.name, **_which(wanted, at, tag))
            whole = _whole(answer, at)
            if total is None and wanted.size not in {None, whole} and tries.again(faults.Fault("another length")):
                wanted = Wanted(wanted.name, wanted.version)
                continue
            total, tag = whole, answer.get("ETag", "")
            if at == 0:
                told[META] = answer.get("Metadata", {}).get(META, "")
            for chunk in _chunks(answer, total - at):
                at += len(chunk)
                tries.progressed()
                yield chunk
                if time.monotonic() - begun > calls.patience.total_s + at / calls.patience.slowest:
                    raise faults.Slow(f"{at} of {total} bytes came in {time.monotonic() - begun:.0f} s")
            if at == total:
                return
            raise faults.Fault(f"{at} of {total} bytes came")
        except faults.FAULTS as problem:
            if not tries.again(problem):
                raise


def _which(wanted: Wanted, at: int, tag: str) -> dict[str, Any]:
    which: dict[str, Any] = {"VersionId": wanted.version} if wanted.version else {}
    if at:
        # the rest of the same bytes, or nothing
        which |= {"Range": f"bytes={at}-"} | ({"IfMatch": tag} if tag else {})
    return which


def _whole(answer: GetObjectOutputTypeDef, at: int) -> int:
    """How many bytes the object has, as this answer says it.

    Raises:
        Fault: it does not begin where it was asked to.
    """
    if not at:
        return answer["ContentLength"]
    span, _, total = answer.get("ContentRange", "").removeprefix("bytes ").partition("/")
    if not span.startswith(f"{at}-") or not total.isdigit():
        raise faults.Fault("the rest of an object does not begin where it was asked to")
    return int(total)


def _chunks(answer: GetObjectOutputTypeDef, most: int) -> Iterator[bytes]:
    body = answer["Body"]
    try:
        while chunk := body.read(_CHUNK):
            if len(chunk) > most:
                raise faults.Fault("more bytes came than were announced")
            most -= len(chunk)
            yield chunk
    finally:
        body.close()


def told_digest(told: dict[str, str]) -> str:
    """The SHA-256 that an object says of itself; empty where it says none."""
    return told.get(META, "")
