"""The WSGI application: any WSGI server can run it; config/server.py is ours."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from config.checks import refuse_to_start_misconfigured  # noqa: E402  needs the apps loaded


class Request(WSGIRequest):
    """Knows whether its path was UTF-8, before Django mends it in silence."""

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
