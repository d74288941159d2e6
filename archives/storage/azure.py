"""Blob storage of Microsoft Azure."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import (
    BlobBlock,
    BlobSasPermissions,
    BlobServiceClient,
    ContentSettings,
    generate_blob_sas,
)
from django.conf import settings
from django.utils import timezone

from archives.storage import Part
from web.errors import Problem

# Blocks belong to a file and to no upload, so that there is no id.
UPLOAD = "blocks"


class Azure:
    def __init__(self, container: Any, *, is_patient: bool) -> None:
        self._account = container.account
        self._key = settings.AZURE_STORAGE_KEY
        account_url = container.endpoint or f"https://{self._account}.blob.core.windows.net"
        with _answering("a start"):
            service = BlobServiceClient(
                account_url,
                credential={"account_name": self._account, "account_key": self._key},
                connection_timeout=3,
                read_timeout=30 if is_patient else 4,
                retry_total=2 if is_patient else 0,
                **(
                    {"connection_verify": bundle} if (bundle := settings.REQUESTS_CA_BUNDLE) else {}
                ),
            )
            self._container = service.get_container_client(container.name)

    def size(self, key: str) -> int | None:
        """Bytes of the file; None if there is none."""
        with _answering("a look"):
            try:
                return int(self._blob(key).get_blob_properties().size)
            except ResourceNotFoundError:
                return None

    def link(self, key: str, *, media_type: str, seconds: int, disposition: str = "") -> str:
        """A link to the file, with its type, since OpenTok's uploads may have another one, and with
        the Content-Disposition, if any.
        """
        with _answering("a link"):
            signature = generate_blob_sas(
                self._account,
                self._container.container_name,
                key,
                account_key=self._key,
                permission=BlobSasPermissions(read=True),
                expiry=timezone.now() + timedelta(seconds=seconds),
                content_type=media_type,
                content_disposition=disposition or None,
            )
            return f"{self._blob(key).url}?{signature}"

    def delete(self, key: str) -> None:
        with _answering("a deletion"):
            try:
                self._blob(key).delete_blob()
            except ResourceNotFoundError:
                return

    def try_out(self) -> None:
        """Check that files can be written. Azure drops a block without a file after a week."""
        self.put("opentok-rooms-try-out", UPLOAD, 1, b".")

    def write(self, key: str, content: bytes, *, media_type: str) -> None:
        """Write or replace a small file."""
        with _answering("a file"):
            self._blob(key).upload_blob(
                content,
                overwrite=True,
                validate_content=True,
                content_settings=ContentSettings(content_type=media_type),
            )

    # Uploads in parts

    def begin(self, key: str, *, media_type: str) -> str:
        """An upload is invisible until it is finished."""
        return UPLOAD

    def parts(self, key: str, upload: str) -> list[Part] | None:
        """The parts that the storage has of an upload; None if it has none."""
        with _answering("a list of blocks"):
            try:
                _, blocks = self._blob(key).get_block_list("uncommitted")
            except ResourceNotFoundError:
                return None
        return sorted(Part(int(block.id), block.size) for block in blocks)

    def put(self, key: str, upload: str, number: int, content: bytes) -> None:
        """Store a part, with a checksum."""
        with _answering("a block"):
            self._blob(key).stage_block(_id(number), content, validate_content=True)

    def finish(self, key: str, upload: str, *, media_type: str) -> None:
        """Make a file of all parts."""
        blocks = [BlobBlock(_id(part.number)) for part in self.parts(key, upload) or ()]
        with _answering("a file of blocks"):
            self._blob(key).commit_block_list(
                blocks, content_settings=ContentSettings(content_type=media_type)
            )

    def abandon(self, key: str, upload: str) -> None:
        """Azure does it after a week."""

    def _blob(self, key: str) -> Any:
        return self._container.get_blob_client(key)


def _id(number: int) -> str:
    """Azure wants all ids of a file to have the same length."""
    return f"{number:05}"


@contextmanager
def _answering(what: str) -> Iterator[None]:
    """Convert errors of the storage to storage_failed, without keys and links."""
    try:
        yield
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or error.status_code
        raise Problem("storage_failed", reason=f"{code} for {what}") from None
    except (AzureError, ValueError) as error:
        raise Problem("storage_failed", reason=f"{type(error).__name__} for {what}") from None
