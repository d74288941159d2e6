from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from archives.columns import state
from archives.search import by_id_or_session
from live.console import RoomConsoleAdmin as RoomConsoleAdmin  # registers it
from live.meetings_admin import MeetingAdmin as MeetingAdmin  # registers it
from live.meetings_admin import room_name
from live.models import Activity
from rooms.own_rooms import OwnRoomsOnly
from staff.filters import PeriodFilter, RunningFilter
from staff.large_tables import LargeTableAdmin, ReadOnly


class Started(PeriodFilter):
    title, parameter_name = "started", "created_at"


@admin.register(Activity)
class ActivityAdmin(OwnRoomsOnly, ReadOnly, LargeTableAdmin):
    list_display = ["created_at", "kind", state, room_name, "ended_at"]
    list_filter = ["kind", RunningFilter, Started]
    search_fields = ["id"]
    search_help_text = "An id, a session id, or the name of a room (case counts)."
    searched = "as its id, session id, or room's name"
    sortable_by = ["created_at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Activity], search_term: str
    ) -> tuple[QuerySet[Activity], bool]:
        found = by_id_or_session(queryset, search_term)
        return queryset.filter(room_name=search_term.strip()) if found is None else found, False
