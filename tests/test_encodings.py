"""Bodies as clients of the sample server may send them."""

import gzip
import zlib

import pytest

BODY = b'{"sessionId": "none"}'
JSON = {"Content-Type": "application/json"}


def start(server, body, coding=None):
    headers = JSON | ({"Content-Encoding": coding} if coding else {})
    answer = server.post("/archive/start", data=body, headers=headers)
    return answer.status_code, answer.json()["code"]


UNDERSTOOD = (400, "session_invalid")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("GZIP", gzip.compress(BODY, mtime=0)),
        ("x-gzip", gzip.compress(BODY, mtime=0)),
        (
            "gzip",
            gzip.compress(BODY[:9], mtime=0)
            + gzip.compress(b"", mtime=0)
            + gzip.compress(BODY[9:], mtime=0),
        ),
        ("deflate", zlib.compress(BODY)),
        ("identity", BODY),
        (None, b"\xef\xbb\xbf" + BODY),
        ("gzip", gzip.compress(b"\xef\xbb\xbf" + BODY, mtime=0)),
    ],
)
def test_a_body_that_was_compressed_or_has_a_byte_order_mark_is_understood(server, coding, body):
    assert start(server, body, coding) == UNDERSTOOD


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "x", "gzip;q=1"])
def test_a_body_in_another_encoding_is_a_415(server, coding):
    assert start(server, gzip.compress(BODY, mtime=0), coding) == (415, "encoding_unsupported")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        BODY,
        gzip.compress(BODY, mtime=0)[:-4],
        b"\x1f\x8b",
        gzip.compress(BODY, mtime=0) + b"x",
    ],
)
def test_a_body_that_is_not_what_its_encoding_says_is_a_400(server, body):
    status, code = start(server, body, "gzip")
    assert (status, code) == (400, "body_not_decoded") if body else (400, "invalid")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_unpacks_to_more_than_the_limit_is_a_413(server, coding):
    compress = gzip.compress if coding == "gzip" else zlib.compress
    bomb = compress(b" " * 50_000_000)
    assert len(bomb) < 100 * 1024
    assert start(server, bomb, coding) == (413, "body_too_large")
    assert start(server, compress(BODY + b" " * (100 * 1024 - len(BODY))), coding) == UNDERSTOOD
