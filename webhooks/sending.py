"""One attempt to deliver an event, signed as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
import socket
import ssl
import time
from base64 import b64decode, b64encode
from contextlib import closing, suppress
from http.client import HTTPException
from threading import Timer

import certifi
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from video.redaction import without_secrets
from web.errors import Problem
from webhooks.addresses import Place, place_of, resolve
from webhooks.deliveries import MAX_ANSWER, Delivery, Outcome
from webhooks.endpoints import SECRET_PREFIX, Endpoint

SECONDS = 15
READ_BYTES = 4096
REASONS: dict[type[BaseException], str] = {
    PermissionError: "Its name leads to an address inside this server's network.",
    socket.gaierror: "Its name leads nowhere.",
    ConnectionRefusedError: "Nothing listens there.",
    TimeoutError: "No answer in time.",
    ssl.SSLError: "Its certificate is not good.",
}


def send(endpoint: Endpoint, delivery: Delivery) -> Outcome:
    """Redirects are answers like others, and are not followed."""
    began = time.monotonic()
    body = delivery.payload.encode()
    try:
        place = place_of(endpoint.url)
        headers = _headers(place, endpoint.secret, str(delivery.pk), body)
        status, answer = _post(place, headers, body)
    except Problem as error:
        status, answer = None, str(error.detail)
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        status, answer = None, _reason(error)
    took = round((time.monotonic() - began) * 1000)
    return Outcome(status, without_secrets(answer)[:MAX_ANSWER], took)


def _reason(error: Exception) -> str:
    """Why there was no answer, in words. urllib3 wraps what the system says."""
    cause = error if isinstance(error, tuple(REASONS)) else error.__cause__ or error
    known = [words for kind, words in REASONS.items() if isinstance(cause, kind)]
    return known[0] if known else f"{type(cause).__name__}: {cause}"


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _headers(place: Place, secret: str, message_id: str, body: bytes) -> dict[str, str]:
    if not secret:
        raise ValueError("Its secret cannot be read: SECRET_KEY has changed.")
    now = int(time.time())
    return {
        "Host": place.host_header,
        "Content-Type": "application/json",
        "User-Agent": "OpenTok-Rooms",
        "Connection": "close",
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secret, message_id, now, body),
    }


def _post(place: Place, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    """The status and the beginning of the answer."""
    with closing(_connection(place)) as connection:
        connection.connect()
        # In all: the time-out of a socket begins anew with each packet.
        deadline = Timer(SECONDS, _cut, [connection.sock])
        deadline.start()
        try:
            connection.request("POST", place.target, body, headers, preload_content=False)
            response = connection.getresponse()
            answer = response.read(READ_BYTES, decode_content=False)
        finally:
            deadline.cancel()
    return response.status, answer.decode(errors="replace").replace("\0", "")


def _connection(place: Place) -> HTTPConnection:
    """To the address that was checked, whatever the name leads to a moment later."""
    address = resolve(place)
    if place.scheme == "http":
        return HTTPConnection(address, place.port, timeout=SECONDS)
    return HTTPSConnection(
        address,
        place.port,
        timeout=SECONDS,
        server_hostname=place.host,
        assert_hostname=place.host,
        cert_reqs="CERT_REQUIRED",
        ca_certs=settings.REQUESTS_CA_BUNDLE or certifi.where(),
    )


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
