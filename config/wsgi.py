"""The WSGI application: any WSGI server can run it; config/server.py is ours."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

# They need the apps loaded.
from ops.checks import refuse_to_start_misconfigured  # noqa: E402
from rooms import quick  # noqa: E402
from web.request import Request  # noqa: E402


class Handler(WSGIHandler):
    """Django's, behind the quick way to a room's credentials."""

    request_class = Request

    def __call__(self, environ: quick.Environ, start_response: Any) -> Any:
        if (name := quick.room_asked_for(environ)) and (found := quick.answer(environ, name)):
            start_response(f"{found.status} OK", list(found.headers.items()))
            return [found.body]
        return super().__call__(environ, start_response)


refuse_to_start_misconfigured()
application = Handler()
