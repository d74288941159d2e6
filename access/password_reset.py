"""A new password for staff who have forgotten theirs, by a link that is mailed: with EMAIL_URL."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase

from access.limits import address_ident, consume


class ResetForm(PasswordResetForm):
    def get_users(self, email: str) -> Iterator[User]:
        return (user for user in super().get_users(email) if user.is_staff)

    def send_mail(self, *given: Any, **named: Any) -> None:
        """In a thread: the time that it takes would tell which addresses are known."""
        Thread(target=super().send_mail, args=given, kwargs=named, daemon=True).start()


class Limited:
    """Mixed into a view: the admin's own are limited by access.refusals.ProblemMiddleware."""

    def dispatch(self, request: HttpRequest, *given: Any, **named: Any) -> HttpResponseBase:
        consume("other", address_ident(request))
        return super().dispatch(request, *given, **named)  # type: ignore[misc, no-any-return]


class AskView(Limited, views.PasswordResetView):
    form_class = ResetForm

    def form_valid(self, form: Any) -> Any:
        """Counted for who asks and for whom: nobody's mailbox is filled, and known addresses are
        refused as unknown ones are.
        """
        consume("login", address_ident(self.request))
        consume("login", f"mail to {form.cleaned_data['email'].lower()}")
        return super().form_valid(form)


class SentView(Limited, views.PasswordResetDoneView):
    pass


class ChooseView(Limited, views.PasswordResetConfirmView):
    pass


class DoneView(Limited, views.PasswordResetCompleteView):
    pass
