"""Django's middleware for sessions, users and messages, run for staff's addresses alone."""

import re
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from staff.time_zones import zone_for

# What staff open in their browsers outside of the admin; the view has to say `takes_staff`.
FOR_STAFF_AS_WELL = re.compile(r"/archive/[^/]+/view/?\Z")


class InAdminOnly:
    """Mixed into Django's middleware that staff alone need: nothing else reads a session or a user,
    and setting them up takes a tenth of a request's time.
    """

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if path.startswith(f"/{settings.ADMIN_URL}") or FOR_STAFF_AS_WELL.match(path):
            return super().__call__(request)  # type: ignore[misc, no-any-return]
        return self.get_response(request)  # type: ignore[no-any-return]


class SessionMiddleware(InAdminOnly, sessions.SessionMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        # In quotes a cookie may hold a NUL, which PostgreSQL cannot look for.
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)


class AuthenticationMiddleware(InAdminOnly, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(InAdminOnly, messages.MessageMiddleware):
    pass


class InOwnTimeZone:
    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_for(request.user)):
            response: HttpResponse = self.get_response(request)
        return response


class TimeZoneMiddleware(InAdminOnly, InOwnTimeZone):
    pass
