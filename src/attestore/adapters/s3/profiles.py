"""What is expected of the services that speak S3. Each expectation is only where the first probe begins: what counts is what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["PROFILES", "Profile"]


@dataclass(frozen=True, slots=True)
class Profile:
    """One service's manners."""

    title: str
    style: Literal["path", "virtual"]
    """where the bucket's name stands in an address"""
    sums: bool
    """takes x-amz-checksum-sha256 and compares"""
    conditional: bool
    """refuses a second write where If-None-Match: * is sent"""
    lock: bool
    """has Object Lock"""
    region: str = ""
    """what to sign for where nobody says"""


PROFILES: Final = MappingProxyType(
    {
        "aws": Profile("Amazon S3", "virtual", sums=True, conditional=True, lock=True),
        "digitalocean": Profile("DigitalOcean Spaces", "virtual", sums=False, conditional=False, lock=False),
        "backblaze": Profile("Backblaze B2", "virtual", sums=False, conditional=False, lock=True),
        "cloudflare": Profile("Cloudflare R2", "path", sums=True, conditional=True, lock=False, region="auto"),
        "minio": Profile("MinIO", "path", sums=True, conditional=True, lock=True, region="us-east-1"),
        "ceph": Profile("Ceph Object Gateway", "path", sums=False, conditional=False, lock=True, region="us-east-1"),
        "generic": Profile("an S3 endpoint", "path", sums=True, conditional=True, lock=True, region="us-east-1"),
    }
)
"""By the name that `profile:` says."""
