"""Compressed bodies, which the sample server accepts as well."""

import zlib

from django.conf import settings

from web.errors import Problem

# zlib detects the format by the first bytes: gzip's or its own, which `deflate` means.
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def decoded(body: bytes, coding: str) -> bytes:
    """The body without its Content-Encoding. No more than MAX_BODY_BYTES are unpacked.

    Errors: encoding_unsupported, body_too_large, body_not_decoded.
    """
    coding = coding.strip().lower()
    if coding == "identity" or not body:
        return body
    if coding not in {"gzip", "x-gzip", "deflate"}:
        raise Problem("encoding_unsupported")
    content = b""
    while body:
        # gzip may have several members, one after the other.
        unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
        try:
            content += unpacker.decompress(body, settings.MAX_BODY_BYTES + 1 - len(content))
        except zlib.error:
            raise Problem("body_not_decoded") from None
        if len(content) > settings.MAX_BODY_BYTES:
            raise Problem("body_too_large")
        if not unpacker.eof:
            raise Problem("body_not_decoded")
        body = unpacker.unused_data
    return content
