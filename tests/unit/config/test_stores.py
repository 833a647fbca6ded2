"""Stores of a configuration file and of a command line: what is meant, and what is refused without showing a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore import strictyaml
from attestore.adapters.s3.profiles import PROFILES as KNOWN
from attestore.config.secrets import Place, SecretRef
from attestore.config.stores import PROFILES, DirectoryPlace, Lock, S3Place, StorePlace, named_stores, read_store
from attestore.errors import GateError, UsageError
from attestore.strictyaml import Node


def _read(text: str) -> StorePlace:
    return read_store(
        "offsite", Node(strictyaml.load(text.encode(), where="stores.yaml")), folder=Path("/etc/attestore")
    )


def test_a_bucket_says_everything() -> None:
    place = _read(
        "kind: s3\nbucket: backups\nprefix: attestore/\nendpoint: https://s3.example.org/\nregion: eu-central-1\nprofile: minio\n"
        "access_key_id: env:KEY\nsecret_access_key: file:secret\nstorage_class: STANDARD_IA\nencryption: aws:kms\n"
        "kms_key: alias/x\nlock: {mode: compliance, for: 30d, hold: true}\nca_bundle: ca.pem\npart_mib: 32\nparallel: 2\n"
        "off_site: true\n"
    )
    assert isinstance(place, S3Place)
    assert (place.name, place.bucket, place.prefix, place.endpoint) == (
        "offsite",
        "backups",
        "attestore/",
        "https://s3.example.org",
    )
    assert place.access_key_id == SecretRef(Place.ENVIRONMENT, "KEY")
    assert place.secret_access_key == SecretRef(Place.FILE, "/etc/attestore/secret")
    assert place.lock == Lock("compliance", 30 * 86400, hold=True)
    assert (place.ca_bundle, place.part_size, place.parallel, place.off_site) == (
        "/etc/attestore/ca.pem",
        32 << 20,
        2,
        True,
    )
    assert place.location == "s3://backups/attestore/ at s3.example.org"


def test_a_folder_is_relative_to_the_file() -> None:
    assert _read("{kind: directory, path: backups}") == DirectoryPlace("offsite", Path("/etc/attestore/backups"))


def test_without_an_endpoint_it_is_amazon_and_with_one_nothing_is_assumed() -> None:
    amazon, other = _read("{kind: s3, bucket: backups}"), _read("{kind: s3, bucket: backups, endpoint: 'http://h:1'}")
    assert isinstance(amazon, S3Place)
    assert isinstance(other, S3Place)
    assert (amazon.profile, other.profile) == ("aws", "generic")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{kind: s3}", "can't be a bucket"),
        ("{kind: s3, bucket: backups, bukket: x}", "bukket"),
        ("{kind: tape}", "tape"),
        ("{kind: directory}", "needs a path"),
        ("{kind: directory, path: x, region: eu}", "belongs to a store of kind s3"),
        ("{kind: s3, bucket: backups, path: x}", "belongs to a store of kind directory"),
        ("{kind: s3, bucket: backups, prefix: no-slash}", "can't be a prefix"),
        ("{kind: s3, bucket: backups, prefix: ../x/}", "can't be a prefix"),
        ("{kind: s3, bucket: backups, endpoint: 'ftp://h'}", "not an address"),
        ("{kind: s3, bucket: backups, endpoint: 'https://user:canary@h'}", "not an address"),
        ("{kind: s3, bucket: backups, profile: minio}", "needs an endpoint"),
        ("{kind: s3, bucket: backups, profile: azure}", "azure"),
        ("{kind: s3, bucket: backups, access_key_id: 'env:K'}", "belong together"),
        ("{kind: s3, bucket: backups, kms_key: x}", "needs encryption"),
        ("{kind: s3, bucket: backups, part_mib: 4}", "5 to 512"),
        ("{kind: s3, bucket: backups, parallel: 0}", "1 to 32"),
        ("{kind: s3, bucket: backups, lock: {mode: compliance}}", "needs a time"),
        ("{kind: s3, bucket: backups, lock: {mode: compliance, for: soon}}", "no span of time"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(text: str, says: str) -> None:
    with pytest.raises(GateError, match=r"stores.yaml:\d+:\d+: ") as refused:
        _read(text)
    assert says in refused.value.message
    assert "canary" not in refused.value.message + refused.value.hint


def test_a_secret_in_place_of_a_reference_is_not_shown() -> None:
    with pytest.raises(GateError) as refused:
        _read("{kind: s3, bucket: backups, access_key_id: 'env:K', secret_access_key: canary-of-a-secret}")
    assert "canary" not in str(refused.value) + refused.value.hint


def test_a_command_line_names_folders_and_buckets() -> None:
    here, bucket, again = named_stores(
        (
            "backups",
            "offsite=s3://bucket/shop?endpoint=http://127.0.0.1:9&profile=minio&lock=governance:12h&hold=yes&off_site=yes",
            "/mnt/backups",
        )
    )
    assert here == DirectoryPlace("backups", Path("backups"))
    assert again == DirectoryPlace("backups-2", Path("/mnt/backups"))
    assert isinstance(bucket, S3Place)
    assert (bucket.name, bucket.bucket, bucket.prefix, bucket.off_site) == ("offsite", "bucket", "shop/", True)
    assert bucket.lock == Lock("governance", 43200, hold=True)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("s3://", "can't be a bucket"),
        ("gs://bucket", "is no store"),
        ("", "is no store"),
        ("s3://user:canary@bucket", "more than a bucket"),
        ("s3://bucket?regoin=x", "unknown option 'regoin'"),
        ("s3://bucket?secret_access_key=canary", "no place for secrets"),
        ("s3://bucket?off_site=perhaps", "can't be meant"),
        ("s3://bucket?lock=for-ever:1d", "can't be meant"),
    ],
)
def test_a_command_line_that_cannot_be_meant(written: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        named_stores((written,))
    assert says in refused.value.message
    assert "canary" not in refused.value.message + refused.value.hint


def test_two_stores_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two stores are called x"):
        named_stores(("x=a", "x=b"))


def test_the_profiles_of_the_file_are_those_of_the_adapter() -> None:
    assert set(PROFILES) == set(KNOWN)
