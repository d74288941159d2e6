"""Bodies that were compressed on the way, which clients of the sample server may send."""

import zlib

from django.conf import settings

from web.errors import Problem

# Of zlib: it tells from the first bytes whether they are gzip's or zlib's, which `deflate` means.
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def decoded(body: bytes, coding: str) -> bytes:
    """The body without its Content-Encoding.

    Errors: encoding_unsupported, body_too_large, body_not_decoded. What a small body would
    unpack to is never unpacked beyond the limit.
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
