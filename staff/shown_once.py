"""Keys and secrets, which are shown once, right after they are made."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


class ShownOnce(ModelAdmin):
    """Base of the admins whose `response_add` is `show`."""

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # The page with the secret always follows.
        one_way = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, (extra_context or {}) | one_way)

    def show(
        self, request: HttpRequest, row: Model, *, template: str, title: str, then: str
    ) -> HttpResponse:
        """The page with the secret and a link to `then`. A message would be stored in a cookie."""
        context = self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            "original": row,
            "next": then,
        }
        return TemplateResponse(request, template, context)
