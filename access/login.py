"""Log-in to the admin, with limits on guesses of passwords."""

import logging
from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import password_validation
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from access.failures import note_failure
from access.guesses import Guesses
from access.limits import address_of
from access.second_factor import is_owed
from audit.models import Entry

logger = logging.getLogger(__name__)


class LoginForm(AdminAuthenticationForm):
    """Counts wrong passwords by address and by user name. RateLimited, before they are checked."""

    @property
    def single_sign_on(self) -> str:
        """The name of single sign-on, for the template; empty without it."""
        return settings.OIDC_NAME if settings.SINGLE_SIGN_ON else ""

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return super().clean()  # an incomplete form is not a guess
        address = address_of(self.request.META) if self.request else "unknown"
        name = self.cleaned_data["username"]
        guesses = Guesses(own=("login", address), all_clients=("login_name", name), client=address)
        try:
            return guesses.check(super().clean)
        except ValidationError:
            # Without the name, into whose field people type their password by mistake.
            logger.warning("A log-in to the admin failed, from %s", address)
            note_failure("login.failed", address, User.objects.filter(username=name).first())
            raise


def page_after(request: HttpRequest, asked: str) -> str:
    """The page after a log-in: the one that was asked for, if it is on this host."""
    is_here = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
    return asked if is_here else reverse("admin:index")


@receiver(user_logged_in)
def note_login(user: User, request: HttpRequest, **signal: Any) -> None:
    if not is_owed(request, user):  # or it is noted after the second factor
        Entry.objects.note("login.succeeded", user)


@receiver(user_logged_out)
def note_logout(user: User | None, **signal: Any) -> None:
    if user is not None:
        Entry.objects.note("login.ended", user)


class MinimumLengthValidator(password_validation.MinimumLengthValidator):
    """Records new passwords: Django calls `password_changed` of each validator."""

    def password_changed(self, password: str, user: User | None = None) -> None:
        Entry.objects.note("password.changed", user)
