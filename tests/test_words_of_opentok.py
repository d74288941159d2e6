"""What OpenTok says is logged, and told by `manage.py doctor`, without any secret in it."""

import socket
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from django.conf import settings
from django.test import Client as Browser

from tests.emulator_process import Emulator
from tests.server_process import Server
from tests.test_doctor import run_here as doctor

SECRETS = {
    "our secret": (f"{Emulator.secret} is wrong", Emulator.secret),
    "our secret in capitals": (Emulator.secret.upper(), Emulator.secret.upper()),
    "our secret in a URL": (f"x%20{Emulator.secret}", Emulator.secret),
    "our secret in base64": (b64encode(Emulator.secret.encode()).decode(), "NWNhMWFiMWUw"),
    "our callback secret": (f"({settings.CALLBACK_SECRET})", settings.CALLBACK_SECRET),
    "our SECRET_KEY": (settings.SECRET_KEY, settings.SECRET_KEY),
    "half of our secret": (Emulator.secret[:20], Emulator.secret[:20]),
    "a JWT": ("bad eyJhbGciOi.e30.c2ln", "eyJ"),
    "a JWT that begins otherwise": (
        "ewogICJhbGciOiAiSFMy.e30.c2lnbmF0dXJlMTIzNDU2Nzg",
        "c2lnbmF0dXJl",
    ),
    "a T1 token": ("bad T1==cGFydG5lcg== given", "cGFydG5l"),
    "a signed URL": ("at https://s3/a.mp4?X-Amz-Signature=ab%2Fcd&Expires=1", "ab%2Fcd"),
    "a signed path": ("at /a.mp4?sig=hush", "hush"),
    "a session in a URL": ("at https://h/v2/session/hush/mute", "hush"),
    "an Authorization header": ('Authorization: Digest username="x", response="hush"', "hush"),
    "our header": ("X-OPENTOK-AUTH: hush", "hush"),
    "a bearer token": ("got Bearer hush", "hush"),
    "basic credentials": ("got Basic aHVzaA==", "aHVzaA"),
    "a cookie": ("Set-Cookie: sid=hush; Path=/", "hush"),
    "a password": ("password=hush", "hush"),
    "a password in JSON": ('{"password": "hush hush"}', "hush"),
    "a password in escaped JSON": ('{\\"secret\\":\\"hush\\"}', "hush"),
    "a password in an object": ({"nested": {"password": "hush"}}, "hush"),
    "a password in a sentence": ("the password is hush99", "hush99"),
    "a percent-encoded token": ("token%3Dhush", "hush"),
    "a PEM key": ("-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----", "hush"),
    "a PEM key without an end": ("-----BEGIN RSA PRIVATE KEY-----\\nhush", "hush"),
    "a database URL": ("postgres://u:hush@db/x", "hush"),
    "a database URL with signs": ("postgres://u:hush/a@b?c#d@db/x", "hush"),
    "a database URL with a space": ("postgres://u:hush hush@db/x", "hush"),
    "a Redis URL": ("redis://:hush@cache", "hush"),
    "libpq's words": ("host=db password='hush hush' user=u", "hush"),
    "Azure's words": ("AccountName=a;AccountKey=hush==;EndpointSuffix=b", "hush"),
    "AWS keys": ("AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "EXAMPLE"),
    "a secret of somebody else": ("expected 0f1e2d3c4b5a69788796a5b4c3d2e1f0", "0f1e2d3c"),
}


def test_no_secret_in_opentoks_words_gets_into_the_log(server, opentok):
    before = len(server.output())
    for message, _ in SECRETS.values():
        for status in (403, 500):
            opentok.fault(status=status, body={"message": message}, times=1 + (status == 500))
            assert server.get("/archive").status_code == 502
    written = server.output()[before:]
    assert written.count("502 opentok_refused_credentials 403") == len(SECRETS)
    assert written.count("502 opentok_failed 500") == len(SECRETS)
    assert [name for name, (_, secret) in SECRETS.items() if secret in written] == []


@pytest.mark.parametrize("name", ["our secret", "a JWT", "a password in JSON", "a database URL"])
def test_no_secret_in_opentoks_words_gets_into_what_doctor_says(
    opentok, transactional_db, caplog, name
):
    message, secret = SECRETS[name]
    for status in (403, 500):
        opentok.fault(status=status, body={"message": message})
        told = doctor().stdout
        assert f"{status} " in told
        assert secret not in told + caplog.text
        opentok.reset()


@pytest.mark.parametrize(
    "message",
    [
        "Invalid token format or signature",
        "Id in the token does not match the one in the url",
        "issued time cannot be greater than now",
        "Session is already composed for given tag with code 409",
        "Archive 80c3d2d8-0000-4000-8000-000000000000 failed at https://s3.amazonaws.com",
    ],
)
def test_words_of_opentok_that_hold_no_secret_are_logged_as_they_are(opentok, caplog, message):
    opentok.fault(status=403, body={"message": message})
    Browser().get("/archive")
    lines = [record.getMessage() for record in caplog.records]
    assert f"502 opentok_refused_credentials 403 {message}" in lines


def test_a_header_of_opentok_that_cannot_be_read_is_not_logged(transactional_db):
    """urllib3 warns of it, and quotes the rest of the headers and the whole URL."""
    reply = b"HTTP/1.1 403 No\r\nbroken\r\nSet-Cookie: hush\r\nContent-Length: 2\r\n\r\n{}"
    with closing(socket.create_server(("127.0.0.1", 0))) as place:
        url = f"http://127.0.0.1:{place.getsockname()[1]}"
        with ThreadPoolExecutor(1) as opentok, Server(OPENTOK_API_URL=url) as server:
            answered = opentok.submit(answer_once, place, reply)
            assert server.get("/archive?sessionId=1_x").status_code == 502
            answered.result()
            written = server.output()
    assert "502 opentok_" in written
    assert "hush" not in written
    assert "sessionId" not in written


def answer_once(place, reply):
    connection, _ = place.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(reply)
