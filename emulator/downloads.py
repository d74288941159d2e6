"""The download links of recordings that stay with OpenTok.

A link works for ten minutes and cannot be guessed. Each answer that holds one holds a new one
(archiving guide).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from typing import Any

from emulator.archives import Archive
from emulator.messages import Request, Response
from emulator.recording import Recording, StoreError, recording_of, serve
from emulator.world import World

LINK_LIFE_MS = 10 * 60 * 1000
PREFIX = "/tokbox.com.archive2/"
PATH = re.compile(
    re.escape(PREFIX)
    + r"[^/]+/(?P<archive>[0-9a-f-]{36})/(?P<file>archive\.(?:mp4|zip)|transcription\.json)"
)
# inference: the form of the real ones is not documented.
TRANSCRIPT = Recording(
    json.dumps(
        {"content": [{"start_ms": 0, "end_ms": 3000, "speaker": "auto", "text": "Hello."}]}
    ).encode(),
    "application/json",
)


class Links:
    """Signs and checks download links with a key of this process only."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def make(self, key: str, base_url: str, now: int) -> str:
        """`key` is the file's name in the store: project, archive and ending."""
        path = PREFIX + key
        expires, nonce = str(now + LINK_LIFE_MS), secrets.token_urlsafe(12)
        signature = self._sign(path, expires, nonce)
        return f"{base_url}{path}?Expires={expires}&Nonce={nonce}&Signature={signature}"

    def of_archive(self, archive: Archive, base_url: str, now: int) -> dict[str, Any]:
        """To its file and, if it has one, its transcript, once it is available."""
        if archive.status != "available":
            return {"url": None}
        url = self.make(archive.file_key, base_url, now)
        if archive.options.transcription is None:
            return {"url": url}
        key = f"{archive.project.id}/{archive.id}/transcription.json"
        return {"url": url, "transcript": self.make(key, base_url, now)}

    def opened(self, path: str, query: dict[str, str], now: int) -> tuple[str, str]:
        """The archive and the file that a link opens. Raises StoreError."""
        match = PATH.fullmatch(path)
        if match is None:
            raise StoreError(404, "NoSuchKey", "The specified key does not exist.")
        expires, given = query.get("Expires", ""), query.get("Signature", "")
        signature = self._sign(path, expires, query.get("Nonce", ""))
        if not hmac.compare_digest(signature.encode(), given.encode()):
            raise StoreError(
                403, "SignatureDoesNotMatch", "The signature of the link is not right."
            )
        if now >= int(expires):
            raise StoreError(403, "AccessDenied", "Request has expired")
        return match["archive"], match["file"]

    def _sign(self, path: str, expires: str, nonce: str) -> str:
        message = "\n".join((path, expires, nonce))
        return hmac.new(self._key, message.encode(), hashlib.sha256).hexdigest()


class Downloads:
    """Serves recordings to the holders of their links."""

    def __init__(self, world: World, links: Links) -> None:
        self.world = world
        self.links = links

    def answer(self, request: Request) -> Response:
        try:
            if request.method not in ("GET", "HEAD"):
                raise StoreError(405, "MethodNotAllowed", "The method is not allowed.")
            with self.world.lock:
                now = self.world.catch_up()
                archive_id, file = self.links.opened(request.path, read_query(request), now)
                archive = self.world.archives.get(archive_id)
                if archive is None or archive.status != "available":
                    raise StoreError(404, "NoSuchKey", "The specified key does not exist.")
            is_transcript = file == "transcription.json"
            return serve(TRANSCRIPT if is_transcript else recording_of(archive), request)
        except StoreError as error:
            return error.response()


def is_download(request: Request) -> bool:
    return request.path.startswith(PREFIX)


def read_query(request: Request) -> dict[str, str]:
    try:
        return request.query
    except ValueError:
        return {}
