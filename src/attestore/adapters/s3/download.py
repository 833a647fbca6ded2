"""An object on its way out of a bucket: in one stream, or a large one in ranges side by side; each is taken up again where it broke."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attestore.adapters.s3 import faults
from attestore.adapters.s3.calls import Calls, Tries
from attestore.adapters.s3.upload import META

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

__all__ = ["Wanted", "told_digest", "wanted_bytes"]

_CHUNK: Final = 1 << 20
_NO_SUCH_RANGE: Final = 416
_RANGE: Final = 8 << 20
"""bytes of one of several streams, held in memory until it is its turn"""


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
    step = min(_RANGE, calls.place.part_size)
    if wanted.size is not None and wanted.size > 2 * step and calls.place.parallel > 1:
        first = _begun(calls, wanted, step)
        if first is not None and _is_range(first, 0, wanted.size):
            told[META] = first.get("Metadata", {}).get(META, "")
            yield from _side_by_side(calls, wanted, first, step=step)
            return
        # an endpoint that knows no ranges, or an object of another length: read as if nothing were known of it
        if first is not None:
            first["Body"].close()
    yield from _in_one(calls, wanted, told)


def _begun(calls: Calls, wanted: Wanted, step: int) -> GetObjectOutputTypeDef | None:
    """What the endpoint says to the first range; None where the object has no such range."""

    def ask(client: S3Client) -> GetObjectOutputTypeDef:
        which = {**_which(wanted, 0, ""), "Range": _range(0, step)}
        return client.get_object(Bucket=calls.place.bucket, Key=wanted.name, **which)

    try:
        return calls.tried(ask)
    except faults.FAULTS as problem:
        if faults.status_of(problem) == _NO_SUCH_RANGE:
            return None
        raise


def _side_by_side(calls: Calls, wanted: Wanted, first: GetObjectOutputTypeDef, *, step: int) -> Iterator[bytes]:
    """The ranges in their order, as many on their way at once as the store is given; of the object that `first` began."""
    total, tag, over = wanted.size or 0, first.get("ETag", ""), threading.Event()
    begun = time.monotonic()

    def fetch(start: int, answer: GetObjectOutputTypeDef | None = None) -> list[bytes]:
        return _ranged(calls, wanted, start, min(start + step, total), tag=tag, answer=answer, over=over)

    pool = ThreadPoolExecutor(calls.place.parallel, thread_name_prefix="download")
    try:
        coming: deque[Future[list[bytes]]] = deque([pool.submit(fetch, 0, first)])
        ahead, at = step, 0
        while coming:
            while ahead < total and len(coming) < calls.place.parallel:
                coming.append(pool.submit(fetch, ahead))
                ahead += step
            for chunk in coming.popleft().result():
                at += len(chunk)
                yield chunk
            if time.monotonic() - begun > calls.patience.total_s + at / calls.patience.slowest:
                raise faults.Slow(f"{at} of {total} bytes came in {time.monotonic() - begun:.0f} s")
    finally:
        over.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _ranged(  # noqa: PLR0913  each is one decision about a range
    calls: Calls,
    wanted: Wanted,
    start: int,
    end: int,
    *,
    tag: str,
    answer: GetObjectOutputTypeDef | None,
    over: threading.Event,
) -> list[bytes]:
    """The bytes from `start` to before `end`, whole; fewer only when it is `over`."""
    tries, at, chunks = Tries(calls.patience), start, list[bytes]()
    begun = time.monotonic()
    while True:
        try:
            if answer is None:
                which = {**_which(wanted, at, tag), "Range": _range(at, end)}
                answer = calls.client.get_object(Bucket=calls.place.bucket, Key=wanted.name, **which)
            if not _is_range(answer, at, wanted.size):
                raise faults.Fault("a range of an object does not begin where it was asked to")
            for chunk in _chunks(answer, end - at):
                at += len(chunk)
                chunks.append(chunk)
                tries.progressed()
                if over.is_set():
                    return chunks
                if time.monotonic() - begun > calls.patience.total_s + (at - start) / calls.patience.slowest:
                    raise faults.Slow(f"{at - start} of {end - start} bytes came in {time.monotonic() - begun:.0f} s")
            if at == end:
                return chunks
            raise faults.Fault(f"{at} of {wanted.size} bytes came")
        except faults.FAULTS as problem:
            answer = None
            if over.is_set() or not tries.again(problem):
                raise


def _range(start: int, end: int) -> str:
    return f"bytes={start}-{end - 1}"


def _is_range(answer: GetObjectOutputTypeDef, at: int, total: int | None) -> bool:
    """Whether an answer says that it begins there, of an object of that many bytes."""
    told = answer.get("ContentRange", "")
    return told.startswith(f"bytes {at}-") and told.rpartition("/")[2] == str(total)


def _in_one(calls: Calls, wanted: Wanted, told: dict[str, str]) -> Iterator[bytes]:
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
