"""A real S3 endpoint on the loopback, and a proxy before it that does what networks do on a bad day."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3

from attestore.adapters.s3 import Credentials, Patience, S3Store
from attestore.config.stores import Lock, S3Place

HURRIED = Patience(connect_s=2, read_s=2, attempts=6, first_s=0.005, longest_s=0.02, total_s=20)
"""for a loopback that is broken on purpose"""


@dataclass(frozen=True)
class Endpoint:
    """A running service with one user's keys."""

    url: str
    access_key_id: str
    secret_access_key: str

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.access_key_id, self.secret_access_key)

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": self.access_key_id, "AWS_SECRET_ACCESS_KEY": self.secret_access_key}

    def client(self, **config: Any) -> Any:
        session: Any = boto3.session.Session()
        return session.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            **config,
        )

    def bucket(self, *, locked: bool = False, versioned: bool = False) -> str:
        """A new bucket."""
        name = f"bucket-{os.urandom(6).hex()}"
        client = self.client()
        client.create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if locked else {}))
        if versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def place(self, bucket: str, **changes: Any) -> S3Place:
        """That bucket as configured."""
        return replace(S3Place(name="offsite", bucket=bucket, prefix="backups/", endpoint=self.url), **changes)

    def store(self, bucket: str, *, patience: Patience = HURRIED, **changes: Any) -> S3Store:
        """A store in that bucket."""
        return S3Store(self.place(bucket, **changes), self.credentials, patience=patience)


MINUTE = Lock("compliance", 60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def endpoint(folder: Path) -> Iterator[Endpoint]:
    """A service for as long as the block lasts, ended by its process id."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "SERVICES": "s3,iam,sts",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
    }
    with (folder / "endpoint.log").open("wb") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("ministack"))], env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            _wait(process, url)
            yield _with_user(url)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        assert process.poll() is None, "the endpoint ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_ministack/health", timeout=5):  # noqa: S310
            return
        time.sleep(0.05)
    raise AssertionError("the endpoint does not answer")


def _with_user(url: str) -> Endpoint:
    """The first user: the keys of the root account are not checked, a user's are."""
    session: Any = boto3.session.Session()
    iam = session.client(
        "iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    iam.create_user(UserName="attestore")
    key = iam.create_access_key(UserName="attestore")["AccessKey"]
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="attestore", PolicyName="all", PolicyDocument=document)
    return Endpoint(url, key["AccessKeyId"], key["SecretAccessKey"])
