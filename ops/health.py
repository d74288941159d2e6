"""Liveness and readiness.

Orchestrators ask by any host name, by plain HTTP, every few seconds. So these answers come before
checks of the host, redirects, counters and the log. OpenTok is not asked: without it the server
still serves known rooms.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from ops.write_probe import try_to_write
from telemetry.logs import in_one_line
from web.version import VERSION

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]
# Each part that has to be there, and "ok" or what is wrong with it.
Parts = dict[str, str]

# Seconds to wait for the database. Orchestrators give up after a few.
PATIENCE = 2
# Seconds for which "ready" is cached, so that frequent checks do not take SQLite's lock. "Not
# ready" is checked again each time, so that a server is used as soon as it works.
GOOD_FOR = 1


class HealthView(APIView):
    """Liveness. `word` is the status, since Vonage's hosting expects another one."""

    word = "ok"

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()  # those who ask are few, and end what does not answer them

    def get(self, request: Request) -> JsonResponse:
        return _answer({"status": self.word, "version": VERSION}, status=200)


class ReadyView(APIView):
    """Readiness: the database takes writes, and has all migrations."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()  # those who ask are few, and end what does not answer them

    def get(self, request: Request) -> JsonResponse:
        parts = _look.parts()
        ready = set(parts.values()) == {"ok"}
        said = {"status": "ok" if ready else "unavailable"} | parts
        return _answer(said, status=200 if ready else 503)


def _answer(said: dict[str, str], *, status: int) -> JsonResponse:
    response = JsonResponse(said, status=status, headers={"Cache-Control": "no-store"})
    response.headers["Content-Length"] = str(len(response.content))
    # The reason is logged once; Django would log each answer.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


class HealthMiddleware:
    """Answers before all other middleware."""

    VIEWS = {
        "/healthz": HealthView.as_view(),
        "/_/health": HealthView.as_view(word="OK"),
        "/readyz": ReadyView.as_view(),
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = self.VIEWS.get(request.path_info.removesuffix("/"))
        if view and request.method in {"GET", "HEAD"}:
            return view(request)
        return self.get_response(request)


class Look:
    """One check of the database at a time, shared by concurrent requests.

    In a thread of its own, so that requests can stop waiting for a database that hangs.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._latest: Future[Parts] | None = None
        self._good_until = 0.0
        self._last_reason = ""

    def parts(self) -> Parts:
        look = self._latest
        if look is None or (look.done() and time.monotonic() >= self._good_until):
            look = self._latest = self._thread.submit(self._run)
        try:
            return look.result(timeout=PATIENCE)
        except TimeoutError:
            return {"database": f"no answer within {PATIENCE} s", "migrations": "not known"}

    def _run(self) -> Parts:
        """The state of each part."""
        parts, reason = {"database": "out of reach", "migrations": "not known"}, ""
        try:
            with closing(connection):  # or this thread would keep it for ever
                parts["migrations"] = _migrations()
                if parts["migrations"] == "ok":
                    parts["database"] = "takes no writes"
                    try_to_write()
                else:
                    reason = f"migrations {parts['migrations']}; run `python manage.py migrate`"
                parts["database"] = "ok"
        except Exception as error:
            # For the log only, and once: it names hosts and users.
            reason = in_one_line(error)
        if reason and reason != self._last_reason:
            logger.warning("Not ready: %s", reason)
        self._last_reason = reason
        self._good_until = 0.0 if reason else time.monotonic() + GOOD_FOR
        return parts


_look = Look()


def database_works() -> bool:
    return _look.parts()["database"] == "ok"


def _migrations() -> str:
    """The first missing migration, or "ok". Checked each time, since migrations can be reversed."""
    missing = _known_migrations() - MigrationRecorder(connection).applied_migrations().keys()
    names = sorted(f"{app}.{name}" for app, name in missing)
    if not names:
        return "ok"
    return f"not applied: {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else "")


@lru_cache
def _known_migrations() -> set[tuple[str, str]]:
    """The app and the name of each migration of this version."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return set(loader.disk_migrations or {})
