"""Buttons on the page of a row."""

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from rest_framework.exceptions import APIException

from audit.models import kind_of

Method = Callable[..., Any]


def page_action(*, label: str, permission: str, asks: str = "") -> Callable[[Method], Method]:
    """Decorate a method that takes the request and the row, and returns a sentence about what it
    did.

    `permission` is for what it changes, such as "rooms.change_room". `asks` has to be confirmed.
    """

    def mark(method: Method) -> Method:
        vars(method).update(label=label, permission=permission, asks=asks)
        return method

    return mark


def entries_about(request: HttpRequest, row: models.Model | None) -> str:
    """The URL of the audit log about a row; for a room, about all that happened in it."""
    if row is None or not request.user.has_perm("audit.view_entry"):
        return ""
    is_room = kind_of(row) == "room"
    about = {"room_name": str(row)} if is_room else {"subject_id": str(row.pk)}
    return f"{reverse('admin:audit_entry_changelist')}?{urlencode(about)}"


def link_to_copy(link: str) -> str:
    """The link and a button that copies it, for a message: static/forms.js."""
    return format_html(
        '<a href="{0}">{0}</a> <button type="button" class="small-button" data-copy="{0}" '
        'aria-label="Copy the link">Copy</button> <span role="status"></span>',
        link,
    )


class PageActions(ModelAdmin):
    """Base of the admins with `page_actions`, the names of such methods."""

    page_actions: ClassVar[list[str]] = []
    change_form_template = "admin/page_actions.html"

    def get_page_actions(self, request: HttpRequest, row: Any) -> list[str]:
        """The actions that this user may do and that are possible now."""
        refused = self.refusals(row)
        return [
            name for name in self.page_actions if self._may(request, name) and name not in refused
        ]

    def question(self, row: Any, name: str) -> str:
        """What has to be confirmed first; empty if nothing."""
        return str(getattr(self, name).asks)

    def refusals(self, row: Any) -> dict[str, str]:
        """The actions that are not possible now, each with a sentence that says why."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        view = self.admin_site.admin_view(self.act)
        return [path("<path:object_id>/act/<slug:name>/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self._row(request, object_id)
        names = self.get_page_actions(request, row) if row else []
        context = {
            "page_actions": [
                # A template would call the method.
                vars(getattr(self, name))
                | {"address": self._address(object_id, name), "asks": self.question(row, name)}
                for name in names
            ],
            "entries": entries_about(request, row),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def act(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        row = self._row(request, object_id)
        if row is None:
            raise Http404
        if name not in self.page_actions or not self._may(request, name):
            raise PermissionDenied
        if request.method != "POST":  # the log-in leads here, if it had ended
            label = getattr(self, name).label
            undone = f"“{label}” was not done, as you had been logged out. Press it again."
            self.message_user(request, undone, messages.ERROR)
        elif refused := self.refusals(row).get(name):  # the page was outdated
            self.message_user(request, refused, messages.ERROR)
        else:
            self._act(request, row, name)
        opts = self.opts
        page = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[object_id])
        return HttpResponseRedirect(page)

    def _act(self, request: HttpRequest, row: Any, name: str) -> None:
        """Do it, and show the result or the error."""
        try:
            done = getattr(self, name)(request, row)
        except APIException as error:
            self.message_user(request, str(error.detail), messages.ERROR)
        else:
            self.log_change(request, row, done)
            self.message_user(request, done, messages.SUCCESS)

    def _may(self, request: HttpRequest, name: str) -> bool:
        return request.user.has_perm(getattr(self, name).permission)

    def _row(self, request: HttpRequest, object_id: str) -> models.Model | None:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return self.get_object(request, unquote(object_id))
        except ValidationError:
            return None

    def _address(self, object_id: str, name: str) -> str:
        view = f"admin:{self.opts.app_label}_{self.opts.model_name}_act"
        return reverse(view, args=[object_id, name])
