"""An object on its way into a bucket: in one request or in parts, never over another one, continued where it was cut short."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attestore.adapters.s3 import faults
from attestore.adapters.s3.calls import Calls
from attestore.adapters.s3.crew import Crew
from attestore.adapters.s3.digests import Piece, Sums, md5_of, opened_piece

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["META", "Begun", "Manners", "begin", "send_part", "upload"]

META: Final = "attestore-sha256"
"""under which an object says its own SHA-256"""

_TAKEN: Final = frozenset({"PreconditionFailed", "412"})
_NOT_IMPLEMENTED: Final = 501


@dataclass(frozen=True, slots=True)
class Manners:
    """What an endpoint was found to do."""

    conditional: bool
    """refuses to write over an object where it is asked not to"""
    sums: bool
    """compares what it is sent with the SHA-256 that it is sent along"""


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload in parts that is under way, and the tag of each part that is there."""

    upload: str
    tags: Mapping[int, str]


def upload(calls: Calls, name: str, sums: Sums, *, manners: Manners, begun: Begun | None = None) -> str | None:
    """Bring a file under a name that was free a moment ago; the version it got, empty where there are none.

    An upload that is `begun`, or that somebody died at, is taken up. None: somebody, or an answer of ours that got lost, was faster; whoever calls looks what is there.

    Raises:
        a fault of the way, as it is.
    """
    if len(sums.pieces) == 1:
        return _at_once(calls, name, sums, manners=manners)
    return _in_parts(calls, name, sums, manners=manners, begun=begun)


def begin(calls: Calls, name: str, *, manners: Manners, digest: str = "", over: threading.Event | None = None) -> str:
    """A new upload in parts; the object will say its own SHA-256, where that is known by now.

    Raises:
        a fault of the way, as it is; also once it is `over`.
    """
    options = _options(calls, digest) | ({"ChecksumAlgorithm": "SHA256"} if manners.sums else {})
    made = calls.tried(
        lambda client: client.create_multipart_upload(Bucket=calls.place.bucket, Key=name, **options), over=over
    )
    return made["UploadId"]


def _options(calls: Calls, digest: str) -> dict[str, Any]:
    place = calls.place
    options: dict[str, Any] = {"ContentType": "application/octet-stream"}
    if digest:
        options["Metadata"] = {META: digest}
    if place.storage_class:
        options["StorageClass"] = place.storage_class
    if place.encryption:
        options["ServerSideEncryption"] = place.encryption
    if place.kms_key:
        options["SSEKMSKeyId"] = place.kms_key
    return options


def _once(manners: Manners) -> dict[str, Any]:
    return {"IfNoneMatch": "*"} if manners.conditional else {}


def _at_once(calls: Calls, name: str, sums: Sums, *, manners: Manners) -> str | None:
    (piece,) = sums.pieces
    options = _options(calls, sums.digest) | _once(manners) | _sum(piece, manners)

    def put(client: S3Client) -> str:
        with opened_piece(sums.path, piece) as body:
            answer = client.put_object(
                Bucket=calls.place.bucket, Key=name, Body=body, ContentLength=piece.size, **options
            )
        return str(answer.get("VersionId", ""))

    return _unless_taken(calls, put)


def _unless_taken(calls: Calls, call: Callable[[S3Client], str]) -> str | None:
    try:
        return calls.tried(call)
    except faults.FAULTS as problem:
        if faults.code_of(problem) in _TAKEN:
            return None
        raise


def _sum(piece: Piece, manners: Manners) -> dict[str, Any]:
    return {"ChecksumSHA256": piece.base64} if manners.sums else {}


def _in_parts(calls: Calls, name: str, sums: Sums, *, manners: Manners, begun: Begun | None) -> str | None:
    bucket = calls.place.bucket
    begun = begun or _left(calls, name, sums)
    number = begun.upload or begin(calls, name, manners=manners, digest=sums.digest)
    missing = [piece for piece in sums.pieces if piece.number not in begun.tags]
    tags = {**begun.tags, **_send(calls, name, number, missing, sums=sums, manners=manners)}
    listed: Any = [
        {"PartNumber": piece.number, "ETag": tags[piece.number], **_sum(piece, manners)} for piece in sums.pieces
    ]

    def complete(client: S3Client, *, once: Mapping[str, Any]) -> str:
        answer = client.complete_multipart_upload(
            Bucket=bucket, Key=name, UploadId=number, MultipartUpload={"Parts": listed}, **once
        )
        return str(answer.get("VersionId", ""))

    attempts: list[int] = []
    try:
        try:
            return calls.tried(lambda client: complete(client, once=_once(manners)), count=attempts)
        except faults.FAULTS as problem:
            if not manners.conditional or faults.status_of(problem) != _NOT_IMPLEMENTED:
                raise
            # a condition on the last step is younger than one on a single request
            return calls.tried(lambda client: complete(client, once={}), count=attempts)
    except faults.FAULTS as problem:
        # an answer that got lost: the upload is gone because it became the object
        lost = faults.code_of(problem) == "NoSuchUpload" and len(attempts) > 1
        if lost or faults.code_of(problem) in _TAKEN:
            return None
        raise


def _left(calls: Calls, name: str, sums: Sums) -> Begun:
    """The upload under this name whose parts are of this very file, if somebody died at it; else one that is none."""
    best = Begun("", {})
    for number in _uploads(calls, name):
        there = dict(_arrived(calls, name, number, sums))
        if len(there) > len(best.tags):
            best = Begun(number, there)
    return best


def _uploads(calls: Calls, name: str) -> Iterator[str]:
    for page in calls.pages(
        lambda client, more: client.list_multipart_uploads(Bucket=calls.place.bucket, Prefix=name, **more),
        {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"},
    ):
        yield from (each["UploadId"] for each in page.get("Uploads", ()) if each.get("Key") == name)


def _arrived(calls: Calls, name: str, number: str, sums: Sums) -> Iterator[tuple[int, str]]:
    """Number and tag of each part that is there as it should be."""
    pieces = {piece.number: piece for piece in sums.pieces}
    for page in calls.pages(
        lambda client, more: client.list_parts(Bucket=calls.place.bucket, Key=name, UploadId=number, **more),
        {"PartNumberMarker": "NextPartNumberMarker"},
    ):
        for part in page.get("Parts", ()):
            piece = pieces.get(part["PartNumber"])
            if piece is None or part["Size"] != piece.size:
                continue
            told = part.get("ChecksumSHA256")
            if told == piece.base64 if told else part["ETag"].strip('"') == md5_of(sums.path, piece):
                yield piece.number, part["ETag"]


def _send(calls: Calls, name: str, number: str, pieces: list[Piece], *, sums: Sums, manners: Manners) -> dict[int, str]:
    """Parts side by side, each read from the disk as it goes; their tags by number."""
    with Crew(calls.place.parallel, "upload") as crew:
        said = {"path": sums.path, "manners": manners, "over": crew.over}
        sent: dict[int, Future[str]] = {
            piece.number: crew.submit(send_part, calls, name, number, piece, **said) for piece in pieces
        }
        done, _ = wait(sent.values(), return_when=FIRST_EXCEPTION)
        for each in done:
            each.result()
        return {known: future.result() for known, future in sent.items()}


def send_part(  # noqa: PLR0913  each is one decision about a part
    calls: Calls,
    name: str,
    number: str,
    piece: Piece,
    *,
    path: Path,
    manners: Manners,
    over: threading.Event | None = None,
) -> str:
    """One part into the upload of that number, read from the disk as it goes; its tag.

    Raises:
        a fault of the way, as it is; also once it is `over`, in the middle of a part.
    """

    def once(client: S3Client) -> str:
        with opened_piece(path, piece, over) as body:
            answer = client.upload_part(
                Bucket=calls.place.bucket,
                Key=name,
                UploadId=number,
                PartNumber=piece.number,
                Body=body,
                ContentLength=piece.size,
                **_sum(piece, manners),
            )
        return answer["ETag"]

    return calls.tried(once, over=over)
