"""What goes wrong between us and an endpoint: what is worth another try, and each thing in words with what to do about it."""

from __future__ import annotations

import re
from typing import Final

from botocore import exceptions as boto
from urllib3.exceptions import HTTPError

from attestore.errors import DiskError, Error, StoreError

__all__ = ["FAULTS", "Fault", "Larger", "Slow", "code_of", "status_of", "translated", "worth_another_try"]


class Fault(Exception):  # noqa: N818  it never leaves this package
    """Something came back that is not what was asked for, though nobody said that anything went wrong."""


class Larger(Exception):  # noqa: N818  it never leaves this package
    """An object has more bytes than it may have, and so is not read."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


class Slow(Fault):
    """It comes, but so slowly that nobody should wait for it."""


FAULTS: Final = (boto.BotoCoreError, boto.ClientError, HTTPError, OSError, Fault, ValueError, KeyError, RecursionError)
"""Everything that a call can raise; the last three are how botocore tells what it can't read of an answer, or can't find in it, and
redirections that never end."""

_AGAIN: Final = frozenset(
    {
        "BadDigest",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "InternalError",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
    }
)
_TEMPORARY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_HOPELESS: Final = (
    Slow,
    RecursionError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ParamValidationError,
    boto.SSLError,
    boto.InvalidRegionError,
    boto.NoRegionError,
    boto.EndpointResolutionError,
)
_ACTIONS: Final = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListParts": "s3:ListMultipartUploadParts",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject and s3:DeleteObjectVersion",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
}
_LONGEST: Final = 300


def code_of(problem: BaseException) -> str:
    """The code of an answer that says no; empty for anything else."""
    return str(problem.response.get("Error", {}).get("Code", "")) if isinstance(problem, boto.ClientError) else ""


def status_of(problem: BaseException) -> int:
    """The HTTP status of an answer that says no; 0 for anything else."""
    if not isinstance(problem, boto.ClientError):
        return 0
    return int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def worth_another_try(problem: BaseException) -> bool:
    """Whether the same call may go well a moment later."""
    if isinstance(problem, boto.ClientError):
        return code_of(problem) in _AGAIN or status_of(problem) in _TEMPORARY
    return not isinstance(problem, _HOPELESS)


def translated(problem: BaseException, *, doing: str, where: str, ours: str) -> Error:
    """The error of the family for what went wrong while we were `doing` something at `where`; `ours` is our own clock."""
    sentence = f"can't {doing} {where}"
    if isinstance(problem, boto.ClientError):
        return _refusal(problem, sentence, ours=ours)
    for kinds, what, hint in _BREAKS:
        if isinstance(problem, kinds):
            return StoreError(f"{sentence}: {what.format(_words(problem))}", hint=hint)
    return StoreError(f"{sentence}: the connection broke again and again: {_words(problem)}", hint=_LATER)


_LATER: Final = "Look at the network and at the service; then run again: what was stored stays stored."
_BREAKS: Final[tuple[tuple[tuple[type[Exception], ...], str, str], ...]] = (
    (
        (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError),
        "there are no credentials for it",
        "Name them in the configuration (access_key_id: env:…, secret_access_key: env:…), or give this user a role.",
    ),
    (
        (boto.SSLError,),
        "TLS failed: {}",
        "Check the address; where the certificate is by authorities of your own, name them with ca_bundle.",
    ),
    ((boto.ConnectTimeoutError, boto.ReadTimeoutError), "no answer in time", _LATER),
    (
        (boto.EndpointConnectionError, boto.ProxyConnectionError),
        "the endpoint can't be reached: {}",
        "Check the endpoint's name and port, the network, and proxy settings.",
    ),
    (
        (boto.ParamValidationError, boto.InvalidRegionError, boto.NoRegionError, boto.EndpointResolutionError),
        "{}",
        "Check bucket, region and endpoint of the store.",
    ),
    (
        (RecursionError,),
        "it redirects each request again and again",
        "Check the endpoint: http or https, its name and its port.",
    ),
    (
        (ValueError, KeyError),
        "its answer can't be read: {}",
        "Is it an object store that answers there, and nothing in between that answers for it?",
    ),
    ((Fault,), "{}", "Something between here and the store alters what it carries, or the store is broken."),
)
"""Kinds of fault, what happened in words, what to do about it; the first that fits."""

_REFUSALS: Final = (
    (
        {"InvalidAccessKeyId", "InvalidAccessKey"},
        "it knows no such access key",
        "Check access_key_id; keys belong to one service, and may have been deleted there.",
    ),
    (
        {"SignatureDoesNotMatch"},
        "the secret key is not the one of that access key",
        "Check secret_access_key (no line end, no blank in it), and that no proxy alters requests.",
    ),
    (
        {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"},
        "the session's token has ended",
        "Get new temporary credentials.",
    ),
    (
        {"NoSuchBucket"},
        "there is no such bucket",
        "Check its name, region and endpoint; Attestore makes no buckets (docs/stores.md says how to).",
    ),
    ({"NoSuchKey", "404", "NotFound", "NoSuchVersion"}, "it is not there", ""),
    (
        {"NoSuchUpload"},
        "somebody has removed the unfinished upload meanwhile",
        "Run again: it begins anew.",
    ),
    (
        {"InvalidObjectState"},
        "it was moved to an archive class that can't be read at once",
        "Have it restored there first, and keep backups in a class that answers at once.",
    ),
)
"""Codes, what they mean, what to do about it."""
_ROOM: Final = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "StorageFull", "EntityTooLarge"})
_ELSEWHERE: Final = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "PermanentRedirect",
        "TemporaryRedirect",
        "301",
    }
)
_DENIED: Final = frozenset({"AccessDenied", "403", "Forbidden"})


def _refusal(problem: boto.ClientError, sentence: str, *, ours: str) -> Error:
    code = code_of(problem)
    message = _plain(str(problem.response.get("Error", {}).get("Message", "")))
    for codes, what, hint in _REFUSALS:
        if code in codes:
            return StoreError(f"{sentence}: {what}", hint=hint)
    if code in _ROOM:
        return DiskError(f"{sentence}: no room left: {message}", hint="Free space there, or name another store.")
    what, hint = _circumstances(problem, code=code, message=message, ours=ours)
    return StoreError(f"{sentence}: {what}", hint=hint)


def _circumstances(problem: boto.ClientError, *, code: str, message: str, ours: str) -> tuple[str, str]:
    """What happened and what to do, where the answer has more to tell than its code."""
    said = f": {message}" if message else ""
    if code == "RequestTimeTooSkewed":
        theirs = _header(problem, "date")
        return (
            f"this machine's clock and the service's differ too much: here it is {ours}{theirs and f', there {theirs}'}",
            "Set this machine's clock (timedatectl, chrony); times in the evidence depend on it, too.",
        )
    if code in _ELSEWHERE:
        region = _region(problem, message)
        return f"the bucket is in another region{region and f', {region}'}", f"Set region: {region or '…'}"
    if code.startswith("KMS"):
        hint = "Check kms_key, and that this user may use it (kms:GenerateDataKey, kms:Decrypt)."
        return f"the key service refuses{said}", hint
    if code in _DENIED:
        action = _ACTIONS.get(problem.operation_name, f"s3:{problem.operation_name}")
        hint = f"Give this user {action} there (docs/stores.md has the smallest policy), unless the object is locked."
        return f"not allowed{'' if message in {code, 'Forbidden'} else said}", hint
    if worth_another_try(problem):
        return f"the service says {code or status_of(problem)} again and again", _LATER
    return f"the service says {code or status_of(problem)}{said}", ""


def _region(problem: boto.ClientError, message: str) -> str:
    told = str(problem.response.get("Error", {}).get("Region", ""))
    found = told or _header(problem, "x-amz-bucket-region") or "".join(re.findall(r"expecting '([a-z0-9-]+)'", message))
    return found if re.fullmatch(r"[a-z0-9-]{1,40}", found) else ""


def _header(problem: boto.ClientError, name: str) -> str:
    return _plain(str(problem.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name, "")))


def _words(problem: BaseException) -> str:
    return _plain(str(problem)) or type(problem).__name__


def _plain(text: str) -> str:
    """Somebody else's words on one line, none of them able to move a terminal."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(line.split())[:_LONGEST]
