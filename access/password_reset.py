"""A new password for staff who have forgotten theirs, by a link that is mailed: with EMAIL_URL."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetView
from django.core.mail import send_mail
from django.http import HttpResponseRedirect
from django.template.loader import render_to_string
from django_tasks import task

from access.limits import address_ident, consume


class ResetForm(PasswordResetForm):
    def get_users(self, email: str) -> Iterator[User]:
        return (user for user in super().get_users(email) if user.is_staff)

    def send_mail(  # type: ignore[override]
        self, subject: str, text: str, context: Any, sender: str | None, to: str, **html: Any
    ) -> None:
        """Django's own hides failures. `subject` and `text` are templates."""
        line = "".join(render_to_string(subject, context).splitlines())
        send_mail(line, render_to_string(text, context), sender, [to])


@task()
def mail_links(address: str, host: str, use_https: bool) -> None:
    """Mail a link to the staff with this e-mail address."""
    form = ResetForm({"email": address})
    if form.is_valid():
        form.save(domain_override=host, use_https=use_https)


class AskView(PasswordResetView):
    form_class = ResetForm

    def form_valid(self, form: Any) -> Any:
        """Limited by client and by e-mail address, so that no mailbox is filled. Sent by a job: the
        time to answer would tell known addresses from others.
        """
        address = form.cleaned_data["email"]
        consume("login", address_ident(self.request.META))
        consume("login", f"mail to {address.lower()}")
        mail_links.enqueue(address, self.request.get_host(), self.request.is_secure())
        return HttpResponseRedirect(self.get_success_url())
