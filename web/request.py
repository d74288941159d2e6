"""Requests whose path is taken as it was sent."""

import re
import string
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest, get_script_name
from django.utils.http import parse_header_parameters

from web import hosts, paths

LONGEST_CONTENT_TYPE = 1024
WITH_PORT = re.compile(rf"({hosts.HOST.pattern})(:[0-9]*)?")
# A request line may name a whole URL.
AROUND_PATH = re.compile(r"\A[a-z][a-z0-9+.-]*://[^/?#]*|[?#].*\Z", re.IGNORECASE | re.DOTALL)


class Request(WSGIRequest):
    """Splits the raw path, if the server provides it, before it decodes it: see web/paths.py.

    `path_is_utf8` is false for a path that Django would repair in silence.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        # As gunicorn calls it, and as uWSGI, mod_wsgi and waitress do.
        sent = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        self.path_is_as_sent = bool(sent)
        # PATH_INFO is decoded, so that its `%` is a percent sign.
        path = AROUND_PATH.sub("", sent) if sent else environ["PATH_INFO"].replace("%", "%25")
        try:
            routed = _routed(path)
        except UnicodeError:
            self.path_is_utf8 = False  # web/checks.py refuses it
            path = unquote_to_bytes(path.encode("latin-1", "replace")).decode("latin-1")
            environ["PATH_INFO"] = path
        else:
            self.path_is_utf8 = True
            if sent and environ.get("SCRIPT_NAME"):
                routed = routed.removeprefix(get_script_name(environ).rstrip("/"))
            environ["PATH_INFO"] = routed.encode().decode("latin-1")
        # Raw bytes would be taken for latin-1 when the query is copied into another URL.
        query = environ.get("QUERY_STRING", "")
        if not query.isascii():
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=string.printable)
        # The proxy in front has appended the last one.
        if "," in (scheme := environ.get("HTTP_X_FORWARDED_PROTO", "")):
            environ["HTTP_X_FORWARDED_PROTO"] = scheme.rpartition(",")[2].strip()
        super().__init__(environ)

    def _get_full_path(self, path: str, force_append_slash: bool) -> str:
        """Django encodes each `%` of the path again."""
        full: str = super()._get_full_path(path, force_append_slash)  # type: ignore[misc]
        path, mark, query = full.partition("?")
        return path.replace("%25", "%") + mark + query

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Django also decodes the query by the charset, and fails on codecs that are not for text.
        # web/parsers.py refuses all but UTF-8. The time to parse a header is quadratic.
        if len(meta.get("CONTENT_TYPE", "")) > LONGEST_CONTENT_TYPE:
            meta["CONTENT_TYPE"] = ""
        try:
            self.content_type, self.content_params = parse_header_parameters(
                meta.get("CONTENT_TYPE", "")
            )
        except ValueError:
            # Such as `x*=klingon'en'%41`. It counts as missing, or DRF would parse it again.
            meta["CONTENT_TYPE"] = self.content_type = ""
            self.content_params = {}

    def get_host(self) -> str:
        """The `Host`; `localhost` for a request of HTTP/1.0 that has none. Any name of a host if
        ALLOWED_HOSTS allows any.
        """
        if "*" not in settings.ALLOWED_HOSTS:
            return super().get_host()
        if host := str(self._get_raw_host()):  # type: ignore[attr-defined]
            if not WITH_PORT.fullmatch(host):
                raise DisallowedHost("The Host is no name of a host.")
            return host.removesuffix(":")
        port = self.get_port()
        is_usual = port == ("443" if self.is_secure() else "80")
        return "localhost" if is_usual else f"localhost:{port}"


def _routed(path: str) -> str:
    """The path as the URL resolver sees it. UnicodeError if it is not UTF-8."""
    sent = path.encode("latin-1")  # as WSGI hands bytes over
    if b"%" not in sent:
        return sent.decode()
    return "/".join(paths.segment(unquote_to_bytes(part).decode()) for part in sent.split(b"/"))
