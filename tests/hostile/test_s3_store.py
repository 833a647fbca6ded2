"""What an endpoint says no to, in words; what a service lacks, found out and said; secrets, locks and strange keys."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as boto

from attestore.adapters.s3 import Credentials, Patience, S3Store, faults
from attestore.config.stores import Lock
from attestore.errors import DiskError, Error, StoreError
from attestore.evidence import PartRecord
from attestore.ports import SealedPart, Signed, Store
from badnet import bad_network
from endpoints import HURRIED, MINUTE, Endpoint, free_port
from plainserver import plain_server

_IMPATIENT = Patience(connect_s=1, read_s=0.3, attempts=2, first_s=0.001, longest_s=0.002, total_s=3)


@pytest.fixture(scope="module")
def bucket(s3_endpoint: Endpoint) -> str:
    return s3_endpoint.bucket()


def _item(folder: Path, data: bytes = b"sealed") -> Signed:
    (folder / "item").write_bytes(data)
    return Signed(folder / "item")


def _only(store: Store) -> Error:
    (problem,) = store.problems()
    assert problem.hint
    return problem


def test_wrong_keys_and_a_missing_bucket_are_told_apart(s3_endpoint: Endpoint, bucket: str) -> None:
    place = s3_endpoint.place(bucket)
    key, secret = s3_endpoint.access_key_id, s3_endpoint.secret_access_key
    for credentials, at, says in (
        (Credentials(key, "wrong-secret-canary"), place, "the secret key is not the one of that access key"),
        (Credentials("AKIANOBODY", secret), place, "it knows no such access key"),
        (Credentials(key, secret), replace(place, bucket="no-such-bucket"), "there is no such bucket"),
    ):
        problem = _only(S3Store(at, credentials, patience=HURRIED))
        assert isinstance(problem, StoreError)
        assert says in problem.message
        assert secret not in problem.message + problem.hint
        assert "canary" not in problem.message + problem.hint


def test_an_endpoint_that_is_not_there_or_never_answers_is_told(s3_endpoint: Endpoint, bucket: str) -> None:
    place = s3_endpoint.place(bucket, endpoint=f"http://127.0.0.1:{free_port()}")
    assert (
        "the endpoint can't be reached" in _only(S3Store(place, s3_endpoint.credentials, patience=_IMPATIENT)).message
    )
    with bad_network(s3_endpoint.url) as network:
        network.only = ("hang",)
        network.seed(1, rate=1)
        slow = S3Store(replace(place, endpoint=network.url), s3_endpoint.credentials, patience=_IMPATIENT)
        assert "no answer in time" in _only(slow).message
    tls = replace(place, endpoint=s3_endpoint.url.replace("http:", "https:"))
    assert "TLS failed" in _only(S3Store(tls, s3_endpoint.credentials, patience=_IMPATIENT)).message


def test_a_machine_without_credentials_is_told_so(
    s3_endpoint: Endpoint, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert "no credentials" in _only(S3Store(s3_endpoint.place(bucket), patience=_IMPATIENT)).message


def _refusal(code: str, status: int, *, message: str = "", headers: dict[str, str] | None = None) -> boto.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers or {}},
    }
    return boto.ClientError(response, "PutObject")


@pytest.mark.parametrize(
    ("problem", "says", "hint"),
    [
        (
            _refusal("RequestTimeTooSkewed", 403, headers={"date": "Thu, 26 Nov 2026 23:00:00 GMT"}),
            "here it is Thu, 26 Nov 2026 21:00:00 GMT, there Thu, 26 Nov 2026 23:00:00 GMT",
            "Set this machine's clock",
        ),
        (
            _refusal(
                "AuthorizationHeaderMalformed", 400, message="region 'us-east-1' is wrong; expecting 'eu-central-1'"
            ),
            "another region, eu-central-1",
            "Set region: eu-central-1",
        ),
        (
            _refusal("PermanentRedirect", 301, headers={"x-amz-bucket-region": "eu-west-3"}),
            "eu-west-3",
            "region: eu-west-3",
        ),
        (_refusal("AccessDenied", 403), "not allowed", "s3:PutObject"),
        (_refusal("SlowDown", 503), "says SlowDown again and again", "run again"),
        (
            _refusal("KMS.DisabledException", 400, message="key is off"),
            "the key service refuses: key is off",
            "kms_key",
        ),
        (_refusal("InvalidObjectState", 403), "archive class", "restored there first"),
        (_refusal("NoSuchUpload", 404), "removed the unfinished upload", "Run again"),
        (_refusal("ExpiredToken", 400), "token has ended", "temporary credentials"),
    ],
)
def test_each_refusal_has_its_sentence_and_its_hint(problem: boto.ClientError, says: str, hint: str) -> None:
    told = faults.translated(problem, doing="put x into", where="s3://b/", ours="Thu, 26 Nov 2026 21:00:00 GMT")
    assert isinstance(told, StoreError)
    assert told.message.startswith("can't put x into s3://b/: ")
    assert says in told.message
    assert hint in told.hint


def test_a_full_bucket_is_a_full_disk() -> None:
    told = faults.translated(_refusal("QuotaExceeded", 403), doing="put x into", where="s3://b/", ours="")
    assert isinstance(told, DiskError)


def test_what_a_service_says_moves_no_terminal() -> None:
    problem = _refusal("Odd", 400, message="\x1b[2Jboo\nError: forged")
    told = faults.translated(problem, doing="put x into", where="s3://b/", ours="")
    assert told.message.isprintable()
    assert len(faults.translated(_refusal("Odd", 400, message="x" * 9999), doing="", where="", ours="").message) < 400


def test_no_secret_is_in_a_representation_or_a_debug_log(
    s3_endpoint: Endpoint, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = s3_endpoint.store(bucket)
    assert store.problems() == ()
    assert s3_endpoint.secret_access_key not in repr(store.__dict__) + repr(s3_endpoint.credentials)
    assert not [
        record for record in caplog.records if record.name.partition(".")[0] in {"botocore", "boto3", "urllib3"}
    ]


@pytest.fixture
def locked(s3_endpoint: Endpoint) -> S3Store:
    return s3_endpoint.store(s3_endpoint.bucket(locked=True), lock=MINUTE)


def test_what_is_stored_with_a_lock_can_be_deleted_by_nobody_and_says_until_when(
    locked: S3Store, s3_endpoint: Endpoint, tmp_path: Path
) -> None:
    stored = locked.put("b1/x", _item(tmp_path))
    kept = locked.kept("b1/x")
    assert kept.mode == "compliance"
    assert kept.until is not None
    assert timedelta(seconds=30) < kept.until - datetime.now(UTC) < timedelta(seconds=70)
    with pytest.raises(StoreError, match="it is locked until 20"):
        locked.delete("b1/x")
    with pytest.raises(Exception, match="AccessDenied"):
        s3_endpoint.client().delete_object(Bucket=locked._place.bucket, Key="backups/b1/x", VersionId=stored.version)
    assert locked.read("b1/x", limit=10) == b"sealed"


def test_a_legal_hold_holds_until_it_is_lifted(s3_endpoint: Endpoint, tmp_path: Path) -> None:
    bucket = s3_endpoint.bucket(locked=True)
    store = s3_endpoint.store(bucket, lock=Lock("governance", 0, hold=True))
    store.put("b1/x", _item(tmp_path))
    assert store.kept("b1/x").held
    with pytest.raises(StoreError, match="by a legal hold"):
        store.delete("b1/x")
    s3_endpoint.client().put_object_legal_hold(Bucket=bucket, Key="backups/b1/x", LegalHold={"Status": "OFF"})
    assert store.delete("b1/x")
    assert store.keys("") == ()


def test_a_bucket_that_cannot_lock_is_a_problem_before_anything_is_stored(s3_endpoint: Endpoint) -> None:
    problem = _only(s3_endpoint.store(s3_endpoint.bucket(), lock=MINUTE))
    assert "can't lock a nonce in" in problem.message
    assert "when it is made" in problem.hint


def test_a_service_that_knows_less_is_found_out_and_guarded_otherwise(tmp_path: Path) -> None:
    """It would write over an object, and says nothing of wrong sums: what a profile promises is not believed."""
    (tmp_path / "objects").mkdir()
    with plain_server(tmp_path / "objects") as url:
        place = Endpoint(url, "a", "b").place("bucket", part_size=1 << 16, profile="minio")
        store = S3Store(place, Credentials("a", "b"), patience=HURRIED)
        looks = {look.what: look for look in store.looks()}
        assert not [problem for look in looks.values() for problem in look.problems]
        assert looks["offsite: never writes over an object"].seen.startswith("no: it takes no condition")
        assert looks["offsite: never writes over an object"].advice == "other than is known of MinIO"
        assert looks["offsite: compares SHA-256 sums"].seen.startswith("no: ")
        for size in (10, 300_000):
            key, first = f"b1/{size}", b"1" * size
            assert store.put(key, _item(tmp_path, first)).size == size
            assert store.put(key, _item(tmp_path, first)).version == ""
            with pytest.raises(StoreError, match="nothing is ever written over"):
                store.put(key, _item(tmp_path, b"2" * size))
            assert store.digest(key).size == size
        assert store.keys("") == ("b1/10", "b1/300000")
        assert store.delete("b1/10")
        assert not store.delete("b1/10")
        asking = S3Store(replace(place, lock=MINUTE), Credentials("a", "b"), patience=HURRIED)
        assert asking.problems()


def test_an_object_that_was_exchanged_in_the_bucket_is_noticed(
    s3_endpoint: Endpoint, bucket: str, tmp_path: Path
) -> None:
    store = s3_endpoint.store(bucket)
    store.put("shop/b1/manifest.json", _item(tmp_path, b"true"))
    head = s3_endpoint.client().head_object(Bucket=bucket, Key="backups/shop/b1/manifest.json")
    s3_endpoint.client().put_object(
        Bucket=bucket, Key="backups/shop/b1/manifest.json", Body=b"lies", Metadata=head["Metadata"]
    )
    with pytest.raises(StoreError, match="other bytes than it was stored with"):
        store.read("shop/b1/manifest.json", limit=10)
    with pytest.raises(StoreError, match="nothing is ever written over"):
        store.put("shop/b1/manifest.json", _item(tmp_path, b"true"))


_LARGE = bytes(range(251)) * 1200
_PIECE = 1 << 16


def _part(folder: Path) -> SealedPart:
    digest = hashlib.sha256(_LARGE).hexdigest()
    path = _item(folder, _LARGE).path
    record = PartRecord(
        role="archive", name="x.gpg", size=len(_LARGE), digest=digest, plain_size=1, plain_digest="0" * 64
    )
    return SealedPart(record=record, path=path)


def test_a_large_object_comes_in_ranges_and_a_small_one_at_once(
    s3_endpoint: Endpoint, bucket: str, tmp_path: Path
) -> None:
    """One stream is as fast as the way lets one stream be; several are as fast as the way."""
    part = _part(tmp_path)
    with bad_network(s3_endpoint.url) as network:
        store = replace(s3_endpoint, url=network.url).store(bucket, part_size=_PIECE)
        store.put("ranges/b1/x.gpg", part)
        store.put("ranges/b1/small", _item(tmp_path, b"1"))
        for key, record, requests in (
            ("ranges/b1/x.gpg", part.record, 5),
            ("ranges/b1/small", replace(part.record, size=1, digest=hashlib.sha256(b"1").hexdigest()), 1),
        ):
            into = tmp_path / str(requests)
            into.mkdir()
            before = network.seen.total()
            assert store.fetch(key, record, into=into).intact
            assert network.seen.total() - before == requests


def test_an_endpoint_that_knows_no_ranges_gives_a_large_object_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "back").mkdir()
    with plain_server(tmp_path / "objects", ranges=False) as url:
        store = Endpoint(url, "a", "b").store("bucket", part_size=_PIECE)
        part = _part(tmp_path)
        store.put("b1/x.gpg", part)
        assert store.fetch("b1/x.gpg", part.record, into=tmp_path / "back").intact


def test_a_large_object_that_was_exchanged_comes_back_as_what_it_is(
    s3_endpoint: Endpoint, bucket: str, tmp_path: Path
) -> None:
    """Also an empty one, of which there is no first range."""
    store, client, part = s3_endpoint.store(bucket, part_size=_PIECE), s3_endpoint.client(), _part(tmp_path)
    other = _LARGE[:-1] + b"!"
    for number, now in enumerate((b"", b"short", _LARGE[:-1], other)):
        key, back = f"exchanged/{number}/x.gpg", tmp_path / str(number)
        back.mkdir()
        client.put_object(Bucket=bucket, Key=f"backups/{key}", Body=now)
        fetched = store.fetch(key, part.record, into=back)
        assert not fetched.intact
        assert (fetched.size, fetched.digest) == (len(now), hashlib.sha256(now).hexdigest())
        assert fetched.path.read_bytes() == now


def test_of_a_large_object_that_became_larger_nothing_is_kept(
    s3_endpoint: Endpoint, bucket: str, tmp_path: Path
) -> None:
    store, part, key = s3_endpoint.store(bucket, part_size=_PIECE), _part(tmp_path), "larger/x.gpg"
    s3_endpoint.client().put_object(Bucket=bucket, Key=f"backups/{key}", Body=_LARGE + b"more")
    (tmp_path / "back").mkdir()
    fetched = store.fetch(key, part.record, into=tmp_path / "back")
    assert (fetched.size, fetched.digest, fetched.path.stat().st_size) == (len(_LARGE) + 4, "", 0)


def test_names_in_a_bucket_that_are_no_keys_are_not_ours(s3_endpoint: Endpoint, tmp_path: Path) -> None:
    bucket = s3_endpoint.bucket()
    store = s3_endpoint.store(bucket)
    store.put("b1/x", _item(tmp_path))
    for name in ("backups/a//b", "backups/a\nb", "backups/../x", "backups/.attestore-0", "elsewhere/x"):
        s3_endpoint.client().put_object(Bucket=bucket, Key=name, Body=b"1")
    assert store.keys("") == ("b1/x",)
    for key in ("", "../x", "a//b", "a\nb", ".attestore-0"):
        with pytest.raises(StoreError, match="can't be a key"):
            store.read(key, limit=1)
