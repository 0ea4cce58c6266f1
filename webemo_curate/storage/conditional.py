"""Conditional writes of one object of a bucket, which Arrow's file systems do not offer."""

from functools import cached_property
from typing import Any

from webemo_curate.storage.endpoint import endpoint
from webemo_curate.storage.lease import Stored

ATTEMPTS = 8
CONNECT_SECONDS, REQUEST_SECONDS = 10.0, 60.0

NOT_HELD = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
ABSENT = {"NoSuchKey", "404"}


class ConditionalObject:
    """The object behind a lease; see `lease.LeaseObject`. It raises `OSError`s, as Arrow does.

    Parameters
    ----------
    base : str
        Bucket and prefix.
    key : str
        The object's key under the prefix.
    where : str
        The object's address, for messages.
    """

    def __init__(self, base: str, key: str, where: str) -> None:
        bucket, _, prefix = base.partition("/")
        self._named = {"Bucket": bucket, "Key": f"{prefix}/{key}".lstrip("/")}
        self.where = where

    def read(self) -> Stored | None:
        """Return the object's content and version; see `LeaseObject.read`."""
        answer = self._ask("get_object", ABSENT)
        return None if answer is None else Stored(answer["Body"].read(), answer["ETag"])

    def write(self, content: bytes, version: str | None) -> str | None:
        """Write the object if the condition holds; see `LeaseObject.write`."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        # If the object to be replaced is missing, S3 answers that there is no such key.
        answer = self._ask("put_object", NOT_HELD | ABSENT, Body=content, **condition)
        return None if answer is None else str(answer["ETag"])

    def remove(self, version: str) -> None:
        """Remove the object if nobody has written it since; see `LeaseObject.remove`."""
        stored = self.read()
        if stored is not None and stored.version == version:
            self._ask("delete_object", ABSENT)

    def _ask(self, method: str, expected: set[str], **more: Any) -> Any:
        """Make a request; return None for an expected refusal."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, method)(**self._named, **more)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code in expected:
                return None
            raise OSError(f"AWS Error {code}: {error}") from error
        except BotoCoreError as error:
            raise OSError(f"AWS Error {type(error).__name__}: {error}") from error

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config
        from botocore.session import get_session

        elsewhere = endpoint()
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=REQUEST_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Stores of other makers support neither Amazon's host names nor its newer checksums.
            s3={"addressing_style": "path" if elsewhere else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return get_session().create_client("s3", config=config, endpoint_url=elsewhere)
