"""The WSGI application: any WSGI server can run it; config/server.py is ours."""

import os

import django
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

# They need the apps loaded.
from ops.checks import refuse_to_start_misconfigured  # noqa: E402
from web.request import Request  # noqa: E402


class Handler(WSGIHandler):
    request_class = Request


refuse_to_start_misconfigured()
application = Handler()
