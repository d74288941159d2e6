"""Logging in to the admin, with limits on guessing passwords."""

import logging
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from access.guesses import Guesses
from access.limits import address_of

logger = logging.getLogger(__name__)


class LoginForm(AdminAuthenticationForm):
    """Counts wrong passwords for the address that they come from, and for the user's name.

    RateLimited, before the password is looked at.
    """

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return super().clean()  # a form that is not filled in is no guess
        address = address_of(self.request.META) if self.request else "unknown"
        name = self.cleaned_data["username"]
        guesses = Guesses(own=("login", address), all_clients=("login_name", name), client=address)
        try:
            return guesses.check(super().clean)
        except ValidationError:
            # Without the name, for which people take their password by mistake.
            logger.warning("A log-in to the admin failed, from %s", address)
            raise
