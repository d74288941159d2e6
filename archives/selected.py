"""Actions of staff on several recordings of the list."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from archives.columns import moment
from archives.models import Archive
from staff.selected import SelectedPageActions

# In one request; each takes a call to OpenTok.
MAX_AT_ONCE = 10


class SelectedArchives(SelectedPageActions):
    """The page actions `stop` and `remove`, for all selected recordings."""

    actions = ["stop_selected", "remove_selected"]

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "stop")

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "remove")

    @admin.action(description="Stop recording", permissions=["stop"])
    def stop_selected(
        self, request: HttpRequest, queryset: QuerySet[Archive]
    ) -> HttpResponse | None:
        asks = "Those below are not recorded any further."
        return self.do_page_action(request, queryset, "stop", asks=asks, most=MAX_AT_ONCE)

    @admin.action(description="Delete the files", permissions=["remove"])
    def remove_selected(
        self, request: HttpRequest, queryset: QuerySet[Archive]
    ) -> HttpResponse | None:
        asks = (
            "The files of the recordings below are gone for good then, also for those with a link "
            "to them. What is known of the recordings stays here."
        )
        return self.do_page_action(request, queryset, "remove", asks=asks, most=MAX_AT_ONCE)

    def called(self, row: Archive) -> str:
        return f"“{row}” of {moment(row.created_at)}"

    def about(self, row: Archive) -> str:
        return f", {moment(row.created_at)}, {row.status}"
