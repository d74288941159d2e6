"""Amazon S3, and compatible services."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from archives.storage import Part
from web.errors import Problem

GONE = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}


class S3:
    """botocore finds the credentials: in AWS_ACCESS_KEY_ID and so on, a profile, or a role."""

    def __init__(self, bucket: Any, *, is_patient: bool) -> None:
        self._bucket = bucket.name
        with _answering("a start"):
            self._client = botocore.session.Session().create_client(
                "s3",
                region_name=bucket.region or None,
                endpoint_url=bucket.endpoint or None,
                verify=settings.REQUESTS_CA_BUNDLE or None,
                config=Config(
                    signature_version="s3v4",
                    s3={"addressing_style": _style(bucket)},
                    connect_timeout=3,
                    read_timeout=30 if is_patient else 4,
                    retries={"total_max_attempts": 3 if is_patient else 1, "mode": "standard"},
                    # Services other than Amazon's do not know botocore's checksums. All of them
                    # check Content-MD5, which parts have.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )

    def size(self, key: str) -> int | None:
        """Bytes of the file; None if there is none."""
        answer = self._ask("head_object", Key=key, may_be_gone=True)
        return None if answer is None else int(answer["ContentLength"])

    def link(self, key: str, *, media_type: str, seconds: int, disposition: str = "") -> str:
        """A link to the file, with its type, since OpenTok's uploads may have another one, and with
        the Content-Disposition, if any.
        """
        fields = {"Bucket": self._bucket, "Key": key, "ResponseContentType": media_type}
        if disposition:
            fields["ResponseContentDisposition"] = disposition
        with _answering("link"):
            link: str = self._client.generate_presigned_url(
                "get_object", Params=fields, ExpiresIn=seconds
            )
        return link

    def delete(self, key: str) -> None:
        self._ask("delete_object", Key=key)

    def try_out(self) -> None:
        """Check that files can be written, without leaving any."""
        key = "opentok-rooms-try-out"
        self.abandon(key, self.begin(key, media_type="text/plain"))

    def write(self, key: str, content: bytes, *, media_type: str) -> None:
        """Write or replace a small file."""
        self._ask(
            "put_object", Key=key, Body=content, ContentType=media_type, ContentMD5=_md5(content)
        )

    # Uploads in parts

    def begin(self, key: str, *, media_type: str) -> str:
        """The id of a new upload, which is invisible until it is finished."""
        answer = self._ask("create_multipart_upload", Key=key, ContentType=media_type)
        return str(answer["UploadId"])

    def parts(self, key: str, upload: str) -> list[Part] | None:
        """The parts that the storage has of an upload; None if there is no such upload."""
        found: list[Part] = []
        marker = 0
        while True:
            answer = self._ask(
                "list_parts", Key=key, UploadId=upload, PartNumberMarker=marker, may_be_gone=True
            )
            if answer is None:
                return None
            found += [
                Part(part["PartNumber"], part["Size"], part["ETag"])
                for part in answer.get("Parts", ())
            ]
            if not answer.get("IsTruncated"):
                return found
            marker = answer["NextPartNumberMarker"]

    def put(self, key: str, upload: str, number: int, content: bytes) -> None:
        """Store a part, with a checksum."""
        self._ask(
            "upload_part",
            Key=key,
            UploadId=upload,
            PartNumber=number,
            Body=content,
            ContentMD5=_md5(content),
        )

    def finish(self, key: str, upload: str, *, media_type: str) -> None:
        """Make a file of all parts. `begin` has set its type."""
        parts = [
            {"PartNumber": part.number, "ETag": part.etag} for part in self.parts(key, upload) or ()
        ]
        self._ask(
            "complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )

    def abandon(self, key: str, upload: str) -> None:
        self._ask("abort_multipart_upload", Key=key, UploadId=upload, may_be_gone=True)

    def _ask(self, operation: str, *, may_be_gone: bool = False, **fields: Any) -> Any:
        with _answering(operation):
            try:
                return getattr(self._client, operation)(Bucket=self._bucket, **fields)
            except ClientError as error:
                if may_be_gone and error.response["Error"]["Code"] in GONE:
                    return None
                raise


def _md5(content: bytes) -> str:
    """The Content-MD5 of a part, by which S3 detects corruption."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _style(bucket: Any) -> str:
    """Where a link has the bucket's name. By default botocore signs links to s3.amazonaws.com,
    which redirects to the bucket's region, where they are not valid. With TLS a host name cannot
    have the dots of a bucket.
    """
    return "path" if bucket.endpoint or "." in bucket.name else "virtual"


@contextmanager
def _answering(operation: str) -> Iterator[None]:
    """Convert errors of the storage to storage_failed, without keys and links."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        reason = f"{told.get('Code')} for {operation}: {told.get('Message')}"
        raise Problem("storage_failed", reason=reason[:500]) from None
    except (BotoCoreError, ValueError) as error:
        raise Problem("storage_failed", reason=f"{type(error).__name__} for {operation}") from None
