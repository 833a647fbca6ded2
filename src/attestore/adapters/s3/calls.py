"""The way to one bucket: a client that says no secrets, and calls that are tried again where that helps."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attestore.adapters.s3 import faults
from attestore.adapters.s3.profiles import PROFILES
from attestore.config.stores import S3Place
from attestore.errors import Error

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["Calls", "Credentials", "Patience", "Tries"]

T = TypeVar("T")

_LARGEST: Final = 8 << 20
"""bytes of an answer that is not an object's content; a page of a thousand of the longest names takes two"""
_CHUNK: Final = 64 << 10
_NOT_OK: Final = 300
_MOST_PAGES: Final = 10_000
"""of a listing, a thousand names each: a store that never comes to an end would fill the memory"""
_QUIET: Final = ("boto3", "botocore", "s3transfer", "urllib3")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with; never shown."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and how often to try."""

    connect_s: float = 10
    read_s: float = 60
    """longest silence of an endpoint that was reached"""
    attempts: int = 8
    """of one call, the first among them"""
    first_s: float = 0.4
    """longest pause before the second attempt; doubled before each further one"""
    longest_s: float = 20
    total_s: float = 300
    """no attempt begins later than this after the first failure"""
    slowest: int = 128 << 10
    """bytes in a second: a download that is slower over its whole length is given up"""


class Tries:
    """The attempts of one call, none of them once it is `over`. Whoever makes progress begins to count anew."""

    def __init__(self, patience: Patience, over: threading.Event | None = None) -> None:
        self._patience = patience
        self._over = over or threading.Event()
        self._failed = 0
        self._since = 0.0

    def progressed(self) -> None:
        """What follows is a new call."""
        self._failed = 0

    def again(self, problem: BaseException) -> bool:
        """Whether to try once more; if so, a pause has passed."""
        if not faults.worth_another_try(problem):
            return False
        if not self._failed:
            self._since = time.monotonic()
        self._failed += 1
        # full jitter: callers that were refused together don't come back together
        pause = random.uniform(0, min(self._patience.longest_s, self._patience.first_s * 2 ** (self._failed - 1)))  # noqa: S311
        ends = self._since + self._patience.total_s
        if self._failed >= self._patience.attempts or time.monotonic() + pause > ends:
            return False
        return not self._over.wait(pause)


class Calls:
    """Calls to one bucket; every fault leaves as an error of the family."""

    def __init__(self, place: S3Place, credentials: Credentials | None, *, patience: Patience) -> None:
        self.place = place
        self.patience = patience
        self._credentials = credentials
        self._made: S3Client | None = None
        self._making = threading.Lock()

    @property
    def client(self) -> S3Client:
        """boto3's client, made when it is first needed."""
        with self._making:
            if self._made is None:
                self._made = _client(self.place, self._credentials, patience=self.patience)
            return self._made

    def ask(self, doing: str, call: Callable[[S3Client], T]) -> T:
        """What a call answers, tried again as often as patience allows.

        Raises:
            StoreError, DiskError: it can't be had; `doing` says what was tried, after "can't".
        """
        return self.told(doing, lambda: self.tried(call))

    def tried(
        self, call: Callable[[S3Client], T], *, count: list[int] | None = None, over: threading.Event | None = None
    ) -> T:
        """As `ask`, but the fault leaves as it is; `count` gets an item for each attempt, and none begins once it is `over`."""
        tries = Tries(self.patience, over)
        while True:
            if count is not None:
                count.append(1)
            try:
                return call(self.client)
            except faults.FAULTS as problem:
                if not tries.again(problem):
                    raise

    def pages(self, call: Callable[[S3Client, dict[str, Any]], Any], follow: Mapping[str, str]) -> Iterator[Any]:
        """Every page of a listing; `follow` says which value of a page is which parameter of the next.

        Raises:
            a fault of the way, as it is.
        """
        more: dict[str, Any] = {}
        for _ in range(_MOST_PAGES):
            page = self.tried(partial(self._page, call, more))
            yield page
            if not page.get("IsTruncated"):
                return
            before, more = more, {parameter: page.get(value, "") for parameter, value in follow.items()}
            if more == before or not any(more.values()):
                raise faults.Fault("a listing goes on, and does not say where")
        raise faults.Fault(f"a listing has more than {_MOST_PAGES:,} pages")

    @staticmethod
    def _page(call: Callable[[S3Client, dict[str, Any]], Any], more: dict[str, Any], client: S3Client) -> Any:
        return call(client, more)

    def told(self, doing: str, call: Callable[[], T]) -> T:
        """What `call` answers; a fault of the way leaves as an error of the family."""
        try:
            return call()
        except faults.FAULTS as problem:
            raise self.error(problem, doing) from problem

    def error(self, problem: BaseException, doing: str) -> Error:
        """A fault in words."""
        # HEAD is answered without a body, so without a reason: a question with a body gets one
        if faults.code_of(problem) in {"400", "403", "301"}:
            try:
                self.client.list_objects_v2(Bucket=self.place.bucket, MaxKeys=1, Prefix=self.place.prefix)
            except faults.FAULTS as reason:
                problem = reason
        ours = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return faults.translated(problem, doing=doing, where=self.place.location, ours=ours)


def _client(place: S3Place, credentials: Credentials | None, *, patience: Patience) -> S3Client:
    import boto3  # noqa: PLC0415  half a second that only a store in S3 costs
    from botocore.config import Config  # noqa: PLC0415

    # what they would tell holds headers and signatures
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    profile = PROFILES[place.profile]
    config: Any = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},  # tried again by us, who know what helps
        connect_timeout=patience.connect_s,
        read_timeout=patience.read_s,
        max_pool_connections=place.parallel + 2,
        request_checksum_calculation="when_required",  # the sums that count are sent by us; older endpoints take no others
        response_checksum_validation="when_required",
        s3={"addressing_style": place.style or profile.style, "payload_signing_enabled": True},
    )
    known: dict[str, Any] = {}
    if credentials is not None:
        known = {
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
            "aws_session_token": credentials.session_token or None,
        }
    session: Any = boto3.session.Session()  # of its many kinds of client only one is meant
    client: Any = session.client(
        "s3",
        endpoint_url=place.endpoint or None,
        region_name=place.region or profile.region or None,
        verify=place.ca_bundle or True,
        config=config,
        **known,
    )
    # botocore has no door for it: what is not an object's content is read whole, however much comes, and parsed into ten times as much
    client._endpoint.http_session = _Bounded(client._endpoint.http_session)  # noqa: SLF001
    made: S3Client = client
    return made


class _Bounded:
    """Sends requests for botocore, and reads no more of an answer that is not an object's content than such an answer takes."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        """The answer.

        Raises:
            Fault: it is too large.
        """
        content, request.stream_output = request.stream_output, True
        answer = self._session.send(request)
        if content and answer.status_code < _NOT_OK:
            return answer
        data = bytearray()
        for chunk in answer.raw.stream(_CHUNK):
            data += chunk
            if len(data) > _LARGEST:
                answer.raw.close()
                raise faults.Fault(f"an answer has more than {_LARGEST:,} bytes")
        answer._content = bytes(data)  # noqa: SLF001  read once, as botocore itself would
        return answer

    def close(self) -> None:
        self._session.close()
