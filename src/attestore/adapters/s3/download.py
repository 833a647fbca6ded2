"""An object on its way out of a bucket: in one stream, or a large one in ranges side by side; each is taken up again where it broke.

Nothing of an object is held but the chunk that each stream is at: a range is heard as it comes, whichever of them comes first.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attestore.adapters.s3 import faults
from attestore.adapters.s3.calls import Calls, Tries
from attestore.adapters.s3.crew import Crew
from attestore.adapters.s3.upload import META

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

__all__ = ["CHUNK", "Span", "Take", "Wanted", "in_ranges", "spans_of", "told_digest", "wanted_bytes"]

CHUNK: Final = 256 << 10
"""bytes that one stream holds at a time"""
_NO_SUCH_RANGE: Final = 416
_RANGE: Final = 16 << 20
"""bytes of one of several streams"""
_MOST_RANGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object, and what is known of it already."""

    name: str
    version: str = ""
    """empty: the newest"""
    size: int | None = None
    """an answer that says another size is asked for again, once"""
    bounded: bool = False
    """whether one that says a larger size is not read"""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes of an object from `start` to before `end`."""

    start: int
    end: int


Take: TypeAlias = Callable[[Span, int, bytes], None]
"""Hears the bytes of a span, chunk by chunk in their order, each with the place where it begins; spans come in several threads at once."""


def spans_of(size: int, part_size: int) -> tuple[Span, ...]:
    """An object cut into ranges; none where it is so small that one stream is as fast."""
    step = max(min(_RANGE, part_size), -(-size // _MOST_RANGES))
    if size <= 2 * step:
        return ()
    return tuple(Span(start, min(start + step, size)) for start in range(0, size, step))


def in_ranges(calls: Calls, wanted: Wanted, spans: Sequence[Span], take: Take) -> Generator[Span, None, None] | None:
    """The spans in their order, each as soon as `take` has heard the whole of it; as many on their way at once as the store is given.

    Whoever closes it early leaves at once, and `take` may be told once more then.

    None where the endpoint knows no ranges, the object has another length than it should, or there is nothing to be gained.

    Raises:
        a fault of the way, as it is.
    """
    if len(spans) < 2 or wanted.size is None or calls.place.parallel < 2:  # noqa: PLR2004  one stream
        return None
    first = _begun(calls, wanted, spans[0])
    if first is not None and _is_range(first, spans[0].start, wanted.size):
        return _side_by_side(calls, wanted, spans, first, take)
    if first is not None:
        first["Body"].close()
    return None


def _begun(calls: Calls, wanted: Wanted, span: Span) -> GetObjectOutputTypeDef | None:
    """What the endpoint says to the first range; None where the object has no such range."""

    def ask(client: S3Client) -> GetObjectOutputTypeDef:
        which = {**_which(wanted, 0, ""), "Range": _range(span.start, span.end)}
        return client.get_object(Bucket=calls.place.bucket, Key=wanted.name, **which)

    try:
        return calls.tried(ask)
    except faults.FAULTS as problem:
        if faults.status_of(problem) == _NO_SUCH_RANGE:
            return None
        raise


def _side_by_side(
    calls: Calls, wanted: Wanted, spans: Sequence[Span], first: GetObjectOutputTypeDef, take: Take
) -> Generator[Span, None, None]:
    """All spans of the object that `first` began."""
    begun, came = time.monotonic(), 0
    with Crew(calls.place.parallel, "download") as crew:
        one = _Ranged(calls, wanted, tag=first.get("ETag", ""), take=take, over=crew.over)
        coming: deque[Future[Span]] = deque([crew.submit(one.fetch, spans[0], first)])
        rest = iter(spans[1:])
        try:
            while coming:
                coming.extend(
                    crew.submit(one.fetch, span) for span in islice(rest, 2 * calls.place.parallel - len(coming))
                )
                span = coming.popleft().result()
                came += span.end - span.start
                yield span
                if coming and time.monotonic() - begun > calls.patience.total_s + came / calls.patience.slowest:
                    raise faults.Slow(f"{came} of {wanted.size} bytes came in {time.monotonic() - begun:.0f} s")
        finally:
            # nobody asks for the others, whatever ends this
            crew.over.set()


@dataclass(frozen=True, slots=True)
class _Ranged:
    """Ranges of one object."""

    calls: Calls
    wanted: Wanted
    tag: str
    """of the very object that was begun; empty where the endpoint gives none"""
    take: Take
    over: threading.Event
    """nobody waits for them any more"""

    def fetch(self, span: Span, answer: GetObjectOutputTypeDef | None = None) -> Span:
        """The span, once it was heard whole; earlier only when it is `over`."""
        calls, wanted = self.calls, self.wanted
        tries, at, begun = Tries(calls.patience, self.over), span.start, time.monotonic()
        while not self.over.is_set():
            try:
                if answer is None:
                    which = {**_which(wanted, at, self.tag), "Range": _range(at, span.end)}
                    answer = calls.client.get_object(Bucket=calls.place.bucket, Key=wanted.name, **which)
                if not _is_range(answer, at, wanted.size):
                    raise faults.Fault("a range of an object does not begin where it was asked to")
                for chunk in _chunks(answer, span.end - at):
                    self.take(span, at, chunk)
                    at += len(chunk)
                    tries.progressed()
                    took = time.monotonic() - begun
                    if self.over.is_set() or took > calls.patience.total_s + (at - span.start) / calls.patience.slowest:
                        raise faults.Slow(f"{at - span.start} of {span.end - span.start} bytes came in {took:.0f} s")
                if at == span.end:
                    return span
                raise faults.Fault(f"{at} of {wanted.size} bytes came")
            except faults.FAULTS as problem:
                answer = None
                if self.over.is_set() or not tries.again(problem):
                    raise
        return span


def _range(start: int, end: int) -> str:
    return f"bytes={start}-{end - 1}"


def _is_range(answer: GetObjectOutputTypeDef, at: int, total: int | None) -> bool:
    """Whether an answer says that it begins there, of an object of that many bytes."""
    told = answer.get("ContentRange", "")
    return told.startswith(f"bytes {at}-") and told.rpartition("/")[2] == str(total)


def wanted_bytes(calls: Calls, wanted: Wanted, told: dict[str, str]) -> Iterator[bytes]:
    """The bytes of an object from its first to its last in one stream; `told` gets the SHA-256 that it says of itself.

    Raises:
        Larger: it has more bytes than it may.
        a fault of the way, as it is.
    """
    tries, at, total, tag = Tries(calls.patience), 0, None, ""
    most = wanted.size if wanted.bounded else None
    begun = time.monotonic()
    while total is None or at < total:
        try:
            answer = calls.client.get_object(Bucket=calls.place.bucket, Key=wanted.name, **_which(wanted, at, tag))
            whole = _whole(answer, at)
            if total is None and wanted.size not in {None, whole} and tries.again(faults.Fault("another length")):
                wanted = replace(wanted, size=None)
                continue
            if most is not None and whole > most:
                answer["Body"].close()
                raise faults.Larger(whole)
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
        if (length := answer.get("ContentLength", -1)) < 0:
            raise faults.Fault("nothing says how long an object is")
        return length
    span, _, total = answer.get("ContentRange", "").removeprefix("bytes ").partition("/")
    if not span.startswith(f"{at}-") or not total.isdigit():
        raise faults.Fault("the rest of an object does not begin where it was asked to")
    return int(total)


def _chunks(answer: GetObjectOutputTypeDef, most: int) -> Iterator[bytes]:
    body = answer["Body"]
    try:
        while chunk := body.read(CHUNK):
            if len(chunk) > most:
                raise faults.Fault("more bytes came than were announced")
            most -= len(chunk)
            yield chunk
    finally:
        body.close()


def told_digest(told: dict[str, str]) -> str:
    """The SHA-256 that an object says of itself; empty where it says none."""
    return told.get(META, "")
