"""A store in a bucket of any service that speaks S3."""

from attestore.adapters.s3.calls import Credentials, Patience
from attestore.adapters.s3.store import S3Store

__all__ = ["Credentials", "Patience", "S3Store"]
