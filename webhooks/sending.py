"""One attempt to deliver an event, signed as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
import socket
import ssl
import time
from base64 import b64decode, b64encode
from contextlib import closing
from functools import cache
from http.client import HTTPConnection, HTTPException

import certifi
from django.conf import settings

from video.redaction import without_secrets
from web import deadlines
from web.errors import Problem
from webhooks.addresses import Place, place_of, resolve
from webhooks.deliveries import MAX_ANSWER, Delivery, Outcome
from webhooks.endpoints import SECRET_PREFIX, Endpoint

# For an attempt, from the look-up of the name to the end of the answer.
SECONDS = 15
READ_BYTES = 4096
REASONS: dict[type[BaseException], str] = {
    PermissionError: "Its name leads to an address inside this server's network.",
    socket.gaierror: "Its name leads nowhere.",
    ConnectionRefusedError: "Nothing listens there.",
    TimeoutError: "No answer in time.",
    ssl.SSLError: "Its certificate is invalid.",
}


def send(endpoint: Endpoint, delivery: Delivery) -> Outcome:
    """Make one attempt. Redirects are not followed."""
    began = time.monotonic()
    body = delivery.payload.encode()
    try:
        place = place_of(endpoint.url)
        headers = _headers(place, endpoint.secret, delivery.message_id, body)
        status, answer = _post(place, headers, body)
    except Problem as error:
        status, answer = None, str(error.detail)
    except (OSError, HTTPException, ValueError) as error:
        status, answer = None, _reason(error)
    took = round((time.monotonic() - began) * 1000)
    storable = answer.replace("\0", "")  # also of what is no HTTP, which an error quotes
    return Outcome(status, without_secrets(storable)[:MAX_ANSWER], took)


def _reason(error: Exception) -> str:
    """Why there was no answer, in words."""
    known = [words for kind, words in REASONS.items() if isinstance(error, kind)]
    return known[0] if known else f"{type(error).__name__}: {error}"


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
    """The status and the beginning of the answer. TimeoutError after SECONDS in all."""
    until = time.monotonic() + SECONDS
    with closing(_connected(place, until)) as sock:
        connection = HTTPConnection(place.host, place.port)
        connection.sock = sock
        connection.auto_open = 0  # which would look the name up again
        deadlines.limit(connection, until)
        connection.request("POST", place.target, body, headers)
        response = connection.getresponse()
        answer = response.read(READ_BYTES)
    return response.status, answer.decode(errors="replace")


def _connected(place: Place, until: float) -> socket.socket:
    """A connection to the checked address, even if the name resolves to another one later."""
    address = deadlines.in_thread(resolve, place).result(deadlines.left(until))
    sock = socket.create_connection((address, place.port), timeout=deadlines.left(until))
    if place.scheme == "http":
        return sock
    with closing(sock):  # wrap_socket takes its file descriptor over
        sock.settimeout(deadlines.left(until))  # of the whole handshake
        context = _context(settings.REQUESTS_CA_BUNDLE or certifi.where())
        return context.wrap_socket(sock, server_hostname=place.host.rstrip("."))


@cache
def _context(certificates: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates)
    context.set_alpn_protocols(["http/1.1"])
    return context
