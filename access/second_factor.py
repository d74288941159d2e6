"""The second factor of a session.

Django's session knows the user after the password. `request.user` is anonymous until the session
also says that the second factor was given, or replaced by single sign-on.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from audit.models import Entry
from staff.middleware import is_for_staff
from staff.models import SecondFactor

GIVEN = "second_factor_given"
SINGLE_SIGN_ON = "single sign-on"


def is_owed(request: HttpRequest, user: Any) -> bool:
    """Whether the session of this user lacks the second factor."""
    if settings.SECOND_FACTOR == "off" or not user.is_authenticated:
        return False
    given = request.session.get(GIVEN)
    if given == _mark(user, SINGLE_SIGN_ON):
        return False
    factor = SecondFactor.objects.of(user)
    if factor is None:
        return settings.SECOND_FACTOR == "required"
    return bool(given != _mark(user, factor))


def _mark(user: Any, by: SecondFactor | str) -> str:
    """The value of GIVEN in a session. A new factor has another one, and so has to be given."""
    return f"{user.pk} {by.created_at.isoformat() if isinstance(by, SecondFactor) else by}"


def user_of(request: HttpRequest) -> Any:
    user = get_user(request)
    return AnonymousUser() if is_owed(request, user) else user


def half_user_of(request: HttpRequest) -> Any:
    """The user of a session that lacks the second factor, or None."""
    user = get_user(request)
    return user if is_owed(request, user) else None


def note_given(
    request: HttpRequest, user: Any, by: SecondFactor | str, *, was_owed: bool = True
) -> None:
    """Log the user in for good."""
    request.session.cycle_key()
    request.session[GIVEN] = _mark(user, by)
    request.user = user
    if was_owed:
        Entry.objects.note("login.succeeded", user)


class SecondFactorMiddleware:
    """Placed after AuthenticationMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_for_staff(request):
            lazy: Any = SimpleLazyObject(lambda: user_of(request))
            request.user = lazy
        return self.get_response(request)
