import time
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import model_ngettext
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from rooms.large_tables import LargeTableAdmin, ReadOnly
from rooms.models import PastSession, Room
from video.errors import VideoError

# Each takes a call to OpenTok, and somebody waits for all of them.
MAX_ROTATED_AT_ONCE = 10


class PastSessionInline(ReadOnly, admin.TabularInline):
    model = PastSession
    fields = ["session_id", "replaced_at"]
    readonly_fields = ["session_id", "replaced_at"]


@admin.register(Room)
class RoomAdmin(LargeTableAdmin):
    list_display = ["name", "last_used_at", "created_at", "token_role", "e2ee"]
    list_filter = ["e2ee", "last_used_at"]
    date_hierarchy = "last_used_at"
    search_fields = ["name"]
    search_help_text = "The beginning of a room's name (case counts), or a whole session id."
    sortable_by = ["name", "created_at", "last_used_at"]
    actions = ["new_session"]
    fields = ["name", "token_role", "session_id", "e2ee", "created_at", "last_used_at"]
    readonly_fields = ["name", "session_id", "e2ee", "created_at", "last_used_at"]
    inlines = [PastSessionInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A room is made by its first visitor."""
        return False

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        """What was changed and no more: the room may have got another session meanwhile."""
        obj.save(update_fields=form.changed_data)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Room], search_term: str
    ) -> tuple[QuerySet[Room], bool]:
        if not search_term:
            return queryset, False
        return (queryset & Room.objects.search(search_term)).order_by("name"), False

    @admin.action(description="Give a new session", permissions=["change"])
    def new_session(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        """Asks first: who is in a room now stays behind in its old session."""
        rooms = list(queryset[: MAX_ROTATED_AT_ONCE + 1])
        if len(rooms) > MAX_ROTATED_AT_ONCE:
            limit = f"Choose at most {MAX_ROTATED_AT_ONCE} rooms at a time."
            self.message_user(request, limit, messages.ERROR)
            return None
        if "confirmed" not in request.POST:
            return self.ask_for_new_session(request, rooms)
        until = time.monotonic() + settings.OPENTOK_TIMEOUT
        for room in rooms:
            if time.monotonic() > until:
                self.message_user(
                    request, "That took too long. Choose the rest again.", messages.ERROR
                )
                break
            try:
                room.rotate_session()
            except VideoError as error:
                kept = f"No new session for {room}. {error.detail}"
                self.message_user(request, kept, messages.ERROR)
                break
            self.log_change(request, room, "Gave the room a new session.")
            self.message_user(request, f"New session for {room}.", messages.SUCCESS)
        return None

    def ask_for_new_session(self, request: HttpRequest, rooms: list[Room]) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": "Give a new session?",
            "opts": self.opts,
            "rooms": rooms,
            "what": model_ngettext(self.opts, len(rooms)),
        }
        return TemplateResponse(request, "admin/rooms/room/new_session.html", context)
