"""What staff do with several recordings at once, chosen in their list."""

import time

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from rest_framework.exceptions import APIException

from archives.models import Archive
from staff.page_actions import PageActions

# Each takes a call to OpenTok, all in one request.
MAX_AT_ONCE = 10


class SelectedActions(PageActions):
    """The page actions `stop` and `remove`, for all that were chosen."""

    actions = ["stop_selected", "remove_selected"]

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "stop")

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "remove")

    @admin.action(description="Stop recording", permissions=["stop"])
    def stop_selected(
        self, request: HttpRequest, queryset: QuerySet[Archive]
    ) -> HttpResponse | None:
        return self._do(request, queryset, "stop", asks="Those below are not recorded any further.")

    @admin.action(description="Delete the files", permissions=["remove"])
    def remove_selected(
        self, request: HttpRequest, queryset: QuerySet[Archive]
    ) -> HttpResponse | None:
        asks = (
            "The files of the recordings below are gone for good then, also for those with a link "
            "to them. What is known of the recordings stays here."
        )
        return self._do(request, queryset, "remove", asks=asks)

    def _do(
        self, request: HttpRequest, queryset: QuerySet[Archive], name: str, *, asks: str
    ) -> HttpResponse | None:
        rows = list(queryset[: MAX_AT_ONCE + 1])
        if len(rows) > MAX_AT_ONCE:
            limit = f"Choose at most {MAX_AT_ONCE} recordings at a time."
            self.message_user(request, limit, messages.ERROR)
            return None
        if "confirmed" not in request.POST:
            return self._ask(request, rows, name, asks=asks)
        until = time.monotonic() + settings.OPENTOK_TIMEOUT
        for place, row in enumerate(rows):
            if time.monotonic() > until:
                late = f"That took too long. Choose the other {len(rows) - place} again."
                self.message_user(request, late, messages.ERROR)
                break
            self._do_one(request, row, name)
        return None

    def _do_one(self, request: HttpRequest, row: Archive, name: str) -> None:
        called = f"{row} of {row.created_at:%Y-%m-%d %H:%M}"
        if name not in self.get_page_actions(request, row):
            self.message_user(request, f"{called} is {row.status}: left as it is.", messages.ERROR)
            return
        try:
            done = getattr(self, name)(request, row)
        except APIException as error:
            self.message_user(request, f"{called}: {error.detail}", messages.ERROR)
        else:
            self.log_change(request, row, done)
            self.message_user(request, f"{called}: {done}", messages.SUCCESS)

    def _ask(
        self, request: HttpRequest, rows: list[Archive], name: str, *, asks: str
    ) -> HttpResponse:
        label = getattr(self, f"{name}_selected").short_description
        context = self.admin_site.each_context(request) | {
            "title": f"{label}?",
            "opts": self.opts,
            "rows": rows,
            "action": f"{name}_selected",
            "label": label,
            "asks": asks,
        }
        return TemplateResponse(request, "admin/archives/archive/selected.html", context)
