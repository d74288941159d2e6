"""Log-in of staff by an OpenID Connect provider, with the OIDC_ variables.

django-allauth implements the protocol. Each log-in is decided here, by the e-mail address that the
provider has verified. allauth makes no account and stores nothing.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from access.login import page_after
from access.second_factor import SINGLE_SIGN_ON, is_owed, note_given
from web.errors import Problem

PROVIDER = "sso"
BACKEND = "django.contrib.auth.backends.ModelBackend"
LONGEST_NAME = 150  # of Django's users


@contextmanager
def provider_failures() -> Iterator[None]:
    """Convert what allauth raises for a provider that is away or answers wrongly: sso_failed."""
    try:
        yield
    except (OSError, KeyError, ValueError) as error:
        raise Problem("sso_failed", reason=type(error).__name__) from None


@provider_failures()
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirect to the provider."""
    return views.login(request, provider_id)  # type: ignore[no-any-return]


@provider_failures()
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """The return from the provider, with a code or an error."""
    return views.callback(request, provider_id)  # type: ignore[no-any-return]


class Adapter(DefaultSocialAccountAdapter):
    """allauth's hooks. ImmediateHttpResponse ends its own flow."""

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> list[Any]:
        """The provider of the variables, and none of the database."""
        return [
            SocialApp(
                provider="openid_connect",
                provider_id=PROVIDER,
                name=settings.OIDC_NAME,
                client_id=settings.OIDC_CLIENT_ID,
                secret=settings.OIDC_CLIENT_SECRET,
                settings={"server_url": settings.OIDC_SERVER_URL, "oauth_pkce_enabled": True},
            )
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        verified = [each.email for each in sociallogin.email_addresses if each.verified]
        if not verified:
            raise Problem("sso_refused")
        user = staff_of(verified[0])
        login(request, user, backend=BACKEND)
        # The provider is responsible for a second factor.
        note_given(request, user, SINGLE_SIGN_ON, was_owed=is_owed(request, user))
        after = str(sociallogin.state.get("next") or "")
        raise ImmediateHttpResponse(HttpResponseRedirect(page_after(request, after)))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        if exception:
            raise Problem("sso_failed", reason=type(exception).__name__)
        # Cancelled, or begun in another browser or too long ago.
        raise ImmediateHttpResponse(redirect("admin:login"))


def staff_of(address: str) -> User:
    """The staff account with this e-mail address. It is made for addresses in OIDC_DOMAINS.

    Error: sso_refused, also if the account is not one of staff's, or not active.
    """
    # The database may compare more loosely, for example with a dotless i.
    alike = User.objects.filter(email__iexact=address)
    known = [user for user in alike if _folded(user.email) == _folded(address)]
    if not known and address.rpartition("@")[2].lower() in settings.OIDC_DOMAINS:
        return _made(address)
    if len(known) == 1 and known[0].is_staff and known[0].is_active:
        return known[0]
    raise Problem("sso_refused")


def _made(address: str) -> User:
    """A new account without a password and without permissions."""
    if len(address) > LONGEST_NAME:
        raise Problem("sso_refused")
    try:
        with transaction.atomic():
            return User.objects.create_user(address.lower(), address, is_staff=True)
    except IntegrityError:  # another account has this name, or a second log-in was quicker
        raise Problem("sso_refused") from None


def _folded(address: str) -> str:
    return unicodedata.normalize("NFKC", address).casefold()
