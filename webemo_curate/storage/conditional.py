"""One object of a bucket, written on conditions, which Arrow's file systems cannot ask for."""

from functools import cached_property
from typing import Any

from webemo_curate.storage.endpoint import endpoint
from webemo_curate.storage.lease import Stored

ATTEMPTS = 8
CONNECT_SECONDS, REQUEST_SECONDS = 10.0, 60.0

NOT_HELD = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
ABSENT = {"NoSuchKey", "404"}


class ConditionalObject:
    """Stands for a lease; see `lease.LeaseObject`. Its errors are `OSError`s, as Arrow's are.

    Parameters
    ----------
    base : str
        Bucket and prefix.
    key : str
        Below the prefix.
    where : str
        Its address, for messages.
    """

    def __init__(self, base: str, key: str, where: str) -> None:
        bucket, _, prefix = base.partition("/")
        self._named = {"Bucket": bucket, "Key": f"{prefix}/{key}".lstrip("/")}
        self.where = where

    def read(self) -> Stored | None:
        """Return what is there; see `LeaseObject.read`."""
        answer = self._ask("get_object", ABSENT)
        return None if answer is None else Stored(answer["Body"].read(), answer["ETag"])

    def write(self, content: bytes, version: str | None) -> str | None:
        """Write it if the condition holds; see `LeaseObject.write`."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        # Where an object that is to be replaced is gone, S3 says that there is no such key.
        answer = self._ask("put_object", NOT_HELD | ABSENT, Body=content, **condition)
        return None if answer is None else str(answer["ETag"])

    def remove(self, version: str) -> None:
        """Remove it if nobody has written it since; see `LeaseObject.remove`."""
        stored = self.read()
        if stored is not None and stored.version == version:
            self._ask("delete_object", ABSENT)

    def _ask(self, method: str, expected: set[str], **more: Any) -> Any:
        """Make a request; returns None for an expected refusal."""
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
            # Other makers' stores know neither Amazon's host names nor its newer checksums.
            s3={"addressing_style": "path" if elsewhere else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return get_session().create_client("s3", config=config, endpoint_url=elsewhere)
