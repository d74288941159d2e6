"""The WSGI application: any WSGI server can run it; config/server.py is ours."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.checks import refuse_to_start_misconfigured  # noqa: E402  needs the apps loaded

LONGEST_CONTENT_TYPE = 1024


class Request(WSGIRequest):
    """Reads everything as UTF-8, and knows whether its path was, which Django mends in silence."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Django's own takes the charset that the client names for the query as well, and fails on
        # codecs that are none of text. The parsers refuse what is not UTF-8 (config/parsers.py).
        # To take one apart takes a time that grows with the square of its length.
        if len(meta.get("CONTENT_TYPE", "")) > LONGEST_CONTENT_TYPE:
            meta["CONTENT_TYPE"] = ""
        try:
            self.content_type, self.content_params = parse_header_parameters(
                meta.get("CONTENT_TYPE", "")
            )
        except ValueError:
            # Such as `x*=klingon'en'%41`. DRF would read it again: it counts as none.
            meta["CONTENT_TYPE"] = self.content_type = ""
            self.content_params = {}

    def __init__(self, environ: dict[str, Any]) -> None:
        # WSGI hands the path's bytes over as latin-1.
        try:
            environ["PATH_INFO"].encode("latin-1").decode("utf-8")
        except UnicodeError:
            self.path_is_utf8 = False
        else:
            self.path_is_utf8 = True
        super().__init__(environ)


class Handler(WSGIHandler):
    request_class = Request


refuse_to_start_misconfigured()
application = Handler()
