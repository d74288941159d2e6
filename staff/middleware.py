"""Django's middleware for sessions, users and messages, for the pages of staff only."""

import re
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from staff.time_zones import zone_for

# A page of staff outside of the admin; its view has to name `takes_staff`.
FOR_STAFF_AS_WELL = re.compile(r"/archive/[^/]+/view/?\Z")


def is_in_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith(f"/{settings.ADMIN_URL}")


def is_for_staff(request: HttpRequest) -> bool:
    """Whether it needs a session and a user. Setting them up takes a tenth of a request's time."""
    return is_in_admin(request) or FOR_STAFF_AS_WELL.match(request.path_info) is not None


class ForStaffOnly:
    """Mixed into Django's middleware that staff alone need."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_for_staff(request):
            return super().__call__(request)  # type: ignore[misc, no-any-return]
        return self.get_response(request)  # type: ignore[no-any-return]


class SessionMiddleware(ForStaffOnly, sessions.SessionMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        # A quoted cookie may contain a NUL, which PostgreSQL refuses.
        if "\0" in request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        super().process_request(request)


class AuthenticationMiddleware(ForStaffOnly, auth.AuthenticationMiddleware):
    pass


class MessageMiddleware(ForStaffOnly, messages.MessageMiddleware):
    pass


class TimeZoneMiddleware:
    """Times in the person's own time zone."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_for_staff(request):
            return self.get_response(request)  # type: ignore[no-any-return]
        with timezone.override(zone_for(request.user)):
            return self.get_response(request)  # type: ignore[no-any-return]
