from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from live.models import Activity
from staff.large_tables import LargeTableAdmin, PeriodFilter, ReadOnly
from video import ids


@admin.display(description="Status")
def state(activity: Activity) -> str:
    return format_html('<span class="state {0}">{0}</span>', activity.status)


class Started(PeriodFilter):
    title, parameter_name = "started", "created_at"


class Running(admin.SimpleListFilter):
    title, parameter_name = "running", "running"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        if self.value() in {"yes", "no"}:
            return queryset.filter(ended_at__isnull=self.value() == "yes")
        return queryset


@admin.register(Activity)
class ActivityAdmin(ReadOnly, LargeTableAdmin):
    list_display = ["created_at", "kind", state, "room_name", "ended_at"]
    list_filter = ["kind", Running, Started]
    search_fields = ["id"]
    search_help_text = "An id, a session id, or the name of a room (case counts)."
    sortable_by = ["created_at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Activity], search_term: str
    ) -> tuple[QuerySet[Activity], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if ids.UUID.fullmatch(term.lower()):
            return queryset.filter(pk=term), False
        if ids.SESSION_ID.fullmatch(term) and queryset.filter(session_id=term).exists():
            return queryset.filter(session_id=term), False
        return queryset.filter(room_name=term), False
